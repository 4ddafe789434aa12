"""The dates for which a template can be made: those with data."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workflows.answers.datasets import dataset
from workflows.errors import listed, listed_ranges
from workflows.notebooks.template import Template
from workflows.tasks.needed import needed, needed_at_least
from workflows.tasks.project import current
from workflows.tasks.query import Query
from workflows.tasks.templates import read_template

_WITHOUT_DATA = datetime.date(1200, 1, 1)
"""A date before all data, from which stages can still go back: what is required of it is required of every date."""

Need = tuple[type[Query], datetime.timedelta]
"""A query that a date needs, and how far from that date."""


@dataclass(frozen=True)
class Dates:
    """The dates for which a template can be made."""

    template: str
    dates: Sequence[datetime.date]
    """Ascending."""
    queries: Sequence[str]
    """The queries that tell."""
    reason: str = ""
    """Why there are none, in a sentence."""

    exit_code = 0

    def lines(self) -> list[str]:
        """The range and the number, and which days in it have no data."""
        if not self.dates:
            return [self.reason]
        days = [date.isoformat() for date in self.dates]
        count = f"{len(days):,} date{'' if len(days) == 1 else 's'}"
        span = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
        gaps = self._gaps()
        return [
            f"{self.template}  {span}, {count}, told by {listed(self.queries)}",
            *([f"without {listed_ranges(gaps)}"] if gaps else []),
        ]

    def as_json(self) -> dict[str, Any]:
        """All the dates."""
        days = [date.isoformat() for date in self.dates]
        return {
            "template": self.template,
            "first": days[0] if days else None,
            "last": days[-1] if days else None,
            "count": len(days),
            "dates": days,
            "queries": list(self.queries),
            "reason": self.reason or None,
        }

    def _gaps(self) -> list[str]:
        """The days between the first and the last that are none of the dates."""
        first, there = self.dates[0], set(self.dates)
        days = (first + datetime.timedelta(days=n) for n in range((self.dates[-1] - first).days))
        return [day.isoformat() for day in days if day not in there]


def dates(name: str) -> Dates:
    """The dates of which all queries that the template needs have data; one that may be empty tells only where no other does.

    A stage may need earlier days: those that it asks for whatever there is must have data too.
    """
    template = read_template(name)
    start = _start(template)
    known = _known(_daily(needed_at_least(template, start)))
    last = max((max(days) for days in known.values() if days), default=start)
    latest = _daily(needed(template, last))
    known |= _known(latest)
    current().save()
    telling = {query: days for query, days in known.items() if days is not None}
    deciding = {query: days for query, days in telling.items() if not _may_lack(query)} or telling
    if not deciding:
        return Dates(name, [], [], _untold(template, list(known)))
    needs = {(type(query), datetime.timedelta(0)) for query in latest if query.date == last} | set(_always(template))
    found = _possible(deciding, [need for need in needs if need[0] in deciding])
    asked = [query for query in deciding if query in dict(needs)] or deciding
    names = [query.get_task_family() for query in asked]
    return Dates(name, sorted(found), names, "" if found else _without(names))


def _possible(known: Mapping[type[Query], set[datetime.date]], needs: Sequence[Need]) -> set[datetime.date]:
    """The dates of which all needs are known; where only what is there is taken, all dates that are."""
    if not needs:
        return set.union(*known.values())
    return set.intersection(*({day - off for day in known[query]} for query, off in needs))


def _always(template: Template) -> list[Need]:
    """What is needed whatever there is: a stage that takes the days that it finds finds none where there is no data."""
    found = _daily(needed_at_least(template, _WITHOUT_DATA))
    return [(type(query), query.date - _WITHOUT_DATA) for query in found]


def _start(template: Template) -> datetime.date:
    """A date with data, as far as the template tells: its default, for which its samples are."""
    default = template.values.get("date")
    return default if type(default) is datetime.date else current().today


def _daily(queries: Sequence[Query]) -> list[Any]:
    """The queries that are of a date."""
    return [query for query in queries if isinstance(getattr(query, "date", None), datetime.date)]


def _known(queries: Sequence[Query]) -> dict[type[Query], set[datetime.date] | None]:
    """The dates with data of each query, or None where nothing tells them."""
    return {query: _days(query) for query in dict.fromkeys(map(type, queries))}


def _may_lack(query: type[Query]) -> bool:
    """Whether a date without data is one: of an empty result, but not of a dataset, which says nothing then."""
    return query.allow_empty and not current().settings.dataset


def _days(query: type[Query]) -> set[datetime.date] | None:
    if current().settings.dataset:
        held = dataset().description.dates(query.get_task_family())
        return set(map(datetime.date.fromisoformat, held)) or None
    return set(query.available(datetime.date.min, datetime.date.max)) if query.dates else None


def _untold(template: Template, queries: Sequence[type[Query]]) -> str:
    if not template.tables:
        return f"{template.name} needs no tables, so it can be made for any date."
    if not queries:
        return f"{template.name} needs no query of a date, so nothing tells for which dates it can be made."
    names = [query.get_task_family() for query in queries]
    return f"Nothing tells the dates with data: {listed(names)} {'has' if len(names) == 1 else 'have'} no statement `dates`."


def _without(queries: Sequence[str]) -> str:
    return f"{queries[0]} has no dates." if len(queries) == 1 else f"{listed(queries)} have no dates in common."
