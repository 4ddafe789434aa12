"""One report in a running process, its data ready: against papermill and nbconvert, and against its cells alone.

Goals: at least 10 times faster than `papermill.execute_notebook` and nbconvert's HTML of the same filled notebook; at most
twice what its cells take in one warm Python process; a kernel that holds at most 80 MB beyond its parent after a report.
Ours is the whole path: planned, executed, rendered, stored with its provenance. The sides run in turn, on other days.
Run: .venv/bin/python benchmarks/report.py [DAYS]
"""

from __future__ import annotations

import contextlib
import datetime
import io
import os
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil
from against import Floor, filled, floor, papermill, write_small
from workplace import ROOT, outrun, workplace

FIRST = datetime.date(2013, 1, 1)
TEMPLATES = ("small", "anomaly_report")


def planned(template: str, days: int) -> list[Any]:
    """The reports of a template, one day more than is measured, with their data made."""
    from workflows import ReportTask
    from workflows.tasks.build import built

    reports = [ReportTask(date=FIRST + datetime.timedelta(days=n), template=template) for n in range(days + 1)]
    built([task for report in reports for task in report.requires().values()])
    return reports


def made(report: Any) -> float:
    """Make a report; returns the seconds that it took."""
    from workflows import ReportTask
    from workflows.tasks.build import built

    began = time.perf_counter()
    with contextlib.redirect_stderr(io.StringIO()):
        built([ReportTask(date=report.date, template=report.template)])
    return time.perf_counter() - began


def compared(template: str, days: int, beside: Floor) -> None:
    """Run all sides in turn and print what they took."""
    ours, theirs, cells = [], [], []
    for report in planned(template, days):
        file = filled(report, Path(f"{template}-{report.date}.ipynb").resolve())
        theirs.append(papermill(file, Path("templates")))
        cells.append(beside.seconds(file))
        ours.append(made(report))
    print(f"\n{template}")
    outrun(ours[1:], theirs[1:], ("a report", "papermill and nbconvert"), goal=10)
    alone = statistics.median(cells[1:])
    ratio = statistics.median(a / b for a, b in zip(ours[1:], cells[1:], strict=True))
    print(f"cells alone, warm         {alone:.3f} s   a report takes {ratio:.2f} times that   goal: at most 2")


def held(report: Any) -> float:
    """The megabytes that only a report's kernel has in memory when its last cell has run."""
    from workflows.notebooks.execution import Limits, execute
    from workflows.notebooks.guarded import MARK
    from workflows.tasks.kernels import imported_ahead

    found: list[int] = []

    def look(_: Any, done: int, of: int) -> None:
        if done == of:
            for process in psutil.Process().children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    if process.environ().get(MARK):
                        found.append(process.memory_full_info().uss)

    notebook = filled(report, Path("held.ipynb").resolve())
    import nbformat

    cells = nbformat.read(notebook, 4)
    templates, limits = Path("templates").resolve(), Limits(600, 600)
    execute(cells, templates, Path.cwd(), limits, look, ahead=imported_ahead([report]))
    return max(found) / 2**20


def main(arguments: Sequence[str]) -> None:
    """Compare both notebooks, then weigh a kernel."""
    days = int(arguments[0]) if arguments else 7
    os.environ["PYTHONPATH"] = str(ROOT)
    with workplace() as folder:
        os.chdir(folder)
        write_small(folder / "templates")
        with floor(folder / "templates") as beside:
            for template in TEMPLATES:
                compared(template, days, beside)
        weights = [held(report) for report in planned("anomaly_report", 2)]
        print(f"\na kernel beyond its parent   {statistics.median(weights):.0f} MB   goal: at most 80 MB")
        os.chdir("/")


if __name__ == "__main__":
    main(sys.argv[1:])
