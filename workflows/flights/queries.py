"""The queries: flights and weather of one day."""

from __future__ import annotations

import luigi

from workflows import Query


class Flights(Query):
    """Every flight that was to leave EWR, JFK or LGA on one day, cancelled ones included: about 900 rows."""

    date = luigi.DateParameter()
    sql = "sql/flights.sql"
    dates = "sql/flight_dates.sql"
    schema = "workflows.flights.schemas:FlightsTable"


class Weather(Query):
    """Hourly weather at EWR, JFK and LGA on one day: up to 72 rows, none where the stations kept silent."""

    date = luigi.DateParameter()
    sql = "sql/weather.sql"
    dates = "sql/weather_dates.sql"
    schema = "workflows.flights.schemas:WeatherTable"
    allow_empty = True  # 2013-12-31 has flights but no weather, and a report of that day is still wanted
