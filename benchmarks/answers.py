"""The commands that answer questions, over a store of 100,000 results, and the time to fill their catalog.

Goal: `parcours explain` and `parcours used-by` take under 1 s. The results are made up, their records are shaped like the
example's: 334 dates, ten commits, and for each 30 results, of which 6 are reports; one stage has 28 days of input.
Run: .venv/bin/python benchmarks/answers.py [--keep FOLDER] [--dates DATES] [--runs RUNS]
FOLDER keeps the store for the next time.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workplace import ROOT

from workflows.identity.canonical import digest, digest_bytes

PARCOURS = Path(sys.executable).parent / "parcours"
QUERIES, STAGES, REPORTS, COMMITS, WINDOW = 10, 14, 6, 10, 28
FIRST = datetime.date(2012, 1, 1)
GOAL = 1.0


def commit_of(generation: int) -> str:
    """A commit as git would name it."""
    return digest(["commit", generation])[:40]


def day(number: int) -> str:
    """A date of the store."""
    return (FIRST + datetime.timedelta(days=number)).isoformat()


def version_of(task: str, date: str, generation: int) -> str:
    """A version as the tasks would compute it: 64 hex digits."""
    return digest([task, date, generation])


def tasks() -> Iterator[tuple[str, str | None, list[str]]]:
    """The results of one date: family, template, and the families of the inputs; "Query0*" stands for a window of days."""
    for number in range(QUERIES):
        yield f"Query{number}", None, []
    for number in range(STAGES):
        before = [f"Stage{number - 1}"] if number else ["Query0*"]
        yield f"Stage{number}", None, [f"Query{number % QUERIES}", *before]
    for number in range(REPORTS):
        yield "ReportTask", f"template_{number}", ["Query0", f"Stage{STAGES - 1}", f"Stage{number}"]


def record(task: str, template: str | None, inputs: list[str], number: int, generation: int) -> dict[str, Any]:
    """The provenance of one result."""
    date = day(number)
    given = []
    for name in inputs:
        family = name.removesuffix("*")
        days = range(max(0, number - WINDOW + 1), number + 1) if name.endswith("*") else [number]
        given += [
            {"task": family, "date": day(n), "version": version_of(family, day(n), generation), "digest": "d" * 64}
            for n in days
        ]
    version = version_of(f"{task} {template}", date, generation) if template else version_of(task, date, generation)
    output = "report.html" if template else "table.parquet"
    started = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(days=generation, seconds=number)
    return {
        "format": 1,
        "task": task,
        "version": version,
        "parameters": {"version": version, "date": date, **({"window": str(WINDOW)} if inputs else {})},
        "code": {
            "digest": digest([task, generation]),
            "files": {f"workflows/flights/{name}.py": digest([name, generation]) for name in ("stages", "robust")},
            "commit": commit_of(generation),
            "dirty": False,
        },
        "environment": {"python": "3.11.7", "packages": {"pandas": "3.1.1", "pyarrow": "26.0.1", "luigi": "3.8.1"}},
        "inputs": given,
        "outputs": {output: {"sha256": digest_bytes(b"made up"), "bytes": 7, **({} if template else {"rows": 1})}},
        "started": started.isoformat(timespec="milliseconds"),
        "seconds": 0.05,
        "host": "bench",
        "user": "bench",
        "task_id": f"{task}_{date}_{version[:16]}",
        "reused_from": None,
        **({} if inputs else {"source": {"database": "made up", "query": "q", "fingerprint": version, "rows": 1}}),
        **({"template": {"name": template, "digest": "t" * 64, "values": {"date": date}}} if template else {}),
    }


def fill(store: Path, dates: int) -> int:
    """Write a store, unless it is there; returns how many results it has."""
    if not store.exists():
        beside = store.with_name(f"{store.name}.part")
        shutil.rmtree(beside, ignore_errors=True)
        for number in range(dates):
            for generation in range(COMMITS):
                for task, template, inputs in tasks():
                    write(beside, record(task, template, inputs, number, generation))
        beside.rename(store)
    return dates * COMMITS * (QUERIES + STAGES + REPORTS)


def write(store: Path, found: dict[str, Any]) -> None:
    """Lay one artefact into the store."""
    prefix = f"{found['template']['name']}-" if "template" in found else ""
    folder = store / found["task"] / found["parameters"]["date"] / f"{prefix}{found['version'][:16]}"
    folder.mkdir(parents=True)
    for name in found["outputs"]:
        (folder / name).write_bytes(b"made up")
    (folder / "provenance.json").write_text(json.dumps(found, indent=1))


@dataclass(frozen=True)
class Taken:
    """What a command took."""

    wall: float
    """Seconds."""
    processor: float
    """Seconds that it computed; on a machine with other work, the wall time without that."""
    told: str
    """The last line that it printed."""


def taken(folder: Path, *arguments: str) -> Taken:
    """Run a `parcours` command."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run([PARCOURS, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Taken(wall, processor, done.stdout.splitlines()[-1])


def main(folder: Path, dates: int, runs: int) -> None:
    """Print how long the catalog takes to fill, and the median time of each question."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "luigi.cfg", folder)
    began = time.perf_counter()
    results = fill(folder / "data" / "store", dates)
    print(f"a store of {results:,} results   {time.perf_counter() - began:.1f} s", flush=True)
    for left in (folder / "data").glob("catalog.db*"):
        left.unlink()
    filled = taken(folder, "reindex")
    print(f"reindex   {filled.wall:.1f} s, processor {filled.processor:.1f} s   {filled.told}", flush=True)
    middle = dates // 2
    report = version_of("ReportTask template_0", day(middle), COMMITS - 1)[:16]
    query = version_of("Query0", day(middle), COMMITS - 1)[:16]
    questions = {
        "explain a report": ["explain", f"data/store/ReportTask/{day(middle)}/template_0-{report}"],
        "used-by a commit": ["used-by", commit_of(COMMITS - 1)[:7]],
        "used-by a query": ["used-by", "Query0"],
        "used-by a query of a date": ["used-by", "Query0", day(middle)],
        "used-by an artefact": ["used-by", f"data/store/Query0/{day(middle)}/{query}"],
    }
    for name, arguments in questions.items():
        found = [taken(folder, *arguments) for _ in range(runs)]
        wall, processor = (statistics.median(getattr(one, kind) for one in found) for kind in ("wall", "processor"))
        facts = f"{wall:.2f} s, processor {processor:.2f} s   goal: under {GOAL:g} s"
        print(f"{name:<26} {facts}   {found[0].told}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--dates", type=int, default=334)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    for name in [name for name in os.environ if name.startswith("PARCOURS_")]:
        del os.environ[name]
    with tempfile.TemporaryDirectory(prefix="parcours-bench-") as temporary:
        main(options.keep or Path(temporary), options.dates, options.runs)
