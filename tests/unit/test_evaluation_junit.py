"""The JUnit XML of an evaluation, read by a parser as CI systems do."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import evaluations as some

from workflows.evaluation.junit import junit
from workflows.evaluation.verdict import Evaluation


def parsed(evaluation: Evaluation) -> ElementTree.Element:
    return ElementTree.fromstring(junit(evaluation).encode())


def outcomes(evaluation: Evaluation) -> dict[tuple[str, str], str]:
    """What became of each test case: 'passed', or the name of the element in it."""
    cases = parsed(evaluation).iter("testcase")
    return {(case.get("classname", ""), case.get("name", "")): case[0].tag if len(case) else "passed" for case in cases}


def test_a_report_is_a_suite_and_a_measure_a_case() -> None:
    found = parsed(some.full())
    assert found.tag == "testsuites"
    assert [suite.get("name") for suite in found] == [report.asked.key for report in some.full().reports]
    assert [case.get("name") for case in found[0]] == ["report", "late_share", "median_delay"]


def test_what_is_worse_or_lost_fails_and_the_rest_passes() -> None:
    found = {name: outcome for (key, name), outcome in outcomes(some.full()).items() if key == some.ANOMALIES.key}
    assert found == {
        "report": "passed",
        "anomaly_share": "failure",
        "scored_share": "passed",
        "anomalies": "failure",
        "runtime": "passed",
    }


def test_a_measure_without_a_direction_that_is_missing_is_skipped() -> None:
    report = some.report(some.DAILY, some.judged("seen", 3, None, "missing", None))
    found = replace(some.full(), reports=(report,))
    assert outcomes(found)[some.DAILY.key, "seen"] == "skipped"


def test_a_report_that_failed_is_an_error_and_its_measures_are_skipped() -> None:
    failed = replace(some.full().reports[-1], measures=(some.judged("late", 3, None, "missing"),))
    found = outcomes(replace(some.full(), reports=(failed,)))
    assert found == {(some.CHECK.key, "report"): "error", (some.CHECK.key, "late"): "skipped"}


def test_a_report_that_failed_at_the_base_too_is_skipped() -> None:
    report = replace(some.full().reports[-1], base_state="failed", verdict="same")
    assert outcomes(replace(some.full(), reports=(report,)))[some.CHECK.key, "report"] == "skipped"


def test_a_failure_says_what_changed_and_why() -> None:
    [failure] = parsed(some.full()).findall(".//testcase[@name='anomaly_share']/failure")
    assert failure.get("message") == "anomaly_share is worse: 0.214 -> 0.231, +0.017 (+7.9 %); tolerance 0.005 and 2 %"
    assert "return 1.2533 * mad" in (failure.text or "")


def test_the_counts_add_up() -> None:
    found = parsed(some.full())
    assert {name: found.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "11",
        "failures": "2",
        "errors": "1",
        "skipped": "0",
    }
    for name in ("tests", "failures", "errors", "skipped"):
        assert sum(int(suite.get(name, "")) for suite in found) == int(found.get(name, ""))


def test_an_evaluation_that_could_not_be_made_is_an_error_and_one_without_measures_skipped() -> None:
    failed = replace(some.full(), verdict="failed", reports=(), problem="no lock")
    assert outcomes(failed) == {("default", "evaluation"): "error"}
    assert outcomes(replace(failed, verdict="nothing measured")) == {("default", "evaluation"): "skipped"}


def test_hostile_texts_and_what_xml_cannot_hold_do_no_harm() -> None:
    found = parsed(some.hostile())
    assert {element.tag for element in found.iter()} == {"testsuites", "testsuite", "testcase", "failure", "skipped"}
    assert found[0][1].get("name") == some.EVIL.replace("\n", " ") + "worse" or some.EVIL in str(
        found[0][1].get("name")
    )
    report = replace(some.full().reports[-1], failure="a\x00b\x1b[31m\udce9\uffffc")
    [error] = parsed(replace(some.full(), reports=(report,))).iter("error")
    assert error.text == "ab[31mc"
