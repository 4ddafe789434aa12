"""The page while whatever belongs to it is killed at random moments, under load: what it said it would make, it makes once."""

from __future__ import annotations

import contextlib
import random
import re
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psutil
import pytest
from serving import Answered, Browser, Served, free_port, serve, within

from workflows.requests.queue import Requests
from workflows.requests.request import CANCELLED, ENDS, FAILED, MADE, Request
from workflows.store.artefacts import Store

pytestmark = pytest.mark.acceptance
SECONDS = 9.0
"""How long somebody is killed now and then."""
PARTS = ("web page", "worker", "scheduler")
TARGETS = (*PARTS, "listener", "child", "child", "kernel", "kernel", "parent", "supervisor")
PARAMETERS = 'import datetime\ndate: datetime.date = datetime.date(2020, 1, 1)\nfactor: float = 2.0\ncleaned: "Cleaned" = "x.parquet"'
READING = "import pandas as pd\npd.read_parquet(cleaned)"
PAUSING = "import time\ntime.sleep(0.15)"
OF_KILLS = ("the kernel died", "did not come to an end", "the kernel did not start")


@dataclass
class Asking:
    """A form that somebody sent."""

    fields: dict[str, str]
    days: int
    answers: list[str] = field(default_factory=list)
    """Where the page sent its browser, each time that it answered."""


class Site:
    """`parcours serve` at one address, started again whenever it was killed."""

    def __init__(self, place: Any) -> None:
        self.place = place
        self.ports = free_port(), free_port()
        self.requests = Requests(place.folder / "data" / "web")
        self.served = self.start()
        self.cookies: dict[str, str] = {}
        self.token = ""

    def start(self) -> Served:
        page, scheduler = self.ports
        return serve(self.place, "--port", str(page), port=scheduler)

    def enter(self) -> None:
        """Have a browser's session."""
        browser = self.served.browser()
        found = re.search('name="csrf_token" value="([^"]+)"', browser.get("/templates/pausing").text)
        assert found
        self.cookies, self.token = browser.cookies, found[1]

    def post(self, path: str, **fields: str) -> Answered | None:
        """Send a form; None where nobody answered."""
        browser = Browser(self.served.url, dict(self.cookies))
        with contextlib.suppress(OSError, HTTPException):
            return browser.ask("POST", path, urlencode({"csrf_token": self.token, **fields}))
        return None

    def send(self, asking: Asking) -> None:
        answered = self.post("/templates/pausing", **asking.fields)
        if answered is not None:
            assert answered.status in (303, 502, 503), answered.text
        if answered is not None and answered.status == 303:
            asking.answers.append(answered.headers["Location"])

    def asked(self, where: str) -> list[Request]:
        """The requests at an address that the page gave."""
        name = re.split("[/=]", where)[-1]
        found = self.requests.get(name)
        assert found, where
        return self.requests.batch(found.batch)

    def victims(self, target: str) -> list[psutil.Process]:
        if target == "supervisor":
            return [psutil.Process(self.served.process.pid)]
        if target in PARTS:
            return [self.served.part(target)]
        if target == "listener":
            return self.served.part("web page").children()
        # A parent of kernels has a command of its own, and its children are kernels.
        below = [one for one in self.served.part("worker").children() if one.status() != psutil.STATUS_ZOMBIE]
        parents = [one for one in below if "-c" in one.cmdline()]
        if target == "parent":
            return parents
        if target == "child":
            return [one for one in below if one not in parents]
        return [kernel for parent in parents for kernel in parent.children()]

    def strike(self, target: str, chance: random.Random) -> bool:
        """Kill one of a kind, if there is one."""
        found: list[psutil.Process] = []
        with contextlib.suppress(psutil.Error, OSError, ValueError, KeyError):
            found = self.victims(target)
            if found:
                chance.choice(found).kill()
        if target == "supervisor":
            self.served.process.wait()
            assert self.served.process.stdout
            self.served.process.stdout.close()
            self.served = self.start()
        return bool(found)

    def is_healthy(self) -> bool:
        return self.served.get("/healthz").status == 200


@pytest.fixture
def site(make_small: Callable[[Path], Any], tmp_path: Path) -> Iterator[Site]:
    place = make_small(tmp_path / "small")
    place.template("pausing", PARAMETERS, READING, PAUSING, "print('on')", PAUSING, "1 + 1")
    # Short, because of the names of sockets.
    place.environment["TMPDIR"] = tempfile.mkdtemp(prefix="kills-")
    found = Site(place)
    try:
        within(20, found.is_healthy)
        found.enter()
        yield found
    finally:
        if found.served.process.poll() is None:
            found.served.end()
        shutil.rmtree(place.environment["TMPDIR"])


