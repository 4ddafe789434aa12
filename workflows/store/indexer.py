"""What keeps the catalog in step with its store: a row before each artefact is visible, and all rows made anew."""

from __future__ import annotations

import contextlib
import logging
import mmap
import struct
import time
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeVar

from workflows.errors import CatalogError, CatalogOfOtherStore, DamagedCatalog, ParcoursError, StoreError
from workflows.identity.canonical import digest_bytes
from workflows.store.address import FAILED, FAILURE, MEASURES, PROVENANCE, UNCATALOGUED, is_of_tasks, is_versioned
from workflows.store.catalog import Catalog, Row
from workflows.store.files import Folder, Place
from workflows.store.journal import ENDING, Journal, Line, line_of, lines_in, take
from workflows.store.provenance import Provenance, fault

log = logging.getLogger("workflows")

T = TypeVar("T")
Progress = Callable[[int, int], None]
"""Called with how many folders are done, and of how many."""

_AT_ONCE = 500
_RESPITE = 30.0
"""Seconds for which a catalog that could not be written is not tried again."""
_RUSH = 0.2
"""Seconds after a row was added in which others are only journalled, to be added together."""
_FAILURE = struct.Struct("d?")
_OF_ANY = "any"
"""Below the marks: those for whichever catalog of the store is asked first."""


def _silent(done: int, of: int) -> None:
    pass


@dataclass(frozen=True)
class Reindexed:
    """What a walk through the store found."""

    artefacts: int
    """How many artefacts have a row now."""
    skipped: dict[str, str] = field(default_factory=dict)
    """The folders that cannot be read, or whose record cannot, each with the reason."""
    aside: str | None = None
    """Where a damaged catalog was moved to."""


