"""Trends and steps of a real repository with stored runs, asked by the command."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import pytest
from histories import History, committed, git, history, told

from workflows import settings
from workflows.answers.found import store
from workflows.commits.bisect import find_step
from workflows.commits.trend import Chosen
from workflows.errors import CommitError, TrendError
from workflows.evaluation.runs import Run
from workflows.store.evaluations import EVALUATION, RUN

pytestmark = pytest.mark.integration
__all__ = ["history"]

STEP = [1.0] * 7 + [2.5] * 5


def test_a_trend_shows_each_commit_and_marks_the_step(history: History, capsys: pytest.CaptureFixture[str]) -> None:
    history.store_all(STEP)
    code, text = told(capsys, "trend", "late")
    lines = text.splitlines()
    assert code == 0
    assert lines[0] == "late of suite default over 12 commits, none without a run"
    assert lines[2] == "daily 2013-01-15 in min (lower is better)"
    at = lines.index("  >> step 1 -> 2.5 (worse)")
    assert lines[at + 1].startswith(f"  {history.commits[7][:9]}  2")
    assert "+1.5" in lines[at + 1]
    assert lines[at + 1].endswith("Change 7")
    assert len(lines) == 3 + 12 + 1


def test_a_step_at_a_change_of_the_environment_says_so(history: History, capsys: pytest.CaptureFixture[str]) -> None:
    for at, value in enumerate(STEP):
        history.store(at, value, packages={"pandas": "3.0.0" if at < 7 else "3.1.0"})
    text = told(capsys, "trend", "late")[1]
    assert "  -- environment: pandas 3.0.0 -> 3.1.0\n  >> step 1 -> 2.5 (worse), at the change of environment\n" in text


def test_commits_without_a_run_are_counted_and_may_be_the_step(
    history: History, capsys: pytest.CaptureFixture[str]
) -> None:
    for at in (0, 1, 2, 3, 8, 9, 10):
        history.store(at, STEP[at])
    text = told(capsys, "trend", "late")[1]
    assert text.startswith("late of suite default over 11 commits, 4 without a run\n")
    assert "step 1 -> 2.5 (worse), at this or one of 4 before it that have no value" in text


def test_several_reports_are_told_in_short_and_one_in_full(
    history: History, capsys: pytest.CaptureFixture[str]
) -> None:
    for at, value in enumerate(STEP):
        history.store(at, value, 3.0)
    text = told(capsys, "trend", "late")[1]
    assert "daily 2013-01-15 in min (lower is better): 1 -> 2.5\n  ▄▄▄▄▄▄▄█████\n  >> " in text
    assert "daily 2013-01-16 in min (lower is better): 3 -> 3\n" in text
    assert "Change 3" in told(capsys, "trend", "late", "--date", "2013-01-16")[1]


def test_over_dates_the_newest_run_is_shown(history: History, capsys: pytest.CaptureFixture[str]) -> None:
    history.store(3, 9.0)
    history.store(5, 1.0, None, 3.0)
    lines = told(capsys, "trend", "late", "--over", "dates")[1].splitlines()
    assert lines[0] == f"late of suite default over dates at commit {history.commits[5][:9]}  Change 5"
    assert [line.split()[:2] for line in lines[3:]] == [["2013-01-15", "1"], ["2013-01-16", "-"], ["2013-01-17", "3"]]
    assert lines[4].endswith("failed: cell 2 failed")


def test_a_trend_for_a_program_has_steps_and_points(history: History, capsys: pytest.CaptureFixture[str]) -> None:
    history.store_all(STEP)
    found = json.loads(told(capsys, "trend", "late", "--json")[1])
    [line] = found["lines"]
    assert [step["commit"] for step in line["steps"]] == [history.commits[7]]
    assert [point["commit"]["sha"] for point in line["points"]] == history.commits


def test_what_the_newest_evaluation_tolerates_is_no_step(history: History, capsys: pytest.CaptureFixture[str]) -> None:
    history.store_all(STEP)
    measure = {"name": "late", "better": "higher", "absolute": 2.0, "relative": 0.1}
    record = {
        "reports": [{"asked": {"template": "daily", "date": "2013-01-15", "parameters": {}}, "measures": [measure]}]
    }
    store().evaluations.put("default", history.commits[11], {EVALUATION: json.dumps(record).encode()})
    text = told(capsys, "trend", "late")[1]
    assert ">>" not in text
    assert "(higher is better)" in text


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_a_picture_is_drawn_the_same_each_time(history: History, capsys: pytest.CaptureFixture[str], kind: str) -> None:
    for at, value in enumerate(STEP):
        history.store(at, value, None if at == 4 else 2.0, packages={"pandas": str(at // 6)})
    files = [Path(f"{name}.{kind}") for name in "ab"]
    for file in files:
        code, text = told(capsys, "trend", "late", "--picture", str(file))
        assert (code, text.splitlines()[-1]) == (0, f"picture: {file}")
    assert files[0].read_bytes() == files[1].read_bytes()
    if kind == "svg":
        assert ElementTree.parse(files[0]).getroot().tag.endswith("svg")
    else:
        assert files[0].read_bytes().startswith(b"\x89PNG")


def test_what_cannot_be_told_is_an_error_with_a_remedy(history: History, capsys: pytest.CaptureFixture[str]) -> None:
    code, text = told(capsys, "trend", "late")
    assert (code, "parcours evaluate --range A..B" in text) == (3, True)
    history.store_all(STEP)
    code, text = told(capsys, "trend", "lat")
    assert (code, text) == (2, "no run has the measure 'lat'. There is the measure late. Did you mean 'late'?\n")
    code, text = told(capsys, "trend", "late", "--suite", "defalt")
    assert (code, text.endswith("Suites with runs: default. Did you mean 'default'?\n")) == (3, True)
    assert told(capsys, "trend", "late", "--template", "dail")[0] == 2
    assert told(capsys, "trend", "late", "--date", "2013-01-20")[0] == 2
    assert told(capsys, "trend", "late", "--picture", "a.gif")[0] == 2
    assert told(capsys, "trend", "late", "--picture", "nowhere/a.svg")[0] == 2


def test_runs_that_cannot_be_read_are_gaps(history: History, capsys: pytest.CaptureFixture[str]) -> None:
    history.store_all(STEP)
    store().evaluations.put("default", history.commits[2], {RUN: b'{"format": 1}'})
    store().evaluations.put("default", history.commits[3], {RUN: b"{"})
    assert told(capsys, "trend", "late")[1].startswith("late of suite default over 12 commits, 2 without a run\n")


def test_only_first_parents_are_on_the_line(history: History, capsys: pytest.CaptureFixture[str]) -> None:
    history.store_all(STEP)
    git("checkout", "--quiet", "-b", "side")
    [*_, side] = committed(1)
    git("checkout", "--quiet", "main")
    git("merge", "--quiet", "--no-ff", "--message=Merge", "side")
    history.commits += [side, git("rev-parse", "HEAD")]
    history.store(12, 99.0)
    history.store(13, 2.5)
    text = told(capsys, "trend", "late")[1]
    assert side[:9] not in text
    assert text.startswith("late of suite default over 13 commits")


@dataclass
class Measuring:
    """Runs commits of a fake history, in which a measure steps at one of them."""

    history: History
    step: int
    broken: tuple[int, ...] = ()
    asked: int = 0

    def __call__(self, ref: str, suite: str) -> Run:
        self.asked += 1
        at = self.history.commits.index(ref)
        if at in self.broken:
            raise CommitError.no_environment(ref[:9], "no such package")
        return self.history.run(ref, 1.0 if at < self.step else 2.0)


@pytest.mark.parametrize("step", range(1, 12))
def test_a_step_is_found_by_halves(history: History, step: int) -> None:
    measuring = Measuring(history, step)
    found = find_step("late", Chosen(), history.commits[0], "HEAD", measuring)
    assert found.line.points[1].commit.sha == history.commits[step]
    assert (found.line.values, found.verdict, found.between) == ([1.0, 2.0], "worse", ())
    assert found.made == measuring.asked <= 2 + 4


def test_what_is_stored_is_not_run_again(history: History) -> None:
    history.store_all([1.0] * 5 + [2.0] * 7)
    measuring = Measuring(history, 5)
    found = find_step("late", Chosen(), history.commits[0], None, measuring)
    assert (found.line.points[1].commit.sha, measuring.asked, found.made) == (history.commits[5], 0, 0)
    assert found.lines()[-1] == f"  runs       {found.stored} stored ones looked at, 0 made"


def test_without_ends_the_latest_step_is_looked_at(history: History) -> None:
    for at in (0, 1, 2, 9, 10, 11):
        history.store(at, 1.0 if at < 6 else 2.0)
    found = find_step("late", Chosen(), measuring=Measuring(history, 6))
    assert found.line.points[1].commit.sha == history.commits[6]
    assert found.made == 3


def test_commits_that_cannot_be_measured_are_skipped_and_told(history: History) -> None:
    found = find_step("late", Chosen(), history.commits[0], "HEAD", Measuring(history, 6, broken=(5,)))
    assert found.line.points[1].commit.sha == history.commits[6]
    assert [commit.sha for commit in found.between] == [history.commits[5]]
    text = "\n".join(found.lines())
    assert f"  or at      {history.commits[5][:9]}  Change 5" in text
    assert "  skipped    " in text
    assert "no such package" in text
    assert found.as_json()["or_at"] == [history.commits[5]]


def test_a_skipped_commit_away_from_the_step_leaves_it_certain(history: History) -> None:
    found = find_step("late", Chosen(), history.commits[0], "HEAD", Measuring(history, 2, broken=(5, 6)))
    assert (found.line.points[1].commit.sha, found.between) == (history.commits[2], ())


def test_what_changed_beside_the_code_at_the_step_is_told(history: History) -> None:
    history.store(0, 1.0)
    history.store(1, 2.0, packages={"pandas": "3.1.0"})
    found = find_step("late", Chosen(), history.commits[0], history.commits[1], Measuring(history, 1))
    assert "  changed    environment: pandas 3.0.0 -> 3.1.0" in found.lines()


def test_ends_between_which_no_step_can_be_are_refused(history: History) -> None:
    first, last = history.commits[0], history.commits[-1]
    for ends in ((last, first), (first, first), (None, last), (first, "nowhere")):
        with pytest.raises((TrendError, CommitError)):
            find_step("late", Chosen(), *ends, Measuring(history, 5))
    with pytest.raises(TrendError, match="is 1 at both"):
        find_step("late", Chosen(), first, history.commits[3], Measuring(history, 5))
    with pytest.raises(TrendError, match=r"has no value at .*no such package"):
        find_step("late", Chosen(), first, last, Measuring(history, 5, broken=(0,)))
    with pytest.raises(TrendError, match="no run has the measure 'early'"):
        find_step("early", Chosen(), first, last, Measuring(history, 5))


def test_a_level_line_has_no_step_to_find(history: History, capsys: pytest.CaptureFixture[str]) -> None:
    history.store_all([1.0] * 12)
    code, text = told(capsys, "find-step", "late")
    assert (code, "--from and --to" in text) == (3, True)
    assert settings.load().root == Path.cwd()
