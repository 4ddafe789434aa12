"""The `luigi` command around our tasks: the scheduler checked, the plan shown, errors in one line, the report named."""

from __future__ import annotations

import atexit
import logging
import os
import socket
import sys
import warnings
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from luigi.cmdline_parser import CmdlineParser
from luigi.parameter import UnconsumedParameterWarning

from workflows.errors import ParcoursError, SchedulerError
from workflows.store.address import REPORT
from workflows.tasks.plan import tree
from workflows.tasks.project import current
from workflows.tasks.terminal import terminal

if TYPE_CHECKING:
    from workflows.tasks.report import ReportTask
    from workflows.tasks.result import Result

_ANSWER_WITHIN = 3.0


class _Run:
    """One run of the `luigi` command."""

    def __init__(self) -> None:
        self.process = 0
        self.reports: list[ReportTask] = []
        self.is_planned = False


_run = _Run()


def install() -> None:
    """Have Luigi show our errors in one line. Tracebacks are Luigi's at --log-level DEBUG."""
    logging.getLogger("luigi-interface").addFilter(_shortened)
    # Luigi reads these keys of [core] itself, and then says that nobody does.
    warnings.filterwarnings("ignore", r".*'rpc_\w+'.*'core'", UnconsumedParameterWarning)
    log = logging.getLogger("workflows")
    if not log.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
        log.addHandler(handler)
        log.propagate = False
    sys.excepthook = _excepthook(sys.excepthook)


def begin() -> None:
    """Called before a task is planned: in a `luigi` command, check the scheduler once and open the terminal."""
    if _run.process or not _is_command():
        return
    _run.process = os.getpid()
    terminal().open()
    from luigi.interface import core

    settings = core()
    if not settings.local_scheduler:
        _reach(settings.scheduler_url or f"http://{settings.scheduler_host}:{settings.scheduler_port}/")
    atexit.register(_end)


def asked(task: Any) -> None:
    """Called with every task: the root of a `luigi` command has its plan shown, or its first problem raised."""
    if _run.process != os.getpid() or not _is_command():
        return
    from workflows.tasks.report import ReportTask

    if isinstance(task, ReportTask) and task not in _run.reports:
        _run.reports.append(task)
    parser = CmdlineParser.get_instance()
    if not _run.is_planned and parser.known_args.root_task == task.get_task_family():
        _run.is_planned = True
        roots = list(task.deps()) if not hasattr(task, "identity") else [task]
        _show_plan(roots, is_alone=hasattr(task, "identity"))


def _show_plan(roots: list[Result], is_alone: bool) -> None:
    to_make: list[str] = []
    reused = 0
    seen: set[str] = set()
    for root in roots:
        if root.complete():
            reused += root.task_id not in seen
            seen.add(root.task_id)
            continue
        for task in tree(root):
            if task.task_id in seen:
                continue
            seen.add(task.task_id)
            if is_alone and task.identity.recipe.problem:
                raise task.identity.recipe.problem
            if task.complete():
                reused += 1
            else:
                to_make.append(task.get_task_family())
    terminal().plan(to_make, reused)
    current().save()


def _end() -> None:
    """Name the reports, as the last lines of standard output."""
    if _run.process != os.getpid():
        return
    terminal().pause()
    current().save()
    missing = []
    for report in _run.reports:
        if report.complete():
            sys.stderr.flush()
            path = current().store.shown(f"{report.address.path}/{REPORT}")
            print(f"report: {path}", flush=True)  # noqa: T201 - the contract of standard output
        else:
            missing.append(report.label)
    if missing and len(_run.reports) > 1:
        terminal().tell("missing", f"{len(missing)} of {len(_run.reports)} reports: {', '.join(missing)}")


def _is_command() -> bool:
    return CmdlineParser.get_instance() is not None


def _reach(url: str) -> None:
    """Fail at once, and with the remedy, where Luigi would try for minutes."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        return
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
        socket.create_connection((parts.hostname or "localhost", port), timeout=_ANSWER_WITHIN).close()
    except OSError as error:
        raise SchedulerError.unreachable(url, error.strerror or str(error)) from error


def _shortened(record: logging.LogRecord) -> bool:
    """A log record about one of our errors, reduced to the error's own text."""
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, ParcoursError) and not logging.getLogger("luigi-interface").isEnabledFor(logging.DEBUG):
        record.msg, record.args, record.exc_info, record.exc_text = str(error), (), None, None
    return True


_Hook = Callable[[type[BaseException], BaseException, TracebackType | None], Any]


def _excepthook(previous: _Hook) -> _Hook:
    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if isinstance(error, ParcoursError):
            print(f"ERROR: {error}", file=sys.stderr)  # noqa: T201 - what Python itself would print here
        else:
            previous(kind, error, trace)

    return hook
