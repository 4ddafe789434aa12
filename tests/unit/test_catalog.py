"""The catalog and what keeps it in step with its store: missing, locked, damaged, foreign, behind, written by several."""

from __future__ import annotations

import contextlib
import gc
import json
import logging
import multiprocessing
import os
import resource
import shutil
import signal
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fsspec
import pytest

from workflows.errors import CatalogError
from workflows.store import catalog, indexer
from workflows.store.address import FAILURE, MEASURES, PROVENANCE, TABLE, UNCATALOGUED, Address
from workflows.store.artefacts import Provenance, Store, described
from workflows.store.catalog import Subject
from workflows.store.indexer import Reindexed
from workflows.store.listing import Filter

DAY = "2020-01-01"
EVENTS, CLEANED, REPORT = (
    Address(task, DAY, digit * 64) for task, digit in [("Events", "e"), ("Cleaned", "c"), ("", "a")]
)
REPORT = replace(REPORT, task="ReportTask", template="small")


def record(address: Address, *inputs: Address, **others: Any) -> Provenance:
    fields: dict[str, Any] = {
        "task": address.task,
        "version": address.version,
        "parameters": {"date": address.date, "version": address.version},
        "code": {"digest": "d" * 64, "files": {}, "commit": "1234567890" * 4, "dirty": False},
        "environment": {"python": "3.11.7", "packages": {}},
        "inputs": [{"task": i.task, "date": i.date, "version": i.version, "digest": "d" * 64} for i in inputs],
        "outputs": {},
        "started": "2020-01-02T03:04:05.678+00:00",
        "seconds": 1.5,
        "host": "here",
        "user": "me",
        "task_id": "x",
        "template": {"name": address.template, "digest": "t", "values": {}} if address.template else None,
    }
    return Provenance(**{**fields, **others})


def put(store: Store, address: Address, *inputs: Address, **others: Any) -> None:
    with store.staged() as folder:
        (folder / TABLE).write_bytes(b"the table")
        made = replace(record(address, *inputs, **others), outputs=described(folder, {TABLE: 1}))
        store.publish(folder, address, made)


def fill(store: Store) -> None:
    """A report made from a stage made from a query."""
    put(store, EVENTS)
    put(store, CLEANED, EVENTS)
    put(store, REPORT, CLEANED)


def reports(store: Store, task: str = "Events") -> list[str]:
    """The paths of the reports that used a task, as a user is told of them."""
    index = store.index
    users = index.ask(lambda catalog: catalog.users(Subject(task, task=task), reports_only=True))
    return [user.path for user in users if index.is_there(user.path)]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "project" / "catalog.db"


@pytest.fixture(params=["folder", "memory"])
def fresh(request: pytest.FixtureRequest, tmp_path: Path, file: Path) -> Iterator[Callable[[], Store]]:
    """The store as a new process sees it, a folder or an object store."""
    location = str(tmp_path / "store") if request.param == "folder" else f"memory://{uuid.uuid4().hex}"
    yield lambda: Store.at(location, tmp_path / "cache", f"sqlite:///{file}")
    files, root = fsspec.core.url_to_fs(location)
    if request.param == "memory" and files.exists(root):
        files.rm(root, recursive=True)


@pytest.fixture
def opened(tmp_path: Path, file: Path) -> Callable[[], Store]:
    """The store in a folder as a new process sees it."""
    return lambda: Store.at(str(tmp_path / "store"), tmp_path / "cache", f"sqlite:///{file}")


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> pytest.LogCaptureFixture:
    """The warnings; the `luigi` command's own handler, where a test set it up, is not in the way."""
    monkeypatch.setattr(logging.getLogger("workflows"), "propagate", True)
    caplog.set_level(logging.WARNING, "workflows")
    return caplog


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog, "PATIENCE", 0.1)


def test_results_are_found_by_what_they_used(fresh: Callable[[], Store], told: Any) -> None:
    fill(fresh())
    assert reports(fresh()) == [REPORT.path]
    assert told.messages == []


