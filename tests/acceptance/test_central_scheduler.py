"""With a central scheduler: what its web view can show, that its end harms nobody, and workers on other machines."""

from __future__ import annotations

import json
import re
import socket
import sqlite3
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.acceptance

DAY = "2020-01-01"
# The report's author waits in the second cell until the test has looked.
FIRST = "import time\nprint('the first words')\ntime.sleep(2.2)"
WAITING = "import pathlib\nwhile not pathlib.Path('../go').exists(): time.sleep(0.05)"
# What a machine does that works for others: only what the scheduler hands out.
ASSISTANT = """
import sys
from luigi.interface import core
from luigi.rpc import RemoteScheduler
from luigi.setup_logging import InterfaceLogging
from luigi.worker import Worker
InterfaceLogging.setup(core())
with Worker(RemoteScheduler(sys.argv[1]), assistant=True, worker_processes=1, wait_interval=0.1) as worker:
    sys.exit(not worker.run())
"""
# Asks for a report and leaves it to others.
SUBMITTER = """
import sys
from luigi.rpc import RemoteScheduler
from luigi.worker import Worker
from workflows import ReportTask
import datetime
worker = Worker(RemoteScheduler(sys.argv[1]))
assert worker.add(ReportTask(date=datetime.date(2020, 1, 1), template="light"))
"""


class Scheduler:
    """A `luigid` on a port of its own."""

    def __init__(self, place: Any) -> None:
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            port = found.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/"
        state = str(place.folder / "scheduler.state")
        self.process = place.start("luigid", "--address", "127.0.0.1", "--port", str(port), "--state-path", state)

    def tasks(self, status: str) -> list[dict[str, Any]]:
        """The tasks of a status, as the web view gets them."""
        data = json.dumps({"status": status, "upstream_status": ""})
        with urllib.request.urlopen(f"{self.url}api/task_list?data={urllib.request.quote(data)}") as answer:
            return list(json.load(answer)["response"].values())

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


