"""A code change declared to be without effect: the results of the earlier code then stand for those of the present one."""

from __future__ import annotations

import datetime
import sys
from dataclasses import asdict, dataclass
from typing import Any

from workflows.answers.lineage import Stores
from workflows.answers.texts import TextChange, Texts, marked, with_text
from workflows.errors import AcceptanceError, UsageError
from workflows.identity.changes import code_changes
from workflows.identity.closure import Code
from workflows.store.acceptances import Acceptance
from workflows.store.provenance import Provenance, digest_named, environment_key
from workflows.tasks.code import environment_of
from workflows.tasks.project import current
from workflows.tasks.record import user_name
from workflows.tasks.templates import tables


@dataclass(frozen=True)
class Declared:
    """What was accepted."""

    acceptance: Acceptance
    changes: list[TextChange]
    """What differs between the earlier and the present code."""
    results: int
    """How many stored results of the earlier code can be taken over."""

    @property
    def exit_code(self) -> int:
        """0: it is declared."""
        return 0

    def lines(self) -> list[str]:
        """What changed, and what follows."""
        found = self.acceptance
        changed: list[str] = []
        for change in self.changes:
            changed += [f"accepted   {change.sentence}", *(f"             {line}" for line in marked(change))]
        return [
            *(changed or ["accepted   its code changed"]),
            f"reason     {found.reason}",
            f"so         {self._consequence}",
        ]

    @property
    def _consequence(self) -> str:
        task = self.acceptance.task
        if not self.results:
            return (
                f"no stored result of {task} can be taken over: they were made with other packages, or opened files that "
                "the code does not name"
            )
        noun = "result" if self.results == 1 else "results"
        return f"{self.results} stored {noun} of {task} will be taken over where asked for, not computed again"

    def as_json(self) -> dict[str, Any]:
        """The declaration for a program."""
        return {
            **asdict(self.acceptance),
            "changes": [change.as_json() for change in self.changes],
            "results": self.results,
        }


def accept(task: str, reason: str) -> Declared:
    """Declare the present code of a query or stage to make what the nearest earlier code made; raises where there is none."""
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
    stands = sum(record.named == base.named and _can_stand(record, code) for record in stored)
    return Declared(acceptance, _changes(base, code), stands)


def _base(task: str, stored: list[Provenance], code: Code) -> Provenance:
    """The record whose code the present one is a change of: of all that made a stored result, the one that differs least."""
    if not stored:
        raise AcceptanceError.nothing_stored(task)
    named = _named(code)
    first: dict[str, Provenance] = {}
    for record in sorted(stored, key=lambda record: record.started):
        first.setdefault(_named(code) if record.code["digest"] == code.digest else record.named, record)
    # Going back to code that made results already changes nothing that came after it.
    states = list(first)
    earlier = states[: states.index(named)] if named in first else states
    if not earlier:
        raise AcceptanceError.unchanged(task)
    records = (first[state] for state in reversed(earlier))
    return min(records, key=lambda record: (_distance(record, code), not _can_stand(record, code)))


def _can_stand(record: Provenance, code: Code) -> bool:
    """Whether a result can be taken over by the present code, once that is accepted."""
    return record.is_of(asdict(environment_of(code))) and not record.observed


def _distance(base: Provenance, code: Code) -> tuple[int, int]:
    """How far a state of code is from the present one: in definitions, then in lines."""
    if current().store.code.record(base.code["digest"]) is None:
        # Nobody can say what he accepts where no copy of the earlier code is left.
        return sys.maxsize, 0
    changes = _changes(base, code)
    return len(changes), sum(len(list(marked(change))) for change in changes)


def _named(code: Code) -> str:
    return digest_named(code.digest, environment_key(asdict(environment_of(code))))


def _changes(base: Provenance, code: Code) -> list[TextChange]:
    """What differs between the code of a record and the present one, apart from what only runs have shown."""
    store = current().store
    if store.code.record(base.code["digest"]) is None:
        return []
    old, new = Texts.of(base, Stores((store,))), Texts.planned(code)
    return [with_text(c, old, new) for c in code_changes(old.state, new.state) if c.file not in base.observed]
