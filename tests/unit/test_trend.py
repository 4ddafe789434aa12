"""Lines of measures: over commits and over dates, with their steps and breaks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from workflows.evaluation import trend
from workflows.evaluation.lines import Line
from workflows.evaluation.measures import Measure
from workflows.evaluation.runs import Commit, Made, Run
from workflows.evaluation.steps import Limits
from workflows.evaluation.suites import Asked
from workflows.evaluation.trend import Judged

ASKED = Asked("daily", "2013-01-15")


def run(number: int, value: float | None, **other: Any) -> Run:
    """The run of a commit with one report of one measure."""
    sha = f"{number:040x}"
    made = Made(ASKED, measures=(Measure("late", value, "min", "lower"),))
    first = Run(
        commit=Commit(sha, f"Change {number}", "Ada", f"2026-01-{number + 1:02}T00:00:00+00:00"),
        suite="default", work="w", suite_from="commit", dataset="jan", dataset_digest="d", lock="l", python="3.11.7",
        packages={"pandas": "3.0.0"}, reports=(made,), results_made=1, results_reused=0, started="", seconds=1.0,
        host="h", user="u", templates={"daily": "t" * 64},
    )  # fmt: skip
    return replace(first, **other)


def line(*runs: Run | None, **limits: float) -> Line:
    """The one line of these runs."""
    judged = {ASKED.key: Judged(None, Limits(**limits))}
    [found] = trend.over_commits([(f"{n:040x}", found) for n, found in enumerate(runs)], "late", judged)
    return found


def test_a_step_is_at_its_commit_and_worse_where_lower_is_better() -> None:
    found = line(*(run(n, 1.0 if n < 5 else 2.0) for n in range(9)))
    [change] = found.changes
    assert (change.at, change.since, change.before, change.after) == (5, 4, 1.0, 2.0)
    assert (change.verdict, change.breaks, change.untold) == ("worse", (), 0)
    assert (found.unit, found.better, found.breaks) == ("min", "lower", [])


def test_the_line_breaks_where_packages_changed_and_says_which() -> None:
    old, new = {"pandas": "3.0.0", "numpy": "2.0"}, {"pandas": "3.1.0", "numpy": "2.0", "rich": "13"}
    found = line(run(0, 1.0, packages=old), run(1, 1.0, packages=new))
    assert [b.text for b in found.breaks] == ["environment: pandas 3.0.0 -> 3.1.0, rich none -> 13"]


def test_many_packages_are_counted() -> None:
    old, new = ({f"p{n}": version for n in range(5)} for version in "12")
    found = line(run(0, 1.0, packages=old), run(1, 1.0, packages=new, python="3.12.1"))
    [one] = found.breaks
    assert one.text == "environment: Python 3.11.7 -> 3.12.1, p0 1 -> 2, p1 1 -> 2 and 3 more"


def test_another_lock_with_the_same_packages_breaks_nothing() -> None:
    assert line(run(0, 1.0), run(1, 1.0, lock="other")).breaks == []


def test_the_line_breaks_where_template_and_dataset_changed() -> None:
    found = line(
        run(0, 1.0),
        run(1, 1.0, templates={"daily": "u" * 64, "other": "x"}),
        run(2, 1.0, templates={"daily": "u" * 64}, dataset="feb", dataset_digest="e"),
        run(3, 1.0, templates={"daily": "u" * 64}, dataset="feb", dataset_digest="f"),
    )
    assert [(b.at, b.text) for b in found.breaks] == [
        (1, "template: tttttttt -> uuuuuuuu"),
        (2, "dataset: jan -> feb"),
        (3, "dataset: other feb"),
    ]


def test_a_step_at_a_break_is_put_down_to_it_and_others_are_not() -> None:
    runs = [run(n, 1.0 + (n >= 4) + (n >= 8), packages={"pandas": "2" if n < 4 else "3"}) for n in range(12)]
    [first, second] = line(*runs).changes
    assert [b.kind for b in first.breaks] == ["environment"]
    assert (second.at, second.breaks) == (8, ())


def test_commits_without_a_run_may_each_be_the_step() -> None:
    runs: list[Run | None] = [run(n, 1.0 if n < 6 else 2.0) for n in range(9)]
    runs[4] = runs[5] = None
    found = line(*runs)
    assert [point.skipped for point in found.points] == [0, 0, 0, 0, 2, 0, 0]
    assert [(change.at, change.untold) for change in found.changes] == [(4, 2)]


def test_a_run_in_which_nothing_could_be_run_counts_as_none() -> None:
    bad = run(2, 0.0, problem="no environment", python="", packages={}, dataset_digest="")
    found = line(run(0, 1.0), run(1, 1.0), bad, run(3, 1.0))
    assert (found.values, found.points[2].skipped, found.breaks) == ([1.0, 1.0, 1.0], 1, [])


def test_a_report_that_failed_is_a_point_without_a_value() -> None:
    failed = run(4, 0.0, reports=(Made(ASKED, failure="cell 2 failed"),))
    found = line(*(run(n, 1.0) for n in range(4)), failed, *(run(n, 3.0) for n in range(5, 8)))
    assert found.points[4].failure == "cell 2 failed"
    assert [(change.at, change.since, change.untold) for change in found.changes] == [(5, 3, 1)]


def test_what_a_suite_tolerates_is_no_step() -> None:
    runs = [run(n, 100.0 if n < 5 else 103.0) for n in range(9)]
    assert line(*runs, relative=0.05).changes == []
    assert len(line(*runs, relative=0.01).changes) == 1


def test_the_suite_says_which_direction_is_better() -> None:
    history = [(f"{n:040x}", run(n, 1.0 if n < 5 else 2.0)) for n in range(9)]
    [found] = trend.over_commits(history, "late", {ASKED.key: Judged("higher", Limits())})
    assert found.changes[0].verdict == "better"


def test_an_outlier_has_a_verdict_too() -> None:
    found = line(*(run(n, 9.0 if n == 4 else 2.0) for n in range(9)))
    assert (found.changes, found.outliers, found.outlier_verdict(4)) == ([], [4], "worse")
    assert found.as_json()["outliers"] == [{"commit": f"{4:040x}", "date": "2013-01-15", "verdict": "worse"}]


def test_each_report_has_its_line() -> None:
    both = tuple(
        Made(Asked("daily", day), measures=(Measure("late", 1.0, "1", None),)) for day in ("2013-01-16", "2013-01-15")
    )
    found = trend.over_commits([("0", run(0, 0, reports=both)), ("1", run(1, 0, reports=both[:1]))], "late")
    assert [(line.report, len(line.points)) for line in found] == [("daily 2013-01-15", 1), ("daily 2013-01-16", 2)]
    assert trend.over_commits([("0", run(0, 1.0))], "nothing") == []


def test_over_dates_the_reports_of_a_template_with_the_same_parameters_are_a_line() -> None:
    days = ["2013-01-16", "2013-01-15", "2013-01-17"]
    asked = [*(Asked("daily", day) for day in days), Asked("daily", "2013-01-15", {"n": 1})]
    made = tuple(Made(one, measures=(Measure("late", float(one.date[-2:]), "1", None),)) for one in asked)
    found = trend.over_dates(run(0, 0, reports=made), "late")
    assert [(line.report, line.values) for line in found] == [("daily", [15.0, 16.0, 17.0]), ("daily n=1", [15.0])]


def test_the_line_for_a_program_names_commits() -> None:
    found = line(*(run(n, 1.0 if n < 5 else 2.0, python="3.11.7" if n < 5 else "3.12.1") for n in range(9))).as_json()
    assert found["steps"] == [
        {"commit": f"{5:040x}", "date": "2013-01-15", "since": f"{4:040x}", "before": 1.0, "after": 2.0, "verdict": "worse",
         "breaks": ["environment: Python 3.11.7 -> 3.12.1"], "commits_between": 0}
    ]  # fmt: skip
    assert found["points"][0]["value"] == 1.0
    assert found["breaks"][0]["commit"] == f"{5:040x}"
