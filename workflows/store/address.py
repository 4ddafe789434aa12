"""Where an artefact lies in the store."""

from __future__ import annotations

import re
from dataclasses import dataclass

PROVENANCE = "provenance.json"
TABLE = "table.parquet"
REPORT = "report.html"
NOTEBOOK = "report.ipynb"
MEASURES = "measures.json"
FAILURE = "failure.json"

REPORTS = "ReportTask"
DAMAGED = "damaged"
FAILED = "failed"
CODE = "code"
SOURCES = f"{CODE}/sources"
UNCATALOGUED = "uncatalogued"

OBSERVED = "observed"
PLANS = "plans"
ACCEPTED = "accepted"
EVALUATIONS = "evaluations"
DATASETS = "datasets"

# The folders at the top of the store that hold no artefacts, or artefacts that do not count.
_OTHERS = {DAMAGED, FAILED, CODE, UNCATALOGUED, OBSERVED, PLANS, ACCEPTED, EVALUATIONS, DATASETS}


# The folder of an artefact; those at the same depth of what is damaged or failed are named by dates.
_VERSIONED = re.compile(r"(?:.+-)?[0-9a-f]{16}")


@dataclass(frozen=True)
class Address:
    """The place of one version of one result."""

    task: str
    """The task's family."""
    date: str
    """The date of the result, or '-'."""
    version: str
    """64 hex digits, of which the folder's name shows 16."""
    template: str | None = None
    """The template, for reports."""

    @property
    def folder(self) -> str:
        """The folder of all versions of this result, relative to the store."""
        return f"{self.task}/{self.date}"

    @property
    def prefix(self) -> str:
        """What the folder's name shows before the version."""
        return f"{self.template}-" if self.template else ""

    @property
    def path(self) -> str:
        """The artefact's folder, relative to the store."""
        return f"{self.folder}/{self.prefix}{self.version[:16]}"

    def __str__(self) -> str:
        return self.path


def is_of_tasks(name: str) -> bool:
    """Whether a folder at the top of the store holds the artefacts of a task."""
    return name not in _OTHERS and not name.startswith(".")


def is_versioned(name: str) -> bool:
    """Whether a folder's name is that of an artefact."""
    return _VERSIONED.fullmatch(name) is not None
