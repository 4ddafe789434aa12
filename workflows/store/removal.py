"""Reports deleted from a store; nothing else ever is."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from workflows.errors import CatalogError, StoreError
from workflows.store.address import FAILED, FAILURE, PROVENANCE, REPORTS
from workflows.store.files import Place
from workflows.store.indexer import Indexer
from workflows.store.listing import Listing

log = logging.getLogger("workflows")

_NAME = r"(?!\.)[^/\\\0]+"
_DATE = r"\d{4}-\d\d-\d\d"
_MADE = re.compile(rf"{REPORTS}/{_DATE}/{_NAME}-[0-9a-f]{{16}}", re.ASCII)
_FAILED = re.compile(rf"{FAILED}/{_NAME}/{_DATE}/\d{{4}}-\d\d-\d\dT\d\d-\d\d-\d\d(?:-\d+)?", re.ASCII)


@dataclass
class Removed:
    """What became of reports that were to be deleted."""

    removed: list[str] = field(default_factory=list)
    """The folders that are gone."""
    refused: dict[str, str] = field(default_factory=dict)
    """The others, each with the reason."""


def remove_reports(place: Place, paths: Iterable[str], index: Indexer | None) -> Removed:
    """Delete reports by their folders, and their rows in the list."""
    found = Removed()
    for path in dict.fromkeys(paths):
        why = _removed(place, path)
        if why:
            found.refused[path] = why
        else:
            found.removed.append(path)
    if index and found.removed:
        try:
            Listing(index).remove(found.removed)
        except CatalogError as error:
            # No list shows what is gone.
            log.warning("%s The reports are deleted.", error)
    return found


def _removed(place: Place, path: str) -> str | None:
    """Why a report was not deleted, if so."""
    if not (_MADE.fullmatch(path) or _FAILED.fullmatch(path)):
        return "it is the folder of no report"
    try:
        # Of one whose deletion was interrupted, files may be left without their record.
        if not place.files(path):
            return "it is not in the store"
        place.remove_folder(path, FAILURE if path.startswith(f"{FAILED}/") else PROVENANCE)
    except (StoreError, OSError, UnicodeError) as error:
        return str(error)
    return None
