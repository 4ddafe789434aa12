"""What runs in a commit's worktree, with that commit's own code: the reports of a suite, through the public door only.

Run as text, so that nothing of this file's own package is imported. A request in JSON on standard input; the answer in JSON
in the file that the request names.
"""

from __future__ import annotations

import ctypes
import datetime
import json
import platform
import sys
from collections.abc import Iterable, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any


def main() -> None:
    """Answer the request."""
    if sys.platform == "linux":
        # PR_SET_PDEATHSIG: what nobody waits for any more ends, with SIGTERM.
        ctypes.CDLL(None).prctl(1, 15)
    request = json.load(sys.stdin)
    unknown: dict[str, Any] = {"path": None, "version": None, "is_reused": False, "failure": None}
    reports = [dict(unknown) for _ in request["reports"]]
    answer: dict[str, Any] = {
        "python": platform.python_version(),
        "packages": {d.metadata["Name"]: d.version for d in metadata.distributions() if d.metadata["Name"]},
        "reports": reports,
        "made": 0,
        "reused": 0,
        "problem": None,
    }
    try:
        answer["made"], answer["reused"] = make(request["reports"], reports)
    except (Exception, SystemExit) as error:
        if is_of_machine(error):
            answer["problem"] = said(error)
        for found in reports:
            found["failure"] = found["failure"] or said(error)
    Path(request["answer"]).write_text(json.dumps(answer), encoding="utf-8")


def make(wanted: Sequence[dict[str, Any]], reports: Sequence[dict[str, Any]]) -> tuple[int, int]:
    """Make the reports and say of each what became of it; returns how many results were made, or tried, and found."""
    import luigi

    from workflows import ReportTask

    tasks: dict[int, Any] = {}
    for number, report in enumerate(wanted):
        try:
            tasks[number] = planned(ReportTask, report)
            reports[number]["version"] = tasks[number].version
        except Exception as error:
            if is_of_machine(error):
                raise
            reports[number]["failure"] = said(error)
    below = tree(tasks.values())
    before = {name for name, task in below.items() if is_complete(task)}
    tried: set[str] = set()
    failures: dict[str, BaseException] = {}
    luigi.Task.event_handler(luigi.Event.START)(lambda task: tried.add(task.task_id))
    luigi.Task.event_handler(luigi.Event.FAILURE)(lambda task, error: failures.update({task.task_id: error}))
    missing = [task for task in tasks.values() if task.task_id not in before]
    if missing:
        show(missing)
        luigi.build(missing, local_scheduler=True, workers=1, log_level="CRITICAL")
    of_machine = next(filter(is_of_machine, failures.values()), None)
    if of_machine is not None:
        raise of_machine
    for number, task in tasks.items():
        folder = f"ReportTask/{task.date.isoformat()}/{task.template}-{task.version[:16]}"
        if is_complete(task):
            reports[number].update(path=folder, is_reused=task.task_id in before)
        else:
            why = dict.fromkeys(said(failures[name]) for name in tree([task]) if name in failures)
            reports[number]["failure"] = "; ".join(why) or "it was not made; the log says why"
    return len(tried), len(before)


def planned(report_task: Any, report: dict[str, Any]) -> Any:
    """The task of a report; raises what is known beforehand to fail it."""
    day = datetime.date.fromisoformat(report["date"])
    task = report_task(date=day, template=report["template"], parameters=json.dumps(report["parameters"]))
    problem = getattr(getattr(task, "identity", None), "problem", None)
    if problem is not None:
        raise problem
    return task


def tree(roots: Iterable[Any]) -> dict[str, Any]:
    """All tasks from these downwards, by their ids."""
    found: dict[str, Any] = {}
    waiting = list(roots)
    while waiting:
        task = waiting.pop()
        if task.task_id not in found:
            found[task.task_id] = task
            waiting += task.deps()
    return found


def is_complete(task: Any) -> bool:
    """Whether a result is stored; one that cannot be read is not."""
    try:
        return bool(task.complete())
    except Exception:
        return False


def show(tasks: Sequence[Any]) -> None:
    """Have the run show what it makes, and kernels start meanwhile, where the commit's Parcours can."""
    try:
        from workflows.tasks.command import show_plan
    except ImportError:
        return
    show_plan(list(tasks))


def is_of_machine(error: BaseException) -> bool:
    """Whether an error says nothing of the commit: the store cannot be written, or what it holds is damaged."""
    known = {"StoreError", "DamagedDataset"}
    return any(kind.__name__ in known and kind.__module__ == "workflows.errors" for kind in type(error).__mro__)


def said(error: BaseException) -> str:
    """An error in a line: its own words, and the last place in the commit's code."""
    own, place, trace = f"{Path.cwd()}/", "", error.__traceback__
    # The folder is another in each run, and gone when the words are read.
    words = " ".join(str(error).split()).replace(own, "") or type(error).__name__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if file.startswith(own):
            place = f" ({file.removeprefix(own)}, line {trace.tb_lineno})"
        trace = trace.tb_next
    is_told = type(error).__module__.startswith("workflows.")
    return words if is_told else f"{type(error).__name__}: {words}{place}"


if __name__ == "__main__":
    main()
