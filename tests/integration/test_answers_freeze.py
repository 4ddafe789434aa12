"""What the database answers, frozen: a dataset in its place gives the same versions and bytes, whatever became of it."""

from __future__ import annotations

import datetime
import decimal
import json
import math
import uuid
import zoneinfo
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from workflows.answers import datasets as answers
from workflows.answers.check import check
from workflows.answers.freeze import freeze
from workflows.data.frozen import Frozen
from workflows.data.kept import kept_answer, kept_bytes
from workflows.data.rows import Rows, fingerprint
from workflows.data.spelled import read, spelled
from workflows.errors import DamagedDataset, DatasetError, ParameterError, StoreError
from workflows.store.artefacts import Store
from workflows.tasks.project import current

pytestmark = pytest.mark.integration

DAY, NEXT = datetime.date(2020, 1, 1), datetime.date(2020, 1, 2)
DAYS = [DAY, NEXT]
CLEANED = """
class Cleaned(Stage):
    date = luigi.DateParameter()

    def requires(self):
        return [Events(date=day) for day in Events.available(datetime.date(2020, 1, 1), self.date)]

    def compute(self, events):
        return pd.concat(events)
"""


def frozen(name: str = "kept", queries: str = "Events", days: list[datetime.date] | None = None, **more: str) -> Any:
    return freeze(name, queries, days or DAYS, more.get("note", ""), more.get("parameters", "{}"))


