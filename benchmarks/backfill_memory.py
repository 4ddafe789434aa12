"""The peak memory of the main process in backfills of more and more days, each from an empty store.

Goal: at most 400 MB for 28 days, and flat in the number of days.
Run: .venv/bin/python benchmarks/backfill_memory.py [TEMPLATE [DAYS ...]]
"""

from __future__ import annotations

import datetime
import shutil
import subprocess
import sys
from pathlib import Path

from workplace import workplace

FIRST = datetime.date(2013, 3, 1)
# The high-water mark of this very process: kernels and forked processes have marks of their own.
COMMAND = """
import atexit, sys
from luigi.cmdline import luigi_run
def peak():
    line = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
    print("peak", line.split()[1], file=sys.stderr)
atexit.register(peak)
luigi_run(sys.argv[1:])
"""


def peak(folder: Path, template: str, days: int) -> float:
    """The main process's peak memory in a backfill from an empty store, in MB (10^6 bytes)."""
    shutil.rmtree(folder / "data", ignore_errors=True)
    stop = FIRST + datetime.timedelta(days=days - 1)
    task = ["Backfill", "--start", str(FIRST), "--stop", str(stop), "--template", template, "--local-scheduler"]
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, "--module", "workflows", *task],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout.count("report: ") == days * (1 if template != "all" else 3), done.stdout
    found = next(line for line in done.stderr.splitlines() if line.startswith("peak "))
    return int(found.split()[1]) * 1024 / 1e6


def main(template: str, days: list[int]) -> None:
    """Print the peaks, and the ratio of the longest backfill's to the shortest's."""
    with workplace() as folder:
        peaks = []
        for number in days:
            peaks.append(peak(folder, template, number))
            print(f"{number:3} days of {template}   {peaks[-1]:.0f} MB", flush=True)
    print(
        f"ratio {days[-1]} to {days[0]} days   {peaks[-1] / peaks[0]:.2f}   goal: flat, and at most 400 MB for 28 days"
    )


if __name__ == "__main__":
    arguments = sys.argv[1:]
    main(arguments[0] if arguments else "anomaly_report", [int(days) for days in arguments[1:]] or [7, 14, 28])
