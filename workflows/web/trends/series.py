"""Series: what a chart and its table show of a measure, over commits or over dates, each point with its own address."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

from workflows.evaluation.lines import Change, Line
from workflows.evaluation.measures import Better
from workflows.evaluation.steps import Limits, steps
from workflows.evaluation.wording import number
from workflows.store.listing import Point as Listed

Over = Literal["commits", "dates"]
_SHORT = 7
"""Digits of a commit below a chart."""


@dataclass(frozen=True)
class Point:
    """One value."""

    name: str
    """The commit's first digits, or the date: nothing that people wrote."""
    place: int
    """Where it stands from left to right."""
    value: float | int | None
    address: str
    """Of its evaluation or report."""
    about: str = ""
    """The commit's subject."""
    time: str = ""
    """When it was committed or made, ISO 8601."""
    report: str | None = None
    """The address of its report."""
    failure: str | None = None


@dataclass(frozen=True)
class Mark:
    """A place between two points: a step of the measure, or a change of what it rests on."""

    at: int
    """The point that it is before."""
    kind: Literal["step", "break"]
    verdict: str
    """Of a step: 'better', 'worse' or 'changed'; of a break what changed: 'template', 'environment' or 'dataset'."""
    text: str
    """The same in words."""


@dataclass(frozen=True)
class Series:
    """A measure of one report along commits, or of one template along dates, oldest first."""

    measure: str
    report: str
    unit: str
    """Empty for shares and counts."""
    better: Better | None
    over: Over
    template: str
    date: str
    """Of the report; empty over dates."""
    points: tuple[Point, ...]
    marks: tuple[Mark, ...]

    @property
    def values(self) -> list[float | int | None]:
        """The values of the points."""
        return [point.value for point in self.points]

    @property
    def newest(self) -> Point | None:
        """The newest point with a value."""
        return next((point for point in reversed(self.points) if point.value is not None), None)

    @property
    def change(self) -> float | None:
        """The newest value less the one before it."""
        known = [value for value in self.values if value is not None]
        return float(known[-1] - known[-2]) if len(known) > 1 else None

    @property
    def steps(self) -> list[Mark]:
        """The steps."""
        return [mark for mark in self.marks if mark.kind == "step"]

    @property
    def pieces(self) -> list[list[int]]:
        """The places of the points with a value, parted where the line breaks."""
        breaks = {mark.at for mark in self.marks if mark.kind == "break"}
        found: list[list[int]] = [[]]
        for at, value in enumerate(self.values):
            if at in breaks:
                found.append([])
            if value is not None:
                found[-1].append(at)
        return [piece for piece in found if piece]

    def marks_at(self, at: int) -> list[Mark]:
        """What lies before a point."""
        return [mark for mark in self.marks if mark.at == at]

    def difference(self, at: int) -> float | None:
        """A point's value less the last one before it."""
        value = self.points[at].value
        before = next((point.value for point in reversed(self.points[:at]) if point.value is not None), None)
        return None if value is None or before is None else float(value - before)

    def verdict(self, difference: float | None) -> str:
        """What a difference is worth: 'better', 'worse', or nothing where no direction is."""
        if not difference or self.better is None:
            return ""
        return "better" if (difference < 0) == (self.better == "lower") else "worse"


def over_commits(line: Line, suite: str) -> Series:
    """The series of a line over commits."""
    points = tuple(
        Point(
            point.commit.sha[:_SHORT],
            at,
            point.value,
            evaluation_address(suite, point.commit.state),
            point.commit.subject,
            point.commit.committed,
            report_address(point.path),
            point.failure,
        )
        for at, point in enumerate(line.points)
    )
    newest = line.points[-1]
    marks = [Mark(change.at, "step", change.verdict, _step(line, change)) for change in line.changes]
    marks += [Mark(found.at, "break", found.kind, found.sentence.replace(" -> ", " → ")) for found in line.breaks]
    return Series(
        line.measure, line.report, line.unit, line.better, "commits", newest.template, newest.date, points, tuple(marks)
    )


def with_values(lines: Iterable[Line], suite: str) -> list[Series]:
    """The series of the lines that have a value."""
    return [over_commits(line, suite) for line in lines if any(value is not None for value in line.values)]


def over_dates(template: str, measure: str, found: Sequence[Listed]) -> Series:
    """The series of a measure over the dates that have a report, as the store lists them."""
    points = tuple(_dated(one) for one in found)
    unit = found[-1].unit if found else "1"
    better = _direction(found[-1].better if found else None)
    series = Series(measure, template, "" if unit == "1" else unit, better, "dates", template, "", points, ())
    marks = [
        Mark(step.at, "step", series.verdict(step.difference) or "changed", _levels(step.before, step.after))
        for step in steps(series.values, Limits())
    ]
    return Series(measure, template, series.unit, better, "dates", template, "", points, tuple(marks))


def evaluation_address(suite: str, state: str) -> str:
    """Where the evaluation of a commit is shown."""
    return f"/evaluations/{quote(suite, safe='')}/{quote(state, safe='')}"


def report_address(path: str | None) -> str | None:
    """Where a report is shown."""
    return f"/reports/{quote(path)}" if path else None


def _direction(text: str | None) -> Better | None:
    return "lower" if text == "lower" else "higher" if text == "higher" else None


def _dated(point: Listed) -> Point:
    place = datetime.date.fromisoformat(point.date).toordinal()
    address = f"/reports/{quote(point.path)}"
    return Point(point.date, place, point.value, address, "", point.started, address)


def _step(line: Line, change: Change) -> str:
    text = f"{_levels(change.before, change.after)}{f' {line.unit}' if line.unit else ''}, {change.verdict}"
    if change.untold:
        text += f"; at this or one of {change.untold} before it that have no value"
    return text


def _levels(before: float, after: float) -> str:
    return f"{number(before)} → {number(after)}"
