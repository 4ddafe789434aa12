"""What reports are compared with: papermill and nbconvert on the same filled notebook, and its cells in a warm Python."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat

KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
# A day's flights described and drawn: its cells take about 0.2 s where everything is imported.
SMALL = (
    'import datetime\n\ndate: datetime.date = datetime.date(2013, 1, 15)  # the day\nflights: "Flights" = "samples/flights.parquet"',
    "import matplotlib.pyplot as plt\nimport numpy as np\nimport pandas as pd",
    "day = pd.read_parquet(flights)\nday.describe()",
    "rng = np.random.default_rng(1)\ndelays = day['dep_delay'].dropna().to_numpy()\n"
    "means = np.array([rng.choice(delays, len(delays)).mean() for _ in range(4000)])\n"
    "pd.Series(means).quantile([0.025, 0.5, 0.975]).rename('mean delay')",
    "figure, axes = plt.subplots(figsize=(7, 3))\naxes.hist(delays, bins=60)\naxes.set(xlabel='delay in minutes', ylabel='flights');",
)


def write_small(templates: Path) -> None:
    """Write the small template."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in SMALL])
    notebook.cells.insert(0, nbformat.v4.new_markdown_cell("# A small notebook"))
    notebook.cells[1].metadata["tags"] = ["parameters"]
    nbformat.write(notebook, templates / "small.ipynb")


def filled(report: Any, file: Path) -> Path:
    """Write the notebook that a report executes, its tables named in full, as papermill wants it."""
    from workflows.store.address import TABLE
    from workflows.tasks.project import current

    store = current().store
    tables = {}
    for name, task in report.requires().items():
        found = store.find(task.address)
        assert found, f"{task.label} is to be made first"
        tables[name] = str(store.file(found, TABLE).resolve())
    notebook = nbformat.from_dict(report.source.filled({**report._changed, **tables}))
    notebook.metadata["kernelspec"] = KERNEL
    nbformat.write(notebook, file)
    return file


def papermill(file: Path, folder: Path) -> float:
    """Execute and export a filled notebook in a folder; returns the seconds that it took."""
    import papermill as theirs
    from nbconvert import HTMLExporter

    began = time.perf_counter()
    done = file.with_suffix(".done.ipynb")
    theirs.execute_notebook(str(file), str(done), cwd=str(folder), progress_bar=False, log_output=False)
    page, _ = HTMLExporter().from_filename(str(done))
    file.with_suffix(".html").write_text(page, encoding="utf-8")
    return time.perf_counter() - began


class Floor:
    """A process that has imported everything and runs the cells of a notebook, one after the other."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def seconds(self, file: Path) -> float:
        """What the cells of a filled notebook take."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{file}\n")
        self._process.stdin.flush()
        return float(json.loads(self._process.stdout.readline()))


@contextlib.contextmanager
def floor(folder: Path) -> Iterator[Floor]:
    """Such a process in a folder; ended afterwards."""
    with subprocess.Popen(
        [sys.executable, __file__], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Floor(process)
        assert process.stdin
        process.stdin.close()


def _serve() -> None:
    """Run the notebooks that standard input names in an IPython shell, and tell the seconds of each."""
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.core.pylabtools import activate_matplotlib
    from matplotlib_inline.backend_inline import configure_inline_support

    sys.path.insert(0, "")
    os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
    shell = InteractiveShell.instance()
    # As a kernel does, and unlike a terminal: pictures are drawn, and tables laid out.
    shell.display_formatter.active_types = list(shell.display_formatter.formatters)
    activate_matplotlib(os.environ["MPLBACKEND"])
    configure_inline_support(shell, os.environ["MPLBACKEND"])
    told = sys.stdout
    for line in sys.stdin:
        cells = [cell.source for cell in nbformat.read(line.strip(), 4).cells if cell.cell_type == "code"]
        shell.reset()
        began = time.perf_counter()
        with contextlib.redirect_stdout(io.StringIO()):
            for cell in cells:
                shell.run_cell(cell).raise_error()
        told.write(f"{time.perf_counter() - began}\n")
        told.flush()


if __name__ == "__main__":
    _serve()
