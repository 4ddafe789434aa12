"""The list of reports, over catalogs of 1,000 and of 100,000 reports.

Goal: with 100,000 reports, the median time (processor time of this process, and wall time) of each question is at most 1.5 times that with 1,000. The reports are made up: 10
templates, two years of dates, one of them asked for often, a commit for every 100 reports, 12 people, 3 to 8 measures each, one
in ten failed. So a page is full with either catalog, except where the name of the question says so.
Run: .venv/bin/python benchmarks/listing.py [--keep FOLDER] [--runs RUNS] [--postgresql URL] [--most REPORTS]
FOLDER keeps the catalogs for the next time. URL is of an empty database; its tables are dropped between the two catalogs.
"""

from __future__ import annotations

import argparse
import datetime
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from workflows.identity.canonical import canonical_json, digest
from workflows.store.catalog import Catalog, Row
from workflows.store.files import Folder
from workflows.store.indexer import Indexer
from workflows.store.listing import Filter, Listing
from workflows.store.provenance import Provenance

LEAST, MOST = 1_000, 100_000
GOAL = 1.5
AT_ONCE = 2000
FIRST = datetime.date(2024, 1, 1)
BEGAN = datetime.datetime(2024, 2, 1, tzinfo=datetime.UTC)
TEMPLATES = [
    f"{subject}_{kind}"
    for subject in ("daily", "weekly", "airport", "carrier", "delay")
    for kind in ("overview", "forecast")
]
OFTEN = "2024-12-31"
PEOPLE = ["ada", "boris", "chen", "dana", "emil", "fatima", "grace", "hugo", "ines", "jonas", "kim", "lea"]
MEASURES = [
    f"{name} {of}" for name in ("rows", "error", "share", "mean", "median") for of in ("late", "all", "cancelled")
]
REASONS = [*["KeyError: 'dep_delay'"] * 6, "ValueError: no rows on this date", "the kernel was killed: out of memory"]


class Everything(Indexer):
    """The catalog of a store whose reports are all there, though no files are."""

    def is_there(self, path: str) -> bool:
        return super().is_there(path) or True


def measures_of(number: int) -> str:
    """The measures.json of a report."""
    chance = random.Random(number)
    names = MEASURES[: 3 + number % 6] if number % 7 else MEASURES[-4:]
    rows = [{"name": name, "value": chance.random(), "unit": "1", "better": "lower"} for name in names]
    return canonical_json({"format": 1, "measures": rows})


