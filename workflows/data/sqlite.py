"""SQLite files, read without SQLAlchemy."""

from __future__ import annotations

import datetime
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from workflows.data.rows import Digest, Fingerprint, Rows, fingerprint
from workflows.data.statement import Statement
from workflows.errors import DatabaseError
from workflows.identity.canonical import digest

# What the driver raises, unwrapped, for a value that the database cannot hold: a huge number, a text that is not Unicode.
UNBOUND = (OverflowError, ValueError)


@dataclass
class SqliteFile:
    """A SQLite database in a file."""

    path: Path

    tells_state = True

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
        with self._reading(task, statement) as connection:
            return _rows(connection, statement, values)

    def fingerprints(self, task: str, statement: Statement, many: Sequence[Mapping[str, Any]]) -> list[Fingerprint]:
        with self._reading(task, statement) as connection:
            return [_fingerprint(connection, statement, values) for values in many]

    def snapshot(
        self,
        task: str,
        statement: Statement,
        probe: Statement,
        values: Mapping[str, Any],
        lap: Callable[[str], object] = lambda part: None,
    ) -> tuple[Rows, Fingerprint]:
        with self._reading(task, statement) as connection:
            rows = _rows(connection, statement, values)
            lap("database")
            with self._translated(task, probe):
                digested = _fingerprint(connection, probe, values)
            lap("fingerprint")
            return rows, digested

    def check(self, task: str, statement: Statement, values: Mapping[str, Any]) -> None:
        self.result(task, Statement(f"EXPLAIN {statement.text}", statement.name), values)

    @contextmanager
    def _reading(self, task: str, statement: Statement) -> Iterator[sqlite3.Connection]:
        """A connection that sees the data of one moment; what it raises is said as this statement's."""
        self._existing()
        # Read-only by the database's own means: no statement of a pipeline can write.
        address = f"file:{quote(str(self.path.resolve()))}?mode=ro"
        # A connection for each use takes a tenth of a millisecond, and none can cross the fork of a worker.
        with (
            self._translated(task, statement),
            closing(sqlite3.connect(address, uri=True, isolation_level=None)) as connection,
        ):
            connection.execute("BEGIN")
            yield connection

    @contextmanager
    def _translated(self, task: str, statement: Statement) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, sqlite3.Warning, *UNBOUND) as error:
            raise DatabaseError.statement(task, statement.name, self.place, str(error)) from error

    def _existing(self) -> None:
        if not self.path.is_file():
            raise DatabaseError.missing(self.place)


def _rows(connection: sqlite3.Connection, statement: Statement, values: Mapping[str, Any]) -> Rows:
    cursor = connection.execute(statement.text, iso(values))
    return Rows(tuple(column[0] for column in cursor.description or ()), cursor.fetchall())


def _fingerprint(connection: sqlite3.Connection, statement: Statement, values: Mapping[str, Any]) -> Fingerprint:
    """The fingerprint by an aggregate, to which SQLite hands row after row; equal to that of the rows fetched."""
    try:
        head = connection.execute(f"SELECT * FROM (\n{statement.inner}\n) LIMIT 0", iso(values))  # noqa: S608 - the pipeline's own
        columns = tuple(column[0] for column in head.description)
        made: list[Digest] = []

        def begun() -> Digest:
            made.append(Digest(columns))
            return made[-1]

        connection.create_aggregate("parcours_digest", len(columns), begun)
        # Columns go by place: a name may come twice. An ORDER BY below an aggregate of unknown kind is kept.
        names = ", ".join(f"c{n}" for n in range(len(columns)))
        connection.execute(
            f"WITH parcours_rows({names}) AS (\n{statement.inner}\n) SELECT parcours_digest({names}) FROM parcours_rows",  # noqa: S608
            iso(values),
        ).fetchall()
    except (sqlite3.Error, sqlite3.Warning):
        # It cannot stand in parentheses (PRAGMA, EXPLAIN), has too many columns for an aggregate, or is wrong: then it
        # says so itself.
        return fingerprint(_rows(connection, statement, values))
    return (made or [Digest(columns)])[-1].fingerprint


def iso(values: Mapping[str, Any]) -> dict[str, Any]:
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