class Indexer:
    """The catalog of the store at a place."""

    def __init__(self, place: Place, catalog: Catalog, url: str) -> None:
        self._place = place
        self.catalog = catalog
        self._marks = f"{UNCATALOGUED}/{digest_bytes(url.encode())[:16]}"
        self._any_marks = f"{UNCATALOGUED}/{_OF_ANY}"
        # When the catalog last failed, and whether it is another store's; shared with the processes that a worker forks, lest each waits for it and tells of it.
        self._failed = mmap.mmap(-1, _FAILURE.size)
        self._added = 0.0
        # An object store has no files that grow.
        self._journal = Journal(place.root / self._marks) if isinstance(place, Folder) else None
        weakref.finalize(self, _settle, self._journal, self.catalog)

    def note(self, path: str, record: Provenance, text: str, measures: bytes | None = None) -> None:
        """Write the row of what is about to become visible; it never fails, whatever the catalog does.

        `text` is the record as JSON, `measures` what is in a report's measures.json.

        What cannot be written is marked in the store, for the next question to add.
        """
        line = path, text, measures.decode("utf-8", "replace") if measures else None
        failed, is_other = _FAILURE.unpack(self._failed)
        if failed and time.monotonic() - failed < _RESPITE:
            self._mark(line, self._any_marks if is_other else self._marks)
            return
        try:
            row = Row.of(path, record, line[-1])
            if self._journal and time.monotonic() - self._added < _RUSH:
                self._journal.write(line, row)
                return
            if not self.catalog.exists():
                self.catalog.create(complete=next(self._folders({}), None) is None)
            if self._journal:
                self._journal.settle(self.catalog.add)
            self.catalog.add([row])
            self._added = time.monotonic()
        except (CatalogError, ValueError, OSError) as error:
            is_other = isinstance(error, CatalogOfOtherStore)
            self._mark(line, self._any_marks if is_other else self._marks)
            self._failed[:] = _FAILURE.pack(time.monotonic(), is_other)
            if not failed:
                asked = "a catalog of this store" if is_other else "the catalog"
                log.warning("%s The run goes on; the next question to %s adds what is missing.", error, asked)

    def ask(self, question: Callable[[Catalog], T], progress: Progress = _silent) -> T:
        """The catalog's answer; one that is missing, incomplete or damaged is made anew first, with a warning."""
        try:
            if not self.catalog.exists():
                log.warning("There is no catalog at %s; it is filled from the store.", self.catalog.place)
                self._fill(progress)
            elif not self.catalog.is_complete():
                log.warning("The catalog %s was never filled; it is filled from the store.", self.catalog.place)
                self._fill(progress)
            elif added := self._catch_up():
                log.warning(
                    "The catalog %s could not be written for %d results; they are added.", self.catalog.place, added
                )
            return question(self.catalog)
        except DamagedCatalog as error:
            log.warning("%s This is done now; the damaged one is kept as %s.", error, self.catalog.put_aside())
            self._fill(progress)
            return question(self.catalog)

    def reindex(self, progress: Progress = _silent) -> Reindexed:
        """Give every artefact of the store its row, whatever the catalog held before.

        Rows go in while other processes add theirs; none is taken out, because readers see which artefacts are gone, and
        what a gone one was made from is known from its row alone.
        """
        try:
            return self._fill(progress)
        except DamagedCatalog:
            aside = self.catalog.put_aside()
            found = self._fill(progress)
            return Reindexed(found.artefacts, found.skipped, aside)

    def is_there(self, path: str) -> bool:
        """Whether the artefact or the failed report of a row exists (still, or already)."""
        return self._place.exists(f"{path}/{FAILURE if path.startswith(f'{FAILED}/') else PROVENANCE}")

    @property
    def looks_cheaply(self) -> bool:
        """Whether one look into the store is no request over a network."""
        return isinstance(self._place, Folder)

    def _mark(self, line: Line, folder: str) -> None:
        # With the whole record, because the artefact may become visible after the mark was read.
        self._place.put(f"{folder}/{digest_bytes(line[0].encode())[:32]}", line_of(*line))

    def _fill(self, progress: Progress) -> Reindexed:
        if not self.catalog.exists():
            self.catalog.create(complete=False)
        skipped: dict[str, str] = {}
        count = 0
        found = self._rows(skipped, progress)
        # In pieces, because nobody else can write while one is written.
        while rows := list(islice(found, _AT_ONCE)):
            self.catalog.add(rows)
            count += sum(1 for row in rows if row.artefact)
        self._catch_up()
        self.catalog.completed()
        return Reindexed(count, skipped)

    def _catch_up(self) -> int:
        """Add what was marked; returns how many rows that are."""
        folders = (self._marks, self._any_marks)
        names = [f"{folder}/{name}" for folder in folders for name in self._place.files(folder)]
        for name in names:
            if name.endswith(ENDING) and isinstance(self._place, Folder):
                take(self._place.root / name, self._add_lines)
        marks = [name for name in names if not name.endswith(ENDING)]
        rows = [row for mark in marks for row in self._marked(mark)]
        if rows:
            self.catalog.add(rows)
        for mark in marks:
            self._place.remove(mark)
        return len(rows)

    def _marked(self, mark: str) -> list[Row]:
        # Another process may have added it meanwhile.
        with contextlib.suppress(FileNotFoundError):
            return [row for line in lines_in(self._place.read(mark)) if (row := _row(line))]
        return []

    def _add_lines(self, lines: list[Line]) -> None:
        rows = [row for line in lines if (row := _row(line))]
        if rows:
            self.catalog.add(rows)

    def _rows(self, skipped: dict[str, str], progress: Progress) -> Iterator[Row]:
        folders = list(self._folders(skipped))
        for number, folder in enumerate(folders):
            progress(number, len(folders))
            for name in self._inside(folder, skipped):
                if is_versioned(name) and (row := self._row(f"{folder}/{name}", skipped)):
                    yield row
        for folder in self._failed_folders(skipped):
            for name in self._inside(folder, skipped):
                if row := self._row(f"{folder}/{name}", skipped):
                    yield row
        progress(len(folders), len(folders))

    def _folders(self, skipped: dict[str, str]) -> Iterator[str]:
        """The folders <task>/<date> of the store."""
        for task in filter(is_of_tasks, self._inside("", skipped)):
            for date in self._inside(task, skipped):
                yield f"{task}/{date}"

    def _failed_folders(self, skipped: dict[str, str]) -> Iterator[str]:
        """The folders failed/<template>/<date> of the store."""
        for template in self._inside(FAILED, skipped):
            for date in self._inside(f"{FAILED}/{template}", skipped):
                yield f"{FAILED}/{template}/{date}"

    def _inside(self, folder: str, skipped: dict[str, str]) -> list[str]:
        try:
            return self._place.folders(folder)
        except PermissionError as error:
            # A disk of its own has a folder that only root can read, for one.
            skipped[folder or "."] = str(error.strerror)
            return []

    def _row(self, path: str, skipped: dict[str, str]) -> Row | None:
        name = FAILURE if path.startswith(f"{FAILED}/") else PROVENANCE
        try:
            record = Provenance.from_json(self._place.read(f"{path}/{name}"), path)
            if bool(record.failure) != (name == FAILURE):
                raise ValueError(f"{path} has the record of something else")
            if not record.failure and record.version[:16] != path[-16:]:
                raise ValueError(f"{path} has the provenance of version {record.version[:16]}")
            return Row.of(path, record, self._measures(path) if record.template else None)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            skipped[path] = error.strerror or str(error)
        except ParcoursError as error:
            skipped[path] = str(error).removeprefix(f"{path} ").partition(";")[0]
        except ValueError as error:
            skipped[path] = f"its {name} {fault(error)}"
        return None

    def _measures(self, path: str) -> bytes | None:
        try:
            return self._place.read(f"{path}/{MEASURES}")
        except OSError:
            return None


def _row(line: Line) -> Row | None:
    """The row of a record that was written for it; what cannot be read is in the store, where a reindex finds it."""
    path, text, measures = line
    with contextlib.suppress(ValueError, StoreError):
        return Row.of(path, Provenance.from_json(text, path), measures)
    return None


def _settle(journal: Journal | None, catalog: Catalog) -> None:
    if journal:
        # What remains is added by the next question.
        with contextlib.suppress(CatalogError, OSError):
            journal.settle(catalog.add)
