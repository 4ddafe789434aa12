"""Starting reports from the page: the list of templates, their forms, what is planned, and what then is asked for."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from workflows import settings
from workflows.answers import found
from workflows.requests.queue import Requests
from workflows.requests.request import Request
from workflows.store.listing import Filter
from workflows.web.asking import Reply
from workflows.web.people import person as people
from workflows.web.starting.plans import Plan, plan

CELL = """import datetime
from typing import Annotated, Literal, Optional
from pydantic import Field
date: datetime.date = datetime.date(2020, 1, 1)  # the day
count: Annotated[int, Field(ge=1, le=9)] = 3  # how many
way: Literal["fast", "slow"] = "fast"
strict: bool = True
note: Optional[str] = None
name: str = "a name"
key: str = "x"
weights: dict[str, float] = {}
"""


@pytest.fixture
def rich(client: FlaskClient, small: Any) -> FlaskClient:
    """The page of a project with a template that takes many things."""
    small.template("rich", CELL, "print(count)")
    return client


def token(client: FlaskClient) -> str:
    """What a form of the page sends back."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/templates/small").text)
    assert found
    return found[1]


def send(client: FlaskClient, template: str, **values: Any) -> TestResponse:
    """Send a form, as a browser does."""
    own = {name.replace("_last", ":last").replace("_key", ":key"): value for name, value in values.items()}
    return client.post(f"/templates/{template}", data={"csrf_token": token(client), **own})


def asked() -> list[Request]:
    """All that was asked for, the oldest first."""
    return Requests(settings.load().web).list()[::-1]


def test_the_list_has_every_notebook_of_the_folder_at_once(client: FlaskClient, small: Any) -> None:
    """It is read at every look."""
    assert "/templates/later" not in client.get("/templates/").text
    small.template("later", "x: int = 1")
    assert 'href="/templates/later"' in client.get("/templates/").text


def test_the_list_links_to_the_latest_report_of_each(reports: FlaskClient) -> None:
    """With whichever values it was made."""
    page = reports.get("/templates/").text
    newest = next(one.path for one in found.store().listing.page(Filter(template="small", state="made")).entries)
    assert f'href="/reports/{newest}"' in page


def test_a_notebook_that_cannot_be_read_is_listed_with_the_reason(client: FlaskClient, small: Any) -> None:
    """Beside those that can."""
    (small.folder / "templates" / "broken.ipynb").write_text("{ not json")
    (small.folder / "templates" / "no name.ipynb").write_text("{}")
    page = client.get("/templates/")
    assert page.status_code == 200
    assert "it is no JSON" in page.text
    assert "&#39;no name&#39; is no template name" in page.text
    assert 'href="/templates/small"' in page.text


def test_a_template_that_is_not_there_is_not_found_and_the_page_names_those_that_are(client: FlaskClient) -> None:
    """As the command does."""
    page = client.get("/templates/smal")
    assert page.status_code == 404
    assert "small" in page.text


def test_the_form_shows_the_defaults_their_bounds_and_what_the_author_says_of_them(rich: FlaskClient) -> None:
    """From the typed signature."""
    page = rich.get("/templates/rich").text
    assert re.search(r'value="3"[^>]*id="field-count"', page)
    assert "how many" in page
    assert "1 to 9" in page
    assert '<option value="fast" selected>' in page


def test_the_address_fills_the_form(rich: FlaskClient) -> None:
    """So that a filled one can be sent to somebody."""
    page = rich.get("/templates/rich?date=2020-01-02&count=4&way=slow&strict=false&note=hello").text
    assert re.search(r'value="2020-01-02"[^>]*id="field-date"', page)
    assert re.search(r'value="4"[^>]*id="field-count"', page)
    assert '<option value="slow" selected>' in page
    assert not re.search(r'id="field-strict"[^>]*checked', page)
    assert re.search(r'value="hello"[^>]*id="field-note"', page)
    assert not re.search(r'id="none-note"[^>]*checked', page)


def test_tables_are_shown_as_what_is_read(client: FlaskClient) -> None:
    """They are no fields."""
    page = client.get("/templates/small").text
    assert "<code>Cleaned</code>" in page
    assert 'name="cleaned"' not in page


def test_starting_asks_for_one_report_and_leads_to_it(rich: FlaskClient) -> None:
    """With the values beyond the defaults, in the one spelling that the engine has for them."""
    answer = send(rich, "rich", date="2020-01-02", count="4", way="fast", weights='{"a": 1}')
    (request,) = asked()
    assert answer.status_code == 303
    assert answer.location == f"/requests/{request.id}"
    assert (request.template, request.date) == ("rich", "2020-01-02")
    assert json.loads(request.parameters) == {"count": 4, "weights": {"a": 1.0}}


