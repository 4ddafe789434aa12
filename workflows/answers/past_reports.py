"""What reports of a template that are in the store tell of it, made and failed: the time of their cells, and their checks."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from workflows.answers.bars import first_lines
from workflows.answers.found import is_legible
from workflows.errors import ParcoursError
from workflows.evaluation.checks import Checked, Stop, in_notebook
from workflows.identity.memo import Memo
from workflows.store.address import FAILURE, NOTEBOOK, PROVENANCE
from workflows.store.artefacts import Store
from workflows.store.provenance import Provenance
from workflows.store.timing import Timing


@dataclass(frozen=True)
class PastReport:
    """One report."""

    path: str
    """Its folder, relative to the store."""
    started: str
    """ISO 8601, UTC."""
    is_made: bool
    """Whether it did not fail."""
    template: str
    """The digest of its template."""
    maker: str
    """The version that computed its bytes."""
    cell_seconds: list[float]
    """How long each code cell took; none where nothing was computed, or nobody took the time."""
    first_lines: list[str]
    """The first line of each code cell."""
    checks: list[Checked]

    @classmethod
    def from_json(cls, known: dict[str, Any]) -> PastReport:
        """The report that `asdict` gave."""
        return cls(**{**known, "checks": [Checked(**found) for found in known["checks"]]})


Place = tuple[str, str]
"""The folder of a report in the store, and the time of its start."""


def key_of(place: Place) -> str:
    """What a report is kept under."""
    return " ".join(place)


def past_reports(store: Store, places: Iterable[Place], memo: Memo) -> list[PastReport]:
    """The reports in these places, newest first.

    One that cannot be read is left out. Notebooks are large, so what was found in one is kept.
    """
    found: list[PastReport] = []
    for path, started in places:
        key = key_of((path, started))
        if memo.get(key) is None:
            for report in _read(store, path):
                memo.put(key, asdict(report))
        known = memo.get(key)
        found += [PastReport.from_json(known)] if known else []
    return sorted(found, key=lambda report: report.started, reverse=True)


def _read(store: Store, path: str) -> Iterator[PastReport]:
    data = store.bytes_of(f"{path}/{PROVENANCE}") or store.bytes_of(f"{path}/{FAILURE}")
    with contextlib.suppress(ValueError, ParcoursError):
        record = Provenance.from_json(data or b"", path)
        if is_legible(record):
            yield _told(path, record, _cells(store.bytes_of(f"{path}/{NOTEBOOK}")))


def _told(path: str, record: Provenance, cells: list[dict[str, Any]]) -> PastReport:
    timing, failure = Timing.of(record.timing), record.failure
    stop = Stop(int(failure["cell"]), str(failure["reason"]), str(failure["line"])) if failure else None
    return PastReport(
        path=path,
        started=record.started,
        is_made=failure is None,
        template=str(record.template["digest"]) if record.template else "",
        maker=record.maker,
        cell_seconds=list(timing.cells) if timing and not record.reused_from else [],
        first_lines=list(first_lines("".join(cell["source"]) for cell in cells)),
        checks=in_notebook(cells, stop),
    )


def _cells(notebook: bytes | None) -> list[dict[str, Any]]:
    """The code cells of a notebook; none where it is gone, or none."""
    try:
        cells = json.loads(notebook or b"")["cells"]
        return [cell for cell in cells if cell["cell_type"] == "code" and isinstance(cell["source"], str | list)]
    except (ValueError, KeyError, TypeError):
        return []
