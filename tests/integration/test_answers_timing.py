"""`parcours explain --timing`: every part of a real report's making, told once, and no more than it took."""

from __future__ import annotations

import datetime
import json
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from workflows.answers.explain import explain
from workflows.answers.profile import Part, Profile
from workflows.errors import ReportError
from workflows.tasks.report import ReportTask

pytestmark = pytest.mark.integration

DAY = datetime.date(2020, 1, 1)
STAGES = """
class Cleaned(Stage):
    date = luigi.DateParameter()
    def requires(self): return {"events": Events(date=self.date)}
    def compute(self, events): return events.assign(value=events.value * 2)
"""
PARAMETERS = 'import datetime\ndate: datetime.date = datetime.date(2020, 1, 1)\ncleaned: "Cleaned" = "x.parquet"'
SLOW = "import time\ntime.sleep(0.3)"


@pytest.fixture
def report(pipeline: Any) -> Any:
    """A report whose second cell is its slowest."""
    pipeline.load(STAGES)
    pipeline.template("timed", PARAMETERS, SLOW, "1 + 1")
    return ReportTask(date=DAY, template="timed")


def profile(path: Path | str) -> Profile:
    found = explain(str(path), shows_timing=True).profile
    assert found
    return found


def names(part: Part) -> list[str]:
    return [below.name for below in part.parts]


def named(parts: Any, name: str) -> Part:
    return next(part for part in parts if part.name == name)


def test_the_parts_of_a_report_make_up_its_time(pipeline: Any, report: Any) -> None:
    assert pipeline.build(*report.deps())
    began = time.perf_counter()
    report.run()
    wall = time.perf_counter() - began
    [whole] = profile(pipeline.files(report)).parts
    assert names(whole) == ["inputs", "search", "prepare", "kernel", "cells", "preview", "end", "write", "check", "store", "html"]  # fmt: skip
    assert sum(part.seconds for part in whole.parts) == pytest.approx(whole.seconds)
    assert 0.9 * wall < whole.seconds < wall


def test_every_cell_is_told_the_slowest_first_with_its_first_line(pipeline: Any, report: Any) -> None:
    assert pipeline.build(report)
    [whole] = profile(pipeline.files(report)).parts
    cells = named(whole.parts, "cells")
    assert sorted(names(cells)) == ["cell 1", "cell 2", "cell 3"]
    assert [(part.name, part.note) for part in cells.parts][:1] == [("cell 2", "import time")]
    assert named(cells.parts, "cell 3").note == "1 + 1"
    assert cells.parts[0].seconds >= 0.3
    assert cells.seconds == pytest.approx(sum(part.seconds for part in cells.parts))


