"""The scheduler of a run in one process hands out the tasks that Luigi's own would, in its order."""

from __future__ import annotations

from luigi.scheduler import Scheduler
from luigi.task_status import DONE, PENDING

from workflows.tasks.local import LocalScheduler

Graph = dict[str, tuple[list[str], int]]
"""Tasks in the order in which a worker tells of them, each with what it requires and its priority."""

BACKFILL: Graph = {
    "all": (["report 1", "report 2", "report 3"], 0),
    "report 1": (["stage 1"], 0),
    "report 2": (["stage 2"], 0),
    "report 3": (["stage 3"], 0),
    "stage 1": ([], 0),
    "stage 2": ([], 0),
    "stage 3": ([], 0),
}
RAISED: Graph = {
    "all": (["shared", "other", "way"], 0),
    "shared": ([], 0),
    "other": ([], 5),
    "way": (["urgent"], 0),
    "urgent": (["shared"], 10),
}


def order(scheduler: Scheduler, graph: Graph) -> list[str]:
    """The tasks as one worker is given them."""
    for name, (deps, priority) in graph.items():
        scheduler.add_task(task_id=name, worker="w", status=PENDING, deps=deps, priority=priority, family=name)
    found = []
    while task := scheduler.get_work(worker="w", current_tasks=[])["task_id"]:
        found.append(task)
        scheduler.add_task(task_id=task, worker="w", status=DONE, family=task)
    return found


def test_what_is_begun_is_finished_before_more_is_begun() -> None:
    found = order(LocalScheduler(), BACKFILL)
    assert found == order(Scheduler(), BACKFILL)
    # One by one: who interrupts a backfill has the reports that were made until then.
    assert [name.split()[0] for name in found] == ["stage", "report"] * 3 + ["all"]


def test_what_an_urgent_task_requires_becomes_urgent_with_it() -> None:
    found = order(LocalScheduler(), RAISED)
    assert found == order(Scheduler(), RAISED)
    assert found[0] == "shared"
