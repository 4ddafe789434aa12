"""Runs that are killed at any moment: nothing half-written, nothing left running, the same bytes later."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from workflows.notebooks.html import content
from workflows.store.address import is_of_tasks

pytestmark = pytest.mark.acceptance

DAY = "2020-01-01"
KILLS = 12


@contextlib.contextmanager
def started(place: Any, template: str, date: str) -> Iterator[subprocess.Popen[str]]:
    """A run of the real command, dead at the latest when this ends."""
    task = ["ReportTask", "--date", date, "--template", template]
    process = place.start("luigi", "--module", "workflows", *task, "--local-scheduler")
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def killed_after(seconds: float, place: Any, template: str, date: str) -> bool:
    """Kill a run after some seconds; False if it had ended by then."""
    with started(place, template, date) as process:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
        process.kill()
        return process.wait() == -signal.SIGKILL


def staged(place: Any) -> list[Path]:
    return list((place.store / ".staging").glob("*"))


def half_written(place: Any) -> list[Path]:
    """The folders of tasks that hold files but no provenance."""
    tasks = [path for path in place.store.glob("*") if is_of_tasks(path.name)]
    folders = {path.parent for task in tasks for path in task.rglob("*") if path.is_file()}
    return [folder for folder in folders if not (folder / "provenance.json").is_file()]


def contents(place: Any) -> dict[str, bytes | str]:
    """What is in the files of all artefacts, without what says when, where and by whom they were made."""
    found: dict[str, bytes | str] = {}
    for folder in place.artefacts():
        for path in folder.iterdir():
            name = str(path.relative_to(place.store))
            if path.name == "provenance.json":
                found[name] = json.dumps(told(json.loads(path.read_text())))
            else:
                found[name] = page(path) if path.suffix == ".html" else path.read_bytes()
    return found


def told(record: dict[str, Any]) -> dict[str, Any]:
    """A provenance without what differs from run to run and from folder to folder."""
    differs = ("started", "seconds", "host", "user", "task_id", "seal", "timing")
    outputs = {name: output for name, output in record["outputs"].items() if name != "report.html"}
    source = record.get("source") or {}
    if source:
        source = {**source, "database": Path(source["database"]).name}
    return {n: v for n, v in {**record, "outputs": outputs, "source": source}.items() if n not in differs}


def page(path: Path) -> str:
    start, end = '<script type="application/json" id="provenance">', "</script>"
    text = path.read_text()
    record, _, _ = text.rpartition(start)[2].partition(end)
    return content(text) + json.dumps(told(json.loads(record)))


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, make_small: Any) -> tuple[dict[str, bytes | str], float]:
    """What an undisturbed run of the small project stores, and the seconds that it takes."""
    place = make_small(tmp_path_factory.mktemp("undisturbed") / "small")
    began = time.monotonic()
    assert place.report("small", DAY).code == 0
    return contents(place), time.monotonic() - began


def test_a_run_killed_at_any_moment_leaves_only_whole_artefacts_and_the_next_one_makes_the_same(
    small: Any, undisturbed: Any, verify: Any
) -> None:
    expected, seconds = undisturbed
    killed = unfinished = 0
    while killed < KILLS:
        moment = seconds * (killed + 0.5) / KILLS
        if killed_after(moment, small, "small", DAY):
            killed += 1
        else:
            # What the killed runs had finished is reused, so the later ones are shorter.
            seconds *= 0.8
        assert small.processes(within=3) == [], f"killed after {moment} s"
        assert half_written(small) == [], f"killed after {moment} s"
        verify(small.store)
        unfinished += len(staged(small))
        assert contents(small).items() <= expected.items(), f"killed after {moment} s"
        for report in small.artefacts("ReportTask"):
            # The next run is to be killed over it again.
            shutil.rmtree(report)
    done = small.report("small", DAY)
    assert done.code == 0
    assert "1 to make, 1 reused" in done.err
    assert contents(small) == expected
    assert unfinished > 0
    assert staged(small) == [], "the last run did not sweep what the killed ones were writing"
