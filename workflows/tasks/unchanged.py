"""One state of everything that a result is made of, from its plan to its end: what changed meanwhile is refused."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from workflows.errors import ParcoursError, PlanError
from workflows.identity import observation
from workflows.identity.closure import Code
from workflows.identity.disk import changed_file
from workflows.identity.observed import Observed, changed
from workflows.identity.sights import Sight
from workflows.tasks.observed import with_observed
from workflows.tasks.plan import Recipe
from workflows.tasks.project import current

if TYPE_CHECKING:
    from workflows.tasks.result import Result


def check_code(task: Result) -> None:
    """Refuse a result for which files may have been read from disk that are not what the version was computed from.

    Modules are imported late, inside functions, in kernels and in processes that an algorithm starts.
    """
    recipe, held = task.identity.recipe, task.read_when_planned()
    _check_sources(task, {name: data for name, data in recipe.code.sources.items() if name not in held}, recipe)


def check_opened(
    task: Result, sights: Sequence[Sight], found: Observed, recipe: Recipe, written: Collection[str]
) -> None:
    """Refuse what was made from anything beyond the planned code that is another by now, or was when it was planned.

    Of what the run found, `written` are the files that it wrote itself.
    """
    folders = {f"{name}/" for name in found.folders if not any(_folder(label) == name for label in written)}
    imported = [sight for label in sorted(recipe.named.files) for sight in observation.at_import(label)]
    opened = with_observed(recipe, found)
    other = changed([*sights, *imported], found.files | folders, current().scope) or _otherwise_planned(opened, recipe)
    if other:
        raise PlanError.file_changed(task.label, other)
    loaded = {sight.label for sight in sights if sight.kind == "load"} - recipe.code.sources.keys()
    sources = opened.code.sources
    _check_sources(task, {label: sources[label] for label in sorted(loaded & sources.keys())}, recipe)


def _check_sources(task: Result, sources: Mapping[str, bytes], recipe: Recipe) -> None:
    name = changed_file(sources, current().scope)
    if name and _counts_by_definition(name, recipe) and _is_same_code(task, recipe.named):
        # What was edited is not reached: the files that count by definition are as good as they were.
        others = {label: data for label, data in sources.items() if not _counts_by_definition(label, recipe)}
        name = changed_file(others, current().scope)
    if name is None:
        return
    is_code = name in recipe.named.files or name.endswith(".py")
    raise (PlanError.code_changed if is_code else PlanError.file_changed)(task.label, name)


def _counts_by_definition(name: str, recipe: Recipe) -> bool:
    """Whether a file is a module of which only what the code names counts."""
    named = recipe.named
    return name.endswith(".py") and name in named.sources and recipe.code.files.get(name) == named.files.get(name)


def _is_same_code(task: Result, planned: Code) -> bool:
    """Whether the code that a task names is the planned one, in the files as they are now."""
    try:
        with current().reading_again():
            found = task.named_code()
    except (ParcoursError, OSError):
        return False
    return found.digest == planned.digest and found.imports == planned.imports


def _otherwise_planned(opened: Recipe, recipe: Recipe) -> str | None:
    """What a run opened that was another when it was planned: large files and folders, which have no source to compare."""
    planned = {
        label: of
        for label, of in recipe.observed.items()
        if label not in recipe.code.sources and label in opened.observed
    }
    now = with_observed(recipe, recipe.shown).observed if planned else {}
    return next((label for label, of in planned.items() if now.get(label) != of), None)


def _folder(label: str) -> str:
    return label.rpartition("/")[0] or "."
