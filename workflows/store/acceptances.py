"""Acceptances: code changes that an engineer declared to be without effect on the results of a task."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from workflows.store.address import ACCEPTED
from workflows.store.files import Place

FORMAT = 1


@dataclass(frozen=True)
class Acceptance:
    """One declaration: results that the old code made stand for what the new code would make."""

    task: str
    """The task's family."""
    code: str
    """What the new recipe names, code and packages, in a digest (see `Provenance.named`)."""
    accepts: list[str]
    """What the old recipes name, in digests."""
    reason: str
    """Why the change has no effect, in the engineer's words."""
    user: str
    """Who declared it."""
    time: str
    """ISO 8601, UTC."""
    commit: str | None
    """The commit that was checked out, if any."""

    def as_record(self, code: str) -> dict[str, Any]:
        """What the provenance of a result says that was taken over from old code of this digest."""
        return {"reason": self.reason, "user": self.user, "time": self.time, "code": code}


class Acceptances:
    """The acceptances of one store."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._read: dict[tuple[str, str], Acceptance | None] = {}

    def write(self, acceptance: Acceptance) -> None:
        """Store an acceptance, in place of an earlier one of the same code."""
        name = self._name(acceptance.task, acceptance.code)
        record = {"format": FORMAT, **asdict(acceptance)}
        self._place.put(
            name, (json.dumps(record, indent=1, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")
        )
        self._read.pop((acceptance.task, acceptance.code), None)

    def of(self, task: str, code: str) -> dict[str, Acceptance]:
        """For each old digest whose results stand for those of this one, the acceptance that says so.

        Acceptances follow one another: where a change was accepted, and then the next, the oldest results stand as well.
        """
        found: dict[str, Acceptance] = {}
        waiting = [code]
        while waiting:
            accepted = self._of(task, waiting.pop())
            fresh = [old for old in accepted.accepts if old not in found and old != code] if accepted else []
            found.update((old, accepted) for old in fresh if accepted)
            waiting += fresh
        return found

    def _of(self, task: str, code: str) -> Acceptance | None:
        key = (task, code)
        if key not in self._read:
            try:
                record = json.loads(self._place.read(self._name(task, code)))
                wanted = record.pop("format") == FORMAT and (record["task"], record["code"]) == key
                self._read[key] = Acceptance(**record) if wanted else None
            except (OSError, ValueError, TypeError, KeyError, AttributeError):
                # What cannot be read declares nothing: the result is then made again.
                self._read[key] = None
        return self._read[key]

    @staticmethod
    def _name(task: str, code: str) -> str:
        return f"{ACCEPTED}/{task}/{code}.json"
