"""Requests while whoever works on them is killed at random moments, under load: each comes to one end."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import random
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from workflows.notebooks.guarded import MARK
from workflows.requests.queue import Requests
from workflows.requests.request import CANCELLED, ENDS, FAILED, MADE, Ask

SECONDS = 12.0
"""How long somebody is killed now and then."""
PARAMETERS = 'import datetime\ndate: datetime.date = datetime.date(2020, 1, 1)\nfactor: float = 2.0\ncleaned: "Cleaned" = "x.parquet"'
PAUSING = "import time\ntime.sleep(0.2)"
WHYS = ("the kernel died", "did not come to an end", "the kernel did not start")


class Site:
    """Two workers and a scheduler, each started again when it was killed."""

    def __init__(self, place: Any) -> None:
        self.place = place
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            self.port = found.getsockname()[1]
        path = place.folder / "luigi.cfg"
        path.write_text(path.read_text().replace("scheduler_port = 8082", f"scheduler_port = {self.port}"))
        self.running: dict[str, Any] = {}
        for name in ("scheduler", "worker", "other worker"):
            self.start(name)

    def start(self, name: str) -> None:
        where = ("--address", "127.0.0.1", "--port", str(self.port))
        state = str(self.place.folder / "scheduler.state")
        words = ("luigid", *where, "--state-path", state) if name == "scheduler" else ("parcours", "worker")
        self.running[name] = self.place.start(*words)

    def kill(self, name: str) -> None:
        self.running[name].kill()
        self.running[name].communicate()

    def children(self) -> list[psutil.Process]:
        workers = {self.running[name].pid for name in ("worker", "other worker")}
        found = [process for process in self.place.processes(0) if process.ppid() in workers]
        # The parent of kernels has a command of its own.
        return [process for process in found if "worker" in process.cmdline()]

    def kernels(self) -> list[psutil.Process]:
        own = {process.pid for process in self.place.processes(0)}
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if MARK in process.environ() and own.intersection(parent.pid for parent in process.parents()):
                    found.append(process)
        return found

    def strike(self, chance: random.Random) -> str:
        name = chance.choice(["scheduler", "worker", "other worker", "child", "child", "kernel"])
        if name in self.running:
            self.kill(name)
            self.start(name)
            return name
        with contextlib.suppress(psutil.Error, ProcessLookupError):
            found = self.children() if name == "child" else self.kernels()
            if found:
                os.kill(chance.choice(found).pid, signal.SIGKILL)
        return name

    def end(self) -> None:
        for name in ("worker", "other worker"):
            self.running[name].send_signal(signal.SIGTERM)
        for name in ("worker", "other worker"):
            self.running[name].communicate(timeout=20)
        self.kill("scheduler")


@pytest.fixture
def site(make_small: Callable[[Path], Any], tmp_path: Path) -> Iterator[Site]:
    place = make_small(tmp_path / "small")
    place.template("pausing", PARAMETERS, PAUSING, "print('on')", PAUSING, "1 + 1")
    found = Site(place)
    try:
        yield found
    finally:
        for process in found.running.values():
            process.kill()
            process.communicate()


def test_every_request_comes_to_one_end_whoever_is_killed(site: Site) -> None:
    requests = Requests(site.place.folder / "data" / "web")
    seed = time.time_ns()
    chance = random.Random(seed)
    day = datetime.date(2020, 1, 1)
    asked = [
        request
        for person in ("ada", "bob")
        for request in requests.ask(
            [Ask("pausing", day, json.dumps({"factor": 1.0 + n // 2})) for n in range(8)], person, ""
        )
    ]
    strikes = []
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        time.sleep(chance.uniform(0.1, 1.2))
        strikes.append(site.strike(chance))
        if chance.random() < 0.2:
            requests.cancel(chance.choice(asked).id, "eve")

    patience = time.monotonic() + 40
    while requests.list(states=["waiting", "running"]) and time.monotonic() < patience:
        time.sleep(0.05)
    told = f"seed {seed}: {strikes}"
    for request in asked:
        found = requests.get(request.id)
        assert found is not None
        assert found.state in ENDS, f"{told}\n{found}"
        events, _ = requests.events(request.id).after(0)
        ends = [event["state"] for event in events if event["kind"] == "state" and event["state"] in ENDS]
        assert ends == [found.state], told
        if found.state == MADE:
            assert (site.place.store / str(found.report) / "report.html").is_file(), told
        elif found.state == FAILED:
            assert any(why in found.message for why in WHYS), f"{told}\n{found.message}"
        else:
            assert (found.state, found.message) == (CANCELLED, "cancelled by eve"), told
    site.end()
    assert site.place.processes() == [], told
    assert list((site.place.store / ".staging").glob("*-*-*")) == [], told
