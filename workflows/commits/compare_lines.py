"""A comparison as lines of text: the two sides, then one table with each measure of each report, and the causes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from workflows.commits.trend_lines import difference, number
from workflows.evaluation.verdict import MeasureVerdict, ReportVerdict

if TYPE_CHECKING:
    from workflows.commits.compare import Comparison

_CAUSES = 8
"""Lines of causes told of each report; --json has all."""


def lines(found: Comparison) -> list[str]:
    """Both sides, the verdict on B, and the reports."""
    told = [f"A  {found.a}", f"B  {found.b}", "", f"B against A: {found.evaluation.verdict}"]
    told += [found.evaluation.problem] if found.evaluation.problem else []
    told += _table(found.evaluation.reports)
    return [*told, *(f"only in {side}: {report}" for side, report in found.alone)]


def _table(reports: tuple[ReportVerdict, ...]) -> Iterator[str]:
    measures = [measure for report in reports for measure in report.measures]
    cells = [_cells(measure) for measure in measures]
    widths = [max((len(row[column]) for row in cells), default=0) for column in range(3)]
    for report in reports:
        yield ""
        yield f"{' '.join(report.asked.key.split())}{_state(report)}"
        for measure in report.measures:
            name, *values = _cells(measure)
            columns = f"{name:<{widths[0]}}  {values[0]:>{widths[1]}}  {values[1]:>{widths[2]}}  {_change(measure):>10}"
            yield f"  {columns}  {_word(measure)}".rstrip()
        yield from (
            f"  why: {line}" if at == 0 else f"       {line}" for at, line in enumerate(report.causes[:_CAUSES])
        )
        if len(report.causes) > _CAUSES:
            yield f"       and {len(report.causes) - _CAUSES} lines more, which --json has"


def _state(report: ReportVerdict) -> str:
    if report.has_same_version:
        return "  the very same report"
    sides = [side for side, state in (("A", report.base_state), ("B", report.state)) if state == "failed"]
    failed = f"  failed in {' and '.join(sides)}" if sides else ""
    return f"{failed}: {report.failure}" if failed and report.failure else failed


def _cells(measure: MeasureVerdict) -> tuple[str, str, str]:
    unit = "" if measure.unit == "1" else f" ({measure.unit})"
    return f"{measure.name}{unit}", number(measure.base), number(measure.value)


def _change(measure: MeasureVerdict) -> str:
    return "" if measure.base is None or measure.value is None else difference(measure.value - measure.base)


def _word(measure: MeasureVerdict) -> str:
    """The verdict; a number that changed and is not judged, or within the limits, is called so."""
    if measure.verdict != "same" or measure.base == measure.value:
        return measure.verdict
    return "within limits" if measure.better else "changed"
