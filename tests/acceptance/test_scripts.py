"""The two scripts at the top of the README, as far as they go without making an environment."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.acceptance

ROOT = Path(__file__).resolve().parents[2]


def script(name: str, *words: str, folder: Path = ROOT, **variables: str) -> Any:
    given = {name: value for name, value in os.environ.items() if not name.startswith(("PARCOURS_", "LUIGI_"))}
    return subprocess.run(
        [folder / "scripts" / name, *words],
        capture_output=True,
        text=True,
        env={**given, **variables},
        timeout=120,
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture
def copy(tmp_path: Path, nyc: Path) -> Path:
    """A clone whose environment is this one, with the example's database built."""
    folder = tmp_path / "clone"
    folder.mkdir()
    for name in ("scripts", "workflows", "templates"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("luigi.cfg", "setup.cfg", "pyproject.toml", "requirements.lock"):
        shutil.copy(ROOT / name, folder / name)
    (folder / "data").mkdir()
    os.link(nyc, folder / "data" / "nyc.db")
    environment = folder / ".venv"
    environment.mkdir()
    for name in ("bin", "lib", "pyvenv.cfg"):
        (environment / name).symlink_to(Path(sys.prefix) / name)
    parts = [
        (folder / name).read_bytes()
        for name in ("requirements.lock", "setup.cfg", "pyproject.toml", "scripts/environment")
    ]
    state = subprocess.run(
        ["git", "hash-object", "--stdin"], input=b"".join(parts), capture_output=True, check=True
    ).stdout
    (environment / "parcours-state").write_text(f"{state.decode().strip()}\n{folder}\n")
    return folder


def test_help_is_told_without_setting_anything_up(copy: Path) -> None:
    shutil.rmtree(copy / ".venv")
    done = script("report", "--help", folder=copy)
    assert (done.returncode, done.stdout) == (
        0,
        "usage: scripts/report [DATE] [TEMPLATE]      e.g. scripts/report 2013-01-15 anomaly_report\n",
    )
    assert not (copy / ".venv").exists()


def test_a_prepared_clone_makes_a_report_from_any_folder(copy: Path) -> None:
    done = script("report", "2013-01-02", "sanity_check", folder=copy)
    assert done.returncode == 0, done.stderr
    path = done.stdout.splitlines()[-1].removeprefix("report: ")
    assert (copy / path).is_file()


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["2013-13-01"], "ERROR: '2013-13-01' is not a date; expected YYYY-MM-DD, such as 2013-01-15."),
        (["2014-01-01", "daily"], "Dates with data: 2013-01-01 to 2013-12-31 (365 dates)."),
        (["2013-01-15", "dayly"], "Did you mean 'daily'?"),
    ],
)
def test_bad_arguments_are_refused_in_one_line(copy: Path, words: list[str], line: str) -> None:
    done = script("report", *words, folder=copy)
    assert done.returncode == 40
    assert done.stdout == ""
    assert line in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr
