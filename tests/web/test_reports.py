"""The list of reports, and what is done with several at once."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from reports_made import HOSTILE, Seen, paths, see, send

from workflows import settings
from workflows.requests.queue import Requests
from workflows.requests.request import Ask
from workflows.web.people import person as people
from workflows.web.reports import reports as module


def requests() -> Requests:
    return Requests(settings.load().web)


def test_the_newest_report_is_on_top(reports: FlaskClient) -> None:
    found = paths(reports)
    assert found[0].startswith("failed/hostile/2020-01-01/")
    assert found[1].startswith("ReportTask/2020-01-02/hostile-")
    assert len(found) == 5


@pytest.mark.parametrize(
    ("query", "number"),
    [
        ("?template=small", 3),
        ("?template=small&date=2020-01-01", 2),
        ("?state=failed", 1),
        ("?person=nobody", 0),
        ("?words=fact+3", 1),
        ("?words=valueerror", 1),
        ("?measure=%22%3E%3Cimg+src%3Dx+onerror%3Dalert(1)%3E%3Cscript%3Ealert(2)%3C%2Fscript%3E", 1),
        ("?commit=ffffffff", 0),
    ],
)
def test_a_filter_in_the_address_shows_the_reports_it_is_true_of(reports: FlaskClient, query: str, number: int) -> None:
    assert len(paths(reports, query)) == number


def test_a_commit_is_a_filter_that_every_line_leads_to(reports: FlaskClient) -> None:
    address = next(link for link in see(reports, "/").links if link.startswith("/?commit="))
    assert see(reports, address).values("path") == paths(reports)


@pytest.mark.parametrize("query", ["date=yesterday", "commit=main", "state=lost", "date=2020-1-1"])
def test_a_filter_that_is_none_is_said_and_left_out(reports: FlaskClient, query: str) -> None:
    page = reports.get(f"/?{query}").text
    assert "is none; expected" in page
    assert len(Seen.of(page).values("path")) == 5


def test_a_filter_that_finds_nothing_says_how_to_go_on(reports: FlaskClient) -> None:
    page = reports.get("/?template=small&date=2019-01-01").text
    assert "No report is like that" in page
    assert '<a href="/templates/small?date=2019-01-01">' in page


def test_a_store_without_reports_says_how_to_make_the_first(client: FlaskClient) -> None:
    page = client.get("/").text
    assert "There are no reports yet" in page
    assert 'href="/templates/"' in page


def test_older_reports_are_on_further_pages_none_twice(reports: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_AT_ONCE", 2)
    met, address = [], "/"
    for _ in range(3):
        page = see(reports, address)
        met += page.values("path")
        address = next((link for link in page.links if "after=" in link), "")
    assert len(met) == len(set(met)) == 5
    assert not address


def test_a_place_in_the_list_that_is_none_is_refused(reports: FlaskClient) -> None:
    assert reports.get("/?after=nonsense").status_code == 400


def test_what_is_under_way_is_above_the_reports(own_reports: FlaskClient) -> None:
    asked = requests().ask([Ask("small", datetime.date(2020, 1, 2))], "ada", "")[0]
    page = own_reports.get("/").text
    assert f'<a href="/requests/{asked.id}">small 2020-01-02</a>' in page
    assert page.index("Under way") < page.index("Reports, newest first")


def test_reports_are_made_again_with_the_same_values(own_reports: FlaskClient) -> None:
    chosen = paths(own_reports, "?template=small&date=2020-01-01")
    answer = send(own_reports, "/reports/again", path=chosen, how="now", key="k")
    asked = requests().list()
    # Where their progress is seen.
    assert (answer.status_code, answer.location) == (303, f"/requests/?batch={asked[0].batch}")
    assert {(one.template, one.date, one.parameters, one.how, one.of) for one in asked} == {
        ("small", "2020-01-01", "{}", "now", ""),
        ("small", "2020-01-01", '{"factor":3.0}', "now", ""),
    }


def test_one_report_made_again_exactly_as_then_leads_to_its_request(own_reports: FlaskClient) -> None:
    path = paths(own_reports)[0]
    answer = send(own_reports, "/reports/again", path=path, how="then")
    asked = requests().list()[0]
    assert (asked.how, asked.of) == ("then", path)
    assert answer.location == f"/requests/{asked.id}"


def test_a_form_sent_twice_asks_once(own_reports: FlaskClient) -> None:
    for _ in range(2):
        send(own_reports, "/reports/again", path=paths(own_reports)[0], how="now", key="same")
    assert len(requests().list()) == 1


def test_reports_are_deleted_only_once_somebody_said_yes(own_reports: FlaskClient) -> None:
    chosen = paths(own_reports, "?template=small")
    asked = send(own_reports, "/reports/delete", path=chosen, back="template=small")
    assert asked.status_code == 200
    assert Seen.of(asked.text).values("path") == chosen
    assert "Delete 3 reports?" in asked.text
    assert all((settings.load().root / "data/store" / path).is_dir() for path in chosen)
    done = send(own_reports, "/reports/delete", path=chosen, back="template=small", sure="yes")
    assert (done.status_code, done.location) == (303, "/?template=small")
    assert not any((settings.load().root / "data/store" / path).exists() for path in chosen)
    assert "3 reports are deleted" in own_reports.get("/?template=small").text
    assert len(paths(own_reports)) == 2


def test_nothing_ticked_is_said(reports: FlaskClient) -> None:
    answer = send(reports, "/reports/delete", back="state=made")
    assert answer.location == "/?state=made"
    assert "No report is chosen" in reports.get(answer.location).text


@pytest.mark.parametrize("back", ["//evil.example", "https://evil.example", "\r\nSet-Cookie: a=b", "/../x"])
def test_the_way_back_leads_to_the_list_only(reports: FlaskClient, back: str) -> None:
    answer = send(reports, "/reports/delete", back=back)
    assert answer.location == "/"
    assert "Set-Cookie: a=b" not in str(answer.headers)


@pytest.mark.parametrize("path", ["../../etc/passwd", "data/web", "ReportTask/2020-01-01/..", "failed/x/2020-01-01/.."])
def test_what_is_no_report_is_not_deleted(own_reports: FlaskClient, path: str) -> None:
    answer = send(own_reports, "/reports/delete", path=path, sure="yes")
    assert answer.status_code == 404
    assert Path("data/web").is_dir()


def test_two_reports_are_compared_the_older_first(reports: FlaskClient) -> None:
    newer, older = paths(reports, "?template=small&date=2020-01-01")
    answer = send(reports, "/reports/compare", path=[newer, older])
    assert answer.location.endswith(f"?a={older.replace('/', '%2F')}&b={newer.replace('/', '%2F')}")


def test_one_report_is_not_compared(reports: FlaskClient) -> None:
    answer = send(reports, "/reports/compare", path=paths(reports)[:1])
    assert "Two reports are compared at once, not 1" in reports.get(answer.location).text


@pytest.mark.parametrize("what", ["again", "delete", "compare"])
def test_a_form_from_elsewhere_is_refused(reports: FlaskClient, what: str) -> None:
    assert reports.post(f"/reports/{what}", data={"path": paths(reports)[0]}).status_code == 400


@pytest.mark.parametrize(("role", "what", "code"), [("reader", "again", 403), ("runner", "delete", 403)])
def test_each_role_may_what_it_may(
    reports: FlaskClient, monkeypatch: pytest.MonkeyPatch, role: str, what: str, code: int
) -> None:
    as_role(monkeypatch, role)
    path = paths(reports)[0] if role == "runner" else "failed/hostile/2020-01-01/2020"
    token = see(reports, "/").values("csrf_token")[0]
    assert reports.post(f"/reports/{what}", data={"csrf_token": token, "path": path}).status_code == code


def test_a_reader_is_shown_nothing_that_a_reader_may_not(reports: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    as_role(monkeypatch, "reader")
    for address in ("/", f"/reports/{paths(reports)[1]}", "/calendar?template=small"):
        page = reports.get(address).text
        assert "Delete" not in page
        assert "today's code" not in page
        assert 'formaction="/templates' not in page


def test_the_first_page_is_small_over_the_wire(reports: FlaskClient) -> None:
    """With what it loads, as browsers take it."""
    coded = {"Accept-Encoding": "br, gzip"}
    page = see(reports, "/")
    own = [found.get("src") or found.get("href", "") for _, found in page.tags]
    total = len(reports.get("/", headers=coded).data)
    for address in {one for one in own if one.startswith("/static/")}:
        with reports.get(address.partition("#")[0], headers=coded) as answer:
            total += len(answer.data)
    assert total < 30_000


def test_nothing_from_a_report_becomes_part_of_a_page(reports: FlaskClient) -> None:
    """Not in any page about it: what is hostile in names, values and reasons is text."""
    shown = 0
    addresses = ["/", "/?state=failed", "/calendar?template=hostile"]
    for path in paths(reports, "?template=hostile"):
        tabs = ["report", "provenance", "timing", "log", "measures", "files", "again"]
        addresses += [f"/reports/{path}?tab={tab}" for tab in tabs]
    for address in addresses:
        answer = reports.get(address)
        page = Seen.of(answer.text)
        assert answer.status_code == 200
        assert [found for tag, found in page.tags if tag == "img" and found.get("src") == "x"] == []
        assert all(found.get("src", "").startswith("/static/") for tag, found in page.tags if tag == "script")
        assert not [name for _, found in page.tags for name in found if name.startswith("on") or name == "style"]
        shown += "onerror=alert(1)" in answer.text
    assert shown >= 10, HOSTILE


def as_role(monkeypatch: pytest.MonkeyPatch, role: str) -> None:
    rank = people.ROLES.index
    monkeypatch.setattr(people.Person, "may", lambda _, asked: rank(role) >= rank(asked))
