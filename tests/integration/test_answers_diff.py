"""Why two results differ: real pairs of reports and tables, with one thing changed between them."""

from __future__ import annotations

import datetime
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from stages import CLEANED

from workflows import ReportTask
from workflows.answers.diff import Difference
from workflows.answers.diff import diff as diff_of
from workflows.errors import PathError, StoreError
from workflows.store.provenance import Provenance

pytestmark = pytest.mark.integration

DAY = datetime.date(2020, 1, 1)
RANDOM = CLEANED.replace("value=events.value * self.factor", "value=__import__('random').random()")
PARAMETERS = """import datetime
date: datetime.date = datetime.date(2020, 1, 1)  # the day
cleaned: "Cleaned" = "samples/cleaned.parquet"
factor: float = 2.0
title: str = "Values"
"""
# No pandas and no matplotlib: the start of the kernel is what these tests wait for.
MEASURED = "import zlib\nfrom workflows import measure\nfound = zlib.crc32(open(cleaned, 'rb').read()) % 1000\nmeasure('sum', found, better='lower')"
FIGURE = 'from IPython.display import SVG\nSVG(f\'<svg xmlns="http://www.w3.org/2000/svg" width="90" height="90"><circle r="{found}"/></svg>\')'
FIXED = 'SVG(\'<svg xmlns="http://www.w3.org/2000/svg" width="90" height="90"><circle r="9"/></svg>\')'


def diff(a: Path, b: Path, page: Path | None = None) -> Difference:
    """The difference of what lies at two paths."""
    return diff_of(str(a), str(b), page)


