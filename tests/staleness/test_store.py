"""What lies in the store already: found again after going back, and never believed when it is not what was written."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import code_definitions
import pytest
from code_modules import IMPORTS
from harness import Case, apply, run
from trial import Trial, named

pytestmark = pytest.mark.integration

CASES = [code_definitions.CASES[0], IMPORTS[0]]
PLAIN = Case("stored results", "FACTOR = 2\n", returns="FACTOR")
CHAIN = Case(
    "chain of stages",
    """
    class First(Stage):
        def compute(self):
            print("first is computed")
            return table(len(str(NUMBER)))

    class Scaled(Stage):
        def requires(self):
            return First()
        def compute(self, given):
            return given

    NUMBER = 12
    """,
)


@named(CASES)
def test_going_back_finds_the_first_results_again(case: Case, trial: Trial) -> None:
    first = trial.first(case)[1]
    folder = trial.edited(case, case.matters)
    assert trial.run(case, folder).computed == case.reruns
    old, new = case.matters  # type: ignore[misc]
    apply((new, old), folder)
    back = trial.run(case, folder)
    assert not back.planned
    assert back.tables == first.tables


@named(CASES)
def test_the_same_state_again_runs_nothing(case: Case, trial: Trial) -> None:
    trial.assert_nothing_runs(case)


def test_a_result_of_the_same_bytes_stops_what_would_follow(trial: Trial) -> None:
    """First runs, for its code changed, and gives the same; Scaled takes over what it gave."""
    folder = trial.edited(CHAIN, ("NUMBER = 12", "NUMBER = 34"))
    found = trial.run(CHAIN, folder)
    assert found.computed == {"First"}
    assert found.reused == {"Scaled"}
    assert found.tables == trial.scratch(CHAIN, folder).tables


def _rotten(table: Path) -> None:
    data = bytearray(table.read_bytes())
    data[len(data) // 2] ^= 1
    table.chmod(0o600)
    table.write_bytes(data)


def _truncated(table: Path) -> None:
    os.truncate(table, table.stat().st_size // 2)


def _gone(table: Path) -> None:
    table.unlink()


def _without_provenance(table: Path) -> None:
    (table.parent / "provenance.json").unlink()


def _with_torn_provenance(table: Path) -> None:
    os.truncate(table.parent / "provenance.json", 40)


def _with_forged_provenance(table: Path) -> None:
    record = table.parent / "provenance.json"
    record.write_text(record.read_text().replace('"version": "', '"version": "0'))


DAMAGES = [_rotten, _truncated, _gone, _without_provenance, _with_torn_provenance, _with_forged_provenance]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__.strip("_").replace("_", " "))
def test_a_result_that_is_not_what_was_written_is_made_again(damage: Callable[[Path], None], trial: Trial) -> None:
    """With the time that the file had: nothing but its bytes tells."""
    first = trial.first(PLAIN)[1]
    folder = trial.edited(PLAIN)
    (table,) = (folder / "store" / "Scaled").rglob("table.parquet")
    times = table.stat()
    damage(table)
    if table.exists():
        os.utime(table, ns=(times.st_atime_ns, times.st_mtime_ns))
    found = run(folder)
    assert found.planned == found.computed == {"Scaled"}
    assert found.tables == first.tables
    assert not run(folder).planned


def test_a_rotten_input_is_made_again_before_it_is_read(trial: Trial) -> None:
    folder = trial.edited(CHAIN, ("return given\n", "return given * 2\n"))
    (table,) = (folder / "store" / "First").rglob("table.parquet")
    times = table.stat()
    _rotten(table)
    os.utime(table, ns=(times.st_atime_ns, times.st_mtime_ns))
    found = run(folder)
    assert found.computed == {"First", "Scaled"}
    assert found.tables == trial.scratch(CHAIN, folder).tables


def test_the_look_ups_beside_the_store_can_go(trial: Trial) -> None:
    folder = trial.edited(PLAIN)
    for file in (folder / "cache").iterdir():
        file.unlink()
    assert not run(folder).planned
