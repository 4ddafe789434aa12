"""Observations: what runs of a task have shown, kept for every later plan."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from workflows.identity.canonical import canonical_json
from workflows.store.address import OBSERVED
from workflows.store.files import Place


class Observations:
    """The observations of one store."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def dates(self, task: str) -> list[str]:
        """The dates for which it is known what runs of a task have shown."""
        return self._place.folders(f"{OBSERVED}/{task}")

    def has(self, task: str, date: str) -> bool:
        """Whether anything is known for a date of a task."""
        return bool(self._place.files(f"{OBSERVED}/{task}/{date}"))

    def read(self, task: str, date: str, key: str) -> Any:
        """What runs have shown under a key, if anything is known."""
        try:
            return json.loads(self._place.read(_name(task, date, key)))
        except (OSError, ValueError):
            return None

    def keep(self, task: str, date: str, key: str, record: Mapping[str, Any]) -> None:
        """Keep what runs have shown under a key."""
        self._place.put(_name(task, date, key), canonical_json(record).encode("utf-8", "surrogatepass"))


def _name(task: str, date: str, key: str) -> str:
    return f"{OBSERVED}/{task}/{date}/{key}.json"
