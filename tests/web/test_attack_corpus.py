"""Attacks on every address of the page: those that are added later are attacked by these tests, too."""

from __future__ import annotations

import itertools
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from workflows import settings
from workflows.requests.queue import Requests
from workflows.store.listing import Entry
from workflows.web import asking
from workflows.web.app import create_app
from workflows.web.asking import Reply, ask_in_turn
from workflows.web.comparing import choosing
from workflows.web.people import person as people
from workflows.web.people.accounts import TRIES_OF_ADDRESS, Accounts, TooMany
from workflows.web.people.person import Person
from workflows.web.trends import wall

LEAST = {
    "sign_in.enter": None,
    "sign_in.leave": "reader",
    "sign_in.change_password": "reader",
    "selected.compare": "reader",
    "selected.again": "runner",
    "selected.delete": "admin",
    "templates.start": "runner",
    "progress.cancel": "runner",
    "progress.cancel_batch": "runner",
    "progress.retry": "runner",
    "health.check_now": "runner",
    "people.add": "admin",
    "people.set_role": "admin",
    "people.remove": "admin",
}
"""The least role that may send each form; None for those whom nobody knows. A form that is added needs a line here."""
TRICKS = [
    "..", "%2e%2e", "..%2f..%2fetc%2fpasswd", "..%5c..%5cx", "%2fetc%2fpasswd", ".%2f", "%252e%252e%252f", "-", "--help",
    "%00", "x%00.html", "%ff", "%ed%a0%80", "%e2%80%ae", "%0d%0aX-Evil:%20y", "a" * 4000, "{{7*7}}", "small", "%20",
    "ReportTask/2020-01-01/small-0123456789abcdef", "ReportTask/٢٠٢٠-01-01/small-0123456789abcdef", "0001-01-01",
    "ReportTask/2020-01-01/../../../luigi.cfg", "ReportTask/9999-99-99/small-0123456789abcdef", "٢٠٢٠-01-01",
]  # fmt: skip
"""What stands for a part of an address."""
VALUES = [
    "", "\0", "9" * 3000, "-1", "NaN", "1e999", "[" * 4000, '{"a":' * 900, '{"a":NaN}', '{"a":1e999}', "--all",
    '{"a":"\\ud800"}', '{"a":' + "9" * 4400 + "}", "19٠٠-01", "2020-13", "0001-01-01", "9999-12-31",
    "HEAD~99999999999", "HEAD@{1}", "a..b", "%", "0x1.0x1", "f" * 20 + ".1", "../..", "(a+)+$", "//evil.example",
]  # fmt: skip
"""What is given for every argument of an address."""
ARGUMENTS = [
    "words", "template", "date", "state", "person", "measure", "commit", "after", "before", "batch", "month", "a", "b", "of",
    "suite", "figure", "figure_a", "over", "parameters", "from", "tab", "next", "download", ":last", "count", "weights",
    "key", "note:none", "when", "v",
]  # fmt: skip
LOOKED_UP = ("template", "a", "b", "batch", "suite", "tab")
"""Those for which nothing is found, so that no other is looked at."""
HOSTS = ["evil.example", "localhost.", "127.0.0.1:x", "[::1", "127.0.0.1@evil", "xn--a", "a" * 300, "ä", "0.0.0.0", "."]
ODD = {
    "Accept-Encoding": ["gzip;q=x", "*;q=nan", "br;q=,gzip;q=1e999"],
    "Accept": ["*/*;q=z", "/", ";;"],
    "Cookie": ["parcours=x.y.z", "parcours=" + "a" * 4000, "=;=", "parcours=\0"],
    "Range": ["bytes=9-1", "bytes=-0", "bytes=x-", "bytes=0-1,2-3"],
    "If-None-Match": ['W/"'],
    "If-Modified-Since": ["x", "Mon, 99 Abc 99999 00:00:00 GMT"],
    "Authorization": ["Basic ===", "Digest x"],
    "Content-Type": ["multipart/form-data", "multipart/form-data; boundary=" + "b" * 300, "application/json", "/"],
    "Last-Event-ID": ["-1", "9" * 400, "x"],
    "X-Forwarded-For": ["x", ",,"],
}
CELL = """import datetime
from typing import Any, Optional
date: datetime.date = datetime.date(2020, 1, 1)
count: float = 1.0
weights: dict[str, float] = {}
anything: list = []
note: Optional[str] = None
when: Optional[datetime.datetime] = None
"""


