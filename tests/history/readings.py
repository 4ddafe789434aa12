"""The database of the gauges: readings with a known truth, drawn from a seed."""

from __future__ import annotations

import contextlib
import datetime
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from random import Random

GAUGES = 12
READINGS = 96  # a day and gauge
FIRST = datetime.date(2024, 3, 1)
SCHEMA = """CREATE TABLE readings (
    id INTEGER PRIMARY KEY, date TEXT, gauge TEXT, hour INTEGER, status TEXT, unit TEXT, value REAL, truth REAL, fault INTEGER
)"""


def write(file: Path, days: int, seed: int = 0) -> None:
    """Make the database with some days from the first on."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(SCHEMA)
        connection.executemany("INSERT INTO readings VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)", _rows(days, Random(seed)))


def _rows(days: int, random: Random) -> Iterator[tuple[object, ...]]:
    """Levels that rise or fall by 0.5 m a day, read with an error of 1 m; one reading in six is a fault, mostly too high."""
    for day in range(days):
        date = (FIRST + datetime.timedelta(days=day)).isoformat()
        for gauge in range(GAUGES):
            truth = 10 + gauge + (0.5 if gauge % 2 else -0.5) * day
            unit = "ft" if gauge % 6 == 0 else "m"
            for number in range(READINGS):
                draw = random.random()
                fault = 1 if draw < 0.14 else -1 if draw < 0.18 else 0
                status = random.choices(["ok", "warm", "test"], [80, 17, 3])[0]
                value = truth + random.gauss(0, 1) + fault * random.uniform(7, 11)
                shown = value if unit == "m" else value / 0.3048
                yield date, f"G{gauge:02}", number // 4, status, unit, shown, truth, abs(fault)
