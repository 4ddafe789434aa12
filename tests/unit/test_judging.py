"""Verdicts: both tolerances to be passed, reports that fail, and the worst of all."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from workflows.evaluation.judging import judge, word
from workflows.evaluation.measures import Measure
from workflows.evaluation.runs import Commit, Made, Run
from workflows.evaluation.suites import Asked, Limit, Suite
from workflows.evaluation.verdict import Details, Evaluation, MeasureVerdict

ASKED = Asked("daily", "2013-01-15", {"late_after": 20})
SUITE = Suite("default", "january", (ASKED,), {"late": Limit("lower", 0.01, 0.1)})
numbers = some.one_of(some.floats(-1e12, 1e12), some.integers(-(10**20), 10**20))
tolerances = some.one_of(some.just(0.0), some.floats(0, 1e6), some.sampled_from([0.01, 0.05, 1.0]))
limits = some.builds(Limit, some.none(), tolerances, tolerances)


def made(late: Any = 0.2, better: Any = "lower", **others: Any) -> Made:
    return Made(ASKED, "ReportTask/x", "a" * 64, measures=(Measure("late", late, "1", better),), **others)


def failed(why: str = "KeyError: 'x'") -> Made:
    return Made(ASKED, None, "a" * 64, failure=why)


def run(*reports: Made, sha: str = "1", **others: Any) -> Run:
    given = {
        "suite": "default", "work": "w", "suite_from": "commit", "dataset": "january", "dataset_digest": "d", "lock": "l",
        "python": "3.12.1", "packages": {"pandas": "3.0.0"}, "results_made": 1, "results_reused": 2,
        "started": "2013-02-01T00:00:00+00:00", "seconds": 1.0, "host": "h", "user": "u", **others,
    }  # fmt: skip
    return Run(commit=Commit(sha * 40, "Subject", "A", "2013-02-01T00:00:00+00:00"), reports=reports, **given)


def judged(now: Made | None, base: Made | None, suite: Suite = SUITE) -> Evaluation:
    """A run of one report against one of one report; None is a run without the report."""
    return judge(run(*filter(None, [now])), run(*filter(None, [base]), sha="2"), suite, {})


def measure(found: Evaluation) -> MeasureVerdict:
    [[verdict]] = [report.measures for report in found.reports]
    return verdict


@pytest.mark.parametrize(
    ("base", "value", "verdict"),
    [
        (0.2, 0.2, "same"),
        (0.2, 0.205, "same"),  # within both
        (0.02, 0.025, "same"),  # beyond the relative tolerance only
        (0.5, 0.52, "same"),  # beyond the absolute tolerance only
        (0.1, 0.11, "same"),  # at both, to the digit
        (0.2, 0.221, "worse"),
        (0.2, 0.179, "better"),
        (-0.2, -0.17, "worse"),
        (0, 0.011, "worse"),  # of nothing, everything is more than any share
        (0, 0.01, "same"),
        (None, None, "same"),
        (None, 0.2, "new"),
        (0.2, None, "missing"),
    ],
)
def test_a_measure_is_judged_by_both_tolerances(base: Any, value: Any, verdict: str) -> None:
    assert measure(judged(made(value), made(base))).verdict == verdict


@given(numbers, numbers, limits)
def test_the_verdict_is_symmetric_in_the_direction(base: float, value: float, limit: Limit) -> None:
    other = {"worse": "better", "better": "worse", "same": "same"}
    assert word(base, value, "higher", limit) == other[word(base, value, "lower", limit)]
    assert word(-base, -value, "higher", limit) == word(base, value, "lower", limit)


@given(numbers, numbers, numbers, limits)
def test_what_is_farther_in_the_wrong_direction_is_no_better(base: float, one: float, two: float, limit: Limit) -> None:
    rank = {"better": 0, "same": 1, "worse": 2}
    near, far = sorted((one, two))
    assert rank[word(base, near, "lower", limit)] <= rank[word(base, far, "lower", limit)]


@given(numbers, numbers, limits, tolerances)
def test_a_wider_tolerance_never_makes_worse(base: float, value: float, limit: Limit, more: float) -> None:
    if word(base, value, "lower", limit) == "same":
        assert word(base, value, "lower", replace(limit, absolute=limit.absolute + more)) == "same"
        assert word(base, value, "lower", replace(limit, relative=limit.relative + more)) == "same"


@given(numbers, numbers, limits)
def test_both_tolerances_must_be_passed(base: float, value: float, limit: Limit) -> None:
    alone = [word(base, value, "lower", replace(limit, **{name: 0.0})) for name in ("absolute", "relative")]
    assert (word(base, value, "lower", limit) == "worse") == (alone == ["worse", "worse"])


@given(numbers, numbers, limits)
def test_a_measure_without_direction_is_never_worse(base: float, value: float, limit: Limit) -> None:
    assert word(base, value, None, limit) == "same"


def test_the_change_is_told_in_the_numbers_as_they_are_written() -> None:
    found = measure(judged(made(0.3, None), made(0.1, None), replace(SUITE, measures={})))
    assert (found.verdict, found.change) == ("same", 0.2)
    assert measure(judged(made(12), made(15))).change == -3
    assert measure(judged(made(None), made(15))).change is None
    assert measure(judged(made(1e308), made(-1e308))).change is None


def test_a_suite_gives_the_direction_before_the_measure() -> None:
    suite = replace(SUITE, measures={"late": Limit("higher")})
    assert judged(made(0.3, "lower"), made(0.2, "lower"), suite).verdict == "better"
    assert judged(made(0.3, "lower"), made(0.2, "lower"), replace(SUITE, measures={})).verdict == "worse"


def test_a_measure_that_is_gone_makes_the_whole_worse_if_it_has_a_direction() -> None:
    gone = replace(made(), measures=(Measure("other", 1, "1", None),))
    found = judged(gone, made())
    assert [(m.name, m.verdict) for m in found.reports[0].measures] == [("other", "new"), ("late", "missing")]
    assert (found.verdict, found.exit_code) == ("worse", 1)
    assert judged(gone, made(better=None), replace(SUITE, measures={})).verdict == "same"


@pytest.mark.parametrize(
    ("now", "base", "report", "whole", "code"),
    [
        (failed(), made(), "worse", "worse", 1),
        (failed(), failed(), "same", "nothing measured", 3),
        (failed(), None, "worse", "worse", 1),
        (made(), failed(), "better", "better", 0),
        (made(), made(), "same", "same", 0),
        (made(), None, "new", "same", 0),
        (made(0.4), made(), "worse", "worse", 1),
        (made(0.1), made(), "better", "better", 0),
        (made(None), made(None), "same", "nothing measured", 3),
    ],
)
def test_a_report_is_judged_by_whether_it_was_made_and_by_its_measures(
    now: Made, base: Made | None, report: str, whole: str, code: int
) -> None:
    found = judged(now, base)
    assert (found.reports[0].verdict, found.verdict, found.exit_code) == (report, whole, code)


def test_a_better_measure_does_not_outweigh_a_worse_one() -> None:
    measures = [[Measure(n, v, "1", "lower") for n, v in pair] for pair in ([("a", 1), ("b", 1)], [("a", 0), ("b", 2)])]
    old, new = (replace(made(), measures=tuple(found)) for found in measures)
    assert judged(new, old).verdict == "worse"


def test_a_failure_is_told_with_the_state_of_both() -> None:
    [report] = judged(failed("boom"), made(is_reused=True)).reports
    assert (report.state, report.base_state, report.failure, report.has_same_version) == (
        "failed", "reused", "boom", False,
    )  # fmt: skip


def test_without_a_base_everything_is_new_and_nothing_worse() -> None:
    found = judge(run(made(), failed()), None, SUITE, {})
    assert [report.verdict for report in found.reports] == ["new", "new"]
    assert (found.verdict, found.base, found.base_run) == ("same", None, None)
    assert found.problem == "there is no base to compare with, so everything is new"


def test_a_base_that_could_not_be_run_is_named_and_nothing_is_compared() -> None:
    found = judge(run(made(0.9)), run(sha="2", problem="no lock"), SUITE, {})
    assert (found.verdict, found.exit_code, found.reports[0].base_state) == ("failed", 4, "missing")
    assert (
        found.problem
        == "the base 222222222 could not be run, so nothing is compared: no lock Another base can be named with --base."
    )


def test_a_run_that_could_not_be_made_has_failed_whatever_the_base() -> None:
    found = judge(run(problem="no lock"), run(made(), sha="2"), SUITE, {})
    assert (found.verdict, found.exit_code, found.problem) == ("failed", 4, "no lock")


def test_nothing_was_measured_where_no_report_was_made() -> None:
    assert judge(run(), run(sha="2"), SUITE, {}).verdict == "nothing measured"
    assert judge(run(failed()), None, SUITE, {}).verdict == "nothing measured"


def test_another_state_of_the_data_is_said() -> None:
    found = judge(run(made()), run(made(), sha="2", dataset_digest="e"), SUITE, {})
    assert found.problem == "the base 222222222 was run on another state of the data: dataset january"


def test_an_evaluation_comes_back_from_its_record_as_it_was() -> None:
    details = Details(("code",), ({"name": "Flights"},), ({"cell": "cell 3", "share": 0.1},))
    for base in (run(made(), sha="2"), None):
        found = judge(run(made(0.4), failed()), base, SUITE, {ASKED.key: details})
        assert Evaluation.from_json(json.loads(json.dumps(found.as_json()))) == found


@pytest.mark.parametrize("record", [{}, {"verdict": "fine"}, {"run": None}, {"run": {"commit": 3}}])
def test_a_record_that_is_no_evaluation_is_refused(record: dict[str, Any]) -> None:
    whole = judge(run(made()), None, SUITE, {}).as_json()
    with pytest.raises(ValueError, match="it is no"):
        Evaluation.from_json({**whole, **record} if record else {})
