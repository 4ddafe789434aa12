"""The worker: one warm process that forks a child for each request, and sees to it that each comes to its end."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from workflows.errors import ParcoursError, RequestError
from workflows.identity.surroundings import fixed
from workflows.notebooks.guarded import kill_marked
from workflows.notebooks.warm import lease
from workflows.requests import ahead, run
from workflows.requests.child import Child, forked, locked, mark
from workflows.requests.queue import Requests
from workflows.requests.request import CANCELLED, FAILED, Request
from workflows.requests.tidy import tidy
from workflows.settings import Settings
from workflows.store.artefacts import Store
from workflows.tasks import central
from workflows.tasks.imports import import_ahead

TRIES = 3
"""How often a request is begun whose child is killed each time."""
_IDLE = 0.02
_BUSY = 0.02
_LOOK_EVERY = 1.0
_TIDY_EVERY = 3600.0
_AHEAD = 20
"""How many of those whose turn it is are tried: others may be begun by other workers in this very moment."""


class Worker:
    """Works requests off, as many at once as it is told, until it is asked to end."""

    def __init__(self, settings: Settings, at_once: int, environment: Mapping[str, str]) -> None:
        """`environment` are the variables of the children: this process's own, before packages added theirs."""
        self._settings, self._at_once, self._environment = settings, at_once, dict(environment)
        self._requests = Requests(settings.web)
        self._children: list[Child] = []
        self._ahead = ahead.Ahead()
        self._news = News(self._requests)
        self._looked = self._tidied = -_TIDY_EVERY
        self._said = ""
        self.ends = False
        """Whether it was asked to end."""
        self.begun = 0
        """How many children it has forked."""

    def work(self) -> None:
        """Work until asked to end; what runs then waits for the next worker, and no process is left."""
        with _asked_to_end(self._end):
            try:
                self._warm()
                while not self.ends:
                    self._step()
                    time.sleep(_BUSY if self._children else _IDLE)
            finally:
                self._let_go()
                self._news.close()
                lease.end()

    def _end(self) -> None:
        self.ends = True

    def _step(self) -> None:
        """What is to do in this moment. What cannot be written now is tried again."""
        try:
            is_new, now = self._news.are_there(), time.monotonic()
            is_time = now - self._looked >= _LOOK_EVERY
            ended = self._reap()
            if is_new or any(child.given_up for child in self._children):
                self._give_up_cancelled()
            if is_time:
                self._looked = now
                self._recover()
                for child in self._children:
                    self._requests.events(child.request.id).curb()
            if is_new or is_time or ended:
                self._begin()
            if now - self._tidied >= _TIDY_EVERY:
                self._tidied = now
                tidy(self._requests)
        except (ParcoursError, OSError) as error:
            self._complain(str(error))
            self._news.close()
            time.sleep(_LOOK_EVERY)

    def _complain(self, message: str) -> None:
        """Say what cannot be done, once for as long as it stays the same."""
        if message != self._said:
            self._said = message
            print(f"ERROR: {message}", file=sys.stderr, flush=True)  # noqa: T201 - the worker's log

    def _warm(self) -> None:
        """Import what runs have imported, and have the kernels' parent do so."""
        names = ahead.read(self._settings.web)
        if names != self._ahead or not self.begun:
            self._ahead = names
            import_ahead(names.tasks)
            gc.collect()
            gc.freeze()
        if self._settings.warm_kernels and names.kernels:
            need = lease.Need(self._at_once)
            lease.start(fixed(self._environment), self._settings.root, names.kernels, need)
            lease.renew()

    def _begin(self) -> None:
        if len(self._children) >= self._at_once:
            return
        for request in self._requests.waiting(_AHEAD):
            lock = locked(self._requests.folder(request.id))
            if lock is None:
                # Another worker is at it.
                continue
            try:
                begun = self._requests.begin(request.id)
                if begun:
                    self._fork(begun, lock)
            finally:
                os.close(lock)
            if len(self._children) >= self._at_once:
                return

    def _fork(self, request: Request, lock: int) -> None:
        try:
            lease.renew()
            # An open connection must not reach another process.
            self._news.close()
            work = partial(run.run, self._requests, request)
            log = self._requests.events(request.id).log
            self._children.append(forked(request, log, self._environment, work, lock))
        except OSError:
            # This machine has no room for another process now, which is not the request's fault.
            self._requests.release(request, "", counts=False)
            raise
        self.begun += 1

    def _reap(self) -> bool:
        """Whether a child has ended, and its request with it."""
        ended = [(child, code) for child in self._children if (code := child.ended()) is not None]
        # All at once: one whose end cannot be written now is found again by `_recover`, and must not keep the others here.
        gone = [child for child, _ in ended]
        self._children = [child for child in self._children if child not in gone]
        for child, code in ended:
            if code != 0:
                self._after(child.request, _how(code))
        if ended:
            self._warm()
        return bool(ended)

    def _give_up_cancelled(self) -> None:
        for child in self._children:
            found = self._requests.get(child.request.id) if child.given_up is None else None
            if child.given_up or (found and found.cancelled_by):
                child.give_up()

    def _recover(self) -> None:
        """See to requests whose worker was killed, and their children with it."""
        own = {child.request.id for child in self._children}
        for request in self._requests.running():
            lock = None if request.id in own else locked(self._requests.folder(request.id))
            if lock is not None:
                try:
                    kill_marked(mark(request))
                    self._after(request, "its worker was killed")
                finally:
                    os.close(lock)

    def _after(self, request: Request, why: str, counts: bool = True) -> None:
        """Have a request whose child is dead wait again, or end: where it was cancelled, or killed too often."""
        central.give_up(run.worker_id(request))
        self._sweep()
        found = self._requests.get(request.id)
        if found is None or found.is_ended or found.tries != request.tries:
            return
        if counts and request.tries >= TRIES and not found.cancelled_by:
            message = f"{request.label} was begun {request.tries} times and did not come to an end: {why}. "
            self._requests.finish(request, FAILED, f"{message}The log says how far it came; more memory may help.")
        elif not self._requests.release(request, f"begun again: {why}" if counts else "", counts):
            # It cannot wait where somebody wants it to end.
            self._cancelled(request)

    def _cancelled(self, request: Request) -> None:
        found = self._requests.get(request.id)
        if found and found.cancelled_by:
            self._requests.finish(request, CANCELLED, f"cancelled by {found.cancelled_by}")

    def _sweep(self) -> None:
        """Remove what killed processes left half made: whoever stages something new does."""
        settings = self._settings
        with contextlib.suppress(ParcoursError), Store.at(settings.store, settings.cache, settings.catalog).staged():
            pass

    def _let_go(self) -> None:
        """End the children; their requests wait for the next worker, and this try does not count."""
        while self._children:
            for child in list(self._children):
                code = child.ended()
                if code is None:
                    child.give_up()
                    continue
                self._children.remove(child)
                with contextlib.suppress(ParcoursError, OSError):
                    self._after(child.request, "", counts=False)
            time.sleep(_BUSY)


