"""The process that forks kernels, from its start to its end.

It imports what is slow to import, then forks a child for each request on its socket. It never runs a thread, because what
other threads hold would stay locked in a child for ever. It ends with its owner, or when nobody asked for a while.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import runpy
import selectors
import shutil
import signal
import socket
import struct
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from workflows.identity.foreign import foreign_folders
from workflows.notebooks import guarded
from workflows.notebooks.warm.fresh import Block, Request, Surroundings, answer, or_end, received, searched, settle
from workflows.notebooks.warm.preload import preload
from workflows.notebooks.warm.spare import LOOK, Spares, Waiting

_ANSWERING = 10
"""Seconds within which one who asks must have asked."""
# Python imports these by itself.
_AT_START = frozenset({"sitecustomize", "usercustomize"})


@dataclass(frozen=True)
class Child:
    """A process that was forked for a request."""

    pid: int
    connection: socket.socket
    """To who asked for it."""
    folder: Path | None = None
    """What is to be removed after it."""


@dataclass
class Parent:
    """The sockets, the children, and the rule when to end."""

    listener: socket.socket
    owner: int
    """A descriptor that becomes readable when the owner has ended."""
    idle: float
    """Seconds without children and requests after which it ends."""
    spares: Spares
    """The kernels that are started ahead."""
    children: dict[int, Child] = field(default_factory=dict)
    """By a descriptor that becomes readable when it ends."""

    def serve(self) -> Role | None:
        """Fork children until the end; in a child, what it is to become."""
        with selectors.DefaultSelector() as selector, self._told_to_end() as told:
            for place in (self.listener, self.owner, told):
                selector.register(place, selectors.EVENT_READ)
            self._selector, asked = selector, time.monotonic()
            while time.monotonic() - asked < self.idle or self.children:
                wanting = self.spares.is_wanting
                pause = 0 if wanting else LOOK if self.spares.waiting else self.idle
                ready = [key.fd for key, _ in selector.select(pause)]
                if self.owner in ready or told in ready:
                    break
                role: Role | None = None
                if self.listener.fileno() in ready:
                    asked, role = time.monotonic(), self._answer()
                elif wanting and not ready:
                    role = self._prepare()
                if role:
                    return role
                for handle in self.children.keys() & ready:
                    self._bury(handle)
                self.spares.retire()
        return None

    @contextlib.contextmanager
    def _told_to_end(self) -> Iterator[int]:
        """A descriptor that becomes readable at SIGTERM; the kernels that wait end at the end, a child has nothing to do with it.

        An exception would come at any place, also where it is lost, such as what is to be done before and after a fork.
        """
        own, (told, tell) = os.getpid(), os.pipe()
        os.set_blocking(tell, False)
        before = signal.signal(signal.SIGTERM, lambda *_: None), signal.set_wakeup_fd(tell)
        try:
            yield told
        finally:
            signal.set_wakeup_fd(before[1])
            signal.signal(signal.SIGTERM, before[0])
            os.close(told)
            os.close(tell)
            if os.getpid() == own:
                self.spares.end()

    def _answer(self) -> Role | None:
        connection, _ = self.listener.accept()
        streams: list[int] = []
        try:
            connection.settimeout(_ANSWERING)
            check(connection)
            request, streams = received(connection)
            if reason := self._hindrance(request):
                connection.sendall(json.dumps({"refused": reason}).encode() + b"\n")
                connection.close()
            elif spare := self.spares.lend(request, [*streams, connection.fileno()]):
                self._keep(spare.handle, Child(spare.pid, connection, spare.folder))
            else:
                child = os.fork()
                if child == 0:
                    return Role(request, streams, connection)
                self._keep(os.pidfd_open(child), Child(child, connection))
        except (OSError, ValueError, KeyError, TypeError):
            # Who asked is gone, or is none that can ask.
            connection.close()
        for stream in streams:
            os.close(stream)
        return None

    def _prepare(self) -> Role | None:
        waiting = self.spares.start()
        return Role(waiting.request, [os.dup(1), os.dup(2)], waiting=waiting) if waiting else None

    def _keep(self, handle: int, child: Child) -> None:
        self.children[handle] = child
        self._selector.register(handle, selectors.EVENT_READ)

    def _bury(self, handle: int) -> None:
        """Reap a child that has ended, and say how it ended to who asked for it."""
        child = self.children.pop(handle)
        self._selector.unregister(handle)
        os.close(handle)
        code = os.waitstatus_to_exitcode(os.waitpid(child.pid, 0)[1])
        with contextlib.suppress(OSError), child.connection as connection:
            connection.sendall(f"{code}\n".encode())
        if child.folder:
            shutil.rmtree(child.folder, ignore_errors=True)

    def leave(self) -> None:
        """Close in a child what is the parent's."""
        self._selector.close()
        self.spares.leave()
        for open_socket in (self.listener, *(other.connection for other in self.children.values())):
            open_socket.close()
        for handle in (self.owner, *self.children):
            os.close(handle)

    def _hindrance(self, request: Request) -> str:
        """Why no child can be forked for a request."""
        threads = _threads()
        if threads > 1:
            return f"the process that forks kernels has {threads} threads"
        shadowing = shadowed(searched(request, ()))
        return f"{shadowing[0]} comes before an installed module of its name" if shadowing else ""


