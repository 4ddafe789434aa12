"""Progress of a running task: in the terminal, in the scheduler's web view, for a listener. It never fails a task."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from luigi.scheduler import Scheduler

from workflows.store.timing import Stopwatch
from workflows.tasks.listener import listener
from workflows.tasks.terminal import terminal

if TYPE_CHECKING:
    from workflows.tasks.result import Result

_SHOW_EVERY = 2.0


class Progress:
    """How far one task is."""

    def __init__(self, task: Result, scheduler: _SchedulerView, timing: Stopwatch) -> None:
        self._task = task
        self._scheduler = scheduler
        self.timing = timing
        """Where the task's time goes."""

    def step(self, message: str, done: int, of: int) -> None:
        """Say that `done` of `of` parts are done."""
        terminal().step(self._task.label, message, done, of)
        listener().step(self._task.label, message, done, of)
        self._scheduler.put(set_status_message=message, set_progress_percentage=round(100 * done / max(of, 1)))

    def link(self, url: str) -> None:
        """Say where the growing result can be seen."""
        self._scheduler.put(set_tracking_url=url)

    @property
    def shows_every(self) -> float | None:
        """Seconds between two pages of a growing report; None where nobody can see them."""
        return listener().shows_every or (_SHOW_EVERY if self._scheduler.is_seen else None)

    def made(self, shown: str) -> None:
        """Say that the task is done, and what it made."""
        self._done("made", shown, shown)

    def taken_over(self, origin: str) -> None:
        """Say that the task is done, and from where its result was taken over."""
        self._done("taken over", f"from {origin}", f"taken over from {origin}")

    def _done(self, word: str, shown: str, status: str) -> None:
        terminal().done(word, self._task.label, shown)
        listener().done(word, self._task.label, shown)
        self._scheduler.put(set_status_message=status, set_progress_percentage=100)


@contextlib.contextmanager
def watched(task: Result, timing: Stopwatch) -> Iterator[Progress]:
    """The progress of a task, from its start to its end."""
    terminal().started(task.label)
    listener().started(task.label)
    scheduler = _SchedulerView(task)
    try:
        yield Progress(task, scheduler, timing)
    except BaseException as error:
        terminal().pause()
        listener().failed(task.label, _why(error))
        raise
    finally:
        scheduler.close()


def _why(error: BaseException) -> str:
    return "interrupted" if isinstance(error, KeyboardInterrupt) else str(error) or type(error).__name__


class _SchedulerView:
    """Luigi's setters of message, percentage and link, called from a thread of their own.

    Each is a blocking call to the scheduler, which may be slow or gone, and then raises: the task must not notice. Only
    the newest value of each counts, and at most one of each is sent in a second.
    """

    _INTERVAL = 1.0
    _FAREWELL = 0.5

    def __init__(self, task: Result) -> None:
        self._task = task
        self._waiting: dict[str, Any] = {}
        self._news = threading.Condition()
        self._closed = False
        self._thread: threading.Thread | None = None

    @property
    def is_seen(self) -> bool:
        """Whether the scheduler is one that shows its tasks, not one of this command's own."""
        setter = getattr(self._task, "set_status_message", None)
        return setter is not None and not isinstance(setter.__self__._scheduler, Scheduler)

    def put(self, **values: Any) -> None:
        """Have these values sent, by the name of Luigi's setter."""
        if not self.is_seen:
            self._call(values)
            return
        with self._news:
            self._waiting.update(values)
            self._news.notify()
        if self._thread is None:
            self._thread = threading.Thread(target=self._send, name="scheduler-view", daemon=True)
            self._thread.start()

    def _call(self, values: dict[str, Any]) -> None:
        for setter, value in values.items():
            call = getattr(self._task, setter, None)
            if call is not None:
                with contextlib.suppress(Exception):
                    call(value)

    def close(self) -> None:
        """Send what is waiting, if the scheduler takes it soon."""
        with self._news:
            self._closed = True
            self._news.notify()
        if self._thread is not None:
            self._thread.join(self._FAREWELL)

    def _send(self) -> None:
        while True:
            with self._news:
                self._news.wait_for(lambda: self._waiting or self._closed)
                values, self._waiting = self._waiting, {}
            self._call(values)
            with self._news:
                if self._closed and not self._waiting:
                    return
                self._news.wait_for(lambda: self._closed, timeout=self._INTERVAL)
