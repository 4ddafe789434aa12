"""Large results of PostgreSQL, copied as Arrow: the same table, to the byte, as row by row, on a real server."""

from __future__ import annotations

import datetime
import decimal
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy import create_engine, text

from workflows.data import copying
from workflows.data.database import connect
from workflows.data.rows import Found, Rows
from workflows.data.statement import Statement
from workflows.data.tables import as_frame, as_table, write_table
from workflows.errors import DatabaseError

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def url(postgres: Callable[[str], str]) -> str:
    url = postgres("copying")
    run(
        url,
        "CREATE TABLE events (id integer, date date, kind text, code char(3), tag varchar(9), price numeric(10, 2), value real)",
        "INSERT INTO events VALUES (1, '2020-01-01', 'a', 'a', 'x', 1.5, 0.1), (2, '2020-01-02', 'ü''; --', 'bc', '', NULL, NULL)",
    )
    return url


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """However few rows there are, they are copied."""
    monkeypatch.setattr(copying, "LARGE", 0)


def run(url: str, *statements: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def taken(url: str, sql: str, **values: Any) -> Found:
    statement = Statement(sql, "events.sql")
    return connect(url).snapshot("Events", statement, statement, values)[0]


def fetched(url: str, sql: str, **values: Any) -> Rows:
    return connect(url).result("Events", Statement(sql, "events.sql"), values)


def stored(folder: Path, found: Found) -> bytes:
    write_table("Events", as_table(found, None), folder / "table.parquet")
    return (folder / "table.parquet").read_bytes()


def assert_copied_as_fetched(folder: Path, url: str, sql: str, **values: Any) -> pa.Table:
    """The statement is copied, and what is stored of it is what is stored of the rows."""
    found, rows = taken(url, sql, **values), fetched(url, sql, **values)
    assert isinstance(found, pa.Table), "it was not copied"
    assert found.schema.equals(pa.Table.from_pandas(as_frame(rows)).schema)
    pd.testing.assert_frame_equal(as_frame(found), as_frame(rows))
    assert stored(folder, found) == stored(folder, rows)
    return found


ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
NAIVE = st.datetimes(datetime.datetime(1800, 1, 1), datetime.datetime(2300, 1, 1))
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "boolean": st.booleans(),
    "smallint": st.integers(-(2**15), 2**15 - 1),
    "integer": st.integers(-(2**31), 2**31 - 1),
    "bigint": st.integers(-(2**63), 2**63 - 1),
    "real": st.floats(width=32) | st.sampled_from([0.1, 1e-45, 3.4028235e38, -0.0]),
    "double precision": st.floats(),
    "numeric": st.decimals(allow_nan=False, allow_infinity=False)
    | st.decimals(-10, 10, places=3)
    | st.sampled_from([decimal.Decimal("NaN"), decimal.Decimal("1E+400")]),
    "numeric(12, 4)": st.decimals(-(10**7), 10**7, places=4),
    "text": ANY_TEXT,
    "varchar": ANY_TEXT,
    "char(9)": ANY_TEXT,
    "bytea": st.binary(max_size=9),
    "date": st.dates(datetime.date(2, 1, 1), datetime.date(9998, 12, 31)),
    "timestamp": NAIVE,
    "timestamptz": st.datetimes(
        datetime.datetime(1800, 1, 1), datetime.datetime(2300, 1, 1), timezones=st.just(datetime.UTC)
    ),
}


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[str], list[list[Any]]]:
    """The types of a few columns, and some rows of them, with what is missing."""
    kinds = draw(st.lists(st.sampled_from(sorted(VALUES)), min_size=1, max_size=6))
    values = [st.none() | VALUES[kind] if draw(st.booleans()) else VALUES[kind] for kind in kinds]
    return kinds, draw(st.lists(st.tuples(*values).map(list), max_size=8))


