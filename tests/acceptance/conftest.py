"""What the acceptance tests share: projects that several tests read, and what a refused command must look like."""

from __future__ import annotations

import fcntl
import functools
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

LIGHT = "import datetime\ndate: datetime.date = datetime.date(2020, 1, 1)\n"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, make_small: Callable[[Path], Any]) -> Any:
    """A project like `small` for the tests of a module that share it, with a template `light` that needs no data."""
    place = make_small(tmp_path_factory.mktemp("shared") / "small")
    place.template("light", LIGHT, "print('light of', date)")
    return place


@pytest.fixture(scope="session")
def example_day(nyc: Path, make_workplace: Callable[[Path], Any]) -> Callable[[str], tuple[Any, Any]]:
    """Makes all reports of the example of a day in one project, once for all processes; the project, and how it went."""

    @functools.cache
    def make(day: str) -> tuple[Any, Any]:
        # Who comes second waits, and then finds the reports complete.
        with (nyc.parent / "example-reports.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            place = make_workplace(nyc.parent / "example-reports")
            command = ["luigi", "--module", "workflows", "Backfill", "--start", day, "--stop", day, "--local-scheduler"]
            return place, place.run(*command, timeout=240)

    return make


@pytest.fixture
def light(small: Any) -> Any:
    """A project like `small`, with a template `light` that needs no data."""
    small.template("light", LIGHT, "print('light of', date)")
    return small


@pytest.fixture
def refused() -> Callable[..., str]:
    """Checks that a command failed with one line, and left neither artefact nor process; returns the line."""

    def check(place: Any, done: Any, artefacts_before: int = 0) -> str:
        assert done.code != 0
        assert done.out == ""
        assert "Traceback" not in done.err
        errors = [line for line in done.err.splitlines() if line.startswith("ERROR: ")]
        assert len(errors) == 1, done.err
        assert len(place.artefacts("ReportTask")) == artefacts_before
        assert place.processes() == []
        return errors[0].removeprefix("ERROR: ")

    return check


@pytest.fixture
def verify() -> Callable[[Path], None]:
    """Checks that every artefact of a store has exactly the files that its provenance lists, with their bytes."""

    def check(store: Path) -> None:
        for record in store.rglob("provenance.json"):
            if "damaged" in record.relative_to(store).parts:
                continue
            outputs = json.loads(record.read_text())["outputs"]
            assert {file.name for file in record.parent.iterdir()} == {"provenance.json", *outputs}
            for name, output in outputs.items():
                data = (record.parent / name).read_bytes()
                assert hashlib.sha256(data).hexdigest() == output["sha256"]
                assert len(data) == output["bytes"]

    return check


@pytest.fixture
def light_cell() -> str:
    """A parameters cell that takes the date only."""
    return LIGHT
