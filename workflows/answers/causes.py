"""Why a result would be made: the parts in which it differs from the most similar stored one, each with the difference."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath
from typing import Any

from workflows.answers.lineage import Stores
from workflows.answers.texts import Texts, cell_changes, marked, with_text
from workflows.errors import ParcoursError
from workflows.identity.changes import code_changes, environment_changes, value_changes
from workflows.store.address import TABLE
from workflows.store.artefacts import Artefact, Store
from workflows.store.provenance import Provenance, given
from workflows.tasks.query import Query
from workflows.tasks.result import Result

_WITH_KIND = ("code", "environment", "data", "parameters", "input")


@dataclass(frozen=True)
class Cause:
    """One reason for which a result would be made, or taken over."""

    kind: str
    """'never made', 'lost', 'code', 'template', 'environment', 'data', 'parameters', 'input'; 'equal' or 'accepted'."""
    sentence: str
    """The reason in words."""
    diff: tuple[str, ...] = ()
    """The difference behind it, line by line."""

    @property
    def text(self) -> str:
        """The reason as it stands alone."""
        return f"{self.kind}: {self.sentence}" if self.kind in _WITH_KIND else self.sentence

    def as_json(self) -> dict[str, Any]:
        """The reason for a program."""
        return {**asdict(self), "diff": list(self.diff)}


@dataclass(frozen=True)
class Known:
    """What is known of the store and the run when causes are looked for."""

    store: Store
    mentioned: Collection[str]
    """Versions that stored results were made from."""
    to_make: Collection[str]
    """Versions that would be made."""


def causes(task: Result, earlier: Iterable[Artefact], known: Known) -> list[Cause]:
    """Every reason for which a task would be made, the one to name first; `earlier` are its stored versions."""
    ruin = known.store.ruin(task.address)
    if ruin or task.version in known.mentioned:
        return [Cause("lost", ruin or "its artefact is gone")]
    found = sorted(earlier, key=lambda artefact: artefact.provenance.started, reverse=True)
    if not found:
        return [Cause("never made", "never made")]
    old = min(found, key=lambda artefact: _distance(task, artefact.provenance))
    parts = {"code": _code, "environment": _environment, "data": _data, "parameters": _parameters, "input": _inputs}
    differing = _differing(task, old.provenance)
    told = [cause for kind, tell in parts.items() if kind in differing for cause in tell(task, old, known)]
    return told or [Cause("parameters", "the settings of the page, or the release, are others")]


def _distance(task: Result, old: Provenance) -> tuple[bool, int]:
    """How far a stored result is from the planned one: another value is farther than any other difference."""
    differing = _differing(task, old)
    return "parameters" in differing, len(differing)


def _differing(task: Result, old: Provenance) -> set[str]:
    recipe, environment = task.identity.recipe, task.identity.environment
    planned = [task.get_task_family() for task in task.identity.inputs], [t.version for t in task.identity.inputs]
    stored = [given["task"] for given in old.inputs], [given["version"] for given in old.inputs]
    differs = {
        "code": old.code["digest"] != recipe.code.digest,
        "environment": bool(environment_changes(old.environment, asdict(environment))),
        "data": (old.source or {}).get("fingerprint") != recipe.fingerprint,
        "parameters": bool(value_changes(old.given, _given(task))),
        "input": planned != stored,
    }
    return {kind for kind, is_other in differs.items() if is_other}


def _code(task: Result, old: Artefact, known: Known) -> Iterator[Cause]:
    was, now = Texts.of(old.provenance, Stores((known.store,))), Texts.planned(task.identity.recipe.code)
    changes = code_changes(was.state, now.state)
    templates = [change for change in changes if change.file.endswith(".ipynb")]
    for change in templates[:1]:
        yield _template(change.file, was, now)
    others = [change for change in changes if change not in templates]
    if others or not templates:
        more = f" (and {len(others) - 1} more)" if len(others) > 1 else ""
        said = f"{others[0].sentence}{more}" if others else "its code changed"
        # A file that is new or gone is named; its whole text says nothing more.
        shown = [with_text(change, was, now) for change in others if change.name or change.what == "changed"]
        yield Cause("code", said, tuple(line for change in shown for line in marked(change)))


def _template(file: str, was: Texts, now: Texts) -> Cause:
    """The first cell of a template that differs, those of code before those of text."""
    changes = cell_changes(file, was.text(file), now.text(file))
    first = min(changes, key=lambda change: change.name.startswith("text"))
    said = f"{first.name.removesuffix(' of A')} {first.what}" if first.name else "its cells or options changed"
    return Cause("template", f"template {PurePosixPath(file).stem}: {said}", tuple(marked(first)))


def _environment(task: Result, old: Artefact, known: Known) -> Iterator[Cause]:
    changes = environment_changes(old.provenance.environment, asdict(task.identity.environment))
    yield Cause("environment", ", ".join(change.sentence for change in changes))


def _data(task: Result, old: Artefact, known: Known) -> Iterator[Cause]:
    from workflows.data.tables import read_table
    from workflows.evaluation.changes import row_name
    from workflows.evaluation.comparison import compare_tables

    assert isinstance(task, Query)
    try:
        change = compare_tables(read_table(known.store.file(old, TABLE)), task.rows_now())
    except ParcoursError:
        # What was stored, or what is there now, cannot be read; that the rows changed is known all the same.
        yield Cause("data", "its rows changed")
        return
    lines = [f"- {row_name(key)}" for key in change.removed_rows] + [f"+ {row_name(key)}" for key in change.added_rows]
    lines += [f"{row_name(cell.key)}  {cell.column} {cell.old} -> {cell.new}" for cell in change.examples]
    yield Cause("data", change.sentence, tuple(lines))


def _parameters(task: Result, old: Artefact, known: Known) -> Iterator[Cause]:
    changes = value_changes(old.provenance.given, _given(task))
    yield Cause("parameters", ", ".join(change.sentence for change in changes))


def _inputs(task: Result, old: Artefact, known: Known) -> Iterator[Cause]:
    before = {given["version"] for given in old.provenance.inputs}
    others = [below for below in task.identity.inputs if below.version not in before]
    others.sort(key=lambda below: below.version not in known.to_make)
    if not others:
        yield Cause("input", f"{len(before)} -> {len({below.version for below in task.identity.inputs})} inputs")
        return
    first = others[0]
    name = first.get_task_family() if first.address.date == task.address.date else first.label
    how = "would be made" if first.version in known.to_make else "another result"
    more = f" and {len(others) - 1} more" if len(others) > 1 else ""
    yield Cause("input", f"{name} ({how}){more}")


def _given(task: Result) -> dict[str, Any]:
    return given(task.to_str_params(only_significant=True), task.template_record())
