"""The calendar: what is done, failed, under way and missing on each day."""

from __future__ import annotations

import datetime

import pytest
from flask.testing import FlaskClient
from reports_made import Seen, paths, see

from workflows import settings
from workflows.requests.queue import Requests
from workflows.requests.request import Ask


def days(page: Seen) -> dict[str, dict[str, str]]:
    """The cells that lead somewhere, by what they say."""
    return {
        found["title"]: found for _, found in page.tags if "day" in found.get("class", "").split() and "title" in found
    }


def test_a_day_that_is_done_leads_to_its_report(reports: FlaskClient) -> None:
    """To the one with the template's own values."""
    found = days(see(reports, "/calendar?template=small&month=2020-01"))
    assert (
        found["small 2020-01-01: made"]["href"] == f"/reports/{paths(reports, '?template=small&date=2020-01-01')[-1]}"
    )


def test_a_day_that_failed_leads_to_what_is_left(reports: FlaskClient) -> None:
    found = days(see(reports, "/calendar?template=hostile&month=2020-01"))
    assert found["hostile 2020-01-01: failed"]["href"] == f"/reports/{paths(reports, '?state=failed')[0]}"


def test_a_missing_day_is_made_by_a_press(reports: FlaskClient) -> None:
    button = days(see(reports, "/calendar?template=small&month=2020-01"))["Make small 2020-01-03"]
    assert (button["name"], button["value"], button["formaction"]) == ("date", "2020-01-03", "/templates/small")
    token = see(reports, "/calendar?template=small&month=2020-01").values("csrf_token")[0]
    assert token


def test_the_press_asks_for_the_report(own_reports: FlaskClient) -> None:
    page = see(own_reports, "/calendar?template=small&month=2020-01")
    given = {"csrf_token": page.values("csrf_token")[0], ":key": page.values(":key")[0], "date": "2020-01-03"}
    answer = own_reports.post("/templates/small", data=given)
    asked = Requests(settings.load().web).list()
    assert [(one.template, one.date, one.parameters) for one in asked] == [("small", "2020-01-03", "{}")]
    assert answer.location == f"/requests/{asked[0].id}"


def test_a_day_that_is_asked_for_leads_to_its_request(own_reports: FlaskClient) -> None:
    asked = Requests(settings.load().web).ask([Ask("small", datetime.date(2020, 1, 5))], "ada", "")[0]
    found = days(see(own_reports, "/calendar?month=2020-01"))
    assert found["small 2020-01-05: waiting"]["href"] == f"/requests/{asked.id}"


def test_without_a_month_it_opens_where_the_newest_report_is(reports: FlaskClient) -> None:
    assert "January 2020" in reports.get("/calendar").text


def test_the_months_beside_are_one_press_away(reports: FlaskClient) -> None:
    links = see(reports, "/calendar?template=small&month=2020-01").links
    assert "/calendar?template=small&month=2019-12" in links
    assert "/calendar?template=small&month=2020-02" in links


def test_days_to_come_are_not_missing(reports: FlaskClient) -> None:
    assert not days(see(reports, "/calendar?month=2199-12"))


def test_every_template_has_its_row(reports: FlaskClient) -> None:
    links = see(reports, "/calendar?month=2020-01").links
    assert "/calendar?template=hostile&month=2020-01" in links
    assert "/calendar?template=small&month=2020-01" in links


def test_a_template_that_is_gone_keeps_its_days_and_cannot_be_made(own_reports: FlaskClient) -> None:
    (settings.load().templates / "small.ipynb").unlink()
    found = days(see(own_reports, "/calendar?template=small&month=2020-01"))
    assert list(found) == ["small 2020-01-01: made", "small 2020-01-02: made"]


@pytest.mark.parametrize("query", ["month=2020-13", "month=x", "month=0001-01", "month=9999-12", "template=none"])
def test_what_is_none_is_not_found(reports: FlaskClient, query: str) -> None:
    assert reports.get(f"/calendar?{query}").status_code == 404


def test_a_state_is_told_by_more_than_colour(reports: FlaskClient) -> None:
    text = reports.get("/calendar?template=small&month=2020-01").text
    assert (
        '<span class="sign" aria-hidden="true">✓</span><span class="hidden-text">made, small 2020-01-01</span>' in text
    )
