"""Results taken over instead of being computed: equal ones, and those whose code change was declared to be without effect."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from workflows.store.address import Address
from workflows.store.artefacts import Artefact, Store
from workflows.store.provenance import Provenance
from workflows.tasks.project import current
from workflows.tasks.record import drafted

if TYPE_CHECKING:
    from workflows.tasks.result import Result


@dataclass(frozen=True)
class Equal:
    """A stored result that stands for one that is asked for."""

    artefact: Artefact
    accepted: dict[str, Any] | None
    """Who declared the code change in between to be without effect, and why; None where the code is the same."""


def equal(store: Store, address: Address, draft: Provenance) -> Equal | None:
    """The stored result to take over at an address, if there is one."""
    # A query of the same code, parameters and rows has the same version, so that there is none to find.
    twin = store.twin(address, draft) if draft.inputs or draft.observed else None
    if twin:
        return Equal(twin, twin.provenance.accepted)
    accepted = store.acceptances.of(draft.task, draft.named)
    twin = store.twin(address, draft, set(accepted)) if accepted else None
    if twin is None:
        return None
    return Equal(twin, accepted[twin.provenance.named].as_record(twin.provenance.code["digest"]))


class Prospect:
    """What a run would take over of tasks that are not complete, asked inputs first."""

    def __init__(self) -> None:
        self._taken: dict[str, Artefact] = {}

    def equal(self, task: Result) -> Equal | None:
        """The stored result that will be taken over, where all inputs are there or taken over themselves."""
        store = current().store
        inputs = [self._taken.get(below.version) or store.find(below.address) for below in task.identity.inputs]
        known = [artefact for artefact in inputs if artefact]
        if len(known) < len(inputs):
            return None
        found = equal(store, task.address, drafted(task, task.identity, known))
        if found:
            record = replace(found.artefact.provenance, version=task.version)
            self._taken[task.version] = Artefact(task.address.path, record)
        return found
