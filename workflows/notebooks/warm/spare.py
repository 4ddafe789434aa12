"""Kernels that are started before they are needed: all is set up but what differs from report to report."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workflows.notebooks.guarded import OPTIONS
from workflows.notebooks.warm.fresh import Request, Surroundings, answer, or_end, received, settle

MODULE = "workflows.notebooks.guarded"
"""The kernels that can be started ahead."""
AGE = 60
"""Seconds after which one that nobody needed is ended."""
LOOK = 10
"""Seconds between two looks at how old those that wait are, and how much memory is free."""
_ROOM = 512 * 2**20
"""Bytes of memory that must be free to start one; with less than half of them, those that wait are ended."""
_PR_SET_PDEATHSIG = 1
_PORTS = {"shell_port": 1, "iopub_port": 2, "stdin_port": 3, "control_port": 4, "hb_port": 5}


@dataclass(frozen=True)
class Spare:
    """One that waits in a process of its own."""

    pid: int
    handle: int
    """A descriptor that becomes readable when it has ended."""
    control: socket.socket
    """Where it is told what to become; it ends when this is closed."""
    folder: Path
    """Where its sockets lie."""
    born: float
    """When it was forked, in seconds of the monotonic clock."""

    @property
    def is_fit(self) -> bool:
        """Whether it still runs."""
        poll = select.poll()
        poll.register(self.handle, select.POLLIN)
        return not poll.poll(0)

    def end(self) -> None:
        """Kill it and remove what is left of it."""
        self.control.close()
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.handle, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.handle)
        shutil.rmtree(self.folder, ignore_errors=True)


@dataclass
class Spares:
    """Those of a parent: not more at once than `bound`, and not more in all than there will be reports."""

    folder: Path
    """Where their folders are made."""
    bound: int
    """How many may wait at once."""
    reports: int | None = None
    """How many kernels will be asked for in all, where that is known."""
    waiting: list[Spare] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._wanted = self.bound

    @property
    def is_wanting(self) -> bool:
        """Whether another one is to be started now."""
        wanted = self._wanted if self.reports is None else min(self._wanted, self.reports)
        return len(self.waiting) < wanted and _available() > _ROOM

    def start(self) -> Waiting | None:
        """Fork one; in the child, what it is."""
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        ours, theirs = socket.socketpair()
        child = os.fork()
        if child == 0:
            _end_with_parent(signal.SIGKILL)
            ours.close()
            return Waiting(theirs, folder)
        theirs.close()
        self.waiting.append(Spare(child, os.pidfd_open(child), ours, folder, time.monotonic()))
        return None

    def lend(self, request: Request, descriptors: Sequence[int]) -> Spare | None:
        """One that is told to become what was asked for, if there is one that can."""
        if self.reports:
            self.reports -= 1
        can_wait = (request.module, tuple(request.arguments[2:])) == (MODULE, OPTIONS)
        self._wanted = self.bound if can_wait else 0
        while self.waiting and can_wait:
            spare = self.waiting.pop(0)
            with contextlib.suppress(OSError):
                if spare.is_fit:
                    request.send(spare.control, descriptors)
                    spare.control.close()
                    return spare
            spare.end()
        return None

    def retire(self) -> None:
        """End those that waited too long, or all where memory is short, and start no others until somebody asks again."""
        is_short = bool(self.waiting) and _available() < _ROOM / 2
        for spare in [spare for spare in self.waiting if is_short or time.monotonic() - spare.born > AGE]:
            self._wanted = 0
            self.waiting.remove(spare)
            spare.end()

    def end(self) -> None:
        """End all."""
        while self.waiting:
            self.waiting.pop().end()

    def leave(self) -> None:
        """Close in a child what is the parent's."""
        for spare in self.waiting:
            spare.control.close()
            os.close(spare.handle)


@dataclass(frozen=True)
class Waiting:
    """The child's side: a kernel that is set up and does not know yet what for."""

    control: socket.socket
    folder: Path

    @property
    def request(self) -> Request:
        """What it is until then."""
        file = self.folder / "k.json"
        sockets = {"transport": "ipc", "ip": str(self.folder / "s"), "key": "", **_PORTS}
        file.write_text(json.dumps(sockets), encoding="utf-8")
        environment = {**os.environ, "IPYTHONDIR": str(self.folder / "ipython")}
        return Request(MODULE, ["-f", str(file), *OPTIONS], environment, str(self.folder))

    def lent(self, surroundings: Surroundings) -> Callable[[Any], None]:
        """What waits until somebody needs the kernel, then makes it what that one asked for."""

        def wait(app: Any) -> None:
            try:
                request, (out, err, connection) = received(self.control)
            except (OSError, ValueError):
                # The parent has ended, or needs it no more.
                os._exit(0)
            self.control.close()
            _end_with_parent(0)
            with or_end():
                # Before the answer: the parent may be ended then, by who asks for another one, and its folder removed.
                _take_sockets(app, Path(request.arguments[1]))
                answer(socket.socket(fileno=connection), is_ahead=True)
                _take_streams(out, err)
                settle(request, surroundings)
                _settle_shell(app)

        return wait


def _end_with_parent(number: int) -> None:
    """Have the system send this process a signal when its parent ends, or none: what is not lent yet is of no use then."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number)


def _take_streams(*descriptors: int) -> None:
    """Have what is written past the notebook go where the one who asked wants it."""
    for number, (descriptor, stream) in enumerate(zip(descriptors, (sys.stdout, sys.stderr), strict=True), 1):
        # Where ipykernel listens to what is written to the descriptor itself, it keeps the stream's own elsewhere.
        os.dup2(descriptor, getattr(stream, "_original_stdstream_copy", number))
        os.close(descriptor)


def _take_sockets(app: Any, file: Path) -> None:
    """Be found under the names and by the key of a connection file."""
    wanted = json.loads(file.read_bytes())
    # Before the sockets: who finds one is answered at once, by another thread.
    app.session.key = wanted["key"].encode()
    for name, port in _PORTS.items():
        Path(f"{app.ip}-{port}").rename(f"{wanted['ip']}-{wanted[name]}")
        setattr(app, name, wanted[name])
    app.ip, app.connection_file = wanted["ip"], str(file)


def _settle_shell(app: Any) -> None:
    """Have the shell know the folder, which it asked for when it was made, and set what it sets in the environment."""
    app.init_path()
    app.shell.init_environment()
    app.shell.starting_dir = str(Path.cwd())
    app.shell.history_manager.dir_hist[:] = [Path.cwd()]
    # What these say is not the first cell's.
    sys.stdout.flush()
    sys.stderr.flush()


def _available() -> int:
    """Bytes of memory that can be had without swapping."""
    for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 0
