"""Warm reports in a row, by default 1,000: processes, descriptors and memory before and after, which must not grow.

Among them are reports whose kernels fork, start threads, are killed, crash, or ignore SIGTERM: each must fail or end alone.
Run: .venv/bin/python benchmarks/warm_leaks.py [REPORTS]
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import psutil

from workflows.notebooks.execution import Execution, Limits, execute
from workflows.notebooks.warm import lease

AHEAD = ["matplotlib", "numpy", "pandas"]
PLAIN = "import pandas as pd\npd.DataFrame({'n': [1, 2]})"
ROUGH = (
    "import ctypes; ctypes.string_at(0)",
    "import os; os.kill(os.getpid(), 9)",
    "import os, time\nif os.fork() == 0: time.sleep(600)",
    "import threading, time\nthreading.Thread(target=time.sleep, args=(600,)).start()",
    "import signal, subprocess\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nsubprocess.Popen(['sleep', '600'], start_new_session=True)",
)
_EVERY = 20


@dataclass(frozen=True)
class Held:
    """What this process and the parent of its kernels hold."""

    processes: int
    """Children of this process and theirs, that run."""
    descriptors: int
    """Of this process."""
    parents_descriptors: int
    megabytes: float
    """Resident in this process."""
    parents_megabytes: float

    @classmethod
    def now(cls) -> Held:
        """Once all that ends has ended."""
        own = psutil.Process()
        _until_only_one_waits(own)
        [parent] = own.children()
        sizes = [process.memory_info().rss / 2**20 for process in (own, parent)]
        return cls(len(own.children(recursive=True)), own.num_fds(), parent.num_fds(), *sizes)

    def __str__(self) -> str:
        return "{} processes, {} and {} descriptors, {:.0f} and {:.0f} MB".format(*astuple(self))


def _until_only_one_waits(own: psutil.Process) -> None:
    """Until the parent's only child is the kernel that is started ahead."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        found = own.children(recursive=True)
        if len(found) == 2 and found[-1].num_threads() > 1:
            return
        time.sleep(0.05)


def report(cell: str, folder: Path) -> Execution:
    """Run a notebook of one cell."""
    source: Any = {
        "cell_type": "code",
        "id": "c",
        "metadata": {},
        "source": cell,
        "outputs": [],
        "execution_count": None,
    }
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [source]}
    return execute(notebook, folder, folder, Limits(60, 60), lambda *_: None, ahead=AHEAD)


def main(reports: int) -> None:
    """Run them and print what was held at the start and at the end."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for cell in (PLAIN, *ROUGH) * 2:
            report(cell, folder)
        before, began = Held.now(), time.perf_counter()
        for number in range(1, reports + 1):
            is_rough = number % _EVERY == 0
            done = report(ROUGH[number // _EVERY % len(ROUGH)] if is_rough else PLAIN, folder)
            assert is_rough or done.failure is None, done.failure
            if number % 100 == 0:
                print(
                    f"{number:5} reports, {(time.perf_counter() - began) / number:.3f} s each: {Held.now()}", flush=True
                )
        after = Held.now()
    print(f"before  {before}\nafter   {after}\ncounts  {dict(lease.counts)}")
    left = list(Path(tempfile.gettempdir()).glob(f"parcours-{os.getpid()}-*"))
    print(f"folders left beside the parent's: {len(left) - 1}")
    assert (after.processes, after.descriptors, after.parents_descriptors) == astuple(before)[:3]
    assert after.megabytes < before.megabytes + 20
    assert after.parents_megabytes < before.parents_megabytes + 20


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
