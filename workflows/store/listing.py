"""The list of reports, made and failed: searched, filtered, page by page; newest first."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeVar

from workflows.errors import CursorError
from workflows.store.catalog import Catalog
from workflows.store.catalog_database import Session, Values
from workflows.store.entry import EVERYTHING, Entry, Listed, Measured, asked, key, number, readable, term_id
from workflows.store.indexer import Indexer
from workflows.store.report_rows import remove_reports, row_of
from workflows.store.words import asked_in, indexed

__all__ = ["Entry", "Filter", "Listing", "Page", "Point"]

T = TypeVar("T")
_Position = tuple[int, int]
"""A place in the list: the moment of a report, and its id."""

_NEWEST: _Position = (2**63 - 1, 2**63 - 1)
_MOST = 500
"""Entries of a page."""
_MANY = 20
"""Terms of one part of a filter that are looked at, to tell how much it finds."""
_OTHERS = 6
"""Terms by which reports are ruled out before they are read."""
_LOOKED_UP = 12
"""Parts of a filter that are looked up in search of the rarest; the others are words that are sought in what it finds."""
_END = b"\xff"
"""Follows every byte of a text."""
_ALL = term_id(EVERYTHING)


@dataclass(frozen=True)
class Filter:
    """Which reports to list: those that all of this is true of."""

    template: str | None = None
    date: str | None = None
    """ISO."""
    commit: str | None = None
    """A commit's first digits."""
    measure: str | None = None
    """The name of a measure that it has."""
    state: str | None = None
    """'made' or 'failed'."""
    person: str | None = None
    words: str = ""
    """Beginnings of words in its template, date, parameters, measures' names, person, commit or reason."""


@dataclass(frozen=True)
class Page:
    """A piece of the list."""

    entries: tuple[Entry, ...]
    older: str | None
    """What the next page begins after; None at the end."""
    measures: Mapping[str, Sequence[Measured]] = field(default_factory=dict)
    """What each of them measured, by its path."""


@dataclass(frozen=True)
class Point:
    """A measure in the newest report of a date."""

    date: str
    value: float | None
    """None where there was nothing to measure."""
    unit: str
    better: str | None
    """'lower', 'higher' or None."""
    path: str
    """The report's folder."""
    version: str
    commit: str | None
    started: str
    """ISO 8601, UTC."""


@dataclass(frozen=True)
class _Part:
    """A part of a filter: how the catalog finds reports by it, and whether it is true of one."""

    kind: str
    first: bytes
    last: bytes
    is_true_of: Callable[[Listed], bool]

    @property
    def values(self) -> Values:
        return {"kind": self.kind, "first": self.first, "last": self.last}


