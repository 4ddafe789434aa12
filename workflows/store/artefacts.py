"""The store: artefacts found, read with their digests checked, written whole, and reused."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from workflows.errors import ParcoursError, StoreError
from workflows.identity.canonical import digest_bytes, digest_file
from workflows.store.acceptances import Acceptances
from workflows.store.address import DAMAGED, MEASURES, PROVENANCE, REPORT, TABLE, Address, is_of_tasks, is_versioned
from workflows.store.ahead import Ahead
from workflows.store.catalog import Catalog
from workflows.store.code import CodeCopies
from workflows.store.datasets import Datasets
from workflows.store.evaluations import Evaluations
from workflows.store.failures import Failures
from workflows.store.files import Folder, ObjectStore, Place, write_new
from workflows.store.indexer import Indexer
from workflows.store.listing import Listing
from workflows.store.observations import Observations
from workflows.store.plans import Plans
from workflows.store.provenance import Provenance, fault
from workflows.store.removal import Removed, remove_reports

log = logging.getLogger("workflows")

_DEAR = 1.0
"""Seconds from which on what was made is worth the wait for the disk."""


@dataclass(frozen=True)
class Artefact:
    """One version of one result, as it lies in the store."""

    path: str
    """Its folder, relative to the store."""
    provenance: Provenance


class Store:
    """The artefacts under one root."""

    def __init__(self, place: Place, catalog: str | None = None) -> None:
        self._place = place
        self._index = Indexer(place, Catalog(catalog, place.location), catalog) if catalog else None
        self._ahead: Ahead | None = None
        self._intact: set[str] = set()
        self._observing: dict[str, Artefact] = {}
        self.code = CodeCopies(place)
        """The code that made the artefacts."""
        self.observations = Observations(place)
        """What runs have shown beyond it."""
        self.failures = Failures(place, self._index)
        """The reports that failed."""
        self.plans = Plans(place)
        """The plans of the runs that go on."""
        self.acceptances = Acceptances(place)
        """The code changes that are without effect."""
        self.datasets = Datasets(place)
        """The frozen inputs for evaluation."""
        self.evaluations = Evaluations(place)
        """The runs of commits, and how they were judged."""

    @classmethod
    def at(cls, location: str, cache: Path, catalog: str | None = None) -> Store:
        """The store at a folder or an fsspec URL; `cache` is a folder for copies of remote files, `catalog` a database's URL.

        Raises StoreError where no store can be.
        """
        if "://" in location and not location.startswith("file://"):
            return cls(ObjectStore(location, cache), catalog)
        return cls(Folder.opened(Path(location.removeprefix("file://"))), catalog)

    @property
    def index(self) -> Indexer:
        """What answers from the catalog; a store that was opened with one has it."""
        assert self._index is not None
        return self._index

    @property
    def listing(self) -> Listing:
        """The list of reports, made and failed; a store that was opened with a catalog has it."""
        return Listing(self.index)

    def remove_reports(self, paths: Iterable[str]) -> Removed:
        """Delete reports, made or failed, by their folders, relative to the store; what is none of them is refused."""
        removed = remove_reports(self._place, paths, self._index)
        self._intact.difference_update(removed.removed)
        return removed

    def find(self, address: Address) -> Artefact | None:
        """The artefact at an address, if it exists."""
        return self._found(address.path, address.version)

    def intact(self, address: Address) -> bool:
        """Whether the artefact exists with the bytes that were written.

        A damaged one is moved away, with a warning, so that it is made again. What was intact once is not read a second
        time by this process for this question; `file` checks every time.
        """
        if address.path in self._intact:
            return self._place.exists(f"{address.path}/{PROVENANCE}")
        artefact = self.find(address)
        if artefact is None:
            return False
        try:
            for name in artefact.provenance.outputs:
                self.file(artefact, name)
        except StoreError as error:
            log.warning("%s", error)
            return False
        self._is_intact(artefact)
        return True

    def _is_intact(self, artefact: Artefact) -> None:
        self._intact.add(artefact.path)
        if artefact.provenance.observed or artefact.provenance.settled:
            self._observing[artefact.path] = artefact

    def observing(self, address: Address) -> Artefact | None:
        """The artefact at an address that was found intact, if runs have shown more than its code names or its plan knew."""
        return self._observing.get(address.path)

    def set_aside(self, artefact: Artefact, why: str) -> None:
        """Move an artefact away that must not be used, with a warning, so that it is made again."""
        log.warning("%s", self._quarantined(artefact.path, why, StoreError.outdated))

    def file(self, artefact: Artefact, name: str) -> Path:
        """A path with the bytes of one of an artefact's files.

        Raises StoreError when they are not those that were written; the artefact is then moved away.
        """
        recorded = artefact.provenance.outputs[name]
        path, found = self._digested(artefact.path, name, recorded)
        if found != recorded["sha256"]:
            expected = recorded["sha256"] if len(found) == 64 else f"{recorded['bytes']} bytes"
            raise self._quarantined(artefact.path, f"{name} is {found[:16]}, recorded was {expected[:16]}")
        return path

    @contextlib.contextmanager
    def ahead(self) -> Iterator[None]:
        """Have the artefacts that are expected meanwhile digested by another process, while this one goes on."""
        self._ahead = Ahead(self._digests)
        try:
            yield
        finally:
            self._ahead.close()
            self._ahead = None

    def expect(self, address: Address) -> None:
        """An artefact that will be asked for soon."""
        if self._ahead and isinstance(self._place, Folder):
            # The connections of an object store outlive no fork.
            self._ahead.expect(address.path)

    def shown(self, name: str) -> str:
        """A file or folder of the store as the user should see it."""
        return self._place.shown(name)

    def link(self, name: str) -> str:
        """A file of the store as a URL."""
        shown = self.shown(name)
        return shown if "://" in shown else Path(shown).absolute().as_uri()

    @contextlib.contextmanager
    def staged(self) -> Iterator[Path]:
        """A folder to write an artefact in; gone afterwards, unless `publish` made it visible."""
        folder = self._place.staging()
        try:
            yield folder
        except OSError as error:
            raise StoreError.refused(self.shown(""), error.strerror or str(error)) from error
        finally:
            if os.path.lexists(folder):
                shutil.rmtree(folder, ignore_errors=True)

    def publish(self, staged: Path, address: Address, provenance: Provenance) -> None:
        """Make a staged folder the artefact of an address; `provenance.json` is written last."""
        text = provenance.to_json()
        write_new(staged / PROVENANCE, text.encode())
        if self._index:
            # Before anyone can see it, so that the catalog lacks nothing that exists, whenever this process is killed.
            self._index.note(address.path, provenance, text, _measures(staged) if provenance.template else None)
        if self._place.publish(staged, address.path, provenance.seconds >= _DEAR):
            # These bytes are from this process, which need not read them to know them.
            self._is_intact(Artefact(address.path, provenance))
        elif self._index:
            # Another process made it meanwhile: the row must say what its record says.
            first = self.find(address)
            record = first.provenance if first else provenance
            measures = self.bytes_of(f"{address.path}/{MEASURES}") if record.template else None
            self._index.note(address.path, record, record.to_json(), measures)

    def twin(self, address: Address, provenance: Provenance, accepted: Collection[str] = ()) -> Artefact | None:
        """An intact artefact that the same recipe made from the same bytes, under another version.

        `accepted` are digests of what other recipes name whose results stand for this one's.
        """
        for other in self.versions(address):
            if other.path != address.path and other.provenance.same_recipe(provenance, accepted):
                try:
                    for name in other.provenance.outputs:
                        self.file(other, name)
                except StoreError as error:
                    log.warning("%s", error)
                else:
                    return other
        return None

    def versions(self, address: Address) -> Iterator[Artefact]:
        """Every version of the result at an address."""
        for name in self._place.folders(address.folder):
            if name.startswith(address.prefix) and len(name) == len(address.prefix) + 16:
                artefact = self._found(f"{address.folder}/{name}", None)
                if artefact is not None:
                    yield artefact

    def paths(self) -> Iterator[str]:
        """The folder of every artefact, relative to the store, ascending."""
        return (path for path in self._folders() if self._place.exists(f"{path}/{PROVENANCE}"))

    def at_path(self, path: str) -> Artefact | None:
        """The artefact in a folder of the store."""
        return self._found(path, None)

    def of_task(self, task: str) -> Iterator[Artefact]:
        """Every version of every result of a task that is no report."""
        for date in self._place.folders(task):
            yield from self.versions(Address(task, date, ""))

    def ruin(self, address: Address) -> str | None:
        """What became of an artefact that was at an address, in words, where anything is left of it."""
        name = address.path.removeprefix(f"{address.folder}/")
        damaged = [
            found for found in self._place.folders(f"{DAMAGED}/{address.folder}") if found.startswith(f"{name}-")
        ]
        if damaged:
            return f"its artefact was damaged or outdated, and moved to {self.shown(f'{DAMAGED}/{address.folder}/{damaged[-1]}')}"
        if name in self._place.folders(address.folder) and not self._place.exists(f"{address.path}/{PROVENANCE}"):
            return f"its artefact {self.shown(address.path)} has no {PROVENANCE}"
        return None

    def by_version(self, task: str, date: str, version: str) -> Artefact | None:
        """The artefact of an input, as another artefact's provenance names it."""
        for name in self._place.folders(f"{task}/{date}"):
            if name.endswith(version[:16]):
                return self._found(f"{task}/{date}/{name}", version)
        return None

    def bytes_of(self, name: str) -> bytes | None:
        """The bytes of a file of the store as they are, unchecked; None where it cannot be read."""
        try:
            return self._place.read(name)
        except OSError:
            return None

    def with_bytes(self, task: str, date: str, name: str, sha256: str) -> Artefact | None:
        """An artefact of a result whose file of a name has these bytes, whatever its version."""
        found = self.versions(Address(task, date, ""))
        return next((a for a in found if a.provenance.outputs.get(name, {}).get("sha256") == sha256), None)

    def named(self, version: str) -> list[str]:
        """The folders, relative to the store, of all artefacts whose version begins with these hex digits."""
        return [path for path in self._folders() if path[-16:].startswith(version[:16])]

    def reuse(self, artefact: Artefact, name: str, staged: Path) -> None:
        """Lay one of an artefact's files into a staged folder; the bytes are shared where the file system can."""
        source = self.file(artefact, name)
        try:
            os.link(source, staged / name)
        except OSError:
            shutil.copyfile(source, staged / name)

    def _folders(self) -> Iterator[str]:
        """The folders that artefacts have, relative to the store, ascending."""
        for task in filter(is_of_tasks, self._place.folders("")):
            for date in self._place.folders(task):
                names = filter(is_versioned, self._place.folders(f"{task}/{date}"))
                yield from (f"{task}/{date}/{name}" for name in names)

    def _found(self, path: str, version: str | None) -> Artefact | None:
        try:
            text = self._place.read(f"{path}/{PROVENANCE}")
        except (FileNotFoundError, NotADirectoryError):
            return None
        except PermissionError as error:
            raise StoreError.unusable(self.shown(path), str(error.strerror)) from error
        try:
            provenance = Provenance.from_json(text, self.shown(path))
            if provenance.version[:16] != path[-16:] or (version and version != provenance.version):
                raise ValueError
            if not provenance.outputs.keys() & {TABLE, REPORT}:
                # Every artefact has one of the two: somebody has edited the record.
                raise ValueError
        except ValueError as error:
            log.warning("%s", self._quarantined(path, f"its {PROVENANCE} {fault(error)}"))
            return None
        return Artefact(path, provenance)

    def _digested(self, path: str, name: str, recorded: Mapping[str, Any]) -> tuple[Path, str]:
        """Where the bytes of a file are, and their digest, or how many there are where that is wrong already."""
        try:
            local = self._place.local(f"{path}/{name}", recorded["sha256"])
            size = local.stat().st_size
            if size != recorded["bytes"]:
                return local, f"{size} bytes"
            known = self._ahead.found(path).get(name) if self._ahead else None
            # What is wrong there may have been made again meanwhile.
            return local, recorded["sha256"] if known == recorded["sha256"] else digest_file(local)
        except FileNotFoundError:
            return Path(), "nothing"

    def _digests(self, path: str) -> dict[str, str]:
        """The digests of an artefact's files; nothing where there is anything amiss, which is for others to say."""
        try:
            outputs = Provenance.from_json(self._place.read(f"{path}/{PROVENANCE}"), path).outputs
            return {name: self._digested(path, name, recorded)[1] for name, recorded in outputs.items()}
        except (OSError, ValueError, ParcoursError):
            return {}

    def _quarantined(
        self, path: str, what: str, error: Callable[[str, str, str], StoreError] = StoreError.damaged
    ) -> StoreError:
        target = f"{DAMAGED}/{path}-{datetime.now(UTC):%Y-%m-%dT%H-%M-%S-%f}"
        self._intact.discard(path)
        try:
            self._place.move(path, target)
        except StoreError as refused:
            # It stays where it is, and is refused again whenever it is read.
            return refused
        return error(path, what, self.shown(target))


def _measures(folder: Path) -> bytes | None:
    try:
        return (folder / MEASURES).read_bytes()
    except OSError:
        return None


def described(
    folder: Path, names: Mapping[str, int | None], written: Mapping[str, bytes] | None = None
) -> dict[str, dict[str, object]]:
    """The `outputs` of a provenance: for each file its digest, size and, for tables, rows.

    `written` are the bytes of files that this process just wrote.
    """
    outputs: dict[str, dict[str, object]] = {}
    for name, rows in names.items():
        data = (written or {}).get(name)
        if data is None:
            data = (folder / name).read_bytes()
        outputs[name] = {"sha256": digest_bytes(data), "bytes": len(data), **({} if rows is None else {"rows": rows})}
    return outputs


__all__ = ["Address", "Artefact", "Provenance", "Store", "described"]
