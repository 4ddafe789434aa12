"""What the list of reports promises, whether its catalog is a SQLite file or on a PostgreSQL server."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from workflows.errors import CatalogError, CursorError
from workflows.identity.canonical import canonical_json, digest
from workflows.store.address import FAILURE, MEASURES, REPORT, Address
from workflows.store.artefacts import Store, described
from workflows.store.entry import Listed
from workflows.store.listing import Entry, Filter, Listing, Page
from workflows.store.provenance import Provenance

pytestmark = pytest.mark.integration

DAY, NEXT = "2013-01-15", "2013-01-16"
OLD, NEW = "0abc" * 10, "0abd" * 10
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


class Shop:
    """A store whose reports are made up; `hour` tells when each was started."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url, self.number = folder / "store", url, 0

    @property
    def store(self) -> Store:
        """The store as a new process sees it."""
        return Store.at(str(self.folder), self.folder.parent / "cache", self.url)

    @property
    def listing(self) -> Listing:
        """Its list."""
        return self.store.listing

    def make(
        self,
        template: str = "daily",
        date: str = DAY,
        hour: float = 0,
        measures: dict[str, Any] | None = None,
        **others: Any,
    ) -> str:
        """Make a report; its folder."""
        self.number += 1
        record = _record(template, date, digest([self.number]), hour, **others)
        address, store = Address("ReportTask", date, record.version, template), self.store
        rows = [{"name": n, "value": v, "unit": "min", "better": "lower"} for n, v in (measures or {}).items()]
        with store.staged() as folder:
            (folder / REPORT).write_text("<html>")
            (folder / MEASURES).write_text(json.dumps({"format": 1, "measures": rows}))
            outputs = described(folder, {REPORT: None, MEASURES: None})
            store.publish(folder, address, Provenance(**{**vars(record), "outputs": outputs}))
        return address.path

    def fail(self, reason: str, template: str = "daily", date: str = DAY, hour: float = 0, **others: Any) -> str:
        """Keep a failed report; its folder."""
        failure = {"cell": 1, "of": 2, "reason": reason, "line": ""}
        record = _record(template, date, digest(reason), hour, failure=failure, **others)
        store = self.store
        with store.staged() as folder:
            (folder / REPORT).write_text("<html>")
            (folder / FAILURE).write_text(record.to_json())
            return store.failures.keep(folder, template, date, datetime.fromisoformat(record.started))

    def found(self, *words: str, **filters: Any) -> list[str]:
        """The folders of what a filter finds."""
        return paths(self.listing.page(Filter(**filters, words=" ".join(words))))


def _record(template: str, date: str, version: str, hour: float, **others: Any) -> Provenance:
    values = canonical_json(others.pop("values", {}))
    code = {"digest": "d", "files": {}, "commit": others.pop("commit", OLD), "dirty": others.pop("dirty", False)}
    started = (BEGAN + timedelta(hours=hour)).isoformat(timespec="milliseconds")
    fields = {"seconds": 1.5, "host": "h", "user": "me", "task_id": "", "inputs": [], "outputs": {}, **others}
    return Provenance(
        "ReportTask", version, {"date": date, "template": template, "parameters": values}, code,
        {"python": "3.11.7", "packages": {}}, started=started,
        template={"name": template, "digest": "t", "values": {}}, **fields,
    )  # fmt: skip


def paths(page: Page) -> list[str]:
    return [entry.path for entry in page.entries]


@pytest.fixture
def shop(tmp_path: Path, catalog_url: str) -> Shop:
    return Shop(tmp_path, catalog_url)


def test_reports_made_and_failed_are_listed_newest_first(shop: Shop) -> None:
    first = shop.make(hour=1)
    last = shop.make(hour=3)
    failed = shop.fail("KeyError:\n  'delay'", hour=2)
    assert shop.found() == [last, failed, first]
    assert failed == f"failed/daily/{DAY}/2026-01-01T02-00-00"


