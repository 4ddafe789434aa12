"""The `luigi` command around our tasks: scheduler checked, plan shown, errors in one line, the report named."""

from __future__ import annotations

import atexit
import datetime
import importlib
import logging
import os
import re
import socket
import sys
import traceback
import warnings
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from luigi.cmdline_parser import CmdlineParser
from luigi.configuration import get_config
from luigi.parameter import MissingParameterException, UnconsumedParameterWarning
from luigi.task_register import Register, TaskClassNotFoundException

from workflows.errors import ParcoursError, SchedulerError, UsageError
from workflows.store.address import REPORT
from workflows.tasks.plan import tree
from workflows.tasks.project import current
from workflows.tasks.terminal import terminal

if TYPE_CHECKING:
    from workflows.tasks.report import ReportTask
    from workflows.tasks.result import Result

_ANSWER_WITHIN = 3.0
# What Luigi must be told lest a failure looks like a success, for where luigi.cfg is silent or missing. The reasons are
# in the project's own luigi.cfg.
_UNLESS_SAID = {
    "core": {"log_level": "WARNING", "no_lock": "true", "rpc-retry-attempts": "3", "rpc-retry-wait": "2"},
    "worker": {"check_complete_on_run": "true"},
    "scheduler": {"stable_done_cooldown_secs": "0"},
    "retcode": {
        "already_running": "10",
        "missing_data": "20",
        "not_run": "25",
        "task_failed": "30",
        "scheduling_error": "35",
        "unhandled_exception": "40",
    },
}
_OURS_IN_TRACEBACK = re.compile(r"\AWill not run .*\nworkflows\.errors\.\w+: (.*)\Z", re.DOTALL)


class _Run:
    """One run of the `luigi` command."""

    def __init__(self) -> None:
        self.process = 0
        self.reports: dict[str, ReportTask] = {}
        self.is_planned = False


_run = _Run()


def install() -> None:
    """Have Luigi run as it should, and show errors of the user's making in one line; tracebacks at --log-level DEBUG."""
    for section, keys in _UNLESS_SAID.items():
        for key, value in keys.items():
            if not get_config().has_option(section, key):
                get_config().set(section, key, value)
    if any(word.startswith("Range") for word in sys.argv[1:]):
        _prepare_ranges()
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


def _prepare_ranges() -> None:
    """Make Luigi's ranges known, which costs a tenth of its own start: not for those who use none."""
    importlib.import_module("luigi.tools.range")
    warnings.filterwarnings("ignore", r'Parameter "param_name" with value "None" is not of type string')
    if "--start" in sys.argv and not get_config().has_option("RangeDaily", "days_back"):
        # A range leaves out what is more than 100 days ago, without a word, even where its start is given.
        get_config().set("RangeDaily", "days_back", str(datetime.date.today().toordinal() - 1))


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

    if isinstance(task, ReportTask):
        _run.reports[task.task_id] = task
    parser = CmdlineParser.get_instance()
    if not _run.is_planned and parser.known_args.root_task == task.get_task_family():
        _run.is_planned = True
        if hasattr(task, "identity"):
            task.check_version()
            _show_plan([task], is_alone=True)
        else:
            _show_plan(list(task.deps()), is_alone=False)


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
    try:
        for report in _run.reports.values():
            if report.complete():
                sys.stderr.flush()
                path = current().store.shown(f"{report.address.path}/{REPORT}")
                print(f"report: {path}", flush=True)  # noqa: T201 - the contract of standard output
            else:
                missing.append(report.label)
    except ParcoursError:
        # A store that cannot be read was the error of the run already.
        return
    except BrokenPipeError:
        # Nobody reads; Python must not complain about it when it closes the stream.
        sys.stdout = None
        return
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
    error = _for_the_user(record.exc_info[1]) if record.exc_info else None
    if _shows_tracebacks():
        return True
    if error:
        record.msg, record.args, record.exc_info, record.exc_text = str(error), (), None, None
    # What happens while Luigi asks whether a task is complete reaches the log as the text of a traceback.
    told = _OURS_IN_TRACEBACK.search(record.getMessage())
    if told and record.levelno == logging.WARNING:
        record.msg, record.args, record.levelno, record.levelname = told[1].strip(), (), logging.ERROR, "ERROR"
    return True


def _shows_tracebacks() -> bool:
    # An error while the command line is read comes before Luigi has set its level.
    return logging.getLogger("luigi-interface").isEnabledFor(logging.DEBUG) or "DEBUG" in sys.argv


def _for_the_user(error: BaseException | None) -> ParcoursError | None:
    """An error as the user should read it, or None for one that only a traceback explains.

    Luigi's errors carry what they are about in their sentence only.
    """
    if isinstance(error, ParcoursError):
        return error
    if isinstance(error, KeyboardInterrupt):
        return UsageError.interrupted()
    if isinstance(error, ValueError):
        return _not_parsed(error)
    if isinstance(error, MissingParameterException):
        found = re.match(r"(\w+)\[.*requires the '(\w+)' parameter to be set", str(error), re.DOTALL)
        return UsageError.not_given(found[1], found[2]) if found else None
    if isinstance(error, TaskClassNotFoundException):
        found = re.match(r"No task (.*?)\. ", str(error), re.DOTALL)
        return UsageError.unknown_task(found[1], _runnable()) if found else None
    return None


def _not_parsed(error: ValueError) -> ParcoursError | None:
    """A value on the command line that its parameter cannot hold: Luigi says neither which nor whose."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_name == "_get_task_kwargs":
            known = frame.f_locals
            kind = type(known["param_obj"]).__name__.removesuffix("Parameter").lower()
            option = f"--{known['param_name'].replace('_', '-')}"
            return UsageError.wrong(option, known["attr"], kind, error)
    return None


def _runnable() -> list[str]:
    """The tasks that a user can ask for: ours, the ranges, and those of the pipelines."""
    ours = [name for name in Register.task_names() if not Register._get_reg()[name].__module__.startswith("luigi.")]
    return sorted({"RangeDaily", *ours} - {"Query", "Stage", "Result"})


_Hook = Callable[[type[BaseException], BaseException, TracebackType | None], Any]


def _excepthook(previous: _Hook) -> _Hook:
    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        told = _for_the_user(error)
        if told and not _shows_tracebacks():
            print(f"ERROR: {told}", file=sys.stderr)  # noqa: T201 - what Python itself would print here
        else:
            previous(kind, error, trace)

    return hook
