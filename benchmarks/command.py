"""A report from a cold command, queries and stages included, against papermill and nbconvert as commands with its data ready.

Goal: at least 1.5 times faster. Run: .venv/bin/python benchmarks/command.py [RUNS]
"""

from __future__ import annotations

import datetime
import os
import shutil
import subprocess
import sys
from pathlib import Path

from against import filled
from workplace import LUIGI, ROOT, outrun, taken, workplace

DATE = datetime.date(2013, 1, 15)
TEMPLATE = "anomaly_report"
BIN = Path(sys.executable).parent


def ours(folder: Path) -> float:
    """The seconds of our command, with an empty store."""
    shutil.rmtree(folder / "data" / "store", ignore_errors=True)
    what = ["ReportTask", "--date", str(DATE), "--template", TEMPLATE, "--local-scheduler"]
    return taken([str(LUIGI), "--module", "workflows", *what], folder).wall


def theirs(file: Path, folder: Path) -> float:
    """The seconds of the two commands on the filled notebook."""
    done = str(file.with_suffix(".done.ipynb"))
    execute = taken([str(BIN / "papermill"), str(file), done, "--cwd", str(folder / "templates")], folder)
    return execute.wall + taken([str(BIN / "jupyter-nbconvert"), "--to", "html", done], folder).wall


def write_filled(file: Path) -> None:
    """Write the report's notebook, as it is executed."""
    from workflows import ReportTask

    filled(ReportTask(date=DATE, template=TEMPLATE), file)


def main(runs: int) -> None:
    """Run both sides in turn and print the medians and their ratio."""
    os.environ["PYTHONPATH"] = str(ROOT)
    us, them = [], []
    with workplace() as folder:
        file = folder / "filled.ipynb"
        for _ in range(runs + 1):
            us.append(ours(folder))
            subprocess.run([sys.executable, __file__, "--write", file], cwd=folder, check=True)
            them.append(theirs(file, folder))
    outrun(us[1:], them[1:], ("a report, cold", "papermill and jupyter nbconvert"), goal=1.5)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--write"]:
        write_filled(Path(sys.argv[2]))
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