def test_an_entry_says_what_the_record_says(shop: Shop) -> None:
    by = {"by": "zoë", "request": "r1"}
    made = shop.make(hour=1, values={"carrier": "UA"}, requested=by, dirty=True, commit=None)
    failed = shop.fail("KeyError:\n  'delay'", template="weekly")
    assert shop.listing.entry(made) == Entry(
        made, "daily", DAY, "made", '{"carrier":"UA"}', digest([1]), None, True, "2026-01-01T01:00:00.000+00:00", 1.5, "zoë", None
    )  # fmt: skip
    assert shop.listing.entry(failed) == Entry(
        failed, "weekly", DAY, "failed", "{}", digest("KeyError:\n  'delay'"), OLD, False, "2026-01-01T00:00:00.000+00:00", 1.5,
        "me", "KeyError: 'delay'",
    )  # fmt: skip
    assert shop.listing.entry("ReportTask/2013-01-15/daily-0123456789abcdef") is None


FILTERS: list[tuple[dict[str, Any], str]] = [
    ({"template": "weekly"}, "b"),
    ({"template": "week"}, ""),
    ({"date": NEXT}, "b"),
    ({"commit": NEW}, "b"),
    ({"commit": "0ABD"}, "b"),
    ({"commit": "0ab"}, "cba"),
    ({"commit": "xyz"}, ""),
    ({"measure": "delay"}, "b"),
    ({"measure": "del"}, ""),
    ({"state": "failed"}, "c"),
    ({"state": "made"}, "ba"),
    ({"person": "zoë"}, "c"),
    ({"person": "me"}, "ba"),
    ({"state": "made", "person": "me", "date": DAY}, "a"),
    ({"state": "failed", "person": "me"}, ""),
    ({"template": "daily", "words": "boom"}, "c"),
    (
        {
            "template": "weekly",
            "date": NEXT,
            "commit": NEW,
            "measure": "delay",
            "state": "made",
            "person": "me",
            "words": "8",
        },
        "b",
    ),
]


def test_a_filter_finds_what_all_of_it_is_true_of(shop: Shop) -> None:
    made = {"a": shop.make(hour=1, measures={"rows": 3})}
    made["b"] = shop.make("weekly", NEXT, 2, {"delay": 8.5}, commit=NEW, values={"limit": 8})
    made["c"] = shop.fail("boom", hour=3, requested={"by": "zoë", "request": "r"})
    for wanted, expected in FILTERS:
        assert (wanted, paths(shop.listing.page(Filter(**wanted)))) == (wanted, [made[name] for name in expected])


SEARCHES = [
    "airport", "air", "AIRPORT_Delay", "delay", "2013-01-15", "2013-01", "2013", "threshold", "4.5", "4.", "threshold=4.5", "ua",
    "straße", "STRASSE", "mean", "mean departure", "departure  mean", "", "zoë", "0abc0abc0", "0abc" * 10, "a t 2", "a-long-name",
]  # fmt: skip


NOT_FOUND = ["irport", "2013-15", "delayed", "airport zzz", "4.6", "%", "_", "drop table reports", "a_b", "0abd"]


def test_a_search_finds_by_beginnings_of_words_and_nothing_else(shop: Shop) -> None:
    values = {"threshold": 4.5, "carriers": ["UA", {"of": "Straße"}], "name": "a-long-name/with.parts"}
    person = {"by": "Zoë", "request": ""}
    made = shop.make("airport_delay", DAY, 0, {"mean departure": 1}, values=values, requested=person)
    assert [words for words in SEARCHES if shop.found(words) != [made]] == []
    assert [words for words in NOT_FOUND if shop.found(words)] == []


HOSTILE = [
    "'; DROP TABLE reports; --", '<script>alert("x")</script>', "%", "_", "\\", "a\0b", "\u202e", "é" * 3000, ":moment", "?9876",
    "../../etc/passwd", "{{7*7}}", "\U0010ffff", "\xff",
]  # fmt: skip


