"""A kernel that cannot outlive its owner, nor leave children behind: `python -m workflows.notebooks.guarded -f FILE`.

Before the kernel imports anything, a guard is forked off. It waits for the first of two ends, the kernel's or the
owner's, and then kills every process that carries the kernel's mark: a variable of the environment, which children
inherit whatever they do with sessions, groups and parents. It also removes the folder of the kernel's sockets.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

MARK = "_PARCOURS_KERNEL"
OWNER = "_PARCOURS_OWNER"
FOLDER = "_PARCOURS_FOLDER"
SEED = "_PARCOURS_SEED"
SCOPE = "_PARCOURS_SCOPE"
OPTIONS = ("--HistoryManager.enabled=False", "--HistoryManager.hist_file=:memory:")
"""What every kernel is started with, after its file."""
SEEN = "seen"
"""The file in the kernel's folder that says what its notebook did."""


def kill_marked(mark: str) -> None:
    """Kill every other process that carries a mark, until none is found."""
    for _ in range(50):
        found = [pid for pid in _marked(mark) if pid != os.getpid()]
        if not found:
            return
        for pid in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        _wait_for_all(found)


def _marked(mark: str) -> Iterator[int]:
    """The processes whose environment has a mark."""
    if Path("/proc/self/environ").exists():
        sign = f"{MARK}={mark}".encode()
        for folder in os.listdir("/proc"):  # noqa: PTH208 - some hundred names, for each report
            with contextlib.suppress(OSError):
                if folder.isdecimal() and sign in Path("/proc", folder, "environ").read_bytes().split(b"\0"):
                    yield int(folder)
        return
    import psutil

    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(MARK) == mark:
                yield process.pid


def _wait_for_all(pids: Sequence[int]) -> None:
    """Return when these processes run no more, or after a moment; whether anybody reaped them does not matter."""
    if not hasattr(os, "pidfd_open"):
        time.sleep(0.05)
        return
    until = time.monotonic() + 0.2
    for pid in pids:
        with contextlib.suppress(ProcessLookupError), os.fdopen(os.pidfd_open(pid)) as handle:
            poll = select.poll()
            poll.register(handle, select.POLLIN)
            poll.poll(max(0, until - time.monotonic()) * 1000)


def main(wait: Callable[[Any], None] | None = None) -> None:
    """Fork the guard, then become the kernel; one that is started ahead is set up before it waits to be told what for."""
    guard = _forked_guard()
    if wait is None:
        seed = _begun(guard)
    from workflows.notebooks.repeatable import launch

    def settled(app: Any) -> str:
        if wait is None:
            return seed
        wait(app)
        return _begun(guard)

    launch(settled)


def _begun(guard: int) -> str:
    """Tell the guard what to guard, and have the files be watched; returns the seed."""
    order = {"owner": int(os.environ.pop(OWNER)), "mark": os.environ[MARK], "folder": os.environ[FOLDER]}
    with os.fdopen(guard, "w") as told:
        json.dump(order, told)
    _record()
    return os.environ.pop(SEED)


def _forked_guard() -> int:
    """Fork the guard; returns where to tell it what to guard."""
    kernel, (told, guard) = os.getpid(), os.pipe()
    child = os.fork()
    if child == 0:
        os.close(guard)
        _detach_and_guard(kernel, told)
    os.close(told)
    os.waitpid(child, 0)
    return guard


def _record() -> None:
    """Have it written down which files of the project the notebook opens and which modules it imports."""
    scope = os.environ.pop(SCOPE, "")
    if scope:
        from workflows.identity import observation
        from workflows.identity.scope import Scope

        observation.watch(Scope.from_json(scope))
        observation.record_to(Path(os.environ[FOLDER], SEEN))


def _detach_and_guard(kernel: int, told: int) -> None:
    """Become nobody's child, so that no code of the kernel meets the guard, and wait; a kernel that ends untold left nothing."""
    try:
        os.setsid()
        if os.fork() == 0:
            nothing = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1, 2):
                os.dup2(nothing, stream)
            with os.fdopen(told) as orders:
                order = json.loads(orders.read())
            _wait_for_first(order["owner"], kernel)
            kill_marked(order["mark"])
            shutil.rmtree(order["folder"], ignore_errors=True)
    finally:
        os._exit(0)


def _wait_for_first(*pids: int) -> None:
    """Return when one of these processes has ended."""
    if not hasattr(os, "pidfd_open"):
        while all(_alive(pid) for pid in pids):
            time.sleep(0.5)
        return
    poll = select.poll()
    for pid in pids:
        try:
            poll.register(os.pidfd_open(pid), select.POLLIN)
        except ProcessLookupError:
            return
    poll.poll()


def _alive(pid: int) -> bool:
    import psutil

    with contextlib.suppress(psutil.NoSuchProcess):
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    return False


if __name__ == "__main__":
    main()
