"""What past reports say of a template: its slow cells, and the checks that never or always failed; from real reports."""

from __future__ import annotations

import datetime
import shutil
from typing import Any

import pytest

from workflows.answers.checks_over_time import ENOUGH, ChecksOverTime, checks_over_time
from workflows.answers.past_reports import PastReport, past_reports
from workflows.answers.slow_cells import slow_cells
from workflows.identity.memo import Memo
from workflows.tasks.project import current
from workflows.tasks.report import ReportTask

pytestmark = pytest.mark.integration

PARAMETERS = "import datetime\ndate: datetime.date = datetime.date(2020, 1, 1)"
DAYS = [datetime.date(2020, 1, day) for day in range(1, ENOUGH + 1)]
CHECKED = """
import pandas as pd
from workflows import measure
assert date.year == 2020
failed_rows = pd.DataFrame({
    "subject": ["x", "x", "x"],
    "rule": ["days are days", "weeks are short", "there is a moon"],
    "found": [1, 2, 3],
    "result": ["pass", "fail", "not checked"],
})
display(failed_rows)
measure("failed_checks", 1, better="lower")
measure("failed_never", 0, better="lower")
"""
LATER = "assert date.day < 3\nassert False, 'after'"


def made(pipeline: Any, name: str, *cells: str, days: Any = DAYS) -> list[PastReport]:
    """The reports of a template with these cells, for some days, and those that are there already."""
    pipeline.template(name, PARAMETERS, *cells)
    pipeline.again()
    pipeline.build(*(ReportTask(date=day, template=name) for day in days))
    return stored(pipeline)


def stored(pipeline: Any) -> list[PastReport]:
    folders = [file.parent for name in ("provenance.json", "failure.json") for file in pipeline.store.rglob(name)]
    paths = [(str(folder.relative_to(pipeline.store)), "") for folder in folders]
    return past_reports(current().store, paths, Memo(pipeline.folder, "unsaved"))


def over_time(reports: list[PastReport]) -> ChecksOverTime:
    return checks_over_time(reports)


def names(checks: Any) -> list[str]:
    return [check.name for check in checks]


def test_assertions_rows_and_counts_of_failures_are_checks(pipeline: Any) -> None:
    found = over_time(made(pipeline, "checked", CHECKED))
    assert found.reports == ENOUGH
    assert names(found.never_failed) == ["date.year == 2020", "days are days", "failed_never is 0"]
    assert names(found.always_failed) == ["weeks are short", "failed_checks is 0"]
    assert names(found.never_checked) == ["there is a moon"]
    assert {check.cell for check in found.checks} == {2}


def test_of_few_reports_nothing_is_said(pipeline: Any) -> None:
    found = over_time(made(pipeline, "checked", CHECKED, days=DAYS[:-1]))
    assert not found.is_enough
    assert found.never_failed == found.always_failed == found.never_checked == []


def test_failed_reports_count_up_to_the_assertion_that_failed(pipeline: Any) -> None:
    found = over_time(made(pipeline, "failing", "assert date.year == 2020", LATER))
    outcomes = {check.name: dict(check.outcomes) for check in found.checks}
    assert outcomes == {
        "date.year == 2020": {"pass": ENOUGH},
        "date.day < 3": {"pass": 2, "fail": ENOUGH - 2},
        "False": {"fail": 2},
    }


def test_a_check_that_the_template_has_no_more_is_left_out(pipeline: Any) -> None:
    made(pipeline, "checked", "assert date.year == 2020")
    found = over_time(made(pipeline, "checked", "assert date.month == 1", days=DAYS[:1]))
    assert names(found.checks) == ["date.month == 1"]


def test_an_edit_elsewhere_in_the_template_keeps_a_checks_history(pipeline: Any) -> None:
    made(pipeline, "checked", "assert date.year == 2020", days=DAYS[:2])
    found = over_time(made(pipeline, "checked", "1 + 1", "assert date.year == 2020", days=DAYS[2:]))
    assert [(check.name, check.checked, check.cell) for check in found.checks] == [("date.year == 2020", ENOUGH, 3)]


def test_what_a_report_told_is_not_read_again(pipeline: Any) -> None:
    [report] = made(pipeline, "checked", CHECKED, days=DAYS[:1])
    memo = Memo(pipeline.folder, "kept")
    place = (report.path, report.started)
    assert past_reports(current().store, [place], memo) == [report]
    memo.save()
    shutil.rmtree(pipeline.store / report.path)
    again = Memo(pipeline.folder, "kept")
    assert past_reports(current().store, [place], again) == [report]
    again.keep([])
    assert past_reports(current().store, [place], again) == []


def test_the_slowest_cell_comes_first_with_its_share(pipeline: Any) -> None:
    reports = made(pipeline, "timed", "import time\ntime.sleep(0.2)", "1 + 1", days=DAYS[:3])
    found = slow_cells(reports)
    assert found.reports == 3
    assert (found.cells[0].number, found.cells[0].line) == (2, "import time")
    assert found.cells[0].seconds >= 0.2
    assert found.cells[0].share == pytest.approx(found.cells[0].seconds / found.seconds)
    assert sum(cell.share for cell in found.cells) == pytest.approx(1)


def test_the_time_of_a_cell_is_the_median_over_the_reports_of_the_template_as_it_is(pipeline: Any) -> None:
    made(pipeline, "timed", "import time\ntime.sleep(0.3)", days=DAYS[:3])
    found = slow_cells(
        made(pipeline, "timed", "import time\ntime.sleep(0.3 if date.day == 1 else 0.01)", days=DAYS[:3])
    )
    assert found.reports == 3
    assert found.cells[0].seconds < 0.2


def test_without_reports_there_are_no_times(pipeline: Any) -> None:
    assert slow_cells([]).cells == []
    assert slow_cells(made(pipeline, "failing", "1 / 0", days=DAYS[:1])).reports == 0


def test_a_damaged_record_and_a_folder_that_is_gone_are_left_out(pipeline: Any) -> None:
    reports = made(pipeline, "checked", "1 + 1", days=DAYS[:2])
    (pipeline.store / reports[0].path / "provenance.json").write_text("{")
    paths = [(report.path, "") for report in reports] + [("ReportTask/none", "")]
    found = past_reports(current().store, paths, Memo(pipeline.folder, "unsaved"))
    assert [report.path for report in found] == [reports[1].path]
