"""Why a result would be made: the parts in which it differs from the most similar stored one, each with the difference."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from itertools import zip_longest
from pathlib import PurePosixPath
from typing import Any

from workflows.errors import ParcoursError
from workflows.identity.canonical import canonical_json
from workflows.identity.changes import CodeChange, code_changes, environment_changes
from workflows.identity.sources import definition_text, source_diff
from workflows.store.address import TABLE
from workflows.store.artefacts import Artefact, Store
from workflows.store.provenance import Provenance
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
        "parameters": _values(old) != _planned_values(task),
        "input": planned != stored,
    }
    return {kind for kind, is_other in differs.items() if is_other}


def _code(task: Result, old: Artefact, known: Known) -> Iterator[Cause]:
    code, was = task.identity.recipe.code, old.provenance.code
    record = known.store.code.record(was["digest"])
    if record:
        changes = code_changes(record["definitions"], code.definitions)
    else:
        # Without a copy of the earlier code, the files' digests are all that is known.
        changes = code_changes(_whole(was["files"]), _whole(code.files))
    texts = _Texts(known.store, record["sources"] if record else {}, code.sources)
    templates = [change for change in changes if change.path.endswith(".ipynb")]
    if templates:
        name, lines = _cells(*texts.both(templates[0].path))
        yield Cause("template", f"template {PurePosixPath(templates[0].path).stem}: {name}", lines)
    others = [change for change in changes if change not in templates]
    if others or not templates:
        more = f" (and {len(others) - 1} more)" if len(others) > 1 else ""
        said = f"{others[0]}{more}" if others else "its code changed"
        yield Cause("code", said, tuple(line for change in others for line in texts.difference(change)))


def _whole(files: Mapping[str, str]) -> dict[str, dict[str, str]]:
    return {path: {"": digest} for path, digest in files.items()}


@dataclass(frozen=True)
class _Texts:
    """The sources of two states of the code."""

    store: Store
    old: Mapping[str, str]
    """Under each file's name the digest of its bytes."""
    new: Mapping[str, bytes]

    def both(self, path: str) -> tuple[str | None, str | None]:
        before = self.store.code.source(self.old[path]) if path in self.old else None
        after = self.new.get(path)
        decoded = [data.decode("utf-8", "replace") if data is not None else None for data in (before, after)]
        return decoded[0], decoded[1]

    def difference(self, change: CodeChange) -> list[str]:
        before, after = self.both(change.path)
        if before is None and change.kind != "added":
            return []
        if change.name:
            own = [text and definition_text(text, change.name) for text in (before, after)]
            if own[0] != own[1]:
                before, after = own
        elif change.kind != "changed":
            # A file that is new or gone is named; its whole text says nothing more.
            return []
        return _changed_lines(before, after)


def _changed_lines(before: str | None, after: str | None) -> list[str]:
    """What went and what came, without the lines around it."""
    return [line for line in source_diff(before, after) if line.startswith(("-", "+"))]


def _cells(before: str | None, after: str | None) -> tuple[str, tuple[str, ...]]:
    """The first cell that differs between two notebooks, in words, and its lines."""
    try:
        old, new = ([] if text is None else json.loads(text)["cells"] for text in (before, after))
        for kind, name in (("code", "cell"), ("markdown", "text cell")):
            sides = [["".join(cell["source"]) for cell in side if cell["cell_type"] == kind] for side in (old, new)]
            for number, (was, now) in enumerate(zip_longest(*sides), 1):
                if was != now:
                    what = "added" if was is None else "removed" if now is None else "changed"
                    return f"{name} {number} {what}", tuple(_changed_lines(was, now))
    except (ValueError, KeyError, TypeError):
        pass
    return "its cells or options changed", ()


def _environment(task: Result, old: Artefact, known: Known) -> Iterator[Cause]:
    changes = environment_changes(old.provenance.environment, asdict(task.identity.environment))
    yield Cause("environment", ", ".join(changes))


def _data(task: Result, old: Artefact, known: Known) -> Iterator[Cause]:
    from workflows.data.tables import read_table
    from workflows.evaluation.comparison import compare_tables, row_name

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
    before, after = _values(old.provenance), _planned_values(task)
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    yield Cause("parameters", ", ".join(f"{name} {before.get(name)} -> {after.get(name)}" for name in names))


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


def _values(old: Provenance) -> dict[str, str]:
    """What a stored result was given, as text; for a report the values of its template."""
    if old.template:
        return {name: canonical_json(value) for name, value in old.template["values"].items()}
    return {name: text for name, text in old.parameters.items() if name != "version"}


def _planned_values(task: Result) -> dict[str, str]:
    template = task.template_record()
    if template:
        return {name: canonical_json(value) for name, value in template["values"].items()}
    return dict(task.identity.recipe.parameters)
