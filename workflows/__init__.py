"""Parcours: continuous evaluation for teams of data scientists and software engineers.

The door. Pipelines import `Query` and `Stage` from here, templates `measure`; the `luigi` command finds every task of the
project behind it. A notebook that only measures does not pay for Luigi: the tasks are loaded when they are asked for,
or when Luigi is there already.
"""

from __future__ import annotations

import importlib
import sys
from typing import TYPE_CHECKING, Any

from workflows.evaluation.measures import measure
from workflows.release import VERSION

if TYPE_CHECKING:
    from workflows.tasks.backfill import Backfill
    from workflows.tasks.query import Query
    from workflows.tasks.report import ReportTask
    from workflows.tasks.stage import Stage

__version__ = VERSION
_TASKS = {"Backfill": "backfill", "Query": "query", "ReportTask": "report", "Stage": "stage"}

__all__ = ["Backfill", "Query", "ReportTask", "Stage", "__version__", "measure"]


def __getattr__(name: str) -> Any:
    if name not in _TASKS:
        raise AttributeError(f"module 'workflows' has no attribute {name!r}")
    return getattr(importlib.import_module(f"workflows.tasks.{_TASKS[name]}"), name)


def _register() -> None:
    """Make every task of the project known to Luigi."""
    from workflows.tasks import backfill, command, configuration, project  # noqa: F401 - importing a task registers it

    importlib.import_module("workflows.commits.task")
    command.install()
    configuration.check("ReportTask", "Backfill")
    project.current()


if "luigi" in sys.modules:
    _register()
