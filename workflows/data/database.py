"""The company's databases, opened for reading only."""

from __future__ import annotations

import datetime
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from workflows.data.statement import Statement
from workflows.errors import DatabaseError
from workflows.identity.canonical import digest

Row = tuple[Any, ...]

# What drivers raise, unwrapped, for a value that the database cannot hold: a huge number, a text that is not Unicode.
_UNBOUND = (OverflowError, ValueError)
# How a database is told that nothing of this transaction may write.
_READ_ONLY = {"sqlite": "PRAGMA query_only = ON", "postgresql": "SET TRANSACTION READ ONLY"}


@dataclass(frozen=True)
class Rows:
    """What a statement gave."""

    columns: tuple[str, ...]
    """The columns' names, in order."""
    rows: list[Row]
    """The rows, in the database's order; values as its driver gives them."""


class Database(Protocol):
    """A database as the queries need it."""

    @property
    def place(self) -> str:
        """What the user may read of where it is: never a password."""

    def state(self) -> str:
        """A text that changes with any change of the data, or '' where that cannot be told cheaply."""

    def result(self, task: str, statement: Statement, values: Mapping[str, Any]) -> Rows:
        """Run a statement with its bound values; raises DatabaseError."""

    def check(self, task: str, statement: Statement, values: Mapping[str, Any]) -> None:
        """Have the database read a statement without running it; raises DatabaseError."""


def connect(url: str) -> Database:
    """The database of an SQLAlchemy URL. SQLite files are opened without SQLAlchemy, which takes 0.2 s to import."""
    scheme, _, path = url.partition(":///")
    if scheme == "sqlite" and path and "?" not in path and path != ":memory:":
        return SqliteFile(Path(path))
    return SqlAlchemyDatabase(url)


@dataclass
class SqliteFile:
    """A SQLite database in a file."""

    path: Path

    @property
    def place(self) -> str:
        return str(self.path)

    def state(self) -> str:
        self._existing()
        # The change counter in the header tells commits apart that fall into one tick of the file system's clock.
        return digest([str(self.path), _bytes(self.path, 24, 28), *_stat(self.path), *self._log()])

    def _log(self) -> list[Any]:
        """The write-ahead log, where there is one: its size and time, and the head of its index, which counts commits.

        Reading makes an empty log, and may change its owner, so neither counts.
        """
        size, written = _stat(Path(f"{self.path}-wal"))[1:3] or (0, 0)
        return [size, written, _bytes(Path(f"{self.path}-shm"), 0, 48)] if size else []

    def result(self, task: str, statement: Statement, values: Mapping[str, Any]) -> Rows:
        try:
            # A connection for each statement takes a tenth of a millisecond, and none can cross the fork of a worker.
            with closing(self._opened()) as connection:
                cursor = connection.execute(statement.text, _iso(values))
                columns = tuple(column[0] for column in cursor.description or ())
                return Rows(columns, cursor.fetchall())
        except (sqlite3.Error, sqlite3.Warning, *_UNBOUND) as error:
            raise DatabaseError.statement(task, statement.name, self.place, str(error)) from error

    def check(self, task: str, statement: Statement, values: Mapping[str, Any]) -> None:
        self.result(task, Statement(f"EXPLAIN {statement.text}", statement.name), values)

    def _existing(self) -> None:
        if not self.path.is_file():
            raise DatabaseError.missing(self.place)

    def _opened(self) -> sqlite3.Connection:
        self._existing()
        # Read-only by the database's own means: no statement of a pipeline can write.
        return sqlite3.connect(f"file:{quote(str(self.path.resolve()))}?mode=ro", uri=True)


@dataclass
class SqlAlchemyDatabase:
    """Any database that SQLAlchemy speaks to."""

    url: str
    _engine: Any = field(default=None, init=False)

    @property
    def place(self) -> str:
        from sqlalchemy import make_url
        from sqlalchemy.exc import ArgumentError

        try:
            return make_url(self.url).render_as_string(hide_password=True)
        except (ArgumentError, ValueError) as error:
            raise DatabaseError.unusable(self.url.partition(":")[0], "its URL is not understood") from error

    def state(self) -> str:
        return ""

    def result(self, task: str, statement: Statement, values: Mapping[str, Any]) -> Rows:
        from sqlalchemy import text
        from sqlalchemy.exc import SQLAlchemyError

        try:
            with self._open().connect() as connection:
                bound = {name: values[name] for name in statement.binds if name in values}
                bound = _iso(bound) if connection.dialect.name == "sqlite" else bound
                if guard := _READ_ONLY.get(connection.dialect.name):
                    connection.execute(text(guard))
                found = connection.execute(text(statement.escaped), bound)
                return Rows(tuple(found.keys()), [tuple(row) for row in found])
        except (SQLAlchemyError, *_UNBOUND) as error:
            cause = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
            raise DatabaseError.statement(task, statement.name, self.place, cause) from error

    def check(self, task: str, statement: Statement, values: Mapping[str, Any]) -> None:
        self.result(task, Statement(f"EXPLAIN {statement.text}", statement.name), values)

    def _open(self) -> Any:
        if self._engine is None:
            from sqlalchemy import create_engine
            from sqlalchemy.exc import ArgumentError, NoSuchModuleError
            from sqlalchemy.pool import NullPool

            try:
                # No pool: workers fork, and a connection must not be shared by two processes.
                self._engine = create_engine(self.url, poolclass=NullPool)
            except (ArgumentError, NoSuchModuleError, ImportError, ValueError) as error:
                raise DatabaseError.unusable(self.place, str(error)) from error
        return self._engine


def _iso(values: Mapping[str, Any]) -> dict[str, Any]:
    """SQLite has no dates: they are bound as ISO text."""
    return {name: value.isoformat() if isinstance(value, datetime.date) else value for name, value in values.items()}


def _stat(path: Path) -> list[int]:
    try:
        found = path.stat()
    except FileNotFoundError:
        return []
    return [found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns]


def _bytes(path: Path, start: int, stop: int) -> str:
    """Some bytes of a file as text; none where it does not exist."""
    try:
        with path.open("rb") as file:
            return file.read(stop)[start:].hex()
    except FileNotFoundError:
        return ""


def fingerprint(result: Rows) -> str:
    """The exact fingerprint of a result: a digest over its columns and every value, in order."""
    return digest([list(result.columns), [[_spelled(value) for value in row] for row in result.rows]])


def _spelled(value: Any) -> Any:
    if value is None or type(value) in (int, str, bool):
        return value
    if type(value) is float:
        return value if value - value == 0 else ["float", str(value)]
    if isinstance(value, bytes | bytearray | memoryview):
        return [type(value).__name__, value.hex()]
    return [type(value).__name__, str(value)]
