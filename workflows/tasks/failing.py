"""The errors of tasks that fail while this process runs them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import luigi

from workflows.tasks.result import Result


@contextlib.contextmanager
def failures() -> Iterator[list[BaseException]]:
    """The errors of the tasks that fail meanwhile, in their order."""
    failed: list[BaseException] = []

    def heard(_: Result, error: BaseException) -> None:
        failed.append(error)

    Result.event_handler(luigi.Event.FAILURE)(heard)
    try:
        yield failed
    finally:
        Result.remove_event_handler(luigi.Event.FAILURE, heard)
