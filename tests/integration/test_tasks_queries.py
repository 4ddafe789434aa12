"""Queries as tasks: whose rows count, when the database is asked, and what is refused."""

from __future__ import annotations

import datetime
import json
import sys
from typing import Any

import pandas as pd
import pytest

from workflows.errors import NoData, PlanError, SchemaError
from workflows.tasks import project

pytestmark = pytest.mark.integration

DAY = datetime.date(2020, 1, 1)
NEXT = datetime.date(2020, 1, 2)
SQL = "SELECT id, kind, value FROM events WHERE date = :date ORDER BY id"


def query(*lines: str) -> str:
    """A query Rows with further attributes."""
    return "\n    ".join(["class Rows(Query):", "date = luigi.DateParameter()", f"sql = {SQL!r}", *lines]) + "\n"


def table(pipeline: Any, task: Any) -> pd.DataFrame:
    return pd.read_parquet(pipeline.files(task) / "table.parquet")


def test_a_query_stores_its_rows_and_where_they_are_from(pipeline: Any) -> None:
    task = pipeline.load("").Events(date=DAY)
    assert pipeline.build(task)
    assert table(pipeline, task).value.tolist() == [1.0, 2.5]
    source = json.loads((pipeline.files(task) / "provenance.json").read_text())["source"]
    assert source["query"] == SQL
    assert source["rows"] == 2
    assert source["database"].endswith("acme.db")
    assert len(source["fingerprint"]) == 64


def test_a_changed_row_of_the_date_is_another_version(pipeline: Any) -> None:
    before = pipeline.load("").Events(date=DAY).version
    pipeline.change("UPDATE events SET value = 7 WHERE id = 1")
    assert pipeline.again().Events(date=DAY).version != before


def test_a_changed_row_of_another_date_is_the_same_version(pipeline: Any) -> None:
    task = pipeline.load("").Events(date=DAY)
    assert pipeline.build(task)
    pipeline.change("UPDATE events SET value = 7 WHERE id = 3")
    again = pipeline.again().Events(date=DAY)
    assert again.version == task.version
    assert again.complete()


def test_a_change_that_is_taken_back_finds_the_first_result(pipeline: Any) -> None:
    task = pipeline.load("").Events(date=DAY)
    assert pipeline.build(task)
    pipeline.change("UPDATE events SET value = 7 WHERE id = 1")
    assert pipeline.build(pipeline.again().Events(date=DAY))
    pipeline.change("UPDATE events SET value = 1.0 WHERE id = 1")
    assert pipeline.again().Events(date=DAY).complete()
    assert len(pipeline.artefacts("Events")) == 2


def test_layout_and_comments_of_the_sql_do_not_count(pipeline: Any) -> None:
    (pipeline.folder / "rows.sql").write_text(SQL)
    source = query().replace(repr(SQL), "'rows.sql'")
    before = pipeline.load(source).Rows(date=DAY).version
    (pipeline.folder / "rows.sql").write_text("-- the rows\n" + SQL.replace(" FROM", "\n  FROM"))
    assert pipeline.load(source).Rows(date=DAY).version == before
    (pipeline.folder / "rows.sql").write_text(SQL.replace("ORDER BY id", "ORDER BY id DESC"))
    assert pipeline.load(source).Rows(date=DAY).version != before


def test_a_probe_stands_for_the_rows(pipeline: Any) -> None:
    """What the probe does not see does not count; what it sees does."""
    source = query('probe = "SELECT max(id) FROM events WHERE date = :date"')
    task = pipeline.load(source).Rows(date=DAY)
    assert pipeline.build(task)
    pipeline.change("UPDATE events SET value = 7 WHERE id = 1")
    assert pipeline.again().Rows(date=DAY).version == task.version
    pipeline.change("INSERT INTO events VALUES (4, '2020-01-01', 'c', 5.0)")
    later = pipeline.again().Rows(date=DAY)
    assert later.version != task.version
    assert pipeline.build(later)
    assert table(pipeline, later).value.tolist() == [7.0, 2.5, 5.0]


def test_a_probe_does_not_hide_that_there_are_no_rows(pipeline: Any) -> None:
    task = pipeline.load(query('probe = "SELECT count(*) FROM events"')).Rows(date=datetime.date(2020, 1, 3))
    with pytest.raises(NoData, match="Rows 2020-01-03 has no rows"):
        task.run()
    assert not pipeline.artefacts()


def test_a_settled_result_is_kept_though_rows_changed(pipeline: Any) -> None:
    source = query("settles_after = 1")
    task = pipeline.load(source).Rows(date=DAY)
    assert pipeline.build(task)
    pipeline.change("UPDATE events SET value = 7 WHERE id = 1")
    again = pipeline.again().Rows(date=DAY)
    assert again.version == task.version
    assert again.complete()


def test_a_result_that_is_not_settled_yet_is_made_again(pipeline: Any) -> None:
    source = query("settles_after = 100000")
    task = pipeline.load(source).Rows(date=DAY)
    assert pipeline.build(task)
    pipeline.change("UPDATE events SET value = 7 WHERE id = 1")
    again = pipeline.again().Rows(date=DAY)
    assert again.version != task.version
    assert pipeline.build(again)


