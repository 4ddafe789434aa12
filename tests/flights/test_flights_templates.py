"""The templates as they are stored, and run by hand: offline, on the samples beside them."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest
from nbclient import NotebookClient
from traitlets.config import Config

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "templates"
NAMES = ["anomaly_report", "daily", "regression_test", "sanity_check"]


def stored(name: str) -> Any:
    return nbformat.read(TEMPLATES / f"{name}.ipynb", as_version=4)


def parameters(name: str) -> Any:
    (cell,) = [cell for cell in stored(name).cells if "parameters" in cell.metadata.get("tags", [])]
    return cell


def needs(name: str) -> dict[str, str]:
    """Sample file by the name of the result that it stands for."""
    found = {}
    for statement in ast.parse(parameters(name).source).body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.annotation, ast.Constant):
            assert isinstance(statement.value, ast.Constant)
            found[str(statement.annotation.value)] = str(statement.value.value)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_a_template_is_a_valid_notebook_without_outputs(name: str) -> None:
    notebook = stored(name)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    assert notebook.metadata.kernelspec.name == "python3"
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert (cell.outputs, cell.execution_count) == ([], None)


@pytest.mark.parametrize("name", NAMES)
def test_cells_are_short_and_their_ids_can_be_read(name: str) -> None:
    cells = stored(name).cells
    ids = [cell.id for cell in cells]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", cell) for cell in ids)
    assert max(len(cell.source.splitlines()) for cell in cells) <= 17


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_is_described(name: str) -> None:
    source = parameters(name).source
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.AnnAssign):
            assert "  # " in source.splitlines()[(statement.end_lineno or 0) - 1]


@pytest.mark.parametrize("name", NAMES)
def test_the_results_that_a_template_names_are_those_of_the_pipeline(name: str) -> None:
    import workflows.flights

    assert set(needs(name)) <= set(workflows.flights.__all__)


def test_samples_are_small() -> None:
    samples = sorted((TEMPLATES / "samples").glob("*.parquet"))
    assert {sample.stem for sample in samples} == {"anomalies", "flights", "volumes", "weather"}
    assert all(sample.stat().st_size < 200_000 for sample in samples)


@pytest.mark.integration
@pytest.mark.parametrize("kind", ["anomalies", "flights", "volumes", "weather"])
def test_a_sample_is_what_the_pipeline_makes(days: Any, kind: str) -> None:
    sample = pd.read_parquet(TEMPLATES / "samples" / f"{kind}.parquet")
    pd.testing.assert_frame_equal(sample, getattr(days, kind)("2013-01-15"))


def run(name: str, folder: Path) -> list[Any]:
    """The outputs of the template as it is, run in the templates' folder."""
    notebook = stored(name)
    # Ports that are free now may be another test's in a moment.
    sockets = Config({"ConnectionFileMixin": {"transport": "ipc", "ip": str(folder / "k")}})
    resources = {"metadata": {"path": TEMPLATES}}
    client = NotebookClient(notebook, timeout=120, kernel_name="python3", resources=resources, config=sockets)
    client.execute()
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


@pytest.mark.integration
@pytest.mark.filterwarnings("default")  # of the Jupyter client; those of the notebook are looked for below
@pytest.mark.parametrize("name", NAMES)
def test_a_template_runs_by_hand_and_says_nothing_by_the_way(name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        # Its path is short enough for a socket.
        outputs = run(name, Path(folder))
    assert not [output for output in outputs if output.output_type in ("stream", "error")]
    assert not re.search(r"0x[0-9a-f]{6}", json.dumps([output.data.get("text/plain", "") for output in outputs]))
    assert len([output for output in outputs if "image/png" in output.data]) >= 2


@pytest.mark.integration
def test_the_pipeline_is_imported_without_its_heavy_libraries() -> None:
    heavy = ("pandas", "numpy", "pandera", "pyarrow", "matplotlib", "rich", "sqlalchemy")
    code = f"import sys, workflows.flights; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"
