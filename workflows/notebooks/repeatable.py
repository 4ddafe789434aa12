"""A kernel whose runs give the same bytes: ids, names of cells and the order of what is printed owe nothing to chance."""

from __future__ import annotations

import functools
import os
import random
import uuid
from collections import Counter
from collections.abc import Callable
from typing import Any, ClassVar

from ipykernel.compiler import XCachingCompiler
from ipykernel.iostream import OutStream
from ipykernel.kernelapp import IPKernelApp

_draw = uuid.uuid4


class OrderedStream(OutStream):
    """Standard output or error, whose texts arrive in the order in which both were written."""

    _last: ClassVar[OutStream | None] = None

    def write(self, string: str) -> int:
        """Publish what the other stream still holds, then take the text."""
        other, OrderedStream._last = OrderedStream._last, self
        if other is not None and other is not self and not other.closed:
            other.flush()
        return super().write(string) or 0


class Ids:
    """Ids in the place of random ones, which Styler, plotly, altair and widgets write into what they show.

    Those of a cell depend on the seed and the cell's own text only, so that a figure keeps its bytes when something else
    changes. Child processes draw at random, lest two of them draw the same.
    """

    def __init__(self, seed: str) -> None:
        self._seed = seed
        self._seen: Counter[str] = Counter()
        self._owner = os.getpid()
        self._random: random.Random | None = None

    def begin(self, cell: str) -> None:
        """Begin the ids of a cell, the first or a further one of this text."""
        self._seen[cell] += 1
        self._random = random.Random(f"{self._seed} {self._seen[cell]} {cell}")  # noqa: S311 - it must be repeatable

    def draw(self) -> uuid.UUID:
        """The next id, in the form of a random one."""
        if self._random is None or os.getpid() != self._owner:
            return _draw()
        return uuid.UUID(int=self._random.getrandbits(128), version=4)


_ids: list[Ids] = []


@functools.wraps(_draw)
def _uuid4() -> uuid.UUID:
    return _ids[-1].draw() if _ids else _draw()


def provide_ids() -> None:
    """Have what is imported from here on draw its ids from the seed of the kernel, once this process is one."""
    uuid.uuid4 = _uuid4


def launch(settled: Callable[[Any], str]) -> None:
    """Become a kernel that draws its ids from a seed, which is asked for when all is set up."""
    provide_ids()
    # What is named after a temporary file would be named differently in every warning.
    XCachingCompiler.get_code_name = _cell_name  # type: ignore[method-assign]
    app = IPKernelApp.instance(outstream_class=f"{__name__}.{OrderedStream.__name__}")
    app.initialize()
    ids = Ids(settled(app))
    _ids.append(ids)
    shell: Any = app.shell
    shell.events.register("pre_run_cell", lambda info: ids.begin(info.raw_cell))
    app.start()


def _cell_name(compiler: Any, raw_code: str, code: str, number: int) -> str:
    return f"<cell {number}>"
