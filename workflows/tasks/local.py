"""Luigi's scheduler and worker for a run that has both in one process: the same tasks in the same order, without its detours.

Luigi's scheduler looks at every pending task each time it is asked for one, so that a run of n tasks takes n times n looks;
its worker passes each result through a pipe and a thread, to itself. Both are asked the same here and answer the same.
"""

from __future__ import annotations

import collections
import heapq
import time
from collections import defaultdict
from typing import Any

from luigi import interface
from luigi.scheduler import Scheduler
from luigi.task_status import DONE, PENDING, RUNNING
from luigi.worker import Worker


class LocalScheduler(Scheduler):
    """A scheduler that knows which tasks are ready; where resources or batches are asked for, it asks Luigi's."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._ready: list[tuple[int, float, str]] = []
        """The tasks that can run: the first by priority, then by when they were first heard of, as in Luigi's own order."""
        self._missing: dict[str, set[str]] = {}
        """For each task that cannot, the ones that are to be done before."""
        self._above: dict[str, list[str]] = defaultdict(list)
        self._is_plain = True

    def add_task(self, *args: Any, **kwargs: Any) -> None:
        """Luigi's, which is told of each new task and of each new status of one."""
        super().add_task(*args, **kwargs)
        task = self._state.get_task(kwargs.get("task_id"), default=None)
        if task is None:
            return
        self._is_plain &= not (task.resources or task.is_batchable())
        if task.status == PENDING:
            missing = {below for below in task.deps if not self._is_done(below)}
            for below in missing - self._missing.get(task.id, set()):
                self._above[below].append(task.id)
            self._missing[task.id] = missing
            self._push(task)
        elif task.status == DONE:
            for name in self._above.pop(task.id, ()):
                above = self._state.get_task(name, default=None)
                if above is not None and name in self._missing:
                    self._missing[name].discard(task.id)
                    self._push(above)

    def _update_priority(self, task: Any, prio: int, worker: str) -> None:
        before = task.priority
        super()._update_priority(task, prio, worker)
        if task.priority != before and task.id in self._missing:
            self._push(task)

    def get_work(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """The next task for a worker, in Luigi's own order."""
        if not self._is_plain or self._paused or kwargs.get("assistant"):
            return dict(super().get_work(*args, **kwargs))
        worker = self._update_worker(kwargs["worker"], worker_reference={"host": kwargs.get("host")}, get_work=True)
        task = self._next(worker) if worker.enabled else None
        if task is None and not (worker.enabled and kwargs.get("current_tasks")):
            # Nothing goes on: what is left can fail, wait for a retry or be done, which Luigi knows.
            return dict(super().get_work(*args, **kwargs))
        reply = {
            "n_pending_tasks": len(self._missing),
            "n_unique_pending": len(self._missing),
            "n_pending_last_scheduled": len(self._missing),
            "worker_state": worker.state,
            "running_tasks": [],
            "task_id": None,
        }
        if task is not None:
            self.update_metrics_task_started(task)
            self._state.set_status(task, RUNNING, self._config)
            task.worker_running, task.time_running = worker.id, time.time()
            task.resources_running = {}
            self._update_task_history(task, RUNNING, host=kwargs.get("host"))
            reply |= {"task_id": task.id, "task_family": task.family, "task_module": task.module}
            reply["task_params"] = task.params
        return reply

    def _next(self, worker: Any) -> Any:
        while self._ready:
            task = self._state.get_task(heapq.heappop(self._ready)[2], default=None)
            if task is not None and worker.id in task.workers and self._schedulable(task):
                self._missing.pop(task.id, None)
                return task
        return None

    def _push(self, task: Any) -> None:
        if not self._missing[task.id]:
            heapq.heappush(self._ready, (-task.priority, task.time, task.id))

    def _is_done(self, name: str) -> bool:
        task = self._state.get_task(name, default=None)
        return task is not None and task.status == DONE


class _Results(collections.deque[Any]):
    """The results of tasks: those that ran in this process at once, else what comes from others."""

    def __init__(self, others: Any) -> None:
        super().__init__()
        self._others = others
        self.close = others.close

    def put(self, result: Any) -> None:
        """Of a task that ran in this process."""
        self.append(result)

    def get(self, timeout: float) -> Any:
        """The next one, as multiprocessing's queue gives it."""
        return self.popleft() if self else self._others.get(timeout=timeout)


class LocalWorker(Worker):
    """A worker to which results of its own process come directly."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._from_others: Any = self._task_result_queue
        self._task_result_queue: Any = _Results(self._from_others)

    def run(self) -> bool:
        """Luigi's; what many processes would import is imported before."""
        if self.worker_processes > 1:
            from workflows.tasks.imports import import_for

            import_for(self._scheduled_tasks.values())
        return bool(super().run())

    def _create_task_process(self, task: Any) -> Any:
        process = super()._create_task_process(task)
        if process.use_multiprocessing:
            from workflows.tasks.kernels import keep_warm

            process.result_queue = self._from_others
            keep_warm(task)
        return process


class Factory(interface._WorkerSchedulerFactory):
    """What makes Luigi's scheduler and worker for a run."""

    def create_local_scheduler(self) -> Scheduler:
        """The scheduler of a run without a central one."""
        return LocalScheduler(prune_on_get_work=True, record_task_history=False)

    def create_worker(self, scheduler: Any, worker_processes: int, assistant: bool = False) -> Worker:
        """The worker, whichever the scheduler is."""
        return LocalWorker(scheduler=scheduler, worker_processes=worker_processes, assistant=assistant)


def install() -> None:
    """Have the `luigi` command run by these."""
    interface._WorkerSchedulerFactory = Factory  # type: ignore[misc]
