"""The plan of this process: which version each task is, computed once, with what it was computed from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workflows.errors import ParcoursError, PipelineError
from workflows.identity.closure import Code
from workflows.identity.environment import Environment
from workflows.identity.version import version_of

if TYPE_CHECKING:
    from workflows.tasks.result import Result

Key = tuple[type, tuple[tuple[str, Any], ...]]


@dataclass(frozen=True)
class Recipe:
    """What one task's version is computed from, apart from its inputs."""

    parameters: Mapping[str, str]
    """The significant parameters, as text."""
    code: Code
    fingerprint: str | None = None
    """Queries only: the fingerprint of the data."""
    problem: ParcoursError | None = None
    """Why the task would fail, where that is known already."""


@dataclass(frozen=True)
class Identity:
    """One task's version and where it comes from."""

    version: str
    recipe: Recipe
    environment: Environment
    inputs: tuple[Result, ...]
    """The tasks whose results go in, in order."""


class Plan:
    """Every identity that this process has computed."""

    def __init__(self) -> None:
        self._identities: dict[Key, Identity] = {}
        self._open: set[Key] = set()

    def identity(self, key: Key, draft: Result, environment: Callable[[Code], Environment]) -> Identity:
        """The identity of a task; `draft` is the task without a version."""
        if key not in self._identities:
            if key in self._open:
                raise PipelineError.circular(str(draft))
            self._open.add(key)
            try:
                self._identities[key] = _identity(draft, environment)
            finally:
                self._open.discard(key)
        return self._identities[key]


def _identity(draft: Result, environment: Callable[[Code], Environment]) -> Identity:
    recipe = draft.recipe()
    inputs = tuple(draft.inputs())
    around = environment(recipe.code)
    version = version_of(
        draft.get_task_family(),
        recipe.parameters,
        recipe.code.digest,
        around.digest,
        [task.version for task in inputs],
        recipe.fingerprint,
    )
    return Identity(version, recipe, around, inputs)


def tree(root: Result) -> Iterator[Result]:
    """A task and everything it is made from, each once, inputs first."""
    seen: set[str] = set()

    def walk(task: Result) -> Iterator[Result]:
        if task.task_id not in seen:
            seen.add(task.task_id)
            for below in task.identity.inputs:
                yield from walk(below)
            yield task

    return walk(root)
