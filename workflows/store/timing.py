"""Where the time of a making went: measured while it goes, and kept in its record."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

_DIGITS = 6


class Stopwatch:
    """Laps of one making: each adds what passed since the one before to a part, so that nothing is left out or counts twice."""

    def __init__(self) -> None:
        self._last = perf_counter()
        self._parts: dict[str, float] = {}
        self._cells: list[float] = []
        self.kernel: str | None = None
        """Reports only: how the kernel was started."""

    def lap(self, part: str) -> None:
        """Count the time since the last lap to a part."""
        self._parts[part] = self._parts.get(part, 0.0) + self._passed()

    def cell(self) -> None:
        """Count the time since the last lap to the next code cell."""
        self._cells.append(self._passed())

    def record(self, run: Run | None = None) -> dict[str, Any]:
        """What the provenance says of the time until the last lap, made in this run."""
        found: dict[str, Any] = {"parts": {name: round(seconds, _DIGITS) for name, seconds in self._parts.items()}}
        if self.kernel:
            found |= {"kernel": self.kernel, "cells": [round(seconds, _DIGITS) for seconds in self._cells]}
        return found | ({"run": run.record(self._last)} if run else {})

    def _passed(self) -> float:
        before, self._last = self._last, perf_counter()
        return self._last - before


@dataclass(frozen=True)
class Run:
    """A command that makes results, until the first of them is begun."""

    began: float
    """The moment at which its process was started, as `perf_counter` has it, here and in the processes that it forks."""
    started: str
    """The same moment in ISO 8601, UTC."""
    start: float
    """Seconds until it had its modules and looked at the first task."""
    plan: float
    """Seconds for the plan from there."""
    results: int
    """How many results it was to make."""

    @classmethod
    def planned(cls, met: float, results: int) -> Run:
        """The run of this process, which looked at its first task at a moment, and has planned so many results by now."""
        now = perf_counter()
        began = min(met, now - _age())
        started = datetime.now(UTC) - timedelta(seconds=now - began)
        return cls(began, started.isoformat(timespec="milliseconds"), met - began, now - met, results)

    def record(self, now: float) -> dict[str, Any]:
        """What the provenance of a result says of the run it was made in."""
        return {
            "started": self.started,
            "start": round(self.start, _DIGITS),
            "plan": round(self.plan, _DIGITS),
            "results": self.results,
            "seconds": round(now - self.began, _DIGITS),
        }


@dataclass(frozen=True)
class PastRun:
    """What a record says of the run that a result was made in."""

    started: datetime
    start: float
    """Seconds until it looked at the first task."""
    plan: float
    """Seconds for the plan from there."""
    results: int
    """How many results it was to make."""
    seconds: float
    """From its start to the result's record."""


@dataclass(frozen=True)
class Timing:
    """What a record says of the time."""

    parts: Mapping[str, float]
    """Seconds of each part, in the order in which they were done first; those of the cells apart."""
    cells: Sequence[float]
    """Reports only: seconds of each code cell that was run, in order."""
    kernel: str | None
    """Reports only: how the kernel was started."""
    run: PastRun | None
    """The run it was made in; None where it was made from within another program."""

    @property
    def seconds(self) -> float:
        """All of it: parts follow one another without a gap."""
        return sum(self.parts.values()) + sum(self.cells)

    @classmethod
    def of(cls, timing: Any) -> Timing | None:
        """What the field of a record says; None where it is of an older release, or of another shape."""
        try:
            run = timing.get("run")
            return cls(
                {str(name): _passed(seconds) for name, seconds in timing["parts"].items()},
                [_passed(seconds) for seconds in timing.get("cells", ())],
                timing.get("kernel") and str(timing["kernel"]),
                run and _run(**run),
            )
        except (AttributeError, KeyError, TypeError, ValueError):
            return None


def duration(seconds: float) -> str:
    """Seconds in words, with the digits that matter."""
    if seconds < 0.0995:
        return f"{1000 * seconds:.{0 if seconds >= 0.00095 else 1}f} ms"
    digits = 2 if seconds < 9.995 else 1 if seconds < 99.95 else 0
    return f"{seconds:,.{digits}f} s"


def _age() -> float:
    """Seconds since this process was started, to a hundredth; none where the system does not tell."""
    try:
        ticks = int(Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19])
        return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, AttributeError, ValueError, IndexError):
        return 0.0


def _run(started: str, start: float, plan: float, results: int, seconds: float) -> PastRun:
    moment = datetime.fromisoformat(started).astimezone(UTC)
    return PastRun(moment, _passed(start), _passed(plan), int(results), _passed(seconds))


def _passed(seconds: Any) -> float:
    found = float(seconds)
    if not 0 <= found < math.inf:
        raise ValueError
    return found
