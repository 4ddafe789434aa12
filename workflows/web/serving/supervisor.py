"""The processes of `parcours serve`: started together, started again when they die, ended in order, and never left behind."""

from __future__ import annotations

import contextlib
import ctypes
import json
import logging
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

STATE = "parts.json"
"""The file in which others read how the parts are."""
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)
_SETTLED = 30.0
"""Seconds after which a part that runs counts as well."""
_LONGEST_WAIT = 30.0
"""Seconds between two starts of a part that dies again and again."""
_PATIENCE = 10.0
"""Seconds that a part has for its own end."""
_log = logging.getLogger("parcours.serve")


@dataclass
class Part:
    """One of the processes, and how it is."""

    name: str
    command: Sequence[str]
    descriptors: tuple[int, ...] = ()
    """What it inherits beside its streams."""
    process: subprocess.Popen[bytes] | None = None
    deaths: int = 0
    """How often it died in a row."""
    due: float = 0.0
    """When it is to be started, on the monotonic clock."""
    began: float = field(default=0.0)

    def start(self) -> None:
        """Start it, in a group of its own: what somebody types at the terminal is for the supervisor only."""
        parent = os.getpid()
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            self.command,
            pass_fds=self.descriptors,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=lambda: _settle(parent),
        )

    def bury(self) -> bool:
        """See whether it died; then nothing of its group is left."""
        if self.process is None or not os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            return False
        # Before it is waited for: until then nobody else's group can have the number.
        _signal_group(self.process.pid, signal.SIGKILL)
        code = self.process.wait()
        self.process = None
        self.count(f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}")
        return True

    def count(self, how: str) -> None:
        """Say that it died, and settle when it is started again."""
        self.deaths = 1 if time.monotonic() - self.began > _SETTLED else self.deaths + 1
        wait = 0.0 if self.deaths == 1 else min(_LONGEST_WAIT, 2.0 ** (self.deaths - 2))
        self.due = time.monotonic() + wait
        _log.log(logging.WARNING if self.deaths < 3 else logging.ERROR, "%s", _told(self, how, wait))

    def end(self) -> None:
        """Ask it to end, and see that it does."""
        if self.process is None:
            return
        _signal_group(self.process.pid, signal.SIGTERM, alone=True)
        until = time.monotonic() + _PATIENCE
        while not os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            if time.monotonic() > until:
                _log.warning("%s did not end within %g seconds and was killed", self.name, _PATIENCE)
                break
            time.sleep(0.02)
        _signal_group(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process = None

    def as_json(self) -> dict[str, object]:
        """How it is, for others."""
        return {"pid": self.process.pid if self.process else None, "deaths": self.deaths}


def supervise(parts: Sequence[Part], folder: Path) -> None:
    """Run the parts until somebody asks for the end; they are ended in the order in which they stand."""
    ends = {number for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP) if _is_heard(number)}
    # Blocked and waited for, so that none comes at a bad moment; those who are started hear them again.
    signal.pthread_sigmask(signal.SIG_BLOCK, ends | {signal.SIGCHLD})
    try:
        while not _is_over(ends, parts, folder):
            pass
    finally:
        for part in parts:
            part.end()
        (folder / STATE).unlink(missing_ok=True)
        while signal.sigtimedwait(ends | {signal.SIGCHLD}, 0):
            pass
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ends | {signal.SIGCHLD})


def _is_over(ends: set[signal.Signals], parts: Sequence[Part], folder: Path) -> bool:
    """One round: start what is due, wait for a signal, see who died."""
    due = [part for part in parts if part.process is None and part.due <= time.monotonic()]
    for part in due:
        try:
            part.start()
        except (OSError, subprocess.SubprocessError) as error:
            part.count(f"could not be started ({error})")
    if due:
        _write_state(parts, folder)
    caught = signal.sigtimedwait(ends | {signal.SIGCHLD}, 0.5)
    if caught is not None and caught.si_signo in ends:
        return True
    dead = [part for part in parts if part.bury()]
    if dead:
        _write_state(parts, folder)
    return False


def _write_state(parts: Sequence[Part], folder: Path) -> None:
    beside = folder / f".{STATE}"
    with contextlib.suppress(OSError):
        beside.write_text(json.dumps({part.name: part.as_json() for part in parts}), encoding="utf-8")
        beside.replace(folder / STATE)


def end_with_parent(number: int) -> None:
    """Have the system send this process a signal when its parent ends, however that comes."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, number)


def _settle(parent: int) -> None:
    end_with_parent(signal.SIGTERM)
    if os.getppid() != parent:
        # It died before the system knew.
        os._exit(1)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _signal_group(leader: int, number: signal.Signals, alone: bool = False) -> None:
    with contextlib.suppress(ProcessLookupError):
        (os.kill if alone else os.killpg)(leader, number)


def _is_heard(number: signal.Signals) -> bool:
    """Whether this process is to hear a signal: not one that `nohup` has it ignore."""
    return signal.getsignal(number) is not signal.SIG_IGN


def _told(part: Part, how: str, wait: float) -> str:
    times = "" if part.deaths < 3 else f", {part.deaths} times in a row; what it said is above"
    again = f"again in {wait:g} s" if wait else "again at once"
    return f"the {part.name} {how}{times}; it is started {again}"
