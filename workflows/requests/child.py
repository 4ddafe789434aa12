"""A process that works off one request: forked from the worker, a session of its own, dead when the worker is."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import io
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from workflows.notebooks.guarded import MARK, kill_marked
from workflows.requests.request import Request

if TYPE_CHECKING:
    from typing_extensions import Buffer

LOCK = "lock"
GRACE = 0.5
"""Seconds that it has to end by itself when it is given up."""
_DEATH_SIGNAL = 1
_GIVEN_UP = 130


@dataclass
class Child:
    """The process of a request's try."""

    request: Request
    pid: int
    given_up: float | None = None
    """When it was asked to end."""

    def give_up(self) -> None:
        """Have it end: by itself, tidily, and by force where that takes too long."""
        now = time.monotonic()
        if self.given_up is None:
            self.given_up = now
            self._signal(signal.SIGTERM)
        elif now - self.given_up > GRACE:
            self._signal(signal.SIGKILL)

    def ended(self) -> int | None:
        """How it ended, as subprocess says it, with nothing left of what it started; None while it runs."""
        if os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            return None
        # Before it is reaped, and its number another's.
        self._signal(signal.SIGKILL)
        code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        if code != 0:
            kill_marked(mark(self.request))
        return code

    def _signal(self, number: int) -> None:
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            # It does not lead its group yet.
            os.kill(self.pid, number)


def mark(request: Request) -> str:
    """What the processes that a request's child starts carry in their environment."""
    return f"request-{request.id}"


def locked(folder: Path) -> int | None:
    """The lock that says that a request's child is alive, as a descriptor; None where it is."""
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


def forked(request: Request, log: Path, environment: Mapping[str, str], work: Callable[[], None], lock: int) -> Child:
    """Fork a child that does this work with these variables, holds the lock, and writes what it says into a log."""
    parent = os.getpid()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        # What it forks may outlive it, and must not seem to be it.
        os.register_at_fork(after_in_child=partial(os.close, lock))
        _become(request, log, environment, work, parent)
    return Child(request, pid)


def _become(
    request: Request, log: Path, environment: Mapping[str, str], work: Callable[[], None], parent: int
) -> NoReturn:
    code = 1
    try:
        signal.signal(signal.SIGTERM, _interrupt)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        _detach(log)
        _die_with(parent)
        os.environ.clear()
        os.environ.update({**environment, MARK: mark(request)})
        work()
        code = 0
    except KeyboardInterrupt:
        code = _GIVEN_UP
    finally:
        with contextlib.suppress(BaseException):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def _interrupt(number: int, frame: object) -> None:
    # Once: what tidies up afterwards must not be interrupted.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt


def _detach(log: Path) -> None:
    """Lead a group of its own, without the worker's terminal."""
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDONLY)
    written = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for target, stream in enumerate((nothing, written, written)):
        os.dup2(stream, target)
    os.close(nothing)
    os.close(written)
    sys.stdout, sys.stderr = _Log.text(1), _Log.text(2)


class _Log(io.FileIO):
    """A stream that takes what the disk does not: a run does not fail because nothing can be written about it."""

    @classmethod
    def text(cls, number: int) -> io.TextIOWrapper:
        """A stream of this process, line by line."""
        raw = cls(number, "w", closefd=False)
        return io.TextIOWrapper(io.BufferedWriter(raw), "utf-8", "backslashreplace", line_buffering=True)

    def write(self, data: Buffer) -> int:
        """Write what can be written; the rest is lost."""
        with contextlib.suppress(OSError):
            super().write(data)
        return memoryview(data).nbytes


def _die_with(parent: int) -> None:
    """Be killed when the parent is, by the system where it can do that."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGKILL)
    else:
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGKILL)
