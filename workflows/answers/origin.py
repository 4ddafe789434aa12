"""Where a result comes from: everything it was made from, each result read once, however often it was used."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from workflows.store.artefacts import Store
from workflows.store.provenance import Provenance


@dataclass(frozen=True)
class Made:
    """One result."""

    task: str
    date: str
    """The date of the result, or '-'."""
    version: str
    record: Provenance | None
    """None where the store no longer has it."""
    computed: Provenance | None = None
    """For a result that was reused: the record of the run that computed the bytes, if the store still has it."""

    @property
    def name(self) -> str:
        """How people call it."""
        template = self.record.template["name"] if self.record and self.record.template else None
        return " ".join([self.task, *filter(None, [template]), *([self.date] if self.date != "-" else [])])


@dataclass(frozen=True)
class Origin:
    """A result with all the results it was made from."""

    root: Made
    results: dict[str, Made]
    """Every result by its version, the root too."""

    def below(self, results: Iterable[Made]) -> list[Made]:
        """What some results were made from directly, each once, in order."""
        given = [i["version"] for made in results if made.record for i in made.record.inputs]
        return [self.results[version] for version in dict.fromkeys(given)]


def trace(record: Provenance, store: Store) -> Origin:
    """The origin of the result with a record, as far as the store has it."""
    root = _made(record.task, record.parameters.get("date", "-"), record.version, record, store)
    results = {root.version: root}
    waiting = [record]
    while waiting:
        for given in waiting.pop().inputs:
            task, date, version = given["task"], given.get("date", "-"), given["version"]
            if version in results:
                continue
            artefact = store.by_version(task, date, version)
            found = artefact.provenance if artefact else None
            results[version] = _made(task, date, version, found, store)
            if found:
                waiting.append(found)
    return Origin(root, results)


def _made(task: str, date: str, version: str, record: Provenance | None, store: Store) -> Made:
    computed, seen = record, {version}
    while computed and computed.reused_from and computed.reused_from not in seen:
        seen.add(computed.reused_from)
        artefact = store.by_version(task, date, computed.reused_from)
        computed = artefact.provenance if artefact else None
    return Made(task, date, version, record, computed if computed is not record else None)