def drawn(number: int, chance: random.Random) -> Asking:
    """A form as somebody may fill it: one day, or both."""
    days = chance.choice([1, 1, 2])
    fields = {"date": "2020-01-01", "factor": f"{chance.randrange(1, 9)}.0", ":key": f"key-{number}"}
    return Asking({**fields, ":last": f"2020-01-0{days}"} if days > 1 else fields, days)


def people(site: Site, seed: int, until: float, askings: list[Asking], cancelled: set[str]) -> None:
    """Ask, now and then twice at the same time or once more, and cancel something."""
    chance = random.Random(seed)
    while time.monotonic() < until:
        asking = drawn(seed + len(askings), chance)
        askings.append(asking)
        times = chance.choice([1, 1, 2])
        threads = [threading.Thread(target=site.send, args=(asking,)) for _ in range(times)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if asking.answers and chance.random() < 0.25:
            name = chance.choice(site.asked(asking.answers[0])).id
            cancelled.add(name)
            site.post(f"/requests/{name}/cancel")
        time.sleep(chance.uniform(0.2, 2.0))


def test_what_the_page_accepted_is_made_once_whoever_is_killed(site: Site) -> None:
    seed = time.time_ns()
    sys.stdout.write(f"seed {seed}\n")
    chance = random.Random(seed)
    until = time.monotonic() + SECONDS
    asked: list[list[Asking]] = [[], []]
    cancelled: set[str] = set()
    crowd = [
        threading.Thread(target=people, args=(site, chance.randrange(10**9) * 1000, until, askings, cancelled))
        for askings in asked
    ]
    for one in crowd:
        one.start()
    while time.monotonic() < until:
        time.sleep(chance.uniform(0.1, 1.2))
        target = chance.choice(TARGETS)
        struck = site.strike(target, chance)
        sys.stdout.write(
            f"{until - time.monotonic():.2f} s left: {target}{'' if struck else ', which was not there'}\n"
        )
    for one in crowd:
        one.join()
    within(15, site.is_healthy)
    askings = [asking for several in asked for asking in several]
    for asking in askings:
        # What got no answer, and what did, is sent once more.
        site.send(asking)
        assert len(set(asking.answers)) == 1, asking
    within(40, lambda: not site.requests.list(states=["waiting", "running"]))

    batches = [site.asked(asking.answers[0]) for asking in askings]
    assert [len(batch) for batch in batches] == [asking.days for asking in askings]
    everything = {request.id for request in site.requests.list(limit=5_000)}
    assert everything == {request.id for batch in batches for request in batch}
    for request in (request for batch in batches for request in batch):
        check_end(site, request, cancelled)
    check_nothing_left(site)


def check_end(site: Site, request: Request, cancelled: set[str]) -> None:
    """It ended, once, as it had to."""
    events, _ = site.requests.events(request.id).after(0)
    ends = [event["state"] for event in events if event["kind"] == "state" and event["state"] in ENDS]
    # A process that is killed between the two tells nothing; the database counts.
    assert ends in ([request.state], []), request
    if request.state == MADE:
        check_report(site, str(request.report))
    elif request.state == FAILED:
        assert any(why in request.message for why in OF_KILLS), request
        if "did not come to an end" in request.message:
            assert request.tries == 3
    else:
        assert request.state == CANCELLED
        assert request.id in cancelled


def check_report(site: Site, path: str) -> None:
    """Its bytes are those that were written down when it was made, and the page gives them out."""
    store = Store.at(str(site.place.store), site.place.folder / "data" / "cache")
    found = store.at_path(path)
    assert found
    for name in found.provenance.outputs:
        # It raises an error for other bytes than were recorded.
        whole = store.file(found, name)
    assert site.served.get(f"/reports/{path}").status == 200
    assert site.served.get(f"/reports/{path}/files/report.html").text.count("</html>") == 1
    assert whole.is_file()


def check_nothing_left(site: Site) -> None:
    """No process, no temporary folder, no socket."""
    site.served.end()
    assert site.place.processes() == []
    assert list((site.place.store / ".staging").glob("*-*-*")) == []
    assert list(Path(site.place.environment["TMPDIR"]).iterdir()) == []
    web = site.place.folder / "data" / "web"
    assert [path.name for path in web.glob(".*")] == []
