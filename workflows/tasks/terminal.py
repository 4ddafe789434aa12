"""What the `luigi` command shows on standard error: a bar on a terminal, plain lines otherwise."""

from __future__ import annotations

import os
import sys
import time
from functools import cache
from typing import Any

from workflows.errors import listed

_LINE_EVERY = 2.0
_WIDTH = 14


class Terminal:
    """The lines of one run. Silent until `open`, so that nothing is written where Luigi is used as a library."""

    def __init__(self) -> None:
        self._owner = 0
        self._live: Any = None
        self._bar: Any = None
        self._said_at = 0.0
        self._to_do = 0
        self._done = 0
        self._is_terminal = False

    def open(self) -> None:
        """Show what happens from here on."""
        self._owner = os.getpid()
        self._is_terminal = sys.stderr.isatty()

    def plan(self, to_make: list[str], to_take: list[str], reused: int, impossible: int = 0) -> None:
        """Say what will be made and what taken over: the families of these results, one for each result.

        `impossible` counts the reports that cannot be made, for which nothing is made either.
        """
        to_do = to_make + to_take
        self.expect(len(to_do))
        total = len(to_do) + reused
        if impossible:
            self._line(
                "plan", f"{impossible} report{'s' if impossible != 1 else ''} cannot be made; the errors say why"
            )
        if impossible and not total:
            return
        if not to_do:
            self._line("plan", f"{total} result{'s' if total != 1 else ''}: complete, nothing to do")
            return
        parts = [f"{len(to_make)} to make"] if to_make else []
        parts += [f"{len(to_take)} to take over"] if to_take else []
        self._line("plan", f"{total} result{'s' if total != 1 else ''}: {', '.join(parts)}, {reused} reused")
        counts = {family: to_do.count(family) for family in dict.fromkeys(to_do)}
        self._line("", listed(family if n == 1 else f"{family} x{n}" for family, n in counts.items()))

    def expect(self, number: int) -> None:
        """Count up to this many results, without saying more."""
        self._to_do, self._done = number, 0

    def started(self, label: str) -> None:
        """Say that a task runs."""
        self._show(label, "", 0, 1)

    def step(self, label: str, message: str, done: int, of: int) -> None:
        """Say how far a task is."""
        self._show(label, message, done, of)
        if not self._is_terminal and self._owner and time.monotonic() - self._said_at >= _LINE_EVERY:
            self._line("running", f"{label}  {message}")

    def done(self, word: str, label: str, shown: str) -> None:
        """Say that a task is done, and in a word how."""
        self._done += 1
        if self._is_terminal and self._is_owner:
            return
        count = f"{self._done} of {self._to_do}  " if self._is_owner and self._to_do else ""
        self._line(word, f"{count}{label}  {shown}")

    def pause(self) -> None:
        """Take the bar away, for lines that somebody else writes."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def tell(self, word: str, text: str) -> None:
        """A line of its own, after the run."""
        self.pause()
        self._line(word, text)

    @property
    def _is_owner(self) -> bool:
        return self._owner == os.getpid()

    def _show(self, label: str, message: str, done: int, of: int) -> None:
        if not (self._is_terminal and self._is_owner):
            return
        if self._live is None:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, TextColumn

            columns = (TextColumn("{task.description}"), BarColumn(bar_width=24), TextColumn("{task.fields[message]}"))
            self._live = Progress(*columns, console=Console(stderr=True), transient=True)
            self._bar = self._live.add_task("", total=1, message="")
        count = f"{self._done + 1} of {self._to_do}  " if self._to_do else ""
        description = f"{'running':<{_WIDTH}}{count}{label}"
        self._live.update(self._bar, description=description, completed=done, total=of, message=message)
        self._live.start()

    def _line(self, word: str, text: str) -> None:
        if not self._owner:
            return
        self._said_at = time.monotonic()
        if self._live is not None:
            self._live.console.print(f"{word:<{_WIDTH}}{text}", highlight=False, markup=False)
        else:
            print(f"{word:<{_WIDTH}}{text}", file=sys.stderr, flush=True)  # noqa: T201 - this is the place that prints


@cache
def terminal() -> Terminal:
    """The terminal of this process."""
    return Terminal()
