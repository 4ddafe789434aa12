"""Requests in the page: their list, their course as it happens, cancelling and repeating them."""

from __future__ import annotations

import datetime
import json
import re
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from workflows import settings
from workflows.requests.queue import Requests
from workflows.requests.request import Ask, Request
from workflows.web.people import person as people
from workflows.web.watching import progress, stream
from workflows.web.watching.course import Course

DAY = datetime.date(2020, 1, 1)
PLAN = {
    "to_make": 2,
    "to_take": 0,
    "reused": 3,
    "tasks": [
        {"task": "Events", "label": "Events 2020-01-01", "action": "make"},
        {"task": "ReportTask", "label": "small 2020-01-01", "action": "make"},
        {"task": "Cleaned", "label": "Cleaned 2020-01-01", "action": "reuse"},
    ],
}


@pytest.fixture
def requests(client: FlaskClient) -> Requests:
    """The requests of the page's project."""
    return Requests(settings.load().web)


def me() -> str:
    """Who uses the page in these tests."""
    import getpass

    return getpass.getuser()


def ask(requests: Requests, number: int = 1, person: str = "", template: str = "small") -> list[Request]:
    """Ask for reports of as many days."""
    days = [DAY + datetime.timedelta(days=n) for n in range(number)]
    return requests.ask([Ask(template, day) for day in days], person or me(), "")


def run(requests: Requests, request: Request) -> Request:
    """Have a request begun, planned, and its report in its second cell."""
    begun = requests.begin(request.id)
    assert begun
    events = requests.events(request.id)
    events.tell("plan", **PLAN)
    events.tell("task", label="Events 2020-01-01", state="made", shown="2 rows")
    events.tell("step", label="small 2020-01-01", message="cell 2 of 3", done=1, of=3)
    return begun