def within(seconds: float, find: Callable[[], Any]) -> Any:
    """What `find` returns as soon as it is something."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with suppress(urllib.error.URLError, ConnectionError):
            found = find()
            if found:
                return found
        time.sleep(0.05)
    raise AssertionError(f"nothing within {seconds} s")


@pytest.fixture
def scheduler(light: Any) -> Iterator[Scheduler]:
    found = Scheduler(light)
    try:
        within(20, lambda: found.tasks("RUNNING") == [])
        yield found
    finally:
        found.kill()


@pytest.fixture
def running(light: Any, light_cell: str, scheduler: Scheduler) -> Iterator[Any]:
    """A report in the middle of its second cell, and whatever happens, its end."""
    light.template("slow", light_cell, FIRST, WAITING, "print('the last', 'words')")
    words = ["ReportTask", "--template", "slow", "--date", DAY, "--scheduler-url", scheduler.url]
    process = light.start("luigi", "--module", "workflows", *words)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def the_report(scheduler: Scheduler) -> dict[str, Any] | None:
    return next((task for task in scheduler.tasks("RUNNING") if task["progress_percentage"] == 50), None)


def test_the_scheduler_shows_how_far_a_report_is_and_links_to_it_as_it_grows(
    light: Any, scheduler: Scheduler, running: Any
) -> None:
    task = within(30, lambda: the_report(scheduler))
    assert (task["name"], task["status_message"]) == ("ReportTask", "cell 3 of 4")
    assert re.fullmatch("[0-9a-f]{64}", task["params"]["version"])
    link = within(10, lambda: the_report(scheduler)["tracking_url"])

    def page() -> str:
        with urllib.request.urlopen(link) as answer:
            return answer.read().decode()

    growing = page()
    assert "This report is being made: cell " in growing
    assert 'http-equiv="refresh"' in growing
    assert "the last words" not in growing
    (light.folder / "go").touch()
    out, err = running.communicate(timeout=30)
    assert (running.returncode, "Traceback" in err) == (0, False)
    assert "the last words" in (light.folder / out.split()[1]).read_text()
    [done] = scheduler.tasks("DONE")
    assert done["name"] == "ReportTask"


def test_a_scheduler_that_dies_does_not_fail_the_report(
    light: Any, scheduler: Scheduler, running: Any, verify: Any
) -> None:
    within(30, lambda: the_report(scheduler))
    scheduler.kill()
    (light.folder / "go").touch()
    running.communicate(timeout=60)
    # The waiting cell asks for a file, so the report is stored under the version of the next plan, too.
    report, *_ = light.artefacts("ReportTask")
    assert "the last words" in (report / "report.html").read_text()
    verify(light.store)
    assert light.processes() == []


def test_a_report_is_made_and_found_again_with_several_workers(light: Any, scheduler: Scheduler) -> None:
    words = ["Backfill", "--start", "2020-01-01", "--stop", "2020-01-02", "--template", "light"]
    options = ["--scheduler-url", scheduler.url, "--workers", "2"]
    done = light.run("luigi", "--module", "workflows", *words, *options)
    assert (done.code, done.out.count("report: "), "Traceback" in done.err) == (0, 2, False)
    again = light.run("luigi", "--module", "workflows", *words, *options)
    assert (again.code, again.out) == (0, done.out)


def submitted(light: Any, scheduler: Scheduler, pending: int = 3, artefacts: int = 0) -> None:
    light.template("light", 'cleaned: "Cleaned" = "samples/cleaned.parquet"', "print(cleaned)")
    assert light.run("python", "-c", SUBMITTER, scheduler.url).code == 0
    assert len(scheduler.tasks("PENDING")) == pending
    assert len(light.artefacts()) == artefacts


def test_an_assistant_with_the_same_code_makes_what_somebody_else_asked_for(light: Any, scheduler: Scheduler) -> None:
    submitted(light, scheduler)
    done = light.run("python", "-c", ASSISTANT, scheduler.url)
    assert done.code == 0, done.err
    assert [path.parent.parent.name for path in light.artefacts()] == ["Cleaned", "Events", "ReportTask"]


def test_an_assistant_with_other_code_refuses_and_says_so(light: Any, scheduler: Scheduler) -> None:
    submitted(light, scheduler)
    path: Path = light.folder / "acme.py"
    path.write_text(path.read_text().replace('ORDER BY id"', 'ORDER BY id, kind"'))
    done = light.run("python", "-c", ASSISTANT, scheduler.url)
    assert done.code != 0
    assert "ERROR: Events 2020-01-01 was planned as version " in done.err
    assert "with other code than this worker's: Events in acme.py changed. " in done.err
    assert "restart the worker with the planner's code" in done.err
    assert "Traceback" not in done.err
    assert light.artefacts() == []
    [failed] = scheduler.tasks("FAILED")
    assert failed["name"] == "Events"


def changed(light: Any, statement: str) -> None:
    with closing(sqlite3.connect(light.folder / "acme.db")) as connection, connection:
        connection.execute(statement)


def test_an_assistant_follows_the_plan_where_the_data_changed_after_planning(light: Any, scheduler: Scheduler) -> None:
    """The rows that the plan is about are stored already, so the planned result can be made."""
    events = ["Events", "--date", DAY, "--scheduler-url", scheduler.url]
    assert light.run("luigi", "--module", "workflows", *events).code == 0
    submitted(light, scheduler, pending=2, artefacts=1)
    changed(light, "UPDATE events SET value = 9 WHERE id = 1")
    done = light.run("python", "-c", ASSISTANT, scheduler.url)
    assert done.code == 0, done.err
    planned = json.loads(next((light.store / "plans").glob("*.json")).read_text())["tasks"]
    records = [json.loads((folder / "provenance.json").read_text()) for folder in light.artefacts()]
    assert {record["version"] for record in records} == set(planned)


def test_an_assistant_makes_no_query_whose_rows_are_not_those_of_the_plan(light: Any, scheduler: Scheduler) -> None:
    submitted(light, scheduler)
    changed(light, "UPDATE events SET value = 9 WHERE id = 1")
    done = light.run("python", "-c", ASSISTANT, scheduler.url)
    assert done.code != 0
    assert "ERROR: Events 2020-01-01: the rows changed while the run was going on; nothing was stored." in done.err
    assert light.artefacts() == []
