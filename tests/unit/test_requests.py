"""The durable requests and their events."""

from __future__ import annotations

import datetime
import json
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from workflows.errors import RequestError
from workflows.requests.events import Events
from workflows.requests.queue import MOST, Requests
from workflows.requests.request import CANCELLED, FAILED, MADE, RUNNING, STATES, WAITING, Ask, Request, is_id, new_ids
from workflows.requests.tidy import tidy

DAY = datetime.date(2020, 1, 1)


@pytest.fixture
def requests(tmp_path: Path) -> Requests:
    return Requests(tmp_path / "web")


def asks(number: int, template: str = "small") -> list[Ask]:
    return [Ask(template, DAY + datetime.timedelta(days=n)) for n in range(number)]


def one(requests: Requests, person: str = "ada", template: str = "small") -> Request:
    return requests.ask(asks(1, template), person, "")[0]


def begun(requests: Requests, request: Request) -> Request:
    found = requests.begin(request.id)
    assert found
    return found


def state(requests: Requests, name: str) -> str:
    found = requests.get(name)
    assert found
    return found.state


def at_once(number: int, do: Callable[[int], None]) -> None:
    threads = [threading.Thread(target=do, args=(n,)) for n in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_what_was_asked_for_waits_with_all_that_was_said(requests: Requests) -> None:
    (found,) = requests.ask([Ask("small", DAY, '{"factor": 3}', "then", "ReportTask/x")], "ada", "k")
    again = requests.get(found.id)
    assert again == found
    assert (found.template, found.date, found.parameters) == ("small", "2020-01-01", '{"factor": 3}')
    assert (found.how, found.of, found.person, found.state, found.tries) == ("then", "ReportTask/x", "ada", WAITING, 0)
    assert found.label == "small 2020-01-01"
    assert not found.is_ended


def test_ids_sort_by_time_and_by_place_in_the_batch() -> None:
    ids = [*new_ids(300), *new_ids(300)]
    assert ids[:300] == sorted(ids[:300])
    assert len(set(ids)) == 600
    assert all(is_id(name) for name in ids)


@pytest.mark.parametrize("text", ["", "../../etc/passwd", "x", "0" * 25 + "/", "0" * 27, "0" * 25 + "U"])
def test_what_is_no_id_reaches_no_file(requests: Requests, text: str) -> None:
    assert requests.get(text) is None
    with pytest.raises(RequestError, match="there is no request"):
        requests.folder(text)


def test_the_same_key_of_a_person_asks_once(requests: Requests) -> None:
    first = requests.ask(asks(3), "ada", "click")
    assert requests.ask(asks(3), "ada", "click") == first
    assert requests.ask(asks(1), "bob", "click") != first
    assert requests.counts() == {WAITING: 4}


def test_a_double_click_in_two_processes_asks_once(requests: Requests) -> None:
    found: list[list[Request]] = []
    at_once(8, lambda _: found.append(requests.ask(asks(2), "ada", "click")))
    assert len({request.id for batch in found for request in batch}) == 2


def test_without_a_key_each_asking_is_its_own(requests: Requests) -> None:
    assert one(requests).id != one(requests).id


def test_more_than_anybody_means_is_refused_and_nothing_asked_for(requests: Requests) -> None:
    with pytest.raises(RequestError, match="5,001 reports are asked for at once"):
        requests.ask(asks(1) * (MOST + 1), "ada", "")
    assert requests.counts() == {}


def test_what_was_asked_for_survives_a_process_that_is_killed_right_after(tmp_path: Path) -> None:
    program = (
        "import os, sys, datetime; from pathlib import Path; from workflows.requests.queue import Requests; "
        "from workflows.requests.request import Ask; "
        "found = Requests(Path(sys.argv[1])).ask([Ask('small', datetime.date(2020, 1, 1))], 'ada', 'k'); "
        "print(found[0].id, flush=True); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True)
    assert state(Requests(tmp_path), done.stdout.strip()) == WAITING


def test_a_large_batch_keeps_nobody_waiting(requests: Requests) -> None:
    large = requests.ask(asks(50), "ada", "")
    small = requests.ask(asks(2), "bob", "")
    turn = [request.id for request in requests.waiting(4)]
    assert turn == [large[0].id, small[0].id, large[1].id, small[1].id]


def test_each_request_is_begun_by_one_worker_only(requests: Requests) -> None:
    ids = [request.id for request in requests.ask(asks(20), "ada", "")]
    begun: list[Request] = []
    at_once(4, lambda _: begun.extend(filter(None, map(requests.begin, ids))))
    assert sorted(request.id for request in begun) == ids
    assert {request.tries for request in begun} == {1}


def test_a_request_ends_once_whoever_ends_it(requests: Requests) -> None:
    request = begun(requests, one(requests))
    ends: list[bool] = []
    at_once(6, lambda n: ends.append(requests.finish(request, (MADE, FAILED, CANCELLED)[n % 3], "")))
    assert ends.count(True) == 1
    events, _ = requests.events(request.id).after(0)
    assert len([e for e in events if e["state"] in (MADE, FAILED, CANCELLED)]) == 1


def test_a_try_that_was_given_up_ends_no_later_one(requests: Requests) -> None:
    first = begun(requests, one(requests))
    assert requests.release(first, "", counts=True)
    second = begun(requests, first)
    assert second.tries == 2
    assert not requests.finish(first, MADE, "")
    assert requests.finish(second, MADE, "", "ReportTask/2020-01-01/small-1")
    found = requests.of_report("ReportTask/2020-01-01/small-1")
    assert found is not None
    assert found.id == first.id


def test_a_try_that_was_cut_short_by_the_workers_end_does_not_count(requests: Requests) -> None:
    request = begun(requests, one(requests))
    assert requests.release(request, "", counts=False)
    assert begun(requests, request).tries == 1


def test_one_that_waits_is_cancelled_at_once(requests: Requests) -> None:
    request = one(requests)
    assert requests.cancel(request.id, "bob")
    found = requests.get(request.id)
    assert found is not None
    assert (found.state, found.message) == (CANCELLED, "cancelled by bob")
    assert found.ended
    assert requests.begin(request.id) is None


def test_one_that_runs_is_marked_for_its_worker(requests: Requests) -> None:
    request = begun(requests, one(requests))
    assert requests.cancel(request.id, "bob")
    found = requests.get(request.id)
    assert found is not None
    assert (found.state, found.cancelled_by, found.ended) == (RUNNING, "bob", None)
    assert not requests.release(request, "", counts=True)


def test_one_that_has_ended_cannot_be_cancelled(requests: Requests) -> None:
    request = begun(requests, one(requests))
    requests.finish(request, MADE, "")
    assert not requests.cancel(request.id, "bob")
    assert not requests.cancel(new_ids(1)[0], "bob")
    assert state(requests, request.id) == MADE


def test_beginning_and_cancelling_at_once_gives_one_of_the_two(requests: Requests) -> None:
    for _ in range(20):
        request = one(requests)
        begins: list[Request | None] = []

        def race(n: int, name: str = request.id, begins: list[Request | None] = begins) -> None:
            if n:
                requests.cancel(name, "bob")
            else:
                begins.append(requests.begin(name))

        at_once(2, race)
        found = requests.get(request.id)
        assert found is not None
        assert found.cancelled_by == "bob"
        assert (found.state == RUNNING) == (begins[0] is not None)


def test_one_that_has_ended_is_asked_for_again_as_a_new_one(requests: Requests) -> None:
    request = one(requests)
    with pytest.raises(RequestError, match="is still waiting"):
        requests.retry(request.id, "bob", "")
    requests.cancel(request.id, "ada")
    again = requests.retry(request.id, "bob", "once")
    assert requests.retry(request.id, "bob", "once") == again
    assert (again.template, again.date, again.person, again.state) == ("small", "2020-01-01", "bob", WAITING)
    assert again.id != request.id


def test_lists_are_newest_first_and_by_pages(requests: Requests) -> None:
    ids = [one(requests).id for _ in range(5)]
    page = requests.list(limit=2)
    assert [r.id for r in page] == ids[:2:-1]
    assert [r.id for r in requests.list(before=page[-1].id, limit=2)] == [ids[2], ids[1]]


def test_lists_are_restricted_by_state_person_template_and_date(requests: Requests) -> None:
    mine, other = one(requests), one(requests, "bob", "large")
    requests.cancel(mine.id, "ada")
    assert [r.id for r in requests.list(states=[CANCELLED])] == [mine.id]
    assert [r.id for r in requests.list(states=[WAITING, RUNNING])] == [other.id]
    assert [r.id for r in requests.list(states=STATES)] == [other.id, mine.id]
    assert requests.list(states=[]) == []
    assert [r.id for r in requests.list(person="bob")] == [other.id]
    assert [r.id for r in requests.list(template="small", date="2020-01-01")] == [mine.id]
    assert requests.list(states=[WAITING], template="small") == []


def test_how_many_there_are_is_counted_by_state(requests: Requests) -> None:
    requests.ask(asks(3), "ada", "")
    requests.cancel(one(requests).id, "ada")
    assert requests.counts() == {WAITING: 3, CANCELLED: 1}


def test_what_runs_says_what_it_waits_for(requests: Requests) -> None:
    request = begun(requests, one(requests))
    requests.say(request, "waiting for the scheduler")
    events, _ = requests.events(request.id).after(0)
    assert events[-1] == events[-1] | {"state": RUNNING, "message": "waiting for the scheduler"}


def test_the_last_line_of_events_is_read_when_it_is_whole(tmp_path: Path) -> None:
    events = Events(tmp_path / "one")
    assert events.after(0) == ([], 0)
    events.tell("growing")
    first, offset = events.after(0)
    assert [event["kind"] for event in first] == ["growing"]
    with (tmp_path / "one" / "events.jsonl").open("a") as file:
        file.write('{"kind": "step"')
        file.flush()
        assert events.after(offset) == ([], offset)
        file.write(', "done": 1}\n')
    second, end = events.after(offset)
    assert second == [{"kind": "step", "done": 1}]
    assert events.after(end) == ([], end)


def test_a_line_that_is_no_event_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_text('{"kind"\n[1]\n\n{"kind": "growing"}\n')
    found, _ = Events(tmp_path).after(0)
    assert found == [{"kind": "growing"}]


def test_events_of_several_writers_never_mix(tmp_path: Path) -> None:
    events = Events(tmp_path)
    at_once(6, lambda n: [events.tell("task", label="x" * 5_000, n=n) for _ in range(20)] and None)
    lines = (tmp_path / "events.jsonl").read_text().splitlines()
    assert len(lines) == 120
    assert all(json.loads(line)["label"] == "x" * 5_000 for line in lines)


def test_a_database_that_cannot_be_read_is_an_error_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "requests.db").write_bytes(b"no database at all" * 100)
    with pytest.raises(RequestError, match="are damaged"):
        Requests(tmp_path).list()


def test_a_database_that_was_deleted_is_made_anew(requests: Requests, tmp_path: Path) -> None:
    one(requests)
    for path in (tmp_path / "web").glob("requests.db*"):
        path.unlink()
    assert requests.list() == []


def test_an_end_is_on_the_disk_when_it_is_told(requests: Requests, tmp_path: Path) -> None:
    request = begun(requests, one(requests))
    requests.finish(request, FAILED, "it failed", "failed/small/2020-01-01/x")
    with closing(sqlite3.connect(tmp_path / "web" / "requests.db")) as connection:
        assert connection.execute("SELECT state, report FROM requests").fetchall() == [
            ("failed", "failed/small/2020-01-01/x")
        ]


def test_old_folders_of_ended_requests_go_and_what_is_known_stays(requests: Requests) -> None:
    ended = [one(requests) for _ in range(4)]
    for request in ended:
        requests.cancel(request.id, "ada")
    waiting = one(requests)
    assert tidy(requests, kept=2, days=30) == 0
    assert tidy(requests, kept=2, days=-1) == 2
    assert [requests.folder(r.id).is_dir() for r in (*ended, waiting)] == [False, False, True, True, True]
    assert state(requests, ended[0].id) == CANCELLED


def test_a_file_that_is_no_database_is_said_to_be_damaged_and_stays(requests: Requests) -> None:
    one(requests)
    path = requests.database.path
    for name in ("-wal", "-shm"):
        path.with_name(path.name + name).unlink(missing_ok=True)
    path.write_bytes(b"something else" * 1000)
    with pytest.raises(RequestError, match=r"are damaged \(file is not a database\)\. Stop `parcours serve`"):
        requests.counts()
    assert path.read_bytes().startswith(b"something else")


def test_requests_of_a_later_release_are_not_touched(requests: Requests) -> None:
    requests.counts()
    with closing(sqlite3.connect(requests.database.path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(RequestError, match="are of format 99, which a later Parcours wrote; expected at most 1"):
        Requests(requests.database.path.parent).ask(asks(1), "ada", "")


def test_a_line_that_is_too_long_keeps_nobody_from_those_after_it(tmp_path: Path) -> None:
    events = Events(tmp_path / "one")
    events.tell("state", message="x" * 2_500_000)
    events.tell("state", message="on")
    found, offset = [], 0
    for _ in range(4):
        more, offset = events.after(offset)
        found += more
    assert [event["message"] for event in found] == ["on"]


def test_a_log_without_end_is_cut_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workflows.requests.events.MOST_LOG", 1_000)
    monkeypatch.setattr("workflows.requests.events._BEGINNING", 100)
    events = Events(tmp_path)
    with events.log.open("ab", buffering=0) as log:
        log.write(b"a" * 500)
        events.curb()
        assert events.log.stat().st_size == 500
        log.write(b"b" * 600)
        events.curb()
        log.write(b"the end")
    text = events.log.read_text()
    assert text.startswith("a" * 100 + "\n\n... the log was longer than 1,000 bytes; its middle is left out ...")
    assert text.endswith("the end")
    assert "b" not in text.partition("...")[0]


def test_an_end_that_says_far_too_much_is_kept_in_part(requests: Requests) -> None:
    request = begun(requests, one(requests))
    requests.finish(request, FAILED, "x" * 3_000_000)
    found = requests.get(request.id)
    assert found
    assert len(found.message) == 10_000
    assert [event["state"] for event in requests.events(request.id).after(0)[0]] == [WAITING, RUNNING, FAILED]
