"""The plan of this process: which version each task is, computed once, with what it was computed from."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import luigi

from workflows.errors import ParcoursError, PipelineError
from workflows.identity.closure import Code
from workflows.identity.environment import Environment
from workflows.identity.observed import NOTHING, Observed
from workflows.identity.version import version_of

if TYPE_CHECKING:
    from workflows.tasks.result import Result

Key = tuple[type, tuple[tuple[str, str], ...]]

UNPLANNED = "unplanned"
"""The version of a task that is met before it is planned."""
_DEEPEST = 20
"""How many tasks are planned within one another; each takes about ten of the thousand frames that Python allows."""
_LONGEST = 10_000
"""How many tasks in a row are taken for a chain, and not for one without an end."""


@dataclass(frozen=True)
class Recipe:
    """What one task's version is computed from, apart from its inputs."""

    parameters: Mapping[str, str]
    """The significant parameters, as text."""
    code: Code
    fingerprint: str | None = None
    """Queries only: the fingerprint of the data."""
    rows: int | None = None
    """Queries only: the number of rows, if it was counted."""
    problem: ParcoursError | None = None
    """Why the task would fail, where that is known already."""
    code_named: Code | None = None
    """The code that the source names, where runs have shown more, which `code` then counts too."""
    shown: Observed = NOTHING
    """What runs have shown."""

    @property
    def named(self) -> Code:
        """The code that the source names."""
        return self.code_named or self.code

    @property
    def observed(self) -> dict[str, str]:
        """What runs have shown beyond it: files and folders with their digests."""
        known = self.named.files
        return {label: found for label, found in self.code.files.items() if known.get(label) != found}


@dataclass(frozen=True)
class Identity:
    """One task's version and where it comes from."""

    version: str
    recipe: Recipe
    environment: Environment
    inputs: tuple[Result, ...]
    """The tasks whose results go in, in order."""
    shape: Any
    """What requires() returned, with the inputs' numbers in place of the tasks."""
    problem: ParcoursError | None
    """Why the task or one that it is made from would fail, where that is known already."""
    is_followed: bool = False
    """Whether another process planned it."""


class _First(BaseException):
    """A task that is to be planned before the one in whose requires() it was met.

    It passes through code of the pipeline's authors, so it is no Exception that they could catch.
    """

    def __init__(self, key: Key, draft: Result) -> None:
        self.key = key
        self.draft = draft


Follow = Callable[["Result", str], "Identity | None"]
"""The identity of a task with a version as a stored plan has it, if one does."""


