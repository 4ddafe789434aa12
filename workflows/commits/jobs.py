"""The jobs of the queue, each one commit to evaluate: files in the cache's folder that survive whoever is killed."""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from workflows.errors import QueueError

SETTLED = {0: "not worse", 1: "worse", 3: "nothing measured"}
"""The exit codes of an evaluation that came to an end, in words; whatever else is a failure."""
KEPT = 200
"""How many ends are kept, with their logs."""
_NAME = re.compile(r"(?P<commit>[0-9a-f]{40}|[0-9a-f]{64})-(?P<suite>.+)\.json")


@dataclass(frozen=True)
class Job:
    """One commit to evaluate."""

    commit: str
    """All digits of its name."""
    suite: str
    queued: int = 0
    """When, in nanoseconds since 1970; it also orders."""
    tries: int = 0
    """How often its evaluation was begun."""

    @property
    def key(self) -> str:
        """Its name among files."""
        return f"{self.commit}-{quote(self.suite, safe='')}"

    @property
    def numbers(self) -> dict[str, int]:
        """What its file says beyond its name."""
        return {"queued": self.queued, "tries": self.tries}


@dataclass(frozen=True)
class End:
    """What became of a job."""

    commit: str
    suite: str
    exit_code: int
    began: float
    """Seconds since 1970."""
    ended: float
    log: str
    """The file with everything that its evaluation printed."""
    said: str
    """The last lines of it."""

    @property
    def is_settled(self) -> bool:
        """Whether the evaluation came to an end, so that it need not be tried again."""
        return self.exit_code in SETTLED


class Queue:
    """The files: `waiting/` with a file for each job, `ended/` with what became of them, and `logs/`."""

    def __init__(self, cache: Path) -> None:
        self.folder = cache / "queue"
        self._waiting, self._ended, self._logs = (self.folder / name for name in ("waiting", "ended", "logs"))

    def add(self, job: Job) -> bool:
        """Put a job in; False where it waits already or came to an end before. Raises QueueError."""
        end = self.end(job)
        if end is not None and end.is_settled:
            return False
        with self.refusals(), self._beside(self._waiting, job.numbers) as made:
            try:
                os.link(made, self._waiting / f"{job.key}.json")
            except FileExistsError:
                return False
        return True

    def waiting(self) -> list[Job]:
        """The jobs that have not come to an end, in the order in which they are taken: newest first."""
        found = (_NAME.fullmatch(path.name) for path in self._files(self._waiting))
        jobs = [
            Job(name["commit"], unquote(name["suite"]), **self._numbers(self._waiting / name[0]))
            for name in found
            if name
        ]
        return sorted(jobs, key=lambda job: (-job.queued, job.key))

    def begin(self, job: Job) -> None:
        """Count a try of a job."""
        numbers = {**job.numbers, "tries": job.tries + 1}
        with self.refusals(), self._beside(self._waiting, numbers) as made:
            made.replace(self._waiting / f"{job.key}.json")

    def finish(self, job: Job, exit_code: int, began: float) -> End:
        """Keep what became of a job, and take it out."""
        log = self.log(job)
        end = End(job.commit, job.suite, exit_code, began, time.time(), str(log), _last_lines(log))
        with self.refusals(), self._beside(self._ended, vars(end)) as made:
            made.replace(self._ended / f"{job.key}.json")
        self.drop(job)
        self._forget()
        return end

    def drop(self, job: Job) -> None:
        """Take a job out, and what its evaluation left of its exit code."""
        # The exit code first: left alone, it would be taken for that of a later try.
        self.exit_file(job).unlink(missing_ok=True)
        (self._waiting / f"{job.key}.json").unlink(missing_ok=True)

    def end(self, job: Job) -> End | None:
        """What became of a commit when it was queued before; None where that is not known."""
        return _end(self._ended / f"{job.key}.json")

    def ends(self) -> list[End]:
        """What became of jobs, the last first."""
        found = filter(None, map(_end, self._files(self._ended)))
        return sorted(found, key=lambda end: end.ended, reverse=True)

    def log(self, job: Job) -> Path:
        """What a job's evaluation prints."""
        self._logs.mkdir(parents=True, exist_ok=True)
        return self._logs / f"{job.key}.log"

    def exit_file(self, job: Job) -> Path:
        """Where a job's evaluation leaves its exit code, which is there also when nobody waited for it."""
        return self._logs / f"{job.key}.exit"

    def _forget(self) -> None:
        for end in self.ends()[KEPT:]:
            job = Job(end.commit, end.suite)
            self.log(job).unlink(missing_ok=True)
            (self._ended / f"{job.key}.json").unlink(missing_ok=True)
        # What those left who were killed while they wrote.
        for path in (*self._waiting.glob(".*"), *self._ended.glob(".*")):
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime < time.time() - 3600:
                    path.unlink()

    @staticmethod
    def _files(folder: Path) -> list[Path]:
        return list(folder.glob("[!.]*.json"))

    @staticmethod
    def _numbers(path: Path) -> dict[str, int]:
        """Those in a job's file. Where a loss of power left it empty, its name still says what to do."""
        try:
            found = json.loads(path.read_bytes())
            return {"queued": int(found["queued"]), "tries": int(found["tries"])}
        except (OSError, ValueError, KeyError, TypeError):
            return {}

    @contextlib.contextmanager
    def _beside(self, folder: Path, content: dict[str, Any]) -> Iterator[Path]:
        """A file with this content that nobody sees, to be moved into place."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f".{uuid.uuid4().hex}"
        try:
            path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
            yield path
        finally:
            path.unlink(missing_ok=True)

    @contextlib.contextmanager
    def refusals(self) -> Iterator[None]:
        """What the file system says no to, as an error for the user."""
        try:
            yield
        except OSError as error:
            raise QueueError.unwritable(str(self.folder), error.strerror or str(error)) from error


def _end(path: Path) -> End | None:
    try:
        return End(**json.loads(path.read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def _last_lines(log: Path) -> str:
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 4096))
            lines = file.read().decode(errors="replace").strip().splitlines()
    except OSError:
        return ""
    return "\n".join(lines[-3:])
