"""Failures: what is left of reports that failed, for people to read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import chain, count
from pathlib import Path

from workflows.store.address import FAILED
from workflows.store.files import Place


class Failures:
    """The failed reports of one store."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def keep(
        self, staged: Path, template: str, date: str, time: datetime, finish: Callable[[str], None] = lambda _: None
    ) -> str:
        """Keep what a failed report left; returns its folder, relative to the store.

        `finish` is told the folder before it is visible, for what names it.
        """
        folder = f"{FAILED}/{template}/{date}"
        moment = f"{time.astimezone(UTC):%Y-%m-%dT%H-%M-%S}"
        earlier = set(self._place.folders(folder))
        spellings = chain([moment], (f"{moment}-{n}" for n in count(2)))

        def is_kept(name: str) -> bool:
            finish(name)
            # Another process may take a name between the look and the move.
            return self._place.publish(staged, name)

        return next(filter(is_kept, (f"{folder}/{spelling}" for spelling in spellings if spelling not in earlier)))
