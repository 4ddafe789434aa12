"""What the making of results imports, imported once by the process from which Luigi forks one for each task."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterable

from workflows.tasks.report import ReportTask
from workflows.tasks.result import Result

# pandera imports its checks, and hypothesis with them where that is installed, with the first table that it sees.
_TABLES = (
    "pandas",
    "pandas.io.parquet",
    "pyarrow.parquet",
    "pandera.pandas",
    "pandera.backends.pandas.builtin_checks",
    "pandera.backends.pandas.container",
)
_REPORTS = ("workflows.notebooks.execution", "workflows.notebooks.html")


def import_for(tasks: Iterable[Result]) -> None:
    """Import what these tasks and those below them need: each forked process would import it anew."""
    has_reports = any(isinstance(task, ReportTask) for task in tasks)
    for name in (*_TABLES, *(_REPORTS if has_reports else ())):
        # What cannot be imported is the error of the task that needs it.
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
