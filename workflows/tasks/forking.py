"""What tasks import, imported once before a worker forks: each of its processes would do it anew for one task."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterable
from typing import Any

from workflows.data.tables import resolve_schema
from workflows.tasks.project import current
from workflows.tasks.query import Query
from workflows.tasks.report import ReportTask
from workflows.tasks.result import Result
from workflows.tasks.stage import Stage

_OF_TABLES = ("pandas", "pyarrow.parquet", "sqlalchemy")


def import_ahead(tasks: Iterable[Any]) -> None:
    """Import what these tasks need in the process that runs them; kernels have their own parent."""
    kinds = {type(task): task for task in tasks if isinstance(task, Result) and not task.complete()}
    names = set(_OF_TABLES) if kinds else set()
    for task in kinds.values():
        if isinstance(task, Query | Stage):
            names |= task.identity.recipe.code.imports & current().installed.keys()
    for name in sorted(names):
        # What cannot be imported is the error of the task that does.
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    for task in kinds.values():
        with contextlib.suppress(Exception):
            resolve_schema(task.label, getattr(task, "schema", None)).to_schema()
    if any(isinstance(task, ReportTask) for task in kinds.values()):
        from workflows.notebooks import execution, html  # noqa: F401 - for those that are forked

        html.prepare()
