"""Why reports of two runs differ, and in what: causes in words, tables, pictures; within bounds that are told."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from workflows.answers.diff import Difference, diff
from workflows.answers.diff_lines import causes
from workflows.answers.found import store
from workflows.answers.lineage import Node
from workflows.answers.steps import Step, tables_compared
from workflows.commits.pictures import Pictures
from workflows.errors import ParcoursError
from workflows.evaluation.changes import TableChange
from workflows.evaluation.runs import Made, Run
from workflows.evaluation.verdict import Details
from workflows.store.address import TABLE

TABLES = 8
"""Tables told of each report."""
LARGEST = 25_000_000
"""Bytes of two tables that are compared, as they are stored."""
ALL = 200_000_000
"""The same of one evaluation."""
_SIDE = re.compile(r"\b[AB]\b")


def details(run: Run, base_run: Run) -> tuple[dict[str, Details], dict[str, bytes]]:
    """For each report whose version is not the base's, by its key, why and in what it differs; and the pictures by their names.

    What is there of both sides is read from the store of the current directory's project.
    """
    before = {made.asked.key: made for made in base_run.reports}
    tables, pictures, found = Tables(), Pictures(), dict[str, Details]()
    for made in run.reports:
        base = before.get(made.asked.key)
        if base and (made.version, made.path) != (base.version, base.path):
            found[made.asked.key] = _details(made, base, tables, pictures)
    return found, pictures.files


@dataclass
class Tables:
    """The tables of one evaluation, each two compared once."""

    known: dict[tuple[str | None, str | None], TableChange | None] = field(default_factory=dict)
    left: int = ALL

    def compare(self, a: Node, b: Node) -> TableChange | None:
        key = a.digest, b.digest
        if key not in self.known:
            size = sum(node.record.outputs.get(TABLE, {}).get("bytes", 0) for node in (a, b) if node.record)
            is_within = size <= min(LARGEST, self.left)
            self.left -= size if is_within else 0
            self.known[key] = tables_compared(a, b) if is_within else None
        return self.known[key]


def _details(made: Made, base: Made, tables: Tables, pictures: Pictures) -> Details:
    failed = [] if base.failure is None else [f"the base's report failed: {base.failure}"]
    if made.path is None or base.path is None:
        return Details(tuple(failed))
    try:
        found = diff(store().shown(base.path), store().shown(made.path), compare=tables.compare)
    except ParcoursError as error:
        return Details((*failed, f"why it differs is not known: {error}"))
    left_out = pictures.left_out
    differing = [change for change in (found.shown.figures if found.shown else ()) if change.verdict != "same"]
    figures = tuple(filter(None, map(pictures.add, differing)))
    steps = [step for step in reversed(found.steps) if step.has_same_bytes is False and step.pair is not found.top]
    compared = [{"name": step.pair.name, **step.table.as_json()} for step in steps if step.table]
    rest = [*_untold(steps, len(compared)), *_not_shown(pictures.left_out - left_out)]
    return Details((*failed, *_causes(found), *rest), tuple(compared[:TABLES]), figures)


def _causes(found: Difference) -> list[str]:
    lines = causes(found)
    return [*lines, "  (A is the base, B the commit)"] if any(map(_SIDE.search, lines)) else lines


def _untold(steps: list[Step], compared: int) -> list[str]:
    """The tables that differ and are not among those that are told."""
    unread = [step.rows for step in steps if not step.table][:TABLES]
    more = len(steps) - len(unread) - min(compared, TABLES)
    return [
        *unread,
        *([f"{more} more table{'' if more == 1 else 's'} differ{'s' if more == 1 else ''}"] if more else []),
    ]


def _not_shown(number: int) -> list[str]:
    if not number:
        return []
    return [
        f"{number} more picture{'' if number == 1 else 's'} of other bytes {'is' if number == 1 else 'are'} not shown"
    ]