def post(client: FlaskClient, address: str, **values: str) -> Any:
    """Send a form of the page."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/templates/small").text)
    assert found
    return client.post(address, data={"csrf_token": found[1], **values})


def test_the_page_shows_how_things_stand_also_without_a_script(client: FlaskClient, requests: Requests) -> None:
    """It asks for itself again every few seconds then."""
    (request,) = ask(requests)
    run(requests, request)
    page = client.get(f"/requests/{request.id}").text
    assert '<meta http-equiv="refresh" content="5">' in page
    assert "cell 2 of 3" in page
    assert page.count('<i class="done">') == 1
    assert page.count('<i class="now">') == 1
    assert "1</span> of 2 done, 3 reused" in page
    assert "Cleaned 2020-01-01" not in page


def test_one_that_waits_says_how_many_are_before_it(client: FlaskClient, requests: Requests) -> None:
    """By the order in which they will be served."""
    ask(requests)
    (second,) = ask(requests)
    assert "Number 2 in the queue" in client.get(f"/requests/{second.id}").text
    assert client.get(f"/requests/{second.id}/state").get_json()["place"] == 2


def test_an_end_shows_the_report_and_nothing_reloads(client: FlaskClient, requests: Requests) -> None:
    """In its frame, with a link to it."""
    (request,) = ask(requests)
    path = "ReportTask/2020-01-01/small-0123456789abcdef"
    requests.finish(run(requests, request), "made", "", path)
    page = client.get(f"/requests/{request.id}").text
    assert f'href="/reports/{path}"' in page
    assert f'src="/reports/{path}/files/report.html"' in page
    assert 'sandbox="allow-scripts allow-popups allow-downloads"' in page
    assert 'http-equiv="refresh"' not in page
    assert "Cancel" not in page


def test_a_failure_is_told_in_its_own_words(client: FlaskClient, requests: Requests) -> None:
    """As text, whatever it is made of."""
    (request,) = ask(requests)
    path = "failed/small/2020-01-01/2026-11-22T09-14-03"
    requests.finish(run(requests, request), "failed", "small failed: <script>alert(1)</script>\nagain  luigi", path)
    page = client.get(f"/requests/{request.id}").text
    assert "small failed: &lt;script&gt;" in page
    assert f'src="/reports/{path}/files/report.html"' in page
    assert "<script>alert" not in page
    assert "Try again" in page


@pytest.mark.parametrize("name", ["nothing", "..", "0" * 26, "%2e%2e%2fpeople.db"])
@pytest.mark.parametrize("part", ["", "/events", "/state", "/growing", "/log"])
def test_what_is_no_request_is_not_found(client: FlaskClient, name: str, part: str) -> None:
    """At none of its addresses."""
    assert client.get(f"/requests/{name}{part}").status_code == 404


def read(client: FlaskClient, request: Request, **headers: str) -> Iterator[dict[str, str]]:
    """The events of a stream: the fields of each."""
    answer = client.get(f"/requests/{request.id}/events", headers=headers, buffered=False)
    assert answer.mimetype == "text/event-stream"
    left = ""
    try:
        for chunk in answer.response:
            left += chunk if isinstance(chunk, str) else chunk.decode()
            *whole, left = left.split("\n\n")
            for event in whole:
                yield dict(line.split(": ", 1) for line in event.splitlines() if not line.startswith(":"))
    finally:
        answer.close()


def test_the_stream_tells_everything_from_the_start_to_the_end_and_then_ends(
    client: FlaskClient, requests: Requests
) -> None:
    """As it happens."""
    (request,) = ask(requests)

    def work() -> None:
        time.sleep(0.3)
        requests.finish(run(requests, request), "made", "", "ReportTask/2020-01-01/small-0123456789abcdef")

    worker = threading.Thread(target=work)
    worker.start()
    told = list(read(client, request))
    worker.join()
    events = [event for one in told if one.get("event") == "events" for event in json.loads(one["data"])]
    assert [event["kind"] for event in events] == ["state", "state", "plan", "task", "step", "state"]
    assert told[-1]["event"] == "end"
    assert json.loads(told[-1]["data"]) == "made"


def test_a_stream_that_was_cut_goes_on_where_it_was(client: FlaskClient, requests: Requests) -> None:
    """Each event once: its id is the place in the file behind it."""
    (request,) = ask(requests)
    run(requests, request)
    stream_ = read(client, request)
    cut = next(one for one in stream_ if one.get("event") == "events")
    stream_.close()
    begun = requests.get(request.id)
    assert begun
    requests.finish(begun, "failed", "why")
    rest = list(read(client, request, **{"Last-Event-ID": cut["id"]}))
    events = [event for one in rest if one.get("event") == "events" for event in json.loads(one["data"])]
    assert [event.get("state") for event in events] == ["failed"]


def test_a_stream_ends_though_nobody_could_tell_the_end(client: FlaskClient, requests: Requests) -> None:
    """The worker was killed between the database, which counts, and the events; the folder may be gone as well."""
    (request,) = ask(requests)
    begun = run(requests, request)
    cut = next(one for one in read(client, request) if one.get("event") == "events")
    file = requests.folder(request.id) / "events.jsonl"
    before = file.read_bytes()
    requests.finish(begun, "failed", "why")
    file.write_bytes(before)
    told = list(read(client, request, **{"Last-Event-ID": cut["id"]}))
    assert (told[-1]["event"], json.loads(told[-1]["data"])) == ("end", "failed")
    file.unlink()
    told = list(read(client, request, **{"Last-Event-ID": cut["id"]}))
    assert (told[-1]["event"], json.loads(told[-1]["data"])) == ("end", "failed")


def test_a_silent_stream_says_that_it_is_alive(
    client: FlaskClient, requests: Requests, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that proxies keep it, and the server learns of those who left."""
    monkeypatch.setattr(stream, "_HEARTBEAT", 0.05)
    monkeypatch.setattr(stream, "_LONGEST", 0.5)
    (request,) = ask(requests)
    assert ": still there\n\n" in client.get(f"/requests/{request.id}/events").text


