"""The datasets of one store: frozen, named inputs for evaluation that never change."""

from __future__ import annotations

import contextlib
import os
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from workflows.errors import DamagedDataset, DatasetError, StoreError
from workflows.identity.canonical import digest_bytes
from workflows.store.address import DAMAGED, DATASETS
from workflows.store.dataset import RECORD, Dataset, Description, folder, is_name
from workflows.store.files import Place, write_new

ENDING = ".parcours"
"""How the one file ends that a dataset is exported to."""


@dataclass(frozen=True)
class Draft:
    """A dataset that is being made, unseen by readers."""

    folder: Path

    def write(self, name: str, data: bytes) -> str:
        """Add a file; its digest."""
        write_new(self.folder / name, data)
        return digest_bytes(data)


class Datasets:
    """The datasets of one store: `datasets/<name>/`, with tables and `dataset.json`, which is written last."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def names(self) -> list[str]:
        """The names of the datasets, ascending; those that are damaged too."""
        return [name for name in self._place.folders(DATASETS) if is_name(name) and self._exists(name)]

    def find(self, name: str) -> Dataset:
        """The dataset of a name; raises DatasetError where there is none, DamagedDataset where it cannot be relied on."""
        if not self._exists(name):
            raise DatasetError.missing(name, self.names())
        return Dataset(self._place, name)

    def refuse_taken(self, name: str) -> None:
        """Raises DatasetError for a name that a dataset has, or that none can have."""
        if self._exists(name):
            raise DatasetError.exists(name)

    @contextlib.contextmanager
    def drafting(self) -> Iterator[Draft]:
        """A draft to write files to; gone afterwards, unless `add` made it visible."""
        staged = self._place.staging()
        try:
            yield Draft(staged)
        except OSError as error:
            raise StoreError.refused(self._place.shown(""), error.strerror or str(error)) from error
        finally:
            if os.path.lexists(staged):
                shutil.rmtree(staged, ignore_errors=True)

    def add(self, draft: Draft, description: Description) -> Dataset:
        """Make a draft the dataset of its name; raises DatasetError where there is one."""
        write_new(draft.folder / RECORD, description.as_bytes())
        if not self._place.publish(draft.folder, folder(description.name), record=RECORD):
            raise DatasetError.exists(description.name)
        return self.find(description.name)

    def export(self, name: str, file: Path) -> Dataset:
        """Write a dataset to one file, the same bytes each time; raises PathError for one that holds something else."""
        from workflows.store import dataset_file

        found = self.find(name)
        dataset_file.write(found, file)
        return found

    def import_(self, file: Path) -> tuple[Dataset, bool]:
        """The dataset in a file, once all of it is checked and in the store; and whether it was not there before.

        A damaged one of the same name is moved away first. Raises DatasetError, and then nothing has changed.
        """
        # Not for those who only read: archives are another module at every start.
        from workflows.store import dataset_file

        with dataset_file.opened(file) as held:
            description = held.description
            if self._exists(description.name) and self._same(description, file):
                return self.find(description.name), False
            with self.drafting() as draft:
                for name, data in held.files():
                    draft.write(name, data)
                self._set_aside(description.name)
                return self.add(draft, description), True

    def opened(self, name: str, shipped: Path) -> Dataset:
        """The dataset of a name, brought in from a folder of exported ones where the store lacks it; raises DatasetError."""
        file = shipped / f"{name}{ENDING}"
        if not self._exists(name) and file.is_file():
            found, _ = self.import_(file)
            if found.name != name:
                raise DatasetError.not_one(str(file), f"holds the dataset '{found.name}'")
        return self.find(name)

    def _exists(self, name: str) -> bool:
        return self._place.exists(f"{folder(name)}/{RECORD}")

    def _same(self, description: Description, file: Path) -> bool:
        """Whether the store has this very dataset intact; raises DatasetError where it has another of its name."""
        try:
            kept = self.find(description.name)
        except DamagedDataset:
            return False
        if kept.digest != description.digest:
            raise DatasetError.other(str(file), description.name, description.digest, kept.digest)
        with contextlib.suppress(DamagedDataset):
            return all(data is not None for _, data in kept.files())
        return False

    def _set_aside(self, name: str) -> None:
        """Move what is left of a damaged dataset away."""
        if self._exists(name):
            self._place.move(folder(name), f"{DAMAGED}/{folder(name)}-{uuid.uuid4().hex[:8]}")
