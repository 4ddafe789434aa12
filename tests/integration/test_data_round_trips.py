"""How often a database that cannot tell its state is asked: once for all queries of a class, however they are met."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from luigi.task_register import Register
from sqlalchemy import create_engine, text

from workflows.data.statement import Statement
from workflows.errors import DatabaseError, NoData, PipelineError, PlanError
from workflows.tasks import project
from workflows.tasks.backfill import Backfill
from workflows.tasks.report import ReportTask

pytestmark = pytest.mark.integration

FIRST = datetime.date(2020, 1, 1)
EVENTS = """
DROP TABLE IF EXISTS events;
CREATE TABLE events (id integer, date date, kind text, value float8);
INSERT INTO events SELECT n, date '2020-01-01' + n / 2, 'a', n FROM generate_series(0, 199) AS n;
"""
PIPELINE = """
class Rows(Query):
    date = luigi.DateParameter()
    kind = luigi.Parameter(default="a")
    sql = "SELECT id, kind, value FROM events WHERE date = :date AND kind = :kind ORDER BY id"
    dates = "SELECT DISTINCT date FROM events ORDER BY date"

class Window(Stage):
    date = luigi.DateParameter()
    def requires(self):
        return [Rows(date=day) for day in Rows.available(self.date - datetime.timedelta(days=28), self.date)]
    def compute(self, days):
        return pd.concat([*days, pd.DataFrame({"id": [0]})])

class Cleaned(Stage):
    date = luigi.DateParameter()
    def requires(self):
        return {"today": Rows(date=self.date), "before": Window(date=self.date)}
    def compute(self, today, before):
        return today
"""


@pytest.fixture(scope="module")
def server(postgres: Callable[[str], str]) -> str:
    return postgres("round_trips")


@pytest.fixture
def change(server: str) -> Callable[[str], None]:
    """Changes the database."""
    engine = create_engine(server)

    def change(statement: str) -> None:
        with engine.begin() as connection:
            connection.execute(text(statement))
        engine.dispose()

    change(EVENTS)
    return change


@pytest.fixture
def remote(pipeline: Any, server: str, change: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The project of a few lines, with its rows in PostgreSQL."""
    monkeypatch.setenv("PARCOURS_DATABASE", server)
    return pipeline


def digests(asked: list[str]) -> list[str]:
    """The statements sent that digest rows."""
    return [sql for sql in asked if "count(*) AS found" in sql]


def test_a_report_asks_once_for_its_window_and_once_for_the_dates(remote: Any, asked: list[str]) -> None:
    remote.load(PIPELINE)
    task = ReportTask(date=FIRST + datetime.timedelta(days=40), template="small")
    assert len(digests(asked)) == 1
    assert len([sql for sql in asked if sql.startswith("SELECT DISTINCT date")]) == 1
    assert len(project.current().plan._identities) == 32
    asked.clear()
    assert not task.complete()
    assert asked == []


def test_a_backfill_asks_once_for_all_its_reports(remote: Any, asked: list[str]) -> None:
    remote.load(PIPELINE)
    parameters = 'import datetime\ndate: datetime.date = datetime.date(2020, 1, 1)\nwindow: "Window" = ""\n'
    remote.template("other", parameters, "1")
    backfill = Backfill(start=FIRST, stop=FIRST + datetime.timedelta(days=59), template="small,other")
    reports = backfill.requires()
    assert len(reports) == 120
    assert len(digests(asked)) == 1
    assert backfill.requires() == reports
    assert len(digests(asked)) == 1


def test_a_range_of_luigi_asks_once(remote: Any, asked: list[str]) -> None:
    rows = remote.load(PIPELINE).Rows
    days = [FIRST + datetime.timedelta(days=n) for n in range(50)]
    assert rows.bulk_complete(iter(days)) == []
    assert len(digests(asked)) == 1


