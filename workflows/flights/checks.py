"""The checks whether the data of a day is fit for use: completeness, impossible values, duplicates, volumes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pandas import DataFrame, Series

from workflows.flights.records import FASTEST_WIND, DailyVolumes, Departures, WeatherHours
from workflows.flights.wording import AIRPORTS, count, joined, number, percent

SPEEDS = (60.0, 620.0)  # mph over ground, from take-off to landing: what an airliner can do on average
EARLIEST = -45  # minutes: doors close at most this long before the schedule
SHORTEST = 50  # miles: nobody flies from one airport of New York to another
BUSY_HOURS = range(7, 20)  # local: hours in which every airport has departures


@dataclass(frozen=True)
class Check:
    """One check of one day and what came of it."""

    subject: str  # completeness, plausibility, uniqueness or volume
    rule: str  # what must hold, in words
    found: str  # what was found
    passed: bool | None  # None where there was nothing to check with

    @property
    def result(self) -> str:
        """'pass', 'fail' or 'not checked'."""
        return {True: "pass", False: "fail", None: "not checked"}[self.passed]


def all_checks(day: Departures, weather: WeatherHours, before: DailyVolumes, tolerance: float) -> list[Check]:
    """Every check of a day, in the order of the report."""
    return [
        *_completeness(day, weather),
        *_plausibility(day, weather),
        *_uniqueness(day, weather),
        *_volumes(day, before, tolerance),
    ]


def as_table(checks: list[Check]) -> DataFrame:
    """One row per check: subject (only on its first row), rule, found, result."""
    rows = [
        (check.subject if new else "", check.rule, check.found, check.result)
        for check, new in zip(checks, _first_of_subject(checks), strict=True)
    ]
    return DataFrame(rows, columns=["subject", "rule", "found", "result"])


def _first_of_subject(checks: list[Check]) -> list[bool]:
    return [place == 0 or checks[place - 1].subject != check.subject for place, check in enumerate(checks)]


def _completeness(day: Departures, weather: WeatherHours) -> Iterator[Check]:
    flown, subject = day.departed.table, "completeness"
    silent = [
        f"{AIRPORTS[origin]} {hour}:00"
        for origin in AIRPORTS
        for hour in BUSY_HOURS
        if not ((day.table["origin"] == origin) & (day.table["hour"] == hour)).any()
    ]
    rule = f"every airport has flights in each hour from {BUSY_HOURS.start}:00 to {BUSY_HOURS.stop}:00"
    yield Check(subject, rule, _examples(silent, "hour without any", "hours without any"), not silent)
    yield _none(subject, "every departed flight names its plane", flown[flown["tailnum"].isna()])
    yield _at_most(subject, "of departed flights have no arrival time", flown["arr_time"].isna().mean(), 0.01)
    yield _at_most(subject, "of departed flights have no arrival delay", flown["arr_delay"].isna().mean(), 0.02)
    yield _at_most(subject, "of flights have a plane that the register does not know", _unknown_planes(day), 0.25)
    yield _at_least(subject, "of hours have weather", weather.share_present(), 0.95)
    yield _at_least(subject, "of flights have weather in their hour", weather.covers(day), 0.95)


def _plausibility(day: Departures, weather: WeatherHours) -> Iterator[Check]:
    flown, table, subject = day.departed.table, day.table, "plausibility"
    delay = _minute(flown["dep_time"]) - _minute(flown["sched_dep_time"]) - flown["dep_delay"]
    yield _none(subject, "delay is departure minus schedule", flown[(delay % 1440 != 0).astype(bool)])
    yield _none(subject, f"nobody leaves more than {-EARLIEST} min early", flown[flown["dep_delay"] < EARLIEST])
    speed = 60 * flown["distance"] / flown["air_time"]
    wild = flown[(speed < SPEEDS[0]) | (speed > SPEEDS[1])]
    yield _none(subject, f"flights average {SPEEDS[0]:.0f} to {SPEEDS[1]:.0f} mph", wild)
    yield _none(subject, f"flights go {SHORTEST} miles or more", table[table["distance"] < SHORTEST])
    gone = day.cancelled.table
    yield _none(subject, "no cancelled flight arrives", gone[gone["arr_time"].notna() | gone["air_time"].notna()])
    readings = weather.table
    storm = readings[readings["wind_speed"] > FASTEST_WIND]
    stations = joined([AIRPORTS[code] for code in sorted(set(storm["origin"]))])
    worst = f"{number(storm['wind_speed'].max())} mph at {stations}"
    yield _no_reading(weather, f"no wind above {FASTEST_WIND:.0f} mph", len(storm), worst)
    damp = int((readings["dewp"] > readings["temp"]).sum())
    yield _no_reading(weather, "the dew point is not above the temperature", damp, count(damp, "reading"))


def _uniqueness(day: Departures, weather: WeatherHours) -> Iterator[Check]:
    subject = "uniqueness"
    twice = day.table.duplicated(["carrier", "flight", "origin"])
    yield _none(subject, "carrier, number and origin name one flight", day.table[twice])
    flown = day.departed.table.dropna(subset="tailnum")
    yield _none(subject, "no plane leaves twice in the same minute", flown[flown.duplicated(["tailnum", "dep_time"])])
    again = int(weather.table.duplicated(["origin", "time_hour"]).sum())
    rule = "airport and hour name one reading of the weather"
    yield Check(subject, rule, count(again, "repeated reading") if again else "no exception", not again)


def _volumes(day: Departures, before: DailyVolumes, tolerance: float) -> Iterator[Check]:
    subject, date = "volume", day.date
    alike = before.like(date)
    usual = alike.usual()
    yield _near(f"flights within {percent(tolerance, 0)} of the usual for the weekday", len(day), usual, tolerance)
    for origin, flights in day.table.groupby("origin").size().items():
        rule = f"flights from {AIRPORTS[str(origin)]} within {percent(tolerance, 0)} of the usual for the weekday"
        yield _near(rule, flights, alike.usual_by_origin().get(str(origin), float("nan")), tolerance)
    absent = sorted(before.regular_carriers() - set(day.table["carrier"]))
    rule = "every airline that flew on each day before flies"
    yield Check(
        subject,
        rule,
        f"none of {joined(absent)}" if absent else "all there",
        not absent if len(before.table) else None,
    )
    yield _at_most(
        subject, "of flights are cancelled, else delays tell of the few that left", day.share_cancelled(), 0.1
    )


def _near(rule: str, found: int, usual: float, tolerance: float) -> Check:
    if usual != usual:
        return Check("volume", rule, f"{found:,}, no such day before", None)
    change = percent(abs(found / usual - 1), 0)
    side = "more" if found > usual else "fewer"
    words = (
        f"{found:,}, {change} {side} than {number(usual)}"
        if round(100 * abs(found / usual - 1))
        else f"{found:,}, as usual"
    )
    return Check("volume", rule, words, abs(found - usual) <= tolerance * usual)


def _none(subject: str, rule: str, against: DataFrame) -> Check:
    """No flight may break the rule."""
    named = [f"{row.carrier} {row.flight} to {row.dest}" for row in against.itertuples()]
    return Check(subject, rule, _examples(named, "flight"), not named)


def _no_reading(weather: WeatherHours, rule: str, against: int, words: str) -> Check:
    """No reading of the weather may break the rule, which `against` of them do."""
    if not len(weather):
        return Check("plausibility", rule, "no readings", None)
    return Check("plausibility", rule, words if against else "no exception", not against)


def _at_most(subject: str, what: str, share: float, limit: float) -> Check:
    passed = None if share != share else share <= limit
    return Check(subject, f"at most {percent(limit, 0)} {what}", percent(share), passed)


def _at_least(subject: str, what: str, share: float, limit: float) -> Check:
    passed = None if share != share else share >= limit
    return Check(subject, f"at least {percent(limit, 0)} {what}", percent(share), passed)


def _examples(named: list[str], noun: str, plural: str = "") -> str:
    """'no exception', or how many with the first three."""
    more = ", ..." if len(named) > 3 else ""
    return f"{count(len(named), noun, plural)}: {', '.join(named[:3])}{more}" if named else "no exception"


def _unknown_planes(day: Departures) -> float:
    known = day.table.dropna(subset="tailnum")
    return float(known["manufacturer"].isna().mean())


def _minute(clock: Series) -> Series:
    """Minute of the day of times HHMM."""
    return clock // 100 * 60 + clock % 100
