"""Real databases: what both ways into one promise, and what only a SQLite file can tell."""

from __future__ import annotations

import datetime
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from workflows.data.database import Database, connect
from workflows.data.rows import Rows, fingerprint
from workflows.data.server import SqlAlchemyDatabase
from workflows.data.sqlite import SqliteFile
from workflows.data.statement import Statement
from workflows.errors import DatabaseError

pytestmark = pytest.mark.integration


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "acme é ?#.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE events (id INTEGER, date TEXT, value REAL, kind TEXT, data BLOB)")
        rows = [
            (1, "2020-01-01", 1.0, "a:b", b"\x00\xff"),
            (2, "2020-01-01", 2.5, None, None),
            (3, "2020-01-02", 9e999, "ü", b""),
        ]
        connection.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?)", rows)
    return path


@pytest.fixture(params=[SqliteFile, SqlAlchemyDatabase])
def database(request: pytest.FixtureRequest, path: Path) -> Iterator[Database]:
    """The same file, opened in both ways."""
    if request.param is SqliteFile:
        yield SqliteFile(path)
    else:
        quoted = path.rename(path.with_name("acme.db"))
        yield SqlAlchemyDatabase(f"sqlite:///{quoted}")


def ask(database: Database, sql: str, **values: Any) -> Any:
    return database.result("Events 2020-01-01", Statement(sql, "events.sql"), values)


def test_rows_come_with_their_columns_in_order(database: Database) -> None:
    found = ask(database, "SELECT id, value AS v FROM events WHERE date = :date ORDER BY id", date="2020-01-01")
    assert found.columns == ("id", "v")
    assert found.rows == [(1, 1.0), (2, 2.5)]
    assert type(found.rows[0]) is tuple


def test_values_keep_their_types(database: Database) -> None:
    found = ask(database, "SELECT * FROM events ORDER BY id")
    assert found.rows[0] == (1, "2020-01-01", 1.0, "a:b", b"\x00\xff")
    assert [type(value) for value in found.rows[0]] == [int, str, float, str, bytes]
    assert found.rows[1][3:] == (None, None)
    assert found.rows[2][2] == float("inf")


def test_a_statement_without_rows_has_columns(database: Database) -> None:
    assert ask(database, "SELECT id FROM events WHERE id > 9") == Rows(("id",), [])


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        (datetime.date(2020, 1, 1), "2020-01-01"),
        (datetime.datetime(2020, 1, 1, 12, 30), "2020-01-01T12:30:00"),
        ("it's; DROP TABLE events --", "it's; DROP TABLE events --"),
        ("ü", "ü"),
        (1, 1),
        (1.5, 1.5),
        (True, 1),
        (None, None),
    ],
)
def test_values_are_bound(database: Database, value: object, seen: object) -> None:
    assert ask(database, "SELECT :value", value=value).rows == [(seen,)]
    assert len(ask(database, "SELECT * FROM events").rows) == 3


@pytest.mark.parametrize(
    ("sql", "seen"),
    [
        ("SELECT ':date'", ":date"),
        ("SELECT 'a::date \\:x \\\\:y \\'", "a::date \\:x \\\\:y \\"),
        ("SELECT '12:30' -- at 12:30 :nobody", "12:30"),
        ("SELECT /* :nobody */ 1", 1),
        ("SELECT '50%' || '%(x)s'", "50%%(x)s"),
        ('SELECT ":x" FROM (SELECT 7 AS ":x")', 7),
        ("SELECT 1;", 1),
    ],
)
def test_what_is_quoted_or_a_comment_is_not_bound(database: Database, sql: str, seen: object) -> None:
    assert ask(database, sql).rows == [(seen,)]


def test_values_that_are_not_asked_for_do_no_harm(database: Database) -> None:
    assert ask(database, "SELECT 1", more=("a", "tuple"), date=datetime.date(2020, 1, 1)).rows == [(1,)]


@pytest.mark.parametrize(
    ("sql", "values", "why"),
    [
        ("SELECT * FROM nowhere", {}, "no such table: nowhere"),
        ("SELECT nowhere FROM events", {}, "no such column: nowhere"),
        ("SELEC 1", {}, 'near "SELEC": syntax error'),
        ("SELECT (", {}, "incomplete input"),
        ("SELECT 1; SELECT 2", {}, "one statement at a time"),
        ("SELECT :value", {"value": ("a", "b")}, ""),
        ("SELECT :value", {"value": 2**64}, "too large"),
        ("SELECT :value", {"value": "\ud800"}, "surrogates not allowed"),
        ("SELECT :value", {}, ""),
        ("SELECT abs(-9223372036854775808)", {}, "integer overflow"),
    ],
)
def test_what_the_database_refuses_names_task_file_place_and_cause(
    database: Database, sql: str, values: dict[str, Any], why: str
) -> None:
    with pytest.raises(DatabaseError) as caught:
        ask(database, sql, **values)
    for part in ("Events 2020-01-01", database.place, "events.sql"):
        assert part in str(caught.value)
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO events (id) VALUES (4)",
        "UPDATE events SET id = 7",
        "DELETE FROM events",
        "DROP TABLE events",
        "CREATE TABLE more (id)",
        "INSERT INTO events (id) VALUES (4) RETURNING id",
        "PRAGMA user_version = 7",
    ],
)
def test_a_statement_that_writes_is_refused(database: Database, sql: str) -> None:
    before = ask(database, "SELECT * FROM events").rows
    with pytest.raises(DatabaseError, match=r"refuses .*events.sql.*(readonly|read-only)"):
        ask(database, sql)
    assert ask(database, "SELECT * FROM events").rows == before
    assert ask(database, "SELECT count(*) FROM sqlite_master").rows == [(1,)]