class Plan:
    """Every identity that this process has computed.

    A task is planned while it is constructed, and so within the requires() of the task above it. A chain of tasks that is
    longer than Python's stack is planned from some way down: each of its pieces begins once more when the next is done.
    """

    def __init__(
        self, follow: Follow | None = None, ahead: Callable[[Callable[[], object]], None] | None = None
    ) -> None:
        """`ahead` is called before a tree of tasks is planned, with what constructs it."""
        self.values: dict[Hashable, list[tuple[str, Any]]] = {}
        """The parameter values of tasks by what was given for them: authors construct the same tasks many times."""
        self._follow = follow
        self._ahead = ahead
        self._followed: dict[tuple[Key, str], Identity] = {}
        self._identities: dict[Key, Identity] = {}
        self._open: set[Key] = set()
        self._depth = 0
        self._constructed: list[Result] = []

    def identity(
        self, key: Key, draft: Result, environment: Callable[[Code], Environment], version: str = ""
    ) -> Identity:
        """The identity of a task; `draft` is the task without a version.

        Where a version is given that is not this process's own, and a stored plan has it, that plan is followed.
        """
        own = self._identities.get(key)
        if version and self._follow and (own is None or own.version != version):
            followed = self._followed.get((key, version)) or self._follow(draft, version)
            if followed:
                self._followed[key, version] = followed
                return followed
        if own is None:
            if key in self._open:
                raise PipelineError.circular(draft.label)
            if self._depth == 0:
                if self._ahead:
                    self._ahead(draft.inputs)
                self._from_below(key, draft, environment)
            elif self._depth < _DEEPEST:
                self._within(key, draft, environment)
            else:
                raise _First(key, draft)
        return self._identities[key]

    def meet(self, task: Result) -> None:
        """A task with its version."""
        if task.version != UNPLANNED:
            self._constructed.append(task)

    def constructed(self) -> list[Result]:
        """The tasks that were constructed since this was asked last."""
        found, self._constructed = self._constructed, []
        return found

    def known(self, key: Key) -> Identity | None:
        """The identity of a task, if it was computed already."""
        return self._identities.get(key)

    def compute(self, draft: Result, environment: Callable[[Code], Environment]) -> Identity:
        """The identity of a task whose inputs may be planned first."""
        return _identity(draft, environment)

    def _from_below(self, key: Key, draft: Result, environment: Callable[[Code], Environment]) -> None:
        waiting = [(key, draft)]
        try:
            while waiting:
                self._open = {key for key, _ in waiting}
                try:
                    self._within(*waiting[-1], environment)
                    waiting.pop()
                except _First as first:
                    waiting.append((first.key, first.draft))
                if len(waiting) * _DEEPEST > _LONGEST:
                    endless = RecursionError(f"more than {_LONGEST:,} tasks require one another in a row")
                    raise PipelineError.requirements(draft.label, endless, "")
        finally:
            self._open = set()

    def _within(self, key: Key, draft: Result, environment: Callable[[Code], Environment]) -> None:
        self._open.add(key)
        self._depth += 1
        try:
            self._identities[key] = self.compute(draft, environment)
        finally:
            self._depth -= 1
            self._open.discard(key)


def _identity(draft: Result, environment: Callable[[Code], Environment]) -> Identity:
    recipe = draft.counted_recipe()
    inputs, shape = draft.inputs()
    around = environment(recipe.code)
    version = version_with(draft, recipe, around, [task.version for task in inputs])
    problems = [recipe.problem, *(task.identity.problem for task in inputs)]
    return Identity(version, recipe, around, inputs, shape, next(filter(None, problems), None))


def version_with(task: Result, recipe: Recipe, around: Environment, inputs: Sequence[str]) -> str:
    """The version of a task by its recipe, its environment and the versions of its inputs."""
    code, family = recipe.code.digest, task.get_task_family()
    return version_of(family, recipe.parameters, code, around.digest, inputs, recipe.fingerprint)


def arranged(required: Any, found: list[Any]) -> Any:
    """The arrangement of what requires() returned, with numbers in place of the tasks, which are added to `found`."""
    if isinstance(required, Mapping):
        return {name: arranged(below, found) for name, below in required.items()}
    if required is None:
        return None
    if isinstance(required, luigi.Task | str) or not isinstance(required, Iterable):
        found.append(required)
        return len(found) - 1
    return [arranged(below, found) for below in required]


def tree(root: Result, descends: Callable[[Result], bool] = lambda task: True) -> Iterator[Result]:
    """A task and everything it is made from, each once, inputs first; where `descends` says no, its inputs are left out."""
    seen = {root.task_id}
    waiting = [(root, _below(root, descends))]
    while waiting:
        task, inputs = waiting[-1]
        below = next((found for found in inputs if found.task_id not in seen), None)
        if below is None:
            waiting.pop()
            yield task
        else:
            seen.add(below.task_id)
            waiting.append((below, _below(below, descends)))


def _below(task: Result, descends: Callable[[Result], bool]) -> Iterator[Result]:
    return iter(task.identity.inputs if descends(task) else ())


def is_incomplete(task: Result) -> bool:
    """Whether a task's inputs are asked for: Luigi does not look below a result that is there."""
    return not task.complete()
