"""The plan as it is handed to other processes: written before the first task runs, followed by workers that planned nothing."""

from __future__ import annotations

import atexit
import contextlib
import datetime
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from luigi.task_register import Register, TaskClassException

from workflows.errors import ParcoursError, PlanError
from workflows.identity.changes import CodeState, code_changes, environment_changes
from workflows.identity.closure import Code
from workflows.identity.environment import Environment
from workflows.identity.version import version_of
from workflows.store.plans import Planned
from workflows.tasks.plan import Identity, Recipe, tree
from workflows.tasks.project import current

if TYPE_CHECKING:
    from workflows.store.artefacts import Address, Store
    from workflows.tasks.result import Result


@dataclass
class _Written:
    """One plan that this process wrote."""

    store: Store
    name: str
    roots: list[Address]


@dataclass
class _Handover:
    """What this process handed over."""

    process: int = field(default_factory=os.getpid)
    written: list[_Written] = field(default_factory=list)
    covered: set[tuple[str, str]] = field(default_factory=set)
    """Tasks in a plan that is stored already, each with its store."""


_handed = _Handover()


def begin() -> None:
    """Have this process, a fork of one that hands nothing over, answer for what it hands over itself."""
    _handed.process = os.getpid()


atexit.register(lambda: end())


def write(roots: Iterable[Result]) -> None:
    """Store the plan of these tasks and all they are made from, those apart that a stored plan has.

    With them goes every other task that was constructed: one that requires many has them all in one plan.
    """
    store, place = current().store, current().settings.store

    def is_missing(task: Result) -> bool:
        return (place, task.version) not in _handed.covered and not task.identity.is_followed

    missing = [root for root in roots if is_missing(root)]
    if missing:
        missing += [task for task in current().plan.constructed() if is_missing(task) and not task.identity.problem]
    tasks = {task.version: task for root in missing for task in tree(root)}
    if not tasks:
        return
    for code in {task.identity.recipe.code.digest: task.identity.recipe.code for task in tasks.values()}.values():
        # A worker that refuses says which definitions differ from these.
        store.code.keep(code.record(), code.sources)
    planned = {version: _planned(task) for version, task in tasks.items()}
    name = store.plans.write(planned, missing[0].version, datetime.datetime.now(datetime.UTC))
    _handed.written.append(_Written(store, name, [root.address for root in missing]))
    _handed.covered |= {(place, version) for version in tasks}


def end(is_given_up: bool = False) -> None:
    """Remove the plans whose roots are complete, or all where nobody else can go on with them."""
    if _handed.process != os.getpid():
        return
    for plan in _handed.written:
        # A store that cannot be read or is gone was the error of the run already.
        with contextlib.suppress(ParcoursError, OSError):
            if is_given_up or all(plan.store.find(root) for root in plan.roots):
                plan.store.plans.remove(plan.name)
    _handed.written.clear()
    _handed.covered.clear()


def _planned(task: Result) -> Planned:
    identity = task.identity
    parameters = {name: text for name, text in task.to_str_params().items() if name != "version"}
    return Planned(
        task.get_task_family(),
        parameters,
        identity.recipe.code.digest,
        identity.environment.as_record(),
        [below.version for below in identity.inputs],
        identity.shape,
        identity.recipe.fingerprint,
        identity.recipe.rows,
    )


def followed(draft: Result, version: str, environment: Callable[[Code], Environment]) -> Identity | None:
    """What a task is by the newest stored plan that has its version; its problem where this process would make it otherwise."""
    plans = current().store.plans
    planned = plans.find(version)
    if planned is None:
        return None
    recipe = draft.counted_recipe(planned)
    around = environment(recipe.code)
    problem: ParcoursError | None = _difference(draft, recipe, around, planned, version)
    inputs: tuple[Result, ...] = ()
    if problem is None:
        below = [(given, plans.find(given)) for given in planned.inputs]
        try:
            inputs = tuple(_task(found, given) for given, found in below if found)
        except TaskClassException:
            inputs = ()
        if len(inputs) < len(below):
            # Not to be followed to its end, so not at all.
            return None
    return Identity(version, recipe, around, inputs, planned.shape, problem or recipe.problem, is_followed=True)


def _task(planned: Planned, version: str) -> Result:
    task: Result = Register.get_task_cls(planned.task).from_str_params({**planned.parameters, "version": version})
    return task


def _difference(draft: Result, recipe: Recipe, around: Environment, planned: Planned, version: str) -> PlanError | None:
    """Why this process must not make a planned task: with its code, packages or settings it would be another."""
    found = [change.sentence for change in environment_changes(planned.environment, around.as_record())]
    if recipe.code.digest != planned.code:
        record = current().store.code.record(planned.code)
        was = CodeState(record["files"], record["definitions"]) if record else recipe.code.state
        changes = [change.sentence for change in code_changes(was, recipe.code.state)]
        found = [*changes, *found] or [f"code {planned.code[:16]}, here {recipe.code.digest[:16]}"]
    if found:
        return PlanError.other_code(draft.label, version, found)
    here = version_of(
        draft.get_task_family(),
        recipe.parameters,
        planned.code,
        around.digest,
        planned.inputs,
        planned.fingerprint,
    )
    return None if here == version else PlanError.other_version(draft.label, version, here)