class News:
    """Whether the requests have changed since this was asked last, which costs some microseconds."""

    def __init__(self, requests: Requests) -> None:
        self._database = requests.database
        self._connection: sqlite3.Connection | None = None
        self._version = 0
        self._file: object = None

    def are_there(self) -> bool:
        """Whether another process, or this one, has written since; raises RequestError."""
        try:
            connection, before = self._opened(), self._version
            self._version = connection.execute("PRAGMA data_version").fetchone()[0]
        except sqlite3.Error as error:
            self.close()
            raise RequestError.unusable(str(self._database.path), str(error)) from error
        return self._version != before

    def _opened(self) -> sqlite3.Connection:
        file = self._database.file()
        if self._connection is None or file != self._file:
            self.close()
            with self._database.session():
                self._connection = sqlite3.connect(self._database.path)
            self._file, self._version = self._database.file(), 0
        return self._connection

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


@contextlib.contextmanager
def _asked_to_end(end: Callable[[], None]) -> Iterator[None]:
    """Have the signals that ask a process to end be heard between two steps."""

    def heard(number: int, frame: object) -> None:
        end()

    before = {number: signal.signal(number, heard) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _how(code: int) -> str:
    if code < 0:
        with contextlib.suppress(ValueError):
            return f"its process was killed ({signal.Signals(-code).name})"
    return f"its process ended with code {code}"
