"""A backfill of 365 days and all three templates that is complete already, against plain Luigi that sees as many files.

Goal: at most 3 times. Ours is the command `luigi --module workflows Backfill`, with the data's fingerprints and the bytes of
every report checked; theirs a WrapperTask over as many trivial tasks as we have results, each with a file that exists.
Making the reports would take an hour, so they are laid: each result's version is planned as in a run, and its artefact
published by the store, with files of about the size of real ones (pages of 300 kB) that say nothing.
Run: .venv/bin/python benchmarks/complete_backfill.py [--days DAYS] [--runs RUNS] [--keep FOLDER]
"""

from __future__ import annotations

import argparse
import datetime
import os
import random
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workplace import LUIGI, compare, furnish, taken

if TYPE_CHECKING:
    from workflows.tasks.result import Result

FIRST = datetime.date(2013, 1, 1)
TEMPLATES = 3
SIZES = {"table.parquet": 30_000, "report.html": 300_000, "report.ipynb": 300_000, "measures.json": 500}
TRIVIAL = """
import luigi

class Trivial(luigi.Task):
    number = luigi.IntParameter()

    def output(self):
        return luigi.LocalTarget(f"files/{self.number}")

class All(luigi.WrapperTask):
    count = luigi.IntParameter()

    def requires(self):
        return [Trivial(number=number) for number in range(self.count)]
"""


def arguments(days: int) -> dict[str, str]:
    """The parameters of the backfill."""
    return {"start": str(FIRST), "stop": str(FIRST + datetime.timedelta(days=days - 1)), "template": "all"}


def lay(days: int) -> int:
    """Lay every result of the backfill into the store of the current directory's project; returns how many."""
    from workflows.tasks.backfill import Backfill
    from workflows.tasks.plan import tree
    from workflows.tasks.project import current

    # What is measured need not outlast a loss of power.
    os.fsync = lambda handle: None
    reports = Backfill.from_str_params(arguments(days)).requires()
    tasks = {task.version: task for report in reports for task in tree(report)}
    for task in tasks.values():
        publish(task)
    current().save()
    return len(tasks)


def publish(task: Result) -> None:
    """Publish an artefact for a task, by the store's own means."""
    from workflows.store.artefacts import described
    from workflows.tasks.project import current
    from workflows.tasks.record import drafted

    store = current().store
    inputs = [store.find(below.address) for below in task.identity.inputs]
    draft = drafted(task, task.identity, [artefact for artefact in inputs if artefact])
    with store.staged() as folder:
        names = [name for name in SIZES if (name != "table.parquet") == bool(draft.template)]
        for name in names:
            (folder / name).write_bytes(random.Random(f"{task.version} {name}").randbytes(SIZES[name]))
        outputs: dict[str, Any] = described(folder, {name: 1 if name == "table.parquet" else None for name in names})
        store.code.keep(task.identity.recipe.code.record(), task.identity.recipe.code.sources)
        store.publish(folder, task.address, type(draft)(**{**vars(draft), "outputs": outputs, "seconds": 1.0}))


def prepared(folder: Path, days: int) -> int:
    """Lay both sides' results into a folder, unless they are there; returns how many there are."""
    counted, plain = folder / "results", folder / "plain"
    if not counted.exists():
        results = int(taken([sys.executable, __file__, "--days", str(days), "--lay"], folder).told)
        (plain / "files").mkdir(parents=True)
        (plain / "trivial.py").write_text(TRIVIAL)
        for number in range(results):
            (plain / "files" / str(number)).write_bytes(b"a result")
        counted.write_text(str(results))
    return int(counted.read_text())


def main(folder: Path, days: int, runs: int) -> None:
    """Run both sides in turn and print the medians and their ratio."""
    furnish(folder)
    results, plain = prepared(folder, days), folder / "plain"
    print(f"{results:,} results of {days} days and {TEMPLATES} templates", flush=True)
    options = [word for name, value in arguments(days).items() for word in (f"--{name}", value)]
    backfill = [str(LUIGI), "--module", "workflows", "Backfill", *options, "--local-scheduler"]
    trivial = [str(LUIGI), "--module", "trivial", "All", "--count", str(results), "--local-scheduler"]
    ours, theirs = [], []
    for _ in range(runs + 1):
        theirs.append(taken(trivial, plain, plain))
        ours.append(taken(backfill, folder))
        assert ours[-1].told.count("report: ") == days * TEMPLATES
    compare(ours[1:], theirs[1:], ("a complete backfill", "plain luigi, as many files"), goal=3)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--lay", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.lay:
        print(lay(options.days))
    else:
        with tempfile.TemporaryDirectory(prefix="parcours-bench-") as temporary:
            main(options.keep or Path(temporary), options.days, options.runs)
