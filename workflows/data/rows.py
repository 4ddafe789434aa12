"""Rows that a database gave, and the exact fingerprint over them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import pyarrow as pa

Row = tuple[Any, ...]

_PLAIN = frozenset({type(None), bool, int, float, str, bytes})


@dataclass(frozen=True)
class Rows:
    """What a statement gave."""

    columns: tuple[str, ...]
    """The columns' names, in order."""
    rows: list[Row]
    """The rows, in the database's order; values as its driver gives them."""

    def __len__(self) -> int:
        return len(self.rows)


Found: TypeAlias = "Rows | pa.Table"
"""What a statement gave: rows, or an Arrow table typed as pandas would type the rows."""


@dataclass(frozen=True)
class Fingerprint:
    """What tells a statement's result from every other."""

    digest: str
    """64 hex digits over the columns and every value, in order."""
    rows: int
    """How many rows there are."""


class Digest:
    """The fingerprint of rows that come one after the other; it keeps none of them."""

    def __init__(self, columns: Sequence[str]) -> None:
        # ascii() spells every plain value in a way of its own, and the same in every version of Python.
        self._hash = hashlib.sha256(ascii(tuple(columns)).encode())
        self._rows = 0

    def step(self, *row: Any) -> None:
        """Take in the next row, of plain values; named as SQLite calls it."""
        self._hash.update(ascii(row).encode())
        self._rows += 1

    def finalize(self) -> int:
        """How many rows came; named as SQLite calls it."""
        return self._rows

    @property
    def fingerprint(self) -> Fingerprint:
        """The fingerprint of what came so far."""
        return Fingerprint(self._hash.hexdigest(), self._rows)


def fingerprint(found: Rows) -> Fingerprint:
    """The exact fingerprint of rows that were fetched, whatever values the driver gives."""
    digest = Digest(found.columns)
    for row in found.rows:
        digest.step(*map(_spelled, row))
    return digest.fingerprint


def _spelled(value: Any) -> Any:
    """A value that is not plain as a tuple, which no plain value is: its type and its text, or its parts."""
    kind = type(value)
    if kind in _PLAIN:
        return value
    if isinstance(value, bytearray | memoryview):
        return (kind.__name__, bytes(value))
    if isinstance(value, list | tuple):
        return (kind.__name__, *map(_spelled, value))
    if isinstance(value, dict):
        return (kind.__name__, *((_spelled(name), _spelled(part)) for name, part in value.items()))
    return (kind.__name__, str(value))
