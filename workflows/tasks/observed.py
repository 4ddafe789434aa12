"""What runs of a task have shown beyond what its code names: kept in the store, counted by every later plan."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from workflows.errors import PlanError
from workflows.identity import observation
from workflows.identity.canonical import digest
from workflows.identity.closure import Code
from workflows.identity.environment import Environment
from workflows.identity.observation import Sight
from workflows.identity.observed import Observed, changed, joined, scratch, unseen
from workflows.store.provenance import digest_named, environment_key
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
            return Observed.from_json(current().store.observed(self.task, self.date, self.key) or {})
        except (KeyError, TypeError, AttributeError):
            return Observed()

    def read_for_plan(self) -> Observed:
        """What is known to a plan, which looks into the dates that had anything when it began."""
        store = current().store
        dates = current().once(("observed", self.task), lambda: frozenset(store.observed_dates(self.task)))
        return self.read() if self.date in dates else Observed()

    def keep(self, found: Observed) -> None:
        """Keep what is known, from now on."""
        current().store.keep_observed(self.task, self.date, self.key, found.as_json())


def counted(task: Result, recipe: Recipe) -> Recipe:
    """A task's recipe with what runs have shown counted in it."""
    return with_observed(recipe, Place.of(task, recipe).read_for_plan())


def with_observed(recipe: Recipe, found: Observed) -> Recipe:
    """A recipe with these files counted, as they are now."""
    if not found:
        return recipe
    named = recipe.named
    return replace(recipe, code=joined(named, current().files.code(found, _closure)), code_named=named)


def note(task: Result, sights: Sequence[Sight], recipe: Recipe) -> tuple[Recipe, dict[str, str]]:
    """Keep what a run has shown, with a warning about what was not known.

    Returns the recipe that counts it, and of the files that it counts those that this run opened.

    Raises PlanError where a file was changed since it was opened: which of its states was read cannot be told.
    """
    written, kept = scratch(sights)
    found = _shown(sights, recipe.named, written)
    for label in sorted(kept & _shown(sights, recipe.named, set()).files):
        log.warning(
            "%s reads and writes %s, which therefore cannot count: a result may depend on what was in it.",
            task.label,
            label,
        )
    _refuse_changed(task, sights, found, recipe, written)
    place = Place.of(task, recipe)
    known = place.read()
    new = found.beyond(known)
    if new:
        log.warning("%s %s, which its code does not name; from now on a change there makes it anew.", task.label, new)
        place.keep(known | found)
    after = with_observed(recipe, known | found)
    opened = with_observed(recipe, found).observed
    return after, {label: of for label, of in after.observed.items() if label in opened}


def _shown(sights: Sequence[Sight], named: Code, written: set[str]) -> Observed:
    read = [sight for sight in sights if sight.kind in ("folder", "module", "import") or sight.label not in written]
    return unseen(read, named, _closure, observation.at_import)


def _refuse_changed(task: Result, sights: Sequence[Sight], found: Observed, recipe: Recipe, written: set[str]) -> None:
    """Refuse to store what was made from a file that is another by now."""
    folders = {f"{name}/" for name in found.folders if not any(_folder(label) == name for label in written)}
    planned = {label: of for label, of in recipe.observed.items() if label in found.files | folders}
    imported = [s for label in sorted(recipe.named.files) for s in observation.at_import(label)]
    other = changed([*sights, *imported], found.files | folders, current().scope)
    now = current().files.code(found, _closure).files
    other = other or next((label for label, of in planned.items() if now.get(label, of) != of), None)
    if other:
        raise PlanError.file_changed(task.label, other)


def _folder(label: str) -> str:
    return label.rpartition("/")[0] or "."


def record(recipe: Recipe, around: Environment, seen: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What the provenance's `code` says of files beyond those that the code names; `seen` are those of one run.

    `around` is the environment of the code that is named.
    """
    if not recipe.observed:
        return {}
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


def _closure(module: str) -> Code:
    return current().code.of_definitions([(module, "")])
