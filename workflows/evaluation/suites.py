"""Suites: the reports, dates and limits that a commit is evaluated with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from workflows.evaluation.measures import Better
from workflows.identity.canonical import digest

FILE = "suites.toml"
"""The file of the suites, beside the templates."""
DEFAULT = "default"
"""The suite that is meant where none is named."""


@dataclass(frozen=True)
class Asked:
    """One report of a suite."""

    template: str
    date: str
    """ISO 8601."""
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """What tells the reports of a suite apart: 'anomaly_report 2013-01-15 threshold=4'."""
        return " ".join(
            [self.template, self.date, *(f"{name}={value}" for name, value in sorted(self.parameters.items()))]
        )


@dataclass(frozen=True)
class Limit:
    """When a measure counts as worse: by more than both of these in the wrong direction."""

    better: Better | None = None
    """Which direction is better; None for what the measure itself says."""
    absolute: float = 0.0
    relative: float = 0.0
    """A share of the base's value: 0.05 is 5 %."""


@dataclass(frozen=True)
class Suite:
    """What a commit is evaluated with."""

    name: str
    dataset: str
    reports: tuple[Asked, ...]
    measures: Mapping[str, Limit] = field(default_factory=dict)
    """By the name of the measure; `TEMPLATE.NAME` is for one template only and comes first."""

    @property
    def work(self) -> str:
        """A digest of what is run; limits are not part of it."""
        return digest([self.dataset, [[a.template, a.date, dict(a.parameters)] for a in self.reports]])

    @property
    def limits(self) -> str:
        """A digest of what is judged by."""
        return digest([[name, asdict(limit)] for name, limit in sorted(self.measures.items())])

    def limit(self, template: str, measure: str) -> Limit:
        """The limit of a measure of a template's report."""
        return self.measures.get(f"{template}.{measure}") or self.measures.get(measure) or Limit()
