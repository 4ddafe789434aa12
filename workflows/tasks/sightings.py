"""What one run of a task has shown: checked against what was planned, kept for later plans, put into its record."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from workflows.identity import observation
from workflows.identity.closure import Code
from workflows.identity.observed import Observed, scratch, unseen
from workflows.identity.sights import Sight
from workflows.store.artefacts import Artefact, Provenance
from workflows.tasks.code import environment_of, module_code
from workflows.tasks.observed import Place, with_observed
from workflows.tasks.plan import Recipe
from workflows.tasks.project import current
from workflows.tasks.record import beyond, next_version
from workflows.tasks.unchanged import check_code, check_opened

if TYPE_CHECKING:
    from workflows.tasks.result import Result

log = logging.getLogger("workflows")


def learned(
    task: Result, draft: Provenance, sights: Sequence[Sight], inputs: Sequence[Artefact]
) -> tuple[Provenance, Recipe]:
    """The record of a run with what was seen of it, and the recipe that counts it.

    Raises PlanError where what the run loaded or opened is not what was planned, or is another by now.
    """
    check_code(task)
    recipe = task.identity.recipe
    if not sights and _is_plain(task, recipe):
        return draft, recipe
    recipe, seen = _noted(task, sights, recipe)
    around = environment_of(recipe.code)
    code = {**draft.code, **beyond(recipe, seen)}
    settled = next_version(task, recipe, around, inputs)
    return replace(draft, code=code, environment=around.as_record(), settled=settled), recipe


def _is_plain(task: Result, recipe: Recipe) -> bool:
    """Whether nothing is known of a task beyond its code, nor of what its modules did when they were imported."""
    known = current().store.observations.has(task.get_task_family(), task.address_date)
    return not (recipe.shown or known or any(map(observation.at_import, recipe.named.files)))


def _noted(task: Result, sights: Sequence[Sight], recipe: Recipe) -> tuple[Recipe, dict[str, str]]:
    """Keep what a run has shown, with a warning about what was not known.

    Returns the recipe that counts it, and of the files that it counts those that this run opened.
    """
    written, kept = scratch(sights)
    found = _shown(sights, recipe.named, written)
    for label in sorted(kept & _shown(sights, recipe.named, set()).files):
        log.warning(
            "%s reads and writes %s, which therefore cannot count: a result may depend on what was in it.",
            task.label,
            label,
        )
    check_opened(task, sights, found, recipe, written)
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
    return unseen(read, named, module_code, observation.at_import, _is_explained)


def _is_explained(sight: Sight) -> bool:
    """Whether a file that a module opens while it is imported is named in its text, and so by the definition that holds it."""
    if sight.kind not in ("file", "look") or not sight.by:
        return False
    project = current()
    module = project.code.modules.by_label(sight.by)
    return module is not None and sight.label in project.once(("whole", module), lambda: module_code(module)).files