def test_a_result_stored_before_it_settled_is_made_again_once_it_is_settled(pipeline: Any) -> None:
    """What was stored on the day itself is not what the day came to in the end."""
    source = query("settles_after = 1")
    task = pipeline.load(source).Rows(date=DAY)
    assert pipeline.build(task)
    record = pipeline.files(task) / "provenance.json"
    made = json.loads(record.read_text())
    record.write_text(json.dumps({**made, "started": "2020-01-01T20:00:00.000+00:00"}))
    pipeline.change("UPDATE events SET value = 7 WHERE id = 1")
    assert pipeline.again().Rows(date=DAY).version != task.version


def test_a_settled_result_that_was_damaged_is_made_again_of_the_rows_of_now(pipeline: Any) -> None:
    source = query("settles_after = 1")
    task = pipeline.load(source).Rows(date=DAY)
    assert pipeline.build(task)
    (pipeline.files(task) / "table.parquet").write_bytes(b"no table")
    pipeline.change("UPDATE events SET value = 7 WHERE id = 1")
    again = pipeline.again().Rows(date=DAY)
    assert pipeline.build(again)
    assert again.version != task.version
    assert table(pipeline, again).value.tolist() == [7.0, 2.5]


def test_a_settled_result_of_another_environment_does_not_speak_for_this_one(pipeline: Any) -> None:
    """Its fingerprint on the rows of now would be a lie."""
    source = query("settles_after = 1")
    task = pipeline.load(source).Rows(date=DAY)
    assert pipeline.build(task)
    record = pipeline.files(task) / "provenance.json"
    made = json.loads(record.read_text())
    before = made["source"]["fingerprint"]
    record.write_text(json.dumps({**made, "environment": {"python": "3.10.1", "packages": {}}}))
    pipeline.change("UPDATE events SET value = 7 WHERE id = 1")
    again = pipeline.again().Rows(date=DAY)
    assert pipeline.build(again)
    assert again.identity.recipe.fingerprint != before
    assert table(pipeline, again).value.tolist() == [7.0, 2.5]


@pytest.mark.parametrize("attribute", ["", "settles_after = 100000", 'probe = "SELECT sum(value) FROM events"'])
def test_rows_that_change_between_plan_and_run_are_refused(pipeline: Any, attribute: str) -> None:
    task = pipeline.load(query(attribute)).Rows(date=DAY)
    pipeline.change("UPDATE events SET value = 7 WHERE id = 1")
    with pytest.raises(PlanError, match="Rows 2020-01-01: the rows changed while the run was going on"):
        task.run()
    assert not pipeline.artefacts()
    assert pipeline.build(pipeline.again().Rows(date=DAY))


def test_no_rows_are_an_error_that_names_the_dates_with_data(pipeline: Any) -> None:
    task = pipeline.load("").Events(date=datetime.date(2020, 1, 3))
    with pytest.raises(NoData, match=r"Events 2020-01-03 has no rows. Dates with data: 2020-01-01, 2020-01-02\."):
        task.run()
    assert not pipeline.artefacts()


def test_no_rows_are_a_result_where_the_query_allows_it(pipeline: Any) -> None:
    task = pipeline.load(query("allow_empty = True")).Rows(date=datetime.date(2020, 1, 3))
    assert pipeline.build(task)
    assert table(pipeline, task).empty
    assert list(table(pipeline, task)) == ["id", "kind", "value"]


def test_the_dates_with_data_can_be_asked_for(pipeline: Any) -> None:
    events = pipeline.load("").Events
    assert events.available(DAY, datetime.date(2021, 1, 1)) == [DAY, NEXT]
    assert events.available(DAY, NEXT) == [DAY]


def test_a_broken_schema_names_column_check_and_first_rows(pipeline: Any) -> None:
    schema = "import pandera.pandas as pa\n\nclass Model(pa.DataFrameModel):\n    value: float = pa.Field(lt=2)\n"
    task = pipeline.load(query("schema = 'model:Model'"), model=schema).Rows(date=DAY)
    with pytest.raises(
        SchemaError, match=r"Rows 2020-01-01: the table breaks Model: column 'value' .*less_than.* 2\.5"
    ):
        task.run()
    assert not pipeline.artefacts()


def test_the_schema_belongs_to_the_version(pipeline: Any) -> None:
    schema = "import pandera.pandas as pa\n\nclass Model(pa.DataFrameModel):\n    value: float = pa.Field(lt=9)\n"
    source = query("schema = 'model:Model'")
    before = pipeline.load(source, model=schema).Rows(date=DAY).version
    assert pipeline.load(source, model=schema.replace("lt=9", "lt=8")).Rows(date=DAY).version != before


def test_every_parameter_can_be_bound(pipeline: Any) -> None:
    acme = pipeline.load("""
class Kind(Query):
    date = luigi.DateParameter()
    kind = luigi.Parameter()
    least = luigi.FloatParameter(default=0)
    sql = "SELECT id FROM events WHERE date = :date AND kind = :kind AND value >= :least"
""")
    task = acme.Kind(date=DAY, kind="b", least=2)
    assert pipeline.build(task)
    assert table(pipeline, task).id.tolist() == [2]
    with pytest.raises(NoData):
        acme.Kind(date=DAY, kind="b' OR '1'='1").run()


def test_the_database_is_not_asked_twice_for_the_same_state(pipeline: Any) -> None:
    """A fingerprint is kept between processes for as long as the database stays as it is."""
    asked: list[str] = []
    sys.addaudithook(lambda event, _: asked.append(event) if event == "sqlite3.connect" else None)
    before = pipeline.load("").Events(date=DAY).version
    assert asked
    project.current().save()
    acme = pipeline.again()
    asked.clear()
    assert acme.Events(date=DAY).version == before
    assert asked == []
