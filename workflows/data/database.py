"""The company's databases, opened for reading only: what the queries need of one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from workflows.data.rows import Fingerprint, Found, Rows
from workflows.data.sqlite import SqliteFile
from workflows.data.statement import Statement


class Database(Protocol):
    """A database as the queries need it."""

    @property
    def place(self) -> str:
        """What the user may read of where it is: never a password."""

    @property
    def tells_state(self) -> bool:
        """Whether `state` can tell one state of the data from another, cheaply."""

    def state(self) -> str:
        """A text that changes with any change of the data, or '' where that cannot be told cheaply."""

    def result(self, task: str, statement: Statement, values: Mapping[str, Any]) -> Rows:
        """Run a statement with its bound values; raises DatabaseError."""

    def fingerprints(self, task: str, statement: Statement, many: Sequence[Mapping[str, Any]]) -> list[Fingerprint]:
        """The fingerprint of a statement's result for each of many bindings, all of one moment; raises DatabaseError.

        They are computed in the database where it can, without its rows leaving it.
        """

    def snapshot(
        self,
        task: str,
        statement: Statement,
        probe: Statement,
        values: Mapping[str, Any],
        lap: Callable[[str], object] = lambda part: None,
    ) -> tuple[Found, Fingerprint]:
        """The rows of a statement and the fingerprint of `probe`, which may be the same, at one moment.

        `lap` is called with 'database' when the rows are there, with 'fingerprint' when that is.
        """

    def check(self, task: str, statement: Statement, values: Mapping[str, Any]) -> None:
        """Have the database read a statement without running it; raises DatabaseError."""


def connect(url: str) -> Database:
    """The database of an SQLAlchemy URL. SQLite files are opened without SQLAlchemy, which takes 0.2 s to import."""
    scheme, _, path = url.partition(":///")
    if scheme == "sqlite" and path and "?" not in path and path != ":memory:":
        return SqliteFile(Path(path))
    # Not for those who have a SQLite file: it is another module to read at every start.
    from workflows.data.server import SqlAlchemyDatabase

    return SqlAlchemyDatabase(url)
