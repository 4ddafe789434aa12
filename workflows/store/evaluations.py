"""Evaluations: what runs of commits found and how they were judged, by suite and commit; records and pages, no artefacts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from workflows.store.address import EVALUATIONS
from workflows.store.files import Place

RUN = "run.json"
EVALUATION = "evaluation.json"
PAGE = "evaluation.html"


class Evaluations:
    """The evaluations of one store: `evaluations/<suite>/<state>/`, where a state is a commit, or one with uncommitted work."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def suites(self) -> list[str]:
        """The suites that something was run through."""
        return self._place.folders(EVALUATIONS)

    def states(self, suite: str) -> list[str]:
        """The commits, and commits with uncommitted work, that were run through a suite."""
        return self._place.folders(f"{EVALUATIONS}/{suite}")

    def record(self, suite: str, state: str, name: str) -> dict[str, Any] | None:
        """A run or an evaluation as it was stored; None where there is none, or it cannot be read."""
        try:
            found = json.loads(self._place.read(f"{EVALUATIONS}/{suite}/{state}/{name}"))
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) else None

    def records(self, suite: str, name: str) -> Iterator[dict[str, Any]]:
        """All runs or all evaluations of a suite."""
        for state in self.states(suite):
            found = self.record(suite, state, name)
            if found is not None:
                yield found

    def put(self, suite: str, state: str, files: Mapping[str, bytes]) -> None:
        """Store files of a run or an evaluation, in this order, each in one piece; those of the same name are replaced."""
        for name, data in files.items():
            self._place.put(f"{EVALUATIONS}/{suite}/{state}/{name}", data)

    def put_beside(self, name: str, data: bytes) -> None:
        """Store a file about all evaluations, beside them, in one piece; one of the same name is replaced."""
        self._place.put(f"{EVALUATIONS}/{name}", data)

    def read_beside(self, name: str) -> bytes | None:
        """A file about all evaluations; None where there is none."""
        try:
            return self._place.read(f"{EVALUATIONS}/{name}")
        except OSError:
            return None

    def read(self, suite: str, state: str, name: str) -> bytes | None:
        """A file of a run or an evaluation; None where there is none."""
        try:
            return self._place.read(f"{EVALUATIONS}/{suite}/{state}/{name}")
        except OSError:
            return None

    def shown(self, suite: str, state: str, name: str) -> str:
        """A file as the user should see it."""
        return self._place.shown(f"{EVALUATIONS}/{suite}/{state}/{name}")
