"""Questions that load the project's code, asked of a process of their own, so that the page's never runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from typing import Any

PATIENCE = 60.0
"""Seconds that an answer is waited for."""
_AT_ONCE = threading.BoundedSemaphore(2)
"""Each question is a process that loads the project: as many as there are likely to be processors free."""
_IN_LINE = threading.BoundedSemaphore(6)
"""Those that are answered and those that wait: each holds a thread of the server."""
_TURN = 20.0
"""Seconds that a question waits for others."""


@dataclass(frozen=True)
class Reply:
    """What the `parcours` command said."""

    exit_code: int
    answer: Any
    """Its JSON; None where there is none."""
    said: str
    """What it said to people: the error, or nothing."""

    @property
    def is_answered(self) -> bool:
        """Whether there is an answer, whichever it is."""
        return self.answer is not None


def ask(*words: str) -> Reply:
    """Ask the `parcours` command, with these words and `--json`."""
    command = [sys.executable, "-m", "workflows.cli", *words, "--json"]
    environment = {**os.environ, "PYTHONHASHSEED": "0"}
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
            env=environment,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        return Reply(1, None, f"There was no answer within {PATIENCE:g} seconds; try again in a moment.")
    try:
        return Reply(done.returncode, json.loads(done.stdout), done.stderr.strip())
    except ValueError:
        return Reply(done.returncode, None, done.stderr.strip())


def ask_in_turn(*words: str) -> Reply:
    """The same for whoever opens a page: few at once, however many ask."""
    if not _IN_LINE.acquire(blocking=False):
        return _BUSY
    try:
        if not _AT_ONCE.acquire(timeout=_TURN):
            return _BUSY
        try:
            return ask(*words)
        finally:
            _AT_ONCE.release()
    finally:
        _IN_LINE.release()


_BUSY = Reply(1, None, "Many ask at this moment; ask again in some seconds.")
