"""One result made through the central scheduler of luigi.cfg, however often that goes away, or a scheduler of this process's own."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable
from http.client import HTTPException
from urllib.parse import urlsplit

from luigi.interface import core
from luigi.rpc import RemoteScheduler, RPCError
from luigi.scheduler import Scheduler
from luigi.task_status import FAILED, RUNNING

from workflows.errors import RunError
from workflows.tasks import calls
from workflows.tasks.failing import failures
from workflows.tasks.local import LocalScheduler, LocalWorker
from workflows.tasks.result import Result

PATIENCE = 20.0
"""Seconds that a scheduler which is gone is waited for, before the run goes on without."""
LOSSES = 3
"""How often it may go away, or be there and answer nothing, before the run goes on without."""
_PAUSE = 0.25
_ANSWER_WITHIN = 0.5
_IDLE_ROUNDS = 40
"""How often nothing may happen, at nobody's hands, before something is taken to be wrong."""

_GONE = (RPCError, ConnectionError, TimeoutError, HTTPException)
"""How a call to a scheduler ends that goes away."""

Say = Callable[[str], None]


def address() -> str:
    """Where luigi.cfg says that the central scheduler answers."""
    config = core()
    return str(config.scheduler_url or f"http://{config.scheduler_host}:{config.scheduler_port}/")


def answers(url: str) -> bool:
    """Whether somebody listens at an address; a socket of this machine is taken for one that does."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        return True
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
        socket.create_connection((parts.hostname or "localhost", port), timeout=_ANSWER_WITHIN).close()
    except OSError:
        return False
    return True


def make(root: Result, worker: str, say: Say) -> None:
    """Make a result, with what it needs, as a worker of this id; done only when the result is there.

    Where another process makes it, that is waited for. `say` is told what is waited for, and nothing when it goes on.
    Raises the error of the first task that fails.
    """
    failure = _tried(root, worker, say)
    # Here, because a task may fail like a scheduler that goes away.
    if failure:
        raise failure


def _tried(root: Result, worker: str, say: Say) -> BaseException | None:
    url = address()
    is_there = answers(url)
    for _ in range(LOSSES):
        if not is_there:
            break
        try:
            return _made(root, worker, calls.scheduler(url), say)
        except _GONE:
            say("waiting for the scheduler")
            is_there = _waited_for(url)
            say("")
            if is_there:
                give_up(worker)
    return _made(root, worker, LocalScheduler(prune_on_get_work=True, record_task_history=False), say)


def give_up(worker: str) -> None:
    """Have the scheduler know that what a worker ran has failed: else it takes the worker for alive for ten minutes."""
    url = address()
    if not answers(url):
        return
    scheduler = calls.scheduler(url)
    with contextlib.suppress(*_GONE, ValueError, AttributeError), contextlib.closing(scheduler):
        for name, task in scheduler.task_list(status=RUNNING, upstream_status="", limit=False).items():
            if task.get("worker_running") == worker:
                scheduler.add_task(worker=worker, task_id=name, status=FAILED, expl="its worker was killed")


def _made(root: Result, worker: str, scheduler: RemoteScheduler | Scheduler, say: Say) -> BaseException | None:
    """The error of the first task that failed, where the result is not there; raises one of _GONE where the scheduler goes away before the result is there."""
    idle = 0
    with failures() as failed:
        while not root.complete():
            if idle:
                time.sleep(_PAUSE)
            try:
                is_elsewhere = _round(root, worker, scheduler)
            except _GONE:
                if failed or root.complete():
                    break
                raise
            if failed:
                break
            say("another run is making it, which is waited for" if is_elsewhere else "")
            idle = 1 if is_elsewhere else idle + 1
            if idle > _IDLE_ROUNDS:
                raise RunError.nothing_happens(root.label)
    return failed[0] if failed and not root.complete() else None


def _round(root: Result, worker: str, scheduler: RemoteScheduler | Scheduler) -> bool:
    """One run of a worker; returns whether it ended because others run what it needs."""
    with LocalWorker(scheduler=scheduler, worker_id=worker, worker_processes=1, wait_interval=_PAUSE) as one:
        one.add(root)
        one.run()
        return bool(one._get_work_response_history and one._get_work_response_history[-1]["running_tasks"])


def _waited_for(url: str) -> bool:
    until = time.monotonic() + PATIENCE
    while not answers(url):
        if time.monotonic() > until:
            return False
        time.sleep(_PAUSE)
    return True
