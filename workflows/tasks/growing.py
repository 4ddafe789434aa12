"""The page of a report whose cells are still running: drawn beside the run, so that nobody waits for it."""

from __future__ import annotations

import contextlib
import copy
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

_FIRST = 0.3
"""Seconds until it is first drawn: most reports are done soon after, and nobody has begun to look."""


@dataclass
class Growing:
    """How far the cells are, and the thread that shows it, at most every so many seconds."""

    show: Callable[[Any, int, int], None]
    """Draws a notebook, of whose cells so many of so many are done."""
    every: float

    def __post_init__(self) -> None:
        self._news = threading.Condition()
        self._now: tuple[Any, int, int] | None = None
        self._is_over = False
        self._thread: threading.Thread | None = None

    def step(self, notebook: Any, done: int, of: int) -> None:
        """The notebook as it is now, to which the running cell adds."""
        with self._news:
            self._now = notebook, done, of
            self._news.notify()
        if self._thread is None:
            self._thread = threading.Thread(target=self._draw, name="growing", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Draw no more."""
        with self._news:
            self._is_over = True
            self._news.notify()
        if self._thread is not None:
            self._thread.join()

    def _draw(self) -> None:
        pause = _FIRST
        while True:
            with self._news:
                self._news.wait_for(lambda: self._is_over, timeout=pause)
                self._news.wait_for(lambda: self._now or self._is_over)
                if self._is_over or self._now is None:
                    return
                (notebook, done, of), self._now = self._now, None
            # The run goes on meanwhile, and may change what is copied here: what cannot be drawn now is drawn later.
            with contextlib.suppress(Exception):
                self.show(copy.deepcopy(notebook), done, of)
            pause = self.every


@contextlib.contextmanager
def growing(show: Callable[[Any, int, int], None], every: float | None) -> Iterator[Callable[[Any, int, int], None]]:
    """What is to be called with each step of a notebook's run; None for `every` is where nobody looks."""
    if every is None:
        yield lambda notebook, done, of: None
        return
    page = Growing(show, every)
    try:
        yield page.step
    finally:
        page.close()
