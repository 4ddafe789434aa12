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
from workflows.identity.observed import NOTHING, Files, Observed, changed, joined, scratch, unseen
from workflows.identity.sights import Sight
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
            return NOTHING

    def keep(self, found: Observed) -> None:
        """Keep what is known, from now on."""
        current().store.keep_observed(self.task, self.date, self.key, found.as_json())


def counted(task: Result, recipe: Recipe) -> Recipe:
    """A task's recipe with what runs have shown counted in it; where nothing is known for its date, nothing is looked for."""
    family, store = task.get_task_family(), current().store
    dates = current().once(("observed", family), lambda: frozenset(store.observed_dates(family)))
    found = Place.of(task, recipe).read() if task.address_date in dates else NOTHING
    return with_observed(recipe, found, current().files_as_planned) if found else recipe


def with_observed(recipe: Recipe, found: Observed, files: Files | None = None) -> Recipe:
    """A recipe with these files counted, as they are now."""
    if not found:
        return recipe
    named, files = recipe.named, files or current().files
    return replace(recipe, code=joined(named, files.code(found, _closure)), code_named=named, shown=found)


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
    read = [
        sight for sight in sights if sight.kind in ("folder", "module", "call", "import") or sight.label not in written
    ]
    return unseen(read, named, _closure, observation.at_import, _is_explained)


def _is_explained(sight: Sight) -> bool:
    """Whether a file that a module opens while it is imported is named in its text, and so by the definition that holds it."""
    if sight.kind not in ("file", "look") or not sight.by:
        return False
    project = current()
    module = project.code.modules.by_label(sight.by)
    return module is not None and sight.label in project.once(("whole", module), lambda: _closure(module)).files


def _refuse_changed(task: Result, sights: Sequence[Sight], found: Observed, recipe: Recipe, written: set[str]) -> None:
    """Refuse to store what was made from a file that is another by now, or that was another when it was planned."""
    folders = {f"{name}/" for name in found.folders if not any(_folder(label) == name for label in written)}
    imported = [sight for label in sorted(recipe.named.files) for sight in observation.at_import(label)]
    other = (
        changed([*sights, *imported], found.files | folders, current().scope)
        or _otherwise_planned(found, recipe)
        or _otherwise_loaded(sights, with_observed(recipe, found).code)
    )
    if other:
        raise PlanError.file_changed(task.label, other)


def _otherwise_planned(found: Observed, recipe: Recipe) -> str | None:
    """A file among those that a run opened that was another when the run was planned."""
    now, opened = with_observed(recipe, recipe.shown).observed, with_observed(recipe, found).observed
    return next((label for label, of in recipe.observed.items() if label in opened and now.get(label) != of), None)


def _otherwise_loaded(sights: Sequence[Sight], code: Code) -> str | None:
    """A file of code that was loaded in another state than the one that counts."""
    sources = {sight.label: code.sources.get(sight.label) for sight in sights if sight.kind == "load"}
    files = current().files
    return next(
        (label for label, source in sources.items() if source is not None and files.differs(label, source)), None
    )


def _folder(label: str) -> str:
    return label.rpartition("/")[0] or "."


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


def _closure(module: str) -> Code:
    return current().code.of_definitions([(module, "")])
