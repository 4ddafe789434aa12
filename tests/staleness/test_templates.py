"""Changes of templates: exactly the reports they can change are made again, in real kernels."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from harness import DAY, Case, Edit
from trial import Trial, named

pytestmark = pytest.mark.integration

REPORT = f"small {DAY}"
CELLS = [
    ("code", "import datetime\ndate: datetime.date = datetime.date(2020, 1, 1)  # the day\n"
     "scaled: 'Scaled' = 'samples/scaled.parquet'\nthreshold: float = 3.0  # the limit\n"),
    ("markdown", "# A report\n\nOf little."),
    ("code", "import pandas as pd\nimport charts\nimport beside\nfound = pd.read_parquet(scaled).value[0]"),
    ("code", "print(found, threshold, charts.drawn(2), beside.WORDS, date)"),
]  # fmt: skip
NOTEBOOK = {
    "nbformat": 4,
    "nbformat_minor": 5,
    "metadata": {},
    "cells": [
        {"cell_type": kind, "id": f"cell-{n}", "source": source, "metadata": {"tags": []}}
        | ({"outputs": [], "execution_count": None} if kind == "code" else {})
        for n, (kind, source) in enumerate(CELLS)
    ],
}


def _case(name: str, matters: Edit = (), harmless: Edit = (), reruns: frozenset[str] = frozenset({REPORT})) -> Case:
    return Case(
        name,
        "FACTOR = 2\n",
        {
            "templates/small.ipynb": json.dumps(NOTEBOOK),
            "charts.py": "def drawn(x):\n    return x * 2\n\ndef unrelated(x):\n    return x * 7\n",
            "templates/beside.py": "WORDS = 'before'\nUNUSED = 1\n",
        },
        returns="FACTOR",
        matters=matters,
        harmless=harmless,
        reruns=reruns,
        template="small",
    )


PLAIN = _case("first")
SEEN = [
    _case("a cell's code", ("print(found, threshold,", "print(found, threshold + 1,")),
    _case("a cell's text", ("Of little.", "Of much.")),
    _case("a template's helper module", ("x * 2", "x * 3")),
    _case("a module beside the template", ("'before'", "'after'")),
    _case("the default of a parameter", ("threshold: float = 3.0", "threshold: float = 4.0")),
    _case("the stage below", ("FACTOR = 2", "FACTOR = 3"), reruns=frozenset({REPORT, "Scaled"})),
]
UNSEEN = [
    _case("a comment in a cell", harmless=("print(found, threshold,", "# What it found.\\nprint(found, threshold,")),
    _case("layout of a cell", harmless=("print(found, threshold,", "print(found,  threshold,")),
    _case("the description of a parameter", harmless=("# the limit", "# the upper limit")),
    _case("an unrelated definition of the helper module", harmless=("x * 7", "x * 8")),
    _case("an unrelated constant beside the template", harmless=("UNUSED = 1", "UNUSED = 2")),
    _case("a docstring of the helper module", harmless=("def drawn(x):\n", 'def drawn(x):\n    """Draw."""\n')),
    _case("the outputs that Jupyter stored", harmless=('"execution_count": null}, {"cell_type": "markdown"', '"execution_count": 7}, {"cell_type": "markdown"')),
    _case("how the notebook file is written", harmless=lambda folder: _written_anew(folder / "templates" / "small.ipynb")),
    _case("another template", harmless=lambda folder: _copied(folder / "templates")),
]  # fmt: skip


def _written_anew(path: Path) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()), indent=1, sort_keys=True))


def _copied(folder: Path) -> None:
    (folder / "other.ipynb").write_text((folder / "small.ipynb").read_text())


@pytest.fixture(scope="module", autouse=True)
def _loaded(trial: Trial) -> None:
    """What reports need is loaded before the forks, and the first state is the same in all cases."""
    import pydantic  # noqa: F401

    import workflows.notebooks.execution
    import workflows.notebooks.html  # noqa: F401

    first = trial.first(PLAIN)
    trial.firsts |= {case.name: first for case in (*SEEN, *UNSEEN)}


@named(SEEN)
def test_a_change_that_matters_is_seen(case: Case, trial: Trial) -> None:
    trial.assert_seen(case)


@named(SEEN)
def test_a_change_that_matters_runs_nothing_else(case: Case, trial: Trial) -> None:
    trial.assert_nothing_else(case)


@named(UNSEEN)
def test_what_a_report_cannot_show_runs_nothing(case: Case, trial: Trial) -> None:
    folder = trial.edited(case, case.harmless)
    found = trial.run(case, folder)
    assert not found.planned, f"needless: {sorted(found.planned)}"
