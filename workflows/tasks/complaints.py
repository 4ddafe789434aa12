"""Errors of a `luigi` command as the user should read them: one line, and tracebacks at --log-level DEBUG only."""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import Callable
from types import TracebackType
from typing import Any

from luigi.configuration import get_config
from luigi.parameter import MissingParameterException
from luigi.task_register import Register, TaskClassNotFoundException

from workflows.errors import ParcoursError, UsageError

_OURS_IN_TRACEBACK = re.compile(r"\AWill not run .*\nworkflows\.errors\.\w+: (.*)\Z", re.DOTALL)
_told: set[str] = set()
_REFUSED = 40


def install() -> None:
    """Have everything that Luigi and Python say of our errors pass through here."""
    logging.getLogger("luigi-interface").addFilter(_shortened)
    log = logging.getLogger("workflows")
    if not log.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
        log.addHandler(handler)
        log.propagate = False
    sys.excepthook = _excepthook(sys.excepthook)


def _shortened(record: logging.LogRecord) -> bool:
    """A log record about one of our errors, reduced to the error's own text."""
    error = _for_the_user(record.exc_info[1]) if record.exc_info else None
    if _shows_tracebacks():
        return True
    if error and str(error) in _told:
        # Reports of one date fail for the same reason; it is said once.
        return False
    if error:
        _told.add(str(error))
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
            if not isinstance(error, KeyboardInterrupt):
                # Refused before Luigi's own handling began, with the code that Luigi would have given.
                sys.exit(get_config().getint("retcode", "unhandled_exception", _REFUSED))
        else:
            previous(kind, error, trace)

    return hook
