"""What the making of results imports, imported once by the process from which Luigi forks one for each task."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterable
from typing import Any

from workflows.data.tables import resolve_schema
from workflows.tasks.kernels import environment
from workflows.tasks.plan import tree
from workflows.tasks.project import current
from workflows.tasks.query import Query
from workflows.tasks.report import ReportTask
from workflows.tasks.result import Result
from workflows.tasks.stage import Stage

# pandera imports its checks, and hypothesis with them where that is installed, with the first table that it sees.
_TABLES = (
    "pandas",
    "pandas.io.parquet",
    "pyarrow.parquet",
    "pandera.pandas",
    "pandera.backends.pandas.builtin_checks",
    "pandera.backends.pandas.container",
)


def import_ahead(names: Iterable[str] = ()) -> None:
    """Import what the making of any project's results needs, and these packages of others."""
    for name in (*_TABLES, "sqlalchemy", "nbformat", *names):
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    _prepare_reports()


def imported_by(root: Result) -> list[str]:
    """The installed packages that the code imports of what a result is made from, queries and stages."""
    tables = [task for task in tree(root) if isinstance(task, Query | Stage)]
    return sorted({name for task in tables for name in task.identity.recipe.code.imports} & current().installed.keys())


def import_for(tasks: Iterable[Any]) -> None:
    """Import what these tasks need where they are to be made; what reports import is for their kernels."""
    kinds = {type(task): task for task in tasks if isinstance(task, Result) and not task.complete()}
    if not kinds:
        return
    # Before packages add theirs.
    environment()
    tables = [task for task in kinds.values() if isinstance(task, Query | Stage)]
    own = {name for task in tables for name in task.identity.recipe.code.imports & current().installed.keys()}
    for name in (*_TABLES, *sorted(own)):
        # What cannot be imported is the error of the task that needs it.
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    for task in tables:
        with contextlib.suppress(Exception):
            resolve_schema(task.label, task.schema).to_schema()
    if any(isinstance(task, ReportTask) for task in kinds.values()):
        _prepare_reports()


def _prepare_reports() -> None:
    from workflows.notebooks import execution, html  # noqa: F401 - for those that are forked

    html.prepare()
