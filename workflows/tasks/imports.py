"""What the making of results imports, imported once by the process from which Luigi forks one for each task."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterable
from typing import Any

from workflows.data.tables import resolve_schema
from workflows.tasks.kernels import environment
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
        from workflows.notebooks import execution, html  # noqa: F401 - for those that are forked

        html.prepare()