class Listing:
    """The reports that the catalog of a store knows, without those that were deleted by hand."""

    def __init__(self, index: Indexer) -> None:
        self._index = index

    def page(self, wanted: Filter, /, after: str | None = None, limit: int = 50) -> Page:
        """Some reports, newest first, from the newest or after a page's `older`; raises CursorError for another text."""
        place = _position(after) if after else _NEWEST
        limit = max(1, min(limit, _MOST))
        parts = _parts(wanted)
        if parts is None:
            return Page((), None)

        def answer(session: Session) -> list[Listed]:
            found = _walk(_looking(session, parts), place, limit + 1)
            return list(islice(filter(self._is_listed(parts), found), limit + 1))

        found = self._ask(answer)
        older = _cursor(found[limit - 1]) if len(found) > limit else None
        shown = found[:limit]
        return Page(tuple(one.entry for one in shown), older, {one.entry.path: one.measures for one in shown})

    def entry(self, path: str) -> Entry | None:
        """The report in a folder."""
        found = self._ask(lambda session: row_of(session, number(readable(path).encode())))
        return found.entry if found and self._index.is_there(found.entry.path) else None

    def latest(self, template: str, parameters: str = "{}", date: str | None = None) -> Entry | None:
        """The newest report that was made of a template with these values, of any date or of one."""
        values = {"asked": asked(template, parameters), **({"date": readable(date)} if date else {})}
        name = "latest_of_date" if date else "latest"

        def answer(session: Session) -> Entry | None:
            found = _walk(lambda more: session.run(name, {**values, **more}), _NEWEST, 2)
            return next((one.entry for one in found if self._index.is_there(one.entry.path)), None)

        return self._ask(answer)

    def calendar(self, template: str, first: str, last: str) -> dict[str, Entry]:
        """Of each date from the first to the last its newest report; one with the template's defaults where there is one."""
        values = {"template": readable(template), "asked": asked(template, "{}")}

        def answer(session: Session) -> dict[str, Entry]:
            rows = session.run("calendar", {**values, "first": readable(first), "last": readable(last)})
            found = [Listed.of_row(row).entry for row in rows]
            days = {entry.date: entry for entry in found if self._index.is_there(entry.path)}
            for date in sorted({entry.date for entry in found} - days.keys()):
                others = (Listed.of_row(row).entry for row in session.run("of_date", {**values, "date": date}))
                if older := next(filter(self._is_there, others), None):
                    days[date] = older
            return dict(sorted(days.items()))

        return self._ask(answer)

    def templates(self) -> list[str]:
        """The templates that there are reports of."""
        return self._values("template")

    def people(self) -> list[str]:
        """Who asked for reports, or ran them."""
        return self._values("person")

    def measures(self, template: str | None = None) -> list[str]:
        """The names of measures, of all reports or of a template's."""
        return self._values("measure of", key(template) + b"\0") if template is not None else self._values("measure")

    def commits(self, limit: int = 50) -> list[str]:
        """The commits that reports were made from, those with the newest reports first."""
        rows = self._ask(lambda session: session.run("newest_values", {"kind": "commit", "most": limit}))
        return [bytes(value).decode() for (value,) in rows]

    def series(self, template: str, measure: str, parameters: str = "{}") -> list[Point]:
        """A measure over the dates of a template with these values: that of the newest report of each date."""
        rows = self._ask(lambda session: session.run("series", {"asked": asked(template, parameters)}))
        found = [Listed.of_row(row) for row in rows]
        named = ((one, measured) for one in found for measured in one.measures if measured.name == measure)
        return [_point(one.entry, measured) for one, measured in named if self._index.is_there(one.entry.path)]

    def remove(self, paths: Iterable[str]) -> None:
        """Take reports out of the list; the store's `remove_reports` deletes them too. Where there is no catalog, nothing happens."""
        ids = sorted(number(readable(path).encode()) for path in paths)

        def remove(catalog: Catalog) -> None:
            with catalog.writing() as session:
                remove_reports(session, ids)

        if ids and self._index.catalog.exists():
            # As a question, so that no row which still waits to be added comes after this.
            self._index.ask(remove)

    def _ask(self, question: Callable[[Session], T]) -> T:
        def answer(catalog: Catalog) -> T:
            with catalog.reading() as session:
                return question(session)

        return self._index.ask(answer)

    def _values(self, kind: str, within: bytes = b"") -> list[str]:
        rows = self._ask(lambda session: session.run("values", {"kind": kind, "first": within, "last": within + _END}))
        return [bytes(value)[len(within) :].decode("utf-8", "ignore") for (value,) in rows]

    def _is_listed(self, parts: Sequence[_Part]) -> Callable[[Listed], bool]:
        """Whether all parts of a filter are true of a report, and it is there."""
        # In an object store, each look is a request: what was deleted there by hand is told when it is read.
        looks = self._index.looks_cheaply
        return lambda one: all(part.is_true_of(one) for part in parts) and not (looks and not self._is_there(one.entry))

    def _is_there(self, entry: Entry) -> bool:
        return self._index.is_there(entry.path)


