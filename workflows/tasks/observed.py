"""What runs of a task have shown beyond what its code names: kept in the store, counted by every later plan."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from workflows.identity.canonical import digest
from workflows.identity.environment import Environment
from workflows.identity.observed import NOTHING, Files, Observed, joined
from workflows.store.provenance import digest_named, environment_key
from workflows.tasks.code import module_code
from workflows.tasks.plan import Recipe
from workflows.tasks.project import current

if TYPE_CHECKING:
    from workflows.tasks.result import Result

log = logging.getLogger("workflows")


@dataclass(frozen=True)
class Place:
    """Where the store keeps what runs of one task with its code have shown."""

    task: str
    date: str
    key: str

    @classmethod
    def of(cls, task: Result, recipe: Recipe) -> Place:
        """The place for a task with what its version is computed from."""
        family = task.get_task_family()
        code = recipe.named.digest
        return cls(family, task.address_date, digest([family, dict(recipe.parameters), code]))

    def read(self) -> Observed:
        """What is known now."""
        try:
            return Observed.from_json(current().store.observations.read(self.task, self.date, self.key) or {})
        except (KeyError, TypeError, AttributeError):
            return NOTHING

    def keep(self, found: Observed) -> None:
        """Keep what is known, from now on."""
        current().store.observations.keep(self.task, self.date, self.key, found.as_json())


def counted(task: Result, recipe: Recipe) -> Recipe:
    """A task's recipe with what runs have shown counted in it; where nothing is known for its date, nothing is looked for."""
    family, store = task.get_task_family(), current().store
    dates = current().once(("observed", family), lambda: frozenset(store.observations.dates(family)))
    found = Place.of(task, recipe).read() if task.address_date in dates else NOTHING
    return with_observed(recipe, found, current().files_as_planned) if found else recipe


def with_observed(recipe: Recipe, found: Observed, files: Files | None = None) -> Recipe:
    """A recipe with these files counted, as they are now."""
    if not found:
        return recipe
    named, files = recipe.named, files or current().files
    return replace(recipe, code=joined(named, files.code(found, module_code)), code_named=named, shown=found)


def record(recipe: Recipe, around: Environment, seen: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What the provenance's `code` says of files beyond those that the code names; `seen` are those of one run.

    `around` is the environment of the code that is named.
    """
    shown = recipe.observed if seen is None else seen
    return {"observed": dict(shown), "named": digest_named(recipe.named.digest, environment_key(asdict(around)))}


def holds(task: Result) -> bool:
    """Whether a stored result is what this task would make now, as far as its run has shown more than the plan knew.

    One that is not is moved away.
    """
    store = current().store
    artefact = store.observing(task.address)
    if artefact is None or _is_within(artefact.provenance.observed, task.identity.recipe.observed):
        return True
    recipe = task.identity.recipe
    now = with_observed(recipe, Place.of(task, recipe).read())
    if _is_within(artefact.provenance.observed, now.observed):
        return True
    store.set_aside(artefact, "what its run opened is not what it was, or is not known any more")
    return False


def _is_within(found: Mapping[str, str], other: Mapping[str, str]) -> bool:
    return found.items() <= other.items()