def test_a_statement_is_checked_without_being_run(database: Database) -> None:
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x, :date FROM n"
    database.check("Events", Statement(endless, "events.sql"), {"date": None})
    with pytest.raises(DatabaseError, match="no such column: nowhere"):
        database.check("Events", Statement("SELECT nowhere FROM events", "events.sql"), {})


def test_a_result_sees_what_was_committed_since(database: Database, path: Path) -> None:
    before = fingerprint(ask(database, "SELECT * FROM events"))
    file = path if path.exists() else path.with_name("acme.db")
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE events SET kind = 'z' WHERE id = 2")
    assert fingerprint(ask(database, "SELECT * FROM events")) != before


def test_both_ways_see_the_same(path: Path) -> None:
    plain = path.rename(path.with_name("plain.db"))
    file, engine = SqliteFile(plain), SqlAlchemyDatabase(f"sqlite:///{plain}")
    sql = "SELECT *, date(:day) AS day FROM events ORDER BY id"
    found = [ask(database, sql, day=datetime.date(2020, 1, 1)) for database in (file, engine)]
    assert found[0] == found[1]
    assert fingerprint(found[0]) == fingerprint(found[1])


def test_a_connection_does_not_cross_a_fork(database: Database) -> None:
    ask(database, "SELECT 1")
    pid = os.fork()
    if pid == 0:
        try:
            found = ask(database, "SELECT count(*) FROM events").rows
            os._exit(0 if found == [(3,)] else 1)
        finally:
            os._exit(2)
    assert os.waitpid(pid, 0)[1] == 0
    assert ask(database, "SELECT count(*) FROM events").rows == [(3,)]


def test_a_missing_file_is_said_and_not_made(tmp_path: Path) -> None:
    database = connect(f"sqlite:///{tmp_path}/none.db")
    for act in (database.state, lambda: ask(database, "SELECT 1")):
        with pytest.raises(
            DatabaseError, match=r"there is no database at .*/none.db\. The example database is made by"
        ):
            act()
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_no_database_is_said(tmp_path: Path) -> None:
    (tmp_path / "acme.db").write_text("This is no database at all. " * 50)
    with pytest.raises(DatabaseError, match="file is not a database"):
        ask(connect(f"sqlite:///{tmp_path}/acme.db"), "SELECT 1 FROM events")


def test_text_that_is_not_unicode_is_said(path: Path) -> None:
    database = SqliteFile(path)
    with pytest.raises(DatabaseError, match="Could not decode to UTF-8"):
        ask(database, "SELECT CAST(x'ff' AS TEXT)")


Commit = Callable[[str], None]


@pytest.fixture(params=["delete", "wal"])
def commit(request: pytest.FixtureRequest, path: Path) -> Iterator[Commit]:
    """Commits a statement from a writer that stays open, in both journal modes."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(f"PRAGMA journal_mode = {request.param}")
    connection.execute("PRAGMA synchronous = OFF")
    yield lambda statement: connection.execute(statement) and None
    connection.close()


def test_the_state_changes_with_every_commit(path: Path, commit: Commit) -> None:
    """Also where commits fall into one tick of the file system's clock, and write in places that were written before."""
    database = SqliteFile(path)
    states = [database.state()]
    for n in range(60):
        commit(f"UPDATE events SET value = {n} WHERE id = 1")
        if n % 20 == 10:
            commit("PRAGMA wal_checkpoint(RESTART)")
        states.append(database.state())
    assert all(one != other for one, other in pairwise(states))


def test_the_state_changes_where_the_clock_stands_still(path: Path) -> None:
    """Two commits in one tick, over parts of a write-ahead log that were written before: only its index tells."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = wal")
    for n in range(20):
        connection.execute(f"UPDATE events SET value = {n} WHERE id = 1")
    connection.execute("PRAGMA wal_checkpoint(RESTART)")
    log, seen = Path(f"{path}-wal"), []
    for n in range(5):
        connection.execute(f"UPDATE events SET value = {100 + n} WHERE id = 1")
        os.utime(log, ns=(1, 1))
        seen.append((log.stat().st_size, SqliteFile(path).state()))
    connection.close()
    assert len({size for size, _ in seen}) == 1
    assert len({state for _, state in seen}) == 5


def test_reading_leaves_the_state_as_it_is(path: Path, commit: Commit) -> None:
    commit("UPDATE events SET value = 7 WHERE id = 1")
    database = SqliteFile(path)
    before = database.state()
    assert len(ask(database, "SELECT * FROM events").rows) == 3
    assert database.state() == before


def test_reading_a_log_that_nobody_writes_leaves_the_state_as_it_is(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = wal")
    database = SqliteFile(path)
    before = database.state()
    assert len(ask(database, "SELECT * FROM events").rows) == 3
    assert database.state() == before
    assert database.state() == before


def test_the_state_is_the_same_for_every_process(path: Path) -> None:
    assert SqliteFile(path).state() == SqliteFile(path).state()


def test_a_database_that_cannot_tell_its_state_says_so() -> None:
    assert SqlAlchemyDatabase("postgresql://u@h/d").state() == ""
