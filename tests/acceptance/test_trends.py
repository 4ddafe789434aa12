"""Trends, steps and comparisons by their commands, with commits that are really run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from test_evaluate import History, begun

pytestmark = pytest.mark.acceptance


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory, make_small: Callable[[Path], Any]) -> tuple[History, list[str]]:
    """Seven commits on the trunk, of which the fifth makes the measure worse; only the two ends are run."""
    history = begun(make_small(tmp_path_factory.mktemp("trends") / "project"))
    shas = [history.git("rev-parse", "HEAD")]
    for number in range(1, 7):
        files = {"README_dot_md": f"# Part {number}\n"}
        if number == 4:
            files = {"acme_dot_py": history.pipeline("* self.factor", "* (self.factor + 1)")}
        shas.append(history.commit(f"Change {number}", **files))
    for sha in (shas[0], shas[6]):
        assert history.evaluate(sha, "--base", shas[0]).code in (0, 1)
    return history, shas


def test_a_step_is_found_among_commits_that_were_not_run_yet(line: tuple[History, list[str]]) -> None:
    history, shas = line
    done = history.place.run("parcours", "find-step", "total", "--from", shas[0], "--date", "2020-01-01")
    assert done.code == 0, done.err
    assert done.out.startswith(f"total of small 2020-01-01 stepped at commit {shas[4][:9]}  Change 4\n")
    assert done.last_line.startswith("  runs       ")
    again = history.place.run("parcours", "find-step", "total", "--from", shas[0], "--date", "2020-01-01", "--json")
    assert json.loads(again.out)["runs_made"] == 0


def test_two_commits_are_put_side_by_side_with_the_cause(line: tuple[History, list[str]]) -> None:
    history, shas = line
    page = history.place.store / "evaluations" / "default" / shas[6] / "evaluation.json"
    before = page.read_bytes()
    done = history.place.run("parcours", "compare", shas[3], shas[6])
    assert done.code == 0, done.err
    assert "B against A: worse" in done.out
    assert "self.factor + 1" in done.out
    assert page.read_bytes() == before


def test_the_trend_of_a_filled_history_has_the_step_and_the_feed_the_verdicts(line: tuple[History, list[str]]) -> None:
    history, shas = line
    assert history.evaluate("--range", f"{shas[0]}..{shas[6]}").code == 1
    done = history.place.run("parcours", "trend", "total", "--date", "2020-01-01", "--picture", "total.svg", "--json")
    assert done.code == 0, done.err
    [found] = json.loads(done.out)["lines"]
    assert [(step["commit"], step["verdict"]) for step in found["steps"]] == [(shas[4], "worse")]
    assert found["breaks"] == []
    assert ElementTree.parse(history.place.folder / "total.svg")
    feed = (history.place.store / "evaluations" / "feed.xml").read_text()
    assert "worse: Change 4" in feed
