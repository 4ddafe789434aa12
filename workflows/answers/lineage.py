"""Results with what they were made from, as far as it is known, and two of them walked side by side from the leaves."""

from __future__ import annotations

import datetime
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from workflows import settings
from workflows.answers.found import find, store
from workflows.errors import ParcoursError, StoreError
from workflows.identity.canonical import digest_bytes
from workflows.store.address import FAILURE, TABLE
from workflows.store.artefacts import Artefact, Store
from workflows.store.provenance import Provenance


@dataclass(frozen=True)
class Stores:
    """Where the results of one side, and the code that made them, are looked for, in order."""

    places: tuple[Store, ...]

    def find(self, task: str, date: str, version: str) -> list[tuple[Store, Artefact]]:
        """The artefacts of a version; one of a format that this release does not know counts as not there."""
        found = []
        for place in self.places:
            try:
                artefact = place.by_version(task, date, version)
            except ParcoursError:
                continue
            if artefact:
                found.append((place, artefact))
        return found

    def code(self, record: Provenance) -> dict[str, Any] | None:
        """The record of the code that made a result."""
        return next(filter(None, (store.code.record(record.code["digest"]) for store in self.places)), None)

    def text(self, sha256: str) -> str | None:
        """A file of code as it was loaded."""
        data = next(filter(None, (store.code.source(sha256) for store in self.places)), None)
        return None if data is None else data.decode("utf-8", "replace")


@dataclass(frozen=True)
class Node:
    """One result with those it was made from."""

    task: str
    date: str
    version: str
    digest: str | None
    """The sha256 of its table; None where it is not known, or it is a report."""
    record: Provenance | None
    """None where the store no longer has it."""
    stores: Stores
    folder: Path | None = None
    """For a path that was asked for: where it lies."""
    has_other_bytes: bool = False
    """Whether the record that is at hand is of the same version with other bytes."""
    known: dict[tuple[str, str, str, str | None], Node] = field(default_factory=dict, repr=False, compare=False)
    """The results of its side that were met already."""

    @cached_property
    def inputs(self) -> tuple[Node, ...]:
        """What it was made from, in order; nothing where that is not known."""
        return tuple(map(self._input, self.record.inputs if self.record else ()))

    @property
    def name(self) -> str:
        """How people call it."""
        template = self.record.template["name"] if self.record and self.record.template else None
        return " ".join(filter(None, [self.task, template, self.date if self.date != "-" else None]))

    def file(self, name: str) -> Path | None:
        """One of its files with the very bytes that were recorded, wherever they are."""
        if self.record and self.record.failure:
            return self._failed(name)
        recorded = self.record.outputs.get(name, {}).get("sha256") if self.record else None
        recorded = self.digest if name == TABLE else recorded
        beside = self.folder / name if self.folder else None
        if recorded and beside and beside.is_file() and digest_bytes(beside.read_bytes()) == recorded:
            return beside
        for place, artefact in self.stores.find(self.task, self.date, self.version) if recorded else ():
            if artefact.provenance.outputs.get(name, {}).get("sha256") == recorded:
                try:
                    return place.file(artefact, name)
                except StoreError:
                    continue
        return None

    def _input(self, given: dict[str, Any]) -> Node:
        # Where other bytes came out, so they did perhaps from what went in.
        digest = None if self.has_other_bytes else given["digest"]
        task, date, version = given["task"], given.get("date", "-"), given["version"]
        key = (task, date, version, digest)
        if key not in self.known:
            found = [artefact.provenance for _, artefact in self.stores.find(task, date, version)]
            same = [record for record in found if record.outputs.get(TABLE, {}).get("sha256") == digest]
            record = next(iter(same or found), None)
            self.known[key] = Node(
                task, date, version, digest, record, self.stores, has_other_bytes=not same, known=self.known
            )
        return self.known[key]

    def _failed(self, name: str) -> Path | None:
        """A file of a failed report, which records no digests: its folder tells by its own record that it is the same."""
        if self.folder is None:
            return None
        try:
            record = Provenance.from_json((self.folder / FAILURE).read_text(encoding="utf-8"), str(self.folder))
        except (OSError, ValueError, ParcoursError):
            return None
        return self.folder / name if record == self.record and (self.folder / name).is_file() else None


def lineage(shown: str) -> Node:
    """What lies at a path, or under a version, with all it was made from; raises PathError where nothing is there."""
    found = find(shown)
    record, path = found.record, Path(shown)
    folder = found.folder or (path.parent if path.is_file() else None)
    digest = record.outputs.get(TABLE, {}).get("sha256")
    return Node(record.task, found.date, record.version, digest, record, _stores(folder, record), folder)


