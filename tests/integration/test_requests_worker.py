"""`parcours worker` working off requests, with real kernels; most facts share one worker."""

from __future__ import annotations

import contextlib
import datetime
import json
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from workflows import settings
from workflows.errors import RequestError
from workflows.notebooks.guarded import MARK
from workflows.requests.child import forked
from workflows.requests.queue import Requests
from workflows.requests.request import CANCELLED, FAILED, MADE, RUNNING, WAITING, Ask, Request
from workflows.requests.worker import Worker
from workflows.tasks.central import answers

DAY = datetime.date(2020, 1, 1)
GO = "import pathlib, time\nwhile not pathlib.Path('../go').exists(): time.sleep(0.02)"
# A process that leaves the kernel's group and session, as a server in a notebook may.
LEAVING = "import subprocess\nsubprocess.Popen(['sleep', '600'], start_new_session=True)"
TALKING = """
import sys
import luigi
import pandas as pd
from workflows import Stage

class Said(Stage):
    def requires(self):
        return {}

    def compute(self):
        for n in range(5000):
            print("word", n, flush=True)
        sys.stderr.write("and more")
        sys.stderr.flush()
        return pd.DataFrame({"a": [1]})
"""
FORKING = """
import os, pathlib, time
import pandas as pd
from workflows import Stage

class Left(Stage):
    def requires(self):
        return {}

    def compute(self):
        pid = os.fork()
        if pid == 0:
            time.sleep(60)
            os._exit(0)
        pathlib.Path("forked").write_text(str(pid))
        time.sleep(60)
        return pd.DataFrame({"a": [1]})
"""
PLAIN = "import datetime\ndate: datetime.date = datetime.date(2020, 1, 1)\nfactor: float = 2.0"


class Page:
    """The web page's side of a project."""

    def __init__(self, place: Any) -> None:
        self.place = place
        self.requests = Requests(place.folder / "data" / "web")

    def ask(self, template: str = "small", day: datetime.date = DAY, **values: object) -> Request:
        return self.requests.ask([Ask(template, day, json.dumps(values))], "ada", "")[0]

    def now(self, request: Request) -> Request:
        found = self.requests.get(request.id)
        assert found
        return found

    def events(self, request: Request, kind: str = "") -> list[dict[str, Any]]:
        found, _ = self.requests.events(request.id).after(0)
        return [event for event in found if kind in ("", event["kind"])]

    def ended(self, request: Request, seconds: float = 20) -> Request:
        within(seconds, lambda: self.now(request).is_ended)
        # The end is told a moment after it is written.
        within(5, lambda: self.events(request, "state")[-1]["state"] == self.now(request).state)
        states = [event["state"] for event in self.events(request, "state")]
        assert len([state for state in states if state in (MADE, FAILED, CANCELLED)]) == 1
        return self.now(request)

    def made(self, template: str = "small", **values: object) -> Request:
        request = self.ended(self.ask(template, **values))
        assert request.state == MADE, request.message
        return request

    def reaches(self, request: Request, cell: str) -> None:
        within(20, lambda: [event for event in self.events(request, "step") if event["message"].startswith(cell)])

    def lock(self, request: Request) -> Path:
        return self.requests.folder(request.id) / "lock"


def within(seconds: float, find: Callable[[], Any]) -> Any:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = find()
        if found:
            return found
        time.sleep(0.01)
    raise AssertionError(f"nothing within {seconds} s")


def scheduled_at(place: Any, port: int) -> None:
    path = place.folder / "luigi.cfg"
    path.write_text(path.read_text().replace("scheduler_port = 8082", f"scheduler_port = {port}"))


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def end(worker: Any) -> int:
    worker.send_signal(signal.SIGTERM)
    worker.communicate(timeout=20)
    return int(worker.returncode)


