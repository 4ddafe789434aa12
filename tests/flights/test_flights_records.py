"""The records' answers against the same questions put to the database in SQL."""

from __future__ import annotations

import datetime
import math
import sqlite3
import statistics
from pathlib import Path
from typing import Any

import pytest

from workflows.flights.records import DailyVolumes, Departures, ScoredDepartures, WeatherHours

DAY = "2013-02-08"


@pytest.fixture
def day(days: Any) -> Departures:
    return Departures(days.flights(DAY))


@pytest.fixture
def scored(days: Any) -> ScoredDepartures:
    return ScoredDepartures(days.anomalies(DAY))


@pytest.fixture
def before(days: Any) -> DailyVolumes:
    return DailyVolumes(days.volumes(DAY))


def asked(connection: sqlite3.Connection, sql: str) -> list[Any]:
    return connection.execute(sql.replace(":day", f"'{DAY}'")).fetchall()


def test_a_day_knows_its_date_and_size(day: Departures) -> None:
    assert (day.date, len(day)) == (datetime.date(2013, 2, 8), 930)


def test_departed_and_cancelled_make_up_the_day(day: Departures) -> None:
    assert (len(day.departed), len(day.cancelled)) == (458, 472)
    assert day.share_cancelled() == pytest.approx(472 / 930)


def test_late_begins_at_the_minute_named(day: Departures, connection: sqlite3.Connection) -> None:
    [(late, departed)] = asked(
        connection,
        "SELECT sum(dep_delay >= 15), count(dep_delay) FROM flights WHERE date = :day",
    )
    assert len(day.late_by(15)) == late
    assert day.share_late(15) == pytest.approx(late / departed)


def test_the_median_delay_is_of_departed_flights(day: Departures, connection: sqlite3.Connection) -> None:
    rows = asked(connection, "SELECT dep_delay FROM flights WHERE date = :day AND dep_delay IS NOT NULL")
    assert day.median_delay() == statistics.median(delay for (delay,) in rows)


def test_one_carrier_or_all(day: Departures) -> None:
    assert set(day.of("UA").table["carrier"]) == {"UA"}
    assert day.of("all") is day
    assert len(day.of("OO")) == 0


def test_by_airport_counts_like_the_database(day: Departures, connection: sqlite3.Connection) -> None:
    rows = asked(
        connection,
        "SELECT origin, count(*), sum(dep_delay IS NULL), sum(dep_delay >= 15) FROM flights WHERE date = :day"
        " GROUP BY origin ORDER BY origin",
    )
    table = day.by_airport()
    assert table[["origin", "flights", "cancelled", "late"]].values.tolist() == [list(row) for row in rows]


def test_by_airline_begins_with_the_greatest(day: Departures, connection: sqlite3.Connection) -> None:
    rows = asked(connection, "SELECT carrier, count(*) FROM flights WHERE date = :day GROUP BY 1 ORDER BY 2 DESC, 1")
    assert day.by_airline()[["carrier", "flights"]].values.tolist() == [list(row) for row in rows]


def test_by_hour_has_quartiles_and_cancellations(day: Departures, connection: sqlite3.Connection) -> None:
    rows = asked(
        connection,
        "SELECT dep_delay FROM flights WHERE date = :day AND origin = 'LGA' AND sched_dep_time / 100 = 7",
    )
    known = [delay for (delay,) in rows if delay is not None]
    table = day.by_hour().set_index(["origin", "hour"])
    low, median, high = statistics.quantiles(known, method="inclusive")
    row = table.loc[("LGA", 7)]
    assert row[["flights", "cancelled"]].tolist() == [len(rows), len(rows) - len(known)]
    assert row[["low", "median", "high"]].tolist() == pytest.approx([low, median, high])


def test_an_hour_that_was_cancelled_as_a_whole_has_no_quartiles(day: Departures) -> None:
    table = day.by_hour()
    gone = table[table["flights"] == table["cancelled"]]
    assert len(gone) > 0
    assert gone[["low", "median", "high"]].isna().all(axis=None)


def test_worst_routes_go_by_the_share_of_disrupted_flights(day: Departures, connection: sqlite3.Connection) -> None:
    rows = asked(
        connection,
        "SELECT avg(dep_delay IS NULL OR dep_delay >= 15) AS share FROM flights WHERE date = :day"
        " GROUP BY origin, dest HAVING count(*) >= 3 ORDER BY share DESC LIMIT 8",
    )
    table = day.worst_routes(8)
    assert table["disrupted"].tolist() == pytest.approx([share for (share,) in rows])
    assert table["route"][0].startswith(("Newark to ", "Kennedy to ", "LaGuardia to "))


def test_a_destination_without_a_name_is_shown_by_its_code(days: Any) -> None:
    day = Departures(days.flights("2013-01-15"))
    away = day.summary(["origin", "dest", "dest_name"])
    assert len(away[away["dest"] == "SJU"]) > 0
    assert "Kennedy to SJU" in set(day.worst_routes(500, minutes=-60)["route"])


