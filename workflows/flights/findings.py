"""What the reports say in words: sentences computed from records, empty where there is nothing to say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workflows.flights.checks import Check
from workflows.flights.records import DailyVolumes, Departures, ScoredDepartures, WeatherHours
from workflows.flights.wording import (
    AIRPORTS,
    ALL_CARRIERS,
    airline,
    clock,
    count,
    delay,
    destination,
    joined,
    minutes,
    number,
    percent,
)

HARD_WIND = 25  # mph: a strong breeze ends here (Beaufort 6 begins)
POOR_SIGHT = 3  # miles: below it, instrument rules apply
FEWEST = 20  # flights: fewer do not speak for an hour or an airline


def of_delays(day: Departures, late_after: int) -> list[str]:
    """The delays of a day: the whole, its airports, its worst hour and its longest wait."""
    departed = day.departed
    if not len(departed):
        return [f"of {count(len(day), 'flight')}, none left"]
    late = departed.late_by(late_after)
    airports = departed.by_airport(late_after).set_index("origin")["disrupted"]
    worst, best = str(airports.idxmax()), str(airports.idxmin())
    return [
        f"the typical flight left {delay(day.median_delay())}; {percent(day.share_late(late_after), 0)} of "
        f"{count(len(departed), 'departure')} left {late_after} minutes late or more",
        f"{AIRPORTS[worst]} had the greatest share of late departures ({percent(airports[worst], 0)}), "
        f"{AIRPORTS[best]} the smallest ({percent(airports[best], 0)})" if worst != best else "",
        _worst_hour(departed, late_after),
        _longest(late),
        _cancellations(day),
    ]  # fmt: skip


def _worst_hour(departed: Departures, late_after: int) -> str:
    hours = departed.summary(["hour"], late_after)
    hours = hours[(hours["flights"] >= FEWEST) & (hours["late"] > 0)].set_index("hour")
    if hours.empty:
        return ""
    hour: Any = hours["disrupted"].idxmax()
    return (
        f"delays peaked in the hour from {hour}:00, when {percent(hours['disrupted'][hour], 0)} of departures were late"
    )


def _longest(late: Departures) -> str:
    if not len(late):
        return ""
    row = late.table.sort_values("dep_delay", ascending=False, kind="stable").iloc[0]
    return (
        f"the longest wait was {minutes(row['dep_delay'])}: {airline(row['airline'])} {row['flight']} from "
        f"{AIRPORTS[row['origin']]} to {destination(row['dest'], row['dest_name'])}, "
        f"due at {clock(row['sched_dep_time'])}"
    )


def _cancellations(day: Departures) -> str:
    gone = day.cancelled
    if not len(gone):
        return "no flight was cancelled"
    most = gone.by_airline().iloc[0]
    verb = "was" if len(gone) == 1 else "were"
    said = f"{count(len(gone), 'flight')} ({percent(day.share_cancelled())}) {verb} cancelled"
    if len(gone) == 1:
        return f"{said}, by {airline(most['airline'])}"
    return f"{said}, {most['flights']} of them by {airline(most['airline'])}" if most["flights"] > 1 else said


def of_weather(weather: WeatherHours) -> list[str]:
    """The weather of a day: temperature, wind, precipitation, sight and missing hours; nothing if none was recorded."""
    if not len(weather):
        return []
    table = weather.plausible().table
    wind, sight = table["wind_speed"].max(), table["visib"].min()
    wet = table.groupby("origin")["precip"].sum().max()
    missing = 24 * len(AIRPORTS) - len(weather.present())
    return [
        f"{number(table['temp'].min())} to {number(table['temp'].max())} °F, with wind up to {number(wind)} mph"
        + (", a strong breeze or more" if wind >= HARD_WIND else ""),
        f"up to {number(wet, 2)} inches of rain or melted snow fell at one airport" if wet > 0 else "the day was dry",
        f"visibility fell to {number(sight, 1)} miles" if sight < POOR_SIGHT else "",
        f"{count(missing, 'hourly reading')} of {24 * len(AIRPORTS)} {'is' if missing == 1 else 'are'} missing"
        if missing
        else "",
    ]


def of_anomalies(day: ScoredDepartures, threshold: float) -> list[str]:
    """The anomalies of a day: how many, where, when, in what weather, and what has no score."""
    if not len(day):
        return ["there were no such flights on this day"]
    found = day.beyond(threshold)
    return [
        _extent(day, found, threshold),
        *_concentration(day, threshold),
        _conditions(day, threshold),
        _without_score(day),
    ]


def _extent(day: ScoredDepartures, found: ScoredDepartures, threshold: float) -> str:
    if not len(day.scored):
        return "no flight has a score, so nothing can be called unusual"
    if not len(found):
        return f"no anomaly among {count(len(day.scored), 'departure')} with a score: none was beyond {threshold:g}"
    early = int((found.table["score"] < 0).sum())
    sides = f"{early} of them early" if early else "all of them late"
    return (
        f"{len(found)} of {count(len(day.scored), 'scored departure')} ({percent(day.share_beyond(threshold))}) "
        f"{'was' if len(found) == 1 else 'were'} beyond the threshold of {threshold:g}"
        + (f", {sides}" if len(found) > 1 else "")
    )


_GROUPS: dict[str, Callable[[str], str]] = {
    "origin": AIRPORTS.__getitem__,
    "airline": airline,
    "hour": "the one from {}:00".format,
}


def _concentration(day: ScoredDepartures, threshold: float) -> list[str]:
    whole = day.share_beyond(threshold)
    sentences = []
    for column, those in (("origin", "airports"), ("airline", "airlines"), ("hour", "hours")):
        groups = day.beyond_by(column, threshold)
        groups = groups[(groups["flights"] >= FEWEST) & (groups["beyond"] >= 3)].set_index(column)
        if groups.empty or groups["share"].max() < 1.25 * whole:
            continue
        name: Any = groups["share"].idxmax()
        row = groups.loc[name]
        shown = _GROUPS[column](str(name))
        sentences.append(
            f"among the {those} {shown} stands out: {percent(row['share'], 0)} of {row['flights']:.0f} departures "
            f"were anomalies, against {percent(whole, 0)} overall"
        )
    return sentences


def _conditions(day: ScoredDepartures, threshold: float) -> str:
    """Whether anomalies were more frequent in hard weather; nothing if there was too little of it to tell."""
    table = day.scored.table
    hard = (table["wind_speed"] >= HARD_WIND) | (table["visib"] < POOR_SIGHT) | (table["precip"] > 0)
    known = table["wind_speed"].notna() & table["visib"].notna()
    groups = [type(day)(table[known & chosen]) for chosen in (hard, ~hard)]
    if min(len(group) for group in groups) < FEWEST:
        return ""
    rough, fair = (percent(group.share_beyond(threshold), 0) for group in groups)
    return f"in rain, snow, hard wind or poor sight {rough} of departures were anomalies, in fair weather {fair}"


def _without_score(day: ScoredDepartures) -> str:
    reasons = {
        "cancelled": "cancelled",
        "thin history": "with too few flights before to compare with",
        "no spread": "with a history without any variation",
    }
    parts = [f"{number} {reasons[reason]}" for reason, number in day.unscored().items()]
    return f"without a score: {joined(parts)}" if parts else "every flight has a score"


def of_checks(checks: list[Check]) -> list[str]:
    """Each check that failed, in words."""
    return [f"{check.subject}: {check.rule}; found {check.found}" for check in checks if check.passed is False]


def verdict(checks: list[Check]) -> tuple[str, str]:
    """Whether the data is fit for use, and the tone to say it in: 'good' or 'bad'."""
    failed = [check for check in checks if check.passed is False]
    open_ = sum(check.passed is None for check in checks)
    rest = f"; {count(open_, 'check')} had nothing to compare with" if open_ else ""
    if not failed:
        return f"Fit for use: no check failed{rest}.", "good"
    subjects = joined(sorted({check.subject for check in failed}))
    return f"Look before use: {count(len(failed), 'check')} failed, on {subjects}{rest}.", "bad"


def against_usual(day: Departures, before: DailyVolumes) -> str:
    """The volume of a day against the usual one of its weekday: 'usually 912'."""
    usual = before.like(day.date).usual()
    return f"usually {number(usual)} on a {day.date:%A}" if usual == usual else "no such weekday before"


def who(day: Departures, carrier: str) -> str:
    """Whose flights these are: 'All airlines', or the name of the one."""
    if carrier == ALL_CARRIERS:
        return "All airlines"
    return airline(day.table["airline"].iloc[0]) if len(day) else f"Airline {carrier}"
