"""Measures over commits and dates in the web page: charts, their tables, and the wall screen."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import quote
from xml.etree import ElementTree

import pytest
from evaluated import HARM, MEASURE, Evaluated
from flask.testing import FlaskClient

from workflows.web.trends import charts
from workflows.web.trends.charts import chart
from workflows.web.trends.series import Mark, Point, Series
from workflows.web.trends.vega import NARROW, WIDE

HREF = "href"


def series(*values: float | None, marks: tuple[Mark, ...] = (), **point: str) -> Series:
    """A measure over commits."""
    points = [Point(f"{at:07x}", at, value, f"/evaluations/default/{at}") for at, value in enumerate(values)]
    if point:
        points = [Point(one.name, one.place, one.value, **{"address": one.address, **point}) for one in points]  # type: ignore[arg-type]
    return Series(MEASURE, "daily", HARM, "lower", "commits", "daily", "2013-01-15", tuple(points), marks)


def drawn(given: Series) -> ElementTree.Element:
    return ElementTree.fromstring(chart(given, WIDE))


def links(svg: str) -> list[str]:
    return [unescape(address) for address in re.findall(r'<a href="([^"]+)"', svg)]


def test_each_point_is_a_link_with_a_name() -> None:
    [first, *others] = drawn(series(1.0, 2.5, None, 4.0)).iter("a")
    assert (first.get("href"), len(others)) == ("/evaluations/default/0", 2)
    assert first.get("aria-label") == f"0000000: 1 {HARM}"


def test_a_point_is_pressed_beside_what_is_seen_of_it_but_not_on_the_next_one() -> None:
    few, many = (
        [rect for link in drawn(series(*values)).iter("a") for rect in link.iter("rect")]
        for values in ((1.0, 2.0), range(200))
    )
    assert {(rect.get("width"), rect.get("height")) for rect in few} == {("24.0", "24")}
    assert 5.0 <= float(many[0].get("width") or 0) <= 5.1


def test_the_axis_of_one_value_is_around_it() -> None:
    names = [text.text for text in drawn(series(0.5)).iter("text")]
    assert "0.50" in names
    assert "0" not in names


def test_what_people_wrote_is_text_in_a_chart() -> None:
    text = chart(series(1.0, 2.0, about=f'{HARM}"onload="x'), WIDE)
    assert "<script" not in text
    assert {element.tag for element in drawn(series(1.0, 2.0, about=HARM)).iter()} <= {
        "svg", "g", "path", "line", "text", "a", "rect", "title"
    }  # fmt: skip


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "//evil.example/", "https://evil.example", "/\\evil.example", "data:text/html,x"]
)
def test_a_point_leads_to_no_other_page(address: str) -> None:
    assert [link.get("href") for link in drawn(series(1.0, 2.0, address=address)).iter("a")] == [None, None]


def test_a_chart_has_colours_of_the_page_only_and_neither_style_nor_script() -> None:
    text = chart(series(1.0, 2.0, 3.0, marks=(Mark(1, "step", "worse", "1 → 2"),)), WIDE)
    colours = set(re.findall(r'(?:fill|stroke)="([^"]+)"', text))
    assert colours <= {"none", "var(--accent)", "var(--soft)", "var(--line)", "var(--bad)"}
    assert "var(--bad)" in colours
    assert not re.search(r"\bstyle=|\bon\w+=|#[0-9a-f]{3,6}\b", text)


def test_a_line_breaks_where_values_are_of_another_kind() -> None:
    whole, broken = (
        [
            path
            for path in drawn(series(1.0, 2.0, 3.0, 4.0, marks=marks)).iter("path")
            if path.get("stroke") == "var(--accent)" and "L" in path.get("d", "")
        ]
        for marks in ((), (Mark(2, "break", "template", "a → b"),))
    )
    assert (len(whole), len(broken)) == (1, 2)


def test_steps_and_breaks_are_named_in_a_chart() -> None:
    marks = (Mark(1, "step", "worse", "1 → 2"), Mark(3, "break", "dataset", "a → b"))
    words = [text.text for text in drawn(series(1.0, 2.0, 2.0, 2.0, marks=marks)).iter("text")]
    assert "0000001 worse" in words
    assert "dataset" in words


@pytest.mark.parametrize("values", [(1.0,), (0.0, 0.0), (1e300, -1e300), (5, 10**30), (None, 2.0, None)])
def test_any_values_make_a_chart(values: tuple[float | None, ...]) -> None:
    assert len(links(chart(series(*values), NARROW))) == sum(value is not None for value in values)


def test_the_same_chart_is_drawn_once() -> None:
    charts._drawn.cache_clear()
    for about in ("one", "other"):
        chart(series(1.0, 2.0, about=about), WIDE)
    assert charts._drawn.cache_info().misses == 1


def test_a_measure_over_commits_has_its_step_in_chart_and_table(reader: FlaskClient, project: Evaluated) -> None:
    page = reader.get(f"/trends?measure={quote(MEASURE)}").text
    addresses = [f"/evaluations/default/{sha}" for sha in project.commits]
    assert [address for address in links(page) if address in addresses][: len(addresses)] == addresses
    rows = re.findall(r'<tr><th scope="row">', page)
    assert len(rows) == len(project.commits)
    assert "3.5" in page
    assert HARM not in page


def test_a_measure_over_dates_leads_to_the_reports(reader: FlaskClient, project: Evaluated) -> None:
    page = reader.get(f"/trends?measure={quote(MEASURE)}&over=dates&template=figures").text
    newest = [f"/reports/{project.made(date)[-1]}" for date in ("2020-01-01", "2020-01-02")]
    assert [address for address in links(page) if address.startswith("/reports/")][:2] == newest


def test_all_measures_are_seen_at_a_glance(reader: FlaskClient) -> None:
    page = reader.get("/trends").text
    assert page.count('<svg class="thumb"') == 4
    for address in re.findall(r'<h3><a href="([^"]+)"', page):
        assert reader.get(unescape(address)).status_code == 200
    assert HARM not in page


def test_a_measure_that_no_run_has_says_which_there_are(reader: FlaskClient) -> None:
    answer = reader.get("/trends?measure=lateness")
    assert answer.status_code == 200
    assert "no run has the measure" in answer.text


@pytest.mark.parametrize(
    "query",
    ["suite=../..", "suite=%00", "measure=rows&suite=none", "measure=rows&template=../x", "measure=rows&date=never",
     "measure=rows&over=dates&parameters=%7Bnot", "measure=%00", f"measure={quote(HARM)}"],
)  # fmt: skip
def test_an_address_that_asks_for_nothing_is_answered_calmly(reader: FlaskClient, query: str) -> None:
    for page in ("trends", "wall"):
        answer = reader.get(f"/{page}?{query}")
        assert answer.status_code in (200, 400)
        assert HARM not in answer.text


def test_the_wall_shows_verdict_and_charts_and_asks_again_every_minute(reader: FlaskClient) -> None:
    answer = reader.get("/wall")
    assert answer.headers["Refresh"] == "60"
    assert "Worse: " in answer.text
    assert 'class="chart wall"' in answer.text
    assert HARM not in answer.text


def test_the_wall_can_stand_still(reader: FlaskClient) -> None:
    page = reader.get("/wall?measure=rows").text
    [address] = re.findall(r'<a href="([^"]+still=1)"', page)
    assert "Refresh" not in reader.get(unescape(address)).headers


def test_a_project_without_a_repository_has_trends_over_dates_only(client: FlaskClient) -> None:
    for page in ("/trends", "/wall", "/evaluations/", "/compare", "/trends?measure=rows"):
        assert client.get(page).status_code == 200
