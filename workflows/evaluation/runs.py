"""Runs: one state of the code put through a suite; what it made, before anything is compared or judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from workflows.evaluation.measures import Measure
from workflows.evaluation.suites import Asked

FORMAT = 1


@dataclass(frozen=True)
class Commit:
    """A state of the code."""

    sha: str
    """40 hex digits, or 64."""
    subject: str
    author: str
    committed: str
    """ISO 8601, UTC."""
    parents: tuple[str, ...] = ()
    dirty: str | None = None
    """A digest of the uncommitted work, where that is evaluated."""

    @property
    def state(self) -> str:
        """Its name in the store."""
        return f"{self.sha}-{self.dirty[:12]}" if self.dirty else self.sha

    @property
    def short(self) -> str:
        """Its name for people."""
        return f"{self.sha[:9]} with uncommitted work" if self.dirty else self.sha[:9]


@dataclass(frozen=True)
class Made:
    """One report of a run."""

    asked: Asked
    path: str | None = None
    """Its folder, relative to the store; that of what is left of it where it failed."""
    version: str | None = None
    is_reused: bool = False
    """Whether it was stored already when the run began."""
    failure: str | None = None
    """Why there is no report."""
    measures: tuple[Measure, ...] = ()


@dataclass(frozen=True)
class Run:
    """What a commit made of a suite."""

    commit: Commit
    suite: str
    work: str
    """The digest of the suite's work (Suite.work)."""
    suite_from: str
    """'commit', or 'trunk' where the commit has no such suite."""
    dataset: str
    dataset_digest: str
    lock: str
    """The digest of the lock that the environment was built from; empty where the commit has none."""
    python: str
    packages: Mapping[str, str]
    """The resolved versions, by distribution."""
    reports: tuple[Made, ...]
    results_made: int
    """Queries, stages and reports that were made, or tried, for this run."""
    results_reused: int
    """Those that were stored already."""
    started: str
    seconds: float
    host: str
    user: str
    templates: Mapping[str, str] = field(default_factory=dict)
    """The digest of each template, by name."""
    problem: str | None = None
    """Why nothing could be run at all: the environment, the code, the dataset."""

    def as_json(self) -> dict[str, Any]:
        """The content of `run.json`."""
        return {"format": FORMAT, **asdict(self)}

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Run:
        """The run in a `run.json`; raises ValueError for a record that is none."""
        try:
            values = {name: value for name, value in record.items() if name != "format"}
            commit = {**values.pop("commit")}
            commit["parents"] = tuple(commit["parents"])
            reports = tuple(_made(report) for report in values.pop("reports"))
            return cls(commit=Commit(**commit), reports=reports, **values)
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"it is no run: {error}") from error


def _made(record: Mapping[str, Any]) -> Made:
    asked, measures = Asked(**record["asked"]), tuple(Measure(**found) for found in record["measures"])
    return Made(**{**record, "asked": asked, "measures": measures})
