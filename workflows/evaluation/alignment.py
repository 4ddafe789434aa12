"""The rows of two tables brought together: the key found, every value compared, all at once for each column."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from workflows.evaluation.changes import EXAMPLES, CellChange, ColumnChange, Key, TableChange

_ID = re.compile(r"(^|_)(id|key|uuid)$", re.IGNORECASE)
INDEX = "(index)"

Codes = np.ndarray[Any, np.dtype[np.int64]]
"""One number for each row of the old table, then of the new one: the same number for the same value."""


def aligned(old: pd.DataFrame, new: pd.DataFrame, key: Sequence[str] | None) -> TableChange:
    """The comparison behind `compare_tables`."""
    old, new = _flat(old, new)
    both = _Both(old, new, {name: _codes(old[name], new[name]) for name in old.columns if name in new.columns})
    found = both.key(key)
    rows, columns = both.matched(found) if found else both.counted(), _columns(old, new)
    return TableChange(len(old), len(new), found, columns=columns, **rows)


@dataclass(frozen=True)
class _Both:
    old: pd.DataFrame
    new: pd.DataFrame
    codes: dict[str, Codes]
    """The columns that both have."""

    def key(self, declared: Sequence[str] | None) -> tuple[str, ...]:
        """The columns that tell the rows of both tables apart; none where no columns do."""
        if declared and self._is_unique(declared):
            return tuple(declared)
        able = [name for name in self.codes if self._can_be_key(name)]
        for name in able:
            if _ID.search(name) and self._is_unique([name]):
                return (name,)
        ids = np.zeros(len(self.old) + len(self.new), dtype=np.int64)
        for number, name in enumerate(able, 1):
            ids = _combined(ids, self.codes[name])
            if self._are_unique(ids):
                return self._smallest(able[:number])
        return ()

    def matched(self, key: tuple[str, ...]) -> dict[str, Any]:
        """The rows brought together by their key."""
        ids = self._ids(key)
        before, after = ids[: len(self.old)], ids[len(self.old) :]
        at = np.full(ids.max(initial=-1) + 1, -1)
        at[before] = np.arange(len(before))
        old_at = at[after]
        of_new = np.flatnonzero(old_at >= 0)
        of_old = old_at[of_new]
        removed = np.setdiff1d(np.arange(len(before)), of_old)
        differs = {name: codes[of_old] != codes[len(before) + of_new] for name, codes in self.codes.items()}
        differs = {name: found for name, found in differs.items() if found.any()}
        changed = np.flatnonzero(np.logical_or.reduce([np.zeros(len(of_new), dtype=bool), *differs.values()]))
        examples = [
            self._cell(key, name, of_old[row], of_new[row])
            for row in changed[:EXAMPLES]
            for name, found in differs.items()
            if found[row]
        ]
        return {
            "added": len(after) - len(of_new),
            "removed": len(removed),
            "changed": len(changed),
            "changed_columns": {name: int(found.sum()) for name, found in differs.items()},
            "is_reordered": bool((np.diff(of_old) < 0).any()),
            "added_rows": _rows(self.new, key, np.flatnonzero(old_at < 0)),
            "removed_rows": _rows(self.old, key, removed),
            "examples": tuple(examples[:EXAMPLES]),
        }

    def counted(self) -> dict[str, Any]:
        """Whole rows, as often as they come."""
        names = tuple(self.codes)
        ids = self._ids(names)
        before, after = ids[: len(self.old)], ids[len(self.old) :]
        added, removed = _surplus(after, before), _surplus(before, after)
        is_same = len(added) == len(removed) == 0
        return {
            "added": len(added),
            "removed": len(removed),
            "changed": 0,
            "changed_columns": {},
            "is_reordered": is_same and bool((before != after).any()),
            "added_rows": _rows(self.new, names, added),
            "removed_rows": _rows(self.old, names, removed),
        }

    def _can_be_key(self, name: str) -> bool:
        """A measurement names no row, nor does a value that is missing."""
        is_number = any(pd.api.types.is_float_dtype(frame[name].dtype) for frame in (self.old, self.new))
        return not is_number and name != INDEX and bool((self.codes[name] >= 0).all())

    def _smallest(self, names: list[str]) -> tuple[str, ...]:
        """These columns without those that are not needed, such as a date that is the same everywhere."""
        for name in list(names):
            others = [other for other in names if other != name]
            if others and self._is_unique(others):
                names = others
        return tuple(names)

    def _is_unique(self, names: Sequence[str]) -> bool:
        return all(name in self.codes for name in names) and self._are_unique(self._ids(names))

    def _are_unique(self, ids: Codes) -> bool:
        parts = (ids[: len(self.old)], ids[len(self.old) :])
        return all(np.bincount(part).max(initial=0) <= 1 for part in parts)

    def _ids(self, names: Sequence[str]) -> Codes:
        ids = np.zeros(len(self.old) + len(self.new), dtype=np.int64)
        for name in names:
            ids = _combined(ids, self.codes[name])
        return ids

    def _cell(self, key: tuple[str, ...], name: str, old: int, new: int) -> CellChange:
        [row] = _rows(self.new, key, [new])
        return CellChange(row, name, _plain(self.old[name].iat[old]), _plain(self.new[name].iat[new]))


def _flat(old: pd.DataFrame, new: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tables with an index that means something as columns: a named one first, where keys are looked for."""
    if all(isinstance(frame.index, pd.RangeIndex) and frame.index.name is None for frame in (old, new)):
        return old, new
    flat = []
    for frame in (old, new):
        if any(frame.index.names):
            flat.append(frame.reset_index())
        else:
            flat.append(frame.reset_index(drop=True).assign(**{INDEX: frame.index}))
    return flat[0], flat[1]


