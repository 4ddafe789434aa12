"""What was digested before, kept between processes: a look-up that can be deleted at any time."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
from collections.abc import Collection
from pathlib import Path
from typing import Any

from workflows.identity.canonical import digest_bytes
from workflows.release import VERSION

FORMAT = 5
"""The shape and the meaning of what is kept: entries of another are dropped."""
PYTHON = sys.implementation.cache_tag or sys.version


class Memo:
    """A named table of JSON values under text keys, in one file that is replaced whole.

    A key must name everything its value depends on, so an entry is true or absent, never stale. `state`, where given,
    is such a thing that all entries share, as are the release, which may digest otherwise, and the Python, which may parse
    otherwise: entries of another state are dropped.
    """

    def __init__(self, folder: Path, name: str, state: str = "") -> None:
        self._path = folder / f"{name}.json"
        self._state = f"{FORMAT} {VERSION} {PYTHON} {state}"
        self._entries: dict[str, Any] | None = None
        self._changed = False

    def get(self, key: str) -> Any:
        """The value under a key, or None."""
        return self._load().get(key)

    def put(self, key: str, value: Any) -> None:
        """Remember a value; `save` writes it."""
        self._load()[key] = value
        self._changed = True

    def keep(self, keys: Collection[str]) -> None:
        """Forget what is under other keys."""
        entries = self._load()
        for key in entries.keys() - set(keys):
            del entries[key]
            self._changed = True

    def save(self) -> None:
        """Write what is new. A folder that cannot be written costs time later, nothing else."""
        if not self._changed:
            return
        with contextlib.suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            handle, beside = tempfile.mkstemp(dir=self._path.parent, prefix=f".{self._path.name}-")
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(self._sealed(json.dumps(self._load()).encode()))
                Path(beside).replace(self._path)
            except BaseException:
                Path(beside).unlink(missing_ok=True)
                raise
        self._changed = False

    def _load(self) -> dict[str, Any]:
        if self._entries is None:
            self._entries = {}
            with contextlib.suppress(OSError):
                stored = self._path.read_bytes()
                entries = stored.partition(b"\n")[2]
                # What was edited or damaged is as if it were not there.
                if stored == self._sealed(entries):
                    self._entries = dict(json.loads(entries))
        return self._entries

    def _sealed(self, entries: bytes) -> bytes:
        """The file's bytes: a line with the state and a digest of all that follows, then the entries."""
        return f"{json.dumps([self._state, digest_bytes(entries)])}\n".encode() + entries