def row(number: int) -> Row:
    """The row of a made-up report."""
    chance = random.Random(-number)
    template, person = chance.choice(TEMPLATES), chance.choice(PEOPLE)
    date = (FIRST + datetime.timedelta(days=chance.randrange(730))).isoformat()
    if number % 12 == 0:
        date = OFTEN
    values = {"threshold": chance.randrange(5) + 0.5, "carrier": chance.choice(["UA", "AA", "DL"])}
    version = digest([number])
    started = BEGAN + datetime.timedelta(minutes=10 * number, milliseconds=chance.randrange(1000))
    has_failed = number % 10 == 0
    record = Provenance(
        task="ReportTask",
        version=version,
        parameters={
            "date": date,
            "template": template,
            "parameters": canonical_json(values if number % 3 == 0 else {}),
        },
        code={"digest": digest("code"), "files": {}, "commit": digest(["commit", number // 100])[:40], "dirty": False},
        environment={"python": "3.11.7", "packages": {}},
        inputs=[],
        outputs={},
        started=started.isoformat(timespec="milliseconds"),
        seconds=4.2,
        host="worker",
        user="parcours",
        task_id="",
        template={"name": template, "digest": "", "values": {}},
        failure={"cell": 2, "of": 5, "reason": chance.choice(REASONS), "line": ""} if has_failed else None,
        requested={"by": person, "request": version[:26]},
    )
    if has_failed:
        return Row.of(f"failed/{template}/{date}/{started:%Y-%m-%dT%H-%M-%S}", record)
    return Row.of(f"ReportTask/{date}/{template}-{version[:16]}", record, measures_of(number))


def fill(catalog: Catalog, size: int) -> None:
    """Make a catalog of so many reports."""
    catalog.create(complete=True)
    for begin in range(0, size, AT_ONCE):
        catalog.add(row(number) for number in range(begin, min(begin + AT_ONCE, size)))


def questions(listing: Listing, size: int) -> Iterator[tuple[str, Callable[[], Any]]]:
    """What is asked, by name, about values that both catalogs have."""
    known = row(size - 7).report
    assert known is not None
    entry = known.entry
    template, date, commit, digits = entry.template, entry.date, str(entry.commit), str(entry.commit)[:4]
    filters = {
        "no filter": Filter(),
        "template": Filter(template=template),
        "date": Filter(date=OFTEN),
        "commit": Filter(commit=commit),
        "commit, 4 digits": Filter(commit=digits),
        "measure": Filter(measure=MEASURES[0]),
        "state failed": Filter(state="failed"),
        "state made": Filter(state="made"),
        "person": Filter(person=entry.person),
        "a word": Filter(words="forecast"),
        "one letter": Filter(words="d"),
        "a year": Filter(words="2024"),
        "a month": Filter(words="2024-0"),
        "a reason": Filter(words="dep_delay"),
        "a commit as a word": Filter(words=commit[:9]),
        "three words": Filter(words="daily late ada"),
        "a value": Filter(words="threshold 3.5"),
        "a date of few reports": Filter(date=date),
        "no such word": Filter(words="zzz"),
        "template and state": Filter(template=template, state="failed"),
        "template and person": Filter(template=template, person=entry.person),
        "person and measure": Filter(person=entry.person, measure=MEASURES[-1]),
        "all at once": Filter(template=template, state="made", person=entry.person, measure=MEASURES[0], words="2024"),
    }
    for name, wanted in filters.items():
        yield name, lambda wanted=wanted: listing.page(wanted)
    middle = listing.page(Filter(), limit=size // 3 if size < 1500 else 500).older
    yield "a later page", lambda: listing.page(Filter(), middle)
    yield "a report", lambda: listing.entry(entry.path)
    yield "latest", lambda: listing.latest(template)
    yield "latest of a date", lambda: listing.latest(template, entry.parameters, date)
    yield "a month of the calendar", lambda: listing.calendar(template, "2024-05-01", "2024-05-31")
    yield "templates", listing.templates
    yield "people", listing.people
    yield "measures", listing.measures
    yield "measures of a template", lambda: listing.measures(template)
    yield "ten commits", lambda: listing.commits(10)
    yield "a series", lambda: listing.series(template, MEASURES[0])


def taken(question: Callable[[], Any], runs: int) -> tuple[float, float]:
    """The medians of the milliseconds that a question takes: wall and processor."""
    question()
    found = []
    for _ in range(runs):
        began, computed = time.perf_counter(), time.process_time()
        question()
        found.append((time.perf_counter() - began, time.process_time() - computed))
    wall, processor = (statistics.median(kind) * 1000 for kind in zip(*found, strict=True))
    return wall, processor


def drop(url: str) -> None:
    """Empty a database."""
    from sqlalchemy import create_engine, text

    engine = create_engine(url)
    with engine.begin() as connection:
        for table in ("about", "artefacts", "inputs", "reports", "terms", "postings"):
            connection.execute(text(f"DROP TABLE IF EXISTS {table}"))
    engine.dispose()


def main(folder: Path, url: str | None, runs: int, most: int) -> None:
    """Print the median times, and how many times as long the larger catalog takes."""
    times: list[dict[str, tuple[float, float]]] = []
    for size in (LEAST, most):
        place = url or f"sqlite:///{folder}/{size}.db"
        if url:
            drop(url)
        catalog = Catalog(place)
        began = time.perf_counter()
        if not catalog.exists():
            fill(catalog, size)
        passed = time.perf_counter() - began
        facts = "" if url else f", {(folder / f'{size}.db').stat().st_size / 1e6:.0f} MB"
        print(f"{size:,} reports   filled in {passed:.1f} s{facts}", flush=True)
        listing = Listing(Everything(Folder(folder / "store"), catalog, place))
        times.append({name: taken(question, runs) for name, question in questions(listing, size)})
    small, large = times
    for name in small:
        wall, processor = (b / a for a, b in zip(small[name], large[name], strict=True))
        told = (
            f"{small[name][0]:8.2f} ms {large[name][0]:8.2f} ms   {wall:5.2f} times, processor {processor:5.2f} times"
        )
        print(f"{name:<26} {told}{'' if processor <= GOAL else '   over the goal'}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--runs", type=int, default=41)
    parser.add_argument("--postgresql", metavar="URL")
    parser.add_argument("--most", type=int, default=MOST)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="parcours-bench-") as temporary:
        main(options.keep or Path(temporary), options.postgresql, options.runs, options.most)
