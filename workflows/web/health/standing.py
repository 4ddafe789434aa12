"""Questions whose answers take seconds: asked in the background, and the last answer kept, so that a page opens at once."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from workflows.identity.canonical import digest
from workflows.settings import Settings
from workflows.web.asking import Reply, ask


@dataclass(frozen=True)
class Kept:
    """The last answer to a question."""

    asked: str
    """When, ISO 8601, UTC."""
    state: str
    """The project's files at that time."""
    reply: Reply


@dataclass(frozen=True)
class Standing:
    """A question to the `parcours` command that is asked again and again, and the file of its last answer."""

    folder: Path
    word: str
    """The command, which takes no arguments."""

    def kept(self) -> Kept | None:
        """The last answer, if there is one."""
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            record = json.loads((self.folder / f"{self.word}.json").read_bytes())
            return Kept(record["asked"], record["state"], Reply(**record["reply"]))
        return None

    def is_being_asked(self) -> bool:
        """Whether some process asks it now."""
        with self._alone() as is_alone:
            return not is_alone

    def ask(self, state: str) -> None:
        """Ask it in the background, of the project's files in a state, unless it is being asked already."""
        # Taken here, so that whoever looks next knows; a lock goes with its process, however that ends.
        lock = self._lock()
        if lock is not None:
            threading.Thread(target=self._asked, args=(state, lock), daemon=True).start()

    def _asked(self, state: str, lock: int) -> None:
        try:
            self._keep(Kept(datetime.now(UTC).isoformat(timespec="seconds"), state, ask(self.word)))
        finally:
            os.close(lock)

    def _keep(self, answer: Kept) -> None:
        handle, beside = tempfile.mkstemp(dir=self.folder, prefix=f".{self.word}-")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(asdict(answer), file)
        Path(beside).replace(self.folder / f"{self.word}.json")

    @contextlib.contextmanager
    def _alone(self) -> Iterator[bool]:
        lock = self._lock()
        try:
            yield lock is not None
        finally:
            if lock is not None:
                os.close(lock)

    def _lock(self) -> int | None:
        """The right to ask, until it is closed; None where another has it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(self.folder / f"{self.word}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            return None
        return lock


def state_of(settings: Settings) -> str:
    """A digest of the names, sizes and times of the project's templates, suites and modules: another, and answers may be."""
    modules = [settings.root.joinpath(*name.split(".")) for name in settings.pipelines]
    files = [*settings.templates.glob("*.ipynb"), *settings.templates.glob("*.toml"), settings.root / "luigi.cfg"]
    for module in modules:
        files += [module.with_suffix(".py"), *module.rglob("*.py"), *module.rglob("*.sql")]
    return digest([_seen(file) for file in sorted(files)])


def _seen(file: Path) -> list[Any]:
    with contextlib.suppress(OSError):
        found = file.stat()
        return [str(file), found.st_size, found.st_mtime_ns]
    return [str(file)]
