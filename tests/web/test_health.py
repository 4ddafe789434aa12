"""The page of the templates' health: what it says of real reports, and that it opens before its questions are answered."""

from __future__ import annotations

import os
import re
import time
from typing import Any

import pytest
from flask.testing import FlaskClient

from workflows import settings
from workflows.web.health.standing import Standing, state_of

pytestmark = pytest.mark.integration

PARAMETERS = "import datetime\ndate: datetime.date = datetime.date(2020, 1, 1)"
COPIED = """\
def share(table, after):
    late = table[table.delay > after]
    return len(late) / max(len(table), 1)
"""


def answered(client: FlaskClient) -> str:
    """The page once its questions are answered."""
    client.get("/health")
    until = time.monotonic() + 60
    while client.get("/health/state").json != {"asking": False}:
        assert time.monotonic() < until
        time.sleep(0.1)
    return client.get("/health").text


def section(page: str, template: str) -> str:
    """What the page says of one template."""
    return page.partition(f'aria-labelledby="{template}"')[2].partition("</section>")[0]


def text(html: str) -> str:
    """What a reader sees."""
    return " ".join(re.sub(r"<[^>]*>", " ", html).split())


def test_it_opens_before_anything_is_answered_and_says_so(client: FlaskClient) -> None:
    page = client.get("/health").text
    assert "Being checked now" in page
    assert '<span class="state waiting">not checked</span>' in section(page, "small")
    page = answered(client)
    assert "Being checked now" not in page
    assert '<span class="state failed">wrong</span>' in section(page, "small"), "its sample is not there"
    assert "samples/cleaned.parquet" in section(page, "small")


def test_a_template_in_order_is_fine_and_leads_to_its_form(client: FlaskClient, small: Any) -> None:
    small.template("plain", PARAMETERS)
    page = section(answered(client), "plain")
    assert '<span class="state fine">fine</span>' in page
    assert 'href="/templates/plain"' in page
    assert "no report yet" in page


def test_copied_code_is_said_at_both_templates(client: FlaskClient, small: Any) -> None:
    small.template("one", PARAMETERS, COPIED)
    small.template("two", PARAMETERS, COPIED.replace("table", "flights"))
    page = answered(client)
    assert "3 lines, also in two" in section(page, "one")
    assert "3 lines, also in one" in section(page, "two")
    assert "2 with copied code ( one , two )" in text(page)


def test_a_pipeline_that_cannot_be_imported_is_said_in_its_sentence(client: FlaskClient, small: Any) -> None:
    small.module("acme", "import nothing_of_that_name")
    assert "pipeline &#39;acme&#39; cannot be imported" in answered(client)


def test_answers_are_kept_until_a_template_or_a_module_changes(client: FlaskClient, small: Any) -> None:
    answered(client)
    assert client.get("/health/state").json == {"asking": False}
    client.get("/health")
    assert client.get("/health/state").json == {"asking": False}
    for change in (lambda: small.template("plain", PARAMETERS), lambda: small.module("acme", "# nothing\n")):
        change()
        client.get("/health")
        assert client.get("/health/state").json == {"asking": True}
        answered(client)


def test_check_now_asks_again(client: FlaskClient) -> None:
    page = answered(client)
    token = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert token
    assert client.post("/health/check").status_code == 400
    answer = client.post("/health/check", data={"csrf_token": token[1]})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/health")
    assert client.get("/health/state").json == {"asking": True}
    answered(client)


def test_of_two_who_ask_at_once_one_does(client: FlaskClient, small: Any) -> None:
    question = Standing(settings.load().web / "health", "check")
    lock = question._lock()
    assert lock is not None
    assert question.is_being_asked()
    question.ask(state_of(settings.load()))
    os.close(lock)
    assert not question.is_being_asked()
    assert question.kept() is None


def test_a_damaged_answer_is_as_if_it_were_not_there(client: FlaskClient) -> None:
    answered(client)
    question = Standing(settings.load().web / "health", "check")
    (question.folder / "check.json").write_text('{"asked": 1')
    assert question.kept() is None
    assert "Being checked now" in client.get("/health").text
    answered(client)


def test_past_reports_tell_slow_cells_and_checks_and_where_they_are(client: FlaskClient, small: Any) -> None:
    small.template(
        "timed", PARAMETERS, "import time; time.sleep(0.2)", "assert date.year == 2020, '<b>'", "assert date.day < 6"
    )
    days = ("--start", "2020-01-01", "--stop", "2020-01-06", "--template", "timed", "--local-scheduler")
    assert small.run("luigi", "--module", "workflows", "Backfill", *days).code != 0
    page = section(answered(client), "timed")
    assert "Median of 5 reports" in page
    assert text(page.partition("<tbody>")[2]).startswith("2 import time; time.sleep(0.2)")
    assert "1 never failed" in page
    assert "date.year == 2020" in page
    assert "2 checks in the last 6 reports" in text(page)
    links = re.findall(r'href="/reports/([^"]+)"', page)
    assert [bool(re.fullmatch(r"ReportTask/2020-01-0\d/timed-[0-9a-f]{16}", link)) for link in links] == [True, False]
    assert links[1].startswith("failed/timed/2020-01-06/")
    assert 'href="/?template=timed"' in page


def test_what_reports_and_templates_say_is_text(client: FlaskClient, small: Any) -> None:
    small.template("hostile", PARAMETERS, "assert '<script>alert(1)</script>' == date, '<img src=x onerror=alert(2)>'")
    small.report("hostile", "2020-01-01")
    small.template("broken", PARAMETERS, "<script>alert(3)</script>")
    page = answered(client)
    assert "AssertionError: &lt;img src=x onerror=alert(2)&gt;" in section(page, "hostile")
    assert '<span class="state failed">last report failed</span>' in section(page, "hostile")
    assert "<script>alert" not in page
    assert "<img src=x" not in page