def _stores(folder: Path | None, record: Provenance) -> Stores:
    """The store that a folder lies in as an artefact of it, which may be another's, then this project's."""
    configured = settings.load()
    if folder is None or len(folder.absolute().parents) < 3:
        return Stores((store(),))
    date, task, root = folder.absolute().parents[:3]
    is_artefact = (task.name, date.name) == (record.task, record.parameters.get("date", "-"))
    is_elsewhere = root.resolve() != Path(configured.store).resolve()
    own = [Store.at(str(root), configured.cache)] if is_artefact and is_elsewhere else []
    return Stores((*own, store()))


@dataclass(frozen=True)
class Pair:
    """A result of one side and its counterpart of the other."""

    a: Node
    b: Node
    inputs: tuple[Pair, ...]
    height: int
    """How many results lie below it at most: 0 for a query."""
    only_a: tuple[Node, ...]
    """Inputs without a counterpart."""
    only_b: tuple[Node, ...]

    @property
    def name(self) -> str:
        """How people call the two."""
        if self.a.name == self.b.name:
            return self.a.name
        return f"{self.a.name} and {self.b.name.removeprefix(f'{self.a.task} ')}"

    is_same_day: bool
    """Whether both are as many days before the dates of the two at the top."""

    @property
    def has_same_bytes(self) -> bool | None:
        """Whether both tables are the same; None where that is not known."""
        return None if None in (self.a.digest, self.b.digest) else self.a.digest == self.b.digest


def paired(a: Node, b: Node) -> list[Pair]:
    """The results of two sides with their counterparts, each once: queries, then stages as they depend on each other, the
    two themselves last.

    Counterparts are of the same task and as many days before the date of `a` or `b`; where that names one on each side
    only by its task, that is it.
    """
    done: dict[tuple[int, int], Pair] = {}
    waiting = [(a, b)]
    while waiting:
        both = waiting[-1]
        found, only_a, only_b = _counterparts(*both, (a.date, b.date))
        missing = [below for below in found if _key(below) not in done]
        if missing:
            waiting += missing
            continue
        inputs = tuple(done[_key(below)] for below in found)
        height = max((below.height + 1 for below in inputs), default=0)
        is_same_day = _offset(both[0].date, a.date) == _offset(both[1].date, b.date)
        done[_key(waiting.pop())] = Pair(*both, inputs, height, tuple(only_a), tuple(only_b), is_same_day)
    return sorted(done.values(), key=lambda pair: pair.height)


def _key(both: tuple[Node, Node]) -> tuple[int, int]:
    return id(both[0]), id(both[1])


def _counterparts(a: Node, b: Node, dates: tuple[str, str]) -> tuple[list[tuple[Node, Node]], list[Node], list[Node]]:
    """The inputs of both that belong together, and those of each that belong to none."""
    if a.record is None or b.record is None:
        return [], [], []
    days = [
        [(node.task, _offset(node.date, date)) for node in side.inputs]
        for side, date in zip((a, b), dates, strict=True)
    ]
    found, only_a, only_b = _matched(a.inputs, b.inputs, *days)
    tasks = [[node.task for node in only] for only in (only_a, only_b)]
    single = [
        [task if names.count(task) == 1 else (number, n) for n, task in enumerate(names)]
        for number, names in enumerate(tasks)
    ]
    more, only_a, only_b = _matched(only_a, only_b, *single)
    return [*found, *more], only_a, only_b


def _matched(
    a: Sequence[Node], b: Sequence[Node], keys_a: Sequence[Hashable], keys_b: Sequence[Hashable]
) -> tuple[list[tuple[Node, Node]], list[Node], list[Node]]:
    """Nodes brought together that have the same key, in order, where both sides have as many of them."""
    sides: dict[Hashable, tuple[list[Node], list[Node]]] = {}
    for index, (nodes, keys) in enumerate(((a, keys_a), (b, keys_b))):
        for node, key in zip(nodes, keys, strict=True):
            sides.setdefault(key, ([], []))[index].append(node)
    even = [both for both in sides.values() if len(both[0]) == len(both[1])]
    odd = [both for both in sides.values() if len(both[0]) != len(both[1])]
    found = [pair for some, others in even for pair in zip(some, others, strict=True)]
    return found, [node for some, _ in odd for node in some], [node for _, others in odd for node in others]


def _offset(date: str, start: str) -> Hashable:
    """How many days a date is after another, so that reports of two days can be compared."""
    try:
        return (datetime.date.fromisoformat(date) - datetime.date.fromisoformat(start)).days
    except ValueError:
        return date