@pytest.fixture
def using(pipeline: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Enters the project anew with a dataset in place of the database, and another store if one is named."""

    def use(source: str, name: str | None = "kept", store: str | None = None) -> Any:
        monkeypatch.setenv("PARCOURS_DATASET", name or "none")
        if store:
            monkeypatch.setenv("PARCOURS_STORE", store)
            monkeypatch.setenv("PARCOURS_CATALOG", f"sqlite:///{store}.db")
        return pipeline.load(source)

    return use


def source(pipeline: Any, task: Any) -> dict[str, Any]:
    return dict(json.loads((pipeline.files(task) / "provenance.json").read_text())["source"])


def carried(pipeline: Any, name: str = "kept") -> None:
    """Ship a dataset with the project, as it is for a store that lacks it."""
    (pipeline.folder / "templates" / "datasets").mkdir(exist_ok=True)
    answers.export(name, pipeline.folder / "templates" / "datasets" / f"{name}.parcours")


def test_a_result_from_the_dataset_has_the_version_and_the_bytes_of_one_from_the_database(
    pipeline: Any, using: Callable[..., Any]
) -> None:
    live = pipeline.load(CLEANED).Cleaned(date=NEXT)
    assert pipeline.build(live)
    bytes_of = (pipeline.files(live) / "table.parquet").read_bytes()
    frozen()
    carried(pipeline)
    same = using(CLEANED, store="elsewhere").Cleaned(date=NEXT)
    assert same.version == live.version
    assert not same.complete()
    assert pipeline.build(same)
    assert (pipeline.files(same) / "table.parquet").read_bytes() == bytes_of
    assert source(pipeline, same.deps()[0])["database"] == "dataset:kept"


def test_the_database_moves_and_the_dataset_does_not(pipeline: Any, using: Callable[..., Any]) -> None:
    before = pipeline.load("").Events(date=DAY).version
    frozen()
    pipeline.change("UPDATE events SET value = 9")
    assert pipeline.again().Events(date=DAY).version != before
    task = using("").Events(date=DAY)
    assert task.version == before
    assert pipeline.build(task)
    assert task.rows_now()["value"].tolist() == [1.0, 2.5]
    (pipeline.folder / "acme.db").unlink()
    assert pipeline.again().Events(date=NEXT).version


def test_dates_are_those_of_the_database_then(pipeline: Any, using: Callable[..., Any]) -> None:
    pipeline.load("")
    frozen(days=[DAY])
    pipeline.change("DELETE FROM events")
    events = using("").Events
    assert events.available(DAY, datetime.date(2021, 1, 1)) == DAYS
    assert events.last_date() == NEXT


def test_a_date_that_was_not_frozen_is_said_with_those_that_were(pipeline: Any, using: Callable[..., Any]) -> None:
    pipeline.load("")
    frozen(days=[DAY])
    with pytest.raises(
        DatasetError, match=r"dataset 'kept' has no Events for date 2020-01-02; it has Events of 2020-01-01\..*NAME2"
    ):
        using(CLEANED).Events(date=NEXT)


def test_a_statement_that_was_edited_is_not_in_the_dataset(pipeline: Any, using: Callable[..., Any]) -> None:
    edited = "\nclass Events(Events):\n    sql = 'SELECT id FROM events WHERE date = :date'\n    dates = None"
    pipeline.load("")
    frozen()
    with pytest.raises(
        DatasetError, match=r"dataset 'kept' has no answers to sql of .*Events.* as it is written now.*NAME2"
    ):
        using(edited).Events(date=DAY)


def test_comments_and_layout_of_a_statement_do_not_matter(pipeline: Any, using: Callable[..., Any]) -> None:
    query = "class Kinds(Query):\n    date = luigi.DateParameter()\n    sql = '''{}'''"
    pipeline.load(query.format("SELECT kind FROM events WHERE date = :date"))
    frozen(queries="Kinds")
    task = using(query.format("SELECT kind -- its kind\n  FROM events\n WHERE date = :date")).Kinds(date=DAY)
    assert pipeline.build(task)


def test_check_says_which_statement_the_dataset_lacks(pipeline: Any, using: Callable[..., Any]) -> None:
    pipeline.load("")
    frozen(days=[DAY])
    using(CLEANED + "\nclass Other(Query):\n    date = luigi.DateParameter()\n    sql = 'SELECT 1'")
    found = {one.name: one.error for one in check([]).found}
    assert (found["Events"], found["Cleaned"]) == (None, None)
    assert "dataset 'kept' has no answers to sql of Other" in str(found["Other"])


PROBED = """
class Counted(Query):
    date = luigi.DateParameter()
    kind = luigi.Parameter(default="a")
    sql = "SELECT id, value FROM events WHERE date = :date AND kind = :kind"
    probe = "SELECT count(*) AS n, max(value) AS m FROM events WHERE date = :date"
"""


def test_a_probe_is_frozen_with_the_rows(pipeline: Any, using: Callable[..., Any]) -> None:
    live = pipeline.load(PROBED).Counted(date=DAY).version
    frozen(queries="Counted")
    task = using(PROBED).Counted(date=DAY)
    assert task.version == live
    assert pipeline.build(task)


def test_parameters_have_their_defaults_or_the_values_that_are_given(pipeline: Any, using: Callable[..., Any]) -> None:
    pipeline.load(PROBED)
    made = frozen(queries="Counted", parameters='{"kind": "b"}')
    assert made.left_out == {"Counted": ["2020-01-02"]}
    assert made.dataset.description.parameters == {"Counted": {"kind": "b"}}
    counted = using(PROBED).Counted
    assert pipeline.build(counted(date=DAY, kind="b"))
    task = counted(date=DAY)
    with pytest.raises(DatasetError, match="has no Counted for date 2020-01-01, kind a"):
        task.run()


NEEDY = PROBED.replace('(default="a")', "()").replace("AND kind = :kind", "AND kind = :kind ORDER BY id")
WRONG = [
    ({"queries": "Evnts"}, "there is no query 'Evnts' to freeze. Queries: Counted, Events. Did you mean 'Events'?"),
    ({"queries": "Cleaned"}, "there is no query 'Cleaned' to freeze"),
    ({"queries": ","}, "there is no query ',' to freeze"),
    ({"queries": "Counted"}, "Counted needs a value for 'kind' to be frozen, none is given; expected --parameters"),
    ({"parameters": '{"kind": "a"}'}, "--parameters names 'kind', which no query to freeze has"),
    ({"parameters": '{"date": "2020-01-01"}'}, "--parameters names 'date', which no query to freeze has"),
    ({"name": "../up"}, "'../up' is no name for a dataset"),
    ({"days": [datetime.date(2021, 1, 1)]}, "Events have no data 2021-01-01; expected dates with data."),
]


@pytest.mark.parametrize(("given", "said"), WRONG)
def test_what_cannot_be_frozen_is_refused_and_leaves_nothing(pipeline: Any, given: Any, said: str) -> None:
    pipeline.load(CLEANED + NEEDY)
    with pytest.raises(DatasetError) as caught:
        frozen(**given)
    assert said in str(caught.value)
    assert caught.value.exit_code == 2
    assert not (pipeline.store / "datasets").exists()
    assert list((pipeline.store / ".staging").glob("*")) == []


def test_parameters_that_are_no_json_are_refused(pipeline: Any) -> None:
    pipeline.load("")
    with pytest.raises(ParameterError):
        frozen(parameters="{")


def test_dates_without_data_are_left_out_and_said(pipeline: Any) -> None:
    pipeline.load("")
    made = frozen(days=[*DAYS, datetime.date(2020, 1, 3)])
    assert made.left_out == {"Events": ["2020-01-03"]}
    assert "  left out, without data: Events of 2020-01-03" in made.lines()
    assert made.dataset.description.dates("Events") == ["2020-01-01", "2020-01-02"]


def test_an_empty_result_that_is_a_result_is_frozen(pipeline: Any, using: Callable[..., Any]) -> None:
    source = "class Maybe(Query):\n    date = luigi.DateParameter()\n    allow_empty = True\n    sql = 'SELECT id FROM events WHERE date = :date'"
    live = pipeline.load(source).Maybe(date=datetime.date(2020, 1, 3)).version
    frozen(queries="Maybe", days=[DAY, datetime.date(2020, 1, 3)])
    task = using(source).Maybe(date=datetime.date(2020, 1, 3))
    assert task.version == live
    assert pipeline.build(task)


def test_a_query_without_a_date_is_frozen_once(pipeline: Any, using: Callable[..., Any]) -> None:
    source = "class Kinds(Query):\n    sql = 'SELECT DISTINCT kind FROM events'"
    live = pipeline.load(source).Kinds().version
    frozen(queries="Kinds")
    task = using(source).Kinds()
    assert task.version == live
    assert pipeline.build(task)


def test_a_name_is_not_frozen_twice(pipeline: Any) -> None:
    pipeline.load("")
    first = frozen().dataset.digest
    pipeline.change("UPDATE events SET value = 9")
    with pytest.raises(DatasetError, match="has a dataset 'kept' already"):
        frozen()
    assert current().store.datasets.find("kept").digest == first


def test_rows_that_change_while_they_are_frozen_are_not_stored(pipeline: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline.load("")
    from workflows.answers import freeze as module

    ask = module._Freezing.ask

    def moved(self: Any, one: Any, values: Any) -> None:
        ask(self, one, values)
        pipeline.change("UPDATE events SET value = value + 1")

    monkeypatch.setattr(module._Freezing, "ask", moved)
    with pytest.raises(DatasetError, match="Events for date 2020-01-01 changed in the database while it was frozen"):
        frozen()
    assert current().store.datasets.names() == []


def test_a_disk_that_is_full_while_freezing_leaves_nothing(pipeline: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline.load("")

    def full(self: Any, name: str, data: bytes) -> str:
        (self.folder / name).symlink_to("/dev/full")
        (self.folder / name).write_bytes(data)
        return ""

    monkeypatch.setattr("workflows.store.datasets.Draft.write", full)
    with pytest.raises(StoreError, match="No space left on device"):
        frozen()
    assert current().store.datasets.names() == []
    assert list((pipeline.store / ".staging").glob("*")) == []


def test_a_new_dataset_is_frozen_from_the_database_also_while_another_stands_for_it(
    pipeline: Any, using: Callable[..., Any]
) -> None:
    pipeline.load("")
    frozen(days=[DAY])
    pipeline.change("UPDATE events SET value = 9 WHERE id = 3")
    using("")
    frozen("second", days=[NEXT])
    dataset = current().store.datasets.find("second")
    [answer] = dataset.description.answers("Events")
    assert kept_answer(dataset.read(answer)) == Rows(("id", "kind", "value"), [(3, "a", 9.0)])


def test_a_damaged_table_fails_the_query_with_the_file_and_the_remedy(pipeline: Any, using: Callable[..., Any]) -> None:
    pipeline.load("")
    frozen()
    table = pipeline.store / "datasets" / "kept" / "Events-2020-01-01.parquet"
    table.write_bytes(table.read_bytes()[:-1] + b"x")
    task = using("").Events(date=DAY)
    with pytest.raises(
        DamagedDataset, match=r"dataset 'kept' is damaged: .*Events-2020-01-01\.parquet is .*recorded was"
    ):
        task.run()
    assert pipeline.artefacts("Events") == []
    [listed] = answers.datasets().found
    assert listed.error is None


def test_a_damaged_record_is_in_the_list_and_does_not_hide_the_others(pipeline: Any) -> None:
    pipeline.load("")
    frozen("a")
    frozen("b")
    (pipeline.store / "datasets" / "a" / "dataset.json").write_text("{")
    found = answers.datasets()
    assert found.exit_code == 1
    assert [(one.name, one.error is None) for one in found.found] == [("a", False), ("b", True)]


def test_a_settled_result_of_a_dataset_does_not_stand_for_that_of_the_database(
    pipeline: Any, using: Callable[..., Any]
) -> None:
    settling = "class Settled(Events):\n    settles_after = 1"
    pipeline.load(settling)
    frozen(queries="Settled")
    pipeline.change("UPDATE events SET value = 9")
    old = using(settling).Settled(date=DAY)
    assert pipeline.build(old)
    assert using(settling, None).Settled(date=DAY).version != old.version


def test_a_settled_result_of_the_database_does_not_stand_for_that_of_a_dataset(
    pipeline: Any, using: Callable[..., Any]
) -> None:
    settling = "class Settled(Events):\n    settles_after = 1"
    live = pipeline.load(settling).Settled(date=DAY)
    assert pipeline.build(live)
    pipeline.change("UPDATE events SET value = 9")
    frozen(queries="Settled")
    assert using(settling).Settled(date=DAY).version != live.version


def test_a_dataset_says_where_it_is_from(pipeline: Any) -> None:
    pipeline.load("")
    made = frozen(note="  why \n this ")
    found = made.dataset.description
    assert (found.database, found.note, found.name) == ("acme.db", "why this", "kept")
    assert made.as_json()["queries"] == {"Events": ["2020-01-01", "2020-01-02"]}
    assert made.as_json()["rows"] == 3


def test_an_object_store_keeps_datasets_too(
    pipeline: Any, using: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARCOURS_STORE", f"memory://{uuid.uuid4().hex}")
    live = pipeline.load("").Events(date=DAY).version
    frozen()
    task = using("").Events(date=DAY)
    assert task.version == live
    assert isinstance(current().database, Frozen)
    assert pipeline.build(task)


VALUES = [
    None, True, 1, -1, 2**70, 0.1, -0.0, math.inf, math.nan, "", "é", "\ud800", b"", b"\0\xff", bytearray(b"x"),
    datetime.date(2020, 1, 1), datetime.datetime(2020, 1, 1, 2, 3, 4, 5),
    datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC),
    datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone(datetime.timedelta(hours=5, minutes=30))),
    datetime.datetime(2013, 11, 3, 1, 30, fold=1, tzinfo=zoneinfo.ZoneInfo("America/New_York")),
    datetime.time(1, 2, 3, 4), datetime.timedelta(-1, 2, 3), decimal.Decimal("1.00"), decimal.Decimal("NaN"),
    uuid.UUID(int=7), [1, [None, b"x"]], (1, "a"), {"a": decimal.Decimal("0.1"), "b": {}}, {}, [],
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_every_value_comes_back_as_it_was(value: Any) -> None:
    back = read(json.loads(json.dumps(spelled(value))))
    assert (type(back), repr(back)) == (type(value), repr(value))
    if not isinstance(value, datetime.datetime) or not value.fold:
        alone, mixed, missing = [(value,)], [(value,), ("text",), (2,)], [(None,), (value,)]
        for rows in (alone, mixed, missing):
            found = Rows(("a",), rows)
            again = kept_answer(kept_bytes("Events", found))
            assert isinstance(again, Rows)
            assert fingerprint(again) == fingerprint(found)


@pytest.mark.parametrize("found", [Rows(("a", "a"), [(1, "x"), (2, None)]), Rows(("a", "b"), []), Rows((), [])])
def test_tables_of_every_shape_come_back_as_they_were(found: Rows) -> None:
    assert kept_answer(kept_bytes("Events", found)) == found


def test_an_arrow_table_comes_back_as_it_was() -> None:
    import pandas as pd
    import pyarrow as pa

    times = pd.to_datetime(["2020-01-01", None]).tz_localize("America/New_York").as_unit("us")
    frame = pd.DataFrame({"n": [1, 2], "t": times, "s": ["a", None], "none": [None, None]})
    table = pa.Table.from_pandas(frame)
    back = kept_answer(kept_bytes("Events", table))
    assert isinstance(back, pa.Table)
    assert back.equals(table, check_metadata=True)


def test_a_value_that_cannot_be_kept_is_refused() -> None:
    with pytest.raises(DatasetError, match="Events: column 'a' has a value of type Path, which a dataset cannot keep"):
        kept_bytes("Events", Rows(("a",), [(type("Path", (), {})(),)]))


def test_an_empty_store_has_no_datasets(tmp_path: Path) -> None:
    assert Store.at(str(tmp_path / "store"), tmp_path).datasets.names() == []


POSTGRES = """
class Many(Query):
    date = luigi.DateParameter()
    sql = '''SELECT n, n::real / 3 AS part, 'text ' || n AS label, :date + n::int % 9 AS day, now_at, NULL AS nothing
             FROM generate_series(1, {rows}) AS n, (SELECT timestamptz '2013-11-03 05:30+00' AS now_at) AS t ORDER BY n'''

class Odd(Query):
    date = luigi.DateParameter()
    sql = '''SELECT 1.50::numeric AS money, interval '1 day 2 seconds' AS span, '\\\\x00ff'::bytea AS raw, time '01:02' AS at,
             ARRAY[1, NULL] AS list, :date AS day, 'NaN'::float8 AS nan'''
"""


@pytest.mark.parametrize(("query", "rows"), [("Many", 20), ("Many", 12_000), ("Odd", 1)])
def test_postgresql_is_frozen_as_exactly(
    pipeline: Any, using: Callable[..., Any], postgres: Callable[[str], str], monkeypatch: pytest.MonkeyPatch,
    query: str, rows: int,
) -> None:  # fmt: skip
    source = POSTGRES.replace("{rows}", str(rows))
    monkeypatch.setenv("PARCOURS_DATABASE", postgres(f"frozen_{query.lower()}_{rows}"))
    live = getattr(pipeline.load(source), query)(date=DAY)
    assert pipeline.build(live)
    bytes_of = (pipeline.files(live) / "table.parquet").read_bytes()
    frozen(queries=query)
    carried(pipeline)
    monkeypatch.setenv("PARCOURS_DATABASE", "sqlite:///none.db")
    same = getattr(using(source, store="elsewhere"), query)(date=DAY)
    assert same.version == live.version
    assert pipeline.build(same)
    assert (pipeline.files(same) / "table.parquet").read_bytes() == bytes_of
