"""The evaluated commits in the web page."""

from __future__ import annotations

import json
import re
import shutil
from html import unescape

import pytest
from evaluated import HARM, Evaluated
from flask.testing import FlaskClient

from workflows.answers import found
from workflows.store.evaluations import RUN


@pytest.fixture
def address(project: Evaluated) -> str:
    """Where the commit that is worse is shown."""
    return f"/evaluations/default/{project.commits[-1]}"


def test_commits_are_listed_newest_first_with_their_verdicts(reader: FlaskClient, project: Evaluated) -> None:
    page = reader.get("/evaluations/").text
    assert re.findall(r'href="/evaluations/default/([0-9a-f]{40})"', page) == project.commits[::-1]
    assert re.findall(r'aria-hidden="true">.</span> (\w+)</span>', page)[:2] == ["worse", "same"]
    assert '<span class="count worse">1 worse</span>' in page
    assert f"a={project.commits[1]}&amp;b={project.commits[2]}" in page


def test_the_message_of_a_commit_stays_text(reader: FlaskClient, address: str) -> None:
    for page in ("/evaluations/", address):
        text = reader.get(page).text
        assert HARM not in text
        assert "Weigh &lt;script&gt;" in text


def test_an_evaluation_shows_its_page_in_a_sandbox(reader: FlaskClient, address: str) -> None:
    page = reader.get(address).text
    assert (
        f'<iframe class="report-frame" sandbox="allow-scripts allow-popups allow-downloads" src="{address}/page"'
        in page
    )
    answer = reader.get(f"{address}/page")
    assert answer.headers["Content-Security-Policy"].startswith("sandbox ")
    assert "Worse" in answer.text


def test_links_within_its_page_lead_to_reports_and_files(reader: FlaskClient, address: str) -> None:
    page = reader.get(f"{address}/page").text
    assert re.search(r'href="/reports/ReportTask/2020-01-01/figures-[0-9a-f]{16}/files/report\.html"', page)
    assert "../../../" not in page
    for name in set(re.findall(r'href="\./([^"]+)"', page)):
        picture = reader.get(f"{address}/{name}")
        assert picture.status_code == 200
        assert picture.headers["Content-Security-Policy"].startswith("sandbox ")


def test_its_reports_are_compared_with_the_bases(reader: FlaskClient, address: str) -> None:
    page = reader.get(address).text
    [both] = re.findall(r'href="([^"]+)">compare with the base', page)
    assert reader.get(unescape(both)).status_code == 200


def test_the_feed_leads_to_the_same_pages(reader: FlaskClient, project: Evaluated) -> None:
    answer = reader.get("/evaluations/feed.xml")
    assert answer.mimetype == "application/atom+xml"
    [first, *_] = re.findall(r'<link href="([^"]+)"', answer.text)
    assert reader.get(f"/evaluations/{first}").status_code == 200
    assert 'type="application/atom+xml"' in reader.get("/evaluations/").text


@pytest.mark.parametrize(
    "name", ["%2e%2e/run.json", "..%2f..%2ffeed.xml", "run.json%00", ".hidden", "nothing.png", "-x"]
)
def test_no_other_file_is_given_out(reader: FlaskClient, address: str, name: str) -> None:
    assert reader.get(f"{address}/{name}").status_code == 404


@pytest.mark.parametrize(
    "place", ["default/..", "default/HEAD", "%2e%2e/x", "none/{sha}", "default/{sha}-x", "default/" + "0" * 40]
)
def test_what_is_no_evaluation_is_not_found(reader: FlaskClient, project: Evaluated, place: str) -> None:
    answer = reader.get(f"/evaluations/{place.format(sha=project.commits[0])}")
    assert answer.status_code == 404


def test_a_project_without_evaluations_says_how_to_make_one(client: FlaskClient) -> None:
    page = client.get("/evaluations/").text
    assert "parcours evaluate" in page


def test_uncommitted_work_is_listed_with_its_diff(reader: FlaskClient, project: Evaluated) -> None:
    sha = project.commits[0]
    state = f"{sha}-abcdef012345"
    evaluations = found.store().evaluations
    record = {**(evaluations.record("default", sha, RUN) or {})}
    record["commit"] = {**record["commit"], "dirty": "abcdef0123456789"}
    evaluations.put("default", state, {RUN: json.dumps(record).encode(), "work.diff": HARM.encode()})
    try:
        assert f'href="/evaluations/default/{state}"' in reader.get("/evaluations/").text
        assert "Uncommitted work" in reader.get(f"/evaluations/default/{state}").text
        answer = reader.get(f"/evaluations/default/{state}/work.diff")
        assert (answer.mimetype, answer.text) == ("text/plain", HARM)
    finally:
        shutil.rmtree(project.place.store / "evaluations" / "default" / state)
