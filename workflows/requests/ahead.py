"""What a worker has imported before anybody asks: told by each run, for the next one and for the next worker."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

FILE = "ahead.json"


@dataclass(frozen=True)
class Ahead:
    """Names of modules."""

    tasks: tuple[str, ...] = ()
    """What queries and stages import, for the worker."""
    kernels: tuple[str, ...] = ()
    """What templates import, for the process that kernels are forked from."""

    def with_more(self, tasks: Sequence[str], kernels: Sequence[str]) -> Ahead:
        """These names and others."""
        return Ahead(tuple(sorted({*self.tasks, *tasks})), tuple(sorted({*self.kernels, *kernels})))


def read(web: Path) -> Ahead:
    """The names that runs have told; none where none did, or where nobody can read what is there."""
    try:
        found = json.loads((web / FILE).read_bytes())
        return Ahead(tuple(map(str, found["tasks"])), tuple(map(str, found["kernels"])))
    except (OSError, ValueError, KeyError, TypeError):
        return Ahead()


def tell(web: Path, tasks: Sequence[str], kernels: Sequence[str]) -> None:
    """Add the names that a run imports."""
    known = read(web)
    now = known.with_more(tasks, kernels)
    if now != known:
        beside = web / f".{FILE}-{os.getpid()}"
        beside.write_text(json.dumps(asdict(now)) + "\n", encoding="utf-8")
        beside.replace(web / FILE)
