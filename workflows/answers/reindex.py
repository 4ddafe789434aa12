"""The catalog filled from the store."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from workflows.answers.found import store
from workflows.answers.walk import watched
from workflows.store.indexer import Reindexed


@dataclass(frozen=True)
class Filled:
    """A catalog that knows its store."""

    catalog: str
    """Where the catalog is."""
    store: str
    """Where the store is."""
    found: Reindexed
    seconds: float
    """How long it took."""

    @property
    def exit_code(self) -> int:
        """0: what can be read has its row."""
        return 0

    def lines(self) -> list[str]:
        """How many results there are, and what was left out."""
        aside = [f"The damaged catalog is now {self.found.aside}."] if self.found.aside else []
        number = self.found.artefacts
        results = f"{number:,} result{'' if number == 1 else 's'}"
        lines = [*aside, f"The catalog {self.catalog} has {results} of {self.store}, read in {self.seconds:.1f} s."]
        if self.found.skipped:
            lines.append(f"Left out, because it cannot be read: {len(self.found.skipped):,}")
        return [*lines, *(f"  {path}: {why}" for path, why in self.found.skipped.items())]

    def as_json(self) -> dict[str, Any]:
        """The same for a program."""
        return {
            "catalog": self.catalog,
            "store": self.store,
            "results": self.found.artefacts,
            "skipped": self.found.skipped,
            "damaged": self.found.aside,
            "seconds": round(self.seconds, 3),
        }


def reindex() -> Filled:
    """Fill the catalog from the store, whatever it held; raises CatalogError where it cannot be written."""
    opened = store()
    began = time.monotonic()
    with watched() as progress:
        found = opened.index.reindex(progress)
    return Filled(opened.index.catalog.place, opened.shown("").rstrip("/"), found, time.monotonic() - began)