def _codes(old: pd.Series[Any], new: pd.Series[Any]) -> Codes:
    """Each value's number; -1 for none."""
    if old.dtype != new.dtype or isinstance(old.dtype, pd.CategoricalDtype):
        old, new = old.astype(object), new.astype(object)
    both = pd.concat([old, new], ignore_index=True)
    try:
        return pd.factorize(both)[0]
    except TypeError:
        # Lists and the like, which Parquet can hold.
        return pd.factorize(both.map(lambda value: repr(_plain(value))))[0]


def _combined(ids: Codes, codes: Codes) -> Codes:
    found: Codes = pd.factorize(ids * (codes.max(initial=0) + 2) + codes + 1)[0]
    return found


def _surplus(ids: Codes, others: Codes) -> Codes:
    """The places of the rows that come more often here than there: the last ones of their kind."""
    size = max(ids.max(initial=-1), others.max(initial=-1)) + 1
    there = np.bincount(others, minlength=size)
    nth = pd.Series(ids).groupby(ids).cumcount().to_numpy()
    return np.flatnonzero(nth >= there[ids])


def _columns(old: pd.DataFrame, new: pd.DataFrame) -> tuple[ColumnChange, ...]:
    types = [{name: str(dtype) for name, dtype in frame.dtypes.items()} for frame in (old, new)]
    names = dict.fromkeys([*types[0], *types[1]])
    found = [ColumnChange(str(name), types[0].get(name), types[1].get(name)) for name in names]
    return tuple(column for column in found if column.old != column.new)


def _rows(frame: pd.DataFrame, names: Sequence[str], places: Sequence[int] | Codes) -> tuple[Key, ...]:
    shown = frame[list(names)].iloc[list(places[:EXAMPLES])]
    return tuple(tuple(map(_plain, row)) for row in shown.itertuples(index=False))


def _plain(value: Any) -> Any:
    """A value as Python and JSON have it; None for none."""
    if isinstance(value, np.ndarray | list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if pd.isna(value):
        return None
    if isinstance(value, np.generic):
        value = value.item()
    return value if isinstance(value, bool | int | float | str) else str(value)