@pytest.fixture(params=["UTC", "Europe/Berlin", "Etc/UTC", "America/New_York"])
def zoned(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGTZ", request.param)


@pytest.mark.usefixtures("always", "zoned")
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tables())
def test_any_table_comes_as_it_does_row_by_row(
    tmp_path: Path, url: str, table: tuple[list[str], list[list[Any]]]
) -> None:
    kinds, rows = table
    engine = create_engine(url)
    names = [f"c{n}" for n in range(len(kinds))]
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE IF EXISTS any_table"))
        columns = ", ".join(f"{name} {kind}" for name, kind in zip(names, kinds, strict=True))
        connection.execute(text(f"CREATE TABLE any_table (place integer, {columns})"))
        casts = ", ".join(f"CAST(:{name} AS {kind})" for name, kind in zip(names, kinds, strict=True))
        for place, row in enumerate(rows):
            bound = dict(zip(names, row, strict=True)) | {"place": place}
            connection.execute(text(f"INSERT INTO any_table VALUES (:place, {casts})"), bound)
    engine.dispose()
    assert_copied_as_fetched(tmp_path, url, f"SELECT {', '.join(names)} FROM any_table ORDER BY place")


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1 AS a, 'x' AS b, NULL AS c",
        "SELECT 1::bigint AS a WHERE false",
        "SELECT 'NaN'::float8 AS a, 'NaN'::numeric AS b, 'Infinity'::numeric AS c, '-Infinity'::real AS d, 'NaN'::real AS e",
        "SELECT a FROM (VALUES ('NaN'::float8), (NULL)) AS t(a)",
        "SELECT a FROM (VALUES (9223372036854775807), (NULL)) AS t(a)",
        "SELECT 123456789012345678901234567890.123456789 AS a, 1e-300::numeric AS b",
        "SELECT 'n'::name AS a, relname FROM pg_class WHERE relname = 'events'",
        "SELECT n AS a, n % 7 AS b, repeat('x', n % 9) AS c FROM generate_series(1, 150000) AS n ORDER BY n",
        'SELECT 1 AS "Größe :x", \'50%(x)s :x\' AS "b\'" -- :x\n;',
    ],
)
def test_what_is_rare_comes_as_it_does_row_by_row(tmp_path: Path, url: str, sql: str) -> None:
    assert_copied_as_fetched(tmp_path, url, sql)


OTHERS = [
    "SELECT '5e0d8d3c-1f0f-4a0e-8f63-b4a1c9f3d6a1'::uuid AS a",
    "SELECT '{\"a\": [1]}'::jsonb AS a",
    "SELECT '{\"a\": 1}'::json AS a",
    "SELECT ARRAY[1, 2] AS a",
    "SELECT interval '1 day' AS a",
    "SELECT time '12:00' AS a",
    "SELECT '1.2.3.4'::inet AS a",
    "SELECT ROW(1, 'x') AS a",
    "SELECT 1 AS a, 2 AS a",
    "SELECT '$1'::money AS a",
    "SELECT 12::oid AS a",
]


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("sql", OTHERS)
def test_a_type_that_arrow_has_in_another_way_is_fetched(url: str, sql: str) -> None:
    found = taken(url, sql)
    assert isinstance(found, Rows)
    assert found == fetched(url, sql)


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize(
    "value", ["'infinity'::date", "'-infinity'::timestamp", "'infinity'::timestamptz", "date '0044-03-15 BC'"]
)
def test_a_date_that_python_does_not_have_is_refused_as_ever(url: str, value: str) -> None:
    said = []
    for ask in (fetched, taken):
        with pytest.raises(DatabaseError, match=r"too (large|small)|BC") as caught:
            ask(url, f"SELECT {value} AS a")
        said.append(str(caught.value))
    assert said[0] == said[1]


DAY = datetime.date(2020, 1, 1)


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize(
    ("where", "values", "rows"),
    [
        ("date = :x", {"x": DAY}, 1),
        ("date = :x", {"x": "2020-01-01"}, 1),
        ("date >= :x AND date < :y", {"x": DAY, "y": datetime.date(2020, 1, 3)}, 2),
        ("kind = :x", {"x": "ü'; --"}, 1),
        ("tag = :x", {"x": ""}, 1),
        ("code = :x", {"x": "a "}, 1),
        ("kind = :x", {"x": "a "}, 0),
        ("id = :x", {"x": 1}, 1),
        ("id < :x", {"x": 2**40}, 2),
        ("price = :x", {"x": decimal.Decimal("1.5")}, 1),
        ("value = :x", {"x": 0.1}, 0),
        ("date < :x", {"x": datetime.datetime(2020, 1, 1, 12)}, 1),
        ("date < :x", {"x": datetime.datetime(2020, 1, 1, 12, tzinfo=datetime.UTC)}, 1),
        ("id > 0 LIMIT :x", {"x": 1}, 1),
        ("(id = 1) = :x", {"x": True}, 1),
        ("date = :x OR date = CAST(:x AS date) + 1", {"x": DAY}, 2),
        ("kind || ':x' <> :x -- :y", {"x": "a:x"}, 1),
    ],
)
def test_values_are_bound_as_ever(tmp_path: Path, url: str, where: str, values: dict[str, Any], rows: int) -> None:
    found = assert_copied_as_fetched(tmp_path, url, f"SELECT * FROM events WHERE {where}", **values, more=1)
    assert len(found) == rows


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize(
    ("sql", "values"),
    [
        ("SELECT id FROM events WHERE id = ANY(:x)", {"x": [1, 2]}),
        ("SELECT id, CAST(:x AS text) AS x FROM events", {"x": None}),
    ],
)
def test_a_value_that_has_no_text_of_its_own_is_bound_in_the_other_way(
    url: str, sql: str, values: dict[str, Any]
) -> None:
    found = taken(url, sql, **values)
    assert isinstance(found, Rows)
    assert len(found) == 2


