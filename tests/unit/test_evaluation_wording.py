"""The words of evaluations: headlines, numbers, changes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import evaluations as some
import pytest

from workflows.evaluation import wording
from workflows.evaluation.verdict import Evaluation


def of(*measures: Any, verdict: Any = "worse", **others: Any) -> Evaluation:
    """An evaluation of one report."""
    return replace(some.full(), verdict=verdict, reports=(some.report(some.DAILY, *measures),), **others)


def test_the_headline_tells_what_got_worse_and_by_how_much() -> None:
    found = of(some.judged("late_share", 0.214, 0.231, "worse"), some.judged("delay", 4, 3, "better", unit="min"))
    assert wording.headline(found) == "Worse: late_share of daily rose from 0.214 to 0.231"


def test_the_headline_tells_two_things_the_largest_change_first_and_counts_the_others() -> None:
    found = of(*(some.judged(name, 1.0, 1.0 + n, "worse", unit="min") for n, name in enumerate("abc", 1)))
    assert (
        wording.headline(found) == "Worse: c of daily rose from 1 to 4 min, b of daily rose from 1 to 3 min, and 1 more"
    )


def test_a_report_that_fails_comes_before_measures_and_its_lost_measures_are_not_told() -> None:
    failed = replace(some.full().reports[-1], measures=(some.judged("x", 1, None, "missing"),))
    found = replace(some.full(), reports=(*of(some.judged("a", 2.0, 1.0, "worse", "higher")).reports, failed))
    assert wording.headline(found) == "Worse: sanity_check failed, and a of daily fell from 2 to 1"


def test_a_measure_that_is_lost_is_told_as_missing() -> None:
    found = of(some.judged("late", 31, None, "missing"))
    assert wording.headline(found) == "Worse: late of daily is missing (31 at the base)"


def test_a_report_that_is_made_again_is_better() -> None:
    found = of(verdict="better")
    found = replace(found, reports=(replace(found.reports[0], base_state="failed"),))
    assert wording.headline(found) == "Better: daily is made again"


def test_nothing_changed_is_told_with_what_moved_within_the_limits() -> None:
    kept, moved = some.judged("a", 1, 1, "same"), some.judged("b", 1.0, 1.1, "same")
    assert wording.headline(of(kept, verdict="same")) == "Same: 1 measure, all as at the base"
    assert wording.headline(of(kept, moved, verdict="same")) == "Same: 2 measures, 1 changed within the limits"
    added = of(kept, some.judged("c", None, 1, "new"), verdict="same")
    assert wording.headline(added) == "Same: no measure is worse (1 new, 1 same)"


def test_without_a_base_the_headline_says_so() -> None:
    assert wording.headline(some.alone()) == "Same: there is no base to compare with, 1 measure recorded"


@pytest.mark.parametrize(
    ("found", "headline"),
    [
        (of(verdict="failed", problem="no lock\nat all"), "Failed: no lock"),
        (of(verdict="failed"), "Failed: the commit could not be evaluated"),
        (of(verdict="nothing measured"), "Nothing measured: 1 report made, none with a measure"),
        (replace(of(), verdict="nothing measured", reports=()), "Nothing measured: no report was made"),
    ],
)
def test_what_could_not_be_judged_says_why(found: Evaluation, headline: str) -> None:
    assert wording.headline(found) == headline


def test_a_report_is_named_by_its_template_where_that_is_enough() -> None:
    found = some.full()
    assert [wording.label(found, report) for report in found.reports] == [
        "daily",
        "anomaly_report 2013-01-15",
        "anomaly_report 2013-01-15 threshold=5",
        "sanity_check",
    ]


def test_changes_are_told_with_sign_and_share() -> None:
    assert wording.difference(some.judged("a", 0.214, 0.231, "worse")) == "+0.017 (+7.9 %)"
    assert wording.difference(some.judged("a", -2, -3, "worse")) == "−1 (−50.0 %)"
    assert wording.difference(some.judged("a", 0, 3, "worse")) == "+3"
    assert wording.difference(some.judged("a", 1, 1, "same")) == ""
    assert wording.difference(some.judged("a", None, 1, "new")) == ""


def test_limits_name_what_must_be_passed() -> None:
    assert wording.limits(some.judged("a", 1, 1, "same", absolute=0.005, relative=0.02)) == "0.005 and 2 %"
    assert wording.limits(some.judged("a", 1, 1, "same", absolute=2.0)) == "2"
    assert wording.limits(some.judged("a", 1, 1, "same", relative=0.05)) == "5 %"
    assert wording.limits(some.judged("a", 1, 1, "same")) == "any change"


def test_what_changed_around_the_code_is_named() -> None:
    found = replace(some.full(), run=some.run(some.COMMIT, dataset="spring", python="3.13.1"))
    assert [change.name for change in wording.surroundings(found)] == [
        "dataset",
        "template anomaly_report",
        "Python",
        "numpy",
    ]
    assert wording.surroundings(some.alone()) == []


def test_times_are_told_in_utc_and_what_is_none_as_it_is() -> None:
    assert wording.moment("2026-03-02T10:14:00+02:00") == "2026-03-02 08:14 UTC"
    assert wording.moment("some day") == "some day"
