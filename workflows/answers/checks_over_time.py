"""The checks of a template over its last reports: those that never failed, and those that always did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from workflows.answers.past_reports import PastReport
from workflows.evaluation.checks import Checked, Outcome

ENOUGH = 5
"""How many reports it takes to say of a check that it never or always failed."""


@dataclass(frozen=True)
class CheckHistory:
    """One check over the reports that came to it."""

    cell: int
    """The number of its code cell in the newest of them, from 1."""
    name: str
    outcomes: Counter[Outcome]

    @property
    def checked(self) -> int:
        """How many reports passed or failed it."""
        return self.outcomes["pass"] + self.outcomes["fail"]

    @property
    def never_failed(self) -> bool:
        """Whether it passed in enough reports and failed in none: perhaps it tests nothing."""
        return self.checked >= ENOUGH and not self.outcomes["fail"]

    @property
    def always_failed(self) -> bool:
        """Whether it failed in enough reports and passed in none."""
        return self.checked >= ENOUGH and not self.outcomes["pass"]

    @property
    def never_checked(self) -> bool:
        """Whether enough reports had nothing to check it with, and none had."""
        return self.outcomes["not checked"] >= ENOUGH and not self.checked


@dataclass(frozen=True)
class ChecksOverTime:
    """The checks of a template."""

    reports: int
    """How many reports were looked at."""
    checks: Sequence[CheckHistory]
    """In the order of the template."""

    @property
    def is_enough(self) -> bool:
        """Whether there are enough reports to say anything."""
        return self.reports >= ENOUGH

    @property
    def never_failed(self) -> list[CheckHistory]:
        """Those that passed throughout."""
        return [check for check in self.checks if check.never_failed]

    @property
    def always_failed(self) -> list[CheckHistory]:
        """Those that failed throughout."""
        return [check for check in self.checks if check.always_failed]

    @property
    def never_checked(self) -> list[CheckHistory]:
        """Those that could not be checked throughout."""
        return [check for check in self.checks if check.never_checked]


def checks_over_time(reports: Sequence[PastReport]) -> ChecksOverTime:
    """What became of the checks in reports of one template, made and failed, newest first.

    Of reports with the same bytes one counts. A check that the newest made report does not have any more is left out.
    """
    distinct = list({report.maker: report for report in reversed(reports)}.values())[::-1]
    history: dict[str, tuple[Checked, Counter[Outcome]]] = {}
    is_present = True
    for report in distinct:
        for check in report.checks:
            if is_present:
                history.setdefault(check.name, (check, Counter()))
            if check.name in history:
                history[check.name][1][check.outcome] += 1
        is_present = is_present and not report.is_made
    histories = [CheckHistory(check.cell, check.name, outcomes) for check, outcomes in history.values()]
    return ChecksOverTime(len(distinct), sorted(histories, key=lambda check: check.cell))
