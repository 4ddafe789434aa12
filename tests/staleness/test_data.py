"""Changes of data: exactly the dates whose rows changed run again, as a run from scratch shows."""

from __future__ import annotations

import datetime
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from harness import Case, Outcome, apply, checkout, run
from trial import Trial

pytestmark = pytest.mark.integration

DAYS = ("2020-01-01", "2020-01-02")
PIPELINE = """
class Events(Query):
    date = luigi.DateParameter()
    sql = "SELECT {columns} FROM events WHERE date = :date ORDER BY id"
    {options}

class Cleaned(Stage):
    date = luigi.DateParameter()
    def requires(self):
        return {{"events": Events(date=self.date)}}
    def compute(self, events):
        return pd.DataFrame({{"value": [repr(events.to_dict("list"))]}})
"""
ROWS = [(1, DAYS[0], "a", 1.0), (2, DAYS[0], "b", 2.5), (3, DAYS[1], "a", 4.0)]
FIRST = frozenset({f"Events {DAYS[0]}", f"Cleaned {DAYS[0]}"})
SECOND = frozenset({f"Events {DAYS[1]}", f"Cleaned {DAYS[1]}"})
NOTHING: frozenset[str] = frozenset()

CHANGES = [
    pytest.param("UPDATE events SET value = 9 WHERE id = 1", FIRST, id="a row of this date"),
    pytest.param("UPDATE events SET value = 9 WHERE id = 3", SECOND, id="a row of another date"),
    pytest.param("INSERT INTO events VALUES (9, '2020-01-01', 'c', 1.0)", FIRST, id="a row more"),
    pytest.param("DELETE FROM events WHERE id = 2", FIRST, id="a row less"),
    pytest.param("UPDATE events SET id = 7 WHERE id = 1", FIRST, id="order of the rows"),
    pytest.param("UPDATE events SET kind = NULL WHERE id = 1", FIRST, id="NULL in place of a text"),
    pytest.param("UPDATE events SET kind = '' WHERE id = 1", FIRST, id="an empty text"),
    pytest.param("UPDATE events SET kind = 'NULL' WHERE id = 1", FIRST, id="the text NULL"),
    pytest.param("UPDATE events SET kind = 'a ' WHERE id = 1", FIRST, id="a blank at the end"),
    pytest.param("UPDATE events SET kind = 'A' WHERE id = 1", FIRST, id="upper case"),
    pytest.param("UPDATE events SET kind = 1 WHERE id = 1", FIRST, id="a number in place of a text"),
    pytest.param("UPDATE events SET value = 1.0000000000000002 WHERE id = 1", FIRST, id="the last bit of a number"),
    pytest.param("UPDATE events SET value = -1.0 WHERE id = 1", FIRST, id="the sign"),
    pytest.param("UPDATE events SET date = '2020-01-02' WHERE id = 2", FIRST | SECOND, id="a row that moves"),
    pytest.param(
        "INSERT INTO events VALUES (9, '2020-01-03', 'c', 1.0)", NOTHING, id="a row of a date nobody asks for"
    ),
    pytest.param("CREATE TABLE unrelated (id INTEGER)", NOTHING, id="a table that nobody reads"),
    pytest.param("CREATE INDEX by_date ON events (date)", NOTHING, id="an index"),
    pytest.param("ALTER TABLE events ADD COLUMN note TEXT DEFAULT 'x'", NOTHING, id="a column that is not asked for"),
    pytest.param("VACUUM", NOTHING, id="the file written anew"),
    pytest.param("UPDATE events SET value = value", NOTHING, id="rows written as they were"),
]


def _case(columns: str = "id, kind, value", options: str = "") -> Case:
    return Case(f"{columns} {options}", PIPELINE.format(columns=columns, options=options))


def _first(case: Case, trial: Trial, days: tuple[str, ...] = DAYS) -> tuple[Path, Outcome]:
    folder = trial.new("first")
    case.write(folder)
    _execute(folder, "CREATE TABLE events (id INTEGER PRIMARY KEY, date TEXT, kind TEXT, value REAL)")
    with closing(sqlite3.connect(folder / "acme.db")) as connection, connection:
        connection.executemany("INSERT INTO events VALUES (?, ?, ?, ?)", ROWS)
    return folder, run(folder, dates=days)


def _execute(folder: Path, statement: str) -> None:
    with closing(sqlite3.connect(folder / "acme.db")) as connection:
        connection.execute(statement)
        connection.commit()


