"""The database of the requests: a SQLite file on a disk of this machine, opened for each question."""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import Any

from workflows.errors import RequestError

FORMAT = 1
"""Of the tables; a later Parcours tells by it what to change."""
_FILE = Path(__file__).with_name("requests.sql")
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_PATIENCE = 20.0
"""Seconds that others are waited for."""


class Database:
    """The file, and its transactions."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._made: tuple[int, int] | None = None
        """The file that is known to have its tables."""

    @contextlib.contextmanager
    def session(self, writes: bool = False) -> Iterator[Session]:
        """One transaction; what it wrote is on the disk when it ends. Raises RequestError."""
        try:
            with closing(self._opened()) as connection:
                connection.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
                yield Session(connection)
                connection.execute("COMMIT")
        except sqlite3.IntegrityError:
            # A wrong value is the fault of who asks, not of the file.
            raise
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", None) in _DAMAGED:
                raise RequestError.damaged(str(self.path), str(error)) from error
            raise RequestError.unusable(str(self.path), str(error)) from error
        except OSError as error:
            raise RequestError.unusable(str(self.path), error.strerror or str(error)) from error

    def _opened(self) -> sqlite3.Connection:
        if self._made is None or self.file() != self._made:
            self._make()
        connection = sqlite3.connect(self.path, timeout=_PATIENCE, isolation_level=None)
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    def _make(self) -> None:
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Its owner's only, as the accounts: values may be nobody else's business.
        self.path.touch(mode=0o600)
        with closing(sqlite3.connect(self.path, timeout=_PATIENCE, isolation_level=None)) as connection:
            found = connection.execute("PRAGMA user_version").fetchone()[0]
            if found > FORMAT:
                raise RequestError.later(str(self.path), found, FORMAT)
            connection.execute("PRAGMA journal_mode = WAL")
            if found < FORMAT:
                connection.execute("BEGIN IMMEDIATE")
                for name in _statements():
                    if name.endswith("_table") or name.startswith("by_"):
                        connection.execute(statement(name))
                connection.execute(f"PRAGMA user_version = {FORMAT}")
                connection.execute("COMMIT")
        self._made = self.file()

    def file(self) -> tuple[int, int] | None:
        """Which file it is; None where there is none."""
        with contextlib.suppress(FileNotFoundError):
            found = os.stat(self.path)  # noqa: PTH116 - for each question
            return found.st_dev, found.st_ino
        return None


class Session:
    """One transaction."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def run(self, name: str, **values: object) -> list[tuple[Any, ...]]:
        """Run a statement of requests.sql with its values; returns the rows."""
        return self._connection.execute(statement(name), values).fetchall()

    def add(self, values: Mapping[str, object]) -> None:
        """Add a row of all its columns."""
        self._connection.execute(statement("add"), values)


def statement(name: str) -> str:
    """A statement of requests.sql by its name."""
    return _statements()[name]


@cache
def _statements() -> dict[str, str]:
    _, *blocks = re.split(r"^-- name: (\w+)\n", _FILE.read_text(encoding="utf-8"), flags=re.M)
    return dict(zip(blocks[::2], blocks[1::2], strict=True))
