"""The making of one result: computed, or taken over from an equal one, and stored with its provenance."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workflows.errors import StoreError
from workflows.store.address import REPORT
from workflows.store.artefacts import Address, Artefact, Provenance, described
from workflows.store.timing import Stopwatch
from workflows.tasks.code import environment_of
from workflows.tasks.plan import Identity, Recipe
from workflows.tasks.progress import watched
from workflows.tasks.project import current
from workflows.tasks.record import as_settled, beyond, drafted
from workflows.tasks.reuse import equal

if TYPE_CHECKING:
    from workflows.tasks.result import Result


@dataclass(frozen=True)
class Made:
    """What a task laid into its staging folder."""

    files: dict[str, int | None]
    """Each file's name, with its rows if it is a table."""
    source: dict[str, Any] | None = None
    template: dict[str, Any] | None = None
    shown: str = ""
    """What to say of it in a line: its rows, for example."""
    seconds: float | None = None
    """How long it took, if a file says that already: the record then says the same."""
    timing: dict[str, Any] | None = None
    """Where the time went, if a file says that already, likewise."""
    written: Mapping[str, bytes] = field(default_factory=dict)
    """The bytes of those files that were just written from memory, which need not be read again."""
    contents: Mapping[str, str] = field(default_factory=dict)
    """The digest of each page's content."""
    draft: Provenance | None = None
    """The record of the run, where more was seen of it than was planned."""
    recipe: Recipe | None = None
    """What the next plan computes the version from, likewise."""


def produce(task: Result) -> None:
    """Make a task's result, or take over an equal one, and store it with its provenance."""
    identity = task.identity
    if identity.problem:
        raise identity.problem
    store, timing = current().store, Stopwatch()
    inputs = [_artefact(below) for below in identity.inputs]
    began = time.monotonic()
    timing.lap("inputs")
    with watched(task, timing) as progress, store.staged() as folder:
        draft = drafted(task, identity, inputs)
        found = equal(store, task.address, draft)
        twin = found.artefact if found else None
        if found:
            draft = replace(draft, accepted=found.accepted, reused_from=found.artefact.provenance.maker)
        timing.lap("search")
        made = task.take(folder, twin, inputs, draft, timing) if twin else task.make(folder, inputs, progress, draft)
        seconds = round(time.monotonic() - began, 3) if made.seconds is None else made.seconds
        for recipe in filter(None, (identity.recipe, made.recipe)):
            store.code.keep(recipe.code.record(), recipe.code.sources)
        stored = _publish(folder, task.address, made, replace(made.draft or draft, seconds=seconds), timing)
        if stored.provenance.settled:
            after = replace(identity, version=stored.provenance.settled, recipe=made.recipe or identity.recipe)
            _publish_settled(task, after, stored, inputs)
        if REPORT in made.files:
            progress.link(store.link(f"{task.address.path}/{REPORT}"))
        if twin:
            progress.taken_over(twin.path)
        else:
            progress.made(made.shown)


def _publish(
    folder: Path, address: Address, made: Made, draft: Provenance, timing: Stopwatch | None = None
) -> Artefact:
    outputs = described(folder, made.files, made.written)
    for name, content in made.contents.items():
        outputs[name]["content"] = content
    if timing:
        timing.lap("store")
        draft = replace(draft, timing=made.timing or timing.record(current().run))
    provenance = replace(draft, outputs=outputs, source=made.source, template=made.template)
    current().store.publish(folder, address, provenance)
    return Artefact(address.path, provenance)


def _publish_settled(task: Result, identity: Identity, stored: Artefact, inputs: Sequence[Artefact]) -> None:
    """Store the result under the version of the next plan too, which then finds it complete."""
    record = stored.provenance
    identity = replace(identity, environment=environment_of(identity.recipe.code))
    inputs = [as_settled(artefact) for artefact in inputs]
    draft = drafted(task, identity, inputs)
    code = {**draft.code, **beyond(identity.recipe, record.observed)}
    draft = replace(draft, settled=None, code=code, reused_from=record.maker, seconds=record.seconds)
    draft = replace(draft, timing=record.timing)
    with current().store.staged() as folder:
        made = task.take(folder, stored, inputs, draft)
        _publish(folder, replace(task.address, version=identity.version), made, draft)


def _artefact(task: Result) -> Artefact:
    found = current().store.find(task.address)
    if found is None:
        raise StoreError.absent(task.address.path)
    return found
