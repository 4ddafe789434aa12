"""A project of the example's templates and data in a temporary folder, with an empty store, for the benchmarks."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LUIGI = Path(sys.executable).parent / "luigi"


@contextlib.contextmanager
def workplace() -> Iterator[Path]:
    """The folder; gone afterwards."""
    database = ROOT / "data" / "nyc.db"
    subprocess.run([sys.executable, "-m", "workflows.flights.database", database], check=True)
    with tempfile.TemporaryDirectory(prefix="parcours-bench-") as name:
        folder = Path(name)
        shutil.copytree(ROOT / "templates", folder / "templates")
        shutil.copy(ROOT / "luigi.cfg", folder)
        os.environ["PARCOURS_DATABASE"] = f"sqlite:///{database}"
        yield folder
