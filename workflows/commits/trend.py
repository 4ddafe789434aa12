"""How a measure went: its lines over the commits of the history, or over the dates of one, for people and programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from workflows import settings
from workflows.answers.found import store
from workflows.commits.git import Repository
from workflows.commits.history import History, history
from workflows.errors import PathError, TrendError
from workflows.evaluation import trend as trends
from workflows.evaluation.lines import Line
from workflows.evaluation.suites import DEFAULT

Axis = Literal["commits", "dates"]


@dataclass(frozen=True)
class Trend:
    """The lines of a measure."""

    measure: str
    suite: str
    over: Axis
    lines_: tuple[Line, ...]
    commits: int
    """From the oldest to the newest one that has a run."""
    gaps: int
    """Those without one."""
    picture: Path | None = None
    """Where the picture was written."""

    @property
    def exit_code(self) -> int:
        """0: there is an answer."""
        return 0

    def lines(self) -> list[str]:
        from workflows.commits.trend_lines import lines

        return lines(self)

    def as_json(self) -> dict[str, Any]:
        """The trend for a program."""
        return {
            "measure": self.measure,
            "suite": self.suite,
            "over": self.over,
            "commits": self.commits,
            "commits_without_run": self.gaps,
            "lines": [line.as_json() for line in self.lines_],
            "picture": str(self.picture) if self.picture else None,
        }


@dataclass(frozen=True)
class Chosen:
    """Which reports are meant."""

    suite: str = DEFAULT
    template: str | None = None
    date: str | None = None


def trend(measure: str, chosen: Chosen, over: Axis = "commits", picture: Path | None = None) -> Trend:
    """The trend of a measure in the current directory's project; raises TrendError and CommitError."""
    if picture and picture.suffix not in (".svg", ".png"):
        raise TrendError.no_picture(picture)
    found = history(store(), Repository.of(settings.load().root), chosen.suite)
    lines = lines_of(found, measure, chosen, over)
    told = Trend(measure, chosen.suite, over, tuple(lines), len(found.commits), found.gaps, picture)
    if picture:
        from workflows.commits.trend_picture import drawn

        try:
            picture.write_bytes(drawn(told, picture.suffix.removeprefix(".")))
        except OSError as error:
            raise PathError.not_writable(str(picture), f"cannot be written ({error.strerror})") from error
    return told


def lines_of(found: History, measure: str, chosen: Chosen, over: Axis = "commits") -> list[Line]:
    """The lines of the reports that are meant; raises TrendError where there are none."""
    judged = found.judged.get(measure, {})
    runs = [run for _, run in found if run]
    if over == "dates":
        newest = next((run for run in reversed(runs) if measure in trends.names([run])), None)
        lines = trends.over_dates(newest, measure, judged) if newest else []
    else:
        lines = trends.over_commits(found, measure, judged)
    if not lines:
        raise TrendError.unknown("measure", measure, trends.names(runs))
    lines = _of("template", chosen.template, lines)
    return _of("date", chosen.date, lines) if over == "commits" else lines


def _of(what: Literal["template", "date"], name: str | None, lines: Sequence[Line]) -> list[Line]:
    """The lines of reports of this template or date."""
    known = [str(getattr(line.points[-1], what)) for line in lines]
    if name is not None and name not in known:
        raise TrendError.unknown(what, name, sorted(set(known)))
    return [line for line, its in zip(lines, known, strict=True) if name in (None, its)]
