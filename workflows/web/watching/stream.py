"""The events of a request as a stream that a browser listens to, and goes on with where it lost it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Generator

from flask import Response, abort

from workflows.requests.queue import Requests
from workflows.requests.request import WAITING, Request

AT_ONCE = 20
"""Each stream holds a thread of the server: those beyond these are asked to poll."""
_free = threading.BoundedSemaphore(AT_ONCE)
_LOOK = 0.1
"""Seconds between two looks at the file."""
_SURE = 1.0
"""Seconds between two looks at the database, whose word counts."""
_HEARTBEAT = 15.0
"""Seconds after which a silent stream says that it is alive, and so learns whether somebody listens."""
_LONGEST = 600.0
"""Seconds after which a stream ends, and the browser opens the next: none holds a thread for ever."""
_QUEUE = 5_000


def place(requests: Requests, request: Request) -> int | None:
    """Which one in the queue a request is, from 1; None for one that does not wait."""
    if request.state != WAITING:
        return None
    ahead = [one.id for one in requests.waiting(_QUEUE)]
    return ahead.index(request.id) + 1 if request.id in ahead else None


def streamed(requests: Requests, name: str, offset: int) -> Response:
    """The stream of a request's events from an offset on; 503 where too many listen already."""
    if not _free.acquire(blocking=False):
        abort(503, f"{AT_ONCE} streams are open already; ask for the state each second instead.")
    answer = Response(_Stream(requests, name, offset), mimetype="text/event-stream")
    answer.headers["Cache-Control"] = "no-store"
    # Some proxies keep back what they think is not enough yet.
    answer.headers["X-Accel-Buffering"] = "no"
    return answer


class _Stream:
    """The lines of a stream; its place is free again when the server is done with it, whether it ever began or not."""

    def __init__(self, requests: Requests, name: str, offset: int) -> None:
        self._lines = _lines(requests, name, offset)
        self._is_open = True

    def __iter__(self) -> Generator[str, None, None]:
        return self._lines

    def close(self) -> None:
        """Give the place back."""
        if self._is_open:
            self._is_open = False
            self._lines.close()
            _free.release()


def _lines(requests: Requests, name: str, offset: int) -> Generator[str, None, None]:
    events = requests.events(name)
    began = spoke = time.monotonic()
    sure, last_place = 0.0, None
    yield "retry: 1000\n\n"
    while time.monotonic() - began < _LONGEST:
        found, offset = events.after(offset)
        if found:
            yield _event("events", found, offset)
            spoke = time.monotonic()
        if time.monotonic() - sure >= _SURE:
            sure = time.monotonic()
            request = requests.get(name)
            if request is None or request.is_ended:
                # What was told between the two looks.
                found, offset = events.after(offset)
                yield _event("events", found, offset)
                yield _event("end", request.state if request else "", offset)
                return
            now = place(requests, request)
            if now != last_place:
                last_place = now
                yield _event("place", now, offset)
        if time.monotonic() - spoke >= _HEARTBEAT:
            spoke = time.monotonic()
            yield ": still there\n\n"
        time.sleep(_LOOK)


def _event(kind: str, data: object, offset: int) -> str:
    return f"id: {offset}\nevent: {kind}\ndata: {json.dumps(data)}\n\n"
