"""The project that hooks and the queue are tried on."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from triggered import COMMAND, Repository

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Repository]:
    """A project in a folder with a space in its name, committed once, with this environment as its own."""
    folder = tmp_path / "a project's"
    folder.mkdir()
    for name in ("scripts", "workflows"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "flights"))
    for name in ("luigi.cfg", "setup.cfg", "pyproject.toml", "requirements.lock", ".gitignore"):
        shutil.copy(ROOT / name, folder / name)
    (folder / "workflows" / "cli.py").rename(folder / "workflows" / "real_cli.py")
    (folder / "workflows" / "cli.py").write_text(COMMAND)
    (folder / "data").mkdir()
    _environment(folder)
    found = Repository(folder, tmp_path)
    found.git("init", "--quiet", "--initial-branch", "main")
    found.git("add", ".")
    found.git("commit", "--quiet", "-m", "Begin")
    yield found
    found.kill_all()


def _environment(folder: Path) -> None:
    """This environment, as `scripts/environment` would have made it there."""
    own = folder / ".venv"
    own.mkdir()
    for name in ("bin", "lib", "pyvenv.cfg"):
        (own / name).symlink_to(Path(sys.prefix) / name)
    names = ("requirements.lock", "setup.cfg", "pyproject.toml", "scripts/environment")
    parts = b"".join((folder / name).read_bytes() for name in names)
    state = subprocess.run(["git", "hash-object", "--stdin"], input=parts, capture_output=True, check=True).stdout
    (own / "parcours-state").write_text(f"{state.decode().strip()}\n{os.fspath(folder)}\n")
