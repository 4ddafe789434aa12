"""An evaluation as JUnit XML, which GitLab, Jenkins and GitHub's actions read.

A test suite is a report, a test case a measure, and one more stands for the report itself. A measure that is worse, or lost
though it has a direction, is a failure; other missing ones are skipped, and so are those of a report that failed. That itself
is an error where the base's did not fail, else skipped; an evaluation that could not be made is an error.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement, indent, tostring

from workflows.evaluation import wording
from workflows.evaluation.verdict import Evaluation, MeasureVerdict, ReportVerdict


def junit(evaluation: Evaluation) -> str:
    """The text of the XML file."""
    root = Element("testsuites", name=f"evaluation {evaluation.suite}", time=f"{evaluation.run.seconds:.3f}")
    for report in evaluation.reports:
        _report(SubElement(root, "testsuite", name=report.asked.key), report)
    if evaluation.verdict in ("failed", "nothing measured"):
        _evaluation(SubElement(root, "testsuite", name="evaluation"), evaluation)
    for suite in root:
        _count(suite, evaluation.run.started)
    for key in ("tests", "failures", "errors", "skipped"):
        root.set(key, str(sum(int(suite.get(key, "0")) for suite in root)))
    indent(root)
    _clean(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'


def _report(suite: Element, report: ReportVerdict) -> None:
    case = SubElement(suite, "testcase", classname=report.asked.key, name="report")
    if report.state == "failed" and report.verdict == "worse":
        _told(case, "error", report.failure or "no reason is known")
    elif report.state == "failed":
        SubElement(case, "skipped", message=f"it failed at the base, too: {report.failure}")
    for measure in report.measures:
        _measure(SubElement(suite, "testcase", classname=report.asked.key, name=measure.name), measure, report)


def _measure(case: Element, measure: MeasureVerdict, report: ReportVerdict) -> None:
    before, after = (wording.number(value, measure.unit) for value in (measure.base, measure.value))
    if measure.verdict == "missing" and (report.state == "failed" or not measure.is_lost):
        SubElement(case, "skipped", message=f"{measure.name} is missing; the base has {before}")
    elif measure.verdict == "worse" or measure.is_lost:
        change = ", ".join(filter(None, [f"{before} -> {after}", wording.difference(measure)]))
        said = f"{measure.name} is {measure.verdict}: {change}; tolerance {wording.limits(measure)}"
        _told(case, "failure", "\n".join([said, *report.causes]))


def _evaluation(suite: Element, evaluation: Evaluation) -> None:
    """What says that there was nothing to judge."""
    case = SubElement(suite, "testcase", classname=evaluation.suite, name="evaluation")
    said = evaluation.problem or evaluation.run.problem or wording.headline(evaluation)
    if evaluation.verdict == "failed":
        _told(case, "error", said)
    else:
        SubElement(case, "skipped", message=wording.headline(evaluation))


def _told(case: Element, kind: str, text: str) -> None:
    """A failure or an error: its first line as the message, all of it as its text."""
    first = next(iter(text.splitlines()), "")
    SubElement(case, kind, message=first, type=kind).text = text


def _count(suite: Element, started: str) -> None:
    counts = {"failures": "failure", "errors": "error", "skipped": "skipped"}
    suite.set("tests", str(len(suite)))
    for name, kind in counts.items():
        suite.set(name, str(len(suite.findall(f"testcase/{kind}"))))
    suite.set("timestamp", started)


def _clean(root: Element) -> None:
    """Leave out what XML cannot hold."""
    for element in root.iter():
        element.text = wording.legible(element.text) if element.text else element.text
        for name, value in element.attrib.items():
            element.set(name, wording.legible(value))
