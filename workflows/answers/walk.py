"""How far a walk through the store, or other long work, is, on a terminal, where it takes long enough to be watched."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator

from workflows.store.indexer import Progress

_AFTER = 1.0


@contextlib.contextmanager
def watched(what: str = "reading the store") -> Iterator[Progress]:
    """Takes how many folders, or other parts, are done, and of how many."""
    with contextlib.ExitStack() as shown:
        began = time.monotonic()
        bar: Progress | None = None

        def step(done: int, of: int) -> None:
            nonlocal bar
            if bar is None and sys.stderr.isatty() and time.monotonic() - began > _AFTER:
                bar = shown.enter_context(_bar(what))
            if bar is not None:
                bar(done, of)

        yield step


@contextlib.contextmanager
def _bar(what: str) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(bar_width=24), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as live:
        bar = live.add_task(what)
        yield lambda done, of: live.update(bar, completed=done, total=of)