def test_what_is_gathered_is_what_is_planned(remote: Any, asked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Each version is the one that a query by itself has."""
    day = FIRST + datetime.timedelta(days=40)
    acme = remote.load(PIPELINE)
    together = {
        task.task_id: task.version
        for task in [*acme.Cleaned(date=day).identity.inputs, *acme.Window(date=day).identity.inputs]
    }
    monkeypatch.setattr(project.Project, "_gather", lambda *_: None)
    acme = remote.again()
    asked.clear()
    alone = {
        task.task_id: task.version
        for task in [*acme.Cleaned(date=day).identity.inputs, *acme.Window(date=day).identity.inputs]
    }
    assert together == alone
    assert len(together) == 30
    assert len(digests(asked)) == 29


def test_a_long_chain_of_tasks_is_gathered_from_its_end(remote: Any, asked: list[str]) -> None:
    acme = remote.load(
        PIPELINE
        + """
class Sum(Stage):
    date = luigi.DateParameter()
    def requires(self):
        before = self.date - datetime.timedelta(days=1)
        return [Rows(date=self.date), *([Sum(date=before)] if before.year == 2020 else [])]
    def compute(self, tables):
        return tables[0]
"""
    )
    assert acme.Sum(date=FIRST + datetime.timedelta(days=90)).version
    assert len(digests(asked)) == 1


def test_every_parameter_counts(remote: Any, change: Any, asked: list[str]) -> None:
    """Also one that is not significant, but bound."""
    change(
        "INSERT INTO events VALUES (900, '2020-01-01', 'b', 1), (901, '2020-01-01', 'b', 2), (902, '2020-01-01', 'c', 3)"
    )
    acme = remote.load("""
class Rows(Query):
    date = luigi.DateParameter()
    kind = luigi.Parameter(default="a")
    least = luigi.FloatParameter(default=0, significant=False)
    sql = "SELECT id FROM events WHERE date = :date AND kind = :kind AND value >= :least ORDER BY id"
    allow_empty = True

class All(Stage):
    def requires(self):
        day = datetime.date(2020, 1, 1)
        return [Rows(day, "b"), Rows(day, "b", 2), Rows(day, "c"), Rows(day, kind="d"), Rows(day)]
    def compute(self, tables):
        return pd.concat(tables)
""")
    tasks = acme.All().identity.inputs
    assert len(digests(asked)) == 1
    prints = [task.identity.recipe.fingerprint for task in tasks]
    database, statement = project.current().database, Statement(acme.Rows.sql, "sql")
    values = [task.param_kwargs for task in tasks]
    assert prints == [database.fingerprints("", statement, [each])[0].digest for each in values]
    assert len(set(prints)) == 5


def test_gathering_leaves_no_trace(remote: Any) -> None:
    """No instance, no plan; and a task that the author kept in a cache of theirs does no harm."""
    acme = remote.load(
        PIPELINE
        + """
from functools import cache

@cache
def rows(date):
    return Rows(date=date)

class Kept(Stage):
    date = luigi.DateParameter()
    def requires(self):
        return {"rows": rows(self.date)}
    def compute(self, rows):
        return rows
"""
    )
    task = acme.Kept(date=FIRST)
    versions = {instance.version for instance in Register._Register__instance_cache.values()}
    assert "unplanned" not in versions
    assert len(versions) == 2
    assert {identity.version for identity in project.current().plan._identities.values()} == versions
    assert [found.version for found in task.deps()] == [acme.Rows(date=FIRST).version]
    assert remote.build(task)
    assert not [path for path in remote.store.rglob("*") if "unplanned" in path.name]


def test_what_the_database_refuses_is_said_of_the_query_that_it_refuses(remote: Any, change: Any) -> None:
    change("INSERT INTO events VALUES (950, '2020-01-03', 'x', 0)")
    acme = remote.load("""
class Ratio(Query):
    date = luigi.DateParameter()
    sql = "SELECT 1 / value::int AS ratio FROM events WHERE date = :date AND id > 0 ORDER BY id"

class All(Stage):
    def requires(self):
        return [Ratio(date=datetime.date(2020, 1, day)) for day in (1, 2, 3, 4)]
    def compute(self, tables):
        return pd.concat(tables)
""")
    with pytest.raises(DatabaseError, match=r"^Ratio 2020-01-03: .* refuses 'sql': division by zero"):
        acme.All()


def test_what_requires_raises_is_raised_as_ever(remote: Any) -> None:
    acme = remote.load("""
class Broken(Stage):
    def requires(self):
        return [Events(date=datetime.date(2020, 1, 1)), 1 / 0]
class Foreign(Stage):
    def requires(self):
        return luigi.Task()
""")
    with pytest.raises(
        PipelineError, match=r"Broken: requires\(\) failed: ZeroDivisionError: division by zero \(acme.py"
    ):
        acme.Broken()
    with pytest.raises(PipelineError, match="Foreign requires"):
        acme.Foreign()


def test_rows_that_change_between_plan_and_run_are_refused(remote: Any, change: Any) -> None:
    task = remote.load(PIPELINE).Rows(date=FIRST)
    change("UPDATE events SET value = 7 WHERE id = 1")
    with pytest.raises(PlanError, match="Rows 2020-01-01: the rows changed while the run was going on"):
        task.run()
    assert not remote.artefacts()
    change("UPDATE events SET value = 1 WHERE id = 1")
    task.run()
    assert len(remote.artefacts("Rows")) == 1


def test_a_date_without_rows_is_known_while_planning(remote: Any) -> None:
    task = remote.load(PIPELINE).Rows(date=datetime.date(2021, 1, 1))
    assert isinstance(task.identity.problem, NoData)


def test_a_settled_result_is_not_asked_for(remote: Any, asked: list[str], change: Any) -> None:
    source = PIPELINE.replace("dates =", "settles_after = 30\n    dates =")
    day = FIRST + datetime.timedelta(days=3)
    window = remote.load(source).Window(date=day)
    assert remote.build(window)
    change("UPDATE events SET value = -1")
    asked.clear()
    again = remote.again().Window(date=day)
    assert again.version == window.version
    assert digests(asked) == []
    assert not [sql for sql in asked if "kind = " in sql]
    later = remote.again().Window(date=day + datetime.timedelta(days=1))
    assert [sql.count(" AS number") for sql in digests(asked)] == [1], "only the day that is not stored yet"
    assert later.version != window.version


def test_a_probe_stands_for_the_rows_of_a_whole_range(remote: Any, asked: list[str], change: Any) -> None:
    source = PIPELINE.replace("dates =", "probe = 'SELECT count(*) FROM events WHERE date = :date'\n    dates =")
    day = FIRST + datetime.timedelta(days=20)
    before = remote.load(source).Window(date=day).version
    assert len(digests(asked)) == 1
    assert "SELECT count(*) FROM events" in digests(asked)[0]
    assert "ORDER BY id" not in digests(asked)[0]
    change("UPDATE events SET value = -1")
    assert remote.again().Window(date=day).version == before
    change("INSERT INTO events VALUES (990, '2020-01-03', 'other', 0)")
    assert remote.again().Window(date=day).version != before


def test_a_file_that_tells_its_state_is_not_gathered_from(pipeline: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("gathered")

    monkeypatch.setattr(project, "Gathering", refuse)
    assert pipeline.load("").Events(date=FIRST).version


def test_the_rows_of_now_are_those_that_would_be_stored(remote: Any, change: Any) -> None:
    task = remote.load(PIPELINE).Rows(date=FIRST)
    assert remote.build(task)
    stored = pd.read_parquet(remote.files(task) / "table.parquet")
    pd.testing.assert_frame_equal(task.rows_now(), stored)
    change("UPDATE events SET value = 7 WHERE id = 0")
    assert task.rows_now().value.tolist() == [7.0, 1.0]
    assert len(remote.artefacts("Rows")) == 1
