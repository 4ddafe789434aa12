"""Two of a kind side by side: commits, or dates, parameters or datasets of stored runs; measures, reports and causes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from workflows import settings
from workflows.answers import Answer
from workflows.answers.found import store
from workflows.commits.bisect import Measuring, measured_now
from workflows.commits.git import Repository
from workflows.commits.history import history
from workflows.errors import TrendError
from workflows.evaluation.judging import judge
from workflows.evaluation.runs import Made, Run
from workflows.evaluation.suites import DEFAULT, Asked
from workflows.evaluation.verdict import Evaluation
from workflows.store.address import PROVENANCE, REPORT

_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_SET = re.compile(r"\w+=.*")


@dataclass(frozen=True)
class Comparison:
    """B judged against A by the limits of their suite."""

    kind: str
    """'commits', 'dates', 'parameters' or 'datasets'."""
    a: str
    """What A is, for people."""
    b: str
    evaluation: Evaluation
    """Of B with A as its base; its reports are named by what both have in common."""
    alone: tuple[tuple[str, str], ...]
    """The reports that one side has no counterpart for: 'A' or 'B', and the report."""

    @property
    def exit_code(self) -> int:
        """0: there is an answer; 4 where a side could not be run."""
        found = self.evaluation
        return 4 if found.run.problem or (found.base_run and found.base_run.problem) else 0

    def lines(self) -> list[str]:
        from workflows.commits.compare_lines import lines

        return lines(self)

    def as_json(self) -> dict[str, Any]:
        """The comparison for a program."""
        found = self.evaluation.as_json()
        reports = [
            {**report, "report": name(asked)} for report, asked in zip(found["reports"], self._asked, strict=True)
        ]
        return {
            "kind": self.kind,
            "a": {"name": self.a, "commit": found["base"]},
            "b": {"name": self.b, "commit": found["commit"]},
            "suite": found["suite"],
            "verdict": found["verdict"],
            "problem": found["problem"],
            "reports": [{key: value for key, value in report.items() if key != "asked"} for report in reports],
            "alone": [{"side": side, "report": report} for side, report in self.alone],
        }

    @property
    def _asked(self) -> list[Asked]:
        return [report.asked for report in self.evaluation.reports]


def compare(
    a: str, b: str, suite: str = DEFAULT, are_datasets: bool = False, measuring: Measuring = measured_now
) -> Answer:
    """A and B side by side; commits are run where they were not. Raises TrendError, CommitError, SuiteError, PathError."""
    if are_datasets:
        return _datasets(a, b, suite)
    kinds = [_kind(one) for one in (a, b)]
    if kinds[0] != kinds[1]:
        raise TrendError.not_comparable(a, b, f"the one is {_ARTICLES[kinds[0]]}, the other {_ARTICLES[kinds[1]]}")
    if kinds[0] == "report":
        from workflows.answers.diff import diff

        return diff(a, b)
    return {"commit": of_commits, "date": _dates, "parameters": _parameters}[kinds[0]](a, b, suite, measuring)


_ARTICLES = {"report": "a report", "date": "a date", "parameters": "parameters", "commit": "a commit"}


def _kind(text: str) -> str:
    path = Path(text)
    if path.is_file() or any((path / name).is_file() for name in (PROVENANCE, REPORT)):
        return "report"
    return "date" if _DATE.fullmatch(text) else "parameters" if _SET.fullmatch(text) else "commit"


def of_commits(a: str, b: str, suite: str, measuring: Measuring) -> Comparison:
    """Two commits side by side, by the runs that `measuring` gives; raises CommitError, SuiteError."""
    repository = Repository.of(settings.load().root)
    # Both are looked up before any of them is run.
    commits = [repository.commit(ref) for ref in (a, b)]
    runs = [measuring(commit.sha, suite) for commit in commits]
    names = [f"{commit.short}  {commit.subject}" for commit in commits]
    return _judged("commits", (names[0], names[1]), (runs[0], runs[1]))


def _dates(a: str, b: str, suite: str, _: Measuring) -> Comparison:
    """The reports of two dates in the newest run that has both."""

    def at(date: str) -> Callable[[Asked], Asked | None]:
        return lambda asked: replace(asked, date="") if asked.date == date else None

    return _within("dates", a, b, suite, at, lambda asked: asked.date)


def _parameters(a: str, b: str, suite: str, _: Measuring) -> Comparison:
    """The reports with two sets of parameters in the newest run that has both."""
    names = sorted({*_values(a), *_values(b)})

    def at(text: str) -> Callable[[Asked], Asked | None]:
        wanted = _values(text)
        return lambda asked: _without(asked, names) if _has(asked.parameters, names, wanted) else None

    return _within("parameters", a, b, suite, at, lambda asked: _shown(asked.parameters))


def _within(
    kind: str,
    a: str,
    b: str,
    suite: str,
    at: Callable[[str], Callable[[Asked], Asked | None]],
    named: Callable[[Asked], str],
) -> Comparison:
    """Two parts of the reports of one stored run."""
    runs = [run for _, run in reversed(list(history(store(), _repository(), suite))) if run and not run.problem]
    for run in runs:
        sides = tuple(_part(run, at(one)) for one in (a, b))
        if all(side.reports for side in sides):
            where = f" at {run.commit.short}  {run.commit.subject}"
            return _judged(kind, (a + where, b + where), (sides[0], sides[1]))
    known = {named(made.asked) for run in runs for made in run.reports} - {""}
    missing = b if any(_part(run, at(a)).reports for run in runs) else a
    raise TrendError.unknown({"dates": "date", "parameters": "parameter"}[kind], missing, sorted(known))


def _datasets(a: str, b: str, suite: str) -> Comparison:
    """The newest run with each of two datasets."""
    runs = [run for _, run in history(store(), _repository(), suite) if run and not run.problem]
    newest = {run.dataset: run for run in runs}
    for name_ in (a, b):
        if name_ not in newest:
            raise TrendError.unknown("dataset", name_, sorted(newest))
    names = [f"{name_} at {newest[name_].commit.short}  {newest[name_].commit.subject}" for name_ in (a, b)]
    return _judged("datasets", (names[0], names[1]), (newest[a], newest[b]))


def _judged(kind: str, names: tuple[str, str], runs: tuple[Run, Run]) -> Comparison:
    from workflows.commits.details import details
    from workflows.commits.evaluator import Evaluator

    old, new = runs
    suite = Evaluator.of_project().chosen(new.commit, new.suite).suite
    found = {} if old.problem or new.problem else details(new, old)[0]
    keys = [{made.asked.key: name(made.asked) for made in run.reports} for run in runs]
    alone = [("A", keys[0][key]) for key in keys[0] if key not in keys[1]]
    alone += [("B", keys[1][key]) for key in keys[1] if key not in keys[0]]
    return Comparison(kind, *names, judge(new, old, suite, found), tuple(alone))


def name(asked: Asked) -> str:
    """A report by what both sides have in common."""
    return " ".join(asked.key.split())


def _part(run: Run, renamed: Callable[[Asked], Asked | None]) -> Run:
    """A run with some of its reports only, under other names."""
    kept: list[Made] = [replace(made, asked=other) for made in run.reports if (other := renamed(made.asked))]
    return replace(run, reports=tuple(kept))


def _values(text: str) -> dict[str, Any]:
    """What 'threshold=4,carrier=UA' says."""
    pairs = [part.partition("=") for part in text.split(",")]
    return {key.strip(): _value(value) for key, _, value in pairs}


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _has(parameters: Mapping[str, Any], names: Iterable[str], wanted: Mapping[str, Any]) -> bool:
    """Whether a report was asked for with these values, and with no other of these names."""
    return {name: parameters[name] for name in names if name in parameters} == wanted


def _without(asked: Asked, names: Iterable[str]) -> Asked:
    kept = {name: value for name, value in asked.parameters.items() if name not in names}
    return replace(asked, parameters=kept)


def _shown(parameters: Mapping[str, Any]) -> str:
    return ",".join(f"{name}={value}" for name, value in sorted(parameters.items()))


def _repository() -> Repository:
    return Repository.of(settings.load().root)
