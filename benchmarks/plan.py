"""`parcours plan` of a complete report against plain Luigi that finds one trivial task complete; and the digest of the code.

Goals: at most 1.3 times; the digest of the example's code under 0.5 s cold (the memo deleted) and under 20 ms warm.
Run: .venv/bin/python benchmarks/plan.py [RUNS]
"""

from __future__ import annotations

import sys

from noop import TRIVIAL
from workplace import LUIGI, compare, taken, workplace

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
    began = time.perf_counter(), time.process_time()
    for name in project.current().templates.names():
        template_code(name)
    for task in tables().values():
        class_code(task)
    return time.perf_counter() - began[0], time.process_time() - began[1]

for is_cold in (True, False):
    print(*map(statistics.median, zip(*(seconds(is_cold) for _ in range(int(sys.argv[1]))))))
"""


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
        print(f"the report is made first: {taken([*report, '--local-scheduler'], folder).wall:.1f} s")
        assert taken(plan, folder).told == "complete, nothing to do\n"
        ours, theirs = [], []
        for _ in range(runs):
            theirs.append(taken(trivial, plain, plain))
            ours.append(taken(plan, folder))
        digests = taken([sys.executable, "-c", DIGEST, str(runs)], folder).told
    compare(ours, theirs, ("parcours plan, complete", "plain luigi, one task"), goal=1.3)
    cold, warm = (list(map(float, line.split())) for line in digests.splitlines())
    print(f"digest of the code, cold  {cold[0] * 1000:.0f} ms, processor {cold[1] * 1000:.0f} ms   goal: under 500 ms")
    print(f"digest of the code, warm  {warm[0] * 1000:.1f} ms, processor {warm[1] * 1000:.1f} ms   goal: under 20 ms")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 11)
