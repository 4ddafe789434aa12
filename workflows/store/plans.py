"""Stored plans: what a run is to make, written once by the process that asks, followed by every other."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from workflows.store.address import PLANS
from workflows.store.files import Place

FORMAT = 1
KEPT = timedelta(days=7)
"""How long a plan is kept whose run did not come to its end."""
_TIME = "%Y-%m-%dT%H-%M-%S-%f"


@dataclass(frozen=True)
class Planned:
    """What one task's version was computed from."""

    task: str
    """The task's family."""
    parameters: dict[str, str]
    """All parameters but the version, as text."""
    code: str
    """The code digest."""
    environment: dict[str, Any]
    """`python`, `packages` {name: version}."""
    inputs: list[str]
    """The versions of the inputs, in order; each is planned as well."""
    shape: Any
    """What requires() returned, with the inputs' numbers in place of the tasks."""
    fingerprint: str | None = None
    """Queries only: the fingerprint of the data."""
    rows: int | None = None
    """Queries only: the number of rows, if it was counted."""


class Plans:
    """The plans of one store."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._read: dict[str, dict[str, Planned]] = {}

    def write(self, tasks: Mapping[str, Planned], root: str, now: datetime) -> str:
        """Store a plan, {version: task}; returns its name. Plans that nobody follows any more are removed."""
        for old in self._names():
            if _time(old) < now - KEPT:
                self.remove(old)
        name = f"{now.astimezone(UTC):{_TIME}}-{root[:16]}"
        record = {"format": FORMAT, "tasks": {version: vars(task) for version, task in tasks.items()}}
        self._place.put(f"{PLANS}/{name}.json", json.dumps(record, ensure_ascii=False).encode("utf-8", "surrogatepass"))
        return name

    def remove(self, name: str) -> None:
        """Forget a plan; nothing happens where it does not exist."""
        self._place.remove(f"{PLANS}/{name}.json")

    def find(self, version: str) -> Planned | None:
        """What a version was planned from, by the newest plan that has it."""
        for name in reversed(self._names()):
            if name not in self._read:
                self._read[name] = self._tasks(name)
            if version in self._read[name]:
                return self._read[name][version]
        return None

    def _names(self) -> Sequence[str]:
        """The plans, the newest last; what is no plan does not count."""
        found = [name.removesuffix(".json") for name in self._place.files(PLANS)]
        return [name for name in found if _time(name) > datetime.min.replace(tzinfo=UTC)]

    def _tasks(self, name: str) -> dict[str, Planned]:
        """The tasks of a plan; none if it is gone by now, or is none."""
        try:
            record = json.loads(self._place.read(f"{PLANS}/{name}.json"))
            tasks = record["tasks"] if record["format"] == FORMAT else {}
            return {version: Planned(**task) for version, task in tasks.items()}
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return {}


def _time(name: str) -> datetime:
    try:
        return datetime.strptime(name.rpartition("-")[0], _TIME).replace(tzinfo=UTC)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
