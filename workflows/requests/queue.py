"""The requests of a web page: asked for, listed, cancelled by people; begun and ended by workers."""

from __future__ import annotations

import contextlib
import datetime
import json
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from workflows.errors import RequestError
from workflows.requests.database import Database, Session
from workflows.requests.events import Events
from workflows.requests.request import CANCELLED, RUNNING, WAITING, Ask, Request, is_id, new_ids, now

MOST = 5_000
"""How many requests may be asked for at once."""
LONGEST = 10_000
"""How many characters are kept of what a run says of its end: an algorithm may put a table into its error."""
FILE = "requests.db"
FOLDER = "requests"
_AFTER_ALL = "~"
Many = list[Request]
"""Several requests."""


class Requests:
    """All requests, durable: several processes use them at once, and any of them may be killed."""

    def __init__(self, web: Path) -> None:
        """`web` is the folder of what the web page keeps."""
        self._folder = web / FOLDER
        self.database = Database(web / FILE)

    def ask(self, asks: Sequence[Ask], person: str, key: str) -> Many:
        """Add requests, which are on the disk on return; for the same key of a person, those of the first time.

        An empty key is none. Raises RequestError.
        """
        if len(asks) > MOST:
            raise RequestError.too_many(len(asks), MOST)
        key = key or uuid.uuid4().hex
        with self.database.session(writes=True) as session:
            known = session.run("asked", person=person, key=key)
            if known:
                return _requests(session.run("batch", batch=known[0][0]))
            made = _new(asks, person, key)
            if made:
                session.run("add_asking", person=person, key=key, batch=made[0].batch)
            for request in made:
                session.add(asdict(request))
        for request in made:
            self._tell(request)
        return made

    def get(self, name: str) -> Request | None:
        """The request of an id."""
        return self._one("get", id=name) if is_id(name) else None

    def batch(self, name: str) -> Many:
        """The requests that were asked for together, in order."""
        return self._several("batch", batch=name)

    def list(
        self,
        states: Iterable[str] | None = None,
        person: str | None = None,
        template: str | None = None,
        date: str | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> Many:
        """The newest first, older ones than `before`; what is None does not restrict."""
        chosen = None if states is None else list(states)
        name = "open" if chosen and {WAITING, RUNNING}.issuperset(chosen) else "list"
        values = {"person": person, "template": template, "date": date, "before": before or _AFTER_ALL, "limit": limit}
        return self._several(name, states=None if chosen is None else json.dumps(chosen), **values)

    def cancel(self, name: str, person: str) -> bool:
        """End a request: one that waits at once, one that runs by its worker, within a second. False where it has ended."""
        request = self._change("cancel", id=name, person=person, now=now(), message=f"cancelled by {person}")
        if request and request.state == CANCELLED:
            self._tell(request)
        return request is not None

    def retry(self, name: str, person: str, key: str) -> Request:
        """A new request like one that has ended; raises RequestError."""
        old = self.get(name)
        if old is None:
            raise RequestError.unknown(name)
        if not old.is_ended:
            raise RequestError.not_ended(old.label, old.state)
        ask = Ask(old.template, datetime.date.fromisoformat(old.date), old.parameters, old.how, old.of)
        return self.ask([ask], person, key)[0]

    def counts(self) -> dict[str, int]:
        """How many there are in each state; a state without any is left out."""
        with self.database.session() as session:
            return dict(session.run("counts"))

    def of_report(self, path: str) -> Request | None:
        """The last request that made a report, by its path in the store."""
        return self._one("of_report", report=path)

    def events(self, name: str) -> Events:
        """What is known of a request's course."""
        return Events(self.folder(name))

    def folder(self, name: str) -> Path:
        """Where a request's files are; raises RequestError for what is no id."""
        if not is_id(name):
            raise RequestError.unknown(name)
        return self._folder / name

    def waiting(self, limit: int) -> Many:
        """Whose turn it is, the first first."""
        return self._several("next", limit=limit)

    def running(self) -> Many:
        """Those that were begun and did not end."""
        return self._several("running")

    def begin(self, name: str) -> Request | None:
        """Count a try of one that waits; None where another worker was first, or it was cancelled."""
        return self._told("begin", id=name, now=now())

    def say(self, request: Request, message: str) -> None:
        """What a try has to say meanwhile."""
        self._told("say", id=request.id, tries=request.tries, message=message)

    def finish(self, request: Request, state: str, message: str, report: str | None = None) -> bool:
        """End a try; False where it has ended otherwise."""
        values = {"state": state, "message": message[:LONGEST], "report": report, "now": now()}
        return self._told("finish", id=request.id, tries=request.tries, **values) is not None

    def release(self, request: Request, message: str, counts: bool) -> bool:
        """Have a try's request wait again; whether the try `counts`."""
        values = {"message": message, "uncounted": int(not counts)}
        return self._told("release", id=request.id, tries=request.tries, **values) is not None

    def folders(self) -> Many:
        """The requests whose folder is there, oldest first; folders of none are left out."""
        names = sorted(path.name for path in self._folder.glob("*") if is_id(path.name))
        return [request for name in names if (request := self.get(name))]

    def _told(self, statement: str, **values: object) -> Request | None:
        request = self._change(statement, **values)
        if request:
            self._tell(request)
        return request

    def _tell(self, request: Request) -> None:
        # The database says how a request stands: what cannot be told of it is lost, and no more.
        with contextlib.suppress(OSError):
            self.events(request.id).tell("state", state=request.state, message=request.message)

    def _change(self, statement: str, **values: object) -> Request | None:
        with self.database.session(writes=True) as session:
            return _first(session, statement, **values)

    def _one(self, statement: str, **values: object) -> Request | None:
        with self.database.session() as session:
            return _first(session, statement, **values)

    def _several(self, statement: str, **values: object) -> Many:
        with self.database.session() as session:
            return _requests(session.run(statement, **values))


def _first(session: Session, statement: str, **values: object) -> Request | None:
    return next(iter(_requests(session.run(statement, **values))), None)


def _requests(rows: Iterable[Sequence[object]]) -> list[Request]:
    return [Request(*row) for row in rows]  # type: ignore[arg-type]


def _new(asks: Sequence[Ask], person: str, key: str) -> list[Request]:
    ids, moment = new_ids(len(asks)), now()
    return [
        Request(
            id=new,
            batch=ids[0],
            position=position,
            key=key,
            template=ask.template,
            date=ask.date.isoformat(),
            parameters=ask.parameters,
            how=ask.how,
            of=ask.of,
            person=person,
            asked=moment,
            state=WAITING,
            began=None,
            ended=None,
            tries=0,
            message="",
            report=None,
            cancelled_by=None,
        )
        for position, (new, ask) in enumerate(zip(ids, asks, strict=True))
    ]
