"""From the flights of the days before to what is expected of a day, and from there to its anomalies."""

from __future__ import annotations

import pandas as pd
from pandas import DataFrame, Series

from workflows.flights import robust

GROUP = ["origin", "carrier", "hour"]  # the flights that are expected to be alike
FLIGHT = ["carrier", "flight", "origin"]  # what names a flight of a day
CONDITIONS = ["temp", "wind_speed", "wind_gust", "precip", "visib"]  # the weather that matters to a departure


def expected_delays(days: list[DataFrame]) -> DataFrame:
    """Median and spread of the departure delay (minutes) for each origin, carrier and scheduled hour.

    `days` are tables of Flights. Cancelled flights count nowhere: they have no delay. Columns: those of
    schemas.ExpectedDelaysTable; one row per group, sorted by it; no rows without days.
    """
    departed = _together(days, [*GROUP, "dep_delay"]).dropna(subset="dep_delay")
    labels = departed.groupby(GROUP).ngroup()
    delay = departed["dep_delay"]
    mad, mean = robust.scaled_mad(delay, labels), robust.scaled_mean_deviation(delay, labels)
    groups = departed.groupby(GROUP)["dep_delay"].agg(flights="size", median="median").reset_index()
    return groups.assign(mad=mad.to_numpy(), spread=robust.spread(mad, mean).to_numpy())


def scored(flights: DataFrame, expected: DataFrame, weather: DataFrame) -> DataFrame:
    """Every flight with its expectation, its modified z-score and the weather at its origin in the scheduled hour.

    `flights`, `expected` and `weather` are tables of Flights, ExpectedDelays and Weather. Sorted by score, greatest
    first, then those without a score, by time and flight. Columns: those of schemas.AnomaliesTable.
    """
    usual = expected.rename(columns={"flights": "history", "median": "expected"})[
        [*GROUP, "history", "expected", "spread"]
    ]
    table = flights.merge(usual, on=GROUP, how="left", validate="many_to_one")
    table = table.merge(
        weather[["origin", "time_hour", *CONDITIONS]], on=["origin", "time_hour"], how="left", validate="many_to_one"
    )
    table["history"] = table["history"].fillna(0)
    table["status"] = _status(table)
    scores = robust.modified_z(table["dep_delay"], table["expected"], table["spread"])
    table["score"] = scores.where(table["status"] == "scored")
    order = ["score", "sched_dep_time", *FLIGHT]
    return table.sort_values(order, ascending=[False, *[True] * 4], na_position="last", ignore_index=True)


def _status(table: DataFrame) -> Series:
    """Whether a flight has a score, else the first reason why not."""
    status = pd.Series("scored", index=table.index)
    status[table["spread"].isna()] = "no spread"
    status[table["history"] < robust.FEWEST] = "thin history"
    status[table["dep_delay"].isna()] = "cancelled"
    return status


def volumes(days: list[DataFrame]) -> DataFrame:
    """Flights and cancellations of each day, origin and carrier.

    `days` are tables of Flights. Columns: those of schemas.VolumesTable, sorted by day, origin and carrier; no rows
    without days.
    """
    flights = _together(days, ["date", "origin", "carrier", "dep_delay"])
    groups = flights.assign(cancelled=flights["dep_delay"].isna()).groupby(["date", "origin", "carrier"])
    return groups.agg(flights=("cancelled", "size"), cancelled=("cancelled", "sum")).reset_index()


def _together(days: list[DataFrame], columns: list[str]) -> DataFrame:
    return pd.concat([day[columns] for day in days], ignore_index=True) if days else DataFrame(columns=columns)