def test_a_row_is_there_before_its_artefact_can_be_seen(
    opened: Callable[[], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = opened()
    seen = []

    def publish(staged: Path, name: str, is_dear: bool) -> bool:
        seen.append((store.index.catalog.has_task("ReportTask"), store.index.is_there(name)))
        raise KeyboardInterrupt

    monkeypatch.setattr(store._place, "publish", publish)
    with pytest.raises(KeyboardInterrupt):
        put(store, REPORT, EVENTS)
    assert seen == [(True, False)]
    assert reports(opened()) == []


def test_a_report_that_was_deleted_is_not_listed(opened: Callable[[], Store], tmp_path: Path) -> None:
    fill(opened())
    shutil.rmtree(tmp_path / "store" / REPORT.path)
    assert reports(opened()) == []


def test_a_report_is_listed_though_what_lies_between_was_deleted(opened: Callable[[], Store], tmp_path: Path) -> None:
    fill(opened())
    shutil.rmtree(tmp_path / "store" / CLEANED.path)
    assert reports(opened()) == [REPORT.path]


def test_a_missing_catalog_is_filled_from_the_store(
    fresh: Callable[[], Store], file: Path, told: pytest.LogCaptureFixture
) -> None:
    fill(fresh())
    file.unlink()
    assert reports(fresh()) == [REPORT.path]
    assert told.messages == [f"There is no catalog at {file}; it is filled from the store."]
    told.clear()
    assert reports(fresh()) == [REPORT.path]
    assert told.messages == []


def test_a_catalog_that_was_begun_beside_older_results_is_filled_first(
    opened: Callable[[], Store], file: Path, told: pytest.LogCaptureFixture
) -> None:
    put(opened(), EVENTS)
    put(opened(), CLEANED, EVENTS)
    file.unlink()
    put(opened(), REPORT, CLEANED)
    assert reports(opened()) == [REPORT.path]
    assert told.messages == [f"The catalog {file} was never filled; it is filled from the store."]


@pytest.mark.parametrize("content", [b"no database at all", b"", b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_catalog_is_moved_aside_and_made_anew(
    fresh: Callable[[], Store], file: Path, told: pytest.LogCaptureFixture, content: bytes
) -> None:
    fill(fresh())
    file.write_bytes(content)
    assert reports(fresh()) == [REPORT.path]
    [aside] = file.parent.glob("catalog.db.damaged-*")
    assert aside.read_bytes() == content
    [message] = told.messages
    assert str(aside) in message


def test_a_catalog_that_is_damaged_within_is_made_anew(opened: Callable[[], Store], file: Path) -> None:
    """SQLite sees it only where the question reads the damaged page."""
    fill(opened())
    data = bytearray(file.read_bytes())
    data[4096 * 2 :] = b"\xff" * (len(data) - 4096 * 2)
    file.write_bytes(data)
    assert reports(opened()) == [REPORT.path]
    assert len(list(file.parent.glob("catalog.db.damaged-*"))) == 1


def test_a_run_goes_on_with_a_damaged_catalog_and_says_so_once(
    fresh: Callable[[], Store], file: Path, told: pytest.LogCaptureFixture
) -> None:
    put(fresh(), EVENTS)
    file.write_bytes(b"no database at all")
    store = fresh()
    put(store, CLEANED, EVENTS)
    put(store, REPORT, CLEANED)
    assert len(told.messages) == 1
    assert told.messages[0].endswith("The run goes on; the next question to the catalog adds what is missing.")
    assert reports(fresh()) == [REPORT.path]


def test_a_catalog_of_another_format_is_moved_aside_and_made_anew(opened: Callable[[], Store], file: Path) -> None:
    fill(opened())
    change(file, "UPDATE about SET format = 7")
    assert reports(opened()) == [REPORT.path]
    assert len(list(file.parent.glob("catalog.db.damaged-*"))) == 1


def test_the_database_of_something_else_is_neither_written_nor_moved(
    opened: Callable[[], Store], file: Path, told: pytest.LogCaptureFixture
) -> None:
    file.parent.mkdir()
    change(file, "CREATE TABLE events (id INTEGER)")
    before = file.read_bytes()
    fill(opened())
    with pytest.raises(CatalogError, match="is a database, but no catalog; it was left as it is"):
        reports(opened())
    with pytest.raises(CatalogError, match="is a database, but no catalog"):
        opened().index.reindex()
    assert file.read_bytes() == before
    assert len(told.messages) == 1


def test_results_made_while_the_catalog_is_locked_are_added_by_the_next_question(
    fresh: Callable[[], Store], file: Path, told: pytest.LogCaptureFixture, impatient: None
) -> None:
    put(fresh(), EVENTS)
    with closing(sqlite3.connect(file)) as other:
        other.execute("BEGIN EXCLUSIVE")
        store = fresh()
        put(store, CLEANED, EVENTS)
        put(store, REPORT, CLEANED)
    assert len(told.messages) == 1
    assert "is locked by another process" in told.messages[0]
    told.clear()
    assert reports(fresh()) == [REPORT.path]
    assert told.messages == [f"The catalog {file} could not be written for 2 results; they are added."]
    told.clear()
    assert reports(fresh()) == [REPORT.path]
    assert told.messages == []


def test_the_catalog_is_tried_again_some_time_after_it_failed(
    opened: Callable[[], Store], file: Path, monkeypatch: pytest.MonkeyPatch, told: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(indexer, "_RESPITE", 0.0)
    file.mkdir(parents=True)
    store = opened()
    put(store, EVENTS)
    file.rmdir()
    put(store, CLEANED, EVENTS)
    assert len(told.messages) == 1
    assert file.is_file()


def test_a_result_that_is_marked_and_not_yet_visible_is_added(
    opened: Callable[[], Store], file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its process stands between the two, and the question must not throw the mark away."""
    fill(opened())
    store = opened()
    publish = store._place.publish

    def slowly(staged: Path, name: str, is_dear: bool) -> bool:
        file.with_name("away.db").rename(file)
        assert len(reports(opened())) == 1
        return publish(staged, name, is_dear)

    monkeypatch.setattr(store._place, "publish", slowly)
    file.rename(file.with_name("away.db"))
    file.mkdir()
    monkeypatch.setattr(store.index, "_mark", _then(store.index._mark, file.rmdir))
    put(store, replace(REPORT, version="b" * 64), CLEANED)
    assert len(reports(opened())) == 2


def _then(first: Callable[..., None], second: Callable[[], None]) -> Callable[..., None]:
    def both(*arguments: Any) -> None:
        first(*arguments)
        second()

    return both


def test_a_mark_that_cannot_be_read_is_no_hindrance(opened: Callable[[], Store], tmp_path: Path) -> None:
    fill(opened())
    store = opened()
    store.index._mark((REPORT.path, "{}", None), store.index._marks)
    [mark] = (tmp_path / "store" / UNCATALOGUED).rglob("*/*")
    mark.write_bytes(b"\xff")
    assert reports(opened()) == [REPORT.path]
    assert not mark.exists()


def test_a_folder_that_may_not_be_read_is_named(opened: Callable[[], Store], monkeypatch: pytest.MonkeyPatch) -> None:
    fill(opened())
    store = opened()
    folders = store._place.folders

    def guarded(name: str) -> list[str]:
        if name == "Cleaned":
            raise PermissionError(13, "Permission denied")
        return folders(name)

    monkeypatch.setattr(store._place, "folders", guarded)
    assert store.index.reindex() == Reindexed(2, {"Cleaned": "Permission denied"})


def test_a_question_to_a_locked_catalog_says_so(opened: Callable[[], Store], file: Path, impatient: None) -> None:
    fill(opened())
    with closing(sqlite3.connect(file)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(CatalogError, match=r"is locked by another process, 0\.1 s were waited"):
            reports(opened())


def test_a_catalog_whose_folder_cannot_be_made_fails_no_run(
    opened: Callable[[], Store], file: Path, told: pytest.LogCaptureFixture
) -> None:
    file.parent.write_text("a file where the folder should be")
    fill(opened())
    assert len(told.messages) == 1
    with pytest.raises(CatalogError, match="cannot be read or written"):
        reports(opened())
    file.parent.unlink()
    assert reports(opened()) == [REPORT.path]


def test_what_was_written_into_a_file_that_was_taken_away_is_not_lost(
    opened: Callable[[], Store], file: Path, monkeypatch: pytest.MonkeyPatch, told: pytest.LogCaptureFixture
) -> None:
    fill(opened())
    store = opened()
    add = catalog._about

    def taken_away(session: Any) -> Any:
        found = add(session)
        file.rename(file.with_name("elsewhere.db"))
        return found

    monkeypatch.setattr(catalog, "_about", taken_away)
    other = replace(REPORT, version="b" * 64)
    put(store, other, CLEANED)
    monkeypatch.undo()
    assert sorted(reports(opened())) == [REPORT.path, other.path]


def test_reindex_finds_artefacts_that_were_copied_by_hand(opened: Callable[[], Store], tmp_path: Path) -> None:
    fill(opened())
    there = Store.at(str(tmp_path / "other"), tmp_path / "cache", f"sqlite:///{tmp_path}/other.db")
    put(there, replace(REPORT, version="b" * 64), CLEANED)
    shutil.copytree(tmp_path / "other", tmp_path / "store", dirs_exist_ok=True)
    assert len(reports(opened())) == 1
    assert opened().index.reindex() == Reindexed(4)
    assert len(reports(opened())) == 2


def test_reindex_passes_by_what_is_no_artefact(fresh: Callable[[], Store]) -> None:
    store = fresh()
    fill(store)
    store.code.keep({"digest": "d" * 64, "sources": {}}, {})
    with store.staged() as folder:
        (folder / PROVENANCE).write_text("{}")
        store.failures.keep(folder, "small", DAY, datetime.now(UTC))
    store._place.put(f"plans/2020/{'a' * 16}/{PROVENANCE}", b"{}")
    store._place.put(f"observed/2020/{'a' * 16}/{PROVENANCE}", b"{}")
    store._place.put(f"Events/{DAY}/notes/{PROVENANCE}", b"{}")
    store._place.move(CLEANED.path, f"damaged/{CLEANED.path}-then")
    assert fresh().index.reindex() == Reindexed(2)


def unsealed(text: str, **others: Any) -> str:
    record = json.loads(text)
    del record["seal"]
    return json.dumps({**record, **others})


UNREADABLE = [
    (lambda text: text[:100], "its provenance.json cannot be read"),
    (lambda text: "[]", "its provenance.json cannot be read"),
    (lambda text: text.replace('"format": 1', '"format": 9'), "has provenance of format 9, not 1"),
    (lambda text: text.replace("c" * 64, "b" * 64), "its provenance.json is not what was written"),
    (lambda text: text.replace('"user": "me"', '"user": "you"'), "its provenance.json is not what was written"),
    (lambda text: unsealed(text, seconds="soon"), "its provenance.json cannot be read"),
]


@pytest.mark.parametrize(("change", "why"), UNREADABLE)
def test_reindex_names_the_records_that_it_cannot_read(
    opened: Callable[[], Store], tmp_path: Path, change: Callable[[str], str], why: str
) -> None:
    fill(opened())
    path = tmp_path / "store" / CLEANED.path / PROVENANCE
    wrong = change(path.read_text())
    path.write_text(wrong)
    assert opened().index.reindex() == Reindexed(2, {CLEANED.path: why})
    assert path.read_text() == wrong


def test_reindex_moves_a_damaged_catalog_aside(opened: Callable[[], Store], file: Path) -> None:
    fill(opened())
    file.write_bytes(b"no database at all")
    found = opened().index.reindex()
    assert found.aside
    assert Path(found.aside).read_bytes() == b"no database at all"
    assert reports(opened()) == [REPORT.path]


def test_reindex_says_how_far_it_is(opened: Callable[[], Store]) -> None:
    fill(opened())
    steps: list[tuple[int, int]] = []
    opened().index.reindex(lambda done, of: steps.append((done, of)))
    assert steps == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_a_result_that_is_published_during_a_reindex_is_not_lost(opened: Callable[[], Store], file: Path) -> None:
    fill(opened())
    file.unlink()
    late = Address("Aaa", DAY, "b" * 64)

    def step(done: int, of: int) -> None:
        if done == of:
            put(opened(), late)

    opened().index.reindex(step)
    assert opened().index.ask(lambda catalog: catalog.has_task("Aaa"))


def _with_measures(store: Store, measure: str) -> None:
    row = {"name": measure, "value": 1, "unit": "1", "better": None}
    with store.staged() as folder:
        (folder / TABLE).write_bytes(b"the table")
        (folder / MEASURES).write_text(json.dumps({"format": 1, "measures": [row]}))
        made = replace(record(REPORT), outputs=described(folder, {TABLE: 1, MEASURES: None}))
        store.publish(folder, REPORT, made)


def test_a_report_made_while_the_catalog_is_locked_is_found_by_its_measures(
    fresh: Callable[[], Store], file: Path, impatient: None
) -> None:
    put(fresh(), EVENTS)
    with closing(sqlite3.connect(file)) as other:
        other.execute("BEGIN EXCLUSIVE")
        _with_measures(fresh(), "delay")
    assert [entry.path for entry in fresh().listing.page(Filter(measure="delay")).entries] == [REPORT.path]


def test_a_report_whose_row_was_journalled_is_found_by_its_measures(opened: Callable[[], Store], rushed: None) -> None:
    store = opened()
    put(store, EVENTS)
    _with_measures(store, "delay")
    assert [entry.path for entry in opened().listing.page(Filter(measure="delay")).entries] == [REPORT.path]


def test_a_failed_report_has_its_row_before_it_can_be_seen(
    opened: Callable[[], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    store = opened()
    seen: list[int] = []

    def publish(staged: Path, name: str, **_: str) -> bool:
        with store.index.catalog.reading() as session:
            seen.append(len(session.run("values", {"kind": "state", "first": b"", "last": b"z"})))
        raise KeyboardInterrupt

    monkeypatch.setattr(store._place, "publish", publish)
    failure = {"cell": 1, "of": 1, "reason": "boom", "line": ""}
    with store.staged() as folder:
        (folder / FAILURE).write_text(record(REPORT, failure=failure).to_json())
        with pytest.raises(KeyboardInterrupt):
            store.failures.keep(folder, "small", DAY, datetime.now(UTC))
    assert seen == [1]
    assert opened().listing.page(Filter()).entries == ()


def test_a_record_with_half_characters_has_its_row(opened: Callable[[], Store], tmp_path: Path) -> None:
    fill(opened())
    path = tmp_path / "store" / EVENTS.path / PROVENANCE
    path.write_text(unsealed(path.read_text(), user="Zo\udc80\x00"))
    assert opened().index.reindex() == Reindexed(3)


def test_a_result_made_twice_at_once_has_the_row_of_its_record(opened: Callable[[], Store]) -> None:
    put(opened(), REPORT, CLEANED, started="2020-01-01T00:00:00+00:00")
    put(opened(), REPORT, CLEANED, started="2020-09-09T00:00:00+00:00")
    [user] = opened().index.ask(lambda catalog: catalog.users(Subject("Cleaned", task="Cleaned"), reports_only=True))
    assert user.started == "2020-01-01T00:00:00+00:00"


@pytest.fixture
def stranger(tmp_path: Path, file: Path) -> Callable[[], Store]:
    """Another store under the same catalog, as a new process sees it."""
    return lambda: Store.at(str(tmp_path / "other"), tmp_path / "cache", f"sqlite:///{file}")


def test_the_catalog_of_another_store_answers_nothing_and_says_what_to_name(
    opened: Callable[[], Store], stranger: Callable[[], Store], tmp_path: Path, file: Path
) -> None:
    fill(opened())
    expected = (
        f"the catalog {file} is that of the store {tmp_path}/store, not of {tmp_path}/other; it was left as it is. Name "
        "another in PARCOURS_CATALOG, or in luigi.cfg, [workflows] catalog: it is filled from the store."
    )
    for ask in (lambda: reports(stranger()), lambda: stranger().index.reindex()):
        with pytest.raises(CatalogError) as raised:
            ask()
        assert str(raised.value) == expected
    assert reports(opened()) == [REPORT.path]


def test_a_run_goes_on_with_the_catalog_of_another_store_and_its_rows_are_added_to_its_own(
    opened: Callable[[], Store], stranger: Callable[[], Store], tmp_path: Path, told: pytest.LogCaptureFixture
) -> None:
    own = lambda: Store.at(str(tmp_path / "other"), tmp_path / "cache", f"sqlite:///{tmp_path}/own.db")  # noqa: E731
    fill(opened())
    put(own(), EVENTS)
    store = stranger()
    put(store, CLEANED, EVENTS)
    put(store, REPORT, CLEANED)
    assert len(told.messages) == 1
    assert told.messages[0].endswith(
        "The run goes on; the next question to a catalog of this store adds what is missing."
    )
    assert reports(own()) == [REPORT.path]
    assert not list((tmp_path / "other" / UNCATALOGUED).rglob("*/*"))


def test_a_store_that_is_renamed_with_its_catalog_goes_on_working(opened: Callable[[], Store], tmp_path: Path) -> None:
    def at(folder: Path) -> Store:
        return Store.at(str(folder / "store"), tmp_path / "cache", f"sqlite:///{folder}/data/catalog.db")

    fill(at(tmp_path / "a"))
    (tmp_path / "a").rename(tmp_path / "b")
    put(at(tmp_path / "b"), replace(REPORT, version="b" * 64), CLEANED)
    assert len(reports(at(tmp_path / "b"))) == 2


def test_a_catalog_that_is_moved_alone_is_that_of_its_store(
    opened: Callable[[], Store], tmp_path: Path, file: Path
) -> None:
    fill(opened())
    file.rename(tmp_path / "moved.db")
    assert reports(Store.at(str(tmp_path / "store"), tmp_path / "cache", f"sqlite:///{tmp_path}/moved.db")) == [
        REPORT.path
    ]


def test_a_store_under_another_name_is_the_same(opened: Callable[[], Store], tmp_path: Path, file: Path) -> None:
    fill(opened())
    (tmp_path / "link").symlink_to(tmp_path / "store")
    assert reports(Store.at(str(tmp_path / "link"), tmp_path / "cache", f"sqlite:///{file}")) == [REPORT.path]


def test_a_catalog_without_a_store_becomes_that_of_the_first_that_writes(
    opened: Callable[[], Store], stranger: Callable[[], Store], file: Path
) -> None:
    """Releases before wrote none."""
    fill(opened())
    change(file, "ALTER TABLE about DROP COLUMN store")
    change(file, "ALTER TABLE about DROP COLUMN beside")
    assert reports(opened()) == [REPORT.path]
    put(opened(), replace(REPORT, version="b" * 64), CLEANED)
    assert len(reports(opened())) == 2
    with pytest.raises(CatalogError, match="is that of the store"):
        reports(stranger())


def _publish_many(store: Callable[[], Store], number: int, count: int) -> None:
    opened = store()
    for n in range(count):
        put(opened, replace(REPORT, version=f"{number:08x}{n:08x}" + "0" * 48), CLEANED)


@pytest.mark.parametrize("shares_the_store", [False, True])
def test_several_processes_write_at_once(
    opened: Callable[[], Store], tmp_path: Path, told: pytest.LogCaptureFixture, shares_the_store: bool
) -> None:
    """Each with a store of its own, or forked with one that was used already, while two others reindex."""
    store = opened()
    put(store, CLEANED)
    context = multiprocessing.get_context("fork")
    give = (lambda: store) if shares_the_store else opened
    writers = [context.Process(target=_publish_many, args=(give, n, 25)) for n in range(4)]
    walkers = [context.Process(target=opened().index.reindex) for _ in range(2)]
    for process in [*writers, *walkers]:
        process.start()
    for process in [*writers, *walkers]:
        process.join()
        assert process.exitcode == 0
    assert len(reports(opened(), "Cleaned")) == 100
    assert not list((tmp_path / "store" / UNCATALOGUED).rglob("*/*"))


def test_several_processes_make_the_catalog_at_once(opened: Callable[[], Store], file: Path, tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_publish_many, args=(opened, n, 3)) for n in range(6)]
    for process in writers:
        process.start()
    for process in writers:
        process.join()
    assert len(reports(opened(), "Cleaned")) == 18
    assert sorted(path.name for path in file.parent.iterdir()) == ["catalog.db"]
    assert not list((tmp_path / "store" / UNCATALOGUED).rglob("*/*"))


def test_the_catalog_holds_what_the_record_says(opened: Callable[[], Store], file: Path) -> None:
    source = {"database": "d", "query": "q", "fingerprint": "f" * 64, "rows": 1}
    put(opened(), EVENTS, source=source, parameters={"date": DAY, "kind": "ä"})
    with closing(sqlite3.connect(file)) as connection:
        connection.row_factory = sqlite3.Row
        [row] = [dict(row) for row in connection.execute("SELECT * FROM artefacts")]
    assert json.loads(row.pop("parameters")) == {"date": DAY, "kind": "ä"}
    assert row == {
        "path": EVENTS.path, "task": "Events", "date": DAY, "template": None, "version": "e" * 64,
        "id": int("e" * 16, 16) - 2**63, "commit_id": "1234567890" * 4, "dirty": 0, "code": "d" * 64,
        "started": "2020-01-02T03:04:05.678+00:00", "seconds": 1.5, "host": "here", "username": "me",
        "reused_from": None, "rows": 1, "fingerprint": "f" * 64,
    }  # fmt: skip


def change(file: Path, statement: str) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(statement)


@pytest.mark.parametrize("room", range(0, 160, 8))
def test_a_catalog_for_which_there_is_too_little_room_is_none_at_all(tmp_path: Path, room: int) -> None:
    file = tmp_path / "of" / "catalog.db"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room * 1024, limits[1]))
    try:
        with contextlib.suppress(CatalogError):
            catalog.Catalog(f"sqlite:///{file}").create(complete=True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [path.name for path in file.parent.iterdir()] == ([file.name] if file.exists() else [])
    assert not file.exists() or catalog.Catalog(f"sqlite:///{file}").is_complete()


@pytest.fixture
def rushed(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow the machine is."""
    monkeypatch.setattr(indexer, "_RUSH", 60.0)


def _numbered(number: int) -> Address:
    return replace(EVENTS, version=f"{number:016x}" + "0" * 48)


def _known(store: Store, file: Path) -> int:
    """How many results the catalog has once it was asked anything."""
    store.index.ask(lambda _: None)
    return _in(file)


def _in(file: Path) -> int:
    with closing(sqlite3.connect(file)) as connection:
        [count] = connection.execute("SELECT count(*) FROM artefacts").fetchone()
    return int(count)


def _journals(place: Path) -> list[Path]:
    return [path for path in (place / "store" / UNCATALOGUED).rglob("*.rows") if path.stat().st_size]


@pytest.mark.usefixtures("rushed")
def test_results_that_come_in_a_rush_are_journalled_and_found(
    opened: Callable[[], Store], file: Path, tmp_path: Path, told: Any
) -> None:
    """Also while their process goes on, whose next ones are found in their turn."""
    store = opened()
    for number in range(3):
        put(store, _numbered(number))
    assert _journals(tmp_path)
    assert _known(opened(), file) == 3
    assert not _journals(tmp_path)
    for number in range(3, 5):
        put(store, _numbered(number))
    assert _known(opened(), file) == 5
    assert told.records == []


@pytest.mark.usefixtures("rushed")
def test_what_was_journalled_is_added_at_the_end(opened: Callable[[], Store], file: Path, tmp_path: Path) -> None:
    store = opened()
    for number in range(3):
        put(store, _numbered(number))
    del store
    gc.collect()
    assert not _journals(tmp_path)
    assert _in(file) == 3


@pytest.mark.usefixtures("rushed")
def test_a_process_that_is_killed_in_a_rush_loses_no_row(opened: Callable[[], Store], file: Path, told: Any) -> None:
    def make() -> None:
        store = opened()
        for number in range(20):
            put(store, _numbered(number))
        os.kill(os.getpid(), signal.SIGKILL)

    process = multiprocessing.get_context("fork").Process(target=make)
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert _in(file) < 20
    assert _known(opened(), file) == 20
    assert told.records == []


@pytest.mark.usefixtures("rushed")
def test_half_a_line_of_a_journal_is_left_out(opened: Callable[[], Store], file: Path, tmp_path: Path) -> None:
    store = opened()
    for number in range(3):
        put(store, _numbered(number))
    [journal] = _journals(tmp_path)
    with journal.open("a") as lines:
        lines.write('["Events/2020-01')
    assert _known(opened(), file) == 3
