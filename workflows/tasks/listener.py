"""Who else than the terminal wants to know what a run does: its plan, its tasks, their progress, the growing report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

Action = Literal["make", "take", "reuse"]


@dataclass(frozen=True)
class Step:
    """One task of a plan."""

    task: str
    """Its family."""
    label: str
    """How people call it."""
    action: Action
    """Whether it is made, taken over from an equal result, or there already."""


class Listener:
    """Hears what happens in this process. This one does nothing about it; others override what they care for."""

    shows_every: float | None = None
    """The least number of seconds between two pages of a growing report; None where nobody looks."""

    def planned(self, steps: Sequence[Step]) -> None:
        """What will be done, inputs first."""

    def started(self, label: str) -> None:
        """A task runs."""

    def step(self, label: str, message: str, done: int, of: int) -> None:
        """How far a task is."""

    def grown(self, page: str) -> None:
        """The page of a report whose cells are still running."""

    def done(self, word: str, label: str, shown: str) -> None:
        """A task is done: `made` or `taken over`."""

    def failed(self, label: str, why: str) -> None:
        """A task has failed."""

    def kept(self, path: str) -> None:
        """A failed report was kept, at this path in the store."""


@dataclass
class _Ear:
    listener: Listener = field(default_factory=Listener)


_ear = _Ear()


def listener() -> Listener:
    """The listener of this process."""
    return _ear.listener


def listen(to: Listener) -> None:
    """Have a listener hear what happens in this process from here on, in place of the one before."""
    _ear.listener = to