@dataclass(frozen=True)
class Role:
    """What a child is to become."""

    request: Request
    streams: Sequence[int]
    """Its standard output and error."""
    connection: socket.socket | None = None
    """To who asked for it, if somebody did."""
    waiting: Waiting | None = None
    """For one that is started ahead."""

    def take(self, parent: Parent, surroundings: Surroundings) -> None:
        """Become it."""
        with or_end():
            os.setsid()
            parent.leave()
            if self.connection:
                answer(self.connection)
            for number, stream in enumerate([os.open(os.devnull, os.O_RDONLY), *self.streams]):
                os.dup2(stream, number)
                os.close(stream)
            sys.argv[:] = ["-m"]
            settle(self.request, surroundings)
        if self.waiting:
            sys.argv[0] = guarded.__file__
            guarded.main(self.waiting.lent(surroundings))
        else:
            # It may be imported already, which is no matter.
            sys.modules.pop(self.request.module, None)
            runpy.run_module(self.request.module, run_name="__main__", alter_sys=True)


def check(connection: socket.socket) -> None:
    """Raise PermissionError for a connection of another user."""
    _, uid, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
    if uid != os.getuid():
        raise PermissionError(uid)


def shadowed(places: Sequence[str]) -> list[str]:
    """The files on a module path that a process which starts there imports, and one that is forked does not."""
    found = []
    for place in places:
        with contextlib.suppress(OSError):
            found += [path for path in Path(place).iterdir() if _shadows(path)]
    return list(map(str, found))


def _shadows(path: Path) -> bool:
    name = path.name.partition(".")[0]
    known = sys.modules.get(name)
    if (known is None and name not in _AT_START) or name in sys.builtin_module_names:
        return False
    own = path / "__init__.py"
    is_module = path.suffix in (".py", ".so") or own.exists()
    file = getattr(known, "__file__", None)
    return is_module and (file is None or Path(file).resolve() not in (path.resolve(), own.resolve()))


def main(path: list[str], words: Sequence[str]) -> None:
    """Import, serve, and become in each child what was asked for.

    `path` is where Python itself looks for modules; `words` are the socket's descriptor, the owner's process, the seconds
    to stay without work, how many kernels to start ahead and how many will be asked for in all (-1 where nobody knows),
    the project's folder, and the names to import.
    """
    block, before = Block(), set(os.environ)
    place, owner, idle, bound, reports, root, *names = words
    try:
        ended = os.pidfd_open(int(owner))
    except ProcessLookupError:
        return
    unfit = preload(names, foreign_folders(Path(root)))
    if unfit:
        kept = [name for name in names if name not in unfit]
        os.execv(sys.executable, [*sys.orig_argv[: len(sys.orig_argv) - len(names)], *kept])  # noqa: S606 - itself
    added = {name: value for name, value in os.environ.items() if name not in before}
    _settle()
    listener = socket.socket(fileno=int(place))
    folder = Path(listener.getsockname()).parent
    spares = Spares(folder, int(bound), int(reports) if int(reports) >= 0 else None)
    parent = Parent(listener, ended, float(idle), spares)
    role = parent.serve()
    if role is None:
        # Its owner may have been killed. All that it has imported goes with the process; its owner waits for that.
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(0)
    role.take(parent, Surroundings(path, block, added))


def _settle() -> None:
    """End the threads of BLAS, which each child starts anew; share the memory of all that is there."""
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    for _ in range(100):
        if _threads() == 1:
            break
        time.sleep(0.01)
    gc.collect()
    gc.freeze()


def _threads() -> int:
    """How many threads this process has, those of libraries included."""
    return sum(1 for _ in Path("/proc/self/task").iterdir())
