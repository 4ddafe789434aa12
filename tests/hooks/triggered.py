"""A project in a git repository of its own, whose evaluations are a few lines instead of minutes."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

PLACE = "_PARCOURS_TEST_PLACE"

# Stands before the real command: `evaluate SHA` says when it began and ended, and what it was run with.
COMMAND = """
import os, pathlib, sys, time
if len(sys.argv) > 2 and sys.argv[1] == "evaluate" and not sys.argv[2].startswith("-"):
    commit, here = sys.argv[2], pathlib.Path("data")
    def tell(what):
        with (here / "told").open("a") as file:
            file.write(f"{what} {commit} {sys.argv[4]} {os.getpid()} {os.nice(0)} {os.environ.get('GIT_DIR')}\\n")
    def said(name, default):
        paths = [here / f"{name}-{commit}", here / name]
        return next((path.read_text() for path in paths if path.exists()), default)
    tell("began")
    print("evaluating", commit, flush=True)
    time.sleep(float(said("seconds", "0")))
    tell("ended")
    print("evaluation: page.html")
    sys.exit(int(said("code", "0")))
from workflows.real_cli import main
if __name__ == "__main__":
    sys.exit(main())
"""


@dataclass(frozen=True)
class Done:
    """A command that ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Repository:
    """A project in a git repository."""

    folder: Path
    """Its working tree."""
    home: Path

    @property
    def queue(self) -> Path:
        """The files of its queue."""
        return self.folder / "data" / "cache" / "queue"

    @property
    def variables(self) -> dict[str, str]:
        """The environment of all commands: a shell in which no environment of Python is active."""
        person = {
            f"GIT_{role}_{what}": "n@example.org" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
        }
        return {
            **person,
            "PATH": os.defpath,
            "HOME": str(self.home),
            "GIT_CONFIG_NOSYSTEM": "1",
            PLACE: str(self.folder),
        }

    def git(self, *words: str, folder: Path | None = None, **variables: str) -> str:
        """What a git command prints, which must not fail."""
        done = self.tried("git", *words, folder=folder, **variables)
        assert done.code == 0, done.err
        return done.out.strip()

    def tried(self, *words: str, folder: Path | None = None, **variables: str) -> Done:
        """Any command, run in the working tree or another folder."""
        done = subprocess.run(
            list(words),
            cwd=folder or self.folder,
            env={**self.variables, **variables},
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=60,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def commit(self, name: str, text: str = "", folder: Path | None = None) -> str:
        """The commit that adds or changes a file."""
        ((folder or self.folder) / name).write_text(text or name)
        self.git("add", name, folder=folder)
        self.git("commit", "-m", f"Change {name}", folder=folder)
        return self.git("rev-parse", "HEAD", folder=folder)

    def evaluate(self, *words: str) -> Done:
        """Run `parcours evaluate`."""
        return self.tried(".venv/bin/python", "-m", "workflows.cli", "evaluate", *words)

    def set_up(self, name: str, value: object) -> None:
        """Tell the evaluations to come how to be: `seconds`, `code`, or these of one commit, `code-SHA`."""
        (self.folder / "data" / name).write_text(str(value))

    def told(self, what: str = "ended") -> list[list[str]]:
        """What evaluations said of themselves: commit, suite, process, niceness, GIT_DIR."""
        path = self.folder / "data" / "told"
        lines = path.read_text().splitlines() if path.exists() else []
        return [line.split(" ")[1:] for line in lines if line.startswith(what)]

    def evaluated(self, what: str = "ended") -> list[str]:
        """The commits whose evaluations began or ended, in order."""
        return [words[0] for words in self.told(what)]

    def waiting(self) -> list[Path]:
        """The jobs that wait or run."""
        return list((self.queue / "waiting").glob("*.json"))

    def idle(self) -> None:
        """Wait until nothing is queued and no worker is there."""
        until(lambda: not self.waiting())
        until(lambda: not self.processes())

    def processes(self) -> list[psutil.Process]:
        """Workers and evaluations, wherever they came from."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if process.environ().get(PLACE) == str(self.folder) and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    def kill_all(self) -> None:
        """Kill workers and evaluations at once, as a loss of power does."""
        while found := self.processes():
            for process in found:
                with contextlib.suppress(psutil.Error):
                    process.kill()
            time.sleep(0.02)


def until(is_so: Callable[[], object], seconds: float = 20) -> None:
    """Wait for something to come about."""
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.02)
