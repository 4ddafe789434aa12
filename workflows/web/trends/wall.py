"""The wall screen: the last verdict and the chosen measures over the newest commits, readable from across the room."""

from __future__ import annotations

from flask import Blueprint, Response, make_response, render_template, request

from workflows.answers.found import store
from workflows.commits.history import History
from workflows.evaluation import wording
from workflows.evaluation.lines import Line
from workflows.evaluation.suites import DEFAULT
from workflows.evaluation.verdict import Evaluation
from workflows.store.evaluations import EVALUATION
from workflows.web.people.person import require
from workflows.web.trends import vega
from workflows.web.trends.recent import lines, one_each, runs
from workflows.web.trends.series import with_values

pages = Blueprint("wall", __name__)

_BEST = 4
"""Measures of the wall screen where none is chosen."""
_MOST = 12


@pages.get("/wall")
@require("reader")
def wall() -> Response:
    """What a screen on the wall shows, which is asked for again every minute unless it should stand still."""
    suite = request.args.get("suite") or DEFAULT
    found = runs(suite)
    chosen = request.args.getlist("measure")
    template = request.args.get("template", "")
    series = with_values(_chosen(found, chosen, template) if found else [], suite)
    is_still = "still" in request.args
    page = render_template(
        "wall.html",
        series=series,
        suite=suite,
        verdict=_newest(found),
        words=wording,
        size=vega.WALL,
        is_still=is_still,
    )
    answer = make_response(page)
    if not is_still:
        answer.headers["Refresh"] = "60"
    return answer


def _chosen(found: History, chosen: list[str], template: str) -> list[Line]:
    """The lines that are chosen; else those with a direction, first those that stepped last."""
    known = [line for line in one_each(lines(found)) if template in ("", line.points[-1].template)]
    if chosen:
        # An address may name the same one a thousand times.
        return [line for name in dict.fromkeys(chosen) for line in known if line.measure == name][:_MOST]
    judged = [line for line in known if line.better] or known
    return sorted(judged, key=lambda line: -max((change.at for change in line.changes), default=0))[:_BEST]


def _newest(found: History | None) -> Evaluation | None:
    """The verdict on the newest commit that has one."""
    for sha in reversed(found.commits if found else ()):
        record = store().evaluations.record(found.suite if found else "", sha, EVALUATION)
        try:
            if record:
                return Evaluation.from_json(record)
        except ValueError:
            continue
    return None
