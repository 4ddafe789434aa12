"""What a catalog needs from the database it is in, and the statements that it runs there."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path
from typing import Any, Protocol

Values = Mapping[str, Any]
_FOLDER = Path(__file__).parent


class Session(Protocol):
    """One transaction."""

    def run(self, name: str, values: Values | Sequence[Values] = ()) -> list[tuple[Any, ...]]:
        """Run a statement of catalog.sql or listing.sql with its values, or once for each of several; returns the rows."""


class CatalogDatabase(Protocol):
    """What a catalog needs from where it is."""

    @property
    def place(self) -> str:
        """What the user may read of where it is: never a password."""

    def exists(self) -> bool:
        """Whether there is anything."""

    def create(self, about: Values) -> None:
        """Make the tables, whole, unless another process was first."""

    def session(self, patience: float, writes: bool) -> AbstractContextManager[Session]:
        """One transaction, which waits for others that many seconds. No connection crosses the fork of a worker."""

    def put_aside(self) -> str:
        """Take what cannot be used out of the way; returns where it is now."""


@cache
def statement(name: str) -> str:
    """A statement of catalog.sql or listing.sql by its name."""
    found = _statements()[name]
    # SQLAlchemy takes what a comment says of a parameter for the parameter.
    return re.sub(r"^--.*\n", "", found, flags=re.M)


@cache
def _statements() -> dict[str, str]:
    text = "".join((_FOLDER / name).read_text(encoding="utf-8") for name in ("catalog.sql", "listing.sql"))
    _, *blocks = re.split(r"^-- name: (\w+)\n", text, flags=re.M)
    return dict(zip(blocks[::2], blocks[1::2], strict=True))


def schema() -> list[str]:
    """The statements that make the tables."""
    text = (_FOLDER / "catalog_schema.sql").read_text(encoding="utf-8")
    return [part for part in text.split(";\n") if part.strip()]
