"""`parcours plan` of a complete report against plain Luigi that finds one trivial task complete; and the digest of the code.

Goals: at most 1.3 times; the digest of the example's code under 0.5 s cold (the memo deleted) and under 20 ms warm.
Run: .venv/bin/python benchmarks/plan.py [RUNS]
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from noop import TRIVIAL
from workplace import LUIGI, ROOT, workplace

# What a process does that asks for the digests of the example's three templates, its queries and its stages.
DIGEST = """
import shutil, statistics, sys, time
from workflows.tasks import project
from workflows.tasks.templates import tables, template_code
from workflows.tasks.code import class_code

def seconds(is_cold):
    project.current().save()
    cache = project.current().settings.cache
    project.forget()
    if is_cold:
        shutil.rmtree(cache)
    began = time.perf_counter()
    for name in project.current().templates.names():
        template_code(name)
    for task in tables().values():
        class_code(task)
    return time.perf_counter() - began

for is_cold in (True, False):
    print(statistics.median(seconds(is_cold) for _ in range(int(sys.argv[1]))))
"""


def run(command: list[str], folder: Path, path: Path | None = None) -> str:
    """Run a command of this checkout; what it prints."""
    places = os.pathsep.join(map(str, filter(None, [path, ROOT])))
    environment = {**os.environ, "PYTHONPATH": places}
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, env=environment, text=True).stdout


def seconds(command: list[str], folder: Path, path: Path | None = None) -> float:
    """The wall time of a command."""
    began = time.perf_counter()
    run(command, folder, path)
    return time.perf_counter() - began


def main(runs: int) -> None:
    """Run both sides in turn and print the medians and their ratio, then the digest."""
    what = ["--date", "2013-01-15"]
    report = [str(LUIGI), "--module", "workflows", "ReportTask", "--template", "anomaly_report", *what]
    plan = [str(LUIGI.parent / "parcours"), "plan", "anomaly_report", *what]
    trivial = [str(LUIGI), "--module", "trivial", "Trivial", "--local-scheduler"]
    with workplace() as folder:
        plain = folder / "plain"
        plain.mkdir()
        (plain / "trivial.py").write_text(TRIVIAL)
        print(f"the report is made first: {seconds([*report, '--local-scheduler'], folder):.1f} s")
        assert run(plan, folder) == "complete, nothing to do\n"
        ours, theirs = [], []
        for _ in range(runs):
            theirs.append(seconds(trivial, plain, plain))
            ours.append(seconds(plan, folder))
        cold, warm = map(float, run([sys.executable, "-c", DIGEST, str(runs)], folder).split())
    ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
    print(f"parcours plan, complete   {statistics.median(ours):.3f} s  (median of {runs})")
    print(f"plain luigi, one task     {statistics.median(theirs):.3f} s")
    print(f"ratio                     {ratio:.2f}   goal: at most 1.3")
    print(f"digest of the code, cold  {cold * 1000:.0f} ms   goal: under 500 ms")
    print(f"digest of the code, warm  {warm * 1000:.1f} ms   goal: under 20 ms")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 11)