@dataclass
class Lab:
    """A project whose results are made, changed and made again."""

    pipeline: Any
    module: Any = None

    def load(self, source: str) -> None:
        """Start anew with this code."""
        self.module = self.pipeline.load(source)

    def report(self, day: datetime.date = DAY, **values: Any) -> Path:
        """The folder of a report that is made now."""
        self.pipeline.again()
        return self.made(ReportTask(date=day, template="quick", parameters=json.dumps(values)))

    def table(self, task: str = "Cleaned", day: datetime.date = DAY, **values: Any) -> Path:
        """The folder of a table that is made now."""
        return self.made(getattr(self.pipeline.again(), task)(date=day, **values))

    def made(self, task: Any) -> Path:
        """The folder of a task's result."""
        assert self.pipeline.build(task)
        return Path(self.pipeline.files(task))

    def template(self, *cells: str) -> None:
        """Write the template."""
        self.pipeline.template("quick", PARAMETERS, *cells)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the first test leaves its reports for the others: kernels are slow to start."""
    return tmp_path_factory.mktemp("reports") / "store"


@pytest.fixture
def lab(pipeline: Any, stored: Path) -> Lab:
    """The project with a stage, and a template that shows a measure and two figures; three of its reports are made."""
    lab = Lab(pipeline)
    lab.template(MEASURED, FIGURE, FIXED)
    lab.load(CLEANED)
    if stored.exists():
        shutil.copytree(stored, pipeline.store)
    for values in ({}, {"factor": 3}, {"title": "Sums"}):
        lab.report(**values)
    if not stored.exists():
        shutil.copytree(pipeline.store, stored)
    return lab


def told(found: Difference) -> list[str]:
    """The lines without their layout."""
    return [" ".join(line.split()) for line in found.lines()]


def test_a_report_is_the_same_as_itself(lab: Lab) -> None:
    folder = lab.report()
    found = diff(folder, folder / "report.html")
    assert (found.exit_code, found.lines()) == (0, ["They are the same."])
    assert found.as_json()["same"] == ["code", "data", "parameters", "environment", "template"]


def test_changed_code_is_shown_with_what_it_changed(lab: Lab) -> None:
    old = lab.report()
    lab.load(CLEANED.replace("events.value * self.factor", "events.value * self.factor + 1"))
    found = diff(old, lab.report())
    assert found.headline == "They part at Cleaned 2020-01-01: code."
    [change] = found.code
    assert change.file == "acme.py"
    marked = [line[1:].strip() for line in change.lines if line[0] in "+-"]
    assert marked == [
        "return events.assign(value=events.value * self.factor)", "return events.assign(value=events.value * self.factor + 1)",
    ]  # fmt: skip
    assert "same data, parameters, environment, template" in told(found)
    assert "results Cleaned 2020-01-01: 2 rows, 2 rows changed in value" in told(found)
    assert [measure.name for measure in found.measures or ()] == ["sum"]
    assert [figure.verdict for figure in found.shown.figures] == ["changed", "same"]  # type: ignore[union-attr]
    assert "figures 1 of 2 differ: changed in cell 3" in told(found)


def test_changed_rows_are_named_by_their_key(lab: Lab) -> None:
    old = lab.table()
    lab.pipeline.change("INSERT INTO events VALUES (9, '2020-01-01', 'c', 7.0)")
    found = diff(old, lab.table())
    assert found.headline == "They part at Events 2020-01-01: data."
    assert "data Events 2020-01-01: 2 rows -> 3 rows, 1 row added (9)" in told(found)
    assert "same code, parameters, environment" in told(found)


def test_changed_parameters_are_named_once_for_report_and_stage(lab: Lab) -> None:
    found = diff(lab.report(), lab.report(factor=3))
    assert found.headline == "They part at Cleaned 2020-01-01: parameters."
    assert [line for line in told(found) if line.startswith("parameters")] == ["parameters factor 2.0 -> 3.0"]


def test_a_value_of_the_template_alone_parts_at_the_report(lab: Lab) -> None:
    found = diff(lab.report(), lab.report(title="Sums"))
    assert found.headline == "They part at ReportTask quick 2020-01-01: parameters."
    assert "parameters title Values -> Sums" in told(found)


def test_a_changed_template_is_shown_cell_by_cell(lab: Lab) -> None:
    old = lab.report()
    lab.template(MEASURED, FIGURE.replace("90", "80"), FIXED, FIXED)
    found = diff(old, lab.report())
    assert found.headline == "They part at ReportTask quick 2020-01-01: template."
    assert [change.sentence for change in found.template] == [
        "cell 3 in templates/quick.ipynb changed", "cell 5 in templates/quick.ipynb added",
    ]  # fmt: skip
    assert found.code == []
    assert [figure.verdict for figure in found.shown.figures] == ["changed", "same", "added"]  # type: ignore[union-attr]


def test_a_file_that_was_only_seen_when_it_was_opened_counts_as_code(lab: Lab) -> None:
    lab.load(CLEANED.replace("* self.factor", "* float(__import__('pathlib').Path('lim' + 'its.csv').read_text())"))
    (lab.pipeline.folder / "limits.csv").write_text("5")
    old = lab.table()
    (lab.pipeline.folder / "limits.csv").write_text("7")
    found = diff(old, lab.table())
    assert found.headline == "They part at Cleaned 2020-01-01: code."
    assert [change.file for change in found.code] == ["limits.csv"]


def test_results_are_found_by_the_first_digits_of_their_versions(lab: Lab) -> None:
    versions = [folder.name.rpartition("-")[2] for folder in (lab.report(), lab.report(title="Sums"))]
    assert diff_of(*versions).headline == "They part at ReportTask quick 2020-01-01: parameters."


def test_another_environment_is_named_by_package(lab: Lab, tmp_path: Path) -> None:
    """The packages of a store that came from elsewhere are those of its records."""
    old = lab.table()
    folder = elsewhere(lab, tmp_path) / old.relative_to(lab.pipeline.store)
    rewrite(
        folder,
        environment=lambda found: {**found, "packages": {**found["packages"], "pandas": "2.0.0"}},
        version=lambda v: v[:16] + "f" * 48,
    )
    found = diff(folder, old)
    assert found.headline == "They part at Cleaned 2020-01-01: environment."
    assert any(line.startswith("environment pandas 2.0.0 -> 3.") for line in told(found))


def test_results_of_two_days_are_compared_day_by_day(lab: Lab) -> None:
    found = diff(lab.table(), lab.table(day=DAY + datetime.timedelta(days=1)))
    assert found.headline == "They part at Events 2020-01-01 and 2020-01-02: data."
    assert "parameters date 2020-01-01 -> 2020-01-02" in told(found)
    assert [step.pair.name for step in found.steps] == [
        "Events 2020-01-01 and 2020-01-02", "Cleaned 2020-01-01 and 2020-01-02",
    ]  # fmt: skip


WINDOWED = CLEANED.replace(
    'return {"events": Events(date=self.date)}',
    "return [Events(date=self.date - datetime.timedelta(days=n)) for n in range(int(self.factor))]",
).replace("events.assign(value=events.value * self.factor)", "events[0]")


def test_inputs_without_a_counterpart_are_named(lab: Lab) -> None:
    lab.load(WINDOWED)
    day = DAY + datetime.timedelta(days=1)
    found = diff(lab.table(day=day, factor=1), lab.table(day=day, factor=2))
    assert found.headline == "They part at Cleaned 2020-01-02: parameters and inputs."
    assert found.inputs == ["only B uses Events 2020-01-01"]


def test_equal_inputs_with_other_bytes_are_not_deterministic(lab: Lab, tmp_path: Path) -> None:
    lab.load(RANDOM)
    new = lab.table()
    old = elsewhere(lab, tmp_path) / new.relative_to(lab.pipeline.store)
    shutil.rmtree(lab.pipeline.store / "Cleaned")
    lab.table()
    found = diff(old, new)
    assert found.headline == "They part at Cleaned 2020-01-01: not deterministic."
    assert told(found)[1:3] == [
        "random Cleaned 2020-01-01 is not deterministic: same inputs, code and environment, other bytes", "2 rows changed in value",
    ]  # fmt: skip
    assert found.as_json()["not_deterministic"] == ["Cleaned 2020-01-01"]


TWICE = """
class Twice(Stage):
    date = luigi.DateParameter()

    def requires(self):
        return Cleaned(date=self.date)

    def compute(self, cleaned):
        return cleaned
