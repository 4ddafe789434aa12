"""A run that finds its report complete, against plain Luigi that finds one trivial task complete.

Goal: at most 1.5 times. Run: .venv/bin/python benchmarks/noop.py [RUNS]
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from workplace import LUIGI, workplace

TRIVIAL = """
import luigi

class Trivial(luigi.Task):
    def complete(self):
        return True
"""


def seconds(command: list[str], folder: Path, path: str = "") -> float:
    """The wall time of a command."""
    began = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, capture_output=True, env={**os.environ, "PYTHONPATH": path})
    return time.perf_counter() - began


def main(runs: int) -> None:
    """Run both sides in turn and print the medians and their ratio."""
    report = [str(LUIGI), "--module", "workflows", "ReportTask", "--date", "2013-01-15", "--template", "anomaly_report"]
    trivial = [str(LUIGI), "--module", "trivial", "Trivial"]
    with workplace() as folder:
        plain = folder / "plain"
        plain.mkdir()
        (plain / "trivial.py").write_text(TRIVIAL)
        print(f"the report is made first: {seconds([*report, '--local-scheduler'], folder):.1f} s")
        ours, theirs = [], []
        for _ in range(runs + 1):
            theirs.append(seconds([*trivial, "--local-scheduler"], plain, str(plain)))
            ours.append(seconds([*report, "--local-scheduler"], folder))
    ours, theirs = ours[1:], theirs[1:]
    ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
    print(f"a report found complete   {statistics.median(ours):.3f} s  (median of {runs})")
    print(f"plain luigi, one task     {statistics.median(theirs):.3f} s")
    print(f"ratio                     {ratio:.2f}   goal: at most 1.5")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 11)