@pytest.mark.usefixtures("always")
def test_rows_and_fingerprint_are_of_one_moment_though_by_two_connections(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, statement = connect(url), Statement("SELECT kind FROM events ORDER BY id", "sql")
    before, copied = database.fingerprints("Events", statement, [{}])[0], copying.copied

    def commit_then_copy(*arguments: Any) -> Any:
        run(url, "UPDATE events SET kind = kind || '!'")
        return copied(*arguments)

    monkeypatch.setattr(copying, "copied", commit_then_copy)
    rows, found = database.snapshot("Events", statement, statement, {})
    after = database.fingerprints("Events", statement, [{}])[0]
    run(url, "UPDATE events SET kind = replace(kind, '!', '')")
    assert rows["kind"].to_pylist() == ["a", "ü'; --"]
    assert found == before != after


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("way", ["no driver", "no second connection", "no snapshot"])
def test_where_it_cannot_be_copied_it_is_fetched(url: str, monkeypatch: pytest.MonkeyPatch, way: str) -> None:
    if way == "no driver":
        monkeypatch.setitem(sys.modules, "adbc_driver_postgresql", None)
    if way == "no second connection":
        monkeypatch.setattr(copying, "_address", lambda _: "host=127.0.0.1 port=1 password=secret")
    if way == "no snapshot":
        monkeypatch.setattr(copying, "_begin", lambda _: ["SET TRANSACTION SNAPSHOT '00000009-00000009-9'"])
    statement = Statement("SELECT * FROM events", "sql")
    found, digested = connect(url).snapshot("Events", statement, statement, {})
    assert found == fetched(url, statement.text)
    assert digested == connect(url).fingerprints("Events", statement, [{}])[0]


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize(
    "sql", ["SELECT 1 / (id - 2) AS a FROM events ORDER BY id", "SELECT nowhere FROM events", "SELECT ("]
)
def test_what_the_database_refuses_is_said_as_ever(url: str, sql: str) -> None:
    said = []
    for ask in (fetched, taken):
        with pytest.raises(DatabaseError) as caught:
            ask(url, sql)
        said.append(str(caught.value))
    assert said[0] == said[1]


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("SELECT n, 1 / (n - 60000) AS a FROM generate_series(1, 100000) AS n", "division by zero"),
        ("SELECT n, CASE n WHEN 60000 THEN pg_sleep(2)::text END AS a FROM generate_series(1, 100000) AS n", "timeout"),
    ],
)
def test_what_fails_after_many_rows_is_said_as_ever(
    url: str, monkeypatch: pytest.MonkeyPatch, sql: str, why: str
) -> None:
    """Where a probe stands for the rows, the copy is the first to meet it."""
    monkeypatch.setenv("PGOPTIONS", "-c statement_timeout=1000")
    with pytest.raises(DatabaseError, match=rf"^Events: .* refuses 'sql': .*{why}"):
        connect(url).snapshot("Events", Statement(sql, "sql"), Statement("SELECT 1", "probe"), {})


@pytest.mark.usefixtures("always")
def test_the_time_that_a_statement_may_take_holds_for_the_copy(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGOPTIONS", "-c statement_timeout=200")
    with pytest.raises(DatabaseError, match="statement timeout"):
        taken(url, "SELECT id, pg_sleep(0.3)::text AS a FROM events")


@pytest.mark.usefixtures("always")
def test_a_copy_leaves_no_connection_and_works_in_a_fork(url: str) -> None:
    def one() -> Found:
        return taken(
            url, "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = 'copying' AND pid <> pg_backend_pid()"
        )

    found = one()
    pid = os.fork()
    if pid == 0:
        os._exit(0 if one() == found else 1)
    assert os.waitpid(pid, 0)[1] == 0
    assert one() == found
    assert found["n"].to_pylist() == [1], "only the one that its transaction is from"


def test_a_small_result_is_fetched_by_the_connection_that_there_is(url: str) -> None:
    assert isinstance(taken(url, "SELECT * FROM events"), Rows)
    assert isinstance(taken(url, f"SELECT n FROM generate_series(1, {copying.LARGE}) AS n"), pa.Table)


def test_a_query_stores_what_was_copied(pipeline: Any, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARCOURS_DATABASE", url)
    source = "class Large(Query):\n    sql = 'SELECT n AS id, n / 2.0 AS value FROM generate_series(1, 20000) AS n ORDER BY n'\n"
    task = pipeline.load(source).Large()
    assert pipeline.build(task)
    table = pd.read_parquet(pipeline.files(task) / "table.parquet")
    assert (len(table), table.value.sum()) == (20_000, 100_005_000.0)
    pd.testing.assert_frame_equal(task.rows_now(), table)
