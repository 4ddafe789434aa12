"""The datasets of the store: what each has, and one file of each to carry elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workflows import settings
from workflows.answers.found import store
from workflows.errors import DatasetError, listed_ranges
from workflows.store.dataset import Dataset
from workflows.tasks.project import SHIPPED


@dataclass(frozen=True)
class Listed:
    """One dataset of a list."""

    name: str
    dataset: Dataset | None
    """None where it is damaged."""
    error: str | None = None
    """What is wrong with it, if anything is."""

    def lines(self) -> list[str]:
        """The dataset for people."""
        if self.dataset is None:
            return [f"{self.name}   {self.error}"]
        found = self.dataset.description
        lines = [f"{self.name}   {found.rows:,} rows, {sized(found.size)}, frozen {found.frozen[:16]} by {found.user}"]
        lines += [f"  {query}: {_dated(found.dates(query))}" for query in found.queries]
        return [*lines, *([f"  note: {found.note}"] if found.note else [])]

    def as_json(self) -> dict[str, Any]:
        """The dataset for a program."""
        if self.dataset is None:
            return {"name": self.name, "error": self.error}
        found = self.dataset.description
        return {
            "name": self.name,
            "digest": self.dataset.digest,
            "path": self.dataset.shown,
            "queries": {query: found.dates(query) for query in found.queries},
            "rows": found.rows,
            "bytes": found.size,
            "note": found.note,
            "frozen": found.frozen,
            "user": found.user,
            "host": found.host,
            "database": found.database,
            "commit": found.commit,
        }


@dataclass(frozen=True)
class Datasets:
    """The datasets of the store."""

    found: Sequence[Listed]
    store: str

    @property
    def exit_code(self) -> int:
        """1 where one is damaged."""
        return 1 if any(one.error for one in self.found) else 0

    def lines(self) -> list[str]:
        """Some lines for each."""
        none = [f"The store {self.store} has no datasets; `parcours freeze` makes one."]
        return [line for one in self.found for line in one.lines()] or none

    def as_json(self) -> list[dict[str, Any]]:
        """One object for each."""
        return [one.as_json() for one in self.found]


@dataclass(frozen=True)
class Carried:
    """A dataset that was exported or imported."""

    dataset: Dataset
    sentence: str

    @property
    def exit_code(self) -> int:
        """0: it is there."""
        return 0

    def lines(self) -> list[str]:
        """What was done, and what the dataset has."""
        return [self.sentence, *Listed(self.dataset.name, self.dataset).lines()]

    def as_json(self) -> dict[str, Any]:
        """The dataset for a program."""
        return Listed(self.dataset.name, self.dataset).as_json()


def datasets() -> Datasets:
    """The datasets of the store; what is wrong with one is in the list."""
    return Datasets([_listed(name) for name in store().datasets.names()], store().shown("").rstrip("/"))


def export(name: str, file: Path) -> Carried:
    """Write a dataset to one file; raises DatasetError or PathError."""
    return Carried(store().datasets.export(name, file), f"written to {file}")


def import_(file: Path) -> Carried:
    """Bring the dataset in a file into the store; raises DatasetError."""
    found, is_new = store().datasets.import_(file)
    said = "brought into the store" if is_new else "is in the store already, the same"
    return Carried(found, f"{found.name} {said}: {found.shown}")


def opened(name: str) -> Dataset:
    """The dataset of a name, also one that the project ships and the store lacks as yet; raises DatasetError."""
    return store().datasets.opened(name, settings.load().templates / SHIPPED)


def dataset() -> Dataset:
    """The dataset that stands for the database, by the settings; raises DatasetError."""
    return opened(settings.load().dataset or "")


def sized(size: int) -> str:
    """A number of bytes for people."""
    return f"{size / 1e6:.1f} MB" if size >= 1e5 else f"{size / 1e3:.1f} kB"


def _listed(name: str) -> Listed:
    try:
        return Listed(name, store().datasets.find(name))
    except DatasetError as error:
        return Listed(name, None, str(error))


def _dated(dates: Sequence[str]) -> str:
    return listed_ranges(dates) if dates else "of no date"
