"""Evaluations read for a view of one's own, and the parts of it."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import evaluations as some
import pytest

from workflows.errors import PathError
from workflows.evaluation import drawing
from workflows.evaluation.reading import Evaluated
from workflows.evaluation.verdict import Evaluation

SAMPLE = Path(__file__).parents[2] / "templates" / "samples" / "evaluation.json"


@pytest.fixture
def stored(tmp_path: Path) -> Callable[[Evaluation], Evaluated]:
    """An evaluation with its pictures, written and read."""

    def write(evaluation: Evaluation) -> Evaluated:
        for name, data in some.PICTURES.items():
            (tmp_path / name).write_bytes(data)
        (tmp_path / "evaluation.json").write_text(json.dumps(evaluation.as_json()))
        return Evaluated.read(tmp_path / "evaluation.json")

    return write


def test_measures_are_a_table_led_by_what_is_worse(stored: Callable[[Evaluation], Evaluated]) -> None:
    frame = stored(some.full()).measures()
    assert list(frame["verdict"]) == ["worse", "missing", "better", "new", "same", "same", "same"]
    assert dict(frame.iloc[0]) == {
        "verdict": "worse",
        "report": "anomaly_report 2013-01-15",
        "measure": "anomaly_share",
        "unit": "1",
        "better": "lower",
        "base": 0.214,
        "value": 0.231,
        "change": 0.017,
        "absolute": 0.005,
        "relative": 0.02,
    }


def test_reports_tables_and_surroundings_are_tables(stored: Callable[[Evaluation], Evaluated]) -> None:
    found = stored(some.full())
    assert list(found.reports()["commit"]) == ["reused", "made", "made", "failed"]
    assert list(found.tables()["change"]) == ["1 row removed (UA 1545), 31 changed in score"]
    assert list(found.surroundings()["name"]) == ["template anomaly_report", "numpy"]
    assert list(found.causes()) == ["anomaly_report 2013-01-15", "anomaly_report 2013-01-15 threshold=5"]


def test_pictures_are_those_beside_the_record_wherever_it_says_they_are(
    stored: Callable[[Evaluation], Evaluated], tmp_path: Path
) -> None:
    [pictures] = stored(some.full()).pictures()
    assert list(pictures.files) == ["base", "commit", "difference"]
    assert pictures.title == "anomaly_report 2013-01-15, cell 'score-chart': changed, 3.1 % of its pixels"
    report = replace(some.full().reports[1], figures=({**some.FIGURE, "old": "/etc/passwd", "new": None},))
    [pictures] = stored(replace(some.full(), reports=(report,))).pictures()
    assert list(pictures.files) == ["difference"]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"run": 3}', "no JSON", "[" * 100_000])
def test_what_is_no_evaluation_is_refused_in_one_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "evaluation.json").write_text(text)
    with pytest.raises(PathError, match=r"evaluation\.json holds none .*; expected an evaluation\.json"):
        Evaluated.read(tmp_path / "evaluation.json")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PathError, match=r"cannot be read \(No such file or directory\)"):
        Evaluated.read(tmp_path / "evaluation.json")


def test_a_digest_that_is_given_must_be_that_of_the_file() -> None:
    digest = hashlib.sha256(SAMPLE.read_bytes()).hexdigest()
    assert Evaluated.read(SAMPLE, digest) == Evaluated.read(SAMPLE, digest[:12]) == Evaluated.read(SAMPLE)
    with pytest.raises(PathError, match=f"has the sha256 {digest}, not 0000"):
        Evaluated.read(SAMPLE, "0000")


def test_every_kind_of_evaluation_can_be_drawn(stored: Callable[[Evaluation], Evaluated]) -> None:
    for evaluation in (some.full(), some.same(), some.alone(), some.hostile(), replace(some.full(), reports=())):
        found = stored(evaluation)
        assert found.headline in str(drawing.verdict(found))
        drawn = [drawing.changes(found), *map(drawing.side_by_side, found.pictures())]
        assert all(one._repr_mimebundle_()[0]["image/png"].startswith(b"\x89PNG") for one in drawn)


def test_what_has_no_pixels_is_told_and_not_drawn(stored: Callable[[Evaluation], Evaluated], tmp_path: Path) -> None:
    found = stored(some.full())
    for name in some.PICTURES:
        (tmp_path / name).write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    assert str(drawing.side_by_side(found.pictures()[0])).endswith("its pictures cannot be shown here.")


def test_hostile_texts_do_not_break_out_of_a_notebook(stored: Callable[[Evaluation], Evaluated]) -> None:
    found = stored(some.hostile())
    pieces = [drawing.verdict(found), drawing.causes(found), *(drawing.table(frame, "none") for frame in (found.measures(), found.reports(), found.tables()))]  # fmt: skip
    for piece in pieces:
        assert "<script" not in piece._repr_html_()
        assert "<img" not in piece._repr_html_()


def test_a_table_without_rows_says_so(stored: Callable[[Evaluation], Evaluated]) -> None:
    found = stored(some.alone())
    assert drawing.table(found.tables(), "no table differs")._repr_html_() == "<p>no table differs</p>"
    assert str(drawing.causes(found)) == "No report differs for a reason that is known."


def test_the_same_evaluation_is_drawn_with_the_same_bytes(stored: Callable[[Evaluation], Evaluated]) -> None:
    found = stored(some.full())
    first, second = (drawing.changes(found)._repr_mimebundle_()[0]["image/png"] for _ in range(2))
    assert first == second


def test_the_sample_is_an_evaluation_with_its_pictures() -> None:
    found = Evaluated.read(SAMPLE)
    assert found.counts == {"worse": 2, "same": 9}
    [pictures] = found.pictures()
    assert list(pictures.files) == ["base", "commit", "difference"]
    assert sum(path.stat().st_size for path in pictures.files.values()) < 100_000


def test_reading_imports_nothing_heavy() -> None:
    heavy = ("pandas", "numpy", "matplotlib", "PIL", "luigi")
    code = f"import sys, workflows.evaluation.drawing; print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
