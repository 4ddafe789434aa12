"""Two reports or two commits side by side in the web page."""

from __future__ import annotations

import re
from html import unescape

import pytest
from evaluated import HARM, MEASURE, Evaluated
from flask.testing import FlaskClient


@pytest.fixture
def pair(project: Evaluated) -> str:
    """The words of a query: a report, and the same made with other code."""
    a, b = project.made("2020-01-01")
    return f"a={a}&b={b}"


def pictures(page: str, kind: str) -> list[str]:
    return [unescape(address) for address in re.findall(rf'src="(/compare/{kind}[^"]+)"', page)]


def test_two_reports_part_where_the_code_changed(reader: FlaskClient, pair: str) -> None:
    page = reader.get(f"/compare?{pair}").text
    assert "<h1>They part at Cleaned 2020-01-01: code.</h1>" in page
    text = re.sub("<[^>]+>", "", page)
    assert "(self.factor + 1)" in unescape(text).replace(" ", " ")
    assert '<tr class="removed"><td class="sign">-</td>' in page


def test_measures_are_side_by_side_with_their_difference_and_what_it_is_worth(reader: FlaskClient, pair: str) -> None:
    page = reader.get(f"/compare?{pair}").text
    row = page[page.index('class="side-by-side measures"') :].partition("</tr>")[2].partition("</tr>")[0]
    assert re.findall(r'class="number">([^<]*)<', row) == ["7", "10.5", "+3.5"]
    assert '<span class="state worse">worse</span>' in row


def test_names_that_people_chose_stay_text(reader: FlaskClient, pair: str) -> None:
    page = reader.get(f"/compare?{pair}").text
    assert HARM not in page
    assert "&lt;script&gt;alert(1)" in page


def test_each_pair_of_pictures_has_a_slider_with_a_name(reader: FlaskClient, pair: str) -> None:
    page = reader.get(f"/compare?{pair}").text
    assert page.count('<input type="range"') == 2
    assert page.count('aria-label="How much of A is shown') == 2
    assert "style=" not in page


def test_pictures_are_served_on_an_origin_of_their_own(reader: FlaskClient, pair: str) -> None:
    answers = [reader.get(address) for address in pictures(reader.get(f"/compare?{pair}").text, "figure")]
    assert [answer.mimetype for answer in answers] == ["image/png", "image/png", "image/svg+xml", "image/svg+xml"]
    assert all(answer.headers["Content-Security-Policy"].startswith("sandbox ") for answer in answers)
    assert all(answer.headers["X-Content-Type-Options"] == "nosniff" for answer in answers)
    assert answers[0].data.startswith(b"\x89PNG")
    assert answers[0].data != answers[1].data


def test_where_pixels_differ_is_a_picture_of_its_own(reader: FlaskClient, pair: str) -> None:
    [address] = pictures(reader.get(f"/compare?{pair}").text, "pixels")
    assert reader.get(address).data.startswith(b"\x89PNG")


def test_a_picture_that_the_report_does_not_have_is_not_found(reader: FlaskClient, project: Evaluated) -> None:
    path = project.made("2020-01-01")[0]
    for figure in ("", "0" * 24, "../../x", "%00"):
        assert reader.get(f"/compare/figure?of={path}&figure={figure}").status_code == 404


def test_a_failed_report_says_where_it_failed(reader: FlaskClient, project: Evaluated) -> None:
    page = reader.get(f"/compare?a={project.made('2020-01-02')[0]}&b={project.failed}").text
    assert '<span class="state failed">failed</span> in cell 2' in page


@pytest.mark.parametrize(
    "path",
    [
        "ReportTask/2020-01-01/figures-0000000000000000",
        "ReportTask/../../luigi.cfg",
        "ReportTask/2020-01-01/%2e%2e/x-0000000000000000",
        "failed//etc/passwd",
        "luigi.cfg",
        "/etc/passwd",
        "--upload-pack=touch",
        "HEAD:acme.py",
        "%00",
    ],
)
def test_nothing_but_reports_and_commits_is_compared(reader: FlaskClient, project: Evaluated, path: str) -> None:
    other = project.made("2020-01-01")[0] if path.startswith(("ReportTask", "failed")) else "HEAD"
    answer = reader.get(f"/compare?a={path}&b={other}")
    assert answer.status_code == 404
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("suite", ["..", "../default", "none", "%00"])
def test_commits_are_compared_by_a_suite_that_there_is(reader: FlaskClient, suite: str) -> None:
    assert reader.get(f"/compare?a=HEAD~1&b=HEAD&suite={suite}").status_code == 404


def test_a_report_and_a_commit_are_not_compared(reader: FlaskClient, project: Evaluated) -> None:
    assert reader.get(f"/compare?a=HEAD&b={project.made('2020-01-01')[0]}").status_code == 400


def test_with_one_report_the_others_near_it_are_offered(reader: FlaskClient, project: Evaluated) -> None:
    given = project.made("2020-01-01")[1]
    page = unescape(reader.get(f"/compare?a={given}").text)
    offered = page[page.index('class="cards near"') : page.index("<h2>Recent")]
    assert f"/compare?a={given}&b={project.made('2020-01-02')[0]}".replace("/", "%2F")[3:] in offered.replace(
        "/", "%2F"
    )
    assert "the day after" in offered
    assert "the same, made before" in offered


def test_without_any_both_are_chosen_in_a_form(reader: FlaskClient, project: Evaluated) -> None:
    page = reader.get("/compare").text
    for path in (*project.made("2020-01-01"), project.failed):
        assert f'<input type="radio" name="a" value="{path}"' in page
    assert f'<option value="{project.commits[2]}"' in page
    assert HARM not in page


def test_two_commits_are_judged_with_causes_and_their_reports_linked(reader: FlaskClient, project: Evaluated) -> None:
    page = reader.get(f"/compare?a={project.commits[1]}&b=HEAD").text
    assert f"late&#34;{HARM}".replace("<", "&lt;").replace(">", "&gt;") in page
    assert '<span class="state worse">worse</span>' in page
    assert '<span class="added">' in page
    both = re.search(r'href="(/compare\?a=ReportTask[^"]+)"', page)
    assert both
    assert reader.get(unescape(both[1])).status_code == 200
    assert HARM not in page


def test_a_commit_that_was_not_run_is_not_run_by_the_page(reader: FlaskClient, project: Evaluated) -> None:
    project.git("commit", "--quiet", "--allow-empty", "--message=Later")
    answer = reader.get(f"/compare?a={project.commits[0]}&b=HEAD")
    assert answer.status_code == 404
    assert "parcours evaluate" in answer.text
    project.git("reset", "--quiet", "--soft", "HEAD~1")


def test_the_measure_leads_to_its_trend(reader: FlaskClient, pair: str) -> None:
    page = reader.get(f"/compare?{pair}").text
    [first, *_] = re.findall(r'<th scope="row"><a href="(/trends[^"]+)"', page)
    assert (
        f"<h1>{MEASURE.replace(chr(34), '&#34;').replace('<', '&lt;').replace('>', '&gt;')}</h1>"
        in reader.get(unescape(first)).text
    )
