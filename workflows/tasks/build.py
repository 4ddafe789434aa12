"""Results made by this very process, through a scheduler of its own: for commands that need them."""

from __future__ import annotations

from collections.abc import Sequence

import luigi

from workflows.errors import StoreError
from workflows.store.artefacts import Artefact
from workflows.tasks import command, local
from workflows.tasks.failing import failures
from workflows.tasks.project import current
from workflows.tasks.result import Result


def built(tasks: Sequence[Result]) -> list[Artefact]:
    """The artefacts of these tasks, made with everything they require where the store has them not.

    Progress goes to standard error. Raises the error of the first task that fails, before anything is run where it is
    known already.
    """
    for task in tasks:
        if task.identity.problem:
            raise task.identity.problem
    if not all(task.complete() for task in tasks):
        _make(tasks)
    found = [current().store.find(task.address) for task in tasks]
    for task, artefact in zip(tasks, found, strict=True):
        if artefact is None:
            raise StoreError.absent(task.address.path)
    return [artefact for artefact in found if artefact]


def _make(tasks: Sequence[Result]) -> None:
    command.install()
    command.show_plan(list(tasks))
    with failures() as failed:
        luigi.build(list(tasks), local.Factory(), local_scheduler=True, workers=1, log_level="CRITICAL")
    if failed:
        raise failed[0]
