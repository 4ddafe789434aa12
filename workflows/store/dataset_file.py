"""The one file that a dataset is exported to: a ZIP archive of its files, as they are, with fixed times."""

from __future__ import annotations

import contextlib
import os
import uuid
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from workflows.errors import DatasetError, PathError
from workflows.identity.canonical import digest_bytes
from workflows.store.dataset import RECORD, Dataset, Description, description_of

_LARGEST_RECORD = 1 << 28
"""Bytes beyond which a record is none: it is read whole."""


def write(dataset: Dataset, file: Path) -> None:
    """Write a dataset to a file, beside it first; raises PathError where something else is, or nothing can be written."""
    if os.path.lexists(file) and not _holds(file, dataset):
        raise PathError.not_writable(str(file), "exists, and is something else")
    beside = file.with_name(f".{file.name}-{uuid.uuid4().hex[:8]}")
    try:
        try:
            with zipfile.ZipFile(beside, "x", zipfile.ZIP_STORED) as archive:
                for name, data in dataset.files():
                    archive.writestr(_entry(name), data)
            beside.replace(file)
        finally:
            beside.unlink(missing_ok=True)
    except OSError as error:
        raise PathError.not_writable(str(file), f"cannot be written ({error.strerror or error})") from error


@dataclass(frozen=True)
class Held:
    """What a file holds."""

    file: Path
    description: Description
    _archive: zipfile.ZipFile

    def files(self) -> Iterator[tuple[str, bytes]]:
        """The files but the record, each checked before it is given; raises DatasetError."""
        for answer in self.description.kept():
            name = str(answer.file)
            if self._archive.getinfo(name).file_size != answer.bytes:
                raise DatasetError.not_one(str(self.file), f"is damaged: {name} in it has another size than recorded")
            data = _read(self._archive, name, self.file)
            found = digest_bytes(data)
            if found != answer.sha256:
                why = f"is damaged: {name} in it is {found[:16]}, recorded was {answer.sha256[:16]}"
                raise DatasetError.not_one(str(self.file), why)
            yield name, data


@contextlib.contextmanager
def opened(file: Path) -> Iterator[Held]:
    """A file that holds a dataset, with just the files that its record names; raises DatasetError."""
    try:
        archive = zipfile.ZipFile(file)
    except FileNotFoundError as error:
        raise DatasetError.not_one(str(file), "does not exist") from error
    except OSError as error:
        raise DatasetError.not_one(str(file), f"cannot be read ({error.strerror or error})") from error
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise DatasetError.not_one(str(file), "holds no dataset, or is cut short") from error
    with archive:
        names = archive.namelist()
        if RECORD not in names or archive.getinfo(RECORD).file_size > _LARGEST_RECORD:
            raise DatasetError.not_one(str(file), f"holds no {RECORD}")
        try:
            description = description_of(_read(archive, RECORD, file))
        except ValueError as error:
            raise DatasetError.not_one(str(file), f"holds a {RECORD} that {error}") from error
        expected = sorted([RECORD, *(str(answer.file) for answer in description.kept())])
        if sorted(names) != expected:
            other = sorted(set(names) ^ set(expected)) or names
            raise DatasetError.not_one(str(file), f"is damaged: its files are not those that it names ({other[0]})")
        yield Held(file, description, archive)


def _read(archive: zipfile.ZipFile, name: str, file: Path) -> bytes:
    try:
        return archive.read(name)
    except (OSError, EOFError, RuntimeError, NotImplementedError, zipfile.BadZipFile, zlib.error) as error:
        raise DatasetError.not_one(str(file), f"is damaged: {name} in it cannot be read") from error


def _holds(file: Path, dataset: Dataset) -> bool:
    with contextlib.suppress(DatasetError), opened(file) as held:
        return held.description.digest == dataset.digest
    return False


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    # As on Linux, wherever it is written; readable by all.
    entry.create_system, entry.external_attr = 3, 0o644 << 16
    return entry
