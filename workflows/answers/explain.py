"""How an artefact, or a lone report, came to be: the whole tree, as far as the store still has it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from workflows.errors import PathError
from workflows.store.address import PROVENANCE, REPORT
from workflows.store.artefacts import Store
from workflows.store.provenance import Provenance, commit_of, taken_over
from workflows.tasks.project import current

_EMBEDDED = re.compile(r'<script type="application/json" id="provenance">(.*?)</script>', re.DOTALL)


@dataclass(frozen=True)
class Origin:
    """One result with the results it was made from."""

    task: str
    date: str
    version: str
    record: Provenance | None
    """None where the store no longer has it."""
    inputs: list[Origin] = field(default_factory=list)

    @property
    def name(self) -> str:
        """How people call it."""
        template = self.record.template["name"] if self.record and self.record.template else None
        return " ".join([self.task, *filter(None, [template]), *([self.date] if self.date != "-" else [])])

    @property
    def exit_code(self) -> int:
        """0: there is an answer."""
        return 0

    def as_json(self) -> dict[str, Any]:
        """The tree: each record with its inputs' records in place."""
        found: dict[str, Any] = {"task": self.task, "date": self.date, "version": self.version}
        if self.record:
            found = json.loads(self.record.to_json())
        return {**found, "inputs": [below.as_json() for below in self.inputs], "is_in_store": self.record is not None}

    def lines(self) -> list[str]:
        """The tree, one line for each result."""
        record = self.record
        assert record is not None
        started = datetime.fromisoformat(record.started)
        how = "failed" if record.failure else "made"
        lines = [
            f"{self.name}  {how} {started:%Y-%m-%d %H:%M} UTC by {record.user} on {record.host}, {record.seconds:.1f} s, "
            f"{commit_of(record.code)}",
            f"version {record.version}",
            f"Python {record.environment['python']}, "
            + ", ".join(f"{n} {v}" for n, v in record.environment["packages"].items()),
        ]
        if record.reused_from:
            lines.append(taken_over(record))
        if record.failure:
            lines.append("failed in cell {cell} of {of}: {reason}".format(**record.failure))
        return [*lines, *_branches(self, "")]


def explain(path: Path) -> Origin:
    """The origin of the artefact or report at a path; raises PathError where there is none."""
    record = read_record(path)
    return _origin(record.task, _date(record), record, current().store)


def read_record(path: Path) -> Provenance:
    """The provenance of the artefact, the failed report or the lone HTML file at a path; raises PathError where there is none."""
    shown = str(path)
    try:
        path = _recording(path)
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise PathError.no_artefact(shown, "does not exist") from error
    except IsADirectoryError as error:
        raise PathError.no_artefact(shown, "is a folder without provenance") from error
    except (UnicodeDecodeError, OSError) as error:
        raise PathError.no_artefact(shown, "cannot be read as text") from error
    if path.name != PROVENANCE:
        found = _EMBEDDED.search(text)
        if found is None:
            raise PathError.no_artefact(shown, "holds no provenance")
        text = found[1]
    try:
        return Provenance.from_json(text, shown)
    except ValueError as error:
        raise PathError.no_artefact(shown, "has no readable provenance") from error


def _recording(path: Path) -> Path:
    """The file that holds the provenance of what lies at a path."""
    if path.is_dir() and (path / PROVENANCE).is_file():
        path = path / PROVENANCE
    elif path.is_dir() and (path / REPORT).is_file():
        path = path / REPORT
    elif path.is_file() and path.suffix != ".html" and path.name != PROVENANCE and (path.parent / PROVENANCE).is_file():
        path = path.parent / PROVENANCE
    return path


def _origin(task: str, date: str, record: Provenance | None, store: Store) -> Origin:
    below = []
    for given in record.inputs if record else ():
        artefact = store.by_version(given["task"], given.get("date", "-"), given["version"])
        if artefact is None:
            below.append(Origin(given["task"], given.get("date", "-"), given["version"], None))
        else:
            below.append(_origin(given["task"], given.get("date", "-"), artefact.provenance, store))
    return Origin(task, date, record.version if record else "", record, below)


def _date(record: Provenance) -> str:
    return record.parameters.get("date", "-")


def _branches(origin: Origin, indent: str) -> Iterator[str]:
    groups: list[Sequence[Origin]] = [list(group) for _, group in groupby(origin.inputs, key=lambda below: below.task)]
    template = origin.record.template if origin.record else None
    leaves = len(groups) + (1 if template else 0)
    for number, group in enumerate(groups, 1):
        stem, deeper = ("└─ ", "   ") if number == leaves else ("├─ ", "│  ")
        if len(group) > 1:
            yield f"{indent}{stem}{group[0].task} x{len(group)}  {group[0].date} .. {group[-1].date}{_missing(group)}"
        else:
            yield f"{indent}{stem}{group[0].name}  {_facts(group[0])}".rstrip()
            yield from _branches(group[0], indent + deeper)
    if template:
        values = ", ".join(
            f"{name} {json.dumps(value, ensure_ascii=False)}" for name, value in template["values"].items()
        )
        yield f"{indent}└─ template {template['name']}  {values}"


def _facts(origin: Origin) -> str:
    record = origin.record
    if record is None:
        return f"version {origin.version[:16]} (no longer in the store)"
    if record.source:
        place = Path(str(record.source["database"])).name
        rows = f"{record.source['rows']} rows from {place}, fingerprint {record.source['fingerprint'][:16]}"
        return ", ".join(filter(None, [rows, taken_over(record)]))
    own = [f"{name} {value}" for name, value in record.parameters.items() if name not in ("version", "date")]
    return ", ".join(filter(None, [*own, taken_over(record)]))


def _missing(group: Sequence[Origin]) -> str:
    gone = sum(1 for below in group if below.record is None)
    return f" ({gone} no longer in the store)" if gone else ""
