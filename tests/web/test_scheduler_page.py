"""Luigi's own page under `/scheduler/`: it works there, for those who may, and the scheduler hears nobody else's browser."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient
from serving import Answered, Served, serve, within

from workflows.web.serving.scheduler import CHANGES, READS

pytestmark = pytest.mark.acceptance
OF_THE_PAGE = {"X_Requested_With": "XMLHttpRequest", "Sec_Fetch_Site": "same-origin"}


def call(served: Served, name: str, method: str = "GET", data: Any = None, **headers: str) -> Answered:
    return served.browser().ask(method, f"/scheduler/api/{name}?data={quote(json.dumps(data or {}))}", **headers)


@pytest.fixture(scope="module")
def worked(served: Served) -> Served:
    """The served project, after a run by way of its scheduler."""
    words = ["Cleaned", "--date", "2020-01-01"]
    assert served.place.run("luigi", "--module", "workflows", *words).code == 0
    return served


def test_it_lists_what_ran(worked: Served) -> None:
    answer = call(worked, "task_list", data={"status": "DONE", "upstream_status": ""})
    assert sorted(task["name"] for task in answer.json["response"].values()) == ["Cleaned", "Events"]


def test_it_works_in_a_browser_with_its_policy(worked: Served) -> None:
    from playwright.sync_api import sync_playwright

    assert Path("/usr/bin/chromium").exists(), "Debian's chromium is needed: apt-get install chromium"
    said: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page()
        page.on(
            "console", lambda message: said.append(message.text) if "Content Security Policy" in message.text else None
        )
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(f"{worked.url}/scheduler/")
        page.locator("#DONE_info").click()
        page.locator("#taskTable tbody td", has_text="Cleaned").first.wait_for(timeout=10_000)
        found = call(worked, "task_list", data={"status": "DONE", "upstream_status": ""}).json["response"]
        [task] = [name for name in found if name.startswith("Cleaned")]
        page.goto(f"{worked.url}/scheduler/static/visualiser/index.html#tab=graph&taskId={task}")
        page.locator("#graphPlaceholder a.graph-node-a").first.wait_for(timeout=10_000)
        page.goto(f"{worked.url}/scheduler/static/visualiser/index.html#tab=workers")
        page.locator("#workerList").wait_for(state="attached")
        browser.close()
    # jQuery tries whether it could, and a font of another host is not fetched.
    known = ("Executing inline event handler", "Loading the stylesheet 'https://fonts.googleapis.com/")
    assert [text for text in said if not text.startswith(known)] == []


@pytest.mark.parametrize(
    "name", ["add_task", "get_work", "add_worker", "ping", "set_task_status_message", "prune", "__init__", "../api"]
)
def test_what_is_for_workers_is_not_passed_on(served: Served, name: str) -> None:
    assert call(served, name, **OF_THE_PAGE).status == 404


@pytest.mark.parametrize("name", sorted(READS | CHANGES))
def test_nothing_is_taken_as_a_form(served: Served, name: str) -> None:
    assert call(served, name, "POST", **OF_THE_PAGE).status in (400, 405)


def test_an_administrator_changes_things_from_the_page_itself(served: Served) -> None:
    assert call(served, "forgive_failures", data={"task_id": "x"}, **OF_THE_PAGE).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec_Fetch_Site": "same-origin"},
        {"X_Requested_With": "XMLHttpRequest", "Sec_Fetch_Site": "cross-site"},
        {"X_Requested_With": "XMLHttpRequest", "Sec_Fetch_Site": "same-site"},
        {"X_Requested_With": "XMLHttpRequest", "Origin": "https://evil.example"},
        {"X_Requested_With": "XMLHttpRequest", "Origin": "null"},
    ],
    ids=["a link", "a link of ours", "elsewhere", "beside", "another origin", "a report"],
)
@pytest.mark.parametrize("name", sorted(CHANGES))
def test_nothing_is_changed_from_elsewhere(served: Served, name: str, headers: dict[str, str]) -> None:
    assert call(served, name, data={"task_id": "x"}, **headers).status == 403


def test_luigis_whole_list_of_changes_is_known() -> None:
    """Of a later Luigi, a call that nobody decided about is not passed on; here it is told."""
    from luigi.scheduler import RPC_METHODS

    assert set(READS | CHANGES) <= set(RPC_METHODS)


def test_no_other_page_may_frame_it_and_no_script_but_its_own_runs(served: Served) -> None:
    policy = served.get("/scheduler/static/visualiser/index.html").headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy
    assert "script-src 'self' 'sha256-" in policy
    assert "unsafe-inline" not in policy.partition("style-src")[0]


@pytest.mark.parametrize(
    "path",
    ["static/../api/pause", "static/%2e%2e/api/pause", "static/..%2f..%2fetc/passwd", "history", "metrics", "tasklist"],
)
def test_nothing_else_of_it_is_reached(served: Served, path: str) -> None:
    assert served.get(f"/scheduler/{path}").status == 404


@pytest.mark.parametrize(
    "header",
    [
        ("Origin", "http://evil.example"),
        ("Origin", "null"),
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Mode", "no-cors"),
        ("Referer", "http://evil.example/"),
        ("Host", "evil.example"),
    ],
)
def test_the_scheduler_itself_is_deaf_to_browsers(served: Served, header: tuple[str, str]) -> None:
    port = next(found.laddr.port for found in served.part("scheduler").net_connections() if found.status == "LISTEN")
    plain = f"http://127.0.0.1:{port}/api/is_paused"
    with urllib.request.urlopen(plain) as answer:
        assert answer.status == 200
    with pytest.raises(urllib.error.HTTPError) as told:
        urllib.request.urlopen(urllib.request.Request(plain, headers=dict([header])))
    told.value.close()
    assert told.value.code == 403


def test_the_scheduler_is_of_this_machine_only(served: Served) -> None:
    listening = [found.laddr.ip for found in served.part("scheduler").net_connections() if found.status == "LISTEN"]
    assert listening == ["127.0.0.1"]


def test_without_a_scheduler_the_page_says_so(client: FlaskClient, small: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workflows.web.serving.scheduler.address", lambda: ("127.0.0.1", 1))
    answer = client.get("/scheduler/static/visualiser/index.html")
    assert (answer.status_code, "The scheduler at 127.0.0.1:1 does not answer." in answer.text) == (503, True)


def test_a_scheduler_that_is_there_already_is_used_and_outlives_the_page(served: Served, small: Any) -> None:
    port = next(found.laddr.port for found in served.part("scheduler").net_connections() if found.status == "LISTEN")
    found = serve(small, "--no-worker", port=port)
    try:
        within(20, lambda: found.get("/healthz").status == 200)
        assert "scheduler" not in json.loads((small.folder / "data" / "web" / "parts.json").read_text())
        assert call(found, "is_paused").status == 200
    finally:
        found.end()
    assert served.part("scheduler").is_running()
