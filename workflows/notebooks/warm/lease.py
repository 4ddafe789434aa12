"""The owner's side of warm kernels: its parent process, started once, and the kernels that it forked."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from workflows.identity.foreign import ENGINE, foreign_folders
from workflows.notebooks.warm.fresh import Request, room

IDLE = 600
"""Seconds that a parent stays without work."""
_STARTING = 60
_ENDING = 1
# What differs from kernel to kernel, or from moment to moment, and which no import reads.
_OWN = ("_PARCOURS_", "JPY_", "PYTEST_CURRENT_TEST")
_OWN_NAMES = frozenset({"PYTHONPATH", "IPYTHONDIR", "MATPLOTLIBRC", "MPLBACKEND", "PWD", "OLDPWD", "SHLVL", "_"})
_IMPORTING = {
    # Its allocator would start a thread, which a process that forks must not have.
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    # What a cell needs for a moment, for a picture or a file that it reads, is given back.
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "MALLOC_MMAP_THRESHOLD_": "131072",
    "MALLOC_TRIM_THRESHOLD_": "131072",
    # With this number for its parent, ipykernel neither watches it nor prints how to connect.
    "JPY_PARENT_PID": "1",
    "MATPLOTLIBRC": os.devnull,
    "MPLBACKEND": "agg",
}
_PROGRAM = (
    "import sys; sys.path.remove(''); path = sys.path[:]; sys.path.append(sys.argv[1]); "
    "from workflows.notebooks.warm.parent import main; main(path, sys.argv[2:])"
)
_LINE = 65536
_SOCKET = "parent"

counts: Counter[str] = Counter()
"""How many parents were started, kernels forked, those among them that had been started ahead, and tries repeated."""


@dataclass(frozen=True)
class Need:
    """How many kernels to start before they are asked for."""

    at_once: int = 1
    """How many may wait at a time."""
    in_all: int | None = None
    """How many will be asked for, where that is known."""

    @property
    def words(self) -> list[str]:
        """Both, for a command."""
        return [str(self.at_once), str(-1 if self.in_all is None else self.in_all)]


class Refused(Exception):
    """A kernel that cannot be forked, and why."""


class Fork:
    """A process that the parent forked, used like one of `subprocess`."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int, handle: int, connection: socket.socket) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self.handle = handle
        """A descriptor that becomes readable when it has ended."""
        self._connection = connection

    def poll(self) -> int | None:
        """How it ended, or None while it runs."""
        return self.returncode if self.returncode is not None else self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end; raises TimeoutExpired."""
        code = self.returncode if self.returncode is not None else self._ended(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        """Send it a signal, and never to another process that was given its number since."""
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.handle, number)

    def kill(self) -> None:
        """Kill it."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def _ended(self, timeout: float | None) -> int | None:
        poll = select.poll()
        poll.register(self.handle, select.POLLIN)
        if not poll.poll(None if timeout is None else timeout * 1000):
            return None
        try:
            with self._connection:
                # Its parent may be gone, or may take a moment to know.
                self._connection.settimeout(1)
                self.returncode = int(self._connection.recv(_LINE) or -signal.SIGKILL)
        except (OSError, ValueError):
            self.returncode = -signal.SIGKILL
        os.close(self.handle)
        return self.returncode


