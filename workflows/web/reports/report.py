"""A report: its head, its neighbours and its tabs; the address at which the latest of its kind always is."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from urllib.parse import urlencode

from flask import Blueprint, abort, redirect, render_template, request
from werkzeug.wrappers import Response

from workflows.answers.found import Found, find, store
from workflows.errors import ParcoursError, PathError
from workflows.identity.canonical import canonical_json
from workflows.store.listing import Entry, Filter
from workflows.web import places
from workflows.web.reports.report_tabs import TABS
from workflows.web.titles import form_address, json_object

pages = Blueprint("report", __name__)
_GONE = "This report is not in the store: it was deleted, or never made."


@dataclass(frozen=True)
class Shown:
    """A report as its page shows it."""

    entry: Entry
    found: Found | None
    """Its record; None where that cannot be read."""
    damage: str
    """What of it is not as it was written, in a sentence; empty where all is."""

    @property
    def latest(self) -> str:
        """The address at which the latest of this template, date and values is."""
        return _latest(self.entry.template, self.entry.parameters, self.entry.date)

    @property
    def latest_of_all(self) -> str:
        """The same for any date."""
        return _latest(self.entry.template, self.entry.parameters)

    @property
    def form(self) -> str:
        """The address of the form with its values."""
        return form_address(self.entry.template, self.entry.date, self.entry.parameters)

    @property
    def newer(self) -> Entry | None:
        """The latest of the same template, date and values, where that is another."""
        found = store().listing.latest(self.entry.template, self.entry.parameters, self.entry.date)
        return found if found and found.started > self.entry.started else None

    @property
    def day_before(self) -> Entry | None:
        """The latest of the day before."""
        day = datetime.date.fromisoformat(self.entry.date)
        if day == datetime.date.min:
            return None
        before = day - datetime.timedelta(days=1)
        return store().listing.latest(self.entry.template, self.entry.parameters, before.isoformat())

    @property
    def earlier(self) -> Entry | None:
        """The one of the same template, date and values that was made before this one."""
        same = Filter(template=self.entry.template, date=self.entry.date, state="made")
        entries = store().listing.page(same, limit=100).entries
        kin = (one for one in entries if one.parameters == self.entry.parameters)
        return next((one for one in kin if one.started < self.entry.started), None)


@pages.get("/reports/<path:path>")
def report(path: str) -> str | tuple[str, int]:
    """One tab of a report."""
    shown = _shown(places.report(path))
    tab = request.args.get("tab", "report")
    if tab not in TABS:
        abort(404, "A report has no such tab.")
    facts = TABS[tab].facts(path, shown.found) if shown.found else {}
    return render_template(f"report_{tab}.html", shown=shown, tab=tab, tabs=TABS, **facts)


@pages.get("/latest/<template>")
@pages.get("/latest/<template>/<date>")
def latest(template: str, date: str | None = None) -> Response:
    """To the latest successful report of a template, with these values, of a date or of any."""
    if date is not None and not places.is_date(date):
        abort(404, "There is no such date; expected YYYY-MM-DD.")
    parameters = canonical_json(json_object(request.args.get("parameters", "{}")))
    found = store().listing.latest(template, parameters, date)
    if found is None:
        abort(404, "No report was made like that yet.")
    return redirect(f"/reports/{found.path}", 302)


def _shown(path: str) -> Shown:
    entry = store().listing.entry(path)
    if entry is None:
        abort(404, _GONE)
    try:
        found = find(store().shown(path))
    except PathError as error:
        if not is_there(path):
            abort(404, _GONE)
        return Shown(entry, None, str(error))
    except ParcoursError as error:
        return Shown(entry, None, str(error))
    return Shown(entry, found, f"{found.damage}." if found.damage else "")


def is_there(path: str) -> bool:
    """Whether anything is left of a report."""
    return any(store().bytes_of(f"{path}/{name}") is not None for name in ("provenance.json", "report.html"))


def _latest(template: str, parameters: str, date: str = "") -> str:
    query = f"?{urlencode({'parameters': parameters})}" if parameters != "{}" else ""
    return f"/latest/{template}{f'/{date}' if date else ''}{query}"
