"""Which reports used a commit, a query, a stage or an artefact, through whatever lies between."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from workflows import settings
from workflows.answers.found import find, store
from workflows.answers.walk import watched
from workflows.errors import DateError, ParcoursError, PathError, SubjectError
from workflows.identity.checkout import Checkout
from workflows.store.address import REPORT
from workflows.store.artefacts import Store
from workflows.store.catalog import Catalog, Subject, User
from workflows.store.provenance import Provenance, commit_of

_COMMIT = re.compile(r"[0-9a-f]{4,64}")
_VERSION = re.compile(r"[0-9a-f]{8,64}")
# The path of an artefact or of a file in it, in a store of any kind.
_FOLDER = re.compile(r".*/(?:[^/]+-)?([0-9a-f]{16})(?:/[^/]*)?")


@dataclass(frozen=True)
class UsedBy:
    """The artefacts that used something."""

    subject: Subject
    reports: list[User]
    """Those that are in the store, newest first."""
    between: list[User]
    """The other results in the store that used it; only where they were asked for."""
    store: Store

    @property
    def exit_code(self) -> int:
        """0: there is an answer."""
        return 0

    def lines(self) -> list[str]:
        """The number of the reports, and a line for each."""
        if not self.reports:
            return [f"No report used {self.subject.name}."]
        rows = [
            (f"{user.template} {user.date}", _made(user), _commit(user), self._shown(user), _note(user))
            for user in self.reports
        ]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
        ]
        count = len(self.reports)
        return [f"{count:,} report{'' if count == 1 else 's'} used {self.subject.name}:", *lines]

    def as_json(self) -> dict[str, Any]:
        """The same for a program, with the results in between."""
        subject = self.subject
        asked = {"commit": subject.commit, "task": subject.task, "date": subject.date, "version": subject.version}
        return {
            "subject": {"name": subject.name, **{kind: value for kind, value in asked.items() if value}},
            "reports": [self._record(user) for user in self.reports],
            "between": [self._record(user) for user in self.between],
        }

    @cached_property
    def _root(self) -> str:
        return self.store.shown("").rstrip("/")

    def _shown(self, user: User) -> str:
        return f"{self._root}/{user.path}/{REPORT}" if user.template else f"{self._root}/{user.path}"

    def _record(self, user: User) -> dict[str, Any]:
        return {
            "task": user.task,
            "date": user.date,
            "template": user.template,
            "version": user.version,
            "commit": user.commit,
            "dirty": bool(user.dirty),
            "started": user.started,
            "reused_from": user.reused_from,
            "took_over": bool(user.took_over),
            "path": self._shown(user),
        }


def used_by(name: str, date: str | None = None, in_full: bool = False) -> UsedBy:
    """The reports that used what has this name, with the results in between where it is asked in full.

    Raises SubjectError for a name that is unknown or ambiguous, PathError and DateError for a path or date that is none.
    """
    index = store().index
    day = _day(date) if date else None

    def answer(catalog: Catalog) -> UsedBy:
        subject = _subject(name, day, catalog)
        users = [user for user in catalog.users(subject, not in_full) if index.is_there(user.path)]
        reports = [user for user in users if user.template]
        return UsedBy(subject, reports, [user for user in users if not user.template], store())

    with watched() as progress:
        return index.ask(answer, progress)


def _subject(name: str, date: str | None, catalog: Catalog) -> Subject:
    if catalog.has_task(name) and date:
        return Subject(f"{name} {date}", task=name, date=date)
    meanings = list(_meanings(name, catalog))
    if not meanings and ("/" in name or Path(name).suffix):
        raise PathError.no_artefact(name, "does not exist")
    if not meanings:
        return _without_results(name, date, catalog)
    if len(meanings) > 1:
        raise SubjectError.ambiguous(name, [meaning.name for meaning in meanings])
    if date:
        raise SubjectError.dated(name)
    return meanings[0]


def _without_results(name: str, date: str | None, catalog: Catalog) -> Subject:
    """A query or stage that only the pipelines know; raises SubjectError for anything else."""
    planned = _in_pipelines()
    if name not in planned:
        raise SubjectError.unknown(name, sorted({*planned, *catalog.tables()}))
    return Subject(f"{name} {date}" if date else name, task=name, date=date)


def _in_pipelines() -> set[str]:
    """The queries and stages of the pipelines; none where these cannot be loaded, which is no matter of the question."""
    from workflows.tasks.templates import tables

    try:
        return set(tables())
    except ParcoursError:
        return set()


def _meanings(name: str, catalog: Catalog) -> Iterator[Subject]:
    """Everything that a name can stand for."""
    if catalog.has_task(name):
        yield Subject(name, task=name)
    digits = name.lower()
    commits = set(catalog.commits(digits)) if _COMMIT.fullmatch(digits) else set()
    for commit in sorted(commits | set(filter(None, [Checkout(settings.load().root).commit_named(name)]))):
        yield Subject(f"commit {commit[:12]}", commit=commit)
    record = _record_at(name)
    if record:
        yield _of_version(record.version, record.task, record.parameters.get("date", "-"))
        return
    folder = _FOLDER.fullmatch(name)
    digits = folder[1] if folder else digits
    if _VERSION.fullmatch(digits):
        found = {version: (task, date) for version, task, date in catalog.versions(digits)}
        for version, (task, date) in found.items():
            yield _of_version(version, task, date)


def _record_at(name: str) -> Provenance | None:
    """The record of what lies at a path; None where nothing does, or a folder that just has the name."""
    path = Path(name)
    if path.is_file() or (path.is_dir() and "/" in name):
        return find(str(path)).record
    return None


def _of_version(version: str, task: str, date: str) -> Subject:
    return Subject(f"{' '.join([task, *([date] if date != '-' else [])])} {version[:16]}", version=version)


def _day(text: str) -> str:
    try:
        return datetime.date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise DateError.wrong(text) from error


def _made(user: User) -> str:
    return f"made {user.started[:16].replace('T', ' ')} UTC"


def _commit(user: User) -> str:
    return commit_of({"commit": user.commit, "dirty": user.dirty})


def _note(user: User) -> str:
    return "(took over the bytes of an earlier result that did)" if user.took_over else ""
