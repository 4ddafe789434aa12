"""The worker of the queue: one process at low priority that evaluates what waits, one commit at a time."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from workflows.commits.jobs import End, Job, Queue

TRIES = 3
"""How often an evaluation is begun whose worker, and which itself, were killed each time."""
INTERRUPTED = 130
"""The exit code of a job that was given up after these."""
_LOG_BYTES = 1_000_000
_ENDING = 20.0
"""Seconds that an evaluation has to end when it is asked to."""
_EVALUATE = (sys.executable, "-m", "workflows.cli", "evaluate")
# The shell outlives a worker that is killed, and leaves the exit code where the next one finds it.
_KEEPING = 'to=$1; shift; "$@"; code=$?; echo $code >"$to.part" && mv "$to.part" "$to"; exit $code'
_OF_A_REPOSITORY = {
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_PREFIX",
    "GIT_COMMON_DIR",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_QUARANTINE_PATH",
    "GIT_NAMESPACE",
}


def start(queue: Queue) -> None:
    """Start a worker that outlives this process and its terminal; where one is at work already, it ends by itself."""
    path = queue.folder / "worker.log"
    is_long = path.exists() and path.stat().st_size > _LOG_BYTES
    with path.open("wb" if is_long else "ab") as log:
        process = subprocess.Popen(
            [*_EVALUATE, "--work"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=surroundings(os.environ),
            start_new_session=True,
        )
    # It is nobody's to wait for, which Python would complain about.
    process.returncode = 0


def surroundings(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without what git sets for hooks, which would lead every git below to the user's own index."""
    return {name: value for name, value in environment.items() if name not in _OF_A_REPOSITORY}


def work(queue: Queue, told: Callable[[End], None], evaluate: Sequence[str] = _EVALUATE) -> bool:
    """Evaluate what waits until nothing does; False where another worker is at it."""
    _make_way()
    with _ending_on_signals():
        while True:
            with _locked(queue.folder / "worker.lock", patience=0.5) as lock:
                if lock is None:
                    return False
                while jobs := queue.waiting():
                    end = _one(queue, jobs[0], evaluate)
                    if end is not None:
                        told(end)
            # Whoever put something in before the lock was free has started a worker that found it held.
            if not queue.waiting():
                return True


def is_running(queue: Queue) -> bool:
    """Whether an evaluation is going on, its worker alive or not."""
    if not queue.folder.is_dir():
        return False
    with _locked(queue.folder / "running.lock", patience=0, kind=fcntl.LOCK_SH) as lock:
        return lock is None


def _one(queue: Queue, job: Job, evaluate: Sequence[str]) -> End | None:
    began = time.time()
    # An evaluation holds this as long as it lives: one whose worker was killed is waited for, never joined by a second.
    with _locked(queue.folder / "running.lock") as lock:
        code = _left(queue.exit_file(job))
        if code is None:
            end = queue.end(job)
            if end is not None and end.is_settled:
                queue.drop(job)
                return None
            code = INTERRUPTED if job.tries >= TRIES else _evaluated(queue, job, evaluate, lock)
        return queue.finish(job, code, began)


def _evaluated(queue: Queue, job: Job, evaluate: Sequence[str], lock: int | None) -> int:
    queue.begin(job)
    command = [*evaluate, job.commit, "--suite", job.suite]
    with queue.log(job).open("wb") as log:
        process = subprocess.Popen(
            ["sh", "-c", _KEEPING, "sh", str(queue.exit_file(job)), *command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=surroundings(os.environ),
            start_new_session=True,
            pass_fds=[] if lock is None else [lock],
        )
    try:
        return process.wait()
    except BaseException:
        _end_group(process)
        # A shell that waited for it took this for its end.
        queue.exit_file(job).unlink(missing_ok=True)
        raise


def _end_group(process: subprocess.Popen[Any]) -> None:
    """End an evaluation as Ctrl-C does, which has it end and tidy up what it started; by force where it takes too long."""
    for number, seconds in ((signal.SIGINT, _ENDING), (signal.SIGKILL, 1.0)):
        until = time.monotonic() + seconds
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
            while time.monotonic() < until:
                process.poll()
                os.killpg(process.pid, 0)
                time.sleep(0.05)


def _left(exit_file: Path) -> int | None:
    try:
        return int(exit_file.read_text())
    except (OSError, ValueError):
        return None


def _make_way() -> None:
    """Leave processor and disk to everybody else."""
    import psutil

    os.nice(19)
    with contextlib.suppress(AttributeError, OSError, psutil.Error):
        psutil.Process().ionice(psutil.IOPRIO_CLASS_IDLE)


@contextlib.contextmanager
def _ending_on_signals() -> Iterator[None]:
    """Have the worker that is asked to end take its evaluation with it; the job waits for the next worker."""

    def end(number: int, frame: object) -> None:
        raise SystemExit(128 + number)

    # Also of Ctrl-C, to which what runs in the background of a script is deaf, and so would be all that it starts.
    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _locked(path: Path, patience: float | None = None, kind: int = fcntl.LOCK_EX) -> Iterator[int | None]:
    """The lock of a file, as a descriptor; None where it is not free within so many seconds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        until = None if patience is None else time.monotonic() + patience
        yield file.fileno() if _taken(file.fileno(), kind, until) else None


def _taken(handle: int, kind: int, until: float | None) -> bool:
    if until is None:
        fcntl.flock(handle, kind)
        return True
    while True:
        try:
            fcntl.flock(handle, kind | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            # Who asks whether something is running holds it for a moment, too.
            if time.monotonic() > until:
                return False
            time.sleep(0.05)
