"""The rows of reports in a catalog: written, replaced and taken out, with what the reports are found by."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from workflows.store.catalog_database import Session, Values
from workflows.store.entry import Listed


def add_reports(session: Session, reports: Sequence[Listed]) -> None:
    """Write the rows of reports, in place of what was known of their paths."""
    # Those of one path that were noted twice count once, and all processes lock rows in the same order.
    found = {report.id: report for report in sorted(reports, key=lambda report: report.id)}
    if not found:
        return
    for report in found.values():
        before = row_of(session, report.id)
        if before and (before.moment, before.terms.keys()) != (report.moment, report.terms.keys()):
            session.run("remove_posting", _postings(before))
    session.run("add_report", [report.as_row() for report in found.values()])
    session.run("add_term", _terms(found.values()))
    session.run("add_posting", [posting for report in found.values() for posting in _postings(report)])


def remove_reports(session: Session, ids: Iterable[int]) -> None:
    """Take reports out of the list. What they were found by stays, and finds nothing."""
    for number in ids:
        report = row_of(session, number)
        if report:
            session.run("remove_posting", _postings(report))
            session.run("remove_report", {"id": number})


def row_of(session: Session, number: int) -> Listed | None:
    """The row of a report by the integer that stands for its path."""
    rows = session.run("report", {"id": number})
    return Listed.of_row(rows[0]) if rows else None


def _terms(reports: Collection[Listed]) -> list[Values]:
    terms = {number: term for report in reports for number, term in report.terms.items()}
    newest: dict[int, int] = {}
    for report in reports:
        for number, (kind, _) in report.terms.items():
            # Of all others it would be written again with every report, by one process at a time.
            if kind == "commit":
                newest[number] = max(report.moment, newest.get(number, 0))
    return [
        {"id": number, "kind": kind, "value": value, "newest": newest.get(number, 0)}
        for number, (kind, value) in sorted(terms.items())
    ]


def _postings(report: Listed) -> list[Values]:
    return [{"term": term, "moment": report.moment, "report": report.id} for term in report.terms]