def _scratch(folder: Path, trial: Trial) -> Outcome:
    return run(checkout(folder, trial.new("scratch"), store=False), dates=DAYS)


@pytest.mark.parametrize(("statement", "reruns"), CHANGES)
def test_a_change_of_rows_runs_the_dates_it_changes(statement: str, reruns: frozenset[str], trial: Trial) -> None:
    folder, first = _first(_case(), trial)
    _execute(folder, statement)
    found, true = run(folder, dates=DAYS), _scratch(folder, trial)
    expected = {name for name in reruns if name.startswith("Cleaned")}
    assert {name for name in true.changed(first) if name.startswith("Cleaned")} == expected, "the case is wrong"
    assert not found.changed(true), "stale"
    assert found.computed == reruns


def test_an_added_column_is_seen_where_all_columns_are_asked_for(trial: Trial) -> None:
    folder, _ = _first(_case("*"), trial)
    _execute(folder, "ALTER TABLE events ADD COLUMN note TEXT DEFAULT 'x'")
    found = run(folder, dates=DAYS)
    assert found.computed == FIRST | SECOND
    assert found.tables == _scratch(folder, trial).tables


def test_a_renamed_column_is_seen(trial: Trial) -> None:
    folder, _ = _first(_case("*"), trial)
    _execute(folder, "ALTER TABLE events RENAME COLUMN kind TO sort")
    found = run(folder, dates=DAYS)
    assert found.computed == FIRST | SECOND
    assert found.tables == _scratch(folder, trial).tables


def test_rows_put_back_find_the_first_results_again(trial: Trial) -> None:
    folder, first = _first(_case(), trial)
    _execute(folder, "UPDATE events SET value = 9 WHERE id = 1")
    assert run(folder, dates=DAYS).computed == FIRST
    _execute(folder, "UPDATE events SET value = 1.0 WHERE id = 1")
    back = run(folder, dates=DAYS)
    assert not back.planned
    assert back.tables == first.tables


def test_a_view_counts_by_its_rows(trial: Trial) -> None:
    folder, _ = _first(_case("*, (SELECT max(value) FROM events) AS most"), trial)
    _execute(folder, "UPDATE events SET value = 3.5 WHERE id = 2")
    assert run(folder, dates=DAYS).computed == FIRST
    _execute(folder, "UPDATE events SET value = 99 WHERE id = 3")
    assert run(folder, dates=DAYS).computed == FIRST | SECOND


PROBE = 'probe = "SELECT max(id) FROM events WHERE date = :date"'


def test_a_probe_speaks_for_the_rows(trial: Trial) -> None:
    """What the author's probe does not tell is not seen; what it tells is, for its date alone."""
    folder, _ = _first(_case(options=PROBE), trial)
    _execute(folder, "UPDATE events SET value = 9 WHERE id = 1")
    assert not run(folder, dates=DAYS).planned
    _execute(folder, "INSERT INTO events VALUES (8, '2020-01-01', 'c', 1.0)")
    found = run(folder, dates=DAYS)
    assert found.computed == FIRST
    assert found.tables == _scratch(folder, trial).tables


def test_a_settled_date_is_final(trial: Trial) -> None:
    folder, first = _first(_case(options="settles_after = 3"), trial)
    _execute(folder, "UPDATE events SET value = 9 WHERE id = 1")
    found = run(folder, dates=DAYS)
    assert not found.planned
    assert found.tables == first.tables


def test_a_date_that_has_not_settled_is_asked_again(trial: Trial) -> None:
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    case = _case(options="settles_after = 3\n    allow_empty = True")
    folder, _ = _first(case, trial, (DAYS[0], today))
    _execute(folder, f"INSERT INTO events VALUES (9, '{today}', 'c', 1.0)")
    assert run(folder, dates=(DAYS[0], today)).computed == {f"Events {today}", f"Cleaned {today}"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("SELECT id", "SELECT /* the key */ id", id="comment"),
        pytest.param(" FROM events ", "\n  FROM\tevents\n", id="layout"),
        pytest.param("ORDER BY id", "ORDER BY id;", id="semicolon"),
    ],
)
def test_comments_and_layout_of_a_sql_file_run_nothing(old: str, new: str, trial: Trial) -> None:
    statement = "SELECT id, kind, value FROM events WHERE date = :date ORDER BY id"
    code = _case().code.replace(statement, "events.sql")
    folder, _ = _first(Case("events.sql", code, {"events.sql": statement}), trial)
    apply((old, new), folder)
    assert not run(folder, dates=DAYS).planned
