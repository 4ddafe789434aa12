"""A report, made or failed, as the list of reports has it, with its measures and all that it is found by."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from workflows.identity.canonical import digest_bytes
from workflows.store.provenance import Provenance
from workflows.store.words import beginnings, words_of

MADE, FAILED = "made", "failed"

Term = tuple[str, bytes]
"""What a report is found by: of which kind, and the value, cut where it is very long."""

EVERYTHING: Term = ("all", b"")
"""What every report is found by."""

_HALF = 2**63
_LONGEST = 1000
"""Bytes of a value that an index can hold."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One report, made or failed."""

    path: str
    """Its folder, relative to the store."""
    template: str
    date: str
    """ISO."""
    state: str
    """'made' or 'failed'."""
    parameters: str
    """The values beyond the template's defaults, as canonical JSON; '{}' for none."""
    version: str
    """64 hex digits."""
    commit: str | None
    dirty: bool
    """Whether files differed from the commit."""
    started: str
    """ISO 8601, UTC."""
    seconds: float
    person: str
    """Who asked for it, or else who ran it."""
    reason: str | None
    """Why it failed, in one line."""


_DIRTY = Entry.__slots__.index("dirty")


@dataclass(frozen=True, slots=True)
class Measured:
    """A measure of a report."""

    name: str
    value: float | None
    """None where there was nothing to measure."""
    unit: str
    better: str | None
    """'lower', 'higher' or None."""


@dataclass(frozen=True)
class Listed:
    """An entry with what it is found by."""

    entry: Entry
    measured: str
    """Its measures as JSON: [name, value, unit, better] of each."""
    words: str
    """Its words, each with a space before it."""

    @classmethod
    def of(cls, path: str, record: Provenance, measures: str | bytes | None) -> Listed | None:
        """What a report's record and its measures.json say; None for what is no report."""
        template = record.template
        if template is None:
            return None
        # The folder's name tells the date: of a report its parent does, of a failed one that parent's.
        is_failed = record.failure is not None
        given = measures_in(measures)
        entry = Entry(
            path=readable(path),
            template=readable(template["name"]),
            date=readable(path.split("/")[2 if is_failed else 1]),
            state=FAILED if is_failed else MADE,
            parameters=readable(record.parameters.get("parameters") or "{}"),
            version=readable(record.version),
            commit=readable(record.code["commit"]) if record.code.get("commit") else None,
            dirty=bool(record.code.get("dirty")),
            started=readable(record.started),
            seconds=float(record.seconds),
            person=readable(record.person),
            reason=_line(str(record.failure.get("reason", ""))) if record.failure else None,
        )
        measured = json.dumps([astuple(one) for one in given])
        return cls(entry, measured, _words(entry, given))

    @classmethod
    def of_row(cls, row: tuple[Any, ...]) -> Listed:
        """What a row of the catalog says."""
        _, _, *fields, measures, words = row
        # The database has integers for truth values.
        fields[_DIRTY] = bool(fields[_DIRTY])
        return cls(Entry(*fields), measures, words)

    @cached_property
    def measures(self) -> tuple[Measured, ...]:
        """Its measures."""
        return tuple(Measured(*found) for found in json.loads(self.measured))

    @cached_property
    def id(self) -> int:
        """The integer that stands for it: equal in every catalog."""
        return number(self.entry.path.encode())

    @cached_property
    def moment(self) -> int:
        """When it was started, in microseconds since 1970; 0 where that cannot be told."""
        with contextlib.suppress(ValueError, OverflowError):
            started = datetime.fromisoformat(self.entry.started)
            aware = started if started.tzinfo else started.replace(tzinfo=UTC)
            return max(0, round(aware.timestamp() * 1_000_000))
        return 0

    @cached_property
    def terms(self) -> dict[int, Term]:
        """What it is found by, each with the integer that stands for it."""
        return {term_id(term): term for term in self._terms()}

    def as_row(self) -> dict[str, Any]:
        """The same for the catalog."""
        row = {name: getattr(self.entry, name) for name in Entry.__slots__}
        return {
            **row,
            "dirty": int(self.entry.dirty),
            "measures": self.measured,
            "words": self.words,
            "id": self.id,
            "moment": self.moment,
            "asked": asked(self.entry.template, self.entry.parameters),
        }

    def _terms(self) -> Iterator[Term]:
        entry = self.entry
        yield EVERYTHING
        for kind in ("template", "date", "state", "person", "commit"):
            if value := getattr(entry, kind):
                yield kind, key(value)
        for found in self.measures:
            yield "measure", key(found.name)
            yield "measure of", key(entry.template) + b"\0" + key(found.name)
        for word in self.words.split():
            for size, beginning in beginnings(word):
                yield f"word {size}", beginning.encode()


def key(value: str) -> bytes:
    """A value as the index has it."""
    return readable(value).encode()[:_LONGEST]


def number(name: bytes) -> int:
    """The signed integer of 64 bits that stands for a name."""
    return int(digest_bytes(name)[:16], 16) - _HALF


def term_id(term: Term) -> int:
    """The integer that stands for a term."""
    return number(term[0].encode() + b"\0" + term[1])


def asked(template: str, parameters: str) -> int:
    """The integer that stands for a template with values."""
    return number(readable(template).encode() + b"\0" + readable(parameters).encode())


def readable(value: str) -> str:
    """A text as every database can hold it: without halves of characters, and without zeros."""
    return value.encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\x00")


def measures_in(text: str | bytes | None) -> tuple[Measured, ...]:
    """The measures in a measures.json, those that are readable; none where there is no such file."""
    try:
        rows = json.loads(text)["measures"] if text else []
        found = [Measured(readable(row["name"]), row["value"], readable(row["unit"]), row["better"]) for row in rows]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return ()
    return tuple(one for one in found if _is_number(one.value) and one.better in ("lower", "higher", None))


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool))


def _line(text: str) -> str:
    return readable(" ".join(text.split()))


def _words(entry: Entry, measures: Iterable[Measured]) -> str:
    """The words that a search finds it by."""
    texts = [entry.template, entry.date, *_leaves(entry.parameters), *(found.name for found in measures)]
    texts += [entry.person, entry.commit or "", entry.reason or ""]
    return "".join(f" {word}" for word in words_of(texts))


def _leaves(text: str) -> Iterator[str]:
    """The names and values in a JSON text."""
    try:
        waiting = [json.loads(text)]
    except (ValueError, RecursionError):
        yield text
        return
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += [*value.keys(), *value.values()]
        elif isinstance(value, list):
            waiting += value
        else:
            yield value if isinstance(value, str) else json.dumps(value)
