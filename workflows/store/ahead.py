"""Files digested beside this process, while it still works out which of them it will ask for."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import signal
import warnings
from collections.abc import Callable, Iterator
from typing import Any

# Fewer are digested sooner than another process is there to do it.
_WORTH_IT = 32

Digests = dict[str, str]
"""The digest of each file of an artefact, by name."""


class Ahead:
    """A forked process that digests the files of artefacts, given by path, in the order in which they are expected.

    A thread would not do: each time it comes back from a file, it waits for its turn to run Python. The process ends with
    this object, with its owner, or when it has told what it found. Where there is no fork, or it fails, nothing is known.
    """

    def __init__(self, digest: Callable[[str], Digests]) -> None:
        self._digest = digest
        self._waiting: list[str] = []
        self._expected: set[str] = set()
        self._process = 0
        self._requests: Any = None
        self._answers: Any = None
        self._found: dict[str, Digests] | None = None

    def expect(self, path: str) -> None:
        """An artefact whose digests will be asked for."""
        if self._found is not None or not hasattr(os, "fork"):
            return
        self._expected.add(path)
        self._waiting.append(path)
        if len(self._waiting) >= _WORTH_IT:
            if not self._process:
                self._begin()
            self._request()

    def _begin(self) -> None:
        try:
            self._fork()
        except OSError:
            # No process or no file more can be had here.
            self._found = {}

    def _request(self) -> None:
        if self._process:
            # One that has died answers nothing, and this process digests for itself.
            with contextlib.suppress(OSError):
                self._requests.write("".join(f"{json.dumps(waiting)}\n" for waiting in self._waiting))
                self._requests.flush()
        self._waiting.clear()

    def found(self, path: str) -> Digests:
        """The digests of an artefact's files, as far as they are known; nothing can be expected after the first question."""
        if path not in self._expected:
            return {}
        if self._found is None:
            self._found = self._told()
        return self._found.get(path, {})

    def close(self) -> None:
        """End the process."""
        if self._process:
            for stream in filter(None, (self._requests, self._answers)):
                with contextlib.suppress(OSError):
                    stream.close()
            with contextlib.suppress(ProcessLookupError, ChildProcessError):
                # It may have much to do yet, or stand still.
                os.kill(self._process, signal.SIGKILL)
                os.waitpid(self._process, 0)
            self._process = 0

    def _told(self) -> dict[str, Digests]:
        if not self._process:
            return {}
        with contextlib.suppress(OSError, ValueError):
            self._requests.close()
            told: dict[str, Digests] = json.loads(self._answers.read())
            return told
        return {}

    def _fork(self) -> None:
        with _uninterrupted(), contextlib.ExitStack() as opened:
            (asked, ask), (answered, answer) = _pipe(opened), _pipe(opened)
            self._process = _forked()
            if self._process == 0:
                self._serve(asked, answer, {ask, answered})
            opened.pop_all()
        os.close(asked)
        os.close(answer)
        self._requests, self._answers = os.fdopen(ask, "w", encoding="utf-8"), os.fdopen(answered, "rb")

    def _serve(self, asked: int, answer: int, others: set[int]) -> None:
        """What the forked process does; it never returns, and leaves what it inherited alone."""
        try:
            # To look through what it inherited would be to copy it, and to end any of it to meddle.
            gc.freeze()
            for other in others:
                os.close(other)
            with os.fdopen(asked, encoding="utf-8") as requests:
                found = {path: self._digest(path) for path in map(json.loads, requests)}
            with os.fdopen(answer, "wb") as answers:
                answers.write(json.dumps(found).encode())
        finally:
            os._exit(0)


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Have Ctrl-C wait: within a fork, Python would lose it. The new process leaves it to this one, which ends it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _pipe(opened: contextlib.ExitStack) -> tuple[int, int]:
    ends = os.pipe()
    for end in ends:
        opened.callback(os.close, end)
    return ends


def _forked() -> int:
    with warnings.catch_warnings():
        # Python warns where there are threads; what the new process does takes no lock that one of them may hold.
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()
