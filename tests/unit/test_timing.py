"""Where time went: laps, the record of them, and the table that people read."""

from __future__ import annotations

import datetime
import itertools
import json
import time
from typing import Any

import pytest

from workflows.answers.bars import drawn, first_lines
from workflows.answers.profile import Part, Profile
from workflows.store import timing
from workflows.store.timing import PastRun, Run, Stopwatch, Timing, duration


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock that is one second further whenever it is asked."""
    ticks = itertools.count(100.0)
    monkeypatch.setattr(timing, "perf_counter", lambda: next(ticks))


def past(seconds: float) -> PastRun:
    return PastRun(datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC), 0.5, 0.25, 3, seconds)


@pytest.mark.usefixtures("seconds")
def test_every_second_counts_once_and_to_the_part_that_ends() -> None:
    watch = Stopwatch()
    for part in ("read", "compute", "read"):
        watch.lap(part)
    assert watch.record() == {"parts": {"read": 2.0, "compute": 1.0}}


@pytest.mark.usefixtures("seconds")
def test_cells_are_counted_one_by_one() -> None:
    watch = Stopwatch()
    watch.kernel = "plain"
    watch.lap("kernel")
    watch.cell()
    watch.cell()
    assert watch.record() == {"parts": {"kernel": 1.0}, "kernel": "plain", "cells": [1.0, 1.0]}


def test_the_record_is_read_back_as_it_was_meant() -> None:
    watch = Stopwatch()
    watch.kernel = "warm"
    watch.lap("kernel")
    watch.cell()
    began = time.perf_counter()
    run = Run(began - 2.0, "2020-01-01T00:00:00.000+00:00", 0.5, 0.25, 3)
    found = Timing.of(json.loads(json.dumps(watch.record(run))))
    assert found is not None
    assert (list(found.parts), len(found.cells), found.kernel) == (["kernel"], 1, "warm")
    assert found.seconds == sum(found.parts.values()) + found.cells[0]
    assert found.run is not None
    assert (found.run.start, found.run.plan, found.run.results) == (0.5, 0.25, 3)
    assert 1.9 < found.run.seconds < 2.1
    assert found.run.started == datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    "told",
    [None, 1, [], {}, {"parts": 1}, {"parts": {"x": "long"}}, {"parts": {}, "cells": 1}, {"parts": {}, "run": {"x": 1}},
     {"parts": {}, "run": "x"}, {"parts": {"x": -1}}, {"parts": {"x": float("inf")}}, {"parts": {}, "cells": [float("nan")]}],
    ids=json.dumps,
)  # fmt: skip
def test_a_record_without_times_or_with_others_says_nothing(told: Any) -> None:
    assert Timing.of(told) is None


def test_a_run_begins_with_its_process() -> None:
    met = time.perf_counter()
    run = Run.planned(met, 3)
    assert run.began <= met
    assert run.start == met - run.began
    assert 0 <= run.plan < 1
    started = datetime.datetime.fromisoformat(run.started)
    assert abs((datetime.datetime.now(datetime.UTC) - started).total_seconds() - (met - run.began)) < 1


def test_a_lap_costs_next_to_nothing() -> None:
    watch = Stopwatch()
    began = time.perf_counter()
    for _ in range(1000):
        watch.lap("part")
    assert time.perf_counter() - began < 0.02


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0.0 ms"), (0.0004, "0.4 ms"), (0.004, "4 ms"), (0.0994, "99 ms"), (0.0996, "0.10 s"), (1.234, "1.23 s"),
     (9.996, "10.0 s"), (99.96, "100 s"), (1234.5, "1,234 s")],
)  # fmt: skip
def test_a_duration_has_the_digits_that_matter(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def report(*cells: Part) -> Part:
    kernel = Part("kernel", 0.5, "warm")
    return Part(
        "ReportTask a", 3.0, "", (Part("inputs", 0.001), kernel, Part("cells", 2.49, "", cells), Part("end", 0.009))
    )


def test_the_table_has_seconds_shares_and_bars() -> None:
    parts = [Part("plan", 1.0, "of 3 results"), report(Part("cell 2", 2.48, "slow()"), Part("cell 1", 0.01, "quick()"))]
    assert drawn(Profile(parts, past(5.0), [], "")) == [
        "time 4.00 s in all, 80% of the 5.00 s from the run's start to the stored result; all else that the run did took 1.00 s",
        "",
        "plan            1.00 s   25%  █████                 of 3 results",
        "ReportTask a    3.00 s   75%  ███████████████",
        "  kernel        0.50 s   12%  ██▌                   warm",
        "  cells         2.49 s   62%  ████████████▌",
        "    cell 2      2.48 s   62%  ████████████▍         slow()",
        "    cell 1       10 ms   <1%                        quick()",
        "  others         10 ms   <1%                        inputs, end",
    ]


def test_parts_that_went_on_at_once_are_said_to() -> None:
    [line, *_] = drawn(Profile([Part("a", 4.0)], past(2.0), [], ""))
    assert line == "time 4.00 s in all, several things at once: the run had gone on for 2.00 s"


def test_what_was_there_before_is_told_without_a_share() -> None:
    lines = drawn(Profile([Part("a", 4.0)], None, [Part("Flights x14", 20.0, "made 2020-01-01")], "this and that"))
    assert lines == [
        "time 4.00 s in all",
        "",
        "a              4.00 s  100%  ████████████████████",
        "",
        "not computed in this run; it cost",
        "Flights x14    20.0 s  made 2020-01-01",
        "not known: this and that",
    ]


def test_a_profile_without_times_is_a_sentence() -> None:
    assert drawn(Profile([], None, [], "why")) == ["not known: why"]


def test_a_long_line_of_a_cell_is_cut() -> None:
    lines = drawn(Profile([Part("cell 1", 1.0, "x" * 500)], None, [], ""))
    assert len(lines[-1]) == 120
    assert lines[-1].endswith("x…")


def test_the_first_line_of_a_cell_is_the_first_that_says_anything() -> None:
    assert first_lines(["\n  \n  a = 1\nb", ""]) == ["a = 1", ""]
