"""A forked child made into what a process that starts now would be, as far as it can tell."""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import json
import os
import random
import socket
import sys
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from workflows.notebooks.guarded import MARK

PLACE = "_PARCOURS_PARENT"
"""A variable as long as the kernel's mark, over which the mark is written."""
_LENGTH = 32
_LINE = 65536


@dataclass(frozen=True)
class Request:
    """What a child is to become: `python -m module arguments`."""

    module: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    folder: str
    """Where it runs."""

    def send(self, connection: socket.socket, descriptors: Sequence[int]) -> None:
        """Send it, with open files."""
        text = json.dumps(asdict(self)).encode() + b"\n"
        sent = socket.send_fds(connection, [text], descriptors)
        connection.sendall(text[sent:])


def received(connection: socket.socket) -> tuple[Request, list[int]]:
    """A request, with the open files that were sent with it; raises ConnectionError where the other side ended."""
    text, descriptors, _, _ = socket.recv_fds(connection, _LINE, 3)
    while not text.endswith(b"\n"):
        more = connection.recv(_LINE)
        if not more:
            raise ConnectionError
        text += more
    return Request(**json.loads(text)), list(descriptors)


def answer(connection: socket.socket, is_ahead: bool = False) -> None:
    """Tell who asked for this process that it is here, which its parent may not live to say."""
    with connection:
        handle = os.pidfd_open(os.getpid())
        socket.send_fds(connection, [json.dumps({"pid": os.getpid(), "ahead": is_ahead}).encode() + b"\n"], [handle])
        os.close(handle)


class Block:
    """This process's environment as other processes see it, which os.environ does not change."""

    def __init__(self) -> None:
        getenv = ctypes.CDLL(None).getenv
        getenv.restype = ctypes.c_void_p
        self._address = getenv(PLACE.encode())

    def mark(self, mark: str) -> None:
        """Show a kernel's mark to those who look for what it started."""
        text = f"{MARK}={mark}".encode()
        if self._address and len(mark) == _LENGTH and len(MARK) == len(PLACE):
            ctypes.memmove(self._address - len(PLACE) - 1, text, len(text))


def room() -> dict[str, str]:
    """The variable that a parent starts with, so that its children can be marked."""
    return {PLACE: "0" * _LENGTH}


@contextlib.contextmanager
def or_end() -> Iterator[None]:
    """In a forked child, an error ends the process, because nothing may go back to be the parent again."""
    try:
        yield
    except BaseException:
        os.write(2, traceback.format_exc().encode())
        os._exit(1)


@dataclass(frozen=True)
class Surroundings:
    """What a child takes over from its parent."""

    path: Sequence[str]
    """What Python itself puts on the module path."""
    block: Block
    variables: Mapping[str, str]
    """Those that what is imported ahead has set, as it would have done in a process that imports it later."""


def settle(request: Request, surroundings: Surroundings) -> None:
    """Take over the environment, folder and module path; draw other random numbers than the parent."""
    surroundings.block.mark(request.environment.get(MARK, ""))
    os.environ.clear()
    os.environ.update({**request.environment, **surroundings.variables})
    time.tzset()
    os.chdir(request.folder)
    sys.path[:] = searched(request, surroundings.path)
    importlib.invalidate_caches()
    sys.argv[1:] = request.arguments
    sys.orig_argv = [sys.executable, "-m", request.module, *request.arguments]
    random.seed()
    if numpy := sys.modules.get("numpy.random"):
        numpy.seed()
    if "matplotlib" in sys.modules:
        _read_plot_settings()


def searched(request: Request, path: Sequence[str]) -> list[str]:
    """The module path of `python -m` in the request's folder; `path` is what Python itself adds."""
    given = [place for place in request.environment.get("PYTHONPATH", "").split(os.pathsep) if place]
    # As Python does: links stay, and only the folder itself may be there twice.
    places = [os.path.abspath(Path(request.folder, place)) for place in ["", *given, *path]]  # noqa: PTH100
    return [places[0], *dict.fromkeys(places[1:])]


def _read_plot_settings() -> None:
    """Add the matplotlibrc that matplotlib would find if it were imported now to its defaults, which the parent has."""
    import matplotlib

    matplotlib.rcParams.update(
        matplotlib.rc_params_from_file(matplotlib.matplotlib_fname(), use_default_template=False)
    )
    matplotlib.rcParamsOrig = matplotlib.rcParams.copy()
    if backend := os.environ.get("MPLBACKEND"):
        matplotlib.rcParams["backend"] = backend