def test_the_kernel_says_how_it_was_started(pipeline: Any, report: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert pipeline.build(report)
    assert named(profile(pipeline.files(report)).parts[0].parts, "kernel").note == "warm"
    monkeypatch.setenv("PARCOURS_WARM_KERNELS", "false")
    pipeline.template("timed", PARAMETERS, "2 + 2")
    pipeline.again()
    other = ReportTask(date=DAY, template="timed")
    assert pipeline.build(other)
    assert named(profile(pipeline.files(other)).parts[0].parts, "kernel").note == "plain"


def test_queries_and_stages_have_parts_of_their_own(pipeline: Any, report: Any) -> None:
    assert pipeline.build(report)
    [query] = profile(pipeline.artefacts("Events")[0]).parts
    assert names(query) == ["inputs", "search", "database", "fingerprint", "frame", "schema", "write", "check", "store"]
    [stage] = profile(pipeline.artefacts("Cleaned")[0]).parts
    assert names(stage) == ["inputs", "search", "read", "compute", "schema", "write", "check", "store"]


def test_what_was_made_from_within_a_program_tells_what_its_inputs_cost(pipeline: Any, report: Any) -> None:
    assert pipeline.build(report)
    found = profile(pipeline.files(report))
    assert found.run is None
    today = f"made {datetime.datetime.now(datetime.UTC).date()}"
    assert [(part.name, part.note) for part in found.before] == [
        ("Events 2020-01-01", today),
        ("Cleaned 2020-01-01", today),
    ]


def test_a_lone_page_tells_the_same(pipeline: Any, report: Any, tmp_path: Path) -> None:
    assert pipeline.build(report)
    shutil.copyfile(pipeline.files(report) / "report.html", tmp_path / "lone.html")
    whole = profile(pipeline.files(report)).as_json()
    assert profile(tmp_path / "lone.html").as_json() == whole
    shutil.rmtree(pipeline.store)
    alone = profile(tmp_path / "lone.html")
    assert alone.seconds == pytest.approx(whole["seconds"])
    assert alone.missing == "1 of the results it was made from, not in the store"


def test_a_failed_report_tells_every_cell_that_ran(pipeline: Any) -> None:
    pipeline.load(STAGES)
    pipeline.template("broken", PARAMETERS, SLOW, "raise SystemError", "never")
    task = ReportTask(date=DAY, template="broken")
    with pytest.raises(ReportError):
        pipeline.run(task)
    [kept] = (pipeline.store / "failed" / "broken" / DAY.isoformat()).iterdir()
    answer = explain(str(kept), shows_timing=True)
    assert answer.profile
    cells = named(answer.profile.parts[0].parts, "cells")
    assert {part.name: part.note for part in cells.parts} == {
        "cell 1": "import datetime",
        "cell 2": "import time",
        "cell 3": "failed: raise SystemError",
    }
    assert any(line == "not known: the drawing of its page, which has the record in it" for line in answer.lines())


def test_what_was_taken_over_tells_what_it_once_cost(pipeline: Any, report: Any) -> None:
    assert pipeline.build(report)
    pipeline.load(STAGES.replace("events.value * 2", "2 * events.value"))
    other = ReportTask(date=DAY, template="timed")
    assert pipeline.build(other)
    found = profile(pipeline.files(other))
    [taken] = found.parts
    assert (taken.note, names(taken)) == ("taken over", ["inputs", "search", "take", "store", "html"])
    assert found.seconds < 0.3
    once = found.before[-1]
    assert (once.name, once.note.split()[0]) == ("ReportTask timed 2020-01-01", "computed")
    assert once.seconds == pytest.approx(profile(pipeline.files(report)).seconds)
    assert len(named(once.parts, "cells").parts) == 3


def test_a_record_of_an_older_release_is_said_to_have_no_times(pipeline: Any, report: Any) -> None:
    assert pipeline.build(report)
    path = pipeline.files(report) / "provenance.json"
    record = json.loads(path.read_text())
    del record["timing"], record["seal"]
    path.write_text(json.dumps(record))
    told = explain(str(path), shows_timing=True).lines()
    assert told[1:] == [
        "not known: where the time went; the record is of an older release or another program, and has no times"
    ]


def test_an_input_whose_record_another_program_wrote_is_no_obstacle(pipeline: Any, report: Any) -> None:
    assert pipeline.build(report)
    path = pipeline.artefacts("Cleaned")[0] / "provenance.json"
    record = json.loads(path.read_text())
    del record["seal"]
    path.write_text(json.dumps({**record, "started": "yesterday", "seconds": "long"}))
    assert [part.name for part in profile(pipeline.files(report)).before] == ["Events 2020-01-01"]


def test_json_has_the_profile_where_it_is_asked_for(pipeline: Any, report: Any) -> None:
    assert pipeline.build(report)
    path = str(pipeline.files(report))
    assert "profile" not in explain(path).as_json()
    told = json.loads(json.dumps(explain(path, shows_timing=True).as_json()))
    assert [part["name"] for part in told["profile"]["parts"]] == ["ReportTask timed 2020-01-01"]
    assert told["timing"]["kernel"] == "warm"


def test_the_page_says_in_a_line_what_took_most_of_the_time(pipeline: Any, report: Any) -> None:
    assert pipeline.build(report)
    assert "until this page was drawn" in (pipeline.files(report) / "report.html").read_text()
