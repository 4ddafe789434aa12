"""The parts of the reports: words, page, charts. Each is the same for the same data, and stands on odd days."""

from __future__ import annotations

import datetime
import struct
from html.parser import HTMLParser
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.flights import charts, findings, page, wording
from workflows.flights.picture import Picture, blank, drawn
from workflows.flights.records import DailyVolumes, Departures, ScoredDepartures, WeatherHours

ODD_DAYS = ["2013-01-01", "2013-01-15", "2013-02-08", "2013-02-09", "2013-02-12", "2013-11-03", "2013-12-31"]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (wording.number(1234.5, 1), "1,234.5"),
        (wording.number(-4), "−4"),
        (wording.number(-0.2), "0"),
        (wording.number(float("nan")), "–"),
        (wording.percent(0.123), "12.3 %"),
        (wording.percent(float("nan")), "–"),
        (wording.minutes(12), "12 min"),
        (wording.minutes(-2.5), "−2.5 min"),
        (wording.minutes(170), "2 h 50 min"),
        (wording.minutes(179.9), "3 h 00 min"),
        (wording.delay(-4), "4 min early"),
        (wording.delay(0), "on time"),
        (wording.count(1, "flight"), "1 flight"),
        (wording.count(0, "flight"), "no flights"),
        (wording.count(1234, "flight"), "1,234 flights"),
        (wording.clock(106), "01:06"),
        (wording.day(datetime.date(2013, 1, 5)), "Saturday 5 January 2013"),
        (wording.joined(["a", "b", "c"]), "a, b and c"),
        (wording.joined(["a"]), "a"),
        (wording.joined([]), ""),
        (wording.airline("United Air Lines Inc."), "United Air Lines"),
        (wording.sentence("all is well"), "All is well."),
    ],
)
def test_numbers_are_said_as_a_reader_wants_them(said: str, expected: str) -> None:
    assert said == expected


@given(st.floats(-2000, 2000))
def test_minutes_never_reach_sixty_beside_hours(value: float) -> None:
    assert "60 min" not in wording.minutes(value) or "h" not in wording.minutes(value)


class Balance(HTMLParser):
    """Fails where a tag is closed that is not open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def balanced(fragment: page.Fragment) -> bool:
    parser = Balance()
    parser.feed(fragment._repr_html_())
    return not parser.open


def test_text_from_the_data_cannot_become_html() -> None:
    frame = pd.DataFrame({"name": ["<script>alert(1)</script>"]})
    parts = [
        page.heading("<b>", "<i>"),
        page.headline(page.Number("<b>", "<i>", "<u>")),
        page.findings("<b>"),
        page.verdict("<b>", "bad"),
        page.table(frame, {"name": page.Column("<b>")}),
    ]
    for part in parts:
        assert balanced(part)
        assert not any(tag in part.html for tag in ("<b>", "<i>", "<u>", "<script>"))


def test_a_table_without_rows_says_so() -> None:
    assert repr(page.table(pd.DataFrame({"a": []}), {"a": page.Column("A")}, nothing="None.")) == "None."


def test_a_missing_value_is_a_dash() -> None:
    fragment = page.table(pd.DataFrame({"a": [float("nan")]}), {"a": page.Column("A", wording.number, full=1.0)})
    assert repr(fragment) == wording.UNKNOWN


def test_empty_findings_are_left_out() -> None:
    assert repr(page.findings("one thing", "", "another")) == "One thing.\nAnother."


def pictures(days: Any, day: str, carrier: str = "all", threshold: float = 3.5) -> list[Picture]:
    departures, hourly = Departures(days.flights(day)).of(carrier), WeatherHours(days.weather(day))
    scored, before = ScoredDepartures(days.anomalies(day)).of(carrier), DailyVolumes(days.volumes(day))
    return [
        charts.delays_by_hour(departures),
        charts.disruption_by_airline(departures, 15),
        charts.weather(hourly),
        charts.scores(scored, threshold, numbered=15),
        charts.anomalies_by_hour_and_airline(scored, threshold),
        charts.anomalies_and_weather(scored, threshold),
        charts.volume_history(before, datetime.date.fromisoformat(day), len(departures), 0.15),
        charts.coverage(departures, hourly),
    ]


@pytest.mark.parametrize("day", ["2013-01-01", "2013-02-09", "2013-12-31"])
def test_every_chart_can_be_drawn_on_an_odd_day(days: Any, day: str) -> None:
    assert all(picture.png.startswith(b"\x89PNG") for picture in pictures(days, day))


@pytest.mark.parametrize("carrier", ["HA", "OO"])
def test_every_chart_can_be_drawn_of_one_flight_or_none(days: Any, carrier: str) -> None:
    assert all(picture.png.startswith(b"\x89PNG") for picture in pictures(days, "2013-01-15", carrier, 50.0))


def test_a_chart_is_the_same_for_the_same_data(days: Any) -> None:
    scored = ScoredDepartures(days.anomalies("2013-02-08"))
    first, second = (charts.scores(scored, 3.5, numbered=15) for _ in range(2))
    assert first.png == second.png


def test_a_chart_is_sharp_as_wide_as_the_page_and_described(days: Any) -> None:
    picture = charts.weather(WeatherHours(days.weather("2013-01-15")))
    data, metadata = picture._repr_mimebundle_()
    width, height = struct.unpack(">II", data["image/png"][16:24])
    assert (width, height) == (2 * 912, 2 * metadata["image/png"]["height"])
    assert metadata["image/png"]["alt"] == data["text/plain"] == repr(picture)


def test_a_chart_keeps_its_width_on_narrow_screens_and_a_sentence_shrinks() -> None:
    chart, words = (
        picture._repr_mimebundle_()[1]["image/png"] for picture in (drawn(lambda _: None, 2, ""), blank(""))
    )
    assert chart["unconfined"]
    assert "unconfined" not in words
    assert "img.unconfined { min-width: 720px; }" in page.CSS


def test_a_table_scrolls_in_a_box_of_its_own() -> None:
    fragment = page.table(pd.DataFrame({"a": [1]}), {"a": page.Column("A")})
    assert fragment.html.startswith('<div class="fl-scroll"><table')
    assert balanced(fragment)


@pytest.mark.parametrize("day", ODD_DAYS)
@pytest.mark.parametrize("carrier", ["all", "UA", "HA", "OO"])
def test_findings_are_whole_sentences_on_any_day(days: Any, day: str, carrier: str) -> None:
    departures, scored = Departures(days.flights(day)).of(carrier), ScoredDepartures(days.anomalies(day)).of(carrier)
    said = [
        *findings.of_delays(departures, 15),
        *findings.of_anomalies(scored, 3.5),
        *findings.of_weather(WeatherHours(days.weather(day))),
    ]
    assert not [words for words in said if "nan" in words.split() or "None" in words or wording.UNKNOWN in words]


def test_findings_of_the_blizzard_name_its_numbers(days: Any) -> None:
    said = findings.of_delays(Departures(days.flights("2013-02-09")), 15)
    assert "393 flights (57.5 %) were cancelled, 73 of them by JetBlue Airways" in said
