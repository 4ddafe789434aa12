"""What the command says of the queue: what was put in, what was worked off, how it stands."""

from __future__ import annotations

import datetime
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from workflows import settings
from workflows.commits import worker
from workflows.commits.git import Repository
from workflows.commits.jobs import SETTLED, End, Job, Queue
from workflows.evaluation.suites import DEFAULT

SHOWN = 10
"""How many ends are shown to people."""


@dataclass(frozen=True)
class Added:
    """Commits that were put in."""

    queued: tuple[str, ...]
    known: tuple[str, ...]
    """Those that wait already, or were evaluated before."""
    exit_code: int = 0

    def lines(self) -> list[str]:
        """A line for each commit."""
        return [
            *(f"queued   {commit}" for commit in self.queued),
            *(f"known    {commit}  waits already, or was evaluated before" for commit in self.known),
        ]

    def as_json(self) -> Any:
        return asdict(self)


@dataclass(frozen=True)
class Worked:
    """What a worker got done."""

    ends: tuple[End, ...]
    is_alone: bool
    """Whether no other worker was at it."""
    exit_code: int = 0

    def lines(self) -> list[str]:
        """What became of how many."""
        if not self.is_alone:
            return ["another worker is at it"]
        failed = sum(not end.is_settled for end in self.ends)
        return [f"evaluated {len(self.ends)}, of which {failed} failed" if self.ends else "nothing waits"]

    def as_json(self) -> Any:
        return {"ends": [asdict(end) for end in self.ends], "is_alone": self.is_alone}


@dataclass(frozen=True)
class Standing:
    """How the queue stands."""

    running: Job | None
    waiting: tuple[Job, ...]
    ends: tuple[End, ...]
    exit_code: int = 0

    def lines(self) -> list[str]:
        """What runs, what waits, and the last ends."""
        lines = [f"running  {_named(self.running)}"] if self.running else []
        lines += [f"waiting  {_named(job)}{'  interrupted' if job.tries else ''}" for job in self.waiting]
        if self.waiting and not self.running:
            lines.append("         nothing runs; `parcours evaluate --work` goes on")
        for end in self.ends[:SHOWN]:
            lines += _told(end)
        return lines or ["nothing is queued, and nothing was"]

    def as_json(self) -> Any:
        running = asdict(self.running) if self.running else None
        return {
            "running": running,
            "waiting": [asdict(j) for j in self.waiting],
            "ends": [asdict(e) for e in self.ends],
        }


def add(commits: Sequence[str], suite: str = DEFAULT) -> Added:
    """Put commits in, the one to be evaluated last first, and have a worker at it; returns at once.

    Raises CommitError for what is no commit, with nothing put in, and QueueError where the files cannot be written.
    """
    found = settings.load()
    repository = Repository.of(found.root)
    shas = {repository.commit(name).sha: None for name in commits}
    queue, now = Queue(found.cache), time.time_ns()
    queued = {sha: queue.add(Job(sha, suite, now + number)) for number, sha in enumerate(shas)}
    if queue.waiting():
        with queue.refusals():
            worker.start(queue)
    return Added(tuple(s for s in queued if queued[s]), tuple(s for s in queued if not queued[s]))


def work() -> Worked:
    """Evaluate what waits until nothing does, at low priority."""
    ends: list[End] = []

    def told(end: End) -> None:
        sys.stderr.write("\n".join([*_told(end), ""]))
        ends.append(end)

    queue = Queue(settings.load().cache)
    with queue.refusals():
        is_alone = worker.work(queue, told)
    return Worked(tuple(ends), is_alone)


def status() -> Standing:
    """How the queue stands."""
    queue = Queue(settings.load().cache)
    waiting = queue.waiting()
    # Another may be put in while one is evaluated, so the running one is not always the first.
    running = next((job for job in waiting if job.tries), None) if worker.is_running(queue) else None
    return Standing(running, tuple(job for job in waiting if job != running), tuple(queue.ends()))


def _named(job: Job) -> str:
    return f"{job.commit[:9]}  {job.suite}  queued {_time(job.queued / 1e9)}"


def _told(end: End) -> list[str]:
    word = SETTLED.get(end.exit_code, f"failed with exit code {end.exit_code}")
    first = f"ended    {end.commit[:9]}  {end.suite}  {_time(end.ended)}  {end.ended - end.began:.0f} s  {word}"
    said = end.said.splitlines()
    more = said[-1:] if end.is_settled else [*said, f"log: {end.log}"]
    return [first, *(f"         {line}" for line in more)]


def _time(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds).astimezone().isoformat(sep=" ", timespec="seconds")[:19]
