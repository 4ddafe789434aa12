"""A code change declared to be without effect: the results of the earlier code then stand for those of the present one."""

from __future__ import annotations

import datetime
from dataclasses import asdict, dataclass
from typing import Any

from workflows.errors import AcceptanceError, UsageError
from workflows.identity.changes import CodeChange, CodeState, code_changes
from workflows.identity.closure import Code
from workflows.store.acceptances import Acceptance
from workflows.store.provenance import Provenance, digest_named, environment_key
from workflows.tasks.code import environment_of
from workflows.tasks.project import current
from workflows.tasks.record import user_name
from workflows.tasks.report import tables


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
        changed = [f"accepted   {change.sentence}" for change in self.changes] or ["accepted   its code changed"]
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
    """Declare the present code of a query or stage to make what the stored code made that it is a change of; raises where there is none."""
    known = tables()
    if task not in known:
        raise UsageError.unknown_table(task, sorted(known))
    if not reason.strip():
        raise AcceptanceError.no_reason(task)
    project = current()
    code = known[task].code_closure()
    stored = [artefact.provenance for artefact in project.store.of_task(task)]
    base = _base(task, stored, code)
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    acceptance = Acceptance(
        task, _named(code), [base.named], " ".join(reason.split()), user_name(), now, project.commit[0]
    )
    project.store.code.keep(code.record(), code.sources)
    project.store.acceptances.write(acceptance)
    project.save()
    return Declared(acceptance, _changes(base, code), sum(record.named == base.named for record in stored))


def _base(task: str, stored: list[Provenance], code: Code) -> Provenance:
    """The record whose code the present one is a change of: of all that made a stored result, the one that differs least."""
    if not stored:
        raise AcceptanceError.nothing_stored(task)
    named = _named(code)
    if any(record.code["digest"] == code.digest or record.named == named for record in stored):
        raise AcceptanceError.unchanged(task)
    states = {record.named: record for record in sorted(stored, key=lambda record: record.started)}
    return min(reversed(states.values()), key=lambda record: len(_changes(record, code)))


def _named(code: Code) -> str:
    return digest_named(code.digest, environment_key(asdict(environment_of(code))))


def _changes(latest: Provenance, code: Code) -> list[CodeChange]:
    """What differs between the code of a record and the present one, apart from what only runs have shown."""
    record = current().store.code.record(latest.code["digest"])
    found = code_changes(CodeState(record["files"], record["definitions"]), code.state) if record else []
    return [change for change in found if change.file not in latest.observed]