def test_a_range_asks_for_each_of_its_dates(client: FlaskClient) -> None:
    """Both ends included; it leads to all of them."""
    answer = send(client, "small", date="2020-01-01", _last="2020-01-03")
    found = asked()
    assert [request.date for request in found] == ["2020-01-01", "2020-01-02", "2020-01-03"]
    assert answer.location == f"/requests/?batch={found[0].batch}"


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        ("2020-01-05", "2020-01-01", "ends before it starts"),
        ("2020-01-01", "2022-01-01", "the range has 732 dates; expected at most 366"),
        ("2020-02-31", "", "&#39;2020-02-31&#39; is not a date"),
        ("", "", "is not a date"),
        ("2020-01-01", "soon", "&#39;soon&#39; is not a date"),
    ],
)
def test_dates_that_are_none_are_refused_beside_their_field(
    client: FlaskClient, first: str, last: str, said: str
) -> None:
    """And nothing is started."""
    answer = send(client, "small", date=first, _last=last)
    assert answer.status_code == 422
    assert said in answer.text
    assert not asked()


def test_wrong_values_give_the_form_again_with_everything_in_it(rich: FlaskClient) -> None:
    """Each error beside its field, in the engine's words; nothing is lost, and nothing started."""
    answer = send(rich, "rich", date="2020-01-02", count="ten", weights="{", name="kept <b>", _key="drawn")
    assert answer.status_code == 422
    assert "rich: parameter &#39;count&#39; is &#39;ten&#39;; expected int" in answer.text
    assert "rich: parameter &#39;weights&#39; is &#39;{&#39;; expected dict[str, float] as JSON" in answer.text
    assert 'value="kept &lt;b&gt;"' in answer.text
    assert 'value="ten"' in answer.text
    assert 'name=":key" value="drawn"' in answer.text
    assert not asked()


def test_a_value_that_the_template_needs_and_nobody_gave_is_missed(client: FlaskClient, small: Any) -> None:
    """At the start, not in an empty form."""
    small.template("needs", "count: int")
    assert "not given" not in client.get("/templates/needs").text
    assert "not given" in send(client, "needs", date="2020-01-01").text
    assert send(client, "needs", date="2020-01-01", count="").status_code == 422
    assert send(client, "needs", date="2020-01-01", count="2").status_code == 303


def test_a_double_click_asks_once(client: FlaskClient) -> None:
    """The form names itself."""
    first, second = (send(client, "small", date="2020-01-01", _key="drawn") for _ in range(2))
    assert first.location == second.location
    assert len(asked()) == 1


def test_somebody_who_comes_back_and_changes_the_form_asks_for_something_else(client: FlaskClient) -> None:
    """Though it still has the same name."""
    send(client, "small", date="2020-01-01", _key="drawn")
    send(client, "small", date="2020-01-02", _key="drawn")
    assert [request.date for request in asked()] == ["2020-01-01", "2020-01-02"]


def test_a_form_from_elsewhere_starts_nothing(client: FlaskClient) -> None:
    """It has no token."""
    assert client.post("/templates/small", data={"date": "2020-01-01"}).status_code == 400
    assert not asked()


