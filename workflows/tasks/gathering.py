"""Tasks met before they are planned, so that the database is asked for all their fingerprints together."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from luigi.task_register import Register

from workflows.identity.closure import Code
from workflows.identity.environment import Environment
from workflows.tasks.plan import UNPLANNED, Identity, Key, Plan, Recipe

if TYPE_CHECKING:
    from workflows.tasks.result import Result

# Luigi's instances by class and values, under the name that Python gives a private attribute.
_INSTANCES = "_Register__instance_cache"


class Gathering(Plan):
    """A plan that meets every task which another plan does not know yet, and gives it no version."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self._plan = plan
        self._met: dict[type[Result], list[Result]] = {}

    def identity(
        self, key: Key, draft: Result, environment: Callable[[Code], Environment], version: str = ""
    ) -> Identity:
        """The other plan's identity of a task, or one that only says what it is made from."""
        return self._plan.known(key) or super().identity(key, draft, environment)

    def compute(self, draft: Result, environment: Callable[[Code], Environment]) -> Identity:
        """Note the task."""
        inputs, shape = draft.inputs()
        self._met.setdefault(type(draft), []).append(draft)
        return Identity(UNPLANNED, Recipe({}, Code({}, frozenset())), Environment("", {}), inputs, shape, None)

    def gather(self, make: Callable[[], object]) -> None:
        """Meet the tasks that `make` constructs.

        What goes wrong goes wrong again when the same is planned, and is raised then.
        """
        with contextlib.suppress(Exception):
            self.construct(make)

    def construct(self, make: Callable[[], object]) -> None:
        """Meet the same tasks, with what goes wrong raised now."""
        with _apart():
            make()

    @property
    def met(self) -> list[Result]:
        """The tasks that were met, none of them planned."""
        return [draft for drafts in self._met.values() for draft in drafts]

    def look_ahead(self) -> None:
        """Have each class of tasks find out together what their versions need."""
        for cls, drafts in self._met.items():
            # As above: what the database refuses is the error of the one query that it refuses.
            with contextlib.suppress(Exception):
                cls.look_ahead(drafts)


@contextmanager
def _apart() -> Iterator[None]:
    """Keep the instances that are made meanwhile from those who plan."""
    kept = getattr(Register, _INSTANCES)
    setattr(Register, _INSTANCES, {})
    try:
        yield
    finally:
        setattr(Register, _INSTANCES, kept)
