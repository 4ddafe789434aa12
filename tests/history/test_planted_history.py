"""A history with one commit of each kind, whose effects are known, is evaluated as it is known; benchmarks/history.py has a hundred."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gauging
import pytest
import readings
import seeded
from judged import BETTER, WORSE, Judged, judged, tally
from seeded import Planted

pytestmark = pytest.mark.acceptance
SEED, DAYS = 7, 1


@dataclass
class History:
    """A planted history, evaluated."""

    place: Any
    planted: list[Planted]
    evaluations: list[dict[str, Any]]
    exit_code: int

    @property
    def judged(self) -> list[Judged]:
        """The commits but the first."""
        return judged(self.planted[1:], self.evaluations)

    def of(self, *kinds: str) -> list[dict[str, Any]]:
        """The evaluations of commits of some kinds."""
        shas = [commit.sha for commit in self.planted if commit.kind in kinds]
        return [found for found in self.evaluations if found["commit"]["sha"] in shas]


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory, enter_workplace: Callable[[Path], Any]) -> History:
    """Such a history, each commit evaluated against the one before."""
    folder = tmp_path_factory.mktemp("planted") / "gauges"
    folder.mkdir()
    planted = seeded.plant(folder, SEED, seeded.ONE_OF_EACH, DAYS)
    place = enter_workplace(folder)
    days = ["--from", readings.FIRST.isoformat(), "--to", seeded.dates(gauging.LONG)[-1].isoformat()]
    frozen = place.run("parcours", "freeze", gauging.DATASET, "--queries", "Readings", *days)
    assert frozen.code == 0, frozen.err
    done = place.run("parcours", "evaluate", "--range", f"{planted[0].sha}..main", "--json")
    return History(place, planted, json.loads(done.out), done.code)


def test_each_measure_of_each_commit_gets_the_word_that_it_deserves(history: History) -> None:
    assert [(one.planted.subject, one.words) for one in history.judged] == [
        (one.planted.subject, one.planted.expected) for one in history.judged
    ]


def test_a_commit_is_worse_exactly_where_a_measure_is_worse_or_lost(history: History) -> None:
    assert [one.verdict == "worse" for one in history.judged] == [one.planted.is_worse for one in history.judged]


def test_all_that_was_planted_is_found_and_nothing_else(history: History) -> None:
    for words in (WORSE, BETTER):
        found = tally(history.judged, words)
        assert found.commits > 0
        assert (found.found, found.missed, found.false_alarms) == (found.commits, 0, 0)


def test_a_range_with_a_worse_commit_ends_with_1(history: History) -> None:
    assert history.exit_code == 1


def test_documentation_and_another_text_of_the_lock_lead_to_the_very_reports_of_the_base(history: History) -> None:
    found = history.of("documentation", "dependencies")
    assert len(found) == 3
    assert all(report["has_same_version"] for evaluation in found for report in evaluation["reports"])


def test_a_refactoring_makes_no_report_again_with_other_measures(history: History) -> None:
    texts = {
        one.planted.subject: set(one.words.values()) for one in history.judged if one.planted.kind == "refactoring"
    }
    assert len(texts) == 2
    assert set.union(*texts.values()) == {"same"}


def test_the_same_seed_makes_the_same_commits(history: History, tmp_path: Path) -> None:
    assert seeded.plant(tmp_path, SEED, seeded.ONE_OF_EACH, DAYS) == history.planted


def test_evaluating_leaves_the_tree_as_it_was(history: History) -> None:
    assert seeded.git(history.place.folder, "status", "--porcelain") == ""


def test_counting_sees_what_is_missed_and_what_is_alarmed_in_vain() -> None:
    planted = Planted("regression", "Break it", {"a": "worse", "b": "same"})
    wrong = Judged(planted, "worse", {"a": "same", "b": "worse"})
    found = tally([wrong], WORSE)
    assert not wrong.is_right
    assert (found.commits, found.found, found.missed, found.false_alarms) == (1, 0, 1, 1)