def test_too_many_streams_are_refused_and_those_that_end_make_room(
    client: FlaskClient, requests: Requests, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each holds a thread of the server; whoever is refused asks for the state instead."""
    monkeypatch.setattr(stream, "_free", threading.BoundedSemaphore(1))
    (request,) = ask(requests)
    first = read(client, request)
    next(first)
    assert client.get(f"/requests/{request.id}/events").status_code == 503
    assert client.get(f"/requests/{request.id}/state").status_code == 200
    first.close()
    again = read(client, request)
    next(again)
    again.close()


def test_who_polls_gets_each_event_once(client: FlaskClient, requests: Requests) -> None:
    """From the offset on that the last answer gave."""
    (request,) = ask(requests)
    run(requests, request)
    first = client.get(f"/requests/{request.id}/state").get_json()
    assert [event["kind"] for event in first["events"]] == ["state", "state", "plan", "task", "step"]
    requests.events(request.id).tell("growing")
    second = client.get(f"/requests/{request.id}/state?after={first['offset']}").get_json()
    assert [event["kind"] for event in second["events"]] == ["growing"]
    assert (second["state"], second["ended"]) == ("running", False)


@pytest.mark.parametrize("after", ["-5", "x", "1e9", "9" * 40, "٣"])
def test_an_offset_that_is_none_is_the_start(client: FlaskClient, requests: Requests, after: str) -> None:
    """Whoever asks."""
    (request,) = ask(requests)
    assert client.get(f"/requests/{request.id}/state?after={after}").get_json()["events"]


def test_the_growing_report_is_on_an_origin_of_its_own(client: FlaskClient, requests: Requests) -> None:
    """It is anybody's HTML."""
    (request,) = ask(requests)
    assert client.get(f"/requests/{request.id}/growing").status_code == 404
    run(requests, request)
    requests.events(request.id).growing.write_text("<h1>half of it</h1>")
    answer = client.get(f"/requests/{request.id}/growing")
    assert "half of it" in answer.text
    assert answer.headers["Content-Security-Policy"].startswith("sandbox allow-scripts")
    assert "connect-src 'none'" in answer.headers["Content-Security-Policy"]


def test_the_log_is_plain_text(client: FlaskClient, requests: Requests) -> None:
    """The page shows its end, as text."""
    (request,) = ask(requests)
    run(requests, request)
    requests.events(request.id).log.write_bytes(b"<script>alert(1)</script> \xff\n")
    with client.get(f"/requests/{request.id}/log") as answer:
        assert answer.mimetype == "text/plain"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "&lt;script&gt;alert" in client.get(f"/requests/{request.id}").text


def test_cancelling_ends_one_that_waits_and_says_who_did(client: FlaskClient, requests: Requests) -> None:
    """At once."""
    (request,) = ask(requests)
    assert post(client, f"/requests/{request.id}/cancel").status_code == 303
    found = requests.get(request.id)
    assert found
    assert (found.state, found.cancelled_by) == ("cancelled", me())
    assert f"cancelled by {me()}" in client.get(f"/requests/{request.id}").text


def as_person(monkeypatch: pytest.MonkeyPatch, name: str, role: str) -> None:
    """Have the page be used by somebody."""
    person = people.Person(name, role)
    for module in (people, progress):
        monkeypatch.setattr(module, "current_person", lambda: person)


@pytest.mark.parametrize(
    ("name", "role", "code"),
    [("ada", "runner", 303), ("ben", "runner", 403), ("ben", "admin", 303), ("ada", "reader", 403)],
)
def test_only_the_asker_and_administrators_cancel(
    client: FlaskClient, requests: Requests, monkeypatch: pytest.MonkeyPatch, name: str, role: str, code: int
) -> None:
    """And the page has the button for these only."""
    (request,) = ask(requests, person="ada")
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/templates/small").text)
    assert token
    as_person(monkeypatch, name, role)
    assert (f'action="/requests/{request.id}/cancel"' in client.get(f"/requests/{request.id}").text) == (code == 303)
    answer = client.post(f"/requests/{request.id}/cancel", data={"csrf_token": token[1]})
    assert answer.status_code == code
    found = requests.get(request.id)
    assert found
    assert (found.state == "cancelled") == (code == 303)


def test_one_that_has_ended_is_tried_again_as_a_new_one(client: FlaskClient, requests: Requests) -> None:
    """Once, however often the button is clicked."""
    (request,) = ask(requests)
    requests.finish(run(requests, request), "failed", "why")
    first, second = (post(client, f"/requests/{request.id}/retry", key="drawn") for _ in range(2))
    assert first.location == second.location != f"/requests/{request.id}"
    assert len(requests.list()) == 2


def test_the_list_has_a_line_for_each_batch(client: FlaskClient, requests: Requests) -> None:
    """Which says how many of it are made."""
    (single,) = ask(requests)
    batch = ask(requests, 31)
    requests.finish(run(requests, batch[0]), "made", "", "ReportTask/2020-01-01/small-0123456789abcdef")
    page = client.get("/requests/").text
    assert "1 of 31 made" in page
    assert f"/requests/?batch={batch[0].batch}" in page
    assert f"/requests/{single.id}" in page
    assert page.count("<tr>") == 3
    whole = client.get(f"/requests/?batch={batch[0].batch}").text
    assert "1 of 31 made, 30 waiting" in whole
    assert all(f"/requests/{one.id}" in whole for one in batch)


def test_the_list_goes_on_with_older_ones_and_none_is_missed_or_doubled(
    client: FlaskClient, requests: Requests
) -> None:
    """Batches that reach over the end of a page are whole on one."""
    wanted = {(ask(requests, 1 + n % 4)[0].batch) for n in range(90)}
    seen: list[str] = []
    address: str | None = "/requests/"
    while address:
        page = client.get(address).text
        links = re.findall(r'href="/requests/(?:\?batch=)?([0-9a-z]{26})"', page)
        seen += links
        older = re.search(r'href="([^"]+)">Older', page)
        address = older[1].replace("&amp;", "&") if older else None
    assert len(seen) == 90
    assert set(seen) == wanted


def test_the_list_is_filtered_by_state_person_and_template(client: FlaskClient, requests: Requests) -> None:
    """At addresses that can be sent to somebody."""
    ask(requests, person="ada")
    (cancelled,) = ask(requests, person="ben", template="other")
    requests.cancel(cancelled.id, "ben")
    for query in ("state=cancelled", "person=ben", "template=other", "state=cancelled&person=ben"):
        page = client.get(f"/requests/?{query}").text
        assert cancelled.id in page
        assert page.count("<tr>") == 2
    assert "No request is like that" in client.get("/requests/?person=nobody").text


def test_a_batch_is_cancelled_as_a_whole(client: FlaskClient, requests: Requests) -> None:
    """What is made stays made."""
    batch = ask(requests, 3)
    requests.finish(run(requests, batch[0]), "made", "", None)
    assert post(client, "/requests/cancel", batch=batch[0].batch).status_code == 303
    assert [one.state for one in requests.batch(batch[0].batch)] == ["made", "cancelled", "cancelled"]


def test_every_try_has_a_plan_of_its_own() -> None:
    """What the one before had begun is begun anew."""
    plan = {"kind": "plan", **PLAN}
    step = {"kind": "step", "label": "small 2020-01-01", "message": "cell 2 of 3", "done": 1, "of": 3}
    course = Course.of([plan, step, plan])
    assert course.tasks["small 2020-01-01"].state == "waiting"
    assert (course.done, course.to_do, course.reused) == (0, 2, 3)


def test_tasks_of_one_kind_that_are_many_are_one_line_in_the_place_of_the_first() -> None:
    labels = ["Weather 2013-01-15", *(f"Flights 2013-01-{day:02}" for day in range(1, 5)), "Weather 2013-01-14"]
    plan = {"kind": "plan", "tasks": [{"label": label, "action": "make"} for label in labels]}
    kin = Course.of([plan]).kin
    assert list(kin) == ["Weather 2013-01-15", "Flights", "Weather 2013-01-14"]
    assert [task.label for task in kin["Flights"]] == labels[1:5]
