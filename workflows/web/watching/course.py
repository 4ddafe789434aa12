"""The course of a request: its events, put together into how things stand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

_MANY = 4
"""From how many on tasks of one kind are one line, which opens."""


@dataclass
class Task:
    """One task of a request."""

    label: str
    """How people call it."""
    action: str = ""
    """What the plan says: 'make' or 'take'."""
    state: str = "waiting"
    """'waiting', 'running', 'made', 'taken over' or 'failed'."""
    shown: str = ""
    """What it made, or where its result is from."""
    message: str = ""
    """Where it is: 'cell 3 of 9'."""
    done: int = 0
    of: int = 0
    """How many parts of how many are done; 0 of 0 where it has not said."""


@dataclass
class Course:
    """What the events of a request say so far."""

    tasks: dict[str, Task] = field(default_factory=dict)
    """By label, in the order of the plan."""
    reused: int | None = None
    """How many results are there already; None as long as there is no plan."""
    to_do: int = 0
    """How many results were to make or to take over; of many, the tasks name the first ones only."""

    @classmethod
    def of(cls, events: Iterable[Mapping[str, Any]]) -> Course:
        """What these events say, in order."""
        course = cls()
        for event in events:
            course._add(event)
        return course

    @property
    def kin(self) -> dict[str, list[Task]]:
        """The tasks by what they are; those of one kind that are many stand together, where the first of them is."""
        kinds = Counter(_kind(task) for task in self.tasks.values())
        found: dict[str, list[Task]] = {}
        for task in self.tasks.values():
            found.setdefault(_kind(task) if kinds[_kind(task)] >= _MANY else task.label, []).append(task)
        return found

    @property
    def done(self) -> int:
        """How many tasks are made or taken over."""
        return sum(task.state in ("made", "taken over") for task in self.tasks.values())

    def _add(self, event: Mapping[str, Any]) -> None:
        kind = event["kind"]
        if kind == "plan":
            # Every try has a plan of its own.
            self.reused = int(event.get("reused", 0))
            self.to_do = int(event.get("to_make", 0)) + int(event.get("to_take", 0))
            self.tasks = {
                task["label"]: Task(task["label"], task["action"])
                for task in event.get("tasks", ())
                if task["action"] != "reuse"
            }
        elif kind == "task":
            task = self._task(event)
            task.state, task.shown = str(event.get("state", "")), str(event.get("shown", ""))
        elif kind == "step":
            task = self._task(event)
            task.state, task.message = "running", str(event.get("message", ""))
            task.done, task.of = int(event.get("done", 0)), int(event.get("of", 0))

    def _task(self, event: Mapping[str, Any]) -> Task:
        label = str(event.get("label", ""))
        return self.tasks.setdefault(label, Task(label))


def _kind(task: Task) -> str:
    return task.label.partition(" ")[0]
