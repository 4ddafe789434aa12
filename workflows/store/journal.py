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

Line = tuple[str, str]
"""An artefact's folder, relative to the store, and its record as JSON."""


class Journal:
    """The file of one process.

    Any process may add what is in it to the catalog and remove it, under a lock; its owner then begins another.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._owner = 0
        self._handle = -1
        self.waiting: list[Row] = []
        """What its lines say."""

    def write(self, path: str, record: str, row: Row) -> None:
        """Keep a row, as the record that it is made from: it outlasts this process, not a loss of power."""
        if self._owner != os.getpid():
            # What the process above has written is its own affair.
            self._owner, self._handle, self.waiting = os.getpid(), -1, []
        data = f"{json.dumps((path, record))}\n".encode()
        if not self._appended(data):
            self._begin()
            self._appended(data)
        self.waiting.append(row)

    def settle(self, add: Callable[[list[Row]], None]) -> None:
        """Have what waits added, and be empty, whether that went well or not: then the next question adds it."""
        if self._owner != os.getpid() or not self.waiting:
            return
        rows, self.waiting = self.waiting, []
        handle, self._handle = self._handle, -1
        try:
            with _locked(handle) as is_there:
                if is_there:
                    add(rows)
                    os.ftruncate(handle, 0)
                    self._handle, handle = handle, -1
        finally:
            if handle >= 0:
                os.close(handle)

    def close(self) -> None:
        """Remove the file, where nothing waits in it."""
        if self._owner == os.getpid() and self._handle >= 0:
            if not self.waiting:
                self._path.unlink(missing_ok=True)
            os.close(self._handle)
            self._handle = -1

    def _begin(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
        self.waiting = []
        self._folder.mkdir(parents=True, exist_ok=True)
        self._path = self._folder / f"{uuid.uuid4().hex}{ENDING}"
        self._handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)

    def _appended(self, data: bytes) -> bool:
        with _locked(self._handle) as is_there:
            if is_there:
                left = memoryview(data)
                while left:
                    left = left[os.write(self._handle, left) :]
        return is_there


def take(path: Path, add: Callable[[list[Line]], None]) -> None:
    """Have what any process wrote into a file added, and remove it."""
    with contextlib.suppress(FileNotFoundError), path.open("rb") as file, _locked(file.fileno()) as is_there:
        if is_there:
            add(list(_lines(file.read())))
            path.unlink()


def _lines(data: bytes) -> Iterator[Line]:
    for text in data.splitlines():
        # A loss of power may leave half a line.
        with contextlib.suppress(ValueError, TypeError):
            path, record = json.loads(text)
            yield path, record


@contextlib.contextmanager
def _locked(handle: int) -> Iterator[bool]:
    """Keep others from an open file; whether it still has a name."""
    if handle < 0:
        yield False
        return
    fcntl.flock(handle, fcntl.LOCK_EX)
    try:
        yield os.fstat(handle).st_nlink > 0
    finally:
        fcntl.flock(handle, fcntl.LOCK_UN)
