"""The command that works requests off."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import Any

from workflows import settings
from workflows.errors import UsageError
from workflows.identity.surroundings import restart_with_fixed_seed

_PROGRAMS = ("parcours", "workflows/cli.py")


@dataclass(frozen=True)
class Worked:
    """What a worker did until it was asked to end."""

    begun: int
    exit_code: int = 0

    def lines(self) -> list[str]:
        """How much."""
        return [f"ended after {self.begun} request{'' if self.begun == 1 else 's'}"]

    def as_json(self) -> Any:
        return {"begun": self.begun}


def work(at_once: int) -> Worked:
    """Work requests off until asked to end."""
    if at_once < 1:
        raise UsageError.at_once(at_once)
    restart_with_fixed_seed(_PROGRAMS)
    # Before packages add theirs.
    environment = dict(os.environ)
    from workflows.requests.worker import Worker

    found = settings.load()
    worker = Worker(found, at_once, environment)
    print(f"working off what is asked for in {found.web}", file=sys.stderr, flush=True)  # noqa: T201
    worker.work()
    return Worked(worker.begun)
