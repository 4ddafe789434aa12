"""One result of two sides: why it differs by itself, apart from what it was made from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from workflows.answers.lineage import Node, Pair
from workflows.answers.texts import TextChange, template_changes, texts_changed
from workflows.evaluation.changes import TableChange
from workflows.evaluation.comparison import compare_tables
from workflows.identity.changes import ValueChange, environment_changes, value_changes
from workflows.identity.syntax import normal_sql
from workflows.store.address import TABLE
from workflows.store.provenance import Provenance


@dataclass(frozen=True)
class Step:
    """A result of both sides, with what of its own differs."""

    pair: Pair
    has_same_bytes: bool | None
    """Whether both came out the same; None where that is not known."""
    code: tuple[TextChange, ...] = ()
    parameters: tuple[ValueChange, ...] = ()
    environment: tuple[ValueChange, ...] = ()
    template: tuple[TextChange, ...] = ()
    has_other_data: bool = False
    """Whether the database gave other rows for the same statement."""
    table: TableChange | None = None
    """How its table differs; None where it does not, one of them is not at hand, or they are too large."""

    @property
    def inputs(self) -> list[str]:
        """The inputs that only one side has, in words."""
        sides = (("A", self.pair.only_a), ("B", self.pair.only_b))
        return [f"only {side} uses {nodes}" for side, found in sides for nodes in _spans(found)]

    @property
    def one_failed(self) -> bool:
        """Whether one side is a failed report, the other not."""
        records = (self.pair.a.record, self.pair.b.record)
        return len({bool(record.failure) for record in records if record}) == 2

    @property
    def causes(self) -> list[str]:
        """What of its own differs, in the words of the parts."""
        parts = {
            "code": self.code,
            "template": self.template,
            "parameters": self.parameters,
            "environment": self.environment,
            "data": self.has_other_data,
            "inputs": self.inputs,
        }
        found = [name for name, part in parts.items() if part]
        return found or (["one failed"] if self.one_failed else [])

    @property
    def is_random(self) -> bool:
        """Whether the same inputs, code, environment and parameters gave other bytes."""
        return self.has_same_bytes is False and not (self.causes or self.unknown or self.has_other_inputs)

    @property
    def has_other_inputs(self) -> bool:
        """Whether any input came out otherwise."""
        return any(below.has_same_bytes is False for below in self.pair.inputs)

    @property
    def randomness(self) -> str:
        """What shows that it is not deterministic; of a version, the recipe and the versions of the inputs are the same."""
        is_certain = all(below.has_same_bytes for below in self.pair.inputs)
        same = "same inputs, code and environment" if is_certain else "same version"
        return f"{self.pair.name} is not deterministic: {same}, other bytes"

    @property
    def differs(self) -> bool:
        """Whether the two part here, if not before."""
        return bool(self.causes) or (self.has_same_bytes is False and not self.has_other_inputs)

    @property
    def reason(self) -> str:
        """Why they differ here: 'data', 'code and parameters'."""
        if self.is_random:
            return "not deterministic"
        causes = self.causes or ["not known why"]
        return " and ".join(filter(None, [", ".join(causes[:-1]), causes[-1]]))

    @property
    def unknown(self) -> list[str]:
        """What cannot be known of it, in sentences."""
        is_other = self.pair.a.version != self.pair.b.version
        found = []
        for side, node in (("A", self.pair.a), ("B", self.pair.b)):
            gone = f"{side}'s {node.name} is not in the store"
            if node.record is None and is_other:
                found.append(f"{gone}: how it was made is not known")
            elif node.record and node.record.observed and node.has_other_bytes:
                found.append(f"{gone}: what was in the files that it opened is not known")
        return found

    @property
    def is_query(self) -> bool:
        """Whether its rows come from a database."""
        return any(record is not None and record.source for record in (self.pair.a.record, self.pair.b.record))

    @property
    def rows(self) -> str:
        """How the table differs, in words."""
        old, new = (_rows(node) for node in (self.pair.a, self.pair.b))
        counts = f"{old} rows -> {new} rows" if old != new else f"{new} rows"
        if self.table:
            return f"{self.pair.name}: {counts}, {self.table.sentence}"
        missing = " and ".join(s for s, node in (("A", self.pair.a), ("B", self.pair.b)) if node.file(TABLE) is None)
        why = f"the table of {missing} is not in the store" if missing else "too large to be compared"
        return f"{self.pair.name}: {counts}, not the same; {why}"

    def as_json(self) -> dict[str, Any]:
        """The step for a program; the changes themselves are listed once, for all steps."""
        return {
            "name": self.pair.name,
            "causes": self.causes,
            "has_same_bytes": self.has_same_bytes,
            "is_deterministic": not self.is_random,
            "inputs": self.inputs,
            "unknown": self.unknown,
            "table": self.table and self.table.as_json(),
        }


def tables_compared(a: Node, b: Node) -> TableChange | None:
    """How the tables of two results differ; None where one of them is not at hand."""
    files = a.file(TABLE), b.file(TABLE)
    if files[0] is None or files[1] is None:
        return None
    from workflows.data.tables import read_table

    return compare_tables(read_table(files[0]), read_table(files[1]))


def step_of(
    pair: Pair, top: Pair, has_same_bytes: bool | None, compare: Callable[[Node, Node], TableChange | None]
) -> Step:
    """What of a result differs by itself; `top` is the pair that was asked about, whose date is its own."""
    a, b = pair.a, pair.b
    table = compare(a, b) if has_same_bytes is False else None
    if a.record is None or b.record is None:
        return Step(pair, has_same_bytes, table=table)
    parameters = [
        change
        for change in value_changes(a.record.given, b.record.given)
        if change.name != "date" or pair is top or not pair.is_same_day
    ]
    return Step(
        pair,
        has_same_bytes,
        tuple(texts_changed(a, b)),
        tuple(parameters),
        tuple(environment_changes(a.record.environment, b.record.environment)),
        tuple(template_changes(a, b)),
        _has_other_data(a.record, b.record),
        table,
    )


def _has_other_data(a: Provenance, b: Provenance) -> bool:
    """Whether the rows differ for another reason than the statement."""
    if not (a.source and b.source):
        return False
    statements = [normal_sql(record.source["query"]) for record in (a, b) if record.source]
    return statements[0] == statements[1] and a.source["fingerprint"] != b.source["fingerprint"]


def _rows(node: Node) -> str:
    rows = node.record.outputs.get(TABLE, {}).get("rows") if node.record and not node.has_other_bytes else None
    return "?" if rows is None else f"{rows:,}"


def _spans(nodes: tuple[Node, ...]) -> list[str]:
    """Results in words, those of a task together."""
    found = []
    for task, group in groupby(nodes, key=lambda node: node.task):
        some = list(group)
        found.append(some[0].name if len(some) == 1 else f"{task} x{len(some)}  {some[0].date} .. {some[-1].date}")
    return found