@pytest.mark.parametrize("evil", HOSTILE)
def test_hostile_names_and_words_are_texts_like_others(shop: Shop, evil: str) -> None:
    other = shop.make(hour=1)
    failed = shop.fail(evil, hour=2, requested={"by": evil, "request": evil})
    made = shop.make(hour=3, measures={evil: 1}, values={evil: evil})
    assert shop.found() == [made, failed, other]
    assert shop.found(person=evil) == [failed]
    assert shop.found(measure=evil) == [made]
    assert shop.found(template=evil) == shop.found(date=evil) == shop.found(state=evil) == []
    assert shop.found(evil, person="me") in ([made], [])
    assert shop.found(commit=evil) == []
    assert shop.listing.latest(evil) is None
    assert shop.listing.latest("daily", evil, evil) is None
    assert shop.listing.entry(evil) is None
    assert shop.listing.series(evil, evil, evil) == []
    assert shop.listing.calendar(evil, DAY, NEXT) == {}
    assert len(shop.listing.people()) == 2
    assert len(shop.listing.measures()) == len(shop.listing.measures("daily")) == 1


def test_half_a_character_finds_nothing(shop: Shop) -> None:
    shop.make()
    half = "\ud800"
    for wanted in (
        Filter(template=half),
        Filter(person=half),
        Filter(measure=half),
        Filter(commit=half),
        Filter(words=half),
    ):
        assert paths(shop.listing.page(wanted)) == []
    assert shop.listing.entry(half) is None
    assert shop.listing.latest(half, half, half) is None
    assert shop.listing.calendar(half, half, half) == {}
    assert shop.listing.series(half, half, half) == []


@pytest.mark.parametrize(
    "cursor", ["x", "1", "1.x", ".", "-1.0", "1" * 30 + ".0", "0." + "f" * 30, "1.2.3", "\ud800", "'"]
)
def test_a_cursor_that_no_page_gave_is_refused(shop: Shop, cursor: str) -> None:
    with pytest.raises(CursorError, match="is no place in the list of reports; expected"):
        shop.listing.page(Filter(), cursor)


def _all(shop: Shop, wanted: Filter, limit: int, between: Callable[[], Any] = lambda: None) -> list[str]:
    found, after = [], None
    while True:
        page = shop.listing.page(wanted, after, limit)
        assert len(page.entries) <= limit
        found += paths(page)
        after = page.older
        if after is None:
            return found
        between()


@pytest.mark.parametrize("wanted", [Filter(), Filter(template="daily"), Filter(words="d"), Filter(words="daily 2013")])
def test_pages_follow_one_another_where_many_began_at_once(shop: Shop, wanted: Filter) -> None:
    made = {shop.make() for _ in range(20)}
    found = _all(shop, wanted, 6)
    assert len(found) == 20
    assert set(found) == made


def test_pages_neither_lose_nor_repeat_an_entry_while_others_are_added(shop: Shop) -> None:
    made = [shop.make(hour=hour) for hour in range(12)]
    found = _all(shop, Filter(), 5, lambda: shop.make(hour=shop.number))
    assert found == made[::-1]


def test_a_page_ends_the_list_exactly(shop: Shop) -> None:
    made = [shop.make(hour=hour) for hour in range(4)]
    page = shop.listing.page(Filter(), limit=4)
    assert (paths(page), page.older) == (made[::-1], None)
    assert len(shop.listing.page(Filter(), limit=0).entries) == 1


def test_a_rare_report_is_found_behind_many(shop: Shop) -> None:
    store = shop.store
    rare = shop.make("weekly", NEXT, -1, {"delay": 1})
    store.index.catalog.add(_rows(300))
    for number in range(300):
        entry = _rows(300)[number].report
        assert entry
        (shop.folder / entry.entry.path).mkdir(parents=True)
        (shop.folder / entry.entry.path / "provenance.json").touch()
        if number > 20:
            break
    assert shop.found("weekly", state="made", date=NEXT) == [rare]
    assert shop.found("delay", "weekly") == [rare]
    assert shop.found(measure="delay", person="me") == [rare]


