"""What differs between two results: tables row by row under a key, measures by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from workflows.evaluation.measures import Better

EXAMPLES = 5
_NAMED = 3

Key = tuple[Any, ...]
"""The values of one row in the key's columns; where there is no key, in all columns."""


@dataclass(frozen=True)
class ColumnChange:
    """A column that only one table has, or that has another type."""

    name: str
    old: str | None
    """Its type in the old table; None where it is not there."""
    new: str | None

    @property
    def sentence(self) -> str:
        """The change in words."""
        if self.old is None:
            return f"column {self.name} added"
        if self.new is None:
            return f"column {self.name} removed"
        return f"column {self.name} {self.old} -> {self.new}"


@dataclass(frozen=True)
class CellChange:
    """One value that differs in a row that both tables have."""

    key: Key
    column: str
    old: Any
    """None where there is no value."""
    new: Any


@dataclass(frozen=True)
class TableChange:
    """How a table differs from an older one."""

    old_rows: int
    new_rows: int
    key: tuple[str, ...]
    """The columns that tell which rows belong together; none where whole rows were compared."""
    added: int
    """Rows that only the new table has."""
    removed: int
    changed: int
    """Rows of both tables with another value in any column; 0 where there is no key."""
    changed_columns: dict[str, int]
    """Each column with other values, with the number of rows."""
    columns: tuple[ColumnChange, ...]
    is_reordered: bool
    """Whether the rows that both have stand in another order."""
    added_rows: tuple[Key, ...] = ()
    """The first of the rows that only the new table has."""
    removed_rows: tuple[Key, ...] = ()
    examples: tuple[CellChange, ...] = ()
    """The first of the values that differ."""

    @property
    def is_same(self) -> bool:
        """Whether nothing differs."""
        return not (self.added or self.removed or self.changed or self.columns or self.is_reordered)

    @property
    def sentence(self) -> str:
        """The difference in words: '3 rows added (UA 1545, DL 461, B6 725), 1 removed'."""
        counts = [(self.added, "added", self.added_rows), (self.removed, "removed", self.removed_rows)]
        said: list[str] = []
        for number, what, rows in [*counts, (self.changed, "changed", ())]:
            if number:
                noun = "" if said else " row" if number == 1 else " rows"
                said.append(f"{number:,}{noun} {what}{'' if said else self._named(number, rows)}")
        if self.changed:
            said[-1] += f" in {self._where}"
        said += [column.sentence for column in self.columns]
        return ", ".join(said) or ("rows in another order" if self.is_reordered else "the same rows")

    def as_json(self) -> dict[str, Any]:
        """The comparison for a program."""
        return {**asdict(self), "is_same": self.is_same, "sentence": self.sentence}

    def _named(self, number: int, keys: Sequence[Key]) -> str:
        if not self.key or not keys:
            return ""
        return f" ({', '.join([*map(row_name, keys[:_NAMED]), *(['...'] if number > _NAMED else [])])})"

    @property
    def _where(self) -> str:
        columns = list(self.changed_columns)
        left = len(columns) - _NAMED
        more = f" and {left} more column{'' if left == 1 else 's'}" if left > 0 else ""
        return ", ".join(columns[:_NAMED]) + more


@dataclass(frozen=True)
class MeasureChange:
    """One measure of two results, side by side."""

    name: str
    old: float | int | None
    """None where it is not recorded, or there was nothing to measure."""
    new: float | int | None
    unit: str
    better: Better | None
    """Which direction is better, if either is."""

    @property
    def difference(self) -> float | int | None:
        """New less old."""
        return None if self.old is None or self.new is None else self.new - self.old

    @property
    def is_same(self) -> bool:
        """Whether both are the same number."""
        return self.old == self.new

    @property
    def verdict(self) -> str:
        """'same', 'better' or 'worse' than before, or 'changed' where no direction is better."""
        if self.is_same:
            return "same"
        if self.better is None or self.difference is None:
            return "changed"
        return "better" if (self.difference < 0) == (self.better == "lower") else "worse"

    @property
    def sentence(self) -> str:
        """Both numbers: 'late_share 0.214 -> 0.217 (worse)'."""
        unit = "" if self.unit == "1" else f" {self.unit}"
        verdict = f" ({self.verdict})" if self.verdict in ("better", "worse") else ""
        return f"{self.name} {_number(self.old)} -> {_number(self.new)}{unit}{verdict}"

    def as_json(self) -> dict[str, Any]:
        """The comparison for a program."""
        return {**asdict(self), "difference": self.difference, "verdict": self.verdict}


def row_name(key: Key) -> str:
    """How people call a row."""
    return " ".join(str(value).removesuffix(" 00:00:00") for value in key)


def _number(value: float | int | None) -> str:
    return "nothing" if value is None else f"{value:.6g}"
