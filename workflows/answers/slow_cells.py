"""The cells of a template by the time that they take, over its last reports."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from workflows.answers.past_reports import PastReport


@dataclass(frozen=True)
class SlowCell:
    """One code cell."""

    number: int
    """Among the code cells, from 1."""
    line: str
    """Its first line that says anything."""
    seconds: float
    """The median over the reports."""
    share: float
    """Of the time of all cells together."""


@dataclass(frozen=True)
class SlowCells:
    """The times of a template's cells."""

    reports: int
    """How many reports the times are from: those made of the template as it was in the newest of them."""
    seconds: float
    """All cells together."""
    cells: Sequence[SlowCell]
    """The slowest first."""


def slow_cells(reports: Sequence[PastReport]) -> SlowCells:
    """The times of the cells in reports of one template, newest first; what was taken over or failed tells nothing."""
    timed = [report for report in reports if report.is_made and report.cell_seconds]
    alike = [report for report in timed if report.template == timed[0].template]
    if not alike:
        return SlowCells(0, 0.0, [])
    medians = [median(seconds) for seconds in zip(*(report.cell_seconds for report in alike), strict=False)]
    whole, lines = sum(medians), alike[0].first_lines
    cells = [
        SlowCell(number, lines[number - 1] if number <= len(lines) else "", seconds, seconds / whole if whole else 0.0)
        for number, seconds in enumerate(medians, 1)
    ]
    return SlowCells(len(alike), whole, sorted(cells, key=lambda cell: -cell.seconds))
