"""The example database, built once, and its days as tables made by the pipeline's own code."""

from __future__ import annotations

import datetime
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import workflows.flights
from workflows.flights import database, expectations, schemas

SQL = Path(workflows.flights.__file__).parent / "sql"


class Days:
    """The tables of any day, as the queries and stages make them; each is made once."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.made: dict[Any, pd.DataFrame] = {}

    def flights(self, day: str) -> pd.DataFrame:
        return self._once("flights", day, lambda: self._query("flights", schemas.FlightsTable, day))

    def weather(self, day: str) -> pd.DataFrame:
        return self._once("weather", day, lambda: self._query("weather", schemas.WeatherTable, day))

    def before(self, day: str, window: int = 28) -> list[pd.DataFrame]:
        date = datetime.date.fromisoformat(day)
        days = [str(date - datetime.timedelta(days=back)) for back in range(window, 0, -1)]
        return [self._plain(day) for day in days if "2013-01-01" <= day <= "2013-12-31"]

    def expected(self, day: str) -> pd.DataFrame:
        return self._once(
            "expected",
            day,
            lambda: schemas.ExpectedDelaysTable.validate(expectations.expected_delays(self.before(day))),
        )

    def anomalies(self, day: str) -> pd.DataFrame:
        def make() -> pd.DataFrame:
            table = expectations.scored(self.flights(day), self.expected(day), self.weather(day))
            return schemas.AnomaliesTable.validate(table)

        return self._once("anomalies", day, make)

    def volumes(self, day: str) -> pd.DataFrame:
        return self._once("volumes", day, lambda: schemas.VolumesTable.validate(expectations.volumes(self.before(day))))

    def _plain(self, day: str) -> pd.DataFrame:
        """The flights of a day that serves as history: not validated, which takes most of the time."""

        def make() -> pd.DataFrame:
            sql = "SELECT *, sched_dep_time / 100 AS hour FROM flights WHERE date = ?"
            return pd.read_sql(sql, self.connection, params=(day,), parse_dates=["date"])

        return self._once("plain", day, make)

    def _query(self, name: str, schema: Any, day: str) -> pd.DataFrame:
        cursor = self.connection.execute((SQL / f"{name}.sql").read_text("utf-8"), {"date": day})
        columns = [column[0] for column in cursor.description]
        return schema.validate(pd.DataFrame(cursor.fetchall(), columns=columns))

    def _once(self, name: str, day: str, make: Callable[[], pd.DataFrame]) -> pd.DataFrame:
        if (name, day) not in self.made:
            self.made[name, day] = make()
        return self.made[name, day]


class Built:
    """The example database, and what was seen while it was built."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "nyc.db"
        self.leftover = folder / ".nyc.db-abc.draft"
        self.leftover.write_bytes(b"left by a build that was killed")
        self.ticks: list[int] = []
        database.build(self.path, self.ticks.append)


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return Built(tmp_path_factory.mktemp("flights"))


@pytest.fixture(scope="session")
def built(build: Built) -> Path:
    """The example database."""
    return build.path


@pytest.fixture(scope="session")
def connection(built: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(f"file:{built}?mode=ro", uri=True)
    yield connection
    connection.close()


@pytest.fixture(scope="session")
def days(connection: sqlite3.Connection) -> Days:
    return Days(connection)
