"""A report asked for in the web page: from asking to the first progress, and to the report, against a running process.

Goals: the plan is there under 1 s after asking; a warm report is there in at most 1.3 times what the same code takes for it
in a running process without the web. Ours is the whole path: the request written, begun by `parcours worker`, the project
loaded anew, the report made through `luigid`, the end written. The sides run in turn, on other days, their data ready.
Run: .venv/bin/python benchmarks/requests.py [DAYS]
"""

from __future__ import annotations

import datetime
import os
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from against import write_small
from report import made, planned
from workplace import ROOT, workplace

TEMPLATES = ("small", "daily", "anomaly_report")
GOAL_FIRST, GOAL = 1.0, 1.3


def asked(requests: Any, report: Any) -> tuple[float, float]:
    """Ask for a report; returns the seconds until its plan is there, and until it is made."""
    from workflows.requests.request import MADE, Ask

    began = time.time()
    request = requests.ask([Ask(report.template, report.date)], "benchmark", "")[0]
    while not (found := requests.get(request.id)).is_ended:
        time.sleep(0.005)
    seconds = time.time() - began
    if found.state != MADE:
        raise SystemExit(found.message)
    events, _ = requests.events(request.id).after(0)
    plan = next(event["time"] for event in events if event["kind"] == "plan")
    return datetime.datetime.fromisoformat(plan).timestamp() - began, seconds


def compared(template: str, days: int, requests: Any) -> None:
    """Run both sides in turn and print what they took."""
    reports = planned(template, 2 * days + 3)
    pairs = list(zip(reports[::2], reports[1::2], strict=True))
    firsts, ours, theirs = [], [], []
    for one, other in pairs:
        first, whole = asked(requests, one)
        # What a worker learns from a run it imports after it.
        time.sleep(0.3 if ours else 4)
        firsts.append(first)
        ours.append(whole)
        theirs.append(made(other))
    print(f"\n{template}")
    first, asking, running = (statistics.median(found[1:]) for found in (firsts, ours, theirs))
    print(f"the plan is there after   {first:.3f} s   goal: under {GOAL_FIRST:g} s")
    print(f"in a running process      {running:.3f} s   (median of {len(pairs) - 1})")
    print(
        f"asked for                 {asking:.3f} s   {asking / running:.2f} times that   goal: at most {GOAL:g}",
        flush=True,
    )


def begun(*command: str, **variables: str) -> subprocess.Popen[bytes]:
    """A command of this checkout in the background."""
    return subprocess.Popen([sys.executable, *command], env={**os.environ, **variables}, stderr=subprocess.DEVNULL)


def main(arguments: Sequence[str]) -> None:
    """Start scheduler and worker, and compare the templates."""
    days = int(arguments[0]) if arguments else 7
    os.environ["PYTHONPATH"] = str(ROOT)
    with workplace() as folder, socket.socket() as found:
        os.chdir(folder)
        write_small(folder / "templates")
        found.bind(("127.0.0.1", 0))
        port = str(found.getsockname()[1])
        found.close()
        settings = folder / "luigi.cfg"
        settings.write_text(settings.read_text().replace("scheduler_port = 8082", f"scheduler_port = {port}"))
        from workflows.requests.queue import Requests

        luigid = Path(sys.executable).with_name("luigid")
        processes = [
            begun(str(luigid), "--address", "127.0.0.1", "--port", port, "--state-path", str(folder / "state")),
            begun("-m", "workflows.cli", "worker", PYTHONHASHSEED="0"),
        ]
        try:
            for template in TEMPLATES:
                compared(template, days, Requests(folder / "data" / "web"))
        finally:
            for process in processes:
                process.send_signal(signal.SIGTERM)
                process.wait()
            os.chdir("/")


if __name__ == "__main__":
    main(sys.argv[1:])
