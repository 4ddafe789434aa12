"""A catalog on a server that several machines share: PostgreSQL, through SQLAlchemy."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from workflows.errors import CatalogError
from workflows.passwords import masked
from workflows.store.catalog_database import Session, Values, schema, statement

_ANSWER_WITHIN = 5
_LOCK_NOT_AVAILABLE = "55P03"
_TABLES = ("about", "artefacts", "inputs", "reports", "terms", "postings")


@dataclass
class _SqlAlchemySession:
    connection: Any

    def run(self, name: str, values: Values | Sequence[Values] = ()) -> list[tuple[Any, ...]]:
        from sqlalchemy import text

        found = self.connection.execute(text(statement(name)), values or None)
        return [tuple(row) for row in found] if found.returns_rows else []


@dataclass
class SqlAlchemyDatabase:
    """A catalog in a database that several machines share."""

    url: str
    _engine: Any = field(default=None, init=False)

    @property
    def place(self) -> str:
        return masked(self.url)

    @property
    def _is_postgresql(self) -> bool:
        return self.url.startswith("postgresql")

    def exists(self) -> bool:
        from sqlalchemy import inspect

        with self._translated():
            return bool(inspect(self._open()).has_table("artefacts"))

    def create(self, about: Values) -> None:
        try:
            self._make(about)
        except CatalogError:
            if not self.exists():
                raise

    def _make(self, about: Values) -> None:
        from sqlalchemy import text

        with self._translated(), self._open().begin() as connection:
            for part in schema():
                # SQLite's own, which keeps the rows in the key alone.
                connection.execute(text(part.replace(" WITHOUT ROWID", "")))
            connection.execute(text(statement("begin")), about)

    @contextlib.contextmanager
    def session(self, patience: float, writes: bool) -> Iterator[Session]:
        from sqlalchemy import text

        with self._translated(patience), self._open().begin() as connection:
            if self._is_postgresql:
                connection.execute(text(f"SET LOCAL lock_timeout = {int(patience * 1000)}"))
            yield _SqlAlchemySession(connection)

    def put_aside(self) -> str:
        from sqlalchemy import text

        if not self._is_postgresql:
            raise CatalogError.unusable(self.place, "it is damaged or of another release; drop its tables")
        aside = f"parcours_{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
        with self._translated(), self._open().begin() as connection:
            connection.execute(text(f"CREATE SCHEMA {aside}"))
            for table in _TABLES:
                connection.execute(text(f"ALTER TABLE IF EXISTS {table} SET SCHEMA {aside}"))
        return f"the schema {aside}"

    def _open(self) -> Any:
        if self._engine is None:
            from sqlalchemy import create_engine
            from sqlalchemy.exc import ArgumentError, NoSuchModuleError
            from sqlalchemy.pool import NullPool

            given = {"connect_timeout": _ANSWER_WITHIN} if self._is_postgresql else {}
            try:
                # No pool: workers fork, and a connection must not be shared by two processes.
                self._engine = create_engine(self.url, poolclass=NullPool, connect_args=given)
            except (ArgumentError, NoSuchModuleError, ImportError, ValueError) as error:
                raise CatalogError.unusable(self.place, str(error)) from error
        return self._engine

    @contextlib.contextmanager
    def _translated(self, patience: float = 0) -> Iterator[None]:
        from sqlalchemy.exc import SQLAlchemyError

        try:
            yield
        except SQLAlchemyError as error:
            if getattr(getattr(error, "orig", None), "sqlstate", "") == _LOCK_NOT_AVAILABLE:
                raise CatalogError.locked(self.place, patience) from error
            cause = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
            raise CatalogError.refused(self.place, cause) from error
