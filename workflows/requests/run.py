"""One request worked off by this process, a fork of the worker: the project loaded anew, the report made, the end written."""

from __future__ import annotations

import contextlib
import datetime
import importlib
import traceback

from workflows.errors import ParcoursError
from workflows.notebooks.warm import lease
from workflows.requests import ahead
from workflows.requests.again import again
from workflows.requests.hearing import Hearing
from workflows.requests.queue import Requests
from workflows.requests.request import FAILED, MADE, THEN, Request
from workflows.tasks import central, command, handover
from workflows.tasks import project as projects
from workflows.tasks.imports import imported_by
from workflows.tasks.kernels import imported_ahead
from workflows.tasks.listener import listen
from workflows.tasks.record import requested
from workflows.tasks.report import ReportTask

_THERE = "it was there already"


def worker_id(request: Request) -> str:
    """How a try of a request is called in the scheduler."""
    return f"request-{request.id}-{request.tries}"


def run(requests: Requests, request: Request) -> None:
    """Work a request off, and write its end; raises KeyboardInterrupt where it is to be given up."""
    hearing = Hearing(requests.events(request.id))
    listen(hearing)
    try:
        if request.how == THEN:
            _fresh()
            made = again(request, requests.folder(request.id), hearing)
            hearing.grown(made.page)
            requests.finish(request, MADE, made.message)
        else:
            report = _made(requests, request)
            requests.finish(request, MADE, hearing.last or _THERE, report)
    except ParcoursError as error:
        print(f"ERROR: {error}", flush=True)  # noqa: T201 - the log
        requests.finish(request, FAILED, str(error), hearing.failed_report)
    except Exception as error:
        traceback.print_exc()
        why = f"{type(error).__name__}: {' '.join(str(error).split())}".rstrip(": ")
        requests.finish(request, FAILED, f"{request.label} failed: {why}. The log says where.", hearing.failed_report)
    finally:
        _end()


def _made(requests: Requests, request: Request) -> str:
    """The path in the store of the report."""
    _fresh()
    handover.begin()
    requested(request.person, request.id)
    root = ReportTask(
        date=datetime.date.fromisoformat(request.date), template=request.template, parameters=request.parameters
    )
    if root.identity.problem:
        raise root.identity.problem
    command.show_plan([root])
    if not root.complete():
        with contextlib.suppress(OSError):
            ahead.tell(projects.current().settings.web, imported_by(root), imported_ahead([root]) or ())
        central.make(root, worker_id(request), _Saying(requests, request))
    return root.address.path


def _fresh() -> None:
    """Have settings, templates and modules be read as they are now."""
    projects.forget()
    importlib.invalidate_caches()
    command.install()


class _Saying:
    """What a run waits for, said once each time."""

    def __init__(self, requests: Requests, request: Request) -> None:
        self._requests, self._request = requests, request
        self._said = ""

    def __call__(self, message: str) -> None:
        if message != self._said:
            self._said = message
            self._requests.say(self._request, message)


def _end() -> None:
    """Keep what was digested for the next process; of what this one started, nothing stays."""
    with contextlib.suppress(ParcoursError, OSError):
        if projects.current.cache_info().currsize:
            projects.current().save()
        handover.end()
    lease.end()
