"""The catalog: a searchable index over the provenance records of a store, which can be made anew from it at any time."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workflows.errors import CatalogOfOtherStore, DamagedCatalog
from workflows.store.catalog_database import CatalogDatabase, Session
from workflows.store.catalog_server import SqlAlchemyDatabase
from workflows.store.catalog_sqlite import SqliteFile
from workflows.store.entry import Listed, readable
from workflows.store.provenance import Provenance
from workflows.store.report_rows import add_reports

FORMAT = 2
PATIENCE = 5.0
"""Seconds that a catalog which another process has locked is waited for."""

_TOOK_OVER = -1
_HALF = 2**63


@dataclass(frozen=True)
class Subject:
    """What was asked about; one of commit, task and version is given."""

    name: str
    """How people call it."""
    commit: str | None = None
    """A whole commit."""
    task: str | None = None
    """A task's family."""
    date: str | None = None
    """With a task: of this date only."""
    version: str | None = None
    """A version, or its first 16 digits."""


@dataclass(frozen=True, slots=True)
class User:
    """An artefact that used what was asked about."""

    path: str
    """Its folder, relative to the store."""
    task: str
    date: str
    """Its date, or '-'."""
    template: str | None
    """Reports only."""
    version: str
    commit: str | None
    dirty: int
    """1 where files differed from the commit."""
    started: str
    """ISO 8601, UTC."""
    reused_from: str | None
    """The version whose bytes these are, if nothing was computed."""
    took_over: int
    """1 where it used it only by taking over the bytes of something that did."""


class Catalog:
    """The index in a database of one store; it does not look there, so its rows may be of artefacts that are gone.

    `store` is the store's location, an absolute path or a URL; without it, the catalog of any store is taken.
    """

    def __init__(self, url: str, store: str | None = None) -> None:
        self._database = _database(url)
        self._store = store

    @property
    def place(self) -> str:
        """Where it is, as the user may read it."""
        return self._database.place

    def exists(self) -> bool:
        """Whether there is a catalog."""
        return self._database.exists()

    def create(self, complete: bool) -> None:
        """Make an empty catalog; `complete` says whether the store is as empty."""
        self._database.create({"format": FORMAT, "complete": int(complete), **self._location})

    def is_complete(self) -> bool:
        """Whether it was filled from the whole store; raises DamagedCatalog where it must be made anew."""
        with self._session(writes=False) as session:
            return bool(_about(session)[1])

    def completed(self) -> None:
        """Say that it was filled from the whole store."""
        with self._session(writes=True) as session:
            session.run("completed")

    def put_aside(self) -> str:
        """Take a damaged catalog out of the way; returns where it is now."""
        return self._database.put_aside()

    def add(self, rows: Iterable[Row]) -> None:
        """Write the rows of artefacts and failed reports, all or none."""
        found = list(rows)
        artefacts = [row.artefact for row in found if row.artefact]
        inputs = [given for row in found for given in row.inputs]
        with self._session(writes=True) as session:
            if artefacts:
                session.run("add_artefact", artefacts)
            if inputs:
                session.run("add_input", inputs)
            add_reports(session, [row.report for row in found if row.report])

    def commits(self, digits: str) -> list[str]:
        """The commits that made artefacts and begin with these digits; not more than a few."""
        with self._session(writes=False) as session:
            return [commit for (commit,) in session.run("commits", _range(digits))]

    def versions(self, digits: str) -> list[tuple[str, str, str]]:
        """The versions that begin with these digits, each with task and date; not more than a few.

        Of a version that is known from what was made from it only, the first 16 digits are.
        """
        first, last = _id(digits.ljust(16, "0")), _id(digits.ljust(16, "f"))
        with self._session(writes=False) as session:
            found = session.run("versions", _range(digits))
            gone = session.run("gone", {"first": first, "last": last})
        named = [(f"{number + _HALF:016x}", task, date) for number, task, date in gone]
        return [
            (version, task, date)
            for version, task, date in [*found, *named]
            if version.startswith(digits[: len(version)])
        ]

    def has_task(self, task: str) -> bool:
        """Whether anything is known of a task."""
        with self._session(writes=False) as session:
            return bool(session.run("has_task", {"task": task}))

    def tables(self) -> list[str]:
        """The families of all queries and stages that are known."""
        with self._session(writes=False) as session:
            return [task for (task,) in session.run("tables")]

    def users(self, subject: Subject, reports_only: bool) -> list[User]:
        """What used the subject, through whatever lies between, newest first."""
        number = _id(subject.version) if subject.version else None
        values = {"commit_id": subject.commit, "task": subject.task, "date": subject.date, "id": number}
        with self._session(writes=False) as session:
            found = session.run("users", {**values, "reports": int(reports_only)})
        return [User(*row) for row in found]

    def reading(self) -> AbstractContextManager[Session]:
        """One transaction to ask in."""
        return self._session(writes=False)

    def writing(self) -> AbstractContextManager[Session]:
        """One transaction to change rows in."""
        return self._session(writes=True)

    @contextlib.contextmanager
    def _session(self, writes: bool) -> Iterator[Session]:
        with self._database.session(PATIENCE, writes) as session:
            found = _about(session)
            if found[0] != FORMAT:
                raise DamagedCatalog.other_format(self.place, found[0], FORMAT)
            if self._store and not self._belongs(session, found[2:], writes):
                raise CatalogOfOtherStore.asked(self.place, found[2], self._store)
            yield session

    def _belongs(self, session: Session, recorded: tuple[str | None, ...], writes: bool) -> bool:
        """Whether this is the catalog of the store, by its record, or for lack of one."""
        store, beside = recorded or (None, None)
        if store is None and writes:
            for missing in () if recorded else ("add_store", "add_beside"):
                session.run(missing)
            session.run("belongs", self._location)
        own = self._location
        # A folder that holds both is renamed or copied as a whole: the store is where it was, seen from the catalog.
        return store in (None, own["store"]) or (beside is not None and beside == own["beside"])

    @property
    def _location(self) -> dict[str, str | None]:
        """The store's location, and how it is reached from the catalog's folder."""
        beside = None
        if self._store and "://" not in self._store and isinstance(self._database, SqliteFile):
            beside = os.path.relpath(self._store, self._database.path.parent.resolve())
        return {"store": self._store, "beside": beside}


