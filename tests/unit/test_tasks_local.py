"""Runs with a scheduler and worker of our own: as Luigi runs them, in the same order, whatever its tasks ask for."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import luigi
import pytest
from luigi.configuration import get_config
from luigi.parameter import UnconsumedParameterWarning

from workflows.tasks.local import Factory, LocalScheduler, LocalWorker

Run = Callable[..., bool]


class Noted(luigi.Task):
    """A task that notes in its folder that it ran, and in which process."""

    folder = luigi.Parameter()
    name = luigi.Parameter()
    below = luigi.ListParameter(default=())
    rank = luigi.IntParameter(default=0)

    @property
    def priority(self) -> int:
        return int(self.rank)

    def requires(self) -> list[luigi.Task]:
        return [type(self)(folder=self.folder, name=name) for name in self.below]

    def output(self) -> luigi.LocalTarget:
        return luigi.LocalTarget(f"{self.folder}/{self.name}")

    def run(self) -> Any:
        self.note()
        with self.output().open("w"):
            pass

    def note(self) -> None:
        with Path(self.folder, "ran").open("a") as file:
            file.write(f"{self.name} {os.getpid()}\n")


class Failing(Noted):
    def run(self) -> None:
        self.note()
        raise ValueError("as it must")


class FailingOnce(Noted):
    retry_count = 2

    def run(self) -> None:
        is_first = self.name not in ran(Path(self.folder))
        super().run()
        if is_first:
            self.output().remove()
            raise ValueError("the first time")


class AboveFailing(Noted):
    def requires(self) -> list[luigi.Task]:
        return [Failing(folder=self.folder, name="failing"), Noted(folder=self.folder, name="beside")]


class Yielding(Noted):
    def run(self) -> Any:
        yield [Noted(folder=self.folder, name=name) for name in ("one", "two")]
        yield Noted(folder=self.folder, name="three", below=["four"])
        super().run()


class Endless(Noted):
    worker_timeout = 1

    def run(self) -> None:
        self.note()
        time.sleep(60)


class Scarce(Noted):
    resources = {"things": 1}  # noqa: RUF012 - as Luigi has it


class Batched(luigi.Task):
    folder = luigi.Parameter()
    number = luigi.IntParameter(batch_method=max)

    def output(self) -> luigi.LocalTarget:
        return luigi.LocalTarget(f"{self.folder}/{self.number}")

    def run(self) -> None:
        with Path(self.folder, "ran").open("a") as file:
            file.write(f"{self.number} {os.getpid()}\n")
        for number in range(self.number + 1):
            with luigi.LocalTarget(f"{self.folder}/{number}").open("w"):
                pass


class All(luigi.WrapperTask):
    """Requires what its module is told, because tasks are no parameters."""

    names = luigi.ListParameter()
    folder = luigi.Parameter()
    made: dict[str, list[luigi.Task]] = {}  # noqa: RUF012 - told by the tests

    def requires(self) -> list[luigi.Task]:
        return self.made[self.folder]


def ran(folder: Path) -> list[str]:
    """The names of the tasks that ran, in order."""
    log = folder / "ran"
    return [line.split()[0] for line in log.read_text().splitlines()] if log.exists() else []


def processes(folder: Path) -> set[int]:
    """The processes that they ran in."""
    return {int(line.split()[1]) for line in (folder / "ran").read_text().splitlines()}


@pytest.fixture
def run() -> Iterator[Run]:
    """Runs tasks; whether all that was asked for was made."""
    before = multiprocessing.get_start_method(allow_none=True)
    multiprocessing.set_start_method("fork", force=True)

    def with_ours(*tasks: luigi.Task, workers: int = 1, factory: Any = None, **settings: Any) -> bool:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UnconsumedParameterWarning)
            warnings.simplefilter("ignore", DeprecationWarning)
            given = {"local_scheduler": True, "workers": workers, "log_level": "CRITICAL", **settings}
            return bool(luigi.build(list(tasks), factory or Factory(), **given))

    yield with_ours
    multiprocessing.set_start_method(before, force=True)


@pytest.fixture
def patient() -> Iterator[None]:
    """A worker that stays for retries, which come soon."""
    settings = {"worker": {"keep_alive": "true", "wait_interval": "0.05", "wait_jitter": "0.05"}}
    settings["scheduler"] = {"retry_delay": "0.1"}
    for section, keys in settings.items():
        for key, value in keys.items():
            get_config().set(section, key, value)
    yield
    for section, keys in settings.items():
        for key in keys:
            get_config().remove_option(section, key)


def test_a_run_uses_the_scheduler_and_the_worker_of_ours() -> None:
    scheduler = Factory().create_local_scheduler()
    assert isinstance(scheduler, LocalScheduler)
    worker = Factory().create_worker(scheduler, 1)
    assert isinstance(worker, LocalWorker)
    worker._task_result_queue.close()


@pytest.mark.parametrize("ranks", [[0, 0, 0, 0, 0], [0, 5, 1, 5, -2], [3, 2, 1, 0, -1]])
def test_tasks_run_in_luigis_own_order(run: Run, tmp_path: Path, ranks: list[int]) -> None:
    """The first by priority, then by when they were added, each after what it requires."""
    orders = []
    for factory in (Factory(), Factory.__mro__[1]()):
        # Of one name, because Luigi adds what a task requires in the order of a set.
        folder = tmp_path / "run"
        folder.mkdir()
        tasks = [
            Noted(folder=str(folder), name=f"t{n}", rank=rank, below=[f"b{n}", f"b{n % 2}"])
            for n, rank in enumerate(ranks)
        ]
        All.made[str(folder)] = tasks
        assert run(All(names=[], folder=str(folder)), factory=factory)
        orders.append(ran(folder))
        shutil.rmtree(folder)
    assert orders[0] == orders[1]
    assert len(orders[0]) == 10


def test_a_task_runs_after_all_that_it_requires(run: Run, tmp_path: Path) -> None:
    folder = str(tmp_path)
    assert run(Noted(folder=folder, name="top", below=["left", "right"]), Noted(folder=folder, name="last"))
    order = ran(tmp_path)
    assert order.index("top") > max(order.index("left"), order.index("right"))
    assert len(order) == len(set(order)) == 4


def test_what_is_complete_is_not_run(run: Run, tmp_path: Path) -> None:
    (tmp_path / "left").touch()
    assert run(Noted(folder=str(tmp_path), name="top", below=["left", "right"]))
    assert ran(tmp_path) == ["right", "top"]


@pytest.mark.parametrize("workers", [1, 2])
def test_what_requires_a_task_that_failed_does_not_run_and_the_run_has_failed(
    run: Run, tmp_path: Path, workers: int
) -> None:
    assert not run(
        AboveFailing(folder=str(tmp_path), name="above"), workers=workers, no_lock=True, detailed_summary=False
    )
    assert sorted(ran(tmp_path)) == ["beside", "failing"]


def test_a_task_that_may_be_retried_is_run_again(run: Run, tmp_path: Path, patient: None) -> None:
    task = FailingOnce(folder=str(tmp_path), name="once")
    run(Noted(folder=str(tmp_path), name="other"), task)
    assert ran(tmp_path).count("once") == 2
    assert task.complete()


@pytest.mark.parametrize("workers", [1, 2])
def test_what_a_task_requires_while_it_runs_is_made(run: Run, tmp_path: Path, workers: int) -> None:
    assert run(Yielding(folder=str(tmp_path), name="yields"), workers=workers)
    order = ran(tmp_path)
    assert set(order) == {"one", "two", "three", "four", "yields"}
    assert order.index("four") < order.index("three") < order.index("yields")


def test_one_worker_runs_tasks_in_its_own_process(run: Run, tmp_path: Path) -> None:
    assert run(Noted(folder=str(tmp_path), name="top", below=["left"]))
    assert processes(tmp_path) == {os.getpid()}


def test_several_workers_run_each_task_once_in_a_process_of_its_own(run: Run, tmp_path: Path) -> None:
    names = [f"n{number}" for number in range(8)]
    assert run(Noted(folder=str(tmp_path), name="top", below=names), workers=2)
    assert sorted(ran(tmp_path)) == sorted([*names, "top"])
    assert ran(tmp_path)[-1] == "top"
    assert len(processes(tmp_path) - {os.getpid()}) == 9


def test_a_task_that_takes_too_long_is_ended_while_others_run_here(run: Run, tmp_path: Path) -> None:
    folder = str(tmp_path)
    assert not run(Endless(folder=folder, name="endless"), Noted(folder=folder, name="other"))
    assert set(ran(tmp_path)) == {"endless", "other"}
    assert os.getpid() in processes(tmp_path)
    assert len(processes(tmp_path)) == 2


def test_tasks_that_need_resources_run_as_luigi_has_it(run: Run, tmp_path: Path) -> None:
    folder = str(tmp_path)
    assert run(*(Scarce(folder=folder, name=f"s{n}") for n in range(3)), Noted(folder=folder, name="other"), workers=2)
    assert sorted(ran(tmp_path)) == ["other", "s0", "s1", "s2"]


def test_tasks_that_can_run_in_a_batch_do(run: Run, tmp_path: Path) -> None:
    assert run(*(Batched(folder=str(tmp_path), number=n) for n in range(4)))
    assert ran(tmp_path) == ["3"]
