"""What the kernels of this process's reports have imported ahead, and the process that does it, started in good time."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from workflows.identity.surroundings import fixed
from workflows.notebooks.warm import lease
from workflows.tasks.pages import WRITERS
from workflows.tasks.project import current

if TYPE_CHECKING:
    from workflows.tasks.report import ReportTask
    from workflows.tasks.result import Result

# What is imported ahead has read the environment before the code that changes it.
_CHANGES = re.compile(rb"\benviron\b(?!\.get\b)|\bputenv\b|%(set_)?env\b")


def imported_ahead(reports: Sequence[ReportTask]) -> list[str] | None:
    """The modules that the templates of these reports import, or those of the first who asked; None for plain kernels.

    A template whose code changes the environment, on which what it imports then may depend, has a plain one.
    """
    project = current()
    if not project.settings.warm_kernels or any(map(_changes_environment, reports)):
        return None
    return project.once("imported ahead", lambda: sorted({name for report in reports for name in _imports(report)}))


def warm_up(tasks: Iterable[Result], workers: int | None) -> None:
    """Have what the reports among these tasks import be imported, and their kernels be set up, while queries and stages run.

    `workers` is how many will make these tasks and nothing else; None where this process may be asked for more.
    """
    from workflows.tasks.report import ReportTask

    reports = [task for task in tasks if isinstance(task, ReportTask) and not _changes_environment(task)]
    names = imported_ahead(reports) if reports else None
    if names is not None:
        lease.start(environment(), current().settings.root, names, _need(reports, workers))


def keep_warm(task: object) -> None:
    """Have the process that kernels are forked from be there, for a task that is a report and will run in a process of its own."""
    from workflows.tasks.report import ReportTask

    if isinstance(task, ReportTask):
        lease.renew()


def environment() -> dict[str, str]:
    """The variables that kernels find: those of this process when it planned, before packages added theirs on being imported."""
    return current().once("environment of kernels", lambda: fixed(os.environ))


def _need(reports: Sequence[ReportTask], workers: int | None) -> lease.Need:
    return lease.Need() if workers is None else lease.Need(min(workers, os.cpu_count() or 1), len(reports))


def _imports(report: ReportTask) -> Iterable[str]:
    return report.identity.recipe.code.imports - WRITERS


def _changes_environment(report: ReportTask) -> bool:
    return any(_CHANGES.search(source) for source in report.identity.recipe.code.sources.values())
