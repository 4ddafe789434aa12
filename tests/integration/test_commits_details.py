"""Why the reports of two runs differ, and in what: real reports, with one thing changed between them."""

from __future__ import annotations

import datetime
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from stages import CLEANED

from workflows import ReportTask
from workflows.commits import details as module
from workflows.commits import pictures
from workflows.commits.details import details
from workflows.evaluation.judging import judge
from workflows.evaluation.runs import Commit, Made, Run
from workflows.evaluation.suites import Asked, Suite
from workflows.evaluation.verdict import Details

pytestmark = pytest.mark.integration

DAY = datetime.date(2020, 1, 1)
ASKED = Asked("quick", DAY.isoformat())
PARAMETERS = """import datetime
date: datetime.date = datetime.date(2020, 1, 1)  # the day
cleaned: "Cleaned" = "samples/cleaned.parquet"
"""
SIZE = "from pathlib import Path\nsize = Path(cleaned).read_bytes().count(b'more')"
# No matplotlib: the start of the kernel is what these tests wait for.
PNG = """import io
from IPython.display import SVG, Image as Shown
from PIL import Image
def shown(right):
    buffer, picture = io.BytesIO(), Image.new("RGB", (40, 20), "white")
    picture.paste("black", (0, 0, right, 10))
    picture.save(buffer, format="PNG")
    return Shown(data=buffer.getvalue())
shown(20 if size else 10)"""
DRAWING = (
    'SVG(f\'<svg xmlns="http://www.w3.org/2000/svg" width="90" height="90"><circle r="{9 + bool(size)}"/></svg>\')'
)
FIXED = "shown(30)"
MORE = CLEANED.replace("events.value * self.factor)", "events.value * self.factor, more='more')")


@dataclass
class Lab:
    """A project whose reports are made as by runs of commits."""

    pipeline: Any

    def made(self) -> Made:
        """The report as it is made now."""
        self.pipeline.again()
        task = ReportTask(date=DAY, template="quick")
        assert self.pipeline.build(task)
        return Made(
            ASKED, str(Path(self.pipeline.files(task)).relative_to(self.pipeline.store.resolve())), task.version
        )


@pytest.fixture
def lab(pipeline: Any) -> Lab:
    """The project, with a template that shows three figures."""
    pipeline.template("quick", PARAMETERS, SIZE, PNG, DRAWING, FIXED)
    pipeline.load(CLEANED)
    return Lab(pipeline)


def run(*reports: Made) -> Run:
    return Run(Commit("1" * 40, "S", "A", "2013-02-01T00:00:00+00:00"), "default", "w", "commit", "january", "d", "l", "3.12.1", {}, reports, 1, 2, "2013-02-01T00:00:00+00:00", 1.0, "h", "u")  # fmt: skip


def found(now: Made, base: Made) -> tuple[Details, dict[str, bytes]]:
    """The details of the one report."""
    told, files = details(run(now), run(base))
    [key] = told
    assert key == ASKED.key
    return told[key], files


def told(found: Details) -> list[str]:
    """The causes without their layout."""
    return [" ".join(line.split()) for line in found.causes]


def test_a_report_of_the_same_version_has_no_details(lab: Lab) -> None:
    made = lab.made()
    assert details(run(made), run(made)) == ({}, {})
    assert details(run(made), run()) == ({}, {})


