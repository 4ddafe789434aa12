"""A catalog in a SQLite file. It is used without SQLAlchemy, whose import takes longer than a question."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from workflows.errors import CatalogError, DamagedCatalog
from workflows.store.catalog_database import Session, Values, schema, statement


@dataclass
class _SqliteSession:
    connection: sqlite3.Connection

    def run(self, name: str, values: Values | Sequence[Values] = ()) -> list[tuple[Any, ...]]:
        if isinstance(values, Mapping) or not values:
            return self.connection.execute(statement(name), values or {}).fetchall()
        self.connection.executemany(statement(name), values)
        return []


@dataclass
class SqliteFile:
    """A catalog in a SQLite file."""

    path: Path

    @property
    def place(self) -> str:
        return os.path.relpath(self.path) if self.path.is_relative_to(Path.cwd()) else str(self.path)

    def exists(self) -> bool:
        # Path.exists() raises where a folder above may not be read.
        return os.path.exists(self.path)  # noqa: PTH110

    def create(self, about: Values) -> None:
        beside = self.path.with_name(f".{self.path.name}-{uuid.uuid4().hex[:12]}")
        with self._translated(0):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            try:
                with closing(sqlite3.connect(beside, isolation_level=None)) as connection:
                    connection.execute("BEGIN")
                    for part in schema():
                        connection.execute(part)
                    connection.execute(statement("begin"), about)
                    connection.execute("COMMIT")
                    # Who reads does not wait for who writes. As the last, because a log that is not taken in is lost.
                    connection.execute("PRAGMA journal_mode = WAL")
                with self._alone():
                    if not self.path.exists():
                        # What a deleted catalog left would be taken for this one's.
                        self._move_logs(None)
                        beside.rename(self.path)
            finally:
                for ending in ("", "-journal", "-wal", "-shm"):
                    Path(f"{beside}{ending}").unlink(missing_ok=True)

    @contextlib.contextmanager
    def session(self, patience: float, writes: bool) -> Iterator[Session]:
        with self._translated(patience), self._same_file(writes), closing(self._opened(patience)) as connection:
            # A loss of power may cost the last rows, never the file.
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
            self._check(connection)
            yield _SqliteSession(connection)
            connection.execute("COMMIT")

    def put_aside(self) -> str:
        aside = self.path.with_name(f"{self.path.name}.damaged-{datetime.now(UTC):%Y-%m-%dT%H-%M-%S-%f}")
        with self._translated(0), self._alone(), contextlib.suppress(FileNotFoundError):
            self._move_logs(aside)
            self.path.rename(aside)
        return str(aside.relative_to(Path.cwd()) if aside.is_relative_to(Path.cwd()) else aside)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other processes from taking the file away, or laying it down, at the same time."""
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)

    def _move_logs(self, aside: Path | None) -> None:
        for ending in ("-wal", "-shm"):
            log = Path(f"{self.path}{ending}")
            with contextlib.suppress(FileNotFoundError):
                log.rename(f"{aside}{ending}") if aside else log.unlink()

    def _opened(self, patience: float) -> sqlite3.Connection:
        location = f"file:{quote(str(self.path))}?mode=rw"
        return sqlite3.connect(location, uri=True, timeout=patience, isolation_level=None)

    @contextlib.contextmanager
    def _same_file(self, writes: bool) -> Iterator[None]:
        """See that what is written does not go into a file that was moved aside or deleted meanwhile, and that nobody asks."""
        before = self._inode()
        yield
        if writes and self._inode() != before:
            raise CatalogError.refused(self.place, "it was replaced while it was written")

    def _inode(self) -> int:
        try:
            return self.path.stat().st_ino
        except FileNotFoundError:
            return 0

    def _check(self, connection: sqlite3.Connection) -> None:
        """See that this is a catalog: somebody else's database must not be written, nor be moved."""
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not tables:
            raise DamagedCatalog.broken(self.place, "it is empty")
        if not {"about", "artefacts", "inputs"} <= tables:
            raise CatalogError.foreign(self.place)

    @contextlib.contextmanager
    def _translated(self, patience: float) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF
            if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise CatalogError.locked(self.place, patience) from error
            if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
                raise DamagedCatalog.broken(self.place, str(error)) from error
            raise CatalogError.refused(self.place, str(error)) from error
        except OSError as error:
            raise CatalogError.refused(self.place, error.strerror or str(error)) from error
