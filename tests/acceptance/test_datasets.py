"""Datasets by the commands: frozen, listed, carried, used in place of the database, and killed while they are made."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from workflows.notebooks.html import content

pytestmark = pytest.mark.acceptance

DAY = "2020-01-01"
RANGE = ["--from", DAY, "--to", "2020-01-03"]


def freeze(place: Any, name: str, *more: str) -> Any:
    return place.run("parcours", "freeze", name, "--queries", "Events", *RANGE, *more)


def page(done: Any, place: Any) -> tuple[str, str]:
    """A report's folder, named by its version, and what its page shows."""
    path = place.folder / done.last_line.removeprefix("report: ")
    return path.parent.name, content(path.read_text())


def test_a_dataset_is_frozen_listed_carried_and_used(small: Any) -> None:
    live = small.report("small", DAY)
    done = freeze(small, "kept", "--note", "for the suite")
    assert (done.code, done.err) == (0, "")
    assert done.out.splitlines()[1:] == [
        "  Events: 2020-01-01, 2020-01-02",
        "  note: for the suite",
        "  left out, without data: Events of 2020-01-03",
        "dataset: data/store/datasets/kept",
    ]
    again = freeze(small, "kept")
    assert (again.code, again.out) == (2, "")
    assert again.err.count("\n") == 1
    [listed] = json.loads(small.run("parcours", "datasets", "--json").out)
    assert (listed["name"], listed["rows"], listed["note"]) == ("kept", 3, "for the suite")
    assert listed["queries"] == {"Events": ["2020-01-01", "2020-01-02"]}

    assert small.run("parcours", "datasets", "export", "kept", "kept.parcours").code == 0
    for folder in ("store", "catalog.db"):
        path = small.folder / "data" / folder
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    (small.folder / "acme.db").unlink()
    assert "brought into the store" in small.run("parcours", "datasets", "import", "kept.parcours").out
    assert "already, the same" in small.run("parcours", "datasets", "import", "kept.parcours").out
    same = small.report("small", DAY, PARCOURS_DATASET="kept")
    assert same.code == 0
    assert same.last_line == live.last_line


def test_the_page_is_the_same_from_the_dataset_when_the_database_has_moved(small: Any) -> None:
    freeze(small, "kept")
    first = page(small.report("small", DAY), small)
    with closing(sqlite3.connect(small.folder / "acme.db")) as connection, connection:
        connection.execute("UPDATE events SET value = 100")
    assert page(small.report("small", DAY), small) != first
    shutil.move(small.store / "datasets", small.folder / "datasets")
    shutil.rmtree(small.store)
    small.store.mkdir()
    shutil.move(small.folder / "datasets", small.store / "datasets")
    assert page(small.report("small", DAY, PARCOURS_DATASET="kept"), small) == first


def test_a_missing_dataset_and_a_missing_date_are_one_line(small: Any) -> None:
    freeze(small, "kept")
    missing = small.report("small", DAY, PARCOURS_DATASET="kep")
    assert missing.code != 0
    assert missing.err.endswith("bring one in with `parcours datasets import FILE`.\n")
    outside = small.run("parcours", "plan", "Events", "--date", "2020-01-03", PARCOURS_DATASET="kept")
    assert (outside.code, outside.out) == (2, "")
    assert outside.err.startswith("dataset 'kept' has no Events for date 2020-01-03; it has Events of 2020-01-01")


def test_the_project_ships_a_dataset_that_its_reports_can_be_made_from(workplace: Any) -> None:
    use = {"PARCOURS_DATASET": "new-york-2013", "PARCOURS_DATABASE": "sqlite:///none.db"}
    plan = workplace.run("parcours", "plan", "anomaly_report", "--date", "2013-01-21", "--json", **use)
    assert plan.code == 0
    live = workplace.run("parcours", "plan", "anomaly_report", "--date", "2013-01-21", "--json")
    assert versions(plan) == versions(live)
    assert workplace.report("daily", "2013-01-16", **use).code == 0


def versions(done: Any) -> list[str]:
    found = json.dumps(json.loads(done.out))
    return [part[:64] for part in found.split('"version": "')[1:]]


def test_freezing_that_is_killed_leaves_nothing_to_be_seen_and_can_be_run_again(workplace: Any) -> None:
    arguments = ["--queries", "Flights,Weather", "--from", "2013-01-01", "--to", "2013-03-31"]
    staging = workplace.store / ".staging"
    process = workplace.start("parcours", "freeze", "kept", *arguments)
    until = time.monotonic() + 60
    while not any(written(staging)) and time.monotonic() < until:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert any(written(staging))
    assert "has no datasets" in workplace.run("parcours", "datasets").out
    assert workplace.run("parcours", "freeze", "kept", *arguments[:-1], "2013-01-02").code == 0
    assert list(staging.iterdir()) == []


def written(staging: Path) -> list[Path]:
    return list(staging.glob("*/*.parquet"))
