"""Pipelines that are wrong or fail: what is said, and that nothing is left of the failed result."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.acceptance

DAY = "2020-01-01"
SQL = '"SELECT id, kind, value FROM events WHERE date = :date ORDER BY id"'
COMPUTE = "return events.assign(value=events.value * self.factor)"
EVENTS = "Events(date=self.date)"
SCHEMA = '''
import pandera.pandas as pa

class Positive(pa.DataFrameModel):
    """What Cleaned holds."""
    value: float = pa.Field(lt=3)
    kind: int
    other: str

Cleaned.schema = Positive
'''


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, make_small: Callable[[Path], Any]) -> Any:
    """A project whose pipeline each test writes anew."""
    return make_small(tmp_path_factory.mktemp("pipelines") / "small")


@pytest.fixture
def changed(place: Any) -> Any:
    """Runs the report with a piece of the pipeline replaced."""
    original = place.folder / "acme.original"
    if not original.exists():
        original.write_text((place.folder / "acme.py").read_text())

    def run(old: str = "", new: str = "", more: str = "") -> Any:
        source = original.read_text()
        assert old in source
        place.module("acme", source.replace(old, new) + more if old else source + more)
        return place.report("small", DAY)

    return run


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ('"SELECT absent FROM events WHERE date = :date"', "no such column: absent"),
        ('"SELECT * FROM happenings WHERE date = :date"', "no such table: happenings"),
        ('"SELEC id FROM events"', 'near "SELEC": syntax error'),
        ('"SELECT 1; SELECT 2"', "You can only execute one statement at a time"),
        ('"DELETE FROM events"', "attempt to write a readonly database"),
    ],
)
def test_what_the_database_refuses_is_said_in_its_words(
    place: Any, changed: Any, refused: Any, sql: str, why: str
) -> None:
    line = refused(place, changed(SQL, sql))
    assert line.startswith(f"Events 2020-01-01: the database {place.folder}/acme.db refuses 'sql': {why}. Expected ")


@pytest.mark.parametrize(
    ("sql", "line"),
    [
        (
            '"SELECT id FROM events WHERE date = :day"',
            "the SQL of Events binds ':day', but Events has no parameter 'day'.",
        ),
        (
            '"events.sql"',
            "Events names the SQL file {folder}/events.sql, which does not exist. It lies beside the module of ",
        ),
        ("None", "Events has no 'sql'; expected a statement, or the name of a .sql file beside its module."),
    ],
)
def test_a_query_without_a_usable_statement_is_refused(
    place: Any, changed: Any, refused: Any, sql: str, line: str
) -> None:
    assert refused(place, changed(SQL, sql)).startswith(line.format(folder=place.folder))


@pytest.mark.parametrize(
    ("compute", "line"),
    [
        ("return None", "Cleaned 2020-01-01: compute() returned NoneType; expected a pandas DataFrame."),
        ("return events.value", "Cleaned 2020-01-01: compute() returned Series; expected a pandas DataFrame."),
        (
            "return [1][3]",
            "Cleaned 2020-01-01 failed: IndexError: list index out of range (acme.py, line 20: return [1][3])",
        ),
        (
            "raise ValueError('two' + chr(10) + 'lines')",
            "Cleaned 2020-01-01 failed: ValueError: two lines (acme.py, line 20: raise ValueError(",
        ),
        ("raise SystemExit(0)", "Cleaned 2020-01-01 failed: SystemExit: 0 (acme.py, line 20: raise SystemExit(0))"),
        ("return events.assign(value=[1, 'a'])", "Cleaned 2020-01-01: the table cannot be stored as Parquet: "),
    ],
)
def test_a_stage_that_fails_says_what_and_where(
    place: Any, changed: Any, refused: Any, compute: str, line: str
) -> None:
    assert refused(place, changed(COMPUTE, compute)).startswith(line)
    assert place.artefacts("Cleaned") == []


def test_a_table_that_breaks_its_schema_is_refused_with_column_check_and_rows(
    place: Any, changed: Any, refused: Any
) -> None:
    line = refused(place, changed(more=SCHEMA))
    assert line.startswith("Cleaned 2020-01-01: the table breaks Positive: ")
    assert "column 'other' is missing" in line
    assert "column 'value' fails less_than(3): row 1: 5.0" in line
    assert "column 'kind' fails dtype('int64'): row 0: 'a', row 1: 'b'" in line
    assert place.artefacts("Cleaned") == []


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (
            "compute(self, events)",
            "compute(self, evnts)",
            "Cleaned 2020-01-01: compute(evnts) does not take what requires() ",
        ),
        (
            "def compute(",
            "def compte(",
            "Cleaned has no compute(); expected a method that takes the tables of requires() ",
        ),
        (EVENTS, "Events(dat=self.date)", "Cleaned 2020-01-01: requires() failed: UnknownParameterException: Events["),
        (
            EVENTS,
            "1 / 0",
            "Cleaned 2020-01-01: requires() failed: ZeroDivisionError: division by zero (acme.py, line 17: ",
        ),
        (
            EVENTS,
            "luigi.Task()",
            "Cleaned requires Task(); expected a Query or a Stage, because only those have a version.",
        ),
        (EVENTS, "Cleaned(date=self.date)", "Cleaned 2020-01-01 requires itself, directly or through its inputs; "),
        (
            "(default=2.0)",
            "()\n    more = luigi.IntParameter()",
            "template 'small', parameter 'cleaned': Cleaned needs a ",
        ),
    ],
)
def test_a_stage_that_is_put_together_wrongly_is_refused(
    place: Any, changed: Any, refused: Any, old: str, new: str, line: str
) -> None:
    assert refused(place, changed(old, new)).startswith(line)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("import nothing_of_this_name\n", "ModuleNotFoundError: No module named 'nothing_of_this_name'"),
        ("def f(:\n", "SyntaxError: invalid syntax (acme.py, line 1)"),
        ("1 / 0\n", "ZeroDivisionError: division by zero"),
        ("raise SystemExit(0)\n", "SystemExit: 0"),
    ],
)
def test_a_pipeline_that_cannot_be_imported_is_refused(
    place: Any, changed: Any, refused: Any, source: str, why: str
) -> None:
    place.module("acme", source)
    assert refused(place, place.report("small", DAY)).startswith(f"pipeline 'acme' cannot be imported: {why}. ")
