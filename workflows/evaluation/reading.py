"""Evaluations read for a view of one's own: their measures, reports and tables as DataFrames, their pictures, small charts.

`Evaluated.read("evaluation.json")` in a notebook; the template `regression_test` shows how the parts are used.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workflows.errors import PathError
from workflows.evaluation import wording
from workflows.evaluation.verdict import Evaluation, ReportVerdict

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Pictures:
    """A figure of a report as it was at the base and as it is now."""

    report: str
    cell: str
    verdict: str
    share: float | None
    """Of the pixels, those that differ."""
    files: dict[str, Path]
    """The pictures that are there: `base`, `commit`, `difference`."""

    @property
    def title(self) -> str:
        """What is shown, and how much of it differs."""
        share = f", {self.share * 100:.2g} % of its pixels" if self.share else ""
        return f"{self.report}, {self.cell}: {self.verdict}{share}"


@dataclass(frozen=True)
class Evaluated:
    """An evaluation with the folder that its pictures lie in."""

    evaluation: Evaluation
    folder: Path

    @classmethod
    def read(cls, path: str | Path) -> Evaluated:
        """The evaluation in a file; raises PathError for what is none."""
        try:
            found = Evaluation.from_json(json.loads(Path(path).read_bytes()))
        except OSError as error:
            raise PathError.no_evaluation(str(path), f"cannot be read ({error.strerror})") from error
        except (ValueError, AttributeError, TypeError, RecursionError) as error:
            raise PathError.no_evaluation(str(path), f"holds none ({error})") from error
        return cls(found, Path(path).parent)

    @property
    def headline(self) -> str:
        """The one sentence that it comes down to."""
        return wording.headline(self.evaluation)

    @property
    def counts(self) -> dict[str, int]:
        """How many measures there are of each verdict."""
        return wording.counts(self.evaluation)

    def measures(self) -> pd.DataFrame:
        """One row for each measure of each report, those that ask most to be read first."""
        columns = ["verdict", "report", "measure", "unit", "better", "base", "value", "change", "absolute", "relative"]
        rows = [
            (m.verdict, one.label, m.name, m.unit, m.better, m.base, m.value, m.change, m.absolute, m.relative)
            for one in wording.judged(self.evaluation)
            for m in [one.measure]
        ]
        return _frame(rows, columns)

    def reports(self) -> pd.DataFrame:
        """One row for each report: how it was made, at the base and now, and how much of it differs."""
        columns = ["verdict", "report", "base", "commit", "tables", "figures", "failure"]
        rows = [
            (r.verdict, self._label(r), r.base_state, r.state, len(r.tables), len(r.figures), r.failure)
            for r in self.evaluation.reports
        ]
        return _frame(rows, columns)

    def tables(self) -> pd.DataFrame:
        """One row for each table that differs, with how, in words."""
        rows = [
            (self._label(report), table["name"], table.get("sentence", "other rows"))
            for report in self.evaluation.reports
            for table in report.tables
        ]
        return _frame(rows, ["report", "table", "change"])

    def surroundings(self) -> pd.DataFrame:
        """One row for each thing around the code that differs: dataset, templates, Python, packages."""
        rows = [(change.name, change.old, change.new) for change in wording.surroundings(self.evaluation)]
        return _frame(rows, ["name", "base", "commit"])

    def causes(self) -> dict[str, tuple[str, ...]]:
        """Why each report differs, in lines, by the report's name."""
        return {self._label(report): report.causes for report in self.evaluation.reports if report.causes}

    def pictures(self) -> list[Pictures]:
        """The figures that differ."""
        return [self._pictures(report, given) for report in self.evaluation.reports for given in report.figures]

    def _pictures(self, report: ReportVerdict, given: Any) -> Pictures:
        sides = {"base": given.get("old"), "commit": given.get("new"), "difference": given.get("difference")}
        # A record may name anything; what does not lie beside it is none of its pictures.
        files = {side: self.folder / Path(name).name for side, name in sides.items() if name}
        there = {side: path for side, path in files.items() if path.is_file()}
        return Pictures(self._label(report), given["cell"], given["verdict"], given.get("share"), there)

    def _label(self, report: ReportVerdict) -> str:
        return wording.label(self.evaluation, report)


def _frame(rows: list[tuple[Any, ...]], columns: list[str]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(rows, columns=columns)
