"""What runs of a task have shown beyond what its code names: kept in the store, counted by every later plan."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from workflows.identity.canonical import digest
from workflows.identity.environment import Environment
from workflows.identity.observed import NOTHING, Files, Observed, joined
from workflows.store.artefacts import Artefact
from workflows.store.provenance import digest_named, environment_key
from workflows.tasks.code import module_code
from workflows.tasks.plan import Recipe, tree
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
    files = recipe.observed if seen is None else seen
    named = digest_named(recipe.named.digest, environment_key(around.as_record()))
    return {"observed": dict(files), "shown": recipe.shown.as_json(), "named": named}


def holds(task: Result) -> bool:
    """Whether a stored result is what this task would make now, as far as its run has shown more than the plan knew.

    One that is not is moved away.
    """
    artefact = current().store.observing(task.address)
    why = artefact and (_changed(task, artefact) or _changed_below(task, artefact))
    if artefact and why:
        current().store.set_aside(artefact, why)
    return not why


def _changed(task: Result, artefact: Artefact) -> str | None:
    """What is another by now of the files that the run of a task has shown, in words."""
    found, recipe = artefact.provenance.observed, task.identity.recipe
    if found.items() <= recipe.observed.items():
        return None
    # The record knows as well, where what the store knew was deleted.
    shown = Place.of(task, recipe).read() | _shown(artefact)
    now = with_observed(recipe, shown).observed
    other = sorted(name.removesuffix("?") for name, of in found.items() if now.get(name) != of)
    return f"its run opened {', '.join(other)}, which changed since" if other else None


def _changed_below(task: Result, artefact: Artefact) -> str | None:
    """The same for what a result was made from, whose plan did not know either what runs would show."""
    if artefact.provenance.settled is None:
        return None
    for below in tree(task, _is_unsettled):
        if not below.output().exists():
            return f"{below.label}, which it was made from, is not there any more"
        found = current().store.observing(below.address)
        if found and (why := _changed(below, found)):
            return f"it was made from {below.label}, and {why}"
    return None


def _is_unsettled(task: Result) -> bool:
    """Whether a stored result, or one that it was made from, has shown more than its plan knew."""
    found = current().store.observing(task.address) if task.output().exists() else None
    return found is not None and found.provenance.settled is not None


def _shown(artefact: Artefact) -> Observed:
    """What runs of a task had shown when a result was made."""
    try:
        return Observed.from_json(artefact.provenance.code["shown"])
    except (KeyError, TypeError, AttributeError):
        return NOTHING
