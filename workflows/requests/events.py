"""What happened to a request, as it happened: a file of lines that are only added, beside its log and its growing page."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

from workflows.requests.request import now

EVENTS = "events.jsonl"
LOG = "log.txt"
"""Everything that the run wrote."""
GROWING = "growing.html"
"""The report as it grows, moved into place."""
KINDS = ("state", "plan", "task", "step", "growing")
_AT_ONCE = 1_000_000
"""How many bytes of events are read at once; a line that is longer is nobody's, and is left out."""
MOST_LOG = 20_000_000
"""How many bytes of a log are kept before it is cut."""
_BEGINNING = 10_000_000


class Events:
    """The events of one request, in its folder. Several processes write and read them at once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def tell(self, kind: str, **values: object) -> None:
        """Add an event of a kind of KINDS; it is there, whole, when this returns."""
        line = json.dumps({"kind": kind, "time": now(), **values}) + "\n"
        path = self.folder / EVENTS
        try:
            file = path.open("ab", buffering=0)
        except FileNotFoundError:
            # Those above would be for everybody to look into.
            self.folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.folder.mkdir(mode=0o700, exist_ok=True)
            file = path.open("ab", buffering=0)
        with file:
            # In one piece, so that lines of several processes never mix.
            file.write(line.encode())

    def after(self, offset: int) -> tuple[list[dict[str, Any]], int]:
        """The events from an offset in bytes on, and the offset after them; a line that is being written is left for later."""
        try:
            with (self.folder / EVENTS).open("rb") as file:
                file.seek(max(offset, 0))
                read = file.read(_AT_ONCE)
                found, end, _ = read.rpartition(b"\n")
        except FileNotFoundError:
            return [], 0
        if not end and len(read) == _AT_ONCE:
            return [], max(offset, 0) + len(read)
        events = [event for line in found.splitlines() if (event := _event(line)) is not None]
        return events, max(offset, 0) + len(found) + len(end)

    def curb(self) -> None:
        """Cut the log of a run that says far too much: its beginning stays, and what comes from here on."""
        with contextlib.suppress(OSError):
            if self.log.stat().st_size > MOST_LOG:
                os.truncate(self.log, _BEGINNING)
                with self.log.open("ab", buffering=0) as file:
                    file.write(
                        f"\n\n... the log was longer than {MOST_LOG:,} bytes; its middle is left out ...\n\n".encode()
                    )

    @property
    def log(self) -> Path:
        """Everything that the run wrote."""
        return self.folder / LOG

    @property
    def growing(self) -> Path:
        """The report as it grows."""
        return self.folder / GROWING


def _event(line: bytes) -> dict[str, Any] | None:
    """An event; None for what a process that was killed, or a disk that was full, left of one."""
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) and isinstance(found.get("kind"), str) else None