@pytest.fixture
def attacked(client: FlaskClient, small: Any, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    """The page of a project with a template that takes many things; what breaks in it is an answer, as it is to a browser."""
    small.template("rich", CELL, "print(count)")
    monkeypatch.setattr(asking, "ask", lambda *words: Reply(1, None, "not here"))
    monkeypatch.setattr("workflows.web.serving.scheduler.address", lambda: ("127.0.0.1", 1))
    client.application.config["PROPAGATE_EXCEPTIONS"] = False
    return client


def addresses(app: Flask, method: str) -> list[Rule]:
    """What is there to be asked for."""
    return [rule for rule in app.url_map.iter_rules() if method in (rule.methods or ())]


def filled(rule: Rule, part: str) -> str:
    """An address with this for each of its parts."""
    return re.sub(r"<[^>]+>", lambda _: part, rule.rule)


def is_broken(status: int, address: str) -> bool:
    """Whether an answer says that something went wrong on our side; there is no scheduler, and so no health."""
    return status == 500 or (
        status > 500 and not address.startswith(("/scheduler/", "/healthz", "/templates/small/dates"))
    )


def token(client: FlaskClient) -> str:
    """What a form of the page sends back."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/templates/small").text)
    assert found
    return found[1]


def form(client: FlaskClient, address: str, **fields: Any) -> Any:
    """Send a form with its token."""
    return client.post(address, data={"csrf_token": token(client), **fields})


def test_no_part_of_an_address_breaks_the_page_or_leads_out_of_it(attacked: FlaskClient) -> None:
    """Dots, encoded slashes, zeros, halves of characters, ends of lines, options of commands."""
    broken = []
    for rule in addresses(attacked.application, "GET"):
        for trick in TRICKS if rule.arguments else []:
            with attacked.get(address := filled(rule, trick)) as answer:
                leads = answer.headers.get("Location", "/").removeprefix("http://localhost")
                is_out = "root:" in answer.text or "X-Evil" in answer.headers or leads.startswith(("//", "http"))
                if is_broken(answer.status_code, address) or is_out:
                    broken.append((address[:90], answer.status_code, leads))
    assert broken == []


def test_no_argument_of_an_address_breaks_the_page(attacked: FlaskClient) -> None:
    """Numbers that are none, JSON without end, dates outside time, patterns."""
    plain = [rule.rule for rule in addresses(attacked.application, "GET") if not rule.arguments]
    asked = [one for one in plain if one not in ("/health", "/health/state", "/healthz", "/metrics", "/scheduler/")]
    broken = []
    for address in [*asked, "/templates/rich", "/templates/rich/command", "/latest/rich", "/latest/rich/2020-01-01"]:
        for value in VALUES:
            # All at once where none hides another, as nothing is looked up of what is refused.
            for names in (ARGUMENTS, [name for name in ARGUMENTS if name not in LOOKED_UP]):
                query = "&".join(f"{quote(name)}={quote(value)}" for name in names)
                with attacked.get(f"{address}?{query}") as answer:
                    if is_broken(answer.status_code, address):
                        broken.append((address, names[:1], value[:30], answer.status_code))
    assert broken == []


def test_no_field_of_a_form_breaks_the_page(attacked: FlaskClient) -> None:
    """What the form takes is asked for, all else is told."""
    broken, sent = [], token(attacked)
    for name in ("date", ":last", "count", "weights", "anything", "note", "when", ":key"):
        for value in [*VALUES, '{"a": "\\ud800"}', '["\\ud800"]', "[1e999]", "[NaN]", "inf"]:
            status = attacked.post("/templates/rich", data={"csrf_token": sent, name: value}).status_code
            broken += [(name, value[:30], status)] if status >= 500 else []
    assert broken == []


def test_no_header_breaks_the_page(attacked: FlaskClient) -> None:
    broken = []
    for address, method in itertools.product(
        ("/static/parcours.css", "/templates/small"), ("GET", "HEAD", "POST", "TRACE")
    ):
        for name, value in ((name, value) for name, values in ODD.items() for value in values):
            with attacked.open(address, method=method, headers={name: value}) as answer:
                broken += [(method, address, name, value)] if is_broken(answer.status_code, address) else []
    assert broken == []


@pytest.mark.parametrize("host", HOSTS)
def test_no_name_of_a_host_but_ours_is_answered(attacked: FlaskClient, host: str) -> None:
    """As it comes over the wire."""
    told: list[str] = []
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/people", "HTTP_HOST": host.encode().decode("latin-1")}
    more = {"REMOTE_ADDR": "127.0.0.1", "wsgi.url_scheme": "http", "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "8090"}
    answer = attacked.application.wsgi_app({**environ, **more}, lambda status, *_: told.append(status))
    assert b"Add somebody" not in b"".join(answer)
    assert [status[:3] for status in told] == ["400"]


def test_no_form_is_taken_without_its_token(attacked: FlaskClient) -> None:
    """From nowhere, with a token of somebody else, or as JSON."""
    stranger = create_app().test_client()
    foreign, taken = token(stranger), []
    for rule in addresses(attacked.application, "POST"):
        address = filled(rule, "small")
        tries = ({}, {"data": {"csrf_token": foreign}}, {"json": {"csrf_token": foreign}})
        statuses = [attacked.post(address, **given).status_code for given in tries]
        taken += [(address, statuses)] if set(statuses) != {400} else []
    assert taken == []


def test_every_form_takes_its_role(attacked: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nobody has forgotten to say which."""
    found = {rule.endpoint: filled(rule, "small") for rule in addresses(attacked.application, "POST")}
    assert found.keys() == LEAST.keys()
    taken = []
    for endpoint, address in found.items():
        for role in ("reader", "runner", "admin"):
            with monkeypatch.context() as here:
                here.setattr(people, "_local", lambda role=role: Person("ann", role))
                status = form(attacked, address).status_code
            least = LEAST[endpoint]
            is_refused = status == 403
            if least and is_refused == Person("ann", role).may(least):
                taken.append((endpoint, role, status))
    assert taken == []


@pytest.fixture
def open_wide(attacked: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    """The same page opened to others, to somebody who has not signed in."""
    Accounts(settings.load().web).add("ann", "admin", "correct horse battery")
    app = create_app("0.0.0.0")
    return app.test_client()


def test_who_has_not_signed_in_reaches_the_form_for_it_and_nothing_else(open_wide: FlaskClient) -> None:
    """By no method, and at no address."""
    reached = []
    for rule in open_wide.application.url_map.iter_rules():
        for method in rule.methods or ():
            with open_wide.open(filled(rule, "small"), method=method) as answer:
                if (
                    answer.status_code not in (302, 400, 401)
                    and rule.endpoint not in people._FOR_EVERYBODY
                    and method != "OPTIONS"
                ):
                    reached.append((method, rule.rule, answer.status_code))
    assert reached == []


def test_every_answer_says_what_a_browser_may_do_with_it(attacked: FlaskClient) -> None:
    """And nobody between keeps it for others."""
    wanting = []
    for rule in addresses(attacked.application, "GET"):
        with attacked.get(filled(rule, "small")) as answer:
            headers = answer.headers
            kept = headers.get("Cache-Control", "")
            is_safe = (
                headers["X-Content-Type-Options"] == "nosniff"
                and "default-src 'none'" in headers["Content-Security-Policy"]
            )
            if not is_safe or not ("no-cache" in kept or "no-store" in kept) or "unsafe-eval" in str(headers):
                wanting.append((rule.rule, kept))
    assert wanting == []


def test_other_pages_have_the_browser_fetch_nothing_here(attacked: FlaskClient) -> None:
    """Nor do they start what an address starts; a link from them works."""
    fetched = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
    statuses = [attacked.get(path, headers=fetched).status_code for path in ("/templates/small/plan", "/", "/health")]
    assert statuses == [403, 403, 403]
    assert attacked.get("/", headers={**fetched, "Sec-Fetch-Mode": "navigate"}).status_code == 200


def test_many_who_ask_at_once_get_few_processes_and_hold_few_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each question loads the project: one reader could take all memory, and all threads of the server."""
    at_once, most, end = 0, 0, threading.Event()

    def slow(*words: str) -> Reply:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        end.wait(5)
        at_once -= 1
        return Reply(0, [], "")

    monkeypatch.setattr(asking, "ask", slow)
    replies: list[Reply] = []
    threads = [threading.Thread(target=lambda: replies.append(ask_in_turn("dates", "small"))) for _ in range(30)]
    for thread in threads:
        thread.start()
    until = time.monotonic() + 5
    while len(replies) < 24 and time.monotonic() < until:
        time.sleep(0.01)
    assert (len(replies), {reply.is_answered for reply in replies}) == (24, {False})
    end.set()
    for thread in threads:
        thread.join()
    assert most == 2
    assert sum(reply.is_answered for reply in replies) == 6


def test_a_log_of_any_size_is_not_taken_into_memory(client: FlaskClient, asked: Callable[..., str]) -> None:
    name = asked()
    with Requests(settings.load().web).events(name).log.open("wb") as file:
        file.truncate(3_000_000_000)
    with client.get(f"/requests/{name}/log", buffered=False) as answer:
        assert answer.headers["Content-Length"] == "3000000000"
        assert answer.mimetype == "text/plain"


@pytest.fixture
def asked(client: FlaskClient) -> Callable[..., str]:
    """Asks for a report by the page; returns the request's id."""

    def ask(path: str = "/templates/small", **fields: str) -> str:
        return str(form(client, path, **fields).headers["Location"]).rpartition("/")[2]

    return ask


def test_a_key_of_somebody_else_leads_nowhere(
    client: FlaskClient, asked: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither to their request, nor does it keep mine from being made; and of one's own it names one thing."""
    first = asked(date="2020-01-01", **{":key": "k"})
    monkeypatch.setattr(people, "_local", lambda: Person("mallory", "runner"))
    assert asked(date="2020-01-01", **{":key": "k"}) not in (first, "")
    requests = Requests(settings.load().web)
    others = [asked(date=f"2020-01-0{day}") for day in (1, 2)]
    for name in others:
        requests.cancel(name, "mallory")
    again = [asked(f"/requests/{name}/retry", key="k") for name in others]
    assert len(set(again)) == 2


def test_the_wall_shows_what_is_asked_for_a_thousand_times_once(monkeypatch: pytest.MonkeyPatch) -> None:
    from types import SimpleNamespace

    line = SimpleNamespace(measure="late", points=[SimpleNamespace(template="small")])
    monkeypatch.setattr(wall, "lines", lambda found: [line])
    monkeypatch.setattr(wall, "one_each", lambda lines: lines)
    assert wall._chosen(None, ["late"] * 1000, "") == [line]  # type: ignore[arg-type]


@pytest.mark.parametrize("date", ["0001-01-01", "9999-12-31"])
def test_the_first_and_the_last_day_have_one_neighbour(client: FlaskClient, date: str) -> None:
    entry = Entry(path="x", template="small", date=date, state="made", parameters="{}", version="", commit=None,
                  dirty=False, started="2020-01-01T00:00:00+00:00", seconds=1.0, person="", reason=None)  # fmt: skip
    with client.application.test_request_context():
        assert choosing._near(entry) == []


def test_tries_are_counted_by_network_where_somebody_has_more_addresses_than_there_are_tries(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of IPv6 everybody has 2 to the 64."""
    monkeypatch.setattr("workflows.web.people.accounts._is_right", lambda stored, password: False)
    people = Accounts(tmp_path)
    found = [people.sign_in(f"name{n}", "x", f"2001:db8:1:2::{n:x}") for n in range(TRIES_OF_ADDRESS + 1)]
    assert isinstance(found[-1], TooMany)
    assert people.sign_in("name", "x", "2001:db8:1:3::1") is None
    assert people.sign_in("name", "x", "::ffff:192.0.2.1") is None


def test_other_users_of_the_machine_read_nothing_of_what_the_page_keeps(attacked: FlaskClient) -> None:
    """Also where somebody made the folder for it, and for everybody to look into."""
    web = settings.load().web
    web.chmod(0o755)
    form(attacked, "/templates/small", date="2020-01-01")
    Accounts(web).add("ann", "reader", "correct horse battery")
    open_to_others = [path.name for path in web.iterdir() if path.stat().st_mode & 0o077]
    assert open_to_others == []
