"""A request: one report that somebody asked for in the web page, and what became of it."""

from __future__ import annotations

import datetime
import secrets
import time
from dataclasses import dataclass, fields

WAITING = "waiting"
RUNNING = "running"
MADE = "made"
FAILED = "failed"
CANCELLED = "cancelled"
STATES = (WAITING, RUNNING, MADE, FAILED, CANCELLED)
ENDS = (MADE, FAILED, CANCELLED)
"""The states that are never left."""
NOW = "now"
THEN = "then"
WAYS = (NOW, THEN)
"""With today's code, or exactly as a report was made."""
_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"
_LENGTH = 26


@dataclass(frozen=True, slots=True)
class Ask:
    """What somebody asks for."""

    template: str
    date: datetime.date
    parameters: str = "{}"
    """The values beyond the template's defaults, as a JSON object."""
    how: str = NOW
    """One of WAYS."""
    of: str = ""
    """The path of the report that is made again, where it is to be made as then."""


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked for, by whom, and how it stands."""

    id: str
    """26 letters and digits; a later one sorts after an earlier one."""
    batch: str
    """The id of the first request that was asked for together with it."""
    position: int
    """Its place in the batch, from 0."""
    key: str
    """What the asker named the asking by, so that a double click asks once."""
    template: str
    date: str
    """ISO."""
    parameters: str
    how: str
    of: str
    person: str
    """Who asked."""
    asked: str
    """ISO 8601, UTC."""
    state: str
    """One of STATES."""
    began: str | None
    """When it was last begun, ISO 8601, UTC."""
    ended: str | None
    """When it came to its end, ISO 8601, UTC."""
    tries: int
    """How often it was begun; a try that the worker's own end cut short does not count."""
    message: str
    """What happened, in a line or more for the user."""
    report: str | None
    """The path in the store of the report that was made, or of the failed one."""
    cancelled_by: str | None
    """Who wants it to end."""

    @property
    def label(self) -> str:
        """How people call it."""
        return f"{self.template} {self.date}"

    @property
    def is_ended(self) -> bool:
        """Whether its state is one that is never left."""
        return self.state in ENDS


COLUMNS = tuple(field.name for field in fields(Request))
"""The columns of the table, in order."""


def new_ids(number: int) -> list[str]:
    """Ids that nobody can guess, ascending: 48 bits of time in ms, 16 of the place in a batch, 64 of chance."""
    now = time.time_ns() // 1_000_000
    return [_written((now << 80) | (position << 64) | secrets.randbits(64)) for position in range(number)]


def id_from(moment: float) -> str:
    """The first id that could have been given at a moment, in seconds since 1970."""
    return _written(int(moment * 1000) << 80)


def is_id(text: str) -> bool:
    """Whether a text has the shape of an id."""
    return len(text) == _LENGTH and set(text) <= set(_DIGITS)


def now() -> str:
    """This moment, ISO 8601, UTC."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")


def _written(number: int) -> str:
    return "".join(_DIGITS[(number >> 5 * place) & 31] for place in reversed(range(_LENGTH)))
