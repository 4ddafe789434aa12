"""`parcours serve`: its parts, that they live again after they die, and that nothing is left behind."""

from __future__ import annotations

import json
import signal
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import psutil
import pytest
from serving import Served, free_port, serve, within

from workflows.web.serving import supervisor
from workflows.web.serving.supervisor import Part

pytestmark = pytest.mark.acceptance


@pytest.fixture
def started(small: Any) -> Iterator[Callable[..., Served]]:
    """Serves the small project; it ends with the test, and leaves nothing."""
    found: list[Served] = []

    def start(*options: str, **web: str) -> Served:
        found.append(serve(small, *options, **web))
        return found[-1]

    yield start
    for one in found:
        if one.process.poll() is None:
            one.end()
    assert small.processes() == []


def lives(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def healthy(served: Served) -> bool:
    return served.get("/healthz").status == 200


def test_one_command_opens_the_page_with_a_scheduler_and_a_worker_and_says_where(served: Served) -> None:
    within(20, lambda: healthy(served))
    parts = ("page", "requests", "catalog", "scheduler", "worker")
    assert served.get("/healthz").json == {"status": "ok", "parts": dict.fromkeys(parts, "ok")}
    assert served.get("/people").status == 200


@pytest.mark.parametrize("part", ["web page", "worker", "scheduler"])
def test_a_part_that_is_killed_is_started_again(served: Served, part: str) -> None:
    before = served.part(part)
    below = before.children(recursive=True)
    before.kill()
    within(20, lambda: served.part(part).pid != before.pid)
    within(20, lambda: healthy(served))
    within(5, lambda: not any(lives(process) for process in below))
    assert f"the {part} was killed by SIGKILL; it is started again at once" in served.log.read_text()


def test_who_comes_while_the_page_is_started_again_is_answered(served: Served) -> None:
    page = served.part("web page")
    below = page.children(recursive=True)
    page.kill()
    within(5, lambda: not any(lives(process) for process in below))
    assert served.get("/people").status == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_in_order_when_it_is_asked_to(started: Callable[..., Served], number: signal.Signals) -> None:
    found = started()
    within(20, lambda: healthy(found))
    assert found.end(number) == 0
    assert found.place.processes(0) == []


def test_nothing_outlives_a_server_that_is_killed(started: Callable[..., Served]) -> None:
    found = started()
    within(20, lambda: healthy(found))
    assert len(found.place.processes(0)) >= 4
    found.end(signal.SIGKILL)
    assert found.place.processes(10) == []


def test_one_that_is_started_while_parts_of_a_killed_one_end_waits_for_them(small: Any) -> None:
    """Else it would take the scheduler for one that stays, and find its port taken."""
    port, scheduler_port = free_port(), free_port()
    first = serve(small, "--port", str(port), port=scheduler_port)
    within(20, lambda: healthy(first))
    scheduler = first.part("scheduler")
    scheduler.suspend()
    first.process.kill()
    first.process.wait()
    assert first.process.stdout
    first.process.stdout.close()
    timer = threading.Timer(2, scheduler.resume)
    timer.start()
    second = serve(small, "--port", str(port), port=scheduler_port)
    timer.join()
    try:
        within(20, lambda: healthy(second))
        assert second.part("scheduler").pid != scheduler.pid
    finally:
        second.end()
    assert small.processes() == []


def is_another(before: Path) -> bool:
    """Whether there is one parent of kernels, and another than that at a place."""
    found = list(before.parent.parent.glob("parcours-*/parent"))
    return len(found) == 1 and found[0] != before


def test_a_folder_of_a_parent_of_kernels_goes_with_it_when_the_worker_is_killed(small: Any, tmp_path: Path) -> None:
    """Whether the parent was killed too, or not."""
    with tempfile.TemporaryDirectory() as folder:
        small.environment["TMPDIR"] = folder
        found = serve(small)
        try:
            within(20, lambda: healthy(found))
            form = {"date": "2020-01-01", ":key": "k"}
            assert found.browser().post("/templates/small", "/templates/small", **form).status == 303
            within(20, lambda: list(Path(folder).glob("parcours-*")))
            for kills_parent in (False, True):
                before = within(20, lambda: list(Path(folder).glob("parcours-*/parent")))[0]
                worker = found.part("worker")
                for process in (worker, *(worker.children() if kills_parent else ())):
                    process.kill()
                within(20, partial(is_another, before))
        finally:
            found.end()
        assert list(Path(folder).iterdir()) == []


def test_a_part_that_cannot_be_started_ends_no_other(tmp_path: Path) -> None:
    """It is tried again, as one that dies."""
    part = Part("broken", ("/no/such/program",))
    supervisor._is_over({signal.SIGUSR1}, [part], tmp_path)
    assert (part.process, part.deaths) == (None, 1)


def test_a_part_that_dies_again_and_again_is_said_and_started_less_often(started: Callable[..., Served]) -> None:
    found = started("--no-worker", "--no-scheduler")
    within(20, lambda: found.get("/people").status == 200)
    package = found.place.folder / "luigi.cfg"
    package.write_text(package.read_text() + "\n[web\n")
    found.part("web page").kill()
    lines = within(20, lambda: [line for line in map(json.loads, told(found)) if "3 times in a row" in line["what"]])
    assert "ended with exit code" in lines[0]["what"]
    assert lines[0]["level"] == "error"
    assert lines[0]["what"].endswith("it is started again in 2 s")


def told(found: Served) -> list[str]:
    return [line for line in found.log.read_text().splitlines() if line.startswith('{"time"')]


def test_a_second_one_for_the_same_project_is_refused(served: Served) -> None:
    done = served.place.run("parcours", "serve", "--port", "0")
    assert (done.code, done.out) == (2, "")
    assert "`parcours serve` runs already for " in done.err


def test_a_port_that_is_taken_is_said_with_what_to_do(small: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = small.run("parcours", "serve", "--port", str(port))
    assert (done.code, done.out) == (2, "")
    told = f"the page cannot be opened at 127.0.0.1:{port} (Address already in use). Stop what is there, or give another --port."
    assert done.err.strip() == told


class _Other(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *words: Any) -> None:
        pass


def test_a_scheduler_port_of_another_program_is_said(small: Any) -> None:
    port = free_port()
    config: Path = small.folder / "luigi.cfg"
    config.write_text(config.read_text().replace("scheduler_port = 8082", f"scheduler_port = {port}"))
    with HTTPServer(("127.0.0.1", port), _Other) as other:
        thread = threading.Thread(target=other.serve_forever)
        thread.start()
        done = small.run("parcours", "serve", "--port", "0")
        other.shutdown()
        thread.join()
    assert (done.code, done.out) == (2, "")
    assert f"127.0.0.1:{port} is answered by another program than Luigi's scheduler." in done.err


@pytest.mark.parametrize("options", [("--host", "nowhere.invalid"), ("--port", "70000"), ("--host", "192.0.2.1")])
def test_an_address_that_is_none_is_refused_in_a_sentence(small: Any, options: tuple[str, str]) -> None:
    done = small.run("parcours", "serve", *options)
    assert (done.code, done.out, len(done.err.splitlines())) == (2, "", 1)


@pytest.mark.parametrize(
    ("line", "other", "told"),
    [
        ("web = data/web", "web = luigi.cfg", "luigi.cfg cannot be written (File exists). Grant write access"),
        (
            "scheduler_port = 8082",
            "scheduler_port = luigi",
            "'scheduler_port' in luigi.cfg, [core] is 'luigi'; expected",
        ),
        ("[web]", "[web]\nport = 1", "luigi.cfg, [web] has an unknown key 'port'. Known keys: sign_in, address, "),
    ],
)
def test_settings_that_will_not_do_are_refused_in_a_sentence(small: Any, line: str, other: str, told: str) -> None:
    config: Path = small.folder / "luigi.cfg"
    config.write_text(config.read_text().replace(line, other))
    done = small.run("parcours", "serve", "--port", "0")
    assert (done.code, done.out, len(done.err.splitlines())) == (2, "", 1)
    assert told in done.err


def test_requests_that_are_too_large_are_refused(served: Served) -> None:
    assert served.get(f"/people?{'x' * 9000}").status in (400, 414)
    assert served.get("/people", Cookie="x" * 9000).status in (400, 431)
    assert served.browser().ask("POST", "/people/add", "x" * 2_100_000).status == 413


def test_what_happens_is_a_line_of_json_each_without_what_was_sent(served: Served) -> None:
    served.browser().ask("POST", "/sign-in?secret=abc", "password=hunter2hunter2")
    served.get("/people?secret=abc")
    lines = within(5, lambda: [line for line in map(json.loads, told(served)) if line.get("path") == "/people"])
    assert set(lines[-1]) == {"time", "level", "what", "person", "method", "path", "status", "seconds"}
    assert "hunter2" not in served.log.read_text()
    assert "abc" not in served.log.read_text()


def test_the_figures_are_those_of_all_processes(served: Served) -> None:
    for _ in range(20):
        served.get("/no-such-page")
    text = served.get("/metrics").text
    [line] = [line for line in text.splitlines() if 'count{status="404",view="none"}' in line]
    assert float(line.split()[-1]) >= 20
