"""Comparison: two reports, or two commits, side by side: where they part, why, and what they show."""

from __future__ import annotations

import functools
import re
from typing import Any

from flask import Blueprint, Response, abort, make_response, render_template, request

from workflows.answers.diff import Difference, diff
from workflows.answers.diff_page import coloured
from workflows.answers.found import store
from workflows.commits.compare import Comparison, of_commits
from workflows.commits.details import Tables
from workflows.commits.history import stored_run
from workflows.commits.page import kinds
from workflows.errors import CommitError, PathError, SuiteError, TrendError
from workflows.evaluation import wording
from workflows.evaluation.changes import row_name
from workflows.evaluation.runs import Run
from workflows.evaluation.suites import DEFAULT
from workflows.identity.canonical import digest_bytes
from workflows.store.address import FAILURE, PROVENANCE
from workflows.web import places
from workflows.web.comparing import choosing, figures
from workflows.web.headers import as_report
from workflows.web.people.person import require

pages = Blueprint("compare", __name__)
pages.add_app_template_filter(coloured, "coloured")
pages.add_app_template_filter(row_name, "row_name")
pages.add_app_template_filter(kinds, "cause_kinds")

_REF = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./~^@-]{0,199}")
_DAY = 86_400


@pages.get("/compare")
@require("reader")
def compare() -> str:
    """Two side by side, or a choice of them."""
    a, b = (request.args.get(side, "").strip() for side in "ab")
    if not (a and b):
        return choosing.page(a or b, "b" if a else "a")
    if is_report(a) != is_report(b):
        abort(400, "A report and a commit cannot be compared; choose two of a kind.")
    return _reports(a, b) if is_report(a) else _commits(a, b, request.args.get("suite") or DEFAULT)


@pages.get("/compare/figure")
@require("reader")
def figure() -> Response:
    """A figure of a report, by the beginning of its digest."""
    found = figures.find(places.report(request.args.get("of", "")), request.args.get("figure", ""))
    if found is None:
        abort(404, "There is no such figure.")
    return _kept(found.content, found.kind)


@pages.get("/compare/pixels")
@require("reader")
def pixels() -> Response:
    """Where two figures differ: the second one faded, with what differs marked."""
    sides = [
        figures.find(places.report(request.args.get(side, "")), request.args.get(f"figure_{side}", "")) for side in "ab"
    ]
    drawn = figures.difference(*sides)
    if drawn is None:
        abort(404, "These are no two pictures that can be compared by their pixels.")
    return _kept(drawn, "image/png")


def is_report(text: str) -> bool:
    """Whether an address means a report, and not a commit."""
    return text.startswith(("ReportTask/", "failed/"))


def _reports(a: str, b: str) -> str:
    paths = places.report(a), places.report(b)
    try:
        found = _difference(paths, (_record(paths[0]), _record(paths[1])))
    except PathError as error:
        abort(404, str(error))
    return render_template(
        "compare.html",
        found=found,
        paths=paths,
        sides=_sides(found, paths),
        pairs=figures.pairs(found, paths),
        value=_value,
    )


@functools.lru_cache(maxsize=16)
def _difference(paths: tuple[str, str], records: tuple[str, str]) -> Difference:
    """How two reports differ; kept for as long as their records are what they were, for their tables take time to compare."""
    return diff(store().shown(paths[0]), store().shown(paths[1]), compare=Tables().compare)


def _record(path: str) -> str:
    """The digest of a report's record."""
    found = store().bytes_of(f"{path}/{FAILURE if places.is_failed(path) else PROVENANCE}")
    if found is None:
        abort(404, "There is no such report.")
    return digest_bytes(found)


def _sides(found: Difference, paths: tuple[str, str]) -> list[dict[str, Any]]:
    """What is said of each report above the comparison."""
    return [
        {
            "letter": letter,
            "path": path,
            "template": record.template["name"] if record.template else record.task,
            "date": record.parameters.get("date", ""),
            "made": record.started,
            "user": record.user,
            "commit": (record.code.get("commit") or "")[:9],
            "is_dirty": bool(record.code.get("dirty")),
            "failure": record.failure,
        }
        for letter, path, record in zip("AB", paths, found.records, strict=True)
    ]


def _commits(a: str, b: str, suite: str) -> str:
    for ref in (a, b):
        if not _REF.fullmatch(ref) or ".." in ref:
            abort(404, "There is no such report or commit.")
    if suite not in store().evaluations.suites():
        abort(404, f"No commit was run through suite {suite} yet; `parcours evaluate` runs one.")
    try:
        found = of_commits(a, b, suite, _stored)
    except (CommitError, TrendError, SuiteError) as error:
        abort(404, str(error))
    return render_template("compare_commits.html", found=found, suite=suite, words=wording, sides=_commit_sides(found))


def _commit_sides(found: Comparison) -> list[tuple[str, Any]]:
    return [("A", found.evaluation.base), ("B", found.evaluation.commit)]


def _stored(sha: str, suite: str) -> Run:
    """The run of a commit; the page never makes one."""
    found = stored_run(store(), suite, sha)
    if found is None:
        raise TrendError.not_run(sha[:9], suite)
    return found


def _kept(data: bytes, kind: str) -> Response:
    """A picture, which never changes under its address."""
    answer = as_report(make_response(data))
    answer.mimetype = kind
    answer.headers["Cache-Control"] = f"private, max-age={_DAY}"
    return answer


def _value(value: Any) -> str:
    """A value for people."""
    if value is None:
        return "–"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
