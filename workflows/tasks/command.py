"""The `luigi` command around our tasks: scheduler checked, plan shown, errors in one line, the report named."""

from __future__ import annotations

import atexit
import gc
import os
import socket
import sys
from time import perf_counter
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from luigi.cmdline_parser import CmdlineParser
from luigi.task_register import Register

from workflows.errors import ParcoursError, SchedulerError, StoreError, listed_ranges
from workflows.identity.surroundings import restart_with_fixed_seed
from workflows.store.address import REPORT
from workflows.store.timing import Run
from workflows.tasks import complaints, configuration, handover, local
from workflows.tasks.kernels import warm_up
from workflows.tasks.listener import Action, Step, listener
from workflows.tasks.plan import UNPLANNED, is_incomplete, tree
from workflows.tasks.project import current
from workflows.tasks.reuse import Prospect
from workflows.tasks.terminal import terminal

if TYPE_CHECKING:
    from workflows.tasks.report import ReportTask
    from workflows.tasks.result import Result

_ANSWER_WITHIN = 3.0
_PROGRAMS = ("luigi", "luigi/__main__.py")


class _Run:
    """One run of the `luigi` command."""

    def __init__(self) -> None:
        self.process = 0
        self.began = 0.0
        self.reports: dict[str, ReportTask] = {}
        self.is_planned = False
        self.is_alone = False


_run = _Run()


def install() -> None:
    """Have Luigi run as it should, and show errors of the user's making in one line."""
    configuration.complete()
    complaints.install()
    local.install()


def begin() -> None:
    """Called before a task is planned: in a `luigi` command, check the scheduler once and open the terminal."""
    if _run.process or not _is_command():
        return
    _run.process = os.getpid()
    _run.began = perf_counter()
    terminal().open()
    configuration.fork()
    from luigi.interface import core

    settings = core()
    _run.is_alone = settings.local_scheduler
    if not settings.local_scheduler:
        _reach(settings.scheduler_url or f"http://{settings.scheduler_host}:{settings.scheduler_port}/")
    if not _shows_plan():
        restart_with_fixed_seed(_PROGRAMS, _hand_on)
    atexit.register(_end)


def asked(task: Any) -> None:
    """Called with every task: the root of a `luigi` command has its plan shown, or its first problem raised."""
    if _run.process != os.getpid() or not _is_command() or getattr(task, "version", "") == UNPLANNED:
        return
    parser = CmdlineParser.get_instance()
    if not _run.is_planned and parser.known_args.root_task == task.get_task_family():
        _run.is_planned = True
        if hasattr(task, "identity"):
            task.check_version()
            _show_plan([task], is_alone=True)
        else:
            _show_plan(list(task.deps()), is_alone=False)


def expect(report: ReportTask) -> None:
    """Called with every report: in a `luigi` command, it is named at the end."""
    if _run.process == os.getpid() and _is_command() and report.version != UNPLANNED:
        _run.reports[report.task_id] = report


def show_plan(tasks: list[Result]) -> None:
    """Open the terminal for another command than `luigi`, and show there what will be made."""
    terminal().open()
    _show_plan(tasks, is_alone=False)


def _hand_on() -> None:
    """Keep what was digested for the process that comes in the place of this one, which plans by itself."""
    current().save()
    handover.end(is_given_up=True)


def _show_plan(roots: list[Result], is_alone: bool) -> None:
    steps: list[Step] = []
    prospect = Prospect()
    incomplete: list[Result] = []
    impossible = 0
    seen: set[str] = set()
    for root in roots:
        if root.identity.problem:
            if is_alone:
                raise root.identity.problem
            impossible += 1
            continue
        try:
            looked = [] if root.complete() else [(task, task.complete()) for task in tree(root, is_incomplete)]
        except StoreError:
            # What cannot be read is no matter of the other reports; Luigi asks again, and says why.
            if is_alone:
                raise
            impossible += 1
            continue
        if not looked:
            if root.task_id not in seen:
                steps.append(_step(root, "reuse"))
            seen.add(root.task_id)
            continue
        incomplete.append(root)
        for task, is_complete in looked:
            if task.task_id in seen:
                continue
            seen.add(task.task_id)
            if not is_complete:
                # Before anything is said: what is known by now is kept for the process that comes in the place of this one.
                restart_with_fixed_seed(_PROGRAMS, _hand_on)
            steps.append(_step(task, "reuse" if is_complete else _way(task, prospect)))
    handover.write(incomplete)
    workers = _workers()
    warm_up(incomplete, workers)
    to_make, to_take, reused = (
        [step.task for step in steps if step.action == action] for action in ("make", "take", "reuse")
    )
    terminal().plan(to_make, to_take, len(reused), impossible)
    listener().planned(steps)
    current().save()
    if _run.process == os.getpid() and incomplete:
        current().run = Run.planned(_run.began, len(to_make) + len(to_take))


def _step(task: Result, action: Action) -> Step:
    return Step(task.get_task_family(), task.label, action)


def _way(task: Result, prospect: Prospect) -> Action:
    try:
        return "make" if prospect.equal(task) is None else "take"
    except StoreError:
        # What cannot be read is the error of the run.
        return "make"


def _end() -> None:
    """Name the reports, as the last lines of standard output."""
    if _run.process != os.getpid():
        return
    # The process ends: to look through all that it imported for what nobody needs would take longer than many results.
    gc.freeze()
    terminal().pause()
    current().save()
    handover.end(is_given_up=_run.is_alone)
    missing: dict[str, list[str]] = {}
    try:
        for report in _run.reports.values():
            if _is_complete(report):
                sys.stderr.flush()
                path = current().store.shown(f"{report.address.path}/{REPORT}")
                print(f"report: {path}", flush=True)  # noqa: T201 - the contract of standard output
            else:
                missing.setdefault(report.template, []).append(report.date.isoformat())
    except BrokenPipeError:
        # Nobody reads; Python must not complain about it when it closes the stream.
        sys.stdout = None
        return
    if missing and len(_run.reports) > 1:
        count = sum(map(len, missing.values()))
        terminal().tell("missing", f"{count} of {len(_run.reports)} reports")
        for template, dates in missing.items():
            terminal().tell("", f"{template}  {listed_ranges(dates)}")


def _is_complete(report: ReportTask) -> bool:
    try:
        return report.complete()
    except ParcoursError:
        # What cannot be read was the error of the run already.
        return False


def _shows_plan() -> bool:
    """Whether the root is ours, so that its plan says whether anything is to make; Luigi's ranges are not."""
    root = Register.get_task_cls(CmdlineParser.get_instance().known_args.root_task)
    return hasattr(root, "identity") or root.get_task_family() == "Backfill"


def _workers() -> int | None:
    """How many workers a `luigi` command has."""
    from luigi.interface import core

    return int(core().workers) if _is_command() else None


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
