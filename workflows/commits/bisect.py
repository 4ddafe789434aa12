"""The commit at which a measure stepped: between two commits, by halves, with what is stored asked first."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any

from workflows import settings
from workflows.answers.found import store
from workflows.commits.git import Repository
from workflows.commits.history import history, stored_run
from workflows.commits.trend import Chosen, lines_of
from workflows.commits.trend_lines import number
from workflows.errors import ParcoursError, TrendError
from workflows.evaluation import trend as trends
from workflows.evaluation.lines import Line, Point
from workflows.evaluation.runs import Commit, Run

Measuring = Callable[[str, str], Run]
"""Makes the run of a commit through a suite, as `commits.evaluate.measured`."""


def measured_now(ref: str, suite: str) -> Run:
    """The run of a commit, found or made."""
    # Where everything is stored, nothing of what runs commits is needed.
    from workflows.commits.evaluate import measured

    return measured(ref, suite)


@dataclass(frozen=True)
class FoundStep:
    """The commit at which a measure stepped."""

    line: Line
    """The two points on both sides of the step."""
    skipped: tuple[tuple[Commit, str], ...]
    """The commits that could not be measured, and why; where any is between the two points, the step may be there."""
    between: tuple[Commit, ...]
    """Those of them."""
    made: int
    """The runs that were made."""
    stored: int
    """The runs that were there and looked at."""

    @property
    def exit_code(self) -> int:
        """0: there is an answer."""
        return 0

    def lines(self) -> list[str]:
        old, new = self.line.points
        commit, after = new.commit, f" ({self.verdict})" if self.verdict != "changed" else ""
        told = [f"{self.line.measure} of {self.line.report} stepped at commit {commit.short}  {commit.subject}"]
        told += [f"  by         {commit.author}, {commit.committed}"]
        told += [f"  before     {number(old.value)} at {old.commit.short}  {old.commit.subject}"]
        told += [f"  after      {number(new.value)}{after}"]
        told += [f"  changed    {found.text}" for found in self.line.breaks]
        told += [f"  or at      {commit.short}  {commit.subject}" for commit in self.between]
        told += [f"  skipped    {commit.short}: {why}" for commit, why in self.skipped]
        return [*told, f"  runs       {self.stored} stored ones looked at, {self.made} made"]

    @property
    def verdict(self) -> str:
        """'better', 'worse', or 'changed' where no direction is better."""
        old, new = self.line.values
        assert old is not None
        assert new is not None
        return self.line.verdict(new - old)

    def as_json(self) -> dict[str, Any]:
        """The step for a program."""
        old, new = self.line.points
        return {
            "measure": self.line.measure,
            "report": self.line.report,
            "commit": new.commit.sha,
            "subject": new.commit.subject,
            "last_before": old.commit.sha,
            "before": old.value,
            "after": new.value,
            "verdict": self.verdict,
            "changed": [found.text for found in self.line.breaks],
            "or_at": [commit.sha for commit in self.between],
            "skipped": [{"commit": commit.sha, "why": why} for commit, why in self.skipped],
            "runs_stored": self.stored,
            "runs_made": self.made,
        }


def find_step(
    measure: str,
    chosen: Chosen,
    older: str | None = None,
    newer: str | None = None,
    measuring: Measuring = measured_now,
) -> FoundStep:
    """The commit at which a measure stepped between two commits; without these, at the latest step of the trend.

    Raises TrendError and CommitError.
    """
    repository = Repository.of(settings.load().root)
    looking = _Looking(repository, chosen.suite, measure, measuring)
    if older is None and newer is None:
        line, ends = _latest(repository, measure, chosen)
    elif older is None:
        raise TrendError.no_start(str(newer))
    else:
        ends = repository.commit(older).sha, repository.commit(newer or "HEAD").sha
        line = looking.line(ends, chosen)
    commits = repository.first_parents(ends[1])[::-1]
    if ends[0] not in commits or ends[0] == ends[1]:
        raise TrendError.not_before(older or ends[0], newer or "HEAD")
    return looking.found(line, commits[commits.index(ends[0]) :])


def _latest(repository: Repository, measure: str, chosen: Chosen) -> tuple[Line, tuple[str, str]]:
    """The line with the latest step, and the commits on both sides of that."""
    found = history(store(), repository, chosen.suite)
    lines = lines_of(found, measure, chosen)
    stepped = [(line, line.changes[-1]) for line in lines if line.changes]
    if not stepped:
        raise TrendError.no_step(measure, lines[0].report if len(lines) == 1 else f"{len(lines)} reports")
    place = found.commits.index
    line, change = max(stepped, key=lambda pair: place(pair[0].points[pair[1].at].commit.sha))
    old, new = line.points[change.since], line.points[change.at]
    return line, (old.commit.sha, new.commit.sha)


@dataclass
class _Looking:
    repository: Repository
    suite: str
    measure: str
    measuring: Measuring
    runs: dict[str, Run] = field(default_factory=dict)
    """The runs that were looked at, by commit."""
    skipped: dict[str, str] = field(default_factory=dict)
    """The commits that could not be measured, and why."""
    made: int = 0

    def line(self, ends: tuple[str, str], chosen: Chosen) -> Line:
        """The line of the two ends: that of the report whose measure differs the most."""
        history = [(sha, self._run(sha)) for sha in ends]
        for sha, run in history:
            if run is None or run.problem:
                raise TrendError.no_value(
                    self.measure, sha[:9], self.skipped.get(sha) or (run and run.problem) or "no run"
                )
        lines = [line for line in trends.over_commits(history, self.measure) if _is_chosen(line.points[-1], chosen)]
        if not lines:
            raise TrendError.unknown("measure", self.measure, trends.names(run for _, run in history if run))
        whole = [line for line in lines if len(line.points) == 2 and None not in line.values]
        if not whole:
            failed = next((point for line in lines for point in line.points if point.value is None), lines[0].points[0])
            raise TrendError.no_value(self.measure, failed.commit.short, failed.failure or "it is not recorded there")
        line = max(whole, key=_share)
        if line.values[0] == line.values[1]:
            raise TrendError.same(self.measure, ends[0][:9], ends[1][:9], number(line.values[0]))
        return line

    def found(self, line: Line, commits: list[str]) -> FoundStep:
        """The step between the first and the last of these commits, oldest first."""
        points = {sha: point for sha in (commits[0], commits[-1]) if (point := self._point(line.report, sha))}
        if len(points) < 2:
            missing = next(sha for sha in (commits[0], commits[-1]) if sha not in points)
            raise TrendError.no_value(self.measure, missing[:9], self.skipped[missing])
        levels = points[commits[0]].value, points[commits[-1]].value
        old, new = 0, len(commits) - 1
        stored = {sha for sha in commits if stored_run(store(), self.suite, sha)}
        for asked in (stored, set(commits)):
            while (middle := self._middle(commits, old, new, asked)) is not None:
                point = self._point(line.report, commits[middle])
                if point is None:
                    continue
                points[commits[middle]] = point
                old, new = (middle, new) if _is_near(point.value, *levels) else (old, middle)
        return self._told(line, points[commits[old]], points[commits[new]], commits[old + 1 : new])

    def _middle(self, commits: list[str], old: int, new: int, asked: Collection[str]) -> int | None:
        """The one to ask next: the nearest to the middle of those that can be."""
        able = [at for at in range(old + 1, new) if commits[at] in asked and commits[at] not in self.skipped]
        return min(able, key=lambda at: abs(2 * at - old - new), default=None)

    def _point(self, report: str, sha: str) -> Point | None:
        """The point of a commit; None, and the commit is skipped, where it has no value."""
        run = self._run(sha)
        if run is None:
            return None
        points = [line.points[0] for line in trends.over_commits([(sha, run)], self.measure) if line.report == report]
        if points and points[0].value is not None:
            return points[0]
        failures = (made.failure for made in run.reports if made.asked.key == report)
        self.skipped[sha] = run.problem or next(failures, f"its suite has no {report}") or f"no {self.measure} there"
        return None

    def _run(self, sha: str) -> Run | None:
        if sha not in self.runs:
            stored = stored_run(store(), self.suite, sha)
            try:
                self.runs[sha] = stored or self.measuring(sha, self.suite)
            except ParcoursError as error:
                self.skipped[sha] = str(error)
                return None
            self.made += stored is None
        return self.runs[sha]

    def _told(self, line: Line, old: Point, new: Point, between: list[str]) -> FoundStep:
        skipped = tuple((self.repository.commit(sha), why) for sha, why in self.skipped.items())
        left = tuple(self.repository.commit(sha) for sha in between)
        both = Line(self.measure, line.report, (old, new), line.limits, line.better)
        return FoundStep(both, skipped, left, self.made, len(self.runs) - self.made)


def _is_chosen(point: Point, chosen: Chosen) -> bool:
    return chosen.template in (None, point.template) and chosen.date in (None, point.date)


def _is_near(value: float | int | None, old: float | int | None, new: float | int | None) -> bool:
    """Whether a value is nearer to the old level."""
    assert value is not None
    assert old is not None
    assert new is not None
    return abs(value - old) < abs(value - new)


def _share(line: Line) -> float:
    """How far apart the two values of a line are, of the greater."""
    old, new = (value or 0.0 for value in line.values)
    return abs(new - old) / (max(abs(old), abs(new)) or 1.0)
