"""Trends: a measure over the runs of a history, or over the dates of one run. Runs in, lines out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from workflows.evaluation.lines import Grounds, Line, Point
from workflows.evaluation.measures import Better
from workflows.evaluation.runs import Made, Run
from workflows.evaluation.steps import Limits


@dataclass(frozen=True)
class Judged:
    """How a suite judges a measure of a report."""

    better: Better | None
    limits: Limits


def over_commits(
    history: Iterable[tuple[str, Run | None]], measure: str, judged: Mapping[str, Judged] | None = None
) -> list[Line]:
    """The lines of a measure, one for each report that records it.

    `history` is commits, oldest first, with their runs, or None where there is none; `judged` is by report. Runs in which
    nothing could be run are passed over, as those that are not there.
    """
    found: dict[str, list[Point]] = {}
    skipped: dict[str, int] = {}
    for _, run in history:
        made = {} if run is None or run.problem else {report.asked.key: report for report in run.reports}
        for key in {*made, *found}:
            if run is None or key not in made:
                skipped[key] = skipped.get(key, 0) + 1
            else:
                found.setdefault(key, []).append(_point(run, made[key], measure, skipped.pop(key, 0)))
    return [
        _line(measure, key, points, (judged or {}).get(key)) for key, points in sorted(found.items()) if _says(points)
    ]


def over_dates(run: Run, measure: str, judged: Mapping[str, Judged] | None = None) -> list[Line]:
    """The lines of a measure along the dates of one run, one for each template with its parameters."""
    found: dict[str, list[Point]] = {}
    for made in sorted(run.reports, key=lambda report: report.asked.date):
        key = made.asked.key.replace(f" {made.asked.date}", "", 1)
        found.setdefault(key, []).append(_point(run, made, measure, 0))
    return [
        _line(measure, key, points, (judged or {}).get(points[-1].report))
        for key, points in sorted(found.items())
        if _says(points)
    ]


def names(runs: Iterable[Run]) -> list[str]:
    """The measures that runs recorded."""
    return sorted({found.name for run in runs for made in run.reports for found in made.measures})


def _line(measure: str, key: str, points: Sequence[Point], judged: Judged | None) -> Line:
    newest = next(point.measure for point in reversed(points) if point.measure)
    better = judged.better if judged and judged.better else newest.better
    return Line(measure, key, tuple(points), judged.limits if judged else Limits(), better)


def _says(points: Iterable[Point]) -> bool:
    return any(point.measure for point in points)


def _point(run: Run, made: Made, name: str, skipped: int) -> Point:
    measure = next((found for found in made.measures if found.name == name), None)
    asked = made.asked
    grounds = Grounds(run.templates.get(asked.template, ""), run.dataset, run.dataset_digest, run.python, run.packages)
    return Point(run.commit, asked.key, asked.template, asked.date, measure, made.path, made.failure, grounds, skipped)
