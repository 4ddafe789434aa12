"""What every table holds: columns with types, units and limits that are true of all days of the data."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import pandas as pd
import pandera.pandas as pa

Moment = Annotated[pd.DatetimeTZDtype, "us", "UTC"]

ORIGINS = ["EWR", "JFK", "LGA"]
STATUSES = ["scored", "cancelled", "thin history", "no spread"]


class Table(pa.DataFrameModel):
    """What all tables have in common: exactly the columns that are declared, converted to their types."""

    class Config:
        """Applies to all tables."""

        coerce = True
        strict = True
        ordered = True


class FlightsTable(Table):
    """Flights of one day, one row each. Clock times are local numbers HHMM (from 1 to 2400), delays and durations are
    minutes; NaN or <NA> where the flight did not get so far."""

    date: pd.Timestamp
    carrier: str = pa.Field(str_length=2)
    flight: int = pa.Field(ge=1)
    origin: str = pa.Field(isin=ORIGINS)
    dest: str = pa.Field(str_length=3)
    airline: str
    origin_name: str
    dest_name: str = pa.Field(nullable=True)
    tailnum: str = pa.Field(nullable=True)
    plane_year: pd.Int64Dtype = pa.Field(nullable=True, ge=1950, le=2013, description="of manufacture")
    manufacturer: str = pa.Field(nullable=True)
    model: str = pa.Field(nullable=True)
    seats: pd.Int64Dtype = pa.Field(nullable=True, ge=1, le=500)
    sched_dep_time: int = pa.Field(ge=0, le=2359)
    hour: int = pa.Field(ge=0, le=23, description="of the scheduled departure, local")
    minute: int = pa.Field(ge=0, le=59)
    time_hour: Moment = pa.Field(description="start of the scheduled hour, UTC")
    dep_time: pd.Int64Dtype = pa.Field(nullable=True, ge=1, le=2400)
    dep_delay: float = pa.Field(nullable=True, ge=-60, le=1440, description="minutes; NaN if cancelled")
    sched_arr_time: int = pa.Field(ge=0, le=2359)
    arr_time: pd.Int64Dtype = pa.Field(nullable=True, ge=1, le=2400)
    arr_delay: float = pa.Field(nullable=True, ge=-120, le=1440, description="minutes; NaN if cancelled or diverted")
    air_time: float = pa.Field(nullable=True, gt=0, le=720, description="minutes")
    distance: int = pa.Field(gt=0, le=5000, description="miles")

    class Config:
        """What names a row."""

        unique: ClassVar[list[str]] = ["carrier", "flight", "origin"]


class WeatherTable(Table):
    """Hourly weather of one day at the three airports. Wrong readings of the stations are kept: the greatest wind speed
    is 1,048 mph. It is for those who use them to leave them out."""

    date: pd.Timestamp
    origin: str = pa.Field(isin=ORIGINS)
    hour: int = pa.Field(ge=0, le=23, description="local; 1 comes twice when the clocks go back")
    time_hour: Moment = pa.Field(description="start of the hour, UTC")
    temp: float = pa.Field(nullable=True, ge=-40, le=130, description="degrees Fahrenheit")
    dewp: float = pa.Field(nullable=True, ge=-60, le=100, description="dew point, degrees Fahrenheit")
    humid: float = pa.Field(nullable=True, ge=0, le=100, description="relative humidity, percent")
    wind_dir: float = pa.Field(nullable=True, ge=0, le=360, description="degrees")
    wind_speed: float = pa.Field(nullable=True, ge=0, description="mph")
    wind_gust: float = pa.Field(nullable=True, ge=0, description="mph; NaN in most hours")
    precip: float = pa.Field(nullable=True, ge=0, description="inches in the hour")
    pressure: float = pa.Field(nullable=True, ge=900, le=1100, description="millibars at sea level")
    visib: float = pa.Field(nullable=True, ge=0, le=10, description="miles, 10 for ten or more")

    class Config:
        """What names a row."""

        unique: ClassVar[list[str]] = ["origin", "time_hour"]


class ExpectedDelaysTable(Table):
    """What departure delay to expect of an origin, carrier and scheduled hour."""

    origin: str = pa.Field(isin=ORIGINS)
    carrier: str = pa.Field(str_length=2)
    hour: int = pa.Field(ge=0, le=23, description="of the scheduled departure, local")
    flights: int = pa.Field(ge=1, description="departures that the row is made from")
    median: float = pa.Field(description="minutes")
    mad: float = pa.Field(ge=0, description="scaled median absolute deviation, minutes")
    spread: float = pa.Field(nullable=True, gt=0, description="minutes; the scaled mean deviation where mad is 0")

    class Config:
        """What names a row."""

        unique: ClassVar[list[str]] = ["origin", "carrier", "hour"]


class AnomaliesTable(FlightsTable):
    """Flights of one day with what was expected of them, the score and the weather in the scheduled hour."""

    history: int = pa.Field(ge=0, description="departures that the expectation is made from")
    expected: float = pa.Field(nullable=True, description="median departure delay, minutes")
    spread: float = pa.Field(nullable=True, gt=0, description="robust deviation of the departure delay, minutes")
    temp: float = pa.Field(nullable=True, description="degrees Fahrenheit")
    wind_speed: float = pa.Field(nullable=True, ge=0, description="mph")
    wind_gust: float = pa.Field(nullable=True, ge=0, description="mph")
    precip: float = pa.Field(nullable=True, ge=0, description="inches in the hour")
    visib: float = pa.Field(nullable=True, ge=0, le=10, description="miles")
    status: str = pa.Field(isin=STATUSES, description="scored, or why not")
    score: float = pa.Field(nullable=True, description="modified z-score; NaN unless scored")

    @pa.dataframe_check
    @classmethod
    def score_where_scored(cls, table: pd.DataFrame) -> Any:
        """There is a score exactly where the status says so."""
        return table["score"].notna() == (table["status"] == "scored")


class VolumesTable(Table):
    """Flights of each day, origin and carrier."""

    date: pd.Timestamp
    origin: str = pa.Field(isin=ORIGINS)
    carrier: str = pa.Field(str_length=2)
    flights: int = pa.Field(ge=1, description="scheduled, cancelled ones included")
    cancelled: int = pa.Field(ge=0)

    class Config:
        """What names a row."""

        unique: ClassVar[list[str]] = ["date", "origin", "carrier"]
