"""Databases that SQLAlchemy speaks to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from workflows.data import copying
from workflows.data.dialects import BEGIN, DIALECTS
from workflows.data.rows import Fingerprint, Found, Rows, fingerprint
from workflows.data.sqlite import UNBOUND, iso
from workflows.data.statement import Statement, bound_as
from workflows.errors import DatabaseError
from workflows.identity.canonical import digest
from workflows.passwords import masked

T = TypeVar("T")

_BOUND = 10_000
"""How many values a statement may bind: no database that we speak to takes less than three times as many."""


@dataclass
class SqlAlchemyDatabase:
    """Any database that SQLAlchemy speaks to."""

    url: str
    _engine: Any = field(default=None, init=False)

    tells_state = False

    @property
    def place(self) -> str:
        return masked(self.url)

    def state(self) -> str:
        return ""

    def result(self, task: str, statement: Statement, values: Mapping[str, Any]) -> Rows:
        with self._connected(task, statement) as connection:
            _begin(connection)
            return _rows(connection, statement, values)

    def fingerprints(self, task: str, statement: Statement, many: Sequence[Mapping[str, Any]]) -> list[Fingerprint]:
        with self._connected(task, statement) as connection:
            columns = _attempted(connection, lambda: _columns(connection, statement, many[0]))
            if columns:
                return _divided(connection, statement, columns, many)
            return [fingerprint(_rows(connection, statement, values)) for values in many]

    def snapshot(
        self,
        task: str,
        statement: Statement,
        probe: Statement,
        values: Mapping[str, Any],
        lap: Callable[[str], object] = lambda part: None,
    ) -> tuple[Found, Fingerprint]:
        with self._connected(task, statement) as connection:
            ways = (_copied_or_rows, _rows) if connection.dialect.driver == "psycopg" else (_rows,)
            # What can be copied may fail where fetching does not; then all is begun anew, because it is of one moment.
            for way in ways:
                found = _attempted(connection, partial(_snapshot, connection, statement, probe, values, way, lap))
                if found:
                    return found
            rows = _rows(connection, statement, values)
            lap("database")
            with self._translated(task, probe):
                digested = fingerprint(_rows(connection, probe, values))
            lap("fingerprint")
            return rows, digested

    def check(self, task: str, statement: Statement, values: Mapping[str, Any]) -> None:
        self.result(task, Statement(f"EXPLAIN {statement.text}", statement.name), values)

    @contextmanager
    def _connected(self, task: str, statement: Statement) -> Iterator[Any]:
        """A connection; what it raises is said as this statement's."""
        with self._translated(task, statement), self._open().connect() as connection:
            yield connection

    @contextmanager
    def _translated(self, task: str, statement: Statement) -> Iterator[None]:
        from sqlalchemy.exc import SQLAlchemyError

        try:
            yield
        except (SQLAlchemyError, *UNBOUND) as error:
            cause = str(getattr(error, "orig", None) or error).strip().splitlines()[0]
            raise DatabaseError.statement(task, statement.name, self.place, cause) from error

    def _open(self) -> Any:
        if self._engine is None:
            from sqlalchemy import create_engine, make_url
            from sqlalchemy.exc import ArgumentError, NoSuchModuleError
            from sqlalchemy.pool import NullPool

            try:
                # DuckDB lets several processes in only if none of them may write.
                known = {"read_only": True} if _is_duckdb_file(make_url(self.url)) else {}
                # No pool: workers fork, and a connection must not be shared by two processes.
                self._engine = create_engine(self.url, poolclass=NullPool, connect_args=known)
            except (ArgumentError, NoSuchModuleError, ImportError, ValueError) as error:
                raise DatabaseError.unusable(self.place, str(error)) from error
        return self._engine


def _is_duckdb_file(url: Any) -> bool:
    name = url.database or ":memory:"
    return bool(url.get_backend_name() == "duckdb" and not name.startswith((":memory:", "md:", "motherduck:")))


