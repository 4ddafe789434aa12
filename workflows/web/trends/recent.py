"""The newest runs of a suite, and the lines of its measures along them."""

from __future__ import annotations

from collections.abc import Iterable

from workflows import settings
from workflows.answers.found import store
from workflows.commits.git import Repository
from workflows.commits.history import History, history
from workflows.errors import CommitError, TrendError
from workflows.evaluation import trend
from workflows.evaluation.lines import Line

FEW = 60
"""Runs that are looked at where there are several charts."""


def runs(suite: str) -> History | None:
    """The newest runs of a suite, if there are any."""
    try:
        return recent(suite, FEW)
    except (TrendError, CommitError):
        return None


def recent(suite: str, most: int) -> History:
    """The history back to so many runs; raises CommitError, and TrendError where there is none."""
    if suite not in store().evaluations.suites():
        raise TrendError.no_runs(suite, store().evaluations.suites())
    repository = Repository.of(settings.load().root)
    stored = set(store().evaluations.states(suite))
    line = repository.first_parents("HEAD")
    places = [at for at, sha in enumerate(line) if sha in stored][:most]
    oldest = line[places[-1] + 1] if places and places[-1] + 1 < len(line) else None
    return history(store(), repository, suite, oldest=oldest)


def lines(found: History) -> list[Line]:
    """The lines of all measures over the newest commits."""
    names = trend.names([run for _, run in found if run])
    return [line for name in names for line in trend.over_commits(found, name, found.judged.get(name, {}))]


def one_each(lines: Iterable[Line]) -> list[Line]:
    """Of each measure of each template the line of the newest date, for all stand for the same."""
    found = {(line.points[-1].template, line.measure): line for line in lines}
    return [found[key] for key in sorted(found)]