def test_readers_see_the_form_and_start_nothing(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Starting takes the role runner."""
    sent = token(client)
    monkeypatch.setattr(people, "current_person", lambda: people.Person("ann", "reader"))
    page = client.get("/templates/small")
    assert page.status_code == 200
    assert "data-start" not in page.text
    assert client.post("/templates/small", data={"csrf_token": sent, "date": "2020-01-01"}).status_code == 403
    assert not asked()


def test_a_text_that_may_be_none_has_a_box_for_it(rich: FlaskClient) -> None:
    """An empty text is a value too; who writes something and leaves the box ticked means what was written."""
    for sent in ({"note": ""}, {"note": "", "note:none": "1"}, {"note": "hello", "note:none": "1"}):
        send(rich, "rich", date="2020-01-02", **sent)
    assert [json.loads(request.parameters) for request in asked()] == [{"note": ""}, {}, {"note": "hello"}]


def test_parameters_may_be_called_like_what_the_page_needs(rich: FlaskClient) -> None:
    """The page's own names are none that a parameter can have."""
    answer = send(rich, "rich", date="2020-01-02", name="n", key="k", **{":plan": "1"})
    assert answer.status_code == 303
    assert parse_qs(urlsplit(answer.location).query) == {"date": ["2020-01-02"], "name": ["n"], "key": ["k"]}


@pytest.mark.parametrize(
    ("query", "command"),
    [
        ("date=2020-01-01", "luigi --module workflows ReportTask --date 2020-01-01 --template rich --local-scheduler"),
        (
            "date=2020-01-01&:last=2020-01-04&name=it's; rm",
            "luigi --module workflows Backfill --start 2020-01-01 --stop 2020-01-04 --template rich "
            """--parameters '{"name":"it'"'"'s; rm"}' --local-scheduler""",
        ),
    ],
)
def test_the_command_is_the_one_for_a_shell(rich: FlaskClient, query: str, command: str) -> None:
    """Quoted, so that it can be pasted."""
    told = rich.get(f"/templates/rich/command?{query}").get_json()
    assert told["command"] == command
    assert shlex.split(told["command"])[:3] == ["luigi", "--module", "workflows"]


def test_the_fields_are_judged_while_they_are_filled(rich: FlaskClient) -> None:
    """By the same sentences."""
    told = rich.get("/templates/rich/command?date=2020-01-01&count=10").get_json()
    assert told["command"] is None
    assert told["errors"].keys() == {"count"}
    assert "less than or equal to 9" in told["errors"]["count"]


def test_the_plan_says_what_would_run_and_why(client: FlaskClient) -> None:
    """As a part of the page for a script, and as a whole page without."""
    part = client.get("/templates/small/plan?date=2020-01-01", headers={"Parcours-Fragment": "plan"})
    assert "Will run 3, reuse 0" in part.text
    assert "<html" not in part.text
    assert part.text.count("never made") == 3
    page = client.get("/templates/small/plan?date=2020-01-01").text
    assert "Will run 3, reuse 0" in page
    assert "ReportTask --date 2020-01-01" in re.sub(r"</?span>", "", page)


def test_without_a_script_the_button_leads_to_the_plan_at_an_address_of_its_own(client: FlaskClient) -> None:
    """Which can be sent to somebody, and holds no token."""
    answer = send(client, "small", date="2020-01-01", factor="3", **{":plan": "1"})
    assert answer.location == "/templates/small/plan?date=2020-01-01&factor=3"
    assert not asked()


def test_a_plan_names_one_cause_for_each_kind_of_task_with_the_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of many dates are one line."""
    cause = {"kind": "code", "sentence": "Cleaned changed", "diff": [f"+line {n}" for n in range(70)]}
    steps = [
        {"task": "Events", "template": None, "date": day, "action": "reuse", "cause": None}
        for day in ("2020-01-01", "2020-01-02")
    ]
    steps += [
        {"task": "Cleaned", "template": None, "date": day, "action": "run", "cause": cause}
        for day in ("2020-01-02", "2020-01-01")
    ]
    monkeypatch.setattr("workflows.web.asking.ask", lambda *words: Reply(0, steps, ""))
    drawn = plan(["plan", "small"])
    assert drawn.summary == "Will run 2, reuse 2"
    (group,) = drawn.groups
    assert (group.name, group.when, group.kind) == ("Cleaned", "2020-01-01 to 2020-01-02", "code")
    assert (len(group.lines), group.left) == (60, 10)


def test_a_plan_that_cannot_be_had_says_why_and_does_not_keep_from_starting(client: FlaskClient, small: Any) -> None:
    """A pipeline that does not load is told by the command's own sentence."""
    small.module("acme", "raise RuntimeError('broken here')")
    part = client.get("/templates/small/plan?date=2020-01-01", headers={"Parcours-Fragment": "plan"})
    assert "broken here" in part.text
    assert "Traceback" not in part.text
    assert send(client, "small", date="2020-01-01").status_code == 303


def test_nothing_to_do_is_said_as_such() -> None:
    """When everything is there."""
    assert Plan().summary == "Complete, nothing to do"


def test_the_dates_with_data_come_from_the_pipeline(client: FlaskClient) -> None:
    """For the calendar below the date."""
    told = client.get("/templates/small/dates").get_json()
    assert told["dates"] == ["2020-01-01", "2020-01-02"]


def test_what_notebooks_say_is_no_code_of_the_page(client: FlaskClient, small: Any) -> None:
    """Descriptions, defaults and names are text."""
    path = small.template("evil", 'x: str = "</textarea>\\n<script>alert(1)</script>"  # <script>alert(2)</script>')
    notebook = json.loads(path.read_text())
    heading = {"cell_type": "markdown", "id": "head", "metadata": {}, "source": "# <script>alert(3)</script>\n\n<b>x"}
    path.write_text(json.dumps({**notebook, "cells": [heading, *notebook["cells"]]}))
    for address in ("/templates/", "/templates/evil", "/templates/evil?x=<script>alert(4)</script>&<script>=1"):
        page = client.get(address).text
        assert "<script>alert" not in page
        assert "alert(" in page
