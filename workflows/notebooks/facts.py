"""What a report's page says about where it came from: computed here, drawn by the page."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Any

from workflows.store.provenance import asked_by, commit_of
from workflows.store.timing import Timing, duration

Rows = Sequence[tuple[str, str]]
_MOST = 4
"""How many of the parts that took time are named."""


@dataclass(frozen=True)
class PageFacts:
    """Everything on a report's page that is not the notebook."""

    title: str
    """The heading of the browser's window."""
    state: str
    """'made', 'failed' or 'running'."""
    shows_code: bool
    """Whether the page opens with its code shown."""
    summary: str = ""
    """How the report came to be, in one line."""
    banner: Sequence[str] = ()
    """What is wrong, or how far it is; the first line is the sentence, the others are set in a fixed font."""
    sections: Sequence[tuple[str, Rows]] = ()
    """Headed tables of names and values."""
    measures: Rows = ()
    """Each measure's name and value."""
    record: dict[str, Any] = field(default_factory=dict)
    """The provenance, embedded in the page."""


def summary(record: dict[str, Any]) -> str:
    """One line: when, by whom, where, how long, from which commit."""
    moment = datetime.fromisoformat(record["started"])
    return (
        f"{'Failed' if record.get('failure') else 'Made'} {moment:%Y-%m-%d %H:%M} UTC by {record['user']} on {record['host']} "
        f"in {record['seconds']:.1f} s{asked_by(record)}, {commit_of(record['code'])}, version {record['version'][:16]}"
    )


def sections(record: dict[str, Any]) -> list[tuple[str, Rows]]:
    """The provenance as headed tables."""
    found: list[tuple[str, Rows]] = []
    template = record.get("template")
    if template:
        found.append(
            (f"Template {template['name']}", [(name, shown(value)) for name, value in template["values"].items()])
        )
    found.append(("Inputs", input_lines(record["inputs"]) or [("none", "")]))
    found.append(
        (
            "Code",
            [
                ("digest", record["code"]["digest"][:16]),
                *((path, d[:16]) for path, d in record["code"]["files"].items()),
            ],
        )
    )
    environment = record["environment"]
    found.append(("Environment", [("Python", environment["python"]), *environment["packages"].items()]))
    if record.get("reused_from"):
        found.append(("Reused", [("the bytes of version", record["reused_from"][:16])]))
    timing = Timing.of(record.get("timing"))
    if timing:
        found.append(("Time", [("until this page was drawn", time_line(timing))]))
    return found


def time_line(timing: Timing) -> str:
    """All of the time, and what took most of it."""
    parts = sorted([*timing.parts.items(), ("cells", sum(timing.cells))], key=lambda part: -part[1])
    return f"{duration(timing.seconds)}: {', '.join(f'{name} {duration(seconds)}' for name, seconds in parts[:_MOST])}"


def input_lines(inputs: Iterable[dict[str, Any]]) -> list[tuple[str, str]]:
    """Inputs, one line for each task, consecutive dates of the same task together."""
    lines = []
    for task, group in groupby(inputs, key=lambda item: item["task"]):
        items = list(group)
        dates = [item.get("date", "-") for item in items]
        times = f" x{len(items)}" if len(items) > 1 else ""
        span = dates[0] if len(items) == 1 else f"{dates[0]} .. {dates[-1]}"
        version = f", version {items[0]['version'][:16]}" if len(items) == 1 else ""
        lines.append((f"{task}{times}", f"{span}{version}"))
    return lines


def shown(value: Any) -> str:
    """A parameter's value for people."""
    return value if isinstance(value, str) and value else repr(value)
