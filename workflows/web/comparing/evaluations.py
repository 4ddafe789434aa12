"""Evaluations: the commits with their verdicts, newest first, and each as `parcours evaluate` left it."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, abort, render_template, request

from workflows import settings
from workflows.answers.found import store
from workflows.commits.evaluator import DIFF, LOG
from workflows.commits.feed import FILE as FEED
from workflows.commits.git import Repository
from workflows.errors import CommitError
from workflows.evaluation import wording
from workflows.evaluation.runs import Commit, Run
from workflows.evaluation.suites import DEFAULT
from workflows.evaluation.verdict import Evaluation
from workflows.store.evaluations import EVALUATION, PAGE, RUN
from workflows.web import places
from workflows.web.headers import as_report
from workflows.web.people.person import require
from workflows.web.trends.series import evaluation_address, report_address

pages = Blueprint("evaluations", __name__)
pages.add_app_template_global(evaluation_address)
pages.add_app_template_global(report_address)

_PAGE = 40
"""Commits of one page."""
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_STATE = re.compile(r"([0-9a-f]{40}|[0-9a-f]{64})(-[0-9a-f]{1,12})?")
_OTHERS = ((DIFF, "Uncommitted work"), (LOG, "Log of the run"))
"""Files that some evaluations have."""
_TO_REPORT = re.compile(rb'href="(?:\.\./){3}((?:ReportTask|failed)/[^"]+)/report\.html"')
"""A link of an evaluation's page into the store."""


@dataclass(frozen=True)
class Row:
    """A commit in the list."""

    commit: Commit
    verdict: str
    """Empty where it was run and not judged."""
    counts: Mapping[str, int]
    """Measures by verdict."""
    base: Commit | None
    problem: str | None


@pages.get("/evaluations/")
@require("reader")
def evaluations() -> str:
    """The commits of a suite with their verdicts."""
    suites = store().evaluations.suites()
    suite = request.args.get("suite") or (DEFAULT if DEFAULT in suites or not suites else suites[0])
    states = (
        _newest_first([state for state in store().evaluations.states(suite) if _STATE.fullmatch(state)])
        if suite in suites
        else []
    )
    at = _whole(request.args.get("from"))
    rows = [row for state in states[at : at + _PAGE] if (row := _row(suite, state))]
    return render_template(
        "evaluations.html",
        suites=suites,
        suite=suite,
        rows=rows,
        number=len(states),
        at=at,
        step=_PAGE,
        words=wording,
        has_feed=store().evaluations.read_beside(FEED) is not None,
    )


def newest(suite: str, number: int) -> list[Commit]:
    """The newest commits that were run through a suite, without uncommitted work."""
    if suite not in store().evaluations.suites():
        return []
    states = _newest_first([state for state in store().evaluations.states(suite) if _COMMIT.fullmatch(state)])
    return [row.commit for state in states[:number] if (row := _row(suite, state))]


@pages.get("/evaluations/feed.xml")
@require("reader")
def feed() -> Response:
    """The verdicts for a feed reader."""
    data = store().evaluations.read_beside(FEED)
    if data is None:
        abort(404, "No commit was evaluated yet, so there is no feed.")
    return as_report(Response(data, mimetype="application/atom+xml"))


@pages.get("/evaluations/<suite>/<state>")
@require("reader")
def evaluation(suite: str, state: str) -> str:
    """One commit: its verdict, its reports beside the base's, and its page."""
    _check(suite, state)
    found, run = _read(suite, state), _run(suite, state)
    if found is None and run is None:
        abort(404, f"The commit {state[:9]} was not run through suite {suite}.")
    return render_template(
        "evaluation.html",
        found=found,
        run=run,
        commit=(found or run).commit,  # type: ignore[union-attr]
        suite=suite,
        address=evaluation_address(suite, state),
        others=[(name, words) for name, words in _OTHERS if store().evaluations.read(suite, state, name) is not None],
        words=wording,
    )


@pages.get("/evaluations/<suite>/<state>/<name>")
@require("reader")
def file(suite: str, state: str, name: str) -> Response:
    """A file of an evaluation, on an origin of its own; its page is also called 'page'."""
    _check(suite, state)
    data = store().evaluations.read(suite, state, PAGE if name == "page" else places.file(name))
    if data is None:
        abort(404, "There is no such file.")
    if name in ("page", PAGE):
        data = _TO_REPORT.sub(rb'href="/reports/\1/files/report.html"', data)
        return as_report(Response(data, mimetype="text/html"))
    kind = mimetypes.guess_type(name)[0]
    is_shown = kind in ("image/png", "image/jpeg", "image/svg+xml", "application/json")
    return as_report(Response(data, mimetype=kind if is_shown else "text/plain"))


def _check(suite: str, state: str) -> None:
    """404 for what is no suite that something was run through, or no commit."""
    if not _STATE.fullmatch(state) or suite not in store().evaluations.suites():
        abort(404, "There is no such evaluation.")


def _row(suite: str, state: str) -> Row | None:
    found = _read(suite, state)
    if found:
        return Row(found.commit, found.verdict, wording.counts(found), found.base, found.problem)
    run = _run(suite, state)
    return Row(run.commit, "", {}, None, run.problem) if run else None


def _read(suite: str, state: str) -> Evaluation | None:
    record = store().evaluations.record(suite, state, EVALUATION)
    try:
        return Evaluation.from_json(record) if record else None
    except ValueError:
        return None


def _run(suite: str, state: str) -> Run | None:
    record = store().evaluations.record(suite, state, RUN)
    try:
        return Run.from_json(record) if record else None
    except ValueError:
        return None


def _newest_first(states: Sequence[str]) -> list[str]:
    """By the order of the history, so that only the records of one page are read; what git does not know comes last."""
    order = {sha: at for at, sha in enumerate(_ordered({state.partition("-")[0] for state in states}))}
    return sorted(states, key=lambda state: (order.get(state.partition("-")[0], len(order)), -len(state), state))


def _ordered(shas: Iterable[str]) -> list[str]:
    """Commits by when they were committed, newest first; of one second, children first."""
    try:
        repository = Repository.of(settings.load().root)
    except CommitError:
        return []
    told = repository.says("rev-list", "--date-order", "--ignore-missing", *sorted(shas), "--")
    wanted = set(shas)
    return [sha for sha in (told or "").split() if sha in wanted]


def _whole(text: Any) -> int:
    return int(text) if text and re.fullmatch(r"[0-9]{1,6}", text) else 0
