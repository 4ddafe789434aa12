"""The stages: what is to be expected of a day from the weeks before it, and what was unusual about it."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import luigi

from workflows import Stage
from workflows.flights.queries import Flights, Weather

if TYPE_CHECKING:
    from pandas import DataFrame

WINDOW = 28  # days: four of each weekday


def days_before(date: datetime.date, window: int) -> list[Flights]:
    """The flights of the `window` days before `date`, oldest first; fewer where the data begins."""
    first = date - datetime.timedelta(days=window)
    return [Flights(date=day) for day in Flights.available(first, date)]


class ExpectedDelays(Stage):
    """How late departures usually are: median and spread (minutes) for each origin, carrier and scheduled hour, from
    the `window` days before `date`. No rows where there is no day before."""

    date = luigi.DateParameter()
    window = luigi.IntParameter(default=WINDOW)
    schema = "workflows.flights.schemas:ExpectedDelaysTable"
    columns = ("origin", "carrier", "hour", "dep_delay")

    def requires(self) -> list[Flights]:
        """The days of the window."""
        return days_before(self.date, self.window)

    def compute(self, days: list[DataFrame]) -> DataFrame:
        """See expectations.expected_delays."""
        from workflows.flights.expectations import expected_delays

        return expected_delays(days)


class Anomalies(Stage):
    """Every flight of the day with its modified z-score against what was expected, and the weather at its hour: one
    row per flight, the score NaN where there is none (the column `status` says why)."""

    date = luigi.DateParameter()
    window = luigi.IntParameter(default=WINDOW)
    schema = "workflows.flights.schemas:AnomaliesTable"

    def requires(self) -> dict[str, Flights | ExpectedDelays | Weather]:
        """The day, what to expect of it, and its weather."""
        return {
            "flights": Flights(date=self.date),
            "expected": ExpectedDelays(date=self.date, window=self.window),
            "weather": Weather(date=self.date),
        }

    def compute(self, flights: DataFrame, expected: DataFrame, weather: DataFrame) -> DataFrame:
        """See expectations.scored."""
        from workflows.flights.expectations import scored

        return scored(flights, expected, weather)


class Volumes(Stage):
    """How many flights each carrier had from each origin on the `window` days before `date`: one row per day, origin
    and carrier. No rows where there is no day before."""

    date = luigi.DateParameter()
    window = luigi.IntParameter(default=WINDOW)
    schema = "workflows.flights.schemas:VolumesTable"
    columns = ("date", "origin", "carrier", "dep_delay")

    def requires(self) -> list[Flights]:
        """The days of the window."""
        return days_before(self.date, self.window)

    def compute(self, days: list[DataFrame]) -> DataFrame:
        """See expectations.volumes."""
        from workflows.flights.expectations import volumes

        return volumes(days)
