"""Reports as tasks: which stages a template asks for, what counts as the same report, and what is taken over."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import pytest
from stages import CLEANED

from workflows import ReportTask
from workflows.errors import ParameterError
from workflows.store.listing import Filter
from workflows.tasks import project, record

pytestmark = pytest.mark.integration

DAY = datetime.date(2020, 1, 1)
PARAMETERS = """import datetime
date: datetime.date = datetime.date(2020, 1, 1)  # the day
cleaned: "Cleaned" = "samples/cleaned.parquet"
factor: float = 2.0
limit: float = 3.0
carrier: str = "all"
"""
# No pandas: the start of the kernel is what these tests wait for.
RUN = "open('ran', 'a').write('x')\nfrom workflows import measure\nmeasure('bytes', len(open(cleaned, 'rb').read()))"


@pytest.fixture
def plan(pipeline: Any) -> Any:
    """Plans reports of a template that needs Cleaned."""
    pipeline.template("quick", PARAMETERS, RUN, "limit")
    pipeline.load(CLEANED)

    def report(**parameters: Any) -> ReportTask:
        return ReportTask(date=DAY, template="quick", parameters=json.dumps(parameters))

    return report


def embedded(page: Path) -> dict[str, Any]:
    """The provenance in a page."""
    text = page.read_text()
    begin = text.index(">", text.index('id="provenance"')) + 1
    found: dict[str, Any] = json.loads(text[begin : text.index("</script>", begin)])
    return found


def test_the_template_sets_the_stages_parameter_of_the_same_name(plan: Any) -> None:
    cleaned = plan(factor=3).requires()["cleaned"]
    assert cleaned.factor == 3.0
    assert cleaned.date == DAY
    assert cleaned.version != plan().requires()["cleaned"].version


def test_a_value_that_is_the_templates_alone_leaves_the_stage_alone(plan: Any) -> None:
    assert plan(limit=9).requires()["cleaned"] is plan().requires()["cleaned"]
    assert plan(limit=9).version != plan().version


@pytest.mark.parametrize(
    ("given", "same"),
    [
        ({"factor": 2.0, "carrier": "all"}, {}),
        ({"limit": 4}, {"limit": 4.0}),
        ({"date": "2020-01-01"}, {}),
        ({"limit": 4, "factor": 3}, {"factor": 3, "limit": 4}),
    ],
    ids=["defaults", "coerced", "date", "order"],
)
def test_another_spelling_is_the_same_report(plan: Any, given: dict[str, Any], same: dict[str, Any]) -> None:
    assert plan(**given).task_id == plan(**same).task_id


def test_a_date_among_the_parameters_must_be_the_reports(plan: Any) -> None:
    with pytest.raises(ParameterError, match="the parameters say date 2020-01-02, the report is for 2020-01-01"):
        plan(date="2020-01-02")


def test_a_report_survives_being_written_and_read_back(plan: Any) -> None:
    for task in (plan(), plan(limit=4, carrier="ü"), plan(factor=1e300)):
        assert ReportTask.from_str_params(task.to_str_params()).task_id == task.task_id


def test_a_cell_that_changes_is_another_report_and_a_comment_in_it_is_not(pipeline: Any, plan: Any) -> None:
    before = plan().version
    pipeline.template("quick", PARAMETERS, RUN + "  # why", "limit")
    pipeline.again()
    assert plan().version == before
    pipeline.template("quick", PARAMETERS, RUN, "limit + 1")
    pipeline.again()
    assert plan().version != before


def test_a_report_is_taken_over_when_only_its_inputs_code_changed(pipeline: Any, plan: Any) -> None:
    """Nothing runs again in a kernel, and the page carries its own provenance."""
    first = plan()
    assert pipeline.build(first)
    table = first.requires()["cleaned"].version[:16]
    # The very same product, computed otherwise.
    pipeline.load(CLEANED.replace("events.value * self.factor", "self.factor * events.value"))
    second = plan()
    assert second.version != first.version
    assert pipeline.build(second)
    assert (pipeline.folder / "templates" / "ran").read_text() == "x"
    page = embedded(pipeline.files(second) / "report.html")
    record = json.loads((pipeline.files(second) / "provenance.json").read_text())
    assert page["version"] == record["version"] == second.version
    assert page["reused_from"] == record["reused_from"] == first.version
    assert page["inputs"][0]["version"] == second.requires()["cleaned"].version
    notebook = (pipeline.files(second) / "report.ipynb").read_text()
    assert second.requires()["cleaned"].version[:16] in notebook
    assert table not in notebook


def test_a_report_carries_who_asked_for_it_into_the_list(
    pipeline: Any, plan: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Made or failed; it is the same report whoever asks."""
    pipeline.template("broken", PARAMETERS, "1 / 0")
    made, failed = plan(), ReportTask(date=DAY, template="broken")
    version = made.version
    monkeypatch.setattr(record, "_requested", {})
    record.requested("zoë", "r1")
    pipeline.build(made, failed)
    store = project.current().store
    entries = store.listing.page(Filter(person="zoë")).entries
    assert [(e.template, e.state, e.reason) for e in sorted(entries, key=lambda entry: entry.template)] == [
        ("broken", "failed", "ZeroDivisionError: division by zero"), ("quick", "made", None)
    ]  # fmt: skip
    assert store.find(made.address).provenance.requested == {"by": "zoë", "request": "r1"}
    assert "asked for by zoë" in Path(pipeline.files(made) / "report.html").read_text()
    assert plan().version == version
    assert [point.value > 0 for point in store.listing.series("quick", "bytes")] == [True]


def test_a_report_can_live_in_a_store_that_is_no_folder(
    pipeline: Any, plan: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fsspec

    monkeypatch.setenv("PARCOURS_STORE", "memory://parcours-test")
    pipeline.again()
    memory = fsspec.filesystem("memory")
    task = plan()
    try:
        assert pipeline.build(task)
        names = [Path(name).name for name in memory.ls(f"/parcours-test/{task.address.path}", detail=False)]
        assert sorted(names) == ["measures.json", "provenance.json", "report.html", "report.ipynb"]
        measures = json.loads(memory.cat_file(f"/parcours-test/{task.address.path}/measures.json"))["measures"]
        assert measures[0]["name"] == "bytes"
        assert measures[0]["value"] > 0
    finally:
        memory.rm("/parcours-test", recursive=True)
    assert not pipeline.artefacts()
