"""Failures: what is left of reports that failed, for people to read."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import chain, count
from pathlib import Path

from workflows.errors import StoreError
from workflows.store.address import FAILED, FAILURE
from workflows.store.files import Place
from workflows.store.indexer import Indexer
from workflows.store.provenance import Provenance


class Failures:
    """The failed reports of one store; each that has its record has a row in the catalog, where there is one."""

    def __init__(self, place: Place, index: Indexer | None = None) -> None:
        self._place = place
        self._index = index

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
            self._note(name, _text(staged))
            # Another process may take a name between the look and the move.
            if self._place.publish(staged, name, record=FAILURE):
                return True
            self._note(name, self._text_of(name))
            return False

        return next(filter(is_kept, (f"{folder}/{spelling}" for spelling in spellings if spelling not in earlier)))

    def _note(self, name: str, text: str | None) -> None:
        if self._index and text:
            with contextlib.suppress(ValueError, StoreError):
                self._index.note(name, Provenance.from_json(text, name), text)

    def _text_of(self, name: str) -> str | None:
        try:
            return self._place.read(f"{name}/{FAILURE}").decode()
        except (OSError, ValueError):
            return None


def _text(staged: Path) -> str | None:
    try:
        return (staged / FAILURE).read_text(encoding="utf-8")
    except OSError:
        return None
