"""Verdicts: a run compared with that of its base and judged by the limits of its suite. Runs in, a verdict out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

from workflows.evaluation.measures import Better
from workflows.evaluation.runs import Commit, Run
from workflows.evaluation.suites import Asked

FORMAT = 1
Word = Literal["better", "worse", "same", "new", "missing"]


@dataclass(frozen=True)
class MeasureVerdict:
    """One measure of a report, judged."""

    name: str
    unit: str
    better: Better | None
    base: float | int | None
    value: float | int | None
    verdict: Word
    absolute: float = 0.0
    relative: float = 0.0
    """The limits that it was judged by."""


@dataclass(frozen=True)
class ReportVerdict:
    """One report of the suite, judged."""

    asked: Asked
    path: str | None
    base_path: str | None
    state: Literal["made", "reused", "failed"]
    base_state: Literal["made", "reused", "failed", "missing"]
    failure: str | None
    measures: tuple[MeasureVerdict, ...]
    has_same_version: bool
    """Whether it is the base's very report, so that nothing can differ."""
    causes: tuple[str, ...] = ()
    """Why it differs from the base's, in lines."""
    tables: tuple[Mapping[str, Any], ...] = ()
    """For each input whose table differs: `name` and what evaluation.changes.TableChange.as_json says."""
    figures: tuple[Mapping[str, Any], ...] = ()
    """For each picture that differs: `cell`, `verdict`, `share` of the pixels that differ, and the files `old`, `new`, `difference`."""


@dataclass(frozen=True)
class Evaluation:
    """One commit run through a suite and compared with its base."""

    commit: Commit
    base: Commit | None
    suite: str
    verdict: Literal["better", "same", "worse", "nothing measured", "failed"]
    """The worst of all; `failed` where the infrastructure did, `nothing measured` where there is nothing to judge."""
    reports: tuple[ReportVerdict, ...]
    run: Run
    base_run: Run | None
    problem: str | None = None

    @property
    def exit_code(self) -> int:
        """0 not worse, 1 worse, 3 nothing measured, 4 infrastructure failed."""
        return {"better": 0, "same": 0, "worse": 1, "nothing measured": 3, "failed": 4}[self.verdict]

    def as_json(self) -> dict[str, Any]:
        """The content of `evaluation.json`."""
        return {"format": FORMAT, **asdict(self), "exit_code": self.exit_code}
