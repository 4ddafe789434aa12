"""The history of a project as the store knows it: the runs along first parents, and how they were judged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from workflows.commits.git import Repository
from workflows.errors import TrendError
from workflows.evaluation.runs import Run
from workflows.evaluation.steps import Limits
from workflows.evaluation.trend import Judged
from workflows.store.artefacts import Store
from workflows.store.evaluations import EVALUATION, RUN


@dataclass(frozen=True)
class History:
    """The commits from the oldest to the newest one that has a run, oldest first."""

    suite: str
    commits: tuple[str, ...]
    runs: Mapping[str, Run]
    """By commit."""
    judged: Mapping[str, Mapping[str, Judged]]
    """By measure and report: how the newest evaluation judged."""

    def __iter__(self) -> Iterator[tuple[str, Run | None]]:
        return ((sha, self.runs.get(sha)) for sha in self.commits)

    @property
    def gaps(self) -> int:
        """The commits without a run."""
        return len(self.commits) - len(self.runs)


def history(
    store: Store, repository: Repository, suite: str, newest: str = "HEAD", oldest: str | None = None
) -> History:
    """The runs of a suite along the first parents of `newest`; raises CommitError, and TrendError where there are none."""
    line = repository.first_parents(newest, oldest)
    stored = set(store.evaluations.states(suite))
    runs = {sha: run for sha in line if sha in stored and (run := stored_run(store, suite, sha))}
    if not runs:
        raise TrendError.no_runs(suite, store.evaluations.suites())
    commits = line[::-1]
    places = [at for at, sha in enumerate(commits) if sha in runs]
    return History(suite, tuple(commits[places[0] : places[-1] + 1]), runs, _judged(store, suite, line, stored))


def stored_run(store: Store, suite: str, state: str) -> Run | None:
    """The run of a commit that was stored, if it can be read."""
    record = store.evaluations.record(suite, state, RUN)
    try:
        return Run.from_json(record) if record else None
    except ValueError:
        return None


def _judged(store: Store, suite: str, line: list[str], stored: set[str]) -> dict[str, dict[str, Judged]]:
    """How the newest evaluation judged each measure of each report."""
    for sha in line:
        record = store.evaluations.record(suite, sha, EVALUATION) if sha in stored else None
        try:
            found = _limits(record) if record else {}
        except (KeyError, TypeError):
            continue
        if found:
            return found
    return {}


def _limits(record: Mapping[str, Any]) -> dict[str, dict[str, Judged]]:
    from workflows.evaluation.suites import Asked

    found: dict[str, dict[str, Judged]] = {}
    for report in record["reports"]:
        for measure in report["measures"]:
            limits = Limits(measure["absolute"], measure["relative"])
            found.setdefault(measure["name"], {})[Asked(**report["asked"]).key] = Judged(measure["better"], limits)
    return found
