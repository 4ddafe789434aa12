"""A commit put through a suite, compared with its base and judged; everything is stored, and what is stored is used."""

from __future__ import annotations

from collections.abc import Iterator

from workflows.commits.evaluator import Evaluator
from workflows.errors import CommitError
from workflows.evaluation.runs import Run
from workflows.evaluation.suites import DEFAULT
from workflows.evaluation.verdict import Evaluation


def evaluated(
    ref: str = "HEAD", base: str | None = None, suite_name: str = DEFAULT, is_dirty: bool = False
) -> Evaluation:
    """The evaluation of a commit of the current directory's project, made now or found; `base` is what it is compared with.

    Raises CommitError, SuiteError, NoSuite.
    """
    evaluator = Evaluator.of_project()
    commit, diff = evaluator.repository.with_work() if is_dirty else (evaluator.repository.commit(ref), b"")
    evaluation = evaluator.evaluated(commit, evaluator.base(commit, base), suite_name, diff, is_asked=True)
    evaluator.write_feed()
    return evaluation


def found(ref: str, base: str | None, suite_name: str) -> Evaluation | None:
    """The evaluation of a commit as it is stored, if it is of the same base and reports and did not fail."""
    evaluator = Evaluator.of_project()
    commit = evaluator.repository.commit(ref)
    return evaluator.stored(commit, suite_name, evaluator.base(commit, base))


def measured(ref: str, suite_name: str = DEFAULT) -> Run:
    """The run of a commit of the current directory's project through a suite, found or made now."""
    evaluator = Evaluator.of_project()
    commit = evaluator.repository.commit(ref)
    return evaluator.run(commit, evaluator.chosen(commit, suite_name))


def in_range(range_: str, suite_name: str = DEFAULT) -> Iterator[Evaluation]:
    """The evaluations of the commits of `A..B` along first parents, newest first; those that are stored are not made again."""
    evaluator = Evaluator.of_project()
    oldest, dots, newest = range_.partition("..")
    if not dots:
        raise CommitError.no_range(range_)
    try:
        for sha in evaluator.repository.first_parents(newest or "HEAD", oldest or None):
            commit = evaluator.repository.commit(sha)
            base = evaluator.repository.commit(commit.parents[0]) if commit.parents else None
            yield evaluator.stored(commit, suite_name, base) or evaluator.evaluated(commit, base, suite_name)
    finally:
        # Once for all: it reads every evaluation.
        evaluator.write_feed()
