"""Trends: measures over commits and over dates; all of them at a glance, and one in full."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from flask import Blueprint, render_template, request

from workflows.answers.found import store
from workflows.commits.trend import Chosen, lines_of
from workflows.errors import CommitError, TrendError
from workflows.evaluation import wording
from workflows.evaluation.suites import DEFAULT
from workflows.web.people.person import require
from workflows.web.trends import charts, thumbs, vega
from workflows.web.trends.recent import FEW, lines, one_each, recent, runs
from workflows.web.trends.series import Series, over_dates, with_values

pages = Blueprint("trends", __name__)
pages.add_app_template_global(charts.chart, "chart")
pages.add_app_template_global(thumbs.thumb, "thumb")
pages.add_app_template_global(thumbs.place, "thumb_place")
pages.add_app_template_filter(charts.brief, "brief")
pages.add_app_template_filter(wording.number, "figure")

_CHARTS = 8
"""Charts of one page."""
_POINTS = 300
"""Commits of a chart that is alone, and dates; of more, the newest are shown."""
_FEW = 12
"""Small charts over dates at a glance."""


@dataclass(frozen=True)
class Asked:
    """What the address asks for."""

    measure: str
    over: str
    suite: str
    template: str
    date: str
    parameters: str

    @classmethod
    def read(cls) -> Asked:
        """That of the request."""
        given = request.args
        over = "dates" if given.get("over") == "dates" else "commits"
        return cls(
            given.get("measure", ""),
            over,
            given.get("suite") or DEFAULT,
            given.get("template", ""),
            given.get("date", ""),
            given.get("parameters") or "{}",
        )


@pages.get("/trends")
@require("reader")
def trends() -> str:
    """One measure in full, or all of them."""
    asked = Asked.read()
    return _in_full(asked) if asked.measure else _at_a_glance(asked)


def _in_full(asked: Asked) -> str:
    problem, found, number = "", list[Series](), 0
    try:
        found, number = _dated(asked) if asked.over == "dates" else _committed(asked)
    except (TrendError, CommitError) as error:
        problem = str(error)
    choices = {
        "suites": store().evaluations.suites(),
        "templates": store().listing.templates(),
        "measures": sorted({*store().listing.measures(asked.template or None), asked.measure}),
    }
    return render_template(
        "trend.html",
        asked=asked,
        series=found,
        more=max(0, number - _CHARTS),
        has_numbers=asked.over == "dates" or len({(one.template, one.date) for one in found}) == 1,
        problem=problem,
        choices=choices,
        sizes=(vega.WIDE, vega.NARROW),
    )


def _committed(asked: Asked) -> tuple[list[Series], int]:
    """The first lines over commits, and how many there are."""
    chosen = Chosen(asked.suite, asked.template or None, asked.date or None)
    found = lines_of(recent(asked.suite, _POINTS), asked.measure, chosen)
    reports = {(line.points[-1].template, line.points[-1].date) for line in found}
    most = _POINTS if len(reports) == 1 else FEW
    shown = (replace(line, points=line.points[-most:]) for line in found[:_CHARTS])
    return with_values(shown, asked.suite), len(found)


def _dated(asked: Asked) -> tuple[list[Series], int]:
    """The first lines over dates, and how many there are."""
    listing = store().listing
    templates = [asked.template] if asked.template else listing.templates()
    found = [
        over_dates(name, asked.measure, listing.series(name, asked.measure, asked.parameters)[-_POINTS:])
        for name in templates
    ]
    shown = [series for series in found if series.newest]
    return shown[:_CHARTS], len(shown)


def _at_a_glance(asked: Asked) -> str:
    listing = store().listing
    found = runs(asked.suite)
    commits = with_values(one_each(lines(found)), asked.suite) if found else []
    pairs = _in_turn({template: listing.measures(template) for template in listing.templates()})
    dates = [over_dates(*pair, listing.series(*pair)[-_POINTS:]) for pair in pairs[:_FEW]]
    return render_template(
        "trends.html",
        asked=asked,
        commits=commits,
        dates=[series for series in dates if series.newest],
        more=pairs[_FEW:],
        suites=store().evaluations.suites(),
    )


def _in_turn(measures: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    """Templates with their measures: the first of each, then the second, so that none fills the page alone."""
    found = [(at, template, name) for template, names in measures.items() for at, name in enumerate(names)]
    return [(template, name) for _, template, name in sorted(found)]
