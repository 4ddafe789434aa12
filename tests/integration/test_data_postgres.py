"""A real PostgreSQL server, from its wheel: what a company's production database promises."""

from __future__ import annotations

import datetime
import decimal
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from workflows.data.database import connect
from workflows.data.rows import Fingerprint
from workflows.data.statement import Statement
from workflows.errors import DatabaseError

pytestmark = pytest.mark.integration

EVENTS = """
CREATE TABLE events (id integer PRIMARY KEY, date date, kind text, value float8, price numeric(10, 2));
INSERT INTO events VALUES (1, '2020-01-01', 'a', 1.0, 2.5), (2, '2020-01-01', 'ü', NULL, 3), (3, '2020-01-02', 'a', 4.0, 1);
"""
BY_DATE = "SELECT id, date, kind, value::float8, price FROM events WHERE date = :date ORDER BY id"


@pytest.fixture(scope="module")
def url(postgres: Callable[[str], str]) -> str:
    """The SQLAlchemy URL of a database with one table."""
    url = postgres("events")
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(EVENTS))
    engine.dispose()
    return url


def ask(url: str, sql: str, **values: Any) -> Any:
    return connect(url).result("Events 2020-01-01", Statement(sql, "events.sql"), values)


def test_a_date_is_bound_and_rows_keep_the_types_of_the_database(url: str) -> None:
    found = ask(url, BY_DATE, date=datetime.date(2020, 1, 1), other=1)
    assert found.columns == ("id", "date", "kind", "value", "price")
    assert found.rows == [
        (1, datetime.date(2020, 1, 1), "a", 1.0, decimal.Decimal("2.50")),
        (2, datetime.date(2020, 1, 1), "ü", None, decimal.Decimal("3.00")),
    ]


def test_the_fingerprint_changes_with_a_row_of_the_date_only(url: str) -> None:
    engine = create_engine(url)

    def prints() -> list[Fingerprint]:
        days = [{"date": datetime.date(2020, 1, day)} for day in (1, 2)]
        return connect(url).fingerprints("Events", Statement(BY_DATE, "events.sql"), days)

    before = prints()
    with engine.begin() as connection:
        connection.execute(text("UPDATE events SET price = 9 WHERE id = 3"))
    after = prints()
    with engine.begin() as connection:
        connection.execute(text("UPDATE events SET price = 1 WHERE id = 3"))
    engine.dispose()
    assert after[0] == before[0]
    assert after[1] != before[1]
    assert prints() == before


@pytest.mark.parametrize("sql", ["DELETE FROM events RETURNING id", "UPDATE events SET kind = 'x' RETURNING id"])
def test_a_statement_cannot_write(url: str, sql: str) -> None:
    with pytest.raises(DatabaseError, match="read-only"):
        ask(url, sql)
    assert len(ask(url, "SELECT id FROM events").rows) == 3


def test_an_unknown_column_is_named(url: str) -> None:
    with pytest.raises(DatabaseError, match=r"refuses 'events.sql': column \"nope\" does not exist"):
        ask(url, "SELECT nope FROM events")


def test_a_check_reads_a_statement_without_a_value_for_its_names(url: str) -> None:
    connect(url).check("Events", Statement(BY_DATE, "events.sql"), {"date": None})
    with pytest.raises(DatabaseError, match="evnts"):
        connect(url).check("Events", Statement("SELECT * FROM evnts", "events.sql"), {})


def test_a_password_is_never_shown() -> None:
    database = connect("postgresql+psycopg://me:secret@127.0.0.1:1/none")
    with pytest.raises(DatabaseError) as caught:
        database.result("Events", Statement("SELECT 1", "events.sql"), {})
    assert "secret" not in str(caught.value)
    assert "secret" not in database.place


def test_a_report_can_be_made_from_it(url: str, small: Any) -> None:
    small.configure(pipelines="acme", database=url)
    done = small.report("small", "2020-01-02")
    assert (done.code, done.err.count("ERROR")) == (0, 0), done.err
    record = json.loads((Path(small.artefacts("Events")[0]) / "provenance.json").read_text())
    assert record["source"]["rows"] == 1
    again = small.report("small", "2020-01-02")
    assert again.last_line == done.last_line
    assert "nothing to do" in again.err
