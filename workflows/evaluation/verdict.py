"""Verdicts: a run compared with that of its base and judged by the limits of its suite. Runs in, a verdict out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from workflows.evaluation.measures import Better
from workflows.evaluation.runs import Commit, Run
from workflows.evaluation.suites import Asked

FORMAT = 1
Word = Literal["better", "worse", "same", "new", "missing"]
State = Literal["made", "reused", "failed"]


@dataclass(frozen=True)
class Details:
    """Why a report differs from the base's, and in what."""

    causes: tuple[str, ...] = ()
    """In lines."""
    tables: tuple[Mapping[str, Any], ...] = ()
    """As in ReportVerdict."""
    figures: tuple[Mapping[str, Any], ...] = ()
    """As in ReportVerdict."""


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
    change: float | int | None = None
    """Value less base; None where either is none."""

    @property
    def is_lost(self) -> bool:
        """Whether a number with a direction is gone, so that nobody can say any more that it is not worse."""
        return self.verdict == "missing" and self.better is not None


@dataclass(frozen=True)
class ReportVerdict:
    """One report of the suite, judged."""

    asked: Asked
    path: str | None
    base_path: str | None
    state: State
    base_state: State | Literal["missing"]
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
    verdict: Word = field(default="same")
    """The worst of the report and its measures: 'worse' where it fails and the base's does not, or a measure is worse or lost."""


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
    """Why the infrastructure failed, or why there is nothing, or something else than usual, to compare with."""
    limits: str = ""
    """The digest of the limits that it was judged by (Suite.limits)."""

    @property
    def exit_code(self) -> int:
        """0 not worse, 1 worse, 3 nothing measured, 4 infrastructure failed."""
        return {"better": 0, "same": 0, "worse": 1, "nothing measured": 3, "failed": 4}[self.verdict]

    def as_json(self) -> dict[str, Any]:
        """The content of `evaluation.json`."""
        return {"format": FORMAT, **asdict(self), "exit_code": self.exit_code}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Evaluation:
        """The evaluation in an `evaluation.json`; raises ValueError for a record that is none."""
        try:
            values = {name: value for name, value in record.items() if name not in ("format", "exit_code")}
            run = Run.from_json(values.pop("run"))
            base_run = Run.from_json(record["base_run"]) if values.pop("base_run") else None
            commit, base = _commit(values.pop("commit")), values.pop("base")
            reports = tuple(_report(report) for report in values.pop("reports"))
            found = cls(
                commit=commit, base=base and _commit(base), reports=reports, run=run, base_run=base_run, **values
            )
            _ = found.exit_code  # a verdict that is none has no code
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"it is no evaluation: {error}") from error
        return found


def _commit(record: Mapping[str, Any]) -> Commit:
    return Commit(**{**record, "parents": tuple(record["parents"])})


def _report(record: Mapping[str, Any]) -> ReportVerdict:
    lists = {name: tuple(record[name]) for name in ("causes", "tables", "figures")}
    measures = tuple(MeasureVerdict(**found) for found in record["measures"])
    return ReportVerdict(**{**record, **lists, "asked": Asked(**record["asked"]), "measures": measures})