@dataclass(frozen=True)
class Row:
    """What the catalog keeps of one artefact, or of a failed report."""

    artefact: dict[str, Any] | None
    """None of a failed report."""
    inputs: list[dict[str, Any]]
    report: Listed | None = None
    """Reports only."""

    @classmethod
    def of(cls, path: str, record: Provenance, measures: str | bytes | None = None) -> Row:
        """The row of a record, with what is in the measures.json beside it.

        Raises ValueError for a record by hand that says what cannot be.
        """
        try:
            report = Listed.of(path, record, measures)
            if record.failure:
                return cls(None, [], report)
            return cls(_artefact(path, record), _inputs(path, record), report)
        except (TypeError, KeyError, AttributeError, IndexError) as error:
            raise ValueError(f"{path} has no readable provenance") from error


def _database(url: str) -> CatalogDatabase:
    scheme, _, path = url.partition(":///")
    if scheme == "sqlite" and path and "?" not in path and path != ":memory:":
        return SqliteFile(Path(path))
    return SqlAlchemyDatabase(url)


def _about(session: Session) -> tuple[Any, ...]:
    found = session.run("about")
    return found[0] if found else (None, 0)


def _artefact(path: str, record: Provenance) -> dict[str, Any]:
    rows = [output["rows"] for output in record.outputs.values() if "rows" in output]
    return {
        "path": _text(path),
        "task": _text(record.task),
        "date": _text(path.split("/")[1]),
        "template": _text(record.template["name"]) if record.template else None,
        "version": _text(record.version),
        "id": _id(record.version),
        "commit_id": _text(record.code.get("commit")),
        "dirty": int(bool(record.code.get("dirty"))),
        "code": _text(record.code["digest"]),
        "started": str(_text(record.started)),
        "seconds": float(record.seconds),
        "host": _text(record.host),
        "username": _text(record.user),
        "reused_from": _text(record.reused_from),
        "rows": int(rows[0]) if rows else None,
        "fingerprint": _text(record.source.get("fingerprint")) if record.source else None,
        "parameters": json.dumps(record.parameters, sort_keys=True),
    }


def _inputs(path: str, record: Provenance) -> list[dict[str, Any]]:
    given = [(n, found["task"], found.get("date", "-"), found["version"]) for n, found in enumerate(record.inputs)]
    if record.reused_from:
        given.append((_TOOK_OVER, record.task, path.split("/")[1], record.reused_from))
    own = _id(record.version)
    return [
        {"id": own, "position": position, "task": _text(task), "date": _text(date), "input": _id(version)}
        for position, task, date, version in given
    ]


def _id(version: str) -> int:
    """The integer that stands for a version: what its folder's name shows; comparing texts would take twice the time."""
    return int(version[:16], 16) - _HALF


def _text(value: str | None) -> str | None:
    """A text as every database can hold it: without halves of characters, and without zeros."""
    return None if value is None else readable(value)


def _range(digits: str) -> dict[str, str]:
    """From a number's first digits to what follows the last such number; 'g' follows the last hex digit."""
    return {"first": digits, "after": digits + "g"}
