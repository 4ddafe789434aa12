"""A forked child made into what a process that starts now would be, as far as it can tell."""

from __future__ import annotations

import ctypes
import importlib
import os
import random
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from workflows.notebooks.guarded import MARK

PLACE = "_PARCOURS_PARENT"
"""A variable as long as the kernel's mark, over which the mark is written."""
_LENGTH = 32


@dataclass(frozen=True)
class Request:
    """What a child is to become: `python -m module arguments`."""

    module: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    folder: str
    """Where it runs."""


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


def freshen(request: Request, streams: Sequence[int], path: Sequence[str], block: Block) -> None:
    """Take over the environment, folder, module path and streams; draw other random numbers than the parent."""
    os.setsid()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    block.mark(request.environment.get(MARK, ""))
    os.environ.clear()
    os.environ.update(request.environment)
    time.tzset()
    os.chdir(request.folder)
    sys.path[:] = searched(request, path)
    importlib.invalidate_caches()
    sys.argv = ["-m", *request.arguments]
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
