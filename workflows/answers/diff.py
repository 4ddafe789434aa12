"""Why two results differ: the first place where they part, the causes, and what they show side by side."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from workflows.answers.figures import Shown, compare_outputs
from workflows.answers.lineage import Node, Pair, lineage, paired
from workflows.answers.steps import Step, step_of, tables_compared
from workflows.answers.texts import TextChange
from workflows.errors import PathError
from workflows.evaluation.changes import MeasureChange, TableChange
from workflows.evaluation.comparison import compare_measures
from workflows.evaluation.measures import Measure, from_json
from workflows.identity.changes import ValueChange
from workflows.store.address import MEASURES, NOTEBOOK
from workflows.store.provenance import Provenance

Compare = Callable[[Node, Node], TableChange | None]
PARTS = ("code", "data", "parameters", "environment", "template")


@dataclass(frozen=True)
class Difference:
    """How two results differ."""

    paths: tuple[str, str]
    """As they were given."""
    steps: tuple[Step, ...]
    """Every result of both sides, from the queries to the two themselves, which are the last."""
    measures: tuple[MeasureChange, ...] | None
    """None where the measures of a side are not at hand."""
    shown: Shown | None
    """None where a side shows nothing, or its notebook is not at hand."""
    page: Path | None = None
    """Where the page was written."""

    @property
    def exit_code(self) -> int:
        """0: there is an answer."""
        return 0

    @property
    def top(self) -> Pair:
        """The two results that were asked about."""
        return self.steps[-1].pair

    @property
    def records(self) -> tuple[Provenance, Provenance]:
        """The records of the two."""
        assert self.top.a.record is not None
        assert self.top.b.record is not None
        return self.top.a.record, self.top.b.record

    @cached_property
    def parting(self) -> Step | None:
        """The first result where they part: one that came out otherwise, if any did."""
        found = [step for step in self.steps if step.differs]
        return next((step for step in found if not step.has_same_bytes), found[0] if found else None)

    @property
    def random(self) -> list[Step]:
        """The results that are not deterministic."""
        return [step for step in self.steps if step.is_random]

    @property
    def code(self) -> list[TextChange]:
        """The definitions and files that differ, each once."""
        return _once(change for step in self.steps for change in step.code)

    @property
    def template(self) -> list[TextChange]:
        """The cells of the template that differ."""
        return _once(change for step in self.steps for change in step.template)

    @property
    def parameters(self) -> list[ValueChange]:
        """The parameters that differ, those of the two themselves first."""
        return _once(change for step in reversed(self.steps) for change in step.parameters)

    @property
    def environment(self) -> list[ValueChange]:
        """The packages that differ."""
        return _once(change for step in self.steps for change in step.environment)

    @property
    def data(self) -> list[Step]:
        """The queries whose rows differ."""
        return [step for step in self.steps if step.is_query and step.has_same_bytes is False]

    @property
    def results(self) -> list[Step]:
        """The stages whose tables differ."""
        return [
            step for step in self.steps if not step.is_query and step.has_same_bytes is False and step.pair.a.digest
        ]

    @property
    def inputs(self) -> list[str]:
        """What only one side was made from, in words."""
        return [sentence for step in self.steps for sentence in step.inputs]

    @property
    def unknown(self) -> list[str]:
        """What cannot be known, in sentences."""
        found = [sentence for step in self.steps for sentence in step.unknown]
        sides = [(side, node) for side, node in (("A", self.top.a), ("B", self.top.b))]
        for what, name, is_known in (
            ("measures", MEASURES, self.measures is not None),
            ("figures", NOTEBOOK, self.shown is not None),
        ):
            gone = [side for side, node in sides if node.record and node.record.template and node.file(name) is None]
            found += [f"the {what} of {side}: its {name} is not at hand" for side in gone if not is_known]
        return list(dict.fromkeys(found))

    @property
    def same(self) -> list[str]:
        """The parts that do not differ."""
        parts: list[Sequence[object]] = [self.code, self.data, self.parameters, self.environment, self.template]
        has_template = any(record.template for record in self.records)
        names = PARTS if has_template else PARTS[:-1]
        return [name for name, part in zip(names, parts, strict=False) if not part]

    @property
    def is_certain(self) -> bool:
        """Whether the records of every result are at hand."""
        return not any(step.unknown for step in self.steps)

    @property
    def headline(self) -> str:
        """Where they part, in a sentence."""
        if self.parting:
            return f"They part at {self.parting.pair.name}: {self.parting.reason}."
        return "They are the same." if self.is_certain else "They are the same, as far as it is known."

    def lines(self) -> list[str]:
        """The difference in a few lines."""
        from workflows.answers.diff_lines import lines

        return lines(self)

    def as_json(self) -> dict[str, Any]:
        """Everything for a program, the pictures apart."""
        return {
            "a": _side(self.paths[0], self.records[0]),
            "b": _side(self.paths[1], self.records[1]),
            "headline": self.headline,
            "part_at": self.parting and self.parting.as_json(),
            **{name: [change.as_json() for change in getattr(self, name)] for name in PARTS},
            "results": [step.as_json() for step in self.results],
            "not_deterministic": [step.pair.name for step in self.random],
            "inputs": self.inputs,
            "same": self.same,
            "measures": None if self.measures is None else [change.as_json() for change in self.measures],
            "figures": None if self.shown is None else [figure.as_json() for figure in self.shown.figures],
            "cells": None if self.shown is None else list(self.shown.cells),
            "unknown": self.unknown,
            "page": self.page and str(self.page),
        }


def diff(a: str, b: str, page: Path | None = None, compare: Compare = tables_compared) -> Difference:
    """How the artefacts or reports at two paths, or of two versions, differ; `page` is where an HTML page of it is written,
    `compare` what compares the tables.

    Raises PathError where a path holds no artefact, where the two are not results of the same task, and where the page
    cannot be written.
    """
    if page is not None:
        _check_writable(page)
    nodes = lineage(a), lineage(b)
    if nodes[0].task != nodes[1].task:
        raise PathError.other_task(b, nodes[1].task, a, nodes[0].task)
    found = _difference((a, b), *nodes, compare)
    if page is None:
        return found
    from workflows.answers.diff_page import write_page

    write_page(found, page)
    return replace(found, page=page)


def _difference(paths: tuple[str, str], a: Node, b: Node, compare: Compare) -> Difference:
    pairs = paired(a, b)
    top = pairs[-1]
    shown, measures = _shown(a, b), _measures(a, b)
    bytes_of_top = _has_same_outputs(top, shown, measures)
    steps = [step_of(pair, top, bytes_of_top if pair is top else pair.has_same_bytes, compare) for pair in pairs]
    return Difference(paths, tuple(steps), measures, shown)


def _has_same_outputs(top: Pair, shown: Shown | None, measures: Sequence[MeasureChange] | None) -> bool | None:
    """Whether the two came out the same: tables by their digest, reports by what they show."""
    if top.has_same_bytes is not None:
        return top.has_same_bytes
    records = [record for record in (top.a.record, top.b.record) if record]
    digests = [[record.outputs.get(name, {}).get("sha256") for name in (NOTEBOOK, MEASURES)] for record in records]
    if all(digests[0]) and digests[0] == digests[1]:
        return True
    if shown is None or measures is None:
        # The notebook names its tables by their versions, so that its bytes differ with those alone.
        return None if top.a.version != top.b.version or not all(map(all, digests)) else False
    return not shown.cells and all(change.is_same for change in measures)


def _shown(a: Node, b: Node) -> Shown | None:
    old, new = a.file(NOTEBOOK), b.file(NOTEBOOK)
    try:
        return compare_outputs(old, new) if old and new else None
    except ValueError:
        return None


def _measures(a: Node, b: Node) -> tuple[MeasureChange, ...] | None:
    old, new = _measured(a), _measured(b)
    return None if old is None or new is None else tuple(compare_measures(old, new))


def _measured(node: Node) -> list[Measure] | None:
    """The measures of a side; none where it recorded none, None where they are not at hand."""
    record = node.record
    if record and not record.failure and record.outputs and MEASURES not in record.outputs:
        # A lone page lists what lies beside it, a stage without measures does not.
        return []
    path = node.file(MEASURES)
    return None if path is None else from_json(path.read_bytes())


def _check_writable(page: Path) -> None:
    if page.is_dir():
        raise PathError.not_writable(str(page), "is a folder")
    if not page.absolute().parent.is_dir():
        raise PathError.not_writable(str(page), "lies in a folder that does not exist")
    if not os.access(page.absolute().parent, os.W_OK):
        raise PathError.not_writable(str(page), "lies in a folder that cannot be written")


def _side(path: str, record: Provenance) -> dict[str, Any]:
    parts = ("task", "version", "parameters", "started", "host", "user", "code", "environment", "failure")
    return {"path": path, **{name: getattr(record, name) for name in parts}}


def _once(changes: Iterable[Any]) -> list[Any]:
    """Changes without those that say what one before says."""
    found: dict[object, Any] = {}
    for change in changes:
        found.setdefault((change.sentence, getattr(change, "lines", ())), change)
    return list(found.values())
