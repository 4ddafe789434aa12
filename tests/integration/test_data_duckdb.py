"""A DuckDB file as the database of a pipeline."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

pytestmark = pytest.mark.integration


@pytest.fixture
def place(small: Any) -> Any:
    """The project of a few lines, with its rows in a DuckDB file."""
    with duckdb.connect(str(small.folder / "acme.duckdb")) as connection:
        connection.execute("CREATE TABLE events (id INTEGER, date DATE, kind VARCHAR, value DOUBLE)")
        connection.execute("INSERT INTO events VALUES (1, '2020-01-01', 'a', 1), (3, '2020-01-02', 'b', 4)")
    small.configure(pipelines="acme", database=f"duckdb:///{small.folder}/acme.duckdb")
    return small


def test_workers_that_run_at_the_same_time_can_read_it(place: Any) -> None:
    task = ["Backfill", "--start", "2020-01-01", "--stop", "2020-01-02", "--template", "small"]
    done = place.run("luigi", "--module", "workflows", *task, "--local-scheduler", "--workers", "2")
    assert (done.code, done.err.count("ERROR")) == (0, 0), done.err
    assert len(place.artefacts("Events")) == 2
    record = json.loads((Path(place.artefacts("Events")[0]) / "provenance.json").read_text())
    assert record["source"]["rows"] == 1


def test_a_result_is_found_again_until_a_row_changes(place: Any) -> None:
    first = place.report("small", "2020-01-02")
    again = place.report("small", "2020-01-02")
    assert again.last_line == first.last_line
    assert "nothing to do" in again.err
    with duckdb.connect(str(place.folder / "acme.duckdb")) as connection:
        connection.execute("UPDATE events SET value = 5 WHERE id = 3")
    changed = place.report("small", "2020-01-02")
    assert changed.code == 0
    assert changed.last_line != first.last_line
