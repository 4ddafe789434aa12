"""`parcours diff` as a user types it."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.acceptance

DAY = "2020-01-01"


@pytest.fixture(scope="module")
def pair(shared: Any) -> tuple[Path, Path]:
    """Two reports of the shared project with another factor."""
    assert shared.report("small", DAY).code == 0
    [first] = shared.artefacts("ReportTask")
    assert shared.report("small", DAY, "--parameters", '{"factor": 3}').code == 0
    [second] = set(shared.artefacts("ReportTask")) - {first}
    return first, second


def test_the_first_line_says_where_two_reports_part(shared: Any, pair: tuple[Path, Path]) -> None:
    done = shared.run("parcours", "diff", *map(str, pair))
    assert (done.code, done.err) == (0, "")
    assert [" ".join(line.split()) for line in done.out.splitlines()] == [
        "They part at Cleaned 2020-01-01: parameters.",
        "parameters factor 2.0 -> 3.0",
        "same code, data, environment, template",
        "results Cleaned 2020-01-01: 2 rows, 2 rows changed in value",
        "outputs of cell 3",
    ]


def test_two_identical_reports_are_the_same(shared: Any, pair: tuple[Path, Path], tmp_path: Path) -> None:
    lone = tmp_path / "mailed.html"
    shutil.copyfile(pair[0] / "report.html", lone)
    done = shared.run("parcours", "diff", str(pair[0]), str(lone))
    assert (done.code, done.out, done.err) == (0, "They are the same.\n", "")


def test_json_has_everything(shared: Any, pair: tuple[Path, Path]) -> None:
    found = json.loads(shared.run("parcours", "diff", "--json", *map(str, pair)).out)
    assert found["part_at"]["causes"] == ["parameters"]
    assert found["results"][0]["table"]["examples"][0] == {"key": [1], "column": "value", "old": 2.0, "new": 3.0}
    assert found["page"] is None


def test_the_page_is_written_where_it_is_wanted(shared: Any, pair: tuple[Path, Path]) -> None:
    done = shared.run("parcours", "diff", *map(str, pair), "--html", "page.html")
    assert done.last_line == "page: page.html"
    assert "They part at Cleaned 2020-01-01: parameters." in (shared.folder / "page.html").read_text()


def test_what_is_no_artefact_is_refused(shared: Any, pair: tuple[Path, Path], tmp_path: Path) -> None:
    for paths in ((str(pair[0]), str(tmp_path)), ("nowhere", str(pair[0])), (str(pair[0]), "acme.py")):
        done = shared.run("parcours", "diff", *paths)
        assert (done.code, done.out) == (2, "")
        assert done.err.endswith(
            "; expected a report's HTML file, an artefact's folder, a file in it, or a version's first 8 digits or more.\n"
        )


def test_a_page_that_cannot_be_written_is_refused(shared: Any, pair: tuple[Path, Path], tmp_path: Path) -> None:
    done = shared.run("parcours", "diff", *map(str, pair), "--html", str(tmp_path))
    assert (done.code, done.out) == (2, "")
    assert (
        done.err == f"{tmp_path} is a folder; expected the name of a file to write, in a folder that can be written.\n"
    )


def test_a_page_in_a_folder_that_may_not_be_written_is_refused(
    shared: Any, pair: tuple[Path, Path], tmp_path: Path
) -> None:
    (tmp_path / "locked").mkdir(mode=0o500)
    # root may write everywhere, unless it gives that up.
    drop = "setpriv --bounding-set=-dac_override --inh-caps=-all " if os.geteuid() == 0 else ""
    page = tmp_path / "locked" / "page.html"
    done = shared.run("/bin/bash", "-c", f"exec {drop}parcours diff {pair[0]} {pair[1]} --html {page}")
    assert (done.code, done.out, len(done.err.splitlines())) == (2, "", 1)
    assert f"{page} lies in a folder that cannot be written" in done.err
    assert list(page.parent.iterdir()) == []
