"""Tables that know what they are about: departures of a day, their scores, the weather, the volumes before.

Each wraps one table of this pipeline, unchanged, and answers in new tables or plain numbers. Shares run from 0 to 1 and
are NaN where there is nothing to take a share of.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from pandas import DataFrame, Series

from workflows.flights.wording import AIRPORTS, ALL_CARRIERS, UNKNOWN, airline, route

LATE = 15  # minutes: from here on the US Department of Transportation counts a flight as late
FASTEST_WIND = (
    253.0  # mph: the fastest ever measured outside a tornado (Barrow Island 1996, World Meteorological Organization)
)
FREEZING = 32.0  # degrees Fahrenheit
CLEAR = 6.0  # miles: a view as far as this is no trouble


@dataclass(frozen=True)
class Departures:
    """The flights of one day that were to leave New York, cancelled ones included.

    `table` has the columns of schemas.FlightsTable, one row per flight. Delays are minutes, early is negative.
    """

    table: DataFrame

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """From a Parquet file; raises FileNotFoundError."""
        return cls(pd.read_parquet(path))

    def __len__(self) -> int:
        return len(self.table)

    @property
    def date(self) -> datetime.date:
        """The day; raises IndexError if there are no flights."""
        first: pd.Timestamp = self.table["date"].iloc[0]
        return first.date()

    @property
    def departed(self) -> Self:
        """Those that left."""
        return type(self)(self.table[self.table["dep_delay"].notna()])

    @property
    def cancelled(self) -> Self:
        """Those that never left."""
        return type(self)(self.table[self.table["dep_delay"].isna()])

    def of(self, carrier: str) -> Self:
        """Those of one carrier, by its two-character code, or of 'all'."""
        return self if carrier == ALL_CARRIERS else type(self)(self.table[self.table["carrier"] == carrier])

    def late_by(self, minutes: int = LATE) -> Self:
        """Those that left `minutes` or more behind schedule."""
        return type(self)(self.table[self.table["dep_delay"] >= minutes])

    def share_late(self, minutes: int = LATE) -> float:
        """Share of the departed flights that left `minutes` or more behind schedule."""
        return _share(len(self.late_by(minutes)), len(self.departed))

    def share_cancelled(self) -> float:
        """Share of all flights that never left."""
        return _share(len(self.cancelled), len(self))

    def median_delay(self) -> float:
        """Minutes; NaN if no flight left."""
        return float(self.table["dep_delay"].median())

    def by_hour(self) -> DataFrame:
        """Per origin and scheduled hour: flights, cancelled, and the quartiles `low`, `median`, `high` (minutes)."""
        delays = self.table.groupby(["origin", "hour"])["dep_delay"]
        quartiles = (
            delays.quantile(np.array([0.25, 0.5, 0.75])).unstack().set_axis(["low", "median", "high"], axis="columns")
        )
        flights = delays.size().rename("flights")
        return DataFrame({"flights": flights, "cancelled": flights - delays.count()}).join(quartiles).reset_index()

    def by_airport(self, minutes: int = LATE) -> DataFrame:
        """Per origin, by code: the columns of `summary`."""
        return self.summary(["origin", "origin_name"], minutes).sort_values("origin", ignore_index=True)

    def by_airline(self, minutes: int = LATE) -> DataFrame:
        """Per carrier, most flights first: the columns of `summary`."""
        table = self.summary(["carrier", "airline"], minutes)
        return table.sort_values(["flights", "carrier"], ascending=[False, True], ignore_index=True)

    def worst_routes(self, n: int, minutes: int = LATE, fewest: int = 3) -> DataFrame:
        """The `n` routes with the greatest share of disrupted flights, of those with `fewest` flights or more: the
        columns of `summary` and the name of the `route`. Routes without any disrupted flight are left out."""
        table = self.summary(["origin", "dest", "dest_name"], minutes)
        table = table[(table["flights"] >= fewest) & (table["disrupted"] > 0)]
        order = ["disrupted", "median", "flights", "origin", "dest"]
        table = table.sort_values(order, ascending=[False, False, False, True, True], ignore_index=True).head(n)
        return table.assign(route=_routes(table))

    def summary(self, by: list[str], minutes: int = LATE) -> DataFrame:
        """Per group: flights, cancelled, late (counts), median (minutes), and disrupted: the share of flights that were
        late or cancelled."""
        table = self.table.assign(cancelled=self.table["dep_delay"].isna(), late=self.table["dep_delay"] >= minutes)
        groups = table.groupby(by, dropna=False).agg(
            flights=("flight", "size"),
            cancelled=("cancelled", "sum"),
            late=("late", "sum"),
            median=("dep_delay", "median"),
        )
        return groups.assign(disrupted=(groups["cancelled"] + groups["late"]) / groups["flights"]).reset_index()


@dataclass(frozen=True)
class ScoredDepartures(Departures):
    """The flights of one day with how unusual each was.

    `table` has the columns of schemas.AnomaliesTable. Scores are modified z-scores: robust deviations from what was
    expected of the origin, carrier and hour, positive for later.
    """

    @property
    def scored(self) -> Self:
        """Those with a score."""
        return type(self)(self.table[self.table["score"].notna()])

    def beyond(self, threshold: float) -> Self:
        """The anomalies: score beyond the threshold on either side, the strongest first."""
        found = self.table[self.table["score"].abs() > threshold]
        return type(self)(found.sort_values("score", key=abs, ascending=False, kind="stable"))

    def share_beyond(self, threshold: float) -> float:
        """Share of the scored flights that are anomalies."""
        return _share(len(self.beyond(threshold)), len(self.scored))

    def count_beyond(self, threshold: float) -> float:
        """How many flights are anomalies; NaN if no flight has a score."""
        return len(self.beyond(threshold)) if len(self.scored) else float("nan")

    def excess_beyond(self, threshold: float) -> float:
        """Minutes that the anomalies left later than expected, in all; NaN if no flight has a score."""
        return float(self.beyond(threshold).excess().sum()) if len(self.scored) else float("nan")

    def unscored(self) -> dict[str, int]:
        """How many flights have no score, by reason, most frequent first."""
        reasons = self.table.loc[self.table["score"].isna(), "status"].value_counts()
        return {str(reason): int(number) for reason, number in reasons.items()}

    def beyond_by(self, column: str, threshold: float) -> DataFrame:
        """Per value of `column`: flights (scored ones), beyond (anomalies among them) and share."""
        table = self.scored.table
        table = table.assign(beyond=table["score"].abs() > threshold)
        groups = table.groupby(column).agg(flights=("beyond", "size"), beyond=("beyond", "sum"))
        return groups.assign(share=groups["beyond"] / groups["flights"]).reset_index()

    def ranking(self, n: int) -> DataFrame:
        """The first `n` flights with their columns and, in words, `name`, `route` and `conditions` (the weather)."""
        table = self.table.head(n)
        names = [f"{airline(row.airline)} {row.flight}" for row in rows(table)]
        return table.assign(
            rank=range(1, len(table) + 1),
            name=names,
            route=_routes(table),
            conditions=[_conditions(row) for row in rows(table)],
        )

    def excess(self) -> Series:
        """Minutes that each flight left later than expected."""
        return self.table["dep_delay"] - self.table["expected"]


@dataclass(frozen=True)
class WeatherHours:
    """Hourly weather of one day at the airports of New York.

    `table` has the columns of schemas.WeatherTable: degrees Fahrenheit, mph, inches and miles. May have no rows.
    """

    table: DataFrame

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """From a Parquet file; raises FileNotFoundError."""
        return cls(pd.read_parquet(path))

    def __len__(self) -> int:
        return len(self.table)

    def plausible(self) -> Self:
        """The same without wind speeds that no wind has ever had."""
        winds = self.table[["wind_speed", "wind_gust"]]
        return type(self)(self.table.assign(**winds.where(winds <= FASTEST_WIND)))

    def share_present(self) -> float:
        """Share of the 24 hours at 3 airports that have a reading."""
        return len(self.present()) / (24 * len(AIRPORTS))

    def present(self) -> DataFrame:
        """The pairs of origin and local hour that have a reading."""
        return self.table[["origin", "hour"]].drop_duplicates()

    def covers(self, day: Departures) -> float:
        """Share of the flights that have a reading at their origin in their scheduled hour."""
        known = day.table[["origin", "time_hour"]].merge(self.table[["origin", "time_hour"]])
        return _share(len(known), len(day))


@dataclass(frozen=True)
class DailyVolumes:
    """Flights of each day, origin and carrier in the weeks before a day.

    `table` has the columns of schemas.VolumesTable. May have no rows.
    """

    table: DataFrame

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """From a Parquet file; raises FileNotFoundError."""
        return cls(pd.read_parquet(path))

    def by_day(self) -> Series:
        """Flights per day, oldest first."""
        return self.table.groupby("date")["flights"].sum()

    def like(self, date: datetime.date) -> Self:
        """Those of the same weekday as `date`."""
        return type(self)(self.table[self.table["date"].dt.day_of_week == date.weekday()])

    def usual(self) -> float:
        """Median flights per day; NaN if there is no day."""
        return float(self.by_day().median())

    def usual_by_origin(self) -> dict[str, float]:
        """Median flights per day from each origin."""
        daily = self.table.groupby(["origin", "date"])["flights"].sum()
        return {str(origin): float(flights) for origin, flights in daily.groupby("origin").median().items()}

    def regular_carriers(self) -> set[str]:
        """The carriers that flew on every day."""
        days = self.table.groupby("carrier")["date"].nunique()
        return set(days[days == self.table["date"].nunique()].index)


def rows(table: DataFrame) -> Iterator[Any]:
    """The rows of a table, their columns as attributes and the label of the row as `Index`."""
    return iter(table.itertuples())


def _routes(table: DataFrame) -> list[str]:
    return [route(row.origin, row.dest, row.dest_name) for row in rows(table)]


def _conditions(row: Any) -> str:
    """The weather of a flight in a few words: wind, and what fell or hid the view."""
    if pd.isna(row.wind_speed) or row.wind_speed > FASTEST_WIND:
        return UNKNOWN
    words = [f"wind {row.wind_speed:.0f} mph"]
    if row.precip > 0:
        words.append(f"{'snow' if row.temp <= FREEZING else 'rain'} {row.precip:.2f} in/h")
    if row.visib < CLEAR:
        words.append(f"visibility {row.visib:g} mi")
    # Each part stays in one line of a table's narrow column.
    return ", ".join(part.replace(" ", "\N{NO-BREAK SPACE}") for part in words)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
