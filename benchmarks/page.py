"""The page of an example report, against nbconvert's HTMLExporter as it comes: the first of a process, and those after it.

Goal: under 50 ms after the first. Run: .venv/bin/python benchmarks/page.py [RUNS]
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from workplace import LUIGI, taken, workplace

TEMPLATES = ("anomaly_report", "daily", "sanity_check")
AGAIN = 10


def ours() -> Callable[[Path], str]:
    """Write a page as a report does, with its provenance."""
    from workflows.evaluation.measures import MIME
    from workflows.notebooks.facts import PageFacts, sections, summary
    from workflows.notebooks.html import content, render

    def write(report: Path) -> str:
        record = json.loads((report / "provenance.json").read_text())
        facts = PageFacts("", "made", False, summary(record), sections=sections(record), record=record)
        page = render(notebook(report), report, facts, hidden=MIME)
        content(page)
        return page

    return write


def theirs() -> Callable[[Path], str]:
    """Write a page with one exporter for all."""
    from nbconvert import HTMLExporter

    exporter = HTMLExporter()
    return lambda report: str(exporter.from_notebook_node(notebook(report))[0])


def notebook(report: Path) -> Any:
    """A report's notebook as execution leaves it."""
    import nbformat

    return nbformat.read(report / "report.ipynb", as_version=4)


def measured(side: str, report: Path) -> tuple[float, float]:
    """Seconds of the first page of a process, what it imports included, and of those after it; without reading the notebook."""
    notebook(report)
    began = time.perf_counter()
    write = {"ours": ours, "theirs": theirs}[side]()
    write(report)
    first, again, reading = time.perf_counter() - began, [], []
    for _ in range(AGAIN):
        began = time.perf_counter()
        notebook(report)
        reading.append(time.perf_counter() - began)
        began = time.perf_counter()
        write(report)
        again.append(time.perf_counter() - began)
    read = statistics.median(reading)
    return first - read, statistics.median(again) - read


def in_new_process(side: str, report: Path) -> tuple[float, float]:
    """What `measured` finds in a process of its own."""
    first, again = json.loads(taken([sys.executable, __file__, side, str(report)], Path.cwd()).told)
    return first, again


def main(runs: int) -> None:
    """Make the reports, write their pages in new processes in turn, and print the medians and their ratios."""
    with workplace() as folder:
        for template in TEMPLATES:
            what = ["ReportTask", "--date", "2013-01-15", "--template", template, "--local-scheduler"]
            subprocess.run([LUIGI, "--module", "workflows", *what], cwd=folder, check=True, capture_output=True)
            [report] = (folder / "data" / "store" / "ReportTask").glob(f"*/{template}-*")
            pairs = [(in_new_process("ours", report), in_new_process("theirs", report)) for _ in range(runs)]
            for number, when in enumerate(("first", "after it")):
                a, b = (statistics.median(pair[side][number] for pair in pairs) for side in (0, 1))
                ratio = statistics.median(theirs[number] / ours[number] for ours, theirs in pairs)
                numbers = f"{a * 1e3:6.1f} ms   nbconvert {b * 1e3:6.1f} ms   ratio {ratio:.1f}"
                print(f"{template:<15} {when:<9} {numbers}", flush=True)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        print(json.dumps(measured(sys.argv[1], Path(sys.argv[2]))))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
