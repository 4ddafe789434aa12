"""Rows that wait to be added to the catalog together, in a file of the store, where they outlast this process."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

from workflows.store.catalog import Row

ENDING = ".rows"

Line = tuple[str, str, str | None]
"""The folder of an artefact or failed report, relative to the store, its record as JSON, and of reports their measures.json."""


class Journal:
    """The file of one process, open only while it is written.

    Any process may add what is in it to the catalog and remove it, under a lock; its owner then begins another.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._owner = 0
        self._path = folder
        self.waiting: list[Row] = []
        """What its lines say."""

    def write(self, line: Line, row: Row) -> None:
        """Keep a row, as the record that it is made from: it outlasts this process, not a loss of power."""
        if self._owner != os.getpid():
            # What the process above has written is its own affair.
            self._owner, self._path, self.waiting = os.getpid(), self._folder / f"{uuid.uuid4().hex}{ENDING}", []
        while not self._appended(line_of(*line)):
            pass
        self.waiting.append(row)

    def settle(self, add: Callable[[list[Row]], None]) -> None:
        """Have what waits added, and the file removed; where that does not go well, the next question adds it."""
        if self._owner != os.getpid() or not self.waiting:
            return
        rows, self.waiting = self.waiting, []
        try:
            with (
                contextlib.suppress(FileNotFoundError),
                self._path.open("rb") as file,
                _locked(file.fileno()) as is_there,
            ):
                if is_there:
                    add(rows)
                    self._path.unlink()
        finally:
            # What is left of it is no longer this process's.
            self._owner = 0

    def _appended(self, data: bytes) -> bool:
        """Write to the file; not where another process removes it at this moment."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with self._path.open("ab", buffering=0) as file, _locked(file.fileno()) as is_there:
            if is_there:
                if not file.tell():
                    # Others have added what was in it.
                    self.waiting = []
                left = memoryview(data)
                while left:
                    left = left[file.write(left) :]
        return is_there


def line_of(path: str, record: str, measures: str | None) -> bytes:
    """What is kept of a row."""
    return f"{json.dumps((path, record, measures))}\n".encode()


def take(path: Path, add: Callable[[list[Line]], None]) -> None:
    """Have what any process wrote into a file added, and remove it."""
    with contextlib.suppress(FileNotFoundError), path.open("rb") as file, _locked(file.fileno()) as is_there:
        if is_there:
            add(list(lines_in(file.read())))
            path.unlink()


def lines_in(data: bytes) -> Iterator[Line]:
    """What was kept of rows."""
    for text in data.splitlines():
        # A loss of power may leave half a line.
        with contextlib.suppress(ValueError, TypeError):
            path, record, measures = json.loads(text)
            yield path, record, measures


@contextlib.contextmanager
def _locked(handle: int) -> Iterator[bool]:
    """Keep others from an open file; whether it still has a name."""
    fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        yield os.fstat(handle).st_nlink > 0
    finally:
        fcntl.flock(handle, fcntl.LOCK_UN)
