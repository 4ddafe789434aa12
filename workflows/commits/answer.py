"""`parcours evaluate`: one commit or a range of them, what was found in lines, and the files that other tools read."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from workflows.answers.found import store
from workflows.commits import evaluate
from workflows.errors import PathError, UsageError
from workflows.evaluation.verdict import Evaluation, MeasureVerdict, ReportVerdict
from workflows.store.evaluations import PAGE, Evaluations
from workflows.tasks.terminal import terminal

_MARKS = {"worse": "-", "better": "+", "new": "*", "missing": "?", "same": " "}


@dataclass(frozen=True)
class Evaluated:
    """One evaluation, and where its page lies."""

    evaluation: Evaluation
    page: str

    @property
    def exit_code(self) -> int:
        """0 not worse, 1 worse, 3 nothing measured, 4 infrastructure failed."""
        return self.evaluation.exit_code

    def lines(self) -> list[str]:
        """The verdict, what changed, and where the page is, which comes last."""
        found, run = self.evaluation, self.evaluation.run
        against = f" against {found.base.short} {found.base.subject}" if found.base else ", which has no base"
        lines = [f"{found.verdict}: {found.commit.short} {found.commit.subject}{against}"]
        if found.problem:
            lines.append(f"  {found.problem}")
        if run.suite_from == "trunk":
            lines.append(f"  the commit has no suite {found.suite}; that of the trunk was used")
        lines += [line for report in found.reports for line in _of_report(report)]
        if not run.problem:
            lines.append(f"{run.results_made} results made, {run.results_reused} reused, in {run.seconds:.1f} s")
        return [*lines, f"evaluation: {self.page}"]

    def as_json(self) -> dict[str, Any]:
        """The record of the evaluation, with its page."""
        return {**self.evaluation.as_json(), "page": self.page}


@dataclass(frozen=True)
class Range:
    """The evaluations of a range of commits, newest first."""

    evaluations: tuple[Evaluated, ...]

    @property
    def exit_code(self) -> int:
        """The worst of all."""
        codes = [found.exit_code for found in self.evaluations]
        return next((code for code in (4, 1, 3) if code in codes), 0)

    def lines(self) -> list[str]:
        """A line for each commit."""
        rows = [found.evaluation for found in self.evaluations]
        return [f"{e.verdict:<16}  {e.commit.short}  {e.commit.subject}" for e in rows] or ["no commits in this range"]

    def as_json(self) -> list[dict[str, Any]]:
        """The records of all."""
        return [found.as_json() for found in self.evaluations]


@dataclass(frozen=True)
class Files:
    """What is written for other tools."""

    junit: Path | None = None
    markdown: Path | None = None
    link: str | None = None
    """Where the evaluation's folder can be read by others."""

    def check(self) -> None:
        """Raise PathError for a file that cannot be written, before anything runs."""
        for path in filter(None, (self.junit, self.markdown)):
            if path.is_dir() or not path.absolute().parent.is_dir():
                raise PathError.not_writable(str(path), "is a folder, or lies in one that does not exist")

    def write(self, evaluation: Evaluation, evaluations: Evaluations) -> None:
        """Write them."""
        from workflows.evaluation.junit import junit
        from workflows.evaluation.markdown import markdown

        if self.junit:
            _write(self.junit, junit(evaluation))
        if self.markdown:
            read = partial(evaluations.read, evaluation.suite, evaluation.commit.state)
            _write(self.markdown, markdown(evaluation, self.link, read))


def answer(ref: str | None, base: str | None, suite: str, is_dirty: bool, files: Files) -> Evaluated:
    """The evaluation of a commit, or of the uncommitted work; raises CommitError, SuiteError, NoSuite, PathError."""
    if is_dirty and ref:
        raise UsageError.not_both("--dirty", f"a commit ({ref})")
    files.check()
    _begin()
    found = evaluate.evaluated(ref or "HEAD", base, suite, is_dirty)
    files.write(found, store().evaluations)
    return with_page(found)


def answers(range_: str, suite: str) -> Range:
    """The evaluations of the commits `A..B` along first parents."""
    _begin()
    return Range(tuple(map(with_page, _shown(evaluate.in_range(range_, suite)))))


def _shown(found: Any) -> Sequence[Evaluation]:
    kept = []
    for evaluation in found:
        terminal().tell(evaluation.verdict, f"{evaluation.commit.short}  {evaluation.commit.subject}")
        kept.append(evaluation)
    return kept


def _begin() -> None:
    """Show progress; leave nothing behind where a CI server or systemd ends this process."""
    terminal().open()
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


def with_page(found: Evaluation) -> Evaluated:
    """An evaluation, and where its page lies in the store of the current directory's project."""
    return Evaluated(found, store().evaluations.shown(found.suite, found.commit.state, PAGE))


def _of_report(report: ReportVerdict) -> list[str]:
    """A report's failure and the measures that did not stay the same."""
    changed = [measure for measure in report.measures if measure.verdict != "same"]
    if report.state == "failed":
        return [f"  - {report.asked.key}  failed: {report.failure}"]
    if not changed:
        return [f"    {report.asked.key}  the same"] if report.base_path else [f"  * {report.asked.key}  new"]
    return [f"    {report.asked.key}", *(f"  {_mark(m)}   {_measure(m)}" for m in changed)]


def _mark(found: MeasureVerdict) -> str:
    return _MARKS["worse" if found.is_lost else found.verdict]


def _measure(found: MeasureVerdict) -> str:
    unit = "" if found.unit == "1" else f" {found.unit}"
    verdict = f"{found.verdict}, which is worse" if found.is_lost else found.verdict
    return f"{found.name} {_number(found.base)} -> {_number(found.value)}{unit} ({verdict})"


def _number(value: float | int | None) -> str:
    return "nothing" if value is None else f"{value:.6g}"


def _write(path: Path, text: str) -> None:
    beside = path.with_name(f".{path.name}.new")
    try:
        if path.is_symlink() or (path.exists() and not path.is_file()):
            # A link stays one, and so does a pipe or a terminal, such as /dev/stdout.
            path.write_text(text, encoding="utf-8")
            return
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        raise PathError.not_writable(str(path), f"cannot be written ({error.strerror})") from error
