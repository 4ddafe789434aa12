"""The schemas hold on real days, the odd ones among them, and refuse what is wrong."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pandera.errors
import pytest

from workflows.flights import schemas

ODD_DAYS = {
    "2013-01-01": "no day before it",
    "2013-01-15": "the day of the samples",
    "2013-02-08": "blizzard, half of the flights cancelled",
    "2013-02-09": "the day after",
    "2013-02-12": "a wind of 1,048 mph",
    "2013-03-10": "an hour less: clocks go forward",
    "2013-07-27": "a flight of 17 miles, due at 01:06",
    "2013-11-03": "an hour more: clocks go back",
    "2013-12-30": "weather until 18:00",
    "2013-12-31": "no weather",
}


@pytest.mark.parametrize("day", ODD_DAYS)
def test_a_day_satisfies_every_schema(days: Any, day: str) -> None:
    """Making the tables validates them."""
    assert len(days.anomalies(day)) == len(days.flights(day)) > 600
    assert len(days.weather(day)) <= 75
    assert len(days.volumes(day)) == 0 or day != "2013-01-01"


def test_types_do_not_depend_on_the_day(days: Any) -> None:
    kinds = {tuple(days.anomalies(day).dtypes.astype(str)) for day in ("2013-01-01", "2013-01-15", "2013-12-31")}
    assert len(kinds) == 1
    assert days.weather("2013-12-31").dtypes.equals(days.weather("2013-01-15").dtypes)
    assert days.expected("2013-01-01").dtypes.equals(days.expected("2013-01-15").dtypes)
    assert days.volumes("2013-01-01").dtypes.equals(days.volumes("2013-01-15").dtypes)


def test_hours_of_flights_and_weather_are_moments_in_utc(days: Any) -> None:
    for table in (days.flights("2013-01-15"), days.weather("2013-01-15")):
        assert str(table["time_hour"].dtype) == "datetime64[us, UTC]"


@pytest.mark.parametrize(
    ("column", "value"), [("origin", "BOS"), ("dep_delay", -200.0), ("hour", 24), ("distance", 0), ("carrier", "UAL")]
)
def test_impossible_flights_are_refused(days: Any, column: str, value: object) -> None:
    table = days.flights("2013-01-15").copy()
    table.loc[5, column] = value
    with pytest.raises(pandera.errors.SchemaError, match=column):
        schemas.FlightsTable.validate(table)


def test_a_flight_twice_is_refused(days: Any) -> None:
    table = days.flights("2013-01-15")
    with pytest.raises(pandera.errors.SchemaError, match="not unique"):
        schemas.FlightsTable.validate(pd.concat([table, table[:1]], ignore_index=True))


def test_a_score_that_the_status_denies_is_refused(days: Any) -> None:
    table = days.anomalies("2013-01-15").copy()
    table.loc[0, "status"] = "cancelled"
    with pytest.raises(pandera.errors.SchemaError, match="score_where_scored"):
        schemas.AnomaliesTable.validate(table)