def _walk(ask: Callable[[Values], list[tuple[Any, ...]]], place: _Position, most: int) -> Iterator[Listed]:
    """The reports of a statement from a place on, asked for in pieces that grow."""
    while True:
        rows = ask({"moment": place[0], "id": place[1], "most": most})
        # Of what something else rules out, there is the place only.
        yield from (Listed.of_row(row) for row in rows if row[2] is not None)
        if len(rows) < most:
            return
        place = rows[-1][0], rows[-1][1]
        most = min(most * 3, 5000)


def _parts(wanted: Filter) -> list[_Part] | None:
    """The parts of a filter; None where nothing can be found."""
    words = sorted(set(asked_in(wanted.words)), key=len, reverse=True)
    commit = (wanted.commit or "").lower()
    if wanted.words.strip() and not words:
        return None
    found = []
    if wanted.measure:
        name = readable(wanted.measure)
        found.append(_exact("measure", name, lambda one: any(measured.name == name for measured in one.measures)))
    if commit:
        found.append(_Part("commit", key(commit), key(commit) + _END, lambda one: _begins(one.entry.commit, commit)))
    for kind in ("date", "person", "template", "state"):
        if value := getattr(wanted, kind):
            found.append(_field(kind, readable(value)))
    found += [_word(word) for word in words]
    return found or [_Part(*EVERYTHING, EVERYTHING[1], lambda one: True)]


def _word(word: str) -> _Part:
    length, beginning = indexed(word)
    first = key(beginning)
    # A word among the words has a space before it.
    return _Part(f"word {length}", first, first + _END, lambda one: f" {word}" in one.words)


def _field(kind: str, value: str) -> _Part:
    return _exact(kind, value, lambda one: getattr(one.entry, kind) == value)


def _exact(kind: str, value: str, is_true_of: Callable[[Listed], bool]) -> _Part:
    return _Part(kind, key(value), key(value), is_true_of)


def _begins(commit: str | None, digits: str) -> bool:
    return bool(commit and commit.startswith(digits))


def _looking(session: Session, parts: Sequence[_Part]) -> Callable[[Values], list[tuple[Any, ...]]]:
    """What asks for reports by the part that finds fewest; those that others rule out, it need not read."""
    first, others = parts[0], list[int]()
    if len(parts) > 1:
        reached = [_reached(session, part) for part in parts[:_LOOKED_UP]]
        first = min(reached, key=lambda found: found.depth).part
        others = [found.only for found in reached if found.part is not first and found.only is not None]
    # What all are found by rules out nothing.
    others = list(dict.fromkeys([*others, _ALL]))[:_OTHERS]
    values = {f"other{n}": others[min(n, len(others) - 1)] for n in range(_OTHERS)}
    fixed = {**first.values, **values, "number": len(others)}
    return lambda more: session.run("listed", {**fixed, **more})


@dataclass(frozen=True)
class _Reached:
    """How much a part of a filter finds."""

    part: _Part
    depth: tuple[float, ...]
    """How far back its newest reports go: of what is rarer, further."""
    only: int | None
    """The term that finds it, where that is one."""


def _reached(session: Session, part: _Part) -> _Reached:
    [(count, term, *depths)] = session.run("reached", part.values)
    depth = tuple(depth or 0 for depth in depths) if count < _MANY else (math.inf,)
    return _Reached(part, depth, term if count == 1 else None)


def _point(entry: Entry, measured: Measured) -> Point:
    return Point(
        entry.date, measured.value, measured.unit, measured.better,
        entry.path, entry.version, entry.commit, entry.started,
    )  # fmt: skip


def _cursor(listed: Listed) -> str:
    return f"{listed.moment:x}.{listed.id + 2**63:016x}"


def _position(cursor: str) -> _Position:
    try:
        moment, dot, number = cursor.partition(".")
        found = int(moment, 16), int(number, 16) - 2**63
        if dot and 0 <= found[0] < 2**63 and -(2**63) <= found[1] < 2**63:
            return found
    except ValueError:
        pass
    raise CursorError.wrong(cursor)
