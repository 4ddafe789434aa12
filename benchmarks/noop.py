"""A run that finds its report complete, against plain Luigi that finds one trivial task complete.

Goal: at most 1.5 times. Run: .venv/bin/python benchmarks/noop.py [RUNS]
"""

from __future__ import annotations

import sys

from workplace import LUIGI, compare, taken, workplace

TRIVIAL = """
import luigi

class Trivial(luigi.Task):
    def complete(self):
        return True
"""


def main(runs: int) -> None:
    """Run both sides in turn and print the medians and their ratio."""
    what = ["ReportTask", "--date", "2013-01-15", "--template", "anomaly_report", "--local-scheduler"]
    report = [str(LUIGI), "--module", "workflows", *what]
    trivial = [str(LUIGI), "--module", "trivial", "Trivial", "--local-scheduler"]
    with workplace() as folder:
        plain = folder / "plain"
        plain.mkdir()
        (plain / "trivial.py").write_text(TRIVIAL)
        print(f"the report is made first: {taken(report, folder).wall:.1f} s")
        ours, theirs = [], []
        for _ in range(runs + 1):
            theirs.append(taken(trivial, plain, plain))
            ours.append(taken(report, folder))
    compare(ours[1:], theirs[1:], ("a report found complete", "plain luigi, one task"), goal=1.5)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 11)
