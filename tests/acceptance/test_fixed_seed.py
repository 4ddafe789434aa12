"""Whatever starts it, a stage runs with a fixed hash seed, and a command that makes nothing starts once."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

pytestmark = pytest.mark.acceptance

SOURCE = """
import os
import sys
import luigi
import pandas as pd
from workflows import Stage

with open("starts", "a") as file:
    file.write("x")

class Seeded(Stage):
    date = luigi.DateParameter()

    def compute(self):
        return pd.DataFrame({"seed": [sys.flags.hash_randomization], "child": [os.environ["PYTHONHASHSEED"]]})

class Wrapped(luigi.WrapperTask):
    def requires(self):
        import datetime
        return [Seeded(date=datetime.date(2020, 1, day)) for day in (1, 2)]
"""
ONE = ["Seeded", "--date", "2020-01-01"]
RANGE = ["RangeDaily", "--of", "Seeded", "--start", "2020-01-01", "--stop", "2020-01-03"]


@pytest.fixture
def seeded(tmp_path: Path, make_small: Callable[[Path], Any]) -> Any:
    """A project whose stage says how it was run, and that counts the starts of Python."""
    place = make_small(tmp_path / "small")
    place.module("acme", SOURCE)
    place.environment["PYTHONHASHSEED"] = "random"
    return place


def luigi(place: Any, *words: str, program: tuple[str, ...] = ("luigi",), **environment: str) -> int:
    """Run the command; how often Python started in it."""
    log = place.folder / "starts"
    log.unlink(missing_ok=True)
    done = place.run(*program, "--module", "workflows", *words, "--local-scheduler", **environment)
    assert done.code == 0, done.err
    assert done.err.count("plan  ") <= 1
    return len(log.read_text())


@pytest.mark.parametrize(
    ("words", "results"),
    [(ONE, 1), ([*ONE, "--workers", "2"], 1), (RANGE, 2), (["Wrapped"], 2), ([*RANGE, "--workers", "2"], 2)],
    ids=["stage", "workers", "range", "wrapper", "range with workers"],
)
def test_a_stage_runs_with_a_fixed_hash_seed(seeded: Any, words: list[str], results: int) -> None:
    assert luigi(seeded, *words) == 2
    tables = [pd.read_parquet(folder / "table.parquet") for folder in seeded.artefacts("Seeded")]
    assert [(table.seed[0], table.child[0]) for table in tables] == [(0, "0")] * results


def test_so_does_one_run_by_python_m_luigi(seeded: Any) -> None:
    assert luigi(seeded, *ONE, program=(Path(sys.executable).name, "-m", "luigi")) == 2
    assert pd.read_parquet(seeded.artefacts("Seeded")[0] / "table.parquet").seed[0] == 0


def test_a_command_that_finds_everything_complete_starts_once(seeded: Any) -> None:
    luigi(seeded, *ONE)
    assert luigi(seeded, *ONE) == 1


def test_a_command_whose_hash_seed_is_fixed_already_starts_once(seeded: Any) -> None:
    assert luigi(seeded, *ONE, PYTHONHASHSEED="0") == 1