def _rows(count: int) -> list[Any]:
    from workflows.store.catalog import Row

    records = [_record("weekly" if n % 2 else "daily", DAY if n % 2 else NEXT, digest(n), n) for n in range(count)]
    return [
        Row.of(Address("ReportTask", r.parameters["date"], r.version, r.parameters["template"]).path, r)
        for r in records
    ]


def test_what_was_deleted_by_hand_is_not_listed(shop: Shop) -> None:
    made = [shop.make(hour=hour) for hour in range(5)]
    failed = shop.fail("boom", hour=6)
    for path in (made[1], made[3], made[4], failed):
        shutil.rmtree(shop.folder / path)
    assert shop.found() == [made[2], made[0]]
    assert _all(shop, Filter(template="daily"), 1) == [made[2], made[0]]
    assert shop.listing.entry(failed) is None


def test_the_latest_is_the_newest_that_was_made_with_these_values(shop: Shop) -> None:
    listing = shop.listing
    first = shop.make(hour=1)
    second = shop.make(date=NEXT, hour=2)
    shop.fail("boom", hour=9)
    other = shop.make(hour=5, values={"limit": 4})
    shop.make("weekly", hour=8)
    assert _path(listing.latest("daily")) == second
    assert _path(listing.latest("daily", date=DAY)) == first
    assert _path(listing.latest("daily", '{"limit":4}')) == other
    assert listing.latest("daily", '{"limit":4}', NEXT) is None
    assert listing.latest("none") is None
    shutil.rmtree(shop.folder / second)
    assert _path(listing.latest("daily")) == first


def _path(entry: Entry | None) -> str | None:
    return entry.path if entry else None


def test_the_calendar_has_the_newest_of_each_date_with_the_defaults_first(shop: Shop) -> None:
    days = [f"2013-01-{day:02}" for day in range(1, 9)]
    shop.make(date=days[0], hour=1)
    newest = shop.make(date=days[1], hour=2)
    shop.make(date=days[1], hour=1)
    default = shop.make(date=days[2], hour=1)
    shop.make(date=days[2], hour=5, values={"limit": 4})
    only = shop.make(date=days[3], values={"limit": 4})
    shop.make(date=days[4], hour=1)
    failed = shop.fail("boom", date=days[4], hour=2)
    shop.make("weekly", date=days[5])
    shop.make(date=days[7])
    found = shop.listing.calendar("daily", days[1], days[6])
    assert {date: entry.path for date, entry in found.items()} == dict(
        zip(days[1:5], [newest, default, only, failed], strict=True)
    )


def test_the_calendar_has_what_is_left_of_a_date(shop: Shop) -> None:
    older = shop.make(hour=1, values={"limit": 4})
    for path in (shop.make(hour=2), shop.make(date=NEXT)):
        shutil.rmtree(shop.folder / path)
    assert {date: entry.path for date, entry in shop.listing.calendar("daily", DAY, NEXT).items()} == {DAY: older}


def test_a_series_has_a_measure_of_the_newest_report_of_each_date(shop: Shop) -> None:
    shop.make(hour=1, measures={"delay": 1})
    newest = shop.make(hour=2, measures={"rows": 2, "delay": 2.5}, commit=NEW)
    shop.make(hour=3, measures={"delay": 9}, values={"limit": 4})
    shop.make(date=NEXT, hour=1, measures={"delay": None})
    shop.fail("boom", date=NEXT, hour=5)
    shop.make(date="2013-01-17", hour=1, measures={"rows": 1})
    first, second = shop.listing.series("daily", "delay")
    assert (first.date, first.value, first.unit, first.better) == (DAY, 2.5, "min", "lower")
    assert (first.path, first.commit, first.started) == (newest, NEW, "2026-01-01T02:00:00.000+00:00")
    assert (second.date, second.value) == (NEXT, None)
    assert [point.value for point in shop.listing.series("daily", "delay", '{"limit":4}')] == [9]


