"""The choice of what to compare: recent reports, those next to the one that is given, and evaluated commits."""

from __future__ import annotations

import datetime

from flask import abort, render_template, request

from workflows.answers.found import store
from workflows.evaluation.suites import DEFAULT
from workflows.store.listing import Entry, Filter
from workflows.web import places
from workflows.web.comparing.evaluations import newest
from workflows.web.titles import values

_RECENT = 40
"""Reports to choose from."""
_LAST_DAY = datetime.date.max.toordinal()


def page(given: str, missing: str) -> str:
    """A page that offers what is missing, 'a' or 'b'; both where nothing is given."""
    suites = store().evaluations.suites()
    suite = request.args.get("suite") or (DEFAULT if DEFAULT in suites or not suites else suites[0])
    is_report = given.startswith(("ReportTask/", "failed/"))
    entry = _entry(given) if is_report else None
    template = entry.template if entry else request.args.get("template")
    return render_template(
        "choose.html",
        given=given,
        missing=missing,
        entry=entry,
        near=_near(entry) if entry else [],
        recent=[found for found in _recent(template) if found.path != given] if is_report or not given else [],
        template=template or "",
        templates=store().listing.templates(),
        commits=[] if is_report else newest(suite, _RECENT),
        suites=suites,
        suite=suite,
    )


def _entry(path: str) -> Entry:
    found = store().listing.entry(places.report(path))
    if found is None:
        abort(404, "There is no such report.")
    return found


def _recent(template: str | None) -> list[Entry]:
    return list(store().listing.page(Filter(template=template or None), limit=_RECENT).entries)


def _told(parameters: str) -> str:
    return ", ".join(f"{name} {value}" for name, value in values(parameters).items()) or "the template's own values"


def _near(entry: Entry) -> list[tuple[str, Entry]]:
    """What a report is compared with most: its name, and the report."""
    listing = store().listing
    day = datetime.date.fromisoformat(entry.date).toordinal()
    found = [
        (f"the day {word}", listing.latest(entry.template, entry.parameters, datetime.date.fromordinal(at).isoformat()))
        for word, at in (("before", day - 1), ("after", day + 1))
        if 1 <= at <= _LAST_DAY
    ]
    same = listing.page(Filter(template=entry.template, date=entry.date), limit=_RECENT).entries
    earlier = [one for one in same if one.parameters == entry.parameters and one.started < entry.started]
    # Of each other set of values the newest.
    others = {one.parameters: one for one in reversed(same) if one.parameters != entry.parameters}
    found += [("the same, made before", earlier[0])] if earlier else []
    found += [(f"the same day with {_told(one.parameters)}", one) for one in list(others.values())[::-1][:3]]
    return [(name, one) for name, one in found if one is not None and one.path != entry.path]
