"""A repository of empty commits, for whose runs the tests say what they measured."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from workflows.answers.found import store
from workflows.cli import main
from workflows.commits.git import Repository
from workflows.evaluation.measures import Measure
from workflows.evaluation.runs import Made, Run
from workflows.evaluation.suites import Asked
from workflows.store.evaluations import RUN


@dataclass
class History:
    """A repository of empty commits, oldest first."""

    commits: list[str]

    def run(self, sha: str, *values: float | None, measure: str = "late", **other: Any) -> Run:
        """The run of a commit, with a report for each value; None is a report that failed."""
        asked = [Asked("daily", f"2013-01-{15 + n}") for n in range(len(values))]
        made = [
            Made(one, failure="cell 2 failed")
            if value is None
            else Made(
                one,
                f"ReportTask/{one.date}/{sha[:9]}",
                f"{one.date} {sha}",
                measures=(Measure(measure, value, "min", "lower"),),
            )
            for one, value in zip(asked, values, strict=True)
        ]
        given: dict[str, Any] = {
            "commit": Repository.of(Path()).commit(sha), "suite": "default", "work": "w", "suite_from": "commit",
            "dataset": "jan", "dataset_digest": "d", "lock": "l", "python": "3.11.7", "packages": {"pandas": "3.0.0"},
            "reports": tuple(made), "results_made": 1, "results_reused": 0, "started": "2026-01-01T00:00:00+00:00",
            "seconds": 1.0, "host": "h", "user": "u", "templates": {"daily": "t"},
        }  # fmt: skip
        return Run(**{**given, **other})

    def store(self, at: int, *values: float | None, **other: Any) -> None:
        """Store the run of a commit."""
        self.put(self.run(self.commits[at], *values, **other))

    def put(self, found: Run) -> None:
        """Store a run."""
        store().evaluations.put(found.suite, found.commit.state, {RUN: json.dumps(found.as_json()).encode()})

    def store_all(self, values: Sequence[float | None]) -> None:
        """Store the run of every commit."""
        for at, value in enumerate(values):
            self.store(at, value)


def git(*words: str) -> str:
    author = {f"GIT_{who}_{what}": "ada@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = {**os.environ, **author, "GIT_CONFIG_GLOBAL": os.devnull}
    return subprocess.run(["git", *words], check=True, capture_output=True, text=True, env=environment).stdout.strip()


def committed(number: int) -> list[str]:
    for at in range(number):
        git("commit", "--quiet", "--allow-empty", f"--message=Change {at}")
    return git("rev-list", "--reverse", "HEAD").split()


@pytest.fixture
def history(small: Any, inside: Callable[[Any], None]) -> History:
    inside(small)
    git("init", "--quiet", "--initial-branch=main")
    return History(committed(12))


def told(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    code = main(words)
    found = capsys.readouterr()
    return code, found.out + found.err
