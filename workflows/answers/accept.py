"""A code change declared to be without effect: the results of the earlier code then stand for those of the present one."""

from __future__ import annotations

import datetime
from dataclasses import asdict, dataclass
from typing import Any

from workflows.errors import AcceptanceError, UsageError
from workflows.identity.changes import CodeChange, code_changes
from workflows.identity.closure import Code
from workflows.store.acceptances import Acceptance
from workflows.store.artefacts import Artefact
from workflows.tasks.project import current
from workflows.tasks.report import tables
from workflows.tasks.result import user_name


@dataclass(frozen=True)
class Declared:
    """What was accepted."""

    acceptance: Acceptance
    changes: list[CodeChange]
    """What differs between the earlier and the present code."""
    results: int
    """How many stored results the earlier code made."""

    @property
    def exit_code(self) -> int:
        """0: it is declared."""
        return 0

    def lines(self) -> list[str]:
        """What changed, and what follows."""
        found = self.acceptance
        changed = [f"accepted   {change}" for change in self.changes] or ["accepted   its code changed"]
        noun = "result" if self.results == 1 else "results"
        return [
            *changed,
            f"reason     {found.reason}",
            f"so         {self.results} stored {noun} of {found.task} will be taken over where asked for, not computed again",
        ]

    def as_json(self) -> dict[str, Any]:
        """The declaration for a program."""
        return {**asdict(self.acceptance), "changes": [asdict(c) for c in self.changes], "results": self.results}


def accept(task: str, reason: str) -> Declared:
    """Declare the present code of a query or stage to make what its latest earlier code made; raises where there is none."""
    known = tables()
    if task not in known:
        raise UsageError.unknown_task(task, sorted(known))
    if not reason.strip():
        raise AcceptanceError.no_reason(task)
    project = current()
    code = known[task].code_closure()
    stored = list(project.store.of_task(task))
    latest = _latest(task, stored, code)
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    said = " ".join(reason.split())
    acceptance = Acceptance(task, code.digest, [latest], said, user_name(), now, project.commit[0])
    project.store.keep_code(code.record(), code.sources)
    project.store.acceptances.write(acceptance)
    project.save()
    record = project.store.code(latest)
    changes = code_changes(record["definitions"], code.definitions) if record else []
    return Declared(acceptance, changes, sum(artefact.provenance.code["digest"] == latest for artefact in stored))


def _latest(task: str, stored: list[Artefact], code: Code) -> str:
    """The digest of the code that made the latest result, the present code apart."""
    earlier = [artefact.provenance for artefact in stored if artefact.provenance.code["digest"] != code.digest]
    if not stored:
        raise AcceptanceError.nothing_stored(task)
    if not earlier:
        raise AcceptanceError.unchanged(task)
    digest: str = max(earlier, key=lambda record: record.started).code["digest"]
    return digest
