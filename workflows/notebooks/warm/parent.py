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
import socket
import struct
import sys
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from workflows.identity.foreign import foreign_folders
from workflows.notebooks.warm.fresh import Block, Request, freshen, searched
from workflows.notebooks.warm.preload import preload

_ANSWERING = 10
"""Seconds within which one who asks must have asked."""
# Python imports these by itself.
_AT_START = frozenset({"sitecustomize", "usercustomize"})


@dataclass
class Parent:
    """The sockets, the children, and the rule when to end."""

    listener: socket.socket
    owner: int
    """A descriptor that becomes readable when the owner has ended."""
    idle: float
    """Seconds without children and requests after which it ends."""
    path: Sequence[str]
    """What Python itself puts on the module path."""
    block: Block
    children: dict[int, tuple[int, socket.socket]] = field(default_factory=dict)
    """By a descriptor that becomes readable when it ends: the process, and the connection of who asked for it."""

    def serve(self) -> Request | None:
        """Fork children until the end; in a child, what it is to become."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.listener, selectors.EVENT_READ)
            selector.register(self.owner, selectors.EVENT_READ)
            self._selector = selector
            while True:
                ready = selector.select(None if self.children else self.idle)
                if not ready or any(key.fd == self.owner for key, _ in ready):
                    return None
                for key, _ in ready:
                    if key.fileobj is self.listener:
                        request = self._answer()
                        if request:
                            return request
                    elif key.fd in self.children:
                        self._bury(key.fd)

    def _answer(self) -> Request | None:
        connection, _ = self.listener.accept()
        streams: list[int] = []
        try:
            connection.settimeout(_ANSWERING)
            request, streams = received(connection)
            if reason := self._hindrance(request):
                connection.sendall(json.dumps({"refused": reason}).encode() + b"\n")
                connection.close()
                return None
            child = os.fork()
            if child == 0:
                return self._become(request, streams, connection)
            self._keep(child, connection)
        except (OSError, ValueError, KeyError, TypeError):
            # Who asked is gone, or is none that can ask.
            connection.close()
        for stream in streams:
            os.close(stream)
        return None

    def _become(self, request: Request, streams: Sequence[int], connection: socket.socket) -> Request:
        """In a child: what was asked for. An error ends it, because nothing may go back to be the parent again."""
        try:
            self._leave(connection)
            freshen(request, [os.open(os.devnull, os.O_RDONLY), *streams], self.path, self.block)
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(1)
        return request

    def _keep(self, child: int, connection: socket.socket) -> None:
        handle = os.pidfd_open(child)
        self.children[handle] = child, connection
        self._selector.register(handle, selectors.EVENT_READ)
        with contextlib.suppress(OSError):
            socket.send_fds(connection, [json.dumps({"pid": child}).encode() + b"\n"], [handle])

    def _bury(self, handle: int) -> None:
        """Reap a child that has ended, and say how it ended to who asked for it."""
        child, connection = self.children.pop(handle)
        self._selector.unregister(handle)
        os.close(handle)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        with contextlib.suppress(OSError), connection:
            connection.sendall(f"{code}\n".encode())

    def _hindrance(self, request: Request) -> str:
        """Why no child can be forked for a request."""
        threads = _threads()
        if threads > 1:
            return f"the process that forks kernels has {threads} threads"
        shadowing = shadowed(searched(request, ()))
        return f"{shadowing[0]} comes before an installed module of its name" if shadowing else ""

    def _leave(self, connection: socket.socket) -> None:
        """Close in a child what is the parent's."""
        self._selector.close()
        for open_socket in (self.listener, connection, *(other for _, other in self.children.values())):
            open_socket.close()
        for handle in (self.owner, *self.children):
            os.close(handle)


def received(connection: socket.socket) -> tuple[Request, list[int]]:
    """The request on a connection of the same user, with the streams that its child is to have."""
    _, uid, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")))
    if uid != os.getuid():
        raise PermissionError(uid)
    text, streams, _, _ = socket.recv_fds(connection, 65536, 2)
    while not text.endswith(b"\n"):
        more = connection.recv(65536)
        if not more:
            raise ConnectionError
        text += more
    return Request(**json.loads(text)), list(streams)


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
    to stay without work, the project's folder, and the names to import.
    """
    block, before = Block(), set(os.environ)
    place, owner, idle, root, *names = words
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
    request = Parent(listener, ended, float(idle), path, block).serve()
    if request is not None:
        # What was imported may have set variables, as it would have done in a process that imports it later.
        os.environ.update(added)
        # It may be imported already, which is no matter.
        sys.modules.pop(request.module, None)
        runpy.run_module(request.module, run_name="__main__", alter_sys=True)


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
