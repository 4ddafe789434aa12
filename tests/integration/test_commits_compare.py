"""Two commits, dates, parameter sets or datasets side by side, of a real repository with stored runs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from histories import History, git, history, told

from workflows.commits.compare import Comparison, compare
from workflows.errors import CommitError, TrendError
from workflows.evaluation.measures import Measure
from workflows.evaluation.runs import Made, Run
from workflows.evaluation.suites import Asked

pytestmark = pytest.mark.integration
__all__ = ["history"]

SUITES = """
[default]
dataset = "jan"
reports = [{ template = "daily", dates = ["2013-01-15", "2013-01-16"] }]
measures.late = { better = "lower", absolute = 0.5 }
"""


@pytest.fixture
def judged(history: History) -> History:
    """The history with a last commit that has a suite."""
    Path("templates/suites.toml").write_text(SUITES)
    git("add", "templates/suites.toml")
    git("commit", "--quiet", "--message=Say what to evaluate")
    history.commits.append(git("rev-parse", "HEAD"))
    return history


def compared(a: str, b: str, history: History, **runs: Run) -> Comparison:
    """The comparison of two commits that are measured as given."""
    found = compare(a, b, measuring=lambda ref, suite: runs["old" if ref == history.commits[0] else "new"])
    assert isinstance(found, Comparison)
    return found


def test_two_commits_are_judged_by_the_suite_of_the_second(judged: History) -> None:
    first, last = judged.commits[0], judged.commits[-1]
    runs = {"old": judged.run(first, 1.0, 2.0), "new": judged.run(last, 1.2, 3.0)}
    found = compared(first, "HEAD", judged, **runs)
    lines = found.lines()
    assert lines[:2] == [f"A  {first[:9]}  Change 0", f"B  {last[:9]}  Say what to evaluate"]
    assert lines[3] == "B against A: worse"
    assert "  late (min)  1  1.2        +0.2  within limits" in lines
    assert "  late (min)  2    3          +1  worse" in lines
    assert found.exit_code == 0


def test_reports_that_only_one_side_has_are_named(judged: History) -> None:
    runs = {"old": judged.run(judged.commits[0], 1.0, 2.0), "new": judged.run("HEAD", 1.0)}
    found = compared(judged.commits[0], "HEAD", judged, **runs)
    assert found.alone == (("A", "daily 2013-01-16"),)
    assert found.lines()[-1] == "only in A: daily 2013-01-16"


def test_a_commit_that_could_not_be_run_says_why(judged: History) -> None:
    runs = {"old": judged.run(judged.commits[0], 1.0), "new": replace(judged.run("HEAD"), problem="no module acme")}
    found = compared(judged.commits[0], "HEAD", judged, **runs)
    assert (found.exit_code, "no module acme" in found.lines()) == (4, True)


def test_a_failed_report_is_told(judged: History) -> None:
    runs = {"old": judged.run(judged.commits[0], 1.0), "new": judged.run("HEAD", None)}
    text = "\n".join(compared(judged.commits[0], "HEAD", judged, **runs).lines())
    assert "daily 2013-01-15  failed in B: cell 2 failed" in text


def test_the_comparison_for_a_program_has_both_sides(judged: History) -> None:
    runs = {"old": judged.run(judged.commits[0], 1.0), "new": judged.run("HEAD", 3.0)}
    found = json.loads(json.dumps(compared(judged.commits[0], "HEAD", judged, **runs).as_json()))
    assert (found["kind"], found["verdict"], found["a"]["commit"]["sha"]) == ("commits", "worse", judged.commits[0])
    [report] = found["reports"]
    assert (report["report"], report["measures"][0]["base"], report["measures"][0]["value"]) == (
        "daily 2013-01-15",
        1,
        3,
    )


def test_two_dates_are_those_of_the_newest_run_that_has_both(
    judged: History, capsys: pytest.CaptureFixture[str]
) -> None:
    judged.store(3, 1.0, 9.0)
    judged.store(12, 1.0, 2.0)
    code, text = told(capsys, "compare", "2013-01-15", "2013-01-16")
    assert code == 0, text
    lines = text.splitlines()
    assert lines[0] == f"A  2013-01-15 at {judged.commits[12][:9]}  Say what to evaluate"
    assert "daily" in lines
    assert any(line.split() == ["late", "(min)", "1", "2", "+1", "worse"] for line in lines)


def test_a_date_that_no_run_has_is_refused(judged: History, capsys: pytest.CaptureFixture[str]) -> None:
    judged.store(12, 1.0, 2.0)
    code, text = told(capsys, "compare", "2013-01-15", "2013-01-17")
    assert code == 2
    assert text.startswith("no run has the date '2013-01-17'. There are the dates 2013-01-15, 2013-01-16.")


def test_two_sets_of_parameters_are_put_side_by_side(judged: History, capsys: pytest.CaptureFixture[str]) -> None:
    made = [
        Made(
            Asked("daily", "2013-01-15", {"threshold": n, "carrier": "UA"}),
            f"p{n}",
            str(n),
            measures=(Measure("late", n, "1", "lower"),),
        )
        for n in (3, 4)
    ]
    run = replace(judged.run("HEAD"), reports=tuple(made))
    judged.put(run)
    code, text = told(capsys, "compare", "threshold=3", "threshold=4")
    assert code == 0, text
    assert "daily 2013-01-15 carrier=UA" in text.splitlines()
    code, text = told(capsys, "compare", "threshold=3", "threshold=5")
    assert (code, "There are the parameters carrier=UA,threshold=3, carrier=UA,threshold=4" in text) == (2, True)


def test_two_datasets_are_their_newest_runs(judged: History, capsys: pytest.CaptureFixture[str]) -> None:
    judged.store(3, 5.0)
    judged.store(12, 7.0, dataset="feb", dataset_digest="e")
    code, text = told(capsys, "compare", "--datasets", "jan", "feb")
    assert code == 0, text
    assert text.startswith(f"A  jan at {judged.commits[3][:9]}  Change 3\nB  feb at {judged.commits[12][:9]}")
    assert "+2  worse" in text
    assert told(capsys, "compare", "--datasets", "jan", "mar")[0] == 2


def test_things_of_two_kinds_are_refused(judged: History, capsys: pytest.CaptureFixture[str]) -> None:
    code, text = told(capsys, "compare", "2013-01-15", "HEAD")
    assert (code, "the one is a date, the other a commit" in text) == (2, True)


def test_an_unknown_commit_is_refused_before_anything_runs(judged: History) -> None:
    def measuring(ref: str, suite: str) -> Run:
        raise AssertionError(ref)

    with pytest.raises(CommitError, match="nowhere"):
        compare("HEAD", "nowhere", measuring=measuring)


def test_without_any_run_dates_cannot_be_compared(judged: History) -> None:
    with pytest.raises(TrendError, match="parcours evaluate"):
        compare("2013-01-15", "2013-01-16")