def test_changed_code_is_told_with_its_tables_and_pictures(lab: Lab) -> None:
    old = lab.made()
    lab.pipeline.load(MORE)
    new = lab.made()
    report, files = found(new, old)
    assert told(report)[0] == "They part at Cleaned 2020-01-01: code."
    assert "+ return events.assign(value=events.value * self.factor, more='more')" in told(report)
    [table] = report.tables
    assert (table["name"], table["sentence"]) == ("Cleaned 2020-01-01", "column more added")
    assert [dict(figure) for figure in report.figures] == [
        {"cell": "cell 3", "verdict": "changed", "share": 0.125, "old": "1-old.png", "new": "1-new.png", "difference": "1-difference.png"},
        {"cell": "cell 4", "verdict": "changed", "share": None, "old": "2-old.svg", "new": "2-new.svg", "difference": None},
    ]  # fmt: skip
    assert list(files) == ["1-old.png", "1-new.png", "1-difference.png", "2-old.svg", "2-new.svg"]
    marked = Image.open(io.BytesIO(files["1-difference.png"])).convert("RGB")
    assert (marked.getpixel((15, 5)), marked.getpixel((35, 15))) == ((214, 39, 40), (255, 255, 255))
    evaluation = judge(run(new), run(old), Suite("default", "january", (ASKED,)), {ASKED.key: report})
    assert json.loads(json.dumps(evaluation.as_json()))["reports"][0]["tables"][0]["columns"][0]["name"] == "more"


def test_pictures_and_tables_beyond_the_bounds_are_counted(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    old = lab.made()
    lab.pipeline.load(MORE)
    new = lab.made()
    monkeypatch.setattr(pictures, "MOST", 1)
    monkeypatch.setattr(module, "LARGEST", 10)
    report, files = found(new, old)
    assert told(report)[-2:] == [
        "Cleaned 2020-01-01: 2 rows, not the same; too large to be compared", "1 more picture of other bytes is not shown",
    ]  # fmt: skip
    assert (report.tables, len(report.figures), len(files)) == ((), 1, 3)
    monkeypatch.setattr(module, "LARGEST", 10**6)
    monkeypatch.setattr(module, "TABLES", 0)
    assert "1 more table differs" in told(found(new, old)[0])


def test_pictures_that_only_one_report_has_are_shown_alone(lab: Lab) -> None:
    old = lab.made()
    lab.pipeline.template("quick", PARAMETERS, SIZE, PNG, DRAWING, FIXED, FIXED)
    new = lab.made()
    report, files = found(new, old)
    assert told(report)[:2] == [
        "They part at ReportTask quick 2020-01-01: template.", "template cell 6 in templates/quick.ipynb added",
    ]  # fmt: skip
    [figure] = report.figures
    assert (figure["verdict"], figure["old"], figure["new"]) == ("added", None, "1-new.png")
    [figure] = found(old, new)[0].figures
    assert (figure["verdict"], figure["old"], figure["new"]) == ("removed", "1-old.png", None)
    assert list(files) == ["1-new.png"]


def test_a_side_that_is_not_there_is_said(lab: Lab) -> None:
    made = lab.made()
    failed = Made(ASKED, None, "f" * 64, failure="KeyError: 'x'")
    assert found(made, failed)[0].causes == ("the base's report failed: KeyError: 'x'",)
    assert found(failed, made)[0] == Details()
    gone = Made(ASKED, "ReportTask/2020-01-01/quick-0123456789abcdef", "f" * 64)
    [cause] = found(made, gone)[0].causes
    assert cause.startswith("why it differs is not known: ")
    assert cause.endswith("or a version's first 8 digits or more.")


def test_a_failed_report_is_compared_by_what_is_left_of_it(lab: Lab) -> None:
    made = lab.made()
    lab.pipeline.template("quick", PARAMETERS, SIZE, PNG, f"1 / 0\n{DRAWING}", FIXED)
    lab.pipeline.again()
    assert not lab.pipeline.build(ReportTask(date=DAY, template="quick"))
    [left] = lab.pipeline.store.glob("failed/quick/*/*")
    failed = Made(ASKED, str(left.relative_to(lab.pipeline.store)), "f" * 64, failure="ZeroDivisionError")
    report, _ = found(failed, made)
    assert "failed B failed in cell 4: ZeroDivisionError: division by zero" in told(report)
    assert "(A is the base, B the commit)" in told(report)
    assert [figure["verdict"] for figure in report.figures] == ["removed", "removed"]
