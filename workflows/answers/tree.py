"""An origin drawn as a tree, and as JSON: each result once, and referred to wherever else it was used."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from workflows.answers.origin import Made, Origin
from workflows.store.provenance import Provenance, asked_by

_DEEPEST = 40
"""How many levels are drawn within one another; what lies deeper is drawn below the tree."""


class Drawing:
    """The lines of a tree."""

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._drawn: set[str] = set()
        self._later: list[list[Made]] = []

    def lines(self) -> Iterator[str]:
        """One line for each result, or for the results of one task that go in side by side."""
        self._later.append([self._origin.root])
        for number, group in enumerate(self._later):
            if number:
                yield f"{_title(group)}  (continued)"
            yield from self._below(group, "", 0)

    def _below(self, group: Sequence[Made], indent: str, depth: int) -> Iterator[str]:
        groups: dict[str, list[Made]] = {}
        for made in self._origin.below(group):
            groups.setdefault(made.task, []).append(made)
        record = group[0].record
        template = record.template if record else None
        leaves = len(groups) + (1 if template else 0)
        for number, below in enumerate(groups.values(), 1):
            stem, deeper = ("└─ ", "   ") if number == leaves else ("├─ ", "│  ")
            fresh = [made for made in below if made.version not in self._drawn]
            self._drawn.update(made.version for made in fresh)
            yield f"{indent}{stem}{_title(below)}{self._note(fresh, depth)}"
            if depth < _DEEPEST:
                yield from self._below(fresh, indent + deeper, depth + 1) if fresh else ()
        if template:
            values = (f"{name} {json.dumps(value, ensure_ascii=False)}" for name, value in template["values"].items())
            yield f"{indent}└─ template {template['name']}  {', '.join(values)}"

    def _note(self, fresh: list[Made], depth: int) -> str:
        if not fresh:
            return "  (above)"
        if depth == _DEEPEST and self._origin.below(fresh):
            self._later.append(fresh)
            return "  (continued below)"
        return ""


def nested(origin: Origin) -> dict[str, Any]:
    """The records, each with those of its inputs in place where they are met first; what lies too deep is in `further`."""
    told: set[str] = set()
    later: list[Made] = []

    def whole(made: Made, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {"task": made.task, "date": made.date, "version": made.version}
        is_elsewhere = made.version in told or (made.record is not None and depth > _DEEPEST)
        if is_elsewhere and made.version not in told:
            later.append(made)
        told.add(made.version)
        if made.record and not is_elsewhere:
            found |= made.record.as_record()
            digests = {i["version"]: i["digest"] for i in made.record.inputs}
            found["inputs"] = [{**whole(b, depth + 1), "digest": digests[b.version]} for b in origin.below([made])]
            found["computed"] = made.computed and made.computed.as_record()
        else:
            found["inputs"] = []
        return {**found, "is_in_store": made.record is not None, "is_told_elsewhere": is_elsewhere}

    tree = whole(origin.root, 0)
    further = []
    for made in later:
        told.discard(made.version)
        further.append(whole(made, 1))
    return {**tree, "further": further}


def when_and_who(record: Provenance) -> str:
    """When, by whom and where a result was made."""
    return f"{record.started[:10]} {record.started[11:16]} UTC by {record.user} on {record.host}{asked_by(record.as_record())}"


def _title(group: Sequence[Made]) -> str:
    """A line about one result, or about several of one task."""
    if len(group) == 1:
        return f"{group[0].name}  {_facts(group[0])}".rstrip()
    gone = sum(1 for made in group if made.record is None)
    dates = sorted({made.date for made in group})
    span = dates[0] if len(dates) == 1 else f"{dates[0]} .. {dates[-1]}"
    return f"{group[0].task} x{len(group)}  {span}{f' ({gone} not in the store)' if gone else ''}"


def _facts(made: Made) -> str:
    record = made.record
    if record is None:
        return f"version {made.version[:16]} (not in the store)"
    return ", ".join([*own(record), *reuse(made), *accepted(record)])


def own(record: Provenance) -> list[str]:
    """What a table was made with: the rows of a query and where they are from, the parameters of a stage."""
    if record.source:
        place = Path(str(record.source["database"])).name
        return [f"{record.source['rows']} rows from {place}, fingerprint {str(record.source['fingerprint'])[:16]}"]
    return [f"{name} {value}" for name, value in record.parameters.items() if name not in ("version", "date")]


def reuse(made: Made) -> list[str]:
    """Whose bytes a result has, if it was not computed."""
    record = made.record
    if not record or not record.reused_from:
        return []
    who = f"computed {when_and_who(made.computed)}" if made.computed else "not in the store"
    return [f"reused from {(made.computed.version if made.computed else record.reused_from)[:16]} ({who})"]


def accepted(record: Provenance) -> list[str]:
    """Who declared a change of its code to be without effect, and why."""
    told = record.accepted
    return [f"change accepted by {told['user']} {str(told['time'])[:10]}: {told['reason']}"] if told else []