def _begin(connection: Any) -> None:
    """Begin a transaction that cannot write, and sees one moment where the database can do that."""
    from sqlalchemy import text

    for statement in BEGIN.get(connection.dialect.name, ()):
        connection.execute(text(statement))


def _attempted(connection: Any, act: Callable[[], T]) -> T | None:
    """What the database digests itself, or None with a new transaction: what is wrong is said by the statement alone.

    A statement may not stand in parentheses (SHOW, EXPLAIN), or be wrong.
    """
    from sqlalchemy.exc import SQLAlchemyError

    if not connection.in_transaction():
        _begin(connection)
    if connection.dialect.name not in DIALECTS:
        return None
    try:
        return act()
    except (SQLAlchemyError, *UNBOUND):
        connection.rollback()
        _begin(connection)
        return None


def _rows(connection: Any, statement: Statement, values: Mapping[str, Any]) -> Rows:
    from sqlalchemy import text

    bound = {name: values[name] for name in statement.binds if name in values}
    found = connection.execute(text(statement.escaped), iso(bound) if connection.dialect.name == "sqlite" else bound)
    return Rows(tuple(found.keys()), [tuple(row) for row in found])


def _snapshot(
    connection: Any,
    statement: Statement,
    probe: Statement,
    values: Mapping[str, Any],
    way: Callable[..., Found],
    lap: Callable[[str], object],
) -> tuple[Found, Fingerprint]:
    digested = _digested(connection, probe, _columns(connection, probe, values), [values])[0]
    lap("fingerprint")
    few = probe == statement and digested.rows < copying.LARGE
    found = (_rows if few else way)(connection, statement, values)
    lap("database")
    return found, digested


def _copied_or_rows(connection: Any, statement: Statement, values: Mapping[str, Any]) -> Found:
    table = copying.copied(connection, statement, values)
    return _rows(connection, statement, values) if table is None else table


def _columns(connection: Any, statement: Statement, values: Mapping[str, Any]) -> tuple[str, ...]:
    """The names of a statement's columns; raises for one that cannot stand in parentheses."""
    head = Statement(f"SELECT * FROM (\n{statement.inner}\n) AS given LIMIT 0", statement.name)  # noqa: S608 - the pipeline's own
    return _rows(connection, head, values).columns


def _divided(
    connection: Any, statement: Statement, columns: Sequence[str], many: Sequence[Mapping[str, Any]]
) -> list[Fingerprint]:
    """The fingerprints for many bindings by as few statements as it goes.

    Many may fail (one of them is wrong, or all take longer than the database allows) where one does not. What each
    gives must not depend on its company, so halves are tried, down to the one that fails by itself.
    """
    most = DIALECTS[connection.dialect.name].most
    size = max(1, min(most, _BOUND // max(1, len(statement.binds))))
    if len(many) <= size:
        found = _attempted(connection, lambda: _digested(connection, statement, columns, many))
        if found:
            return found
        if len(many) == 1:
            return [fingerprint(_rows(connection, statement, many[0]))]
        size = len(many) // 2
    parts = [many[start : start + size] for start in range(0, len(many), size)]
    return [one for part in parts for one in _divided(connection, statement, columns, part)]


def _digested(
    connection: Any, statement: Statement, columns: Sequence[str], many: Sequence[Mapping[str, Any]]
) -> list[Fingerprint]:
    """The fingerprints for many bindings by one statement."""
    from sqlalchemy import text

    numbers = range(len(many))
    asked = DIALECTS[connection.dialect.name].together(statement, len(columns), numbers)
    bound = {bound_as(name, n): many[n][name] for n in numbers for name in statement.binds if name in many[n]}
    rows = sorted(tuple(row) for row in connection.execute(text(asked), bound))
    return [Fingerprint(digest([list(columns), types, digested]), count) for _, count, digested, types in rows]
