"""What would happen if a form were sent: the plan, as a process of its own tells it, drawn up for the page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from workflows.web import asking

_ALONE = ("never made", "lost", "template", "equal", "accepted")
"""Causes whose sentence says of what kind they are."""
_SHOWN = 60
"""How many lines of a difference are shown."""


@dataclass(frozen=True)
class Group:
    """Tasks of the same name that would run for the same cause."""

    name: str
    dates: tuple[str, ...]
    """Ascending; '-' for what is of no date."""
    action: str
    """'run', 'take over' or 'reuse'."""
    kind: str
    """Which sort of cause it is; empty where the sentence says so, or there is none."""
    sentence: str
    lines: tuple[str, ...] = ()
    """The difference behind it, as far as it is shown."""
    left: int = 0
    """How many lines more there are."""

    @property
    def when(self) -> str:
        """The dates in words."""
        first, last = self.dates[0], self.dates[-1]
        if first == "-":
            return ""
        return first if first == last else f"{first} to {last}"


@dataclass(frozen=True)
class Plan:
    """What would run, and what is there."""

    groups: tuple[Group, ...] = ()
    """What would run or be taken over, inputs first."""
    reused: tuple[Group, ...] = ()
    error: str = ""
    """Why there is none, in a sentence."""

    @property
    def summary(self) -> str:
        """The plan in a line."""
        run, taken = self._count("run"), self._count("take over")
        if not run and not taken:
            return "Complete, nothing to do"
        said = [
            f"will run {run}",
            *([f"take over {taken}"] if taken else []),
            f"reuse {sum(len(g.dates) for g in self.reused)}",
        ]
        return ", ".join(said).capitalize()

    def _count(self, action: str) -> int:
        return sum(len(group.dates) for group in self.groups if group.action == action)


def plan(question: Sequence[str]) -> Plan:
    """The plan that these words ask for."""
    reply = asking.ask_in_turn(*question)
    if not isinstance(reply.answer, list):
        return Plan(error=reply.said or "There is no plan; the page's log says why.")
    groups = [_group(list(steps)) for _, steps in groupby(sorted(_numbered(reply.answer), key=_place), key=_place)]
    return Plan(
        tuple(group for group in groups if group.action != "reuse"),
        tuple(group for group in groups if group.action == "reuse"),
    )


def _numbered(steps: Sequence[dict[str, Any]]) -> list[tuple[int, dict[str, Any]]]:
    """Each step with the place of the first one of its kin."""
    places: dict[tuple[str, ...], int] = {}
    for step in steps:
        places.setdefault(_kin(step), len(places))
    return [(places[_kin(step)], step) for step in steps]


def _place(numbered: tuple[int, dict[str, Any]]) -> int:
    return numbered[0]


def _kin(step: dict[str, Any]) -> tuple[str, ...]:
    cause = step["cause"] or {"kind": "", "sentence": ""}
    return step["action"], step["task"], step["template"] or "", cause["kind"], cause["sentence"]


def _group(numbered: Sequence[tuple[int, dict[str, Any]]]) -> Group:
    steps = [step for _, step in numbered]
    first = steps[0]
    cause = first["cause"] or {"kind": "", "sentence": "", "diff": []}
    name = " ".join(filter(None, [first["task"], first["template"]]))
    return Group(
        name=name,
        dates=tuple(sorted(step["date"] for step in steps)),
        action=first["action"],
        kind="" if cause["kind"] in _ALONE else cause["kind"],
        sentence=cause["sentence"],
        lines=tuple(cause["diff"][:_SHOWN]),
        left=max(0, len(cause["diff"]) - _SHOWN),
    )
