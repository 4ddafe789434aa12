"""The template `regression_test` through the real command, with the record of an evaluation that a parameter names."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.acceptance

TEMPLATES = Path(__file__).parents[2] / "templates"
DAY = "2026-10-15"


@pytest.fixture
def evaluated(small: Any, tmp_path: Path) -> tuple[Any, Path]:
    """A project with the template and its samples, and an evaluation that lies elsewhere."""
    shutil.copy(TEMPLATES / "regression_test.ipynb", small.folder / "templates")
    elsewhere = tmp_path / "elsewhere"
    for folder in (small.folder / "templates" / "samples", elsewhere):
        folder.mkdir(exist_ok=True)
        for path in (TEMPLATES / "samples").glob("evaluation*"):
            shutil.copy(path, folder)
    return small, elsewhere / "evaluation.json"


def report(place: Any, path: Path) -> Any:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    values = json.dumps({"evaluation": str(path), "digest": digest})
    return place.report("regression_test", DAY, "--parameters", values)


def test_a_report_shows_the_evaluation_that_is_named_and_another_where_it_changes(evaluated: Any) -> None:
    place, path = evaluated
    done = report(place, path)
    assert done.code == 0, done.err
    page = (place.folder / done.last_line.removeprefix("report: ")).read_text()
    assert "Worse: anomalies of anomaly_report 2013-01-15 threshold=5 rose from 44 to 48" in page
    assert page.count("data:image/png;base64,") == 2
    path.write_text(path.read_text().replace("Ada Lovelace", "Ada King"))
    other = report(place, path)
    assert other.last_line != done.last_line
    assert "Ada King" in (place.folder / other.last_line.removeprefix("report: ")).read_text()


def test_a_record_that_is_not_there_fails_the_report_in_one_sentence(evaluated: Any) -> None:
    place, path = evaluated
    values = json.dumps({"evaluation": str(path.parent / "none.json")})
    done = place.report("regression_test", DAY, "--parameters", values)
    assert done.code == 30
    assert "none.json cannot be read (No such file or directory); expected an evaluation.json" in done.err
