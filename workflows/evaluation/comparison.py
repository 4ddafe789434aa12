"""Two results compared: tables row by row under a key, measures by name. Tables and numbers in, changes out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from workflows.evaluation.changes import MeasureChange, TableChange
from workflows.evaluation.measures import Measure

if TYPE_CHECKING:
    import pandas as pd


def compare_tables(old: pd.DataFrame, new: pd.DataFrame, key: Sequence[str] | None = None) -> TableChange:
    """How a table differs from an older one.

    Rows belong together that have the same values in the columns `key`. Without one, or where it does not tell the rows
    apart, it is found in the data: one column that is named as an id, else the smallest set of leading columns that tells
    the rows of both tables apart; where there is none, whole rows are counted. Numbers are compared exactly; no value (NaN,
    None, NaT, <NA>) is the same as no value.
    """
    from workflows.evaluation.alignment import aligned

    return aligned(old, new, key)


def compare_measures(old: Sequence[Measure], new: Sequence[Measure]) -> list[MeasureChange]:
    """The measures of two results by name, in the order of the new one, then what only the old one has."""
    before, after = ({found.name: found for found in measures} for measures in (old, new))
    return [
        MeasureChange(
            name,
            before[name].value if name in before else None,
            after[name].value if name in after else None,
            (after.get(name) or before[name]).unit,
            (after.get(name) or before[name]).better,
        )
        for name in dict.fromkeys([*after, *before])
    ]