class Lender:
    """The parent process of one environment and list of names, and the way to ask it."""

    def __init__(self, environment: Mapping[str, str], root: Path, names: Sequence[str], need: Need) -> None:
        _sweep()
        self._folder = Path(tempfile.mkdtemp(prefix=f"parcours-{os.getpid()}-", dir=_short()))
        self._place = str(self._folder / _SOCKET)
        self._owner = os.getpid()
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(self._place)
            listener.listen(64)
            words = [
                str(ENGINE.parent),
                str(listener.fileno()),
                str(self._owner),
                str(IDLE),
                *need.words,
                str(root),
                *names,
            ]
            self._process = subprocess.Popen(
                [sys.executable, "-c", _PROGRAM, *words],
                env={**environment, **_IMPORTING, **room()},
                cwd="/",
                pass_fds=[listener.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
        counts["parents"] += 1

    def fork(self, request: Request) -> Fork:
        """A child; raises Refused where it must not be forked, OSError where the parent is gone."""
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.settimeout(_STARTING)
            connection.connect(self._place)
            request.send(connection, [1, 2])
            answer, handles, _, _ = socket.recv_fds(connection, _LINE, 1)
            if not answer:
                raise ConnectionError
            found = json.loads(answer)
            if not isinstance(found, dict):
                raise ConnectionError(f"it ended with {found}")
            if "refused" in found:
                raise Refused(found["refused"])
        except BaseException:
            connection.close()
            raise
        counts["forks"] += 1
        counts["ahead"] += found["ahead"]
        return Fork(found["pid"], handles[0], connection)

    @property
    def is_gone(self) -> bool:
        """Whether the parent has ended, for the process that started it."""
        return os.getpid() == self._owner and self._process.poll() is not None

    def end(self) -> None:
        """End the parent; the kernels that it forked go on."""
        if os.getpid() == self._owner:
            # It ends the kernels that wait; they would notice by themselves that it is gone, but later.
            self._process.terminate()
            with contextlib.suppress(OSError):
                # subprocess would look now and then, and sleep between.
                handle = os.pidfd_open(self._process.pid)
                poll = select.poll()
                poll.register(handle, select.POLLIN)
                poll.poll(_ENDING * 1000)
                os.close(handle)
            self._process.kill()
            self._process.wait()
            shutil.rmtree(self._folder, ignore_errors=True)


class _Held:
    """The one parent that this process, and those that it forks, ask."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._key: object = None
        self._names: frozenset[str] = frozenset()
        self._lender: Lender | None = None
        self._begin: Callable[[], Lender] | None = None
        """Starts such a parent."""

    def lender(
        self,
        environment: Mapping[str, str],
        root: Path,
        names: Sequence[str],
        need: Need = Need(),
    ) -> Lender:
        """The parent for an environment and names, started if need be."""
        kept = common(environment)
        key = kept, _installed(root)
        with self.lock:
            is_other = self._key != key
            if self._lender is None or is_other or not self._names.issuperset(names):
                self.end()
                self._key, self._names = key, frozenset(names) if is_other else self._names.union(names)
                self._begin = partial(Lender, kept, root, sorted(self._names), need)
                self._lender = self._begin()
            return self._lender

    def renew(self) -> None:
        """Start the parent anew, if it has ended by itself."""
        with self.lock:
            if self._begin and self._lender and self._lender.is_gone:
                self.end()
                self._lender = self._begin()

    def drop(self, gone: Lender) -> None:
        """Ask this parent no more."""
        with self.lock:
            if self._lender is gone:
                self.end()

    def end(self) -> None:
        """End the parent, if there is one."""
        if self._lender is not None:
            self._lender.end()
            self._lender = None


_held = _Held()
atexit.register(_held.end)
# Another thread may have held it in the process that this one was forked from.
os.register_at_fork(after_in_child=lambda: setattr(_held, "lock", threading.Lock()))


def can_fork() -> bool:
    """Whether this system has what warm kernels need."""
    return sys.platform == "linux" and hasattr(os, "pidfd_open") and hasattr(socket, "recv_fds")


def start(
    environment: Mapping[str, str],
    root: Path,
    names: Sequence[str],
    need: Need = Need(),
) -> None:
    """Have the parent import while its owner does something else."""
    if can_fork():
        _held.lender(environment, root, names, need)


def renew() -> None:
    """Start a parent anew that has ended: processes that are forked from this one ask it, and could start one only for themselves."""
    _held.renew()


def fork(request: Request, root: Path, names: Sequence[str]) -> Fork:
    """A kernel by fork; a parent that was killed costs one more try. Raises Refused."""
    if not can_fork():
        raise Refused(f"{sys.platform} has no safe fork")
    for _ in range(2):
        lender = _held.lender(request.environment, root, names)
        try:
            return lender.fork(request)
        except (OSError, ValueError, IndexError):
            counts["retries"] += 1
            _held.drop(lender)
    raise Refused("the process that forks kernels ended")


def end() -> None:
    """End the parent process; the kernels that it forked go on."""
    _held.end()


def common(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that all kernels of a parent have, and that it imports with."""
    return {name: value for name, value in environment.items() if name not in _OWN_NAMES and not name.startswith(_OWN)}


def _installed(root: Path) -> tuple[tuple[str, int], ...]:
    """The state of the folders of installed packages."""
    found = []
    for folder in sorted(foreign_folders(root)):
        with contextlib.suppress(OSError):
            found.append((str(folder), folder.stat().st_mtime_ns))
    return tuple(found)


def _sweep() -> None:
    """Remove the folders of parents that were killed, and their owners with them: nobody listens there."""
    for place in _short().glob(f"parcours-*-*/{_SOCKET}"):
        with socket.socket(socket.AF_UNIX) as asking:
            asking.setblocking(False)
            try:
                asking.connect(str(place))
            except ConnectionRefusedError:
                shutil.rmtree(place.parent, ignore_errors=True)
            except OSError:
                # It has much to do, or is another user's.
                continue


def _short() -> Path:
    """Where temporary files lie, or a place whose name is short enough for a socket."""
    place = Path(tempfile.gettempdir())
    return place if len(str(place)) <= 60 else Path("/tmp")  # noqa: S108 - the folder in it is private, and short
