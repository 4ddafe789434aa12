"""Code: copies of the code that makes results, definition by definition and file by file, as it was loaded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from workflows.identity.canonical import canonical_json, digest_bytes
from workflows.store.address import CODE, SOURCES
from workflows.store.files import Place


class CodeCopies:
    """The code copies of one store."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._kept: set[str] = set()

    def keep(self, record: Mapping[str, Any], sources: Mapping[str, bytes]) -> None:
        """Keep a copy of the code that makes a result: its record under its digest, each file under its own."""
        digest = record["digest"]
        if digest in self._kept:
            return
        if not self._place.exists(f"{CODE}/{digest}.json"):
            for name, data in sources.items():
                place = f"{SOURCES}/{record['sources'][name]}"
                if not self._place.exists(place):
                    self._place.put(place, data)
            self._place.put(f"{CODE}/{digest}.json", canonical_json(record).encode("utf-8", "surrogatepass"))
        self._kept.add(digest)

    def record(self, digest: str) -> dict[str, Any] | None:
        """The record of the code with a digest, if the store has it: `files`, `definitions`, `sources`, `undecided`."""
        try:
            found = json.loads(self._place.read(f"{CODE}/{digest}.json"))
        except (OSError, ValueError):
            return None
        return found if isinstance(found, dict) and found.get("digest") == digest else None

    def source(self, sha256: str) -> bytes | None:
        """The bytes of a file of code as it was loaded, if the store has them undamaged."""
        try:
            data = self._place.read(f"{SOURCES}/{sha256}")
        except OSError:
            return None
        return data if digest_bytes(data) == sha256 else None
