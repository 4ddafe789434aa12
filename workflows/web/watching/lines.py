"""The list of requests: a line for each, or for all that were asked for together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from workflows.requests.queue import Requests
from workflows.requests.request import MADE, RUNNING, STATES, WAITING, Request

_SHOWN = 40
"""How many lines the list has; a batch is one."""
_READ = 100
"""How many requests are read at once."""


@dataclass(frozen=True)
class Line:
    """A line of the list: a request, or all that were asked for together."""

    requests: tuple[Request, ...]
    place: int | None = None
    """Which one in the queue it is, from 1."""

    @property
    def first(self) -> Request:
        """The request, or the first of the batch."""
        return self.requests[0]

    @property
    def is_batch(self) -> bool:
        """Whether it stands for several."""
        return len(self.requests) > 1

    @property
    def counts(self) -> dict[str, int]:
        """How many are in each state."""
        states = [one.state for one in self.requests]
        return {state: states.count(state) for state in STATES if state in states}

    @property
    def templates(self) -> list[str]:
        """Those that it asks for reports of."""
        return list(dict.fromkeys(one.template for one in self.requests))

    @property
    def days(self) -> tuple[str, str]:
        """The first and the last date of its reports."""
        found = sorted(str(one.date) for one in self.requests)
        return found[0], found[-1]

    @property
    def ended(self) -> int:
        """How many have come to an end."""
        return sum(one.is_ended for one in self.requests)

    @property
    def state(self) -> str:
        """How it stands as a whole: the first of these that any of them is."""
        order = (RUNNING, WAITING, "failed", "cancelled", MADE)
        return next(state for state in order if state in self.counts)

    @property
    def is_ended(self) -> bool:
        """Whether nothing is left to do."""
        return self.ended == len(self.requests)


def lines(
    requests: Requests, state: str | None, before: str | None, **chosen: str | None
) -> tuple[list[Line], str | None]:
    """The lines of a page, and the id before which the next one begins; None at the end."""
    found: list[Line] = []
    served = turns(requests)
    while len(found) < _SHOWN:
        read = requests.list([state] if state else None, before=before, limit=_READ, **chosen)
        for line in _folded(requests, read):
            found.append(Line(line, served.get(line[0].id)))
            before = line[0].id
            if len(found) == _SHOWN:
                return found, before
        if len(read) < _READ:
            break
    return found, None


def _folded(requests: Requests, read: list[Request]) -> Iterator[tuple[Request, ...]]:
    """The requests with those of a batch together, all of them, whichever were read."""
    seen = set()
    for one in read:
        if one.batch in seen:
            continue
        seen.add(one.batch)
        yield tuple(requests.batch(one.batch))


def turns(requests: Requests) -> dict[str, int]:
    """Which one in the queue each is that waits, from 1, by id."""
    return {one.id: turn for turn, one in enumerate(requests.waiting(1_000), 1)}