def test_what_can_be_chosen_is_what_there_are_reports_of(shop: Shop) -> None:
    shop.make("weekly", measures={"rows": 1}, hour=2)
    gone = shop.make(
        "daily", measures={"delay": 1, "rows": 2}, hour=1, commit=NEW, requested={"by": "zoë", "request": ""}
    )
    listing = shop.listing
    assert listing.templates() == ["daily", "weekly"]
    assert listing.people() == ["me", "zoë"]
    assert listing.measures() == ["delay", "rows"]
    assert listing.measures("weekly") == ["rows"]
    assert listing.measures("week") == []
    assert listing.commits() == [OLD, NEW]
    assert listing.commits(1) == [OLD]
    shop.store.remove_reports([gone])
    assert (listing.templates(), listing.people(), listing.measures()) == (["weekly"], ["me"], ["rows"])
    assert listing.commits() == [OLD]


def test_what_was_known_of_a_folder_is_replaced(shop: Shop) -> None:
    made = shop.make(hour=1, measures={"delay": 1})
    shop.fail("boom")
    record = _record("daily", DAY, digest([1]), 2, commit=NEW)
    from workflows.store.catalog import Row

    shop.store.index.catalog.add([Row.of(made, record)])
    assert shop.found(commit=NEW) == [made]
    assert shop.found(template="daily", state="made") == [made]
    assert shop.found("delay") == shop.found(measure="delay") == []
    assert len(shop.found()) == 2


def test_a_catalog_filled_anew_lists_the_same(shop: Shop) -> None:
    shop.make(measures={"delay": 1}, hour=1)
    shop.fail("boom", hour=2)
    shop.make("weekly", hour=3, values={"limit": 1})
    asked = [Filter(), Filter(measure="delay"), Filter(words="boom"), Filter(words="limit")]
    before = [shop.listing.page(wanted, limit=2) for wanted in asked]
    engine = create_engine(shop.url)
    with engine.begin() as connection:
        for table in ("postings", "terms", "reports", "inputs", "artefacts"):
            connection.execute(text(f"DELETE FROM {table}"))
    engine.dispose()
    assert shop.found() == []
    assert shop.store.index.reindex().artefacts == 2
    assert [shop.listing.page(wanted, limit=2) for wanted in asked] == before


def test_a_catalog_of_before_is_put_aside_and_filled_anew(shop: Shop) -> None:
    made, failed = shop.make(hour=2), shop.fail("boom")
    engine = create_engine(shop.url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE about SET format = 1"))
        for table in ("postings", "terms", "reports"):
            connection.execute(text(f"DROP TABLE {table}"))
    engine.dispose()
    if "pysqlite" in shop.url:
        with pytest.raises(CatalogError, match="drop its tables"):
            shop.found()
    else:
        assert shop.found() == [made, failed]
        assert shop.found() == [made, failed]


def test_a_record_that_others_wrote_is_listed_as_far_as_it_can_be_read(shop: Shop) -> None:
    made = shop.make(measures={"delay": 1})
    path = shop.folder / made
    record = json.loads((path / "provenance.json").read_text())
    del record["seal"]
    record["started"] = "some time"
    record["parameters"]["parameters"] = "no JSON"
    (path / "provenance.json").write_text(json.dumps(record))
    (path / MEASURES).write_text('{"measures": [{"name": 3}]}')
    failed = shop.fail("boom", hour=-9)
    (shop.folder / failed / FAILURE).write_text("{}")
    found = shop.store.index.reindex()
    assert list(found.skipped.items()) == [(failed, "its failure.json cannot be read")]
    assert shop.found("json")[-1] == made
    assert shop.found(measure="delay") == []


def test_a_listed_report_is_found_by_its_own_terms_alone() -> None:
    one = Listed.of(f"ReportTask/{DAY}/daily-{'0' * 16}", _record("daily", DAY, "0" * 64, 0), None)
    assert one
    kinds = {kind for kind, _ in one.terms.values()}
    assert kinds == {"all", "template", "date", "state", "person", "commit", "word 3", "word 8", "word 24"}
    assert (
        Listed.of("Events/-/0", Provenance(**{**vars(_record("daily", DAY, "0" * 64, 0)), "template": None}), None)
        is None
    )