"""


def test_a_stage_that_was_made_again_with_other_bytes_is_found_without_the_old_ones(lab: Lab, tmp_path: Path) -> None:
    lab.load(RANDOM + TWICE)
    old = shutil.copytree(lab.table("Twice"), tmp_path / "copy")
    for task in ("Cleaned", "Twice"):
        shutil.rmtree(lab.pipeline.store / task)
    found = diff(old, lab.table("Twice"))
    assert found.headline == "They part at Cleaned 2020-01-01: not deterministic."
    assert [step.randomness for step in found.random] == [
        "Cleaned 2020-01-01 is not deterministic: same version, other bytes"
    ]


def test_a_template_that_is_not_deterministic_is_found(lab: Lab, tmp_path: Path) -> None:
    lab.template("import time\nprint(time.time_ns())")
    new = lab.report()
    old = elsewhere(lab, tmp_path) / new.relative_to(lab.pipeline.store)
    shutil.rmtree(lab.pipeline.store / "ReportTask")
    lab.report()
    found = diff(old, new)
    assert found.headline == "They part at ReportTask quick 2020-01-01: not deterministic."
    assert "outputs of cell 2" in told(found)


def test_a_table_that_is_no_longer_in_the_store_is_said(lab: Lab) -> None:
    old = lab.table()
    lab.pipeline.change("INSERT INTO events VALUES (9, '2020-01-01', 'c', 7.0)")
    new = lab.table()
    [gone] = [path for path in (lab.pipeline.store / "Events").glob("*/*") if rows(path) == 2]
    shutil.rmtree(gone)
    found = diff(old, new)
    assert found.headline == "They part at Events 2020-01-01: not known why."
    assert "data Events 2020-01-01: ? rows -> 3 rows, not the same; the table of A is not in the store" in told(found)
    assert found.unknown == ["A's Events 2020-01-01 is not in the store: how it was made is not known"]
    assert "same code, parameters, environment, as far as it is known" in told(found)


def test_code_that_is_no_longer_in_the_store_is_named_by_file(lab: Lab) -> None:
    old = lab.table()
    shutil.rmtree(lab.pipeline.store / "code")
    lab.load(CLEANED.replace("* self.factor", "* self.factor + 1"))
    assert "code acme.py changed (no copy of its text is in the store)" in told(diff(old, lab.table()))


def test_a_lone_page_is_known_by_its_record_and_by_what_is_in_the_store(lab: Lab, tmp_path: Path) -> None:
    lone = tmp_path / "from a colleague.html"
    folder = lab.report()
    shutil.copyfile(folder / "report.html", lone)
    assert diff(lone, folder).lines() == ["They are the same."]
    new = lab.report(factor=3)
    assert diff(lone, new).as_json()["parameters"] == [{"name": "factor", "old": 2.0, "new": 3.0}]
    assert diff(lone, new).unknown == []


def test_a_lone_page_of_a_store_that_is_gone_says_what_cannot_be_known(lab: Lab, tmp_path: Path) -> None:
    lone = tmp_path / "old.html"
    shutil.copyfile(lab.report() / "report.html", lone)
    shutil.rmtree(lab.pipeline.store)
    lab.load(CLEANED.replace("* self.factor", "* self.factor + 1"))
    found = diff(lone, lab.report())
    assert found.headline == "They part at Cleaned 2020-01-01: not known why."
    assert found.unknown == [
        "A's Cleaned 2020-01-01 is not in the store: how it was made is not known",
        "the measures of A: its measures.json is not at hand",
        "the figures of A: its report.ipynb is not at hand",
    ]
    assert (found.measures, found.shown) == (None, None)


def test_two_lone_pages_without_any_store_are_compared_by_their_records(lab: Lab, tmp_path: Path) -> None:
    pages = [tmp_path / "a.html", tmp_path / "b.html"]
    shutil.copyfile(lab.report() / "report.html", pages[0])
    shutil.copyfile(lab.report(title="Sums") / "report.html", pages[1])
    shutil.rmtree(lab.pipeline.store)
    assert diff(*pages).headline == "They part at ReportTask quick 2020-01-01: parameters."
    assert diff(pages[0], pages[0]).headline == "They are the same."


def test_a_folder_that_was_copied_brings_its_own_files(lab: Lab, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.move(lab.report(), copy)
    found = diff(copy, lab.report(title="Sums"))
    assert found.measures is not None
    assert found.shown is not None


def test_a_file_that_was_changed_is_not_taken_for_the_reports_own(lab: Lab, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.move(lab.report(), copy)
    (copy / "measures.json").write_text('{"format": 1, "measures": []}')
    assert "the measures of A: its measures.json is not at hand" in diff(copy, lab.report(title="Sums")).unknown


def test_a_failed_report_is_compared_with_one_that_was_made(lab: Lab) -> None:
    made = lab.report()
    lab.template(MEASURED, f"1 / 0\n{FIGURE}", FIXED)
    lab.pipeline.again()
    assert not lab.pipeline.build(ReportTask(date=DAY, template="quick"))
    [failed] = lab.pipeline.store.glob("failed/quick/*/*")
    found = diff(made, failed)
    assert found.headline == "They part at ReportTask quick 2020-01-01: template."
    assert "failed B failed in cell 3: ZeroDivisionError: division by zero" in told(found)
    assert "the measures of B: its measures.json is not at hand" in found.unknown
    assert diff(failed, failed / "report.html").lines()[0] == "They are the same."


def test_a_chain_of_results_longer_than_pythons_stack_is_compared(lab: Lab) -> None:
    old = lab.table("Events")
    record = Provenance.from_json((old / "provenance.json").read_bytes(), "")
    digest = record.outputs["table.parquet"]["sha256"]
    below: list[dict[str, str]] = []
    for number in range(1100):
        date, version = (DAY + datetime.timedelta(days=number)).isoformat(), f"{number:016x}" * 4
        place = lab.pipeline.store / "Chain" / date / version[:16]
        place.mkdir(parents=True)
        fields = {"task": "Chain", "version": version, "parameters": {"date": date}, "inputs": below}
        (place / "provenance.json").write_text(replace(record, **fields).to_json())
        below = [{"task": "Chain", "date": date, "version": version, "digest": digest}]
    assert diff(place, place).headline == "They are the same."


def test_results_of_different_tasks_are_refused(lab: Lab) -> None:
    with pytest.raises(
        PathError, match=r"is a result of Events, .* one of Cleaned; expected two results of the same task"
    ):
        diff(lab.table(), lab.table("Events"))


@pytest.mark.parametrize(
    "text", ["", "<html>", '<script type="application/json" id="provenance">{"format": 1, "ta</script>']
)
def test_a_path_that_is_no_artefact_is_refused(lab: Lab, tmp_path: Path, text: str) -> None:
    path = tmp_path / "page.html"
    path.write_text(text)
    for pair in ((path, path), (lab.table(), path), (path.parent, path), (path / "nowhere", path)):
        with pytest.raises(PathError) as caught:
            diff(*pair)
        assert caught.value.exit_code == 2


def test_provenance_of_a_later_format_is_said_not_guessed(lab: Lab, tmp_path: Path) -> None:
    path = tmp_path / "provenance.json"
    path.write_text(json.dumps({**json.loads((lab.table() / "provenance.json").read_text()), "format": 2}))
    with pytest.raises(StoreError, match="format 2, not 1"):
        diff(path, path)


def test_an_input_of_a_later_format_counts_as_not_there(lab: Lab) -> None:
    old = lab.table()
    lab.pipeline.change("INSERT INTO events VALUES (9, '2020-01-01', 'c', 7.0)")
    for record in (lab.pipeline.store / "Events").rglob("provenance.json"):
        record.write_text(record.read_text().replace('"format": 1', '"format": 2'))
    new = lab.table(factor=3)
    assert diff(old, new).unknown == ["A's Events 2020-01-01 is not in the store: how it was made is not known"]


def elsewhere(lab: Lab, tmp_path: Path) -> Path:
    """A copy of the store in another place."""
    return Path(shutil.copytree(lab.pipeline.store, tmp_path / "lab3"))


def rewrite(folder: Path, **changes: Callable[[Any], Any]) -> None:
    """Change fields of a record, as another program would, without a seal."""
    path = folder / "provenance.json"
    record = json.loads(path.read_text())
    record.pop("seal", None)
    path.write_text(json.dumps({**record, **{name: change(record[name]) for name, change in changes.items()}}))


def rows(folder: Path) -> int:
    found: int = json.loads((folder / "provenance.json").read_text())["outputs"]["table.parquet"]["rows"]
    return found
