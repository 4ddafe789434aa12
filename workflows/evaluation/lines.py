"""The line of a measure: its points along a history or along dates, its steps, and where it breaks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from workflows.evaluation import steps
from workflows.evaluation.measures import Better, Measure
from workflows.evaluation.runs import Commit
from workflows.evaluation.steps import Limits

Verdict = Literal["better", "worse", "changed"]
"""Whether a change is for the better; 'changed' where no direction is better."""
_NAMED = 3
"""Packages named of an environment that changed."""


@dataclass(frozen=True)
class Grounds:
    """What a value rests on beside the code; where it changed, values are not of the same kind any more."""

    template: str
    """The digest of the template."""
    dataset: str
    dataset_digest: str
    python: str
    packages: Mapping[str, str]

    def since(self, earlier: Grounds) -> list[tuple[str, str]]:
        """What changed since an earlier point: its kind and a sentence."""
        found = []
        if self.dataset_digest != earlier.dataset_digest:
            is_named = self.dataset != earlier.dataset
            found.append(("dataset", f"{earlier.dataset} -> {self.dataset}" if is_named else f"other {self.dataset}"))
        changes = list(self._environment(earlier))
        if changes:
            more = f" and {len(changes) - _NAMED} more" if len(changes) > _NAMED else ""
            found.append(("environment", ", ".join(changes[:_NAMED]) + more))
        if self.template != earlier.template:
            found.append(("template", f"{earlier.template[:8] or 'none'} -> {self.template[:8] or 'none'}"))
        return found

    def _environment(self, earlier: Grounds) -> Iterator[str]:
        if self.python != earlier.python:
            yield f"Python {earlier.python} -> {self.python}"
        for name in sorted({*self.packages, *earlier.packages}):
            versions = earlier.packages.get(name, "none"), self.packages.get(name, "none")
            if versions[0] != versions[1]:
                yield f"{name} {versions[0]} -> {versions[1]}"


@dataclass(frozen=True)
class Point:
    """The measure in one report of one run."""

    commit: Commit
    report: str
    """What tells the reports of a suite apart (Asked.key)."""
    template: str
    date: str
    """The report's date."""
    measure: Measure | None
    """None where the report failed or does not record it."""
    path: str | None
    """The report's folder, relative to the store."""
    failure: str | None
    grounds: Grounds
    skipped: int = 0
    """The commits between the point before and this one that have no run."""

    @property
    def value(self) -> float | int | None:
        """None where there is none."""
        return self.measure.value if self.measure else None


@dataclass(frozen=True)
class Break:
    """A place where the line breaks."""

    at: int
    """The first point that is of the other kind."""
    kind: str
    """'dataset', 'environment' or 'template'."""
    sentence: str

    @property
    def text(self) -> str:
        """What changed, in words."""
        return f"{self.kind}: {self.sentence}"


@dataclass(frozen=True)
class Change:
    """A step of the line."""

    at: int
    """The first point of the new level."""
    since: int
    """The last point before it that has a value."""
    before: float
    after: float
    verdict: Verdict
    breaks: tuple[Break, ...]
    """What broke the line here, which the step is put down to; the commit's code may have a part in it."""
    untold: int
    """The commits between the two points, of which each may be the one."""


@dataclass(frozen=True)
class Line:
    """One measure of one report along a history, oldest first, or along the dates of one run."""

    measure: str
    report: str
    points: tuple[Point, ...]
    limits: Limits = field(default_factory=Limits)
    """How much counts as a step."""
    better: Better | None = None

    @property
    def values(self) -> list[float | int | None]:
        """The values of the points."""
        return [point.value for point in self.points]

    @property
    def unit(self) -> str:
        """The newest point's; empty for shares and counts."""
        unit = next((point.measure.unit for point in reversed(self.points) if point.measure), "1")
        return "" if unit == "1" else unit

    @cached_property
    def breaks(self) -> list[Break]:
        """Where template, environment or dataset changed between neighbours."""
        pairs = zip(range(1, len(self.points)), self.points, self.points[1:], strict=False)
        return [Break(at, *what) for at, old, new in pairs for what in new.grounds.since(old.grounds)]

    @cached_property
    def changes(self) -> list[Change]:
        """The steps; the whole line is looked at, and one that falls on a break is put down to that."""
        return [self._change(step) for step in steps.steps(self.values, self.limits)]

    @cached_property
    def outliers(self) -> list[int]:
        """The points that left the level and came back at once."""
        return steps.outliers(self.values, self.limits)

    def verdict(self, difference: float) -> Verdict:
        """What a difference is worth."""
        if self.better is None:
            return "changed"
        return "better" if (difference < 0) == (self.better == "lower") else "worse"

    def outlier_verdict(self, at: int) -> Verdict:
        """What an outlier is worth against the value before it."""
        value = self.values[at]
        before = next(found for found in reversed(self.values[:at]) if found is not None)
        assert value is not None
        return self.verdict(value - before)

    def _change(self, step: steps.Step) -> Change:
        since = max(at for at in range(step.at) if self.points[at].value is not None)
        breaks = tuple(found for found in self.breaks if since < found.at <= step.at)
        untold = step.at - since - 1 + sum(point.skipped for point in self.points[since + 1 : step.at + 1])
        return Change(step.at, since, step.before, step.after, self.verdict(step.difference), breaks, untold)

    def as_json(self) -> dict[str, Any]:
        """The line for a program."""
        return {
            "measure": self.measure,
            "report": self.report,
            "unit": self.unit or "1",
            "better": self.better,
            "points": [_point_json(point) for point in self.points],
            "steps": [_change_json(change, self.points) for change in self.changes],
            "breaks": [
                {"commit": self.points[found.at].commit.sha, "kind": found.kind, "sentence": found.sentence}
                for found in self.breaks
            ],
            "outliers": [
                {
                    "commit": self.points[at].commit.sha,
                    "date": self.points[at].date,
                    "verdict": self.outlier_verdict(at),
                }
                for at in self.outliers
            ],
        }


def _point_json(point: Point) -> dict[str, Any]:
    commit = {name: getattr(point.commit, name) for name in ("sha", "subject", "author", "committed")}
    report = {name: getattr(point, name) for name in ("report", "date", "value", "path", "failure")}
    return {"commit": commit, **report, "commits_without_run_before": point.skipped}


def _change_json(change: Change, points: Sequence[Point]) -> dict[str, Any]:
    return {
        "commit": points[change.at].commit.sha,
        "date": points[change.at].date,
        "since": points[change.since].commit.sha,
        "before": change.before,
        "after": change.after,
        "verdict": change.verdict,
        "breaks": [found.text for found in change.breaks],
        "commits_between": change.untold,
    }
