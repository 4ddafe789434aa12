"""What `parcours trend` and `parcours find-step` make of a history with known effects."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from seeded import Planted
from workplace import parcours

CHANGED = ("better", "worse")
MOVED = (*CHANGED, "new", "missing")


@dataclass(frozen=True)
class Trends:
    """The steps that `trend` says of all measures of a history."""

    planted: int
    """Measures that got better or worse, one for each commit and report."""
    found: int
    """Those that are said to step at that commit."""
    as_outliers: int
    """Those not said to step, because one of two neighbours is said to be an outlier: what lasts for one commit is no step."""
    false_alarms: int
    """Steps where nothing was planted."""

    @property
    def missed(self) -> int:
        """Those that nothing is said of."""
        return self.planted - self.found - self.as_outliers


@dataclass(frozen=True)
class Search:
    """A planted change, between two commits between which nothing else happens to its measure."""

    name: str
    """'TEMPLATE DATE MEASURE'."""
    older: Planted
    newer: Planted
    answer: Planted


def trends(folder: Path, history: Sequence[Planted]) -> Trends:
    """Ask for the trend of each measure and compare with what is known."""
    planted = found = as_outliers = false_alarms = 0
    for name in history[-1].expected:
        template, date, measure = name.split()
        told = json.loads(parcours(folder, "trend", measure, "--template", template, "--date", date, "--json").told)
        (line,) = told["lines"]
        stepped, outliers = ({found["commit"] for found in line[kind]} for kind in ("steps", "outliers"))
        moved = {at for at, commit in enumerate(history) if commit.expected.get(name) in CHANGED}
        beside = {at for at in moved if {history[at].sha, history[at - 1].sha} & outliers}
        hit = {at for at in moved if history[at].sha in stepped}
        planted, found, as_outliers = planted + len(moved), found + len(hit), as_outliers + len(beside - hit)
        false_alarms += len(stepped - {history[at].sha for at in moved})
    return Trends(planted, found, as_outliers, false_alarms)


def searches(history: Sequence[Planted], word: str) -> Iterator[Search]:
    """One search for each commit with a measure of this word."""
    for at, commit in enumerate(history):
        name = next((name for name, found in commit.expected.items() if found == word), None)
        if name:
            moved = [place for place, found in enumerate(history) if found.expected.get(name) in MOVED]
            before = max((place for place in moved if place < at), default=0)
            after = min((place for place in moved if place > at), default=len(history))
            yield Search(name, history[before], history[after - 1], commit)


def is_found(folder: Path, search: Search) -> bool:
    """Whether `find-step` names the commit."""
    template, date, measure = search.name.split()
    ends = ["--from", search.older.sha, "--to", search.newer.sha]
    told = parcours(folder, "find-step", measure, "--template", template, "--date", date, *ends, "--json").told
    return bool(json.loads(told)["commit"] == search.answer.sha)
