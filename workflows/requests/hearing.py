"""What a run does, written down as the events of its request."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

from workflows.requests.events import Events
from workflows.tasks.listener import Listener, Step

_MOST_STEPS = 500
"""How many tasks of a plan are named."""
_LONGEST = 500


class Hearing(Listener):
    """Writes what it hears into a request's events. A disk that is full ends no run."""

    shows_every = 0.5

    def __init__(self, events: Events) -> None:
        self._events = events
        self.failed_report: str | None = None
        """The path in the store of the failed report that was kept."""
        self.last = ""
        """What was said of the task that was done last."""

    def planned(self, steps: Sequence[Step]) -> None:
        actions = [step.action for step in steps]
        shown = sorted(steps, key=lambda step: step.action == "reuse")[:_MOST_STEPS]
        self._tell(
            "plan",
            to_make=actions.count("make"),
            to_take=actions.count("take"),
            reused=actions.count("reuse"),
            tasks=[{"task": step.task, "label": step.label, "action": step.action} for step in shown],
        )

    def started(self, label: str) -> None:
        self._tell("task", label=label, state="running", shown="")

    def step(self, label: str, message: str, done: int, of: int) -> None:
        self._tell("step", label=label, message=message, done=done, of=of)

    def grown(self, page: str) -> None:
        with contextlib.suppress(OSError):
            beside = self._events.growing.with_name(f".{self._events.growing.name}")
            beside.write_text(page, encoding="utf-8")
            beside.replace(self._events.growing)
            self._tell("growing")

    def done(self, word: str, label: str, shown: str) -> None:
        self.last = f"{word} {shown}" if shown.startswith("from") else f"{word}: {shown}" if shown else word
        self._tell("task", label=label, state=word, shown=shown)

    def failed(self, label: str, why: str) -> None:
        self._tell("task", label=label, state="failed", shown=why[:_LONGEST])

    def kept(self, path: str) -> None:
        self.failed_report = path

    def _tell(self, kind: str, **values: object) -> None:
        with contextlib.suppress(OSError):
            self._events.tell(kind, **values)
