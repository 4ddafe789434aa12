"""A backfill of 28 days and three templates with two workers, against papermill over the same notebooks with the data ready.

Goal: at least 12 times faster. Ours is the command with all its stages; theirs a loop in one process that executes and
exports each notebook. Theirs grows with the number of notebooks, so fewer days of it are run and scaled.
Run: .venv/bin/python benchmarks/backfill.py [--days DAYS] [--their-days DAYS] [--workers WORKERS]
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import sys
from pathlib import Path

from against import filled, papermill
from workplace import LUIGI, ROOT, taken, workplace

FIRST = datetime.date(2013, 2, 1)


def command(days: int, workers: int) -> list[str]:
    """The backfill."""
    last = FIRST + datetime.timedelta(days=days - 1)
    words = ["--start", str(FIRST), "--stop", str(last), "--workers", str(workers), "--local-scheduler"]
    return [str(LUIGI), "--module", "workflows", "Backfill", *words]


def loop(days: int) -> list[float]:
    """The seconds that papermill takes for each notebook of the first days, whose data are there."""
    from workflows import ReportTask
    from workflows.tasks.project import current

    taken = []
    for number in range(days):
        for name in current().templates.names():
            report = ReportTask(date=FIRST + datetime.timedelta(days=number), template=name)
            taken.append(papermill(filled(report, Path(f"{name}-{number}.ipynb").resolve()), Path("templates")))
    return taken


def main(days: int, their_days: int, workers: int) -> None:
    """Run both sides and print their ratio."""
    os.environ["PYTHONPATH"] = str(ROOT)
    with workplace() as folder:
        ours = taken(command(days, workers), folder)
        reports = ours.told.count("report: ")
        print(f"backfill of {reports} reports, {workers} workers   {ours.wall:.1f} s, {ours.wall / reports:.2f} s each")
        own = [sys.executable, __file__, "--their-days", str(min(their_days, days)), "--loop"]
        theirs: list[float] = json.loads(taken(own, folder).told.splitlines()[-1])
        each = sum(theirs) / len(theirs)
        print(
            f"papermill, {len(theirs)} of them           {sum(theirs):.1f} s, {each:.2f} s each: {each * reports:.0f} s for all"
        )
        print(f"faster                         {each * reports / ours.wall:.1f} times   goal: at least 12")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=28)
    parser.add_argument("--their-days", type=int, default=4)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--loop", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.loop:
        print(json.dumps(loop(options.their_days)))
    else:
        main(options.days, options.their_days, options.workers)
