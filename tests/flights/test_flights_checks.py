"""The checks fail on the days, and for the reasons, that are known to be odd; else they pass."""

from __future__ import annotations

from typing import Any

import pytest

from workflows.flights import checks, findings
from workflows.flights.checks import Check
from workflows.flights.records import DailyVolumes, Departures, WeatherHours


def done(days: Any, day: str, **changes: object) -> list[Check]:
    """All checks of a day, with the first flight changed."""
    flights = days.flights(day).copy()
    for column, value in changes.items():
        flights.loc[0, column] = value
    weather, volumes = WeatherHours(days.weather(day)), DailyVolumes(days.volumes(day))
    return checks.all_checks(Departures(flights), weather, volumes, 0.15)


def failed(found: list[Check]) -> dict[str, str]:
    return {check.rule: check.found for check in found if check.passed is False}


def test_an_ordinary_day_passes_every_check(days: Any) -> None:
    assert {check.result for check in done(days, "2013-01-15")} == {"pass"}


@pytest.mark.parametrize(
    ("day", "rule", "found"),
    [
        ("2013-02-12", "no wind above 253 mph", "1,048 mph at Newark"),
        ("2013-05-25", "flights average 60 to 620 mph", "1 flight: DL 1499 to ATL"),
        ("2013-07-27", "flights go 50 miles or more", "1 flight: US 1632 to LGA"),
        ("2013-12-31", "at least 95 % of hours have weather", "0.0 %"),
        ("2013-11-28", "flights within 15 % of the usual for the weekday", "634, 36 % fewer than 990"),
        ("2013-09-12", "every airline that flew on each day before flies", "none of HA"),
    ],
)
def test_an_odd_day_fails_for_its_reason(days: Any, day: str, rule: str, found: str) -> None:
    assert failed(done(days, day))[rule] == found


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"tailnum": None}, "every departed flight names its plane"),
        ({"dep_delay": 77.0}, "delay is departure minus schedule"),
        ({"dep_time": 431, "dep_delay": -59.0, "sched_dep_time": 530}, "nobody leaves more than 45 min early"),
        ({"air_time": 11.0}, "flights average 60 to 620 mph"),
        ({"dep_delay": float("nan"), "dep_time": None}, "no cancelled flight arrives"),
    ],
)
def test_one_wrong_value_fails_its_check_and_no_other(days: Any, changes: dict[str, object], rule: str) -> None:
    assert list(failed(done(days, "2013-01-15", **changes))) == [rule]


def test_without_days_before_volumes_are_not_checked_rather_than_passed(days: Any) -> None:
    volumes = [check for check in done(days, "2013-01-01") if "usual" in check.rule]
    assert {check.result for check in volumes} == {"not checked"}


def test_without_weather_its_readings_are_not_checked(days: Any) -> None:
    found = {check.rule: check.result for check in done(days, "2013-12-31")}
    assert found["no wind above 253 mph"] == "not checked"


def test_the_verdict_names_what_failed(days: Any) -> None:
    assert findings.verdict(done(days, "2013-01-15")) == ("Fit for use: no check failed.", "good")
    assert findings.verdict(done(days, "2013-07-27")) == ("Look before use: 1 check failed, on plausibility.", "bad")


@pytest.mark.parametrize(
    ("day", "said"),
    [
        ("2013-02-12", "plausibility: no wind above 253 mph; found 1,048 mph at Newark"),
        ("2013-07-27", "plausibility: flights go 50 miles or more; found 1 flight: US 1632 to LGA"),
        ("2013-11-28", "volume: flights within 15 % of the usual for the weekday; found 634, 36 % fewer than 990"),
        ("2013-09-12", "volume: every airline that flew on each day before flies; found none of HA"),
    ],
)
def test_a_failed_check_is_said_as_its_rule_and_what_was_found(days: Any, day: str, said: str) -> None:
    assert said in findings.of_checks(done(days, day))


def test_hours_without_flights_are_counted_in_the_plural(days: Any) -> None:
    flights = days.flights("2013-01-15")
    closed = flights[~((flights["origin"] == "JFK") & flights["hour"].isin([10, 11]))]
    weather, volumes = WeatherHours(days.weather("2013-01-15")), DailyVolumes(days.volumes("2013-01-15"))
    found = failed(checks.all_checks(Departures(closed), weather, volumes, 0.15))
    rule = "every airport has flights in each hour from 7:00 to 20:00"
    assert found[rule] == "2 hours without any: Kennedy 10:00, Kennedy 11:00"


def test_the_table_names_each_subject_once(days: Any) -> None:
    table = checks.as_table(done(days, "2013-01-15"))
    assert [subject for subject in table["subject"] if subject] == [
        "completeness", "plausibility", "uniqueness", "volume",
    ]  # fmt: skip
