"""Fingerprints that a database computes itself: what every kind of database promises, and what one kind needs."""

from __future__ import annotations

import datetime
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from pandas.testing import assert_frame_equal
from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import Engine

from workflows import flights
from workflows.data import server, sqlite
from workflows.data.database import Database, connect
from workflows.data.rows import Fingerprint, fingerprint
from workflows.data.server import SqlAlchemyDatabase
from workflows.data.statement import Statement
from workflows.data.tables import as_frame
from workflows.errors import DatabaseError

pytestmark = pytest.mark.integration

EVENTS = (
    "CREATE TABLE events (id integer, date date, kind varchar(9))",
    "INSERT INTO events VALUES (1, '2020-01-01', 'a'), (2, '2020-01-01', ''), (3, '2020-01-02', NULL)",
)
BY_DATE = "SELECT id, date, kind FROM events WHERE date = :date ORDER BY id"
DAYS = [datetime.date(2020, 1, day) for day in (1, 2, 3)]
KINDS = ["sqlite", "sqlite through SQLAlchemy", "postgresql", "duckdb"]


@pytest.fixture(scope="module")
def urls(postgres: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("databases")
    found = {
        "sqlite": f"sqlite:///{folder}/events.db",
        "sqlite through SQLAlchemy": f"sqlite:///{folder}/other.db?timeout=5",
        "postgresql": postgres("fingerprints"),
        "duckdb": f"duckdb:///{folder}/events.duckdb",
    }
    for url in found.values():
        engine = create_engine(url)
        with engine.begin() as connection:
            for statement in EVENTS:
                connection.execute(text(statement))
        engine.dispose()
    return found


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def database(urls: dict[str, str], kind: str) -> Database:
    return connect(urls[kind])


@pytest.fixture
def in_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    """No rows may leave the database: a fingerprint that would be taken here is an error."""

    def refuse(rows: Any) -> Fingerprint:
        raise AssertionError("rows were fetched for their fingerprint")

    for module in (sqlite, server):
        monkeypatch.setattr(module, "fingerprint", refuse)


def one(database: Database, sql: str, **values: Any) -> Fingerprint:
    return database.fingerprints("Events", Statement(sql, "events.sql"), [values])[0]


DIFFERENT = [
    "SELECT 1 AS a",
    "SELECT 2 AS a",
    "SELECT '1' AS a",
    "SELECT NULL AS a",
    "SELECT '' AS a",
    "SELECT 'NULL' AS a",
    "SELECT 'null' AS a",
    "SELECT '\"\"' AS a",
    "SELECT '()' AS a",
    "SELECT CAST(1 AS double precision) AS a",
    "SELECT CAST('1e300' AS double precision) AS a",
    "SELECT CAST(0.1 AS double precision) AS a",
    "SELECT CAST(0.1 AS double precision) + 0.00000000000000002 AS a",
    "SELECT 1 AS b",
    "SELECT 1 AS a, 1 AS b",
    "SELECT 1 AS b, 1 AS a",
    "SELECT 1 AS a, NULL AS b",
    "SELECT NULL AS a, 1 AS b",
    "SELECT 'x,y' AS a, 'z' AS b",
    "SELECT 'x' AS a, 'y,z' AS b",
    "SELECT 'x' AS a, 'yz' AS b",
    "SELECT 'xy' AS a, 'z' AS b",
    "SELECT 1 AS a UNION ALL SELECT 1",
    "SELECT 1 AS a UNION ALL SELECT 1 UNION ALL SELECT 1",
    "SELECT 1 AS a WHERE 1 = 0",
    "SELECT 1 AS b WHERE 1 = 0",
    "SELECT a FROM (SELECT 1 AS a UNION ALL SELECT 2) AS t ORDER BY a",
    "SELECT a FROM (SELECT 1 AS a UNION ALL SELECT 2) AS t ORDER BY a DESC",
    "SELECT 'ü' AS a",
    "SELECT 'u' AS a",
]
OWN = {
    "sqlite": [
        "SELECT x'' AS a", "SELECT x'31' AS a", "SELECT -0.0 AS a", "SELECT 0.0 AS a", "SELECT 0 AS a",
        "SELECT 9e999 AS a", "SELECT 'inf' AS a", "SELECT 9223372036854775807 AS a", "SELECT 9223372036854775807.0 AS a",
        "SELECT CAST(x'610062' AS TEXT) AS a", "SELECT 'a' AS a", "SELECT '''' AS a",
    ],
    "postgresql": [
        "SELECT 1::bigint AS a", "SELECT 1::numeric AS a", "SELECT 1.0::numeric AS a", "SELECT 1.00::numeric AS a",
        "SELECT '1'::varchar AS a", "SELECT '1'::char(3) AS a", "SELECT ''::bytea AS a", "SELECT '\\x31'::bytea AS a",
        "SELECT 'NaN'::float8 AS a", "SELECT 'NaN'::numeric AS a", "SELECT 0.1::float4 AS a", "SELECT '-0'::float8 AS a",
        "SELECT true AS a", "SELECT ARRAY['NULL'] AS a", "SELECT ARRAY[NULL]::text[] AS a", "SELECT ARRAY['a,b'] AS a",
        "SELECT ARRAY['a','b'] AS a", "SELECT '2020-01-02'::date AS a", "SELECT '2020-02-01'::date AS a",
        "SELECT '2020-01-02'::timestamp AS a", "SELECT '2020-01-02'::timestamptz AS a", "SELECT interval '1 day' AS a",
        "SELECT interval '24 hours' AS a", "SELECT '{\"a\": 1}'::json AS a", "SELECT '{\"a\": 1}'::jsonb AS a",
        "SELECT ROW(1, 2) AS a", "SELECT ROW(1, 2, 3) AS a", "SELECT 1 AS a, 2 AS a", "SELECT 2 AS a, 1 AS a",
        "SELECT 1 AS place, 2 AS digest, 3 AS given", "SELECT 1 AS c1, 2 AS c0", "SELECT 2 AS c1, 1 AS c0",
    ],
    "duckdb": [
        "SELECT 1::BIGINT AS a", "SELECT 1::DECIMAL(10, 2) AS a", "SELECT 1::DECIMAL(10, 1) AS a", "SELECT ''::BLOB AS a",
        "SELECT '\\x31'::BLOB AS a", "SELECT 'nan'::DOUBLE AS a", "SELECT 0.1::FLOAT AS a", "SELECT '-0'::DOUBLE AS a",
        "SELECT true AS a", "SELECT ['NULL'] AS a", "SELECT [NULL]::VARCHAR[] AS a", "SELECT ['a, b'] AS a",
        "SELECT ['a', 'b'] AS a", "SELECT DATE '2020-01-02' AS a", "SELECT TIMESTAMP '2020-01-02' AS a",
        "SELECT TIMESTAMPTZ '2020-01-02' AS a", "SELECT {'x': 1} AS a", "SELECT {'y': 1} AS a", "SELECT MAP {'x': 1} AS a",
        "SELECT 1e20::HUGEINT AS a", "SELECT 1 AS a, 2 AS a", "SELECT 2 AS a, 1 AS a",
        "SELECT 123456789012345678901234567890.12345678::DECIMAL(38, 8) AS a",
        "SELECT 123456789012345678901234567890.12345679::DECIMAL(38, 8) AS a",
    ],
}  # fmt: skip


@pytest.mark.usefixtures("in_the_database")
@pytest.mark.parametrize("kind", OWN)
def test_a_fingerprint_tells_every_result_from_every_other(urls: dict[str, str], kind: str) -> None:
    database = connect(urls[kind])
    found = {sql: one(database, sql).digest for sql in [*DIFFERENT, *OWN[kind]]}
    twins = [sorted(sql for sql in found if found[sql] == digest) for digest in set(found.values())]
    assert [same for same in twins if len(same) > 1] == []
    assert found == {sql: one(database, sql).digest for sql in found}


@pytest.mark.parametrize("sql", [*DIFFERENT, *OWN["sqlite"]])
def test_the_aggregate_of_sqlite_gives_the_fingerprint_of_the_rows(urls: dict[str, str], sql: str) -> None:
    database = connect(urls["sqlite"])
    assert one(database, sql) == fingerprint(database.result("Events", Statement(sql, "events.sql"), {}))


@pytest.mark.parametrize("name", ["flights.sql", "weather.sql", "flight_dates.sql"])
def test_the_aggregate_sees_the_rows_of_the_example_in_their_order(nyc: Path, name: str) -> None:
    folder = Path(flights.__file__).parent / "sql"
    database, statement = connect(f"sqlite:///{nyc}"), Statement.of("Flights", name, folder, "sql")
    for day in (datetime.date(2013, 1, 15), datetime.date(2013, 7, 4), datetime.date(2014, 1, 1)):
        values = {"date": day}
        found = database.fingerprints("Flights", statement, [values])
        assert found == [fingerprint(database.result("Flights", statement, values))]


def test_rows_are_counted(database: Database) -> None:
    found = database.fingerprints("Events", Statement(BY_DATE, "events.sql"), [{"date": day} for day in DAYS])
    assert [fingerprint.rows for fingerprint in found] == [2, 1, 0]


@pytest.mark.usefixtures("in_the_database")
@pytest.mark.parametrize("kind", OWN)
@pytest.mark.parametrize("count", [3, 20_000])
def test_the_order_of_rows_counts_however_many_they_are(urls: dict[str, str], kind: str, count: int) -> None:
    rows = f"WITH RECURSIVE n(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM n WHERE k < {count}) SELECT k, k * 7919 % 20011 AS l FROM n"
    database = connect(urls[kind])
    found = [one(database, f"{rows} ORDER BY {by}") for by in ("k", "k DESC", "l", "l DESC")]
    assert len(set(found)) == 4
    assert {fingerprint.rows for fingerprint in found} == {count}
    assert found == [one(database, f"{rows} ORDER BY {by}") for by in ("k", "k DESC", "l", "l DESC")]


SAME = [
    "SELECT id, date, kind FROM events WHERE date = :date ORDER BY id;",
    "SELECT id, date, kind FROM events WHERE date = :date ORDER BY id -- in order",
    "-- all\nSELECT id, date, kind FROM events WHERE date = :date ORDER BY id ; -- in order; all: of them\n",
    "SELECT id, date, kind FROM events WHERE date = :date ORDER BY id; /* it's */ ;\n\n",
    "WITH these AS (SELECT * FROM events) SELECT id, date, kind FROM these WHERE date = :date ORDER BY id",
    "SELECT id, date, kind FROM events WHERE date = :date AND ':date;' <> '' AND kind IS NOT NULL ORDER BY id",
    "SELECT id, date, kind FROM events WHERE date = :date AND :date = date AND '100%' <> '' ORDER BY id",
]


@pytest.mark.usefixtures("in_the_database")
@pytest.mark.parametrize("kind", OWN)
@pytest.mark.parametrize("sql", SAME)
def test_a_statement_may_be_written_in_any_way(urls: dict[str, str], kind: str, sql: str) -> None:
    database = connect(urls[kind])
    assert one(database, sql, date=DAYS[0]) == one(database, BY_DATE, date=DAYS[0])


@pytest.mark.usefixtures("in_the_database")
@pytest.mark.parametrize("kind", OWN)
def test_many_bindings_give_what_each_gives_alone(
    urls: dict[str, str], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where they need more than one statement, and where a name looks like a numbered one."""
    monkeypatch.setattr(server, "_BOUND", 6)
    sql = "SELECT id FROM events WHERE date = :date AND id > :date__1 AND :date <> :least ORDER BY id"
    values = [{"date": day, "date__1": n, "least": DAYS[2], "more": 1} for day in DAYS for n in (0, 1)]
    database = connect(urls[kind])
    statement = Statement(sql, "events.sql")
    assert database.fingerprints("Events", statement, values) == [one(database, sql, **each) for each in values]


@pytest.mark.parametrize(("kind", "statements"), [("postgresql", 1), ("duckdb", 8)])
def test_a_year_of_dates_is_asked_in_few_statements(
    urls: dict[str, str], kind: str, statements: int, asked: list[str]
) -> None:
    days = [{"date": DAYS[0] + datetime.timedelta(days=n)} for n in range(365)]
    found = connect(urls[kind]).fingerprints("Events", Statement(BY_DATE, "events.sql"), days)
    assert [fingerprint.rows for fingerprint in found] == [2, 1, *[0] * 363]
    assert len([sql for sql in asked if "count(*)" in sql]) == statements
    assert len([sql for sql in asked if "FROM events" in sql]) == statements + 1, "one more tells the columns"


@pytest.mark.usefixtures("in_the_database")
def test_many_that_take_too_long_together_are_asked_in_parts(
    urls: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the fingerprint of each is still the one that it has alone."""
    sql = "SELECT id, (SELECT 1 FROM pg_sleep(0.1)) AS slept FROM events WHERE date >= :date AND id = :id"
    values = [{"date": DAYS[0], "id": n % 4} for n in range(12)]
    alone = [one(connect(urls["postgresql"]), sql, **each) for each in values]
    monkeypatch.setenv("PGOPTIONS", "-c statement_timeout=500")
    assert connect(urls["postgresql"]).fingerprints("Events", Statement(sql, "events.sql"), values) == alone


OUTSIDE = {
    "sqlite": ["PRAGMA table_info(events)", "EXPLAIN QUERY PLAN SELECT 1", "SELECT " + ", ".join(f"{n} AS x{n}" for n in range(500))],
    "sqlite through SQLAlchemy": ["PRAGMA table_info(events)", BY_DATE.replace(":date", "'2020-01-01'")],
    "postgresql": ["SHOW server_version", "EXPLAIN SELECT 1"],
    "duckdb": ["PRAGMA database_size", "EXPLAIN SELECT 1"],
}  # fmt: skip


def test_what_cannot_stand_in_parentheses_is_fetched(database: Database, kind: str) -> None:
    for sql in OUTSIDE[kind]:
        rows = database.result("Events", Statement(sql, "events.sql"), {})
        assert one(database, sql) == fingerprint(rows)
        statement = Statement(sql, "events.sql")
        assert database.snapshot("Events", statement, statement, {}) == (rows, fingerprint(rows))


@pytest.mark.parametrize(
    "sql",
    ["SELECT * FROM nowhere", "SELECT nowhere FROM events", "SELEC 1", "SELECT (", "SELECT 1) AS t, (SELECT 2"],
)
def test_what_is_wrong_is_said_as_if_the_statement_stood_alone(database: Database, sql: str) -> None:
    statement = Statement(sql, "events.sql")
    with pytest.raises(DatabaseError) as alone:
        database.result("Events", statement, {})
    for act in (
        lambda: database.fingerprints("Events", statement, [{}]),
        lambda: database.snapshot("Events", statement, statement, {}),
    ):
        with pytest.raises(DatabaseError) as caught:
            act()
        assert str(caught.value) == str(alone.value)


def test_a_probe_that_is_wrong_is_named(database: Database) -> None:
    with pytest.raises(DatabaseError, match="refuses 'probe'"):
        database.snapshot("Events", Statement("SELECT 1", "sql"), Statement("SELECT nowhere", "probe"), {})


def test_a_snapshot_holds_the_rows_and_the_fingerprint_of_the_probe(database: Database) -> None:
    statement, probe = Statement(BY_DATE, "sql"), Statement("SELECT max(id) FROM events", "probe")
    rows, found = database.snapshot("Events", statement, probe, {"date": DAYS[0]})
    assert_frame_equal(as_frame(rows), as_frame(database.result("Events", statement, {"date": DAYS[0]})))
    assert found == one(database, probe.text)
    assert database.snapshot("Events", statement, statement, {"date": DAYS[0]})[1] == one(
        database, BY_DATE, date=DAYS[0]
    )


def test_rows_and_fingerprint_are_of_one_moment_in_postgresql(urls: dict[str, str]) -> None:
    url = urls["postgresql"]
    database, statement = connect(url), Statement("SELECT kind FROM events ORDER BY id", "sql")
    before = one(database, statement.text)
    writer = create_engine(url)

    def commit(connection: Any, cursor: Any, sent: str, *rest: Any) -> None:
        if "count(*)" in sent:
            with writer.begin() as other:
                other.execute(text("UPDATE events SET kind = kind || '!'"))

    event.listen(Engine, "before_cursor_execute", commit)
    rows, found = database.snapshot("Events", statement, statement, {})
    event.remove(Engine, "before_cursor_execute", commit)
    after = one(database, statement.text)
    with writer.begin() as other:
        other.execute(text("UPDATE events SET kind = replace(kind, '!', '')"))
    writer.dispose()
    assert [row[0] for row in rows.rows] == ["a", "", None]
    assert found == before != after


def test_rows_and_fingerprint_are_of_one_moment_in_sqlite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = sqlite3.connect(tmp_path / "acme.db", isolation_level=None)
    for sql in ("PRAGMA journal_mode = wal", *EVENTS):
        writer.execute(sql)
    database, statement = connect(f"sqlite:///{tmp_path}/acme.db"), Statement("SELECT kind FROM events", "sql")
    before, fetch = one(database, statement.text), sqlite._rows

    def fetch_then_commit(*arguments: Any) -> Any:
        rows = fetch(*arguments)
        writer.execute("UPDATE events SET kind = 'z'")
        return rows

    monkeypatch.setattr(sqlite, "_rows", fetch_then_commit)
    rows, found = database.snapshot("Events", statement, statement, {})
    writer.close()
    assert rows.rows == [("a",), ("",), (None,)]
    assert found == before != one(database, statement.text)


ZONED = (
    "SELECT timestamptz '2020-01-01 00:00:00+00' AS t, date '2020-02-01' AS d, 0.1::float8 AS f, interval '1 day' AS i"
)


@pytest.mark.parametrize(
    ("name", "value"), [("PGDATESTYLE", "SQL, DMY"), ("PGOPTIONS", "-c extra_float_digits=0 -c IntervalStyle=iso_8601")]
)
def test_how_a_machine_would_have_values_spelled_does_not_count(
    urls: dict[str, str], monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """Neither in the fingerprint nor in the rows."""
    database, statement = connect(urls["postgresql"]), Statement(ZONED, "sql")
    before = database.snapshot("Events", statement, statement, {})
    monkeypatch.setenv(name, value)
    assert connect(urls["postgresql"]).snapshot("Events", statement, statement, {}) == before


def test_another_time_zone_of_the_session_is_another_fingerprint(
    urls: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows are others, too: their times come in that zone. So it is for zones with the same hours."""
    found = []
    for zone in ("Europe/Berlin", "Europe/Paris", "UTC"):
        monkeypatch.setenv("PGTZ", zone)
        found.append(one(connect(urls["postgresql"]), ZONED))
    assert len(set(found)) == 3


def test_the_zone_of_the_machine_does_not_count_in_duckdb(urls: dict[str, str], tmp_path: Path) -> None:
    """Neither in the fingerprint nor in the rows."""
    sql = "SELECT 1 AS a, TIMESTAMPTZ '2020-01-01 00:00:00+00' AS t, CAST(TIMESTAMPTZ '2020-01-01 00:00:00+00' AS VARCHAR) AS s"
    script = (
        "import sys; from workflows.data.database import connect; from workflows.data.statement import Statement\n"
        "statement = Statement(sys.argv[2], 'sql'); print(connect(sys.argv[1]).snapshot('T', statement, statement, {}))"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", script, urls["duckdb"], sql],
            env={**os.environ, "TZ": zone},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for zone in ("UTC", "Asia/Tokyo", "America/New_York")
    }
    assert len(said) == 1


def test_a_duckdb_file_is_opened_for_reading_only(urls: dict[str, str]) -> None:
    database = connect(urls["duckdb"])
    with pytest.raises(DatabaseError, match="read-only"):
        database.result("Events", Statement("DELETE FROM events", "events.sql"), {})
    assert one(database, "SELECT * FROM events").rows == 3


def test_a_missing_duckdb_file_is_said_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError, match=r"none.duckdb"):
        one(connect(f"duckdb:///{tmp_path}/none.duckdb"), "SELECT 1")
    assert list(tmp_path.iterdir()) == []


def test_a_database_in_memory_is_opened_too() -> None:
    assert one(SqlAlchemyDatabase("duckdb:///:memory:"), "SELECT 1 AS a").rows == 1


def test_sqlite_keeps_no_rows_while_it_digests_them(tmp_path: Path) -> None:
    """Two hundred megabytes of rows go by in a few."""
    import tracemalloc

    with closing(sqlite3.connect(tmp_path / "big.db")) as connection:
        connection.execute("CREATE TABLE t (x)")
    sql = "WITH RECURSIVE n(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM n WHERE k < 2000) SELECT k, printf('%100000d', k) AS x FROM n"
    tracemalloc.start()
    found = one(connect(f"sqlite:///{tmp_path}/big.db"), sql)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.rows == 2000
    assert peak < 5_000_000
