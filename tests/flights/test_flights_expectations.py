"""What is expected of a day and what was unusual, against small cases worked out by hand and against real days."""

from __future__ import annotations

import math
import statistics
from typing import Any

import pandas as pd
import pytest

from workflows.flights import expectations, schemas

HOUR = pd.Timestamp("2013-05-01T12:00Z")


def flights(delays: list[float | None], carrier: str = "UA", hour: int = 8) -> pd.DataFrame:
    """Departures from Newark of one carrier in one hour."""
    rows = [
        {"date": pd.Timestamp("2013-05-01"), "origin": "EWR", "carrier": carrier, "flight": number, "hour": hour,
         "sched_dep_time": hour * 100 + number, "time_hour": HOUR, "dep_delay": delay}
        for number, delay in enumerate(delays, start=1)
    ]  # fmt: skip
    return pd.DataFrame(rows).astype({"dep_delay": float})


def weather(**values: float) -> pd.DataFrame:
    row = {"origin": "EWR", "time_hour": HOUR, **dict.fromkeys(expectations.CONDITIONS, math.nan), **values}
    return pd.DataFrame([row])


def scores(day: list[float | None], history: list[float | None], **conditions: float) -> pd.DataFrame:
    expected = expectations.expected_delays([flights(history)])
    return expectations.scored(flights(day), expected, weather(**conditions))


def test_median_and_spread_are_of_all_days_together() -> None:
    days = [flights([10, 11, 12]), flights([12, 13]), flights([14, 35])]
    (row,) = expectations.expected_delays(days).to_dict("records")
    assert (row["origin"], row["carrier"], row["hour"], row["flights"]) == ("EWR", "UA", 8, 7)
    assert (row["median"], row["mad"], row["spread"]) == pytest.approx((12, 1.4826, 1.4826))


def test_carriers_and_hours_are_told_apart() -> None:
    days = [pd.concat([flights([1, 2]), flights([50, 60], carrier="AA"), flights([-5, -5], hour=9)])]
    table = expectations.expected_delays(days)
    assert table[["carrier", "hour", "median"]].values.tolist() == [["AA", 8, 55], ["UA", 8, 1.5], ["UA", 9, -5]]


def test_cancelled_flights_do_not_count() -> None:
    (row,) = expectations.expected_delays([flights([1, None, 3, None])]).to_dict("records")
    assert (row["flights"], row["median"]) == (2, 2)


def test_no_days_expect_nothing() -> None:
    assert len(schemas.ExpectedDelaysTable.validate(expectations.expected_delays([]))) == 0
    assert len(schemas.VolumesTable.validate(expectations.volumes([]))) == 0


def test_a_score_is_the_distance_from_the_median_in_spreads() -> None:
    """History 0 to 9: median 4.5, MAD 2.5."""
    table = scores([40], list(range(10)))
    assert table["score"].tolist() == pytest.approx([(40 - 4.5) / (1.4826 * 2.5)])
    assert table[["history", "expected", "status"]].values.tolist() == [[10, 4.5, "scored"]]


def test_where_more_than_half_the_history_is_one_value_the_mean_deviation_stands_in() -> None:
    """Deviations from -3: eight times 0, then 1 and 11: mean 1.2."""
    table = scores([9], [-3] * 8 + [-2, 8])
    assert table["score"].tolist() == pytest.approx([12 / (1.2533 * 1.2)])


def test_a_history_without_variation_gives_no_score() -> None:
    table = scores([9], [-3] * 10)
    assert table["status"].tolist() == ["no spread"]
    assert table["score"].isna().all()


def test_nine_flights_are_too_thin_a_history() -> None:
    assert scores([40], list(range(9)))["status"].tolist() == ["thin history"]


def test_a_flight_without_any_history_has_none_of_it() -> None:
    table = expectations.scored(flights([5], carrier="AA"), expectations.expected_delays([flights([1])]), weather())
    assert table[["history", "status"]].values.tolist() == [[0, "thin history"]]


def test_a_cancelled_flight_stays_without_a_score() -> None:
    table = scores([None, 40], list(range(10)))
    assert table["status"].tolist() == ["scored", "cancelled"]


def test_rows_go_from_the_greatest_score_down_and_those_without_come_last() -> None:
    table = scores([0, None, 30, -20], list(range(10)))
    assert table["flight"].tolist() == [3, 1, 4, 2]


def test_flights_bear_the_weather_of_their_hour() -> None:
    table = scores([5], list(range(10)), wind_speed=21.0, visib=0.5)
    assert table[["wind_speed", "visib"]].values.tolist() == [[21.0, 0.5]]


def test_flights_of_an_hour_without_weather_stay() -> None:
    table = expectations.scored(flights([5]), expectations.expected_delays([]), weather()[:0])
    assert len(table) == 1
    assert table["wind_speed"].isna().all()


def test_volumes_count_flights_and_cancellations() -> None:
    (row,) = expectations.volumes([flights([1, None, 3])]).to_dict("records")
    assert (row["origin"], row["carrier"], row["flights"], row["cancelled"]) == ("EWR", "UA", 3, 1)


def test_a_real_expectation_is_that_of_the_definition(days: Any) -> None:
    """United from Newark in the hour of six, worked out without the code under test."""
    delays = [
        float(delay)
        for day in days.before("2013-01-15")
        for origin, carrier, hour, delay in day[["origin", "carrier", "hour", "dep_delay"]].itertuples(index=False)
        if (origin, carrier, hour) == ("EWR", "UA", 6) and not math.isnan(delay)
    ]
    table = days.expected("2013-01-15")
    row = table[(table["origin"] == "EWR") & (table["carrier"] == "UA") & (table["hour"] == 6)].iloc[0]
    median = statistics.median(delays)
    mad = 1.4826 * statistics.median(abs(delay - median) for delay in delays)
    assert (row["flights"], row["median"], row["mad"]) == pytest.approx((len(delays), median, mad))


def test_the_most_unusual_departure_of_15_january(days: Any) -> None:
    row = days.anomalies("2013-01-15").iloc[0]
    assert (row["carrier"], row["flight"], row["dest"], row["dep_delay"]) == ("UA", 421, "SFO", 170)
    assert row["score"] == pytest.approx((170 + 2) / (1.4826 * 3))


def test_every_flight_of_the_day_is_there_once(days: Any) -> None:
    names = ["carrier", "flight", "origin"]
    left, right = days.anomalies("2013-02-08")[names], days.flights("2013-02-08")[names]
    assert sorted(left.itertuples(index=False, name=None)) == sorted(right.itertuples(index=False, name=None))
