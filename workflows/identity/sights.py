"""What was seen of a run: one sight for each thing that it did, also where several processes look on."""

from __future__ import annotations

import contextlib
import json
import os
import stat
from pathlib import Path
from typing import Literal, NamedTuple

Kind = Literal["file", "folder", "look", "module", "call", "import", "load", "write"]
CELLS = "<cells>"
"""Who does what the cells of a notebook do."""


class Sight(NamedTuple):
    """One thing that a run did."""

    kind: Kind
    """'look' is a question whether there is a file; 'import' is one by a statement, 'call' one by a function that the project calls,
    'module' one by anybody else,
    'load' the reading of a module's file by either."""
    label: str
    """The file or folder."""
    by: str
    """The module at whose import it happened, or '' for none; of an 'import' or 'call', the file that holds it."""
    what: str = ""
    """The module's name; of a file or folder, its state at that moment."""


class Recording:
    """What is seen between two moments, each thing once, in order.

    What processes forked from this one see is handed over through a file.
    """

    def __init__(self, spool: Path, owner: int | None = None) -> None:
        self._spool = spool
        self._owner = owner
        self._sights: dict[Sight, None] = {}

    def add(self, sight: Sight) -> None:
        """Keep a sight."""
        if sight in self._sights:
            return
        self._sights[sight] = None
        if os.getpid() != self._owner:
            with self._spool.open("a", encoding="utf-8", errors="surrogatepass") as file:
                file.write(json.dumps(sight) + "\n")

    @property
    def sights(self) -> list[Sight]:
        """Everything seen so far."""
        return list(self._sights)

    def close(self) -> None:
        """Take over what forked processes have seen."""
        # Path.exists() takes as long as what a small task does.
        if os.path.lexists(self._spool):
            self._sights.update(dict.fromkeys(spooled(self._spool)))
            self._spool.unlink()


def spooled(spool: Path) -> list[Sight]:
    """What other processes have seen."""
    try:
        lines = spool.read_text(encoding="utf-8", errors="surrogatepass").splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        # A process that was killed may have left half a line.
        with contextlib.suppress(ValueError, TypeError):
            found.append(Sight(*json.loads(line)))
    return found


def state_of(path: str | os.PathLike[str]) -> str:
    """What tells a file or a folder from what it is once it was changed; cheaper than its bytes, for one run."""
    try:
        found = Path(path).stat()
    except OSError:
        return "absent"
    if stat.S_ISDIR(found.st_mode):
        return f"folder {found.st_mtime_ns}"
    return f"{found.st_size} {found.st_mtime_ns} {found.st_ctime_ns} {found.st_ino}"