@pytest.fixture(scope="module")
def page(make_small: Callable[[Path], Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A project with one worker, through a scheduler of its own, for this module."""
    place = make_small(tmp_path_factory.mktemp("worker") / "small")
    place.template("slow", PLAIN, "print('the first words')", GO, "print('the last')")
    place.template("failing", PLAIN, "1 / 0")
    place.template("leaving", PLAIN, LEAVING, GO)
    scheduled_at(place, free_port())
    worker = place.start("parcours", "worker", "--at-once", "2")
    try:
        yield Page(place)
        assert end(worker) == 0
        assert place.processes() == []
    finally:
        worker.kill()
        worker.communicate()


@pytest.fixture
def held(page: Page) -> Iterator[Callable[..., Request]]:
    """Asks for a report that waits in a cell, and lets it go on at the end."""

    def ask(template: str = "slow", **values: object) -> Request:
        request = page.ask(template, **values)
        page.reaches(request, "cell 3")
        return request

    go = page.place.folder / "go"
    yield ask
    go.touch()
    within(20, lambda: page.requests.running() == [])
    go.unlink()


def test_what_is_asked_for_is_made_and_named(page: Page) -> None:
    request = page.made()
    assert request.report
    assert (page.place.store / request.report / "report.html").is_file()
    assert request.message == "made: 0 measures"
    assert (request.tries, bool(request.began), bool(request.ended)) == (1, True, True)


def test_the_events_tell_the_plan_the_tasks_and_the_cells(page: Page) -> None:
    request = page.made(factor=11.0)
    (plan,) = page.events(request, "plan")
    assert [task["label"] for task in plan["tasks"] if task["action"] == "make"] == [
        "Cleaned 2020-01-01",
        "small 2020-01-01",
    ]
    assert plan["to_make"] + plan["to_take"] + plan["reused"] == 3
    states = [(event["label"], event["state"]) for event in page.events(request, "task")]
    assert ("small 2020-01-01", "running") in states
    assert states[-1] == ("small 2020-01-01", "made")
    step = page.events(request, "step")[0]
    assert (step["message"], step["done"], step["of"]) == ("cell 1 of 3", 0, 3)


def test_the_first_progress_is_there_within_a_second(page: Page) -> None:
    page.made()
    request = page.made(factor=12.0)
    asked, plan = (datetime.datetime.fromisoformat(t) for t in (request.asked, page.events(request, "plan")[0]["time"]))
    assert (plan - asked).total_seconds() < 1


def test_a_report_that_is_there_is_not_made_again(page: Page) -> None:
    first, again = page.made(factor=13.0), page.made(factor=13.0)
    assert again.report == first.report
    assert again.message == "it was there already"


def test_two_who_ask_for_the_same_at_once_get_the_same_report(page: Page) -> None:
    one, other = page.ask(factor=14.0), page.ask(factor=14.0)
    assert page.ended(one).report == page.ended(other).report
    assert page.now(one).state == page.now(other).state == MADE


def test_a_failed_report_is_named_with_what_happened(page: Page) -> None:
    request = page.ended(page.ask("failing"))
    assert request.state == FAILED
    assert request.message.startswith("failing 2020-01-01 failed in cell 2 of 2: ZeroDivisionError: division by zero")
    assert request.report
    assert request.report.startswith("failed/failing/2020-01-01/")
    assert (page.place.store / request.report / "report.html").is_file()
    assert page.events(request, "task")[-1]["state"] == "failed"


@pytest.mark.parametrize(
    ("template", "values", "sentence"),
    [("smal", {}, "there is no template 'smal'.*Did you mean 'small'"), ("small", {"factor": "x"}, "expected float")],
)
def test_bad_input_fails_at_once_with_its_sentence(
    page: Page, template: str, values: dict[str, object], sentence: str
) -> None:
    import re

    request = page.ended(page.ask(template, **values))
    assert request.state == FAILED
    assert re.search(sentence, request.message)
    assert "\n" not in request.message
    assert request.report is None


def test_the_report_can_be_read_while_it_grows(page: Page, held: Callable[..., Request]) -> None:
    request = held(factor=3.0)
    growing = page.requests.events(request.id).growing
    within(5, lambda: growing.exists() and "the first words" in growing.read_text())
    assert page.events(request, "growing")
    assert page.now(request).state == RUNNING


def test_everything_that_a_run_says_is_in_its_log(page: Page) -> None:
    request = page.made(factor=15.0)
    assert "made          " in page.requests.events(request.id).log.read_text()


def test_an_edited_pipeline_and_a_new_template_count_at_once(page: Page) -> None:
    source = (page.place.folder / "acme.py").read_text()
    page.made(factor=16.0)
    page.place.module("acme", source.replace("value=events.value * self.factor", "value=events.value * 100"))
    page.place.template(
        "new", 'table: "Cleaned" = "x.parquet"', "import pandas\npandas.read_parquet(table).value.sum()"
    )
    try:
        request = page.made("new")
        assert "350" in (page.place.store / str(request.report) / "report.html").read_text()
    finally:
        page.place.module("acme", source)


def test_a_module_that_cannot_be_imported_fails_the_request_only(page: Page) -> None:
    source = (page.place.folder / "acme.py").read_text()
    page.place.module("acme", "1 / 0")
    try:
        assert "acme" in page.ended(page.ask()).message
    finally:
        page.place.module("acme", source)
    assert page.made().state == MADE


def test_one_that_runs_is_cancelled_within_a_second_with_all_that_it_started(
    page: Page, held: Callable[..., Request]
) -> None:
    request = held("leaving", factor=4.0)
    sleeping = [p for p in page.place.processes(0) if p.name() == "sleep"]
    assert sleeping
    began = time.monotonic()
    assert page.requests.cancel(request.id, "bob")
    found = page.ended(request, 2)
    assert time.monotonic() - began < 1.5
    assert (found.state, found.message, found.report) == (CANCELLED, "cancelled by bob", None)
    within(1, lambda: not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in sleeping))
    assert list((page.place.store / ".staging").glob("*-*")) == []
    assert not list(page.place.store.glob("ReportTask/*/leaving-*"))


def test_a_cancelled_report_can_be_asked_for_again(page: Page, held: Callable[..., Request]) -> None:
    request = held(factor=5.0)
    page.requests.cancel(request.id, "ada")
    page.ended(request)
    again = page.requests.retry(request.id, "ada", "")
    page.reaches(again, "cell 3")


def test_a_killed_child_is_begun_again_and_its_kernel_is_gone(page: Page, held: Callable[..., Request]) -> None:
    request = held(factor=6.0)
    kernels = kernels_of(page)
    assert kernels
    os.kill(child_of(page, request), signal.SIGKILL)
    within(20, lambda: page.now(request).tries == 2)
    within(2, lambda: not any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in kernels))
    page.reaches(request, "cell 3")


def test_after_three_killed_tries_a_request_fails_with_the_reason(page: Page, held: Callable[..., Request]) -> None:
    request = held(factor=7.0)
    for number in (1, 2, 3):
        within(20, lambda n=number: page.now(request).tries == n)
        within(20, lambda: kernels_of(page))
        os.kill(child_of(page, request), signal.SIGKILL)
    found = page.ended(request)
    assert found.state == FAILED
    assert "was begun 3 times and did not come to an end: its process was killed (SIGKILL)" in found.message


def test_a_killed_kernel_is_a_failed_report(page: Page, held: Callable[..., Request]) -> None:
    request = held(factor=8.0)
    for kernel in kernels_of(page):
        kernel.kill()
    found = page.ended(request)
    assert found.state == FAILED
    assert "the kernel died: it was killed from outside" in found.message


def test_a_stopped_worker_lets_go_and_the_next_one_goes_on(make_small: Callable[[Path], Any], tmp_path: Path) -> None:
    place = make_small(tmp_path / "small")
    scheduled_at(place, free_port())
    place.template("slow", PLAIN, GO)
    page = Page(place)
    request = page.ask("slow")
    worker = place.start("parcours", "worker")
    page.reaches(request, "cell 2")
    began = time.monotonic()
    assert end(worker) == 0
    assert time.monotonic() - began < 3
    assert (page.now(request).state, page.now(request).tries) == (WAITING, 0)
    assert place.processes() == []
    (place.folder / "go").touch()
    worker = place.start("parcours", "worker")
    try:
        assert page.ended(request).state == MADE
        assert page.now(request).tries == 1
    finally:
        end(worker)


def test_a_request_of_a_killed_worker_is_taken_up_by_the_other(
    make_small: Callable[[Path], Any], tmp_path: Path
) -> None:
    place = make_small(tmp_path / "small")
    scheduled_at(place, free_port())
    place.template("slow", PLAIN, GO)
    page = Page(place)
    request = page.ask("slow")
    first = place.start("parcours", "worker")
    page.reaches(request, "cell 2")
    second = place.start("parcours", "worker")
    try:
        first.kill()
        first.communicate()
        within(20, lambda: page.now(request).tries == 2)
        (place.folder / "go").touch()
        assert page.ended(request).state == MADE
    finally:
        end(second)
    assert place.processes() == []


def test_a_central_scheduler_delays_no_second_try_and_its_end_harms_no_request(
    make_small: Callable[[Path], Any], tmp_path: Path
) -> None:
    place, port = make_small(tmp_path / "small"), free_port()
    scheduled_at(place, port)
    place.template("slow", PLAIN, "1", GO)
    state = str(place.folder / "scheduler.state")
    scheduler = place.start("luigid", "--address", "127.0.0.1", "--port", str(port), "--state-path", state)
    within(20, lambda: answers(f"http://127.0.0.1:{port}/"))
    page = Page(place)
    request = page.ask("slow")
    worker = place.start("parcours", "worker")
    try:
        page.reaches(request, "cell 3")
        os.kill(child_of(page, request), signal.SIGKILL)
        within(10, lambda: len([e for e in page.events(request, "step") if e["message"] == "cell 3 of 3"]) == 2)
        scheduler.kill()
        (place.folder / "go").touch()
        found = page.ended(request)
        assert (found.state, found.tries) == (MADE, 2)
    finally:
        scheduler.kill()
        scheduler.communicate()
        end(worker)


def test_a_disk_without_room_for_log_and_events_fails_no_run(page: Page) -> None:
    (page.place.folder / "talking.py").write_text(TALKING)
    path = page.place.folder / "luigi.cfg"
    path.write_text(path.read_text().replace("pipelines = acme", "pipelines = acme, talking"))
    page.place.template("talking", PLAIN + '\nsaid: "Said" = "x.parquet"', "1")
    # While others hold the worker, the files are put where nothing can be written.
    others = page.ask("slow", factor=30.0), page.ask("slow", factor=31.0)
    for other in others:
        page.reaches(other, "cell 3")
    request = page.ask("talking")
    folder = page.requests.folder(request.id)
    for name in ("log.txt", "events.jsonl"):
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to("/dev/full")
    go = page.place.folder / "go"
    go.touch()
    try:
        within(20, lambda: page.now(request).is_ended)
        assert (page.now(request).state, page.now(request).tries) == (MADE, 1)
    finally:
        within(20, lambda: page.requests.running() == [])
        go.unlink()


def test_what_a_killed_child_forked_does_not_seem_to_be_it(page: Page) -> None:
    """It may outlive both the child and its worker."""
    (page.place.folder / "leaver.py").write_text(FORKING)
    path = page.place.folder / "luigi.cfg"
    path.write_text(path.read_text().replace("pipelines = acme", "pipelines = acme, leaver"))
    page.place.template("leaver", PLAIN + '\nleft: "Left" = "x.parquet"', "1")
    request = page.ask("leaver")
    told = page.place.folder / "forked"
    within(20, lambda: told.exists() and told.read_text())
    try:
        holders = [
            process.pid
            for process in page.place.processes(0)
            if any(file.path == str(page.lock(request)) for file in process.open_files())
        ]
        assert len(holders) == 1
        assert int(told.read_text()) not in holders
    finally:
        os.kill(int(told.read_text()), signal.SIGKILL)
        page.requests.cancel(request.id, "ada")
        within(20, lambda: page.now(request).is_ended)


def child_of(page: Page, request: Request) -> int:
    """The process that holds a request's lock."""
    lock = str(page.lock(request))
    for process in page.place.processes(0):
        if any(file.path == lock for file in process.open_files()):
            return int(process.pid)
    raise AssertionError("no child")


def kernels_of(page: Page) -> list[psutil.Process]:
    """The kernels of what runs: marked, and forked from a process that the worker or its child started."""
    own = {process.pid for process in page.place.processes(0)}
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if MARK in process.environ() and own.intersection(parent.pid for parent in process.parents()):
                found.append(process)
    return found


@pytest.fixture
def worker(small: Any, inside: Callable[[Any], None], monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    """A worker of this very process, which takes one step at a time."""
    inside(small)
    monkeypatch.setattr("workflows.requests.worker._LOOK_EVERY", 0)
    # The settings of this test run are none of a command of Luigi's.
    monkeypatch.setattr("workflows.tasks.central.give_up", lambda worker: None)
    found = Worker(settings.load(), 2, {})
    yield found
    found._news.close()


def test_a_worker_outlives_a_damaged_database_and_says_it_once(
    worker: Worker, small: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    worker._step()
    path = small.folder / "data" / "web" / "requests.db"
    path.write_bytes(b"something else" * 1000)
    for _ in range(3):
        worker._step()
    told = capsys.readouterr().err
    assert told.count("are damaged (file is not a database)") == 1
    assert len(set(told.splitlines())) == len(told.splitlines())


def test_children_whose_end_cannot_be_written_hinder_no_other(
    worker: Worker, small: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are gone, and their requests are seen to as those of a killed worker."""
    page = Page(small)
    for day in (1, 2):
        request = page.requests.begin(page.ask(day=datetime.date(2020, 1, day)).id)
        assert request
        worker._children.append(forked(request, page.requests.events(request.id).log, {}, lambda: os._exit(3), lock()))

    def refuse(*values: object) -> None:
        raise RequestError.unusable("requests.db", "no space left")

    for child in worker._children:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    with monkeypatch.context() as full:
        full.setattr(Requests, "release", refuse)
        with pytest.raises(RequestError):
            worker._reap()
    assert worker._children == []
    worker._recover()
    assert {request.state for request in page.requests.list()} == {WAITING}


def lock() -> int:
    """A descriptor that a child may keep."""
    return os.open(os.devnull, os.O_RDONLY)


TIMED_OUT = """
from workflows import Stage

class Late(Stage):
    def requires(self):
        return {}

    def compute(self):
        raise TimeoutError("the server of the algorithm did not answer")
"""


def test_a_task_that_fails_as_a_scheduler_does_fails_once(make_small: Callable[[Path], Any], tmp_path: Path) -> None:
    """It would be made again and again, were it taken for one that went away."""
    place, port = make_small(tmp_path / "small"), free_port()
    scheduled_at(place, port)
    path = place.folder / "luigi.cfg"
    path.write_text(path.read_text().replace("pipelines = acme", "pipelines = acme, late"))
    place.module("late", TIMED_OUT)
    place.template("late", PLAIN + '\nlate: "Late" = "x.parquet"', "1")
    scheduler = place.start("luigid", "--address", "127.0.0.1", "--port", str(port))
    within(20, lambda: answers(f"http://127.0.0.1:{port}/"))
    page = Page(place)
    worker = place.start("parcours", "worker")
    try:
        request = page.ask("late")
        found = page.ended(request)
        assert (found.state, found.tries) == (FAILED, 1)
        assert "the server of the algorithm did not answer" in found.message
        assert len([event for event in page.events(request, "task") if event["state"] == "failed"]) == 1
    finally:
        scheduler.kill()
        scheduler.communicate()
        end(worker)