def test_shares_of_nothing_are_nan(day: Departures, scored: ScoredDepartures) -> None:
    nobody = day.of("OO")
    assert math.isnan(nobody.share_late())
    assert math.isnan(nobody.share_cancelled())
    assert math.isnan(nobody.median_delay())
    assert math.isnan(scored.of("OO").share_beyond(3.5))


def test_anomalies_are_on_both_sides_and_the_strongest_first(days: Any) -> None:
    scored = ScoredDepartures(days.anomalies("2013-01-15"))
    found = scored.beyond(3.5).table["score"]
    assert (found.abs() > 3.5).all()
    assert (found < 0).any()
    assert found.abs().is_monotonic_decreasing
    assert scored.share_beyond(3.5) == pytest.approx(len(found) / 870)


def test_without_any_score_anomalies_and_their_minutes_are_unknown_rather_than_none(days: Any) -> None:
    first = ScoredDepartures(days.anomalies("2013-01-01"))
    assert math.isnan(first.count_beyond(3.5))
    assert math.isnan(first.excess_beyond(3.5))


def test_anomalies_and_their_minutes_are_counted(scored: ScoredDepartures) -> None:
    assert scored.count_beyond(3.5) == len(scored.beyond(3.5)) == 122
    assert scored.excess_beyond(3.5) == scored.beyond(3.5).excess().sum()
    assert (scored.count_beyond(1e9), scored.excess_beyond(1e9)) == (0, 0)


def test_flights_without_a_score_are_counted_by_reason(scored: ScoredDepartures) -> None:
    assert scored.unscored() == {"cancelled": 472, "thin history": 1}


def test_anomalies_by_a_column_add_up(scored: ScoredDepartures) -> None:
    for column in ("origin", "airline", "hour"):
        table = scored.beyond_by(column, 3.5)
        assert table["beyond"].sum() == len(scored.beyond(3.5))
        assert table["flights"].sum() == len(scored.scored)


def test_a_ranking_says_who_where_and_in_what_weather(scored: ScoredDepartures) -> None:
    first = scored.beyond(3.5).ranking(5).iloc[0]
    assert (first["rank"], first["name"]) == (1, "Southwest Airlines 1964")
    assert first["route"] == "LaGuardia to General Mitchell Intl"
    words = first["conditions"].replace("\N{NO-BREAK SPACE}", " ")
    assert words == "wind 21 mph, rain 0.02 in/h, visibility 4 mi"


def test_weather_knows_what_is_missing(days: Any) -> None:
    assert WeatherHours(days.weather("2013-01-15")).share_present() == 1
    assert WeatherHours(days.weather("2013-10-25")).share_present() == pytest.approx(60 / 72)
    assert WeatherHours(days.weather("2013-12-31")).share_present() == 0


def test_an_hour_that_comes_twice_is_present_once(days: Any) -> None:
    """On 2013-11-03 the hour 1 comes twice and the hour 0 is missing, at each airport."""
    hourly = WeatherHours(days.weather("2013-11-03"))
    assert (len(hourly), len(hourly.present())) == (72, 69)
    assert hourly.share_present() == pytest.approx(69 / 72)


def test_weather_covers_the_flights_of_its_hours(days: Any, connection: sqlite3.Connection) -> None:
    [(covered,)] = connection.execute(
        "SELECT avg(weather.origin IS NOT NULL) FROM flights LEFT JOIN weather USING (date, origin, time_hour)"
        " WHERE flights.date = '2013-10-25'"
    )
    hourly, day = WeatherHours(days.weather("2013-10-25")), Departures(days.flights("2013-10-25"))
    assert hourly.covers(day) == pytest.approx(covered)


def test_a_wind_that_cannot_be_is_left_out(days: Any) -> None:
    hourly = WeatherHours(days.weather("2013-02-12"))
    assert hourly.table["wind_speed"].max() > 1000
    assert hourly.plausible().table["wind_speed"].max() < 50
    assert len(hourly.plausible()) == len(hourly)


def test_the_usual_volume_is_that_of_the_same_weekday(before: DailyVolumes, connection: sqlite3.Connection) -> None:
    rows = connection.execute(
        "SELECT count(*) FROM flights WHERE date IN ('2013-01-11', '2013-01-18', '2013-01-25', '2013-02-01')"
        " GROUP BY date"
    )
    alike = before.like(datetime.date(2013, 2, 8))
    assert alike.usual() == statistics.median(count for (count,) in rows)
    assert sum(alike.usual_by_origin().values()) == pytest.approx(alike.usual(), abs=10)


def test_no_day_before_has_no_usual_volume(days: Any) -> None:
    before = DailyVolumes(days.volumes("2013-01-01"))
    assert math.isnan(before.usual())
    assert before.usual_by_origin() == {}


def test_regular_carriers_flew_on_every_day(before: DailyVolumes) -> None:
    assert {"UA", "B6", "HA"} <= before.regular_carriers()
    assert "OO" not in before.regular_carriers()


def test_a_record_is_read_from_its_file(days: Any, tmp_path: Path) -> None:
    days.flights(DAY).to_parquet(tmp_path / "table.parquet")
    assert len(Departures.read(tmp_path / "table.parquet")) == 930
