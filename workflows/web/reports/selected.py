"""What is done with several reports at once: they are deleted, made again, or compared."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from urllib.parse import parse_qsl, urlencode

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from workflows import settings
from workflows.answers.found import store
from workflows.identity.canonical import digest
from workflows.requests.queue import Requests
from workflows.requests.request import NOW, WAYS, Ask
from workflows.store.listing import Entry
from workflows.web import places
from workflows.web.people.person import current_person, require
from workflows.web.reports.chosen import Chosen

pages = Blueprint("selected", __name__)
_MOST = 500
"""How many reports can be chosen at once."""
_TOLD = 5
"""How many reports that stay are told: what is told travels in a cookie."""


@pages.post("/reports/compare")
def compare() -> Response:
    """Two reports side by side."""
    paths = [entry.path for entry in _chosen()]
    if len(paths) != 2:
        flash(f"Two reports are compared at once, not {len(paths)}.", "warn")
        return _back()
    older, newer = reversed(paths)
    return redirect(f"/compare?{urlencode({'a': older, 'b': newer})}", 303)


@pages.post("/reports/again")
@require("runner")
def again() -> Response:
    """Make reports again, with today's code or exactly as then."""
    how = request.form.get("how", NOW)
    if how not in WAYS:
        abort(400, f"A report is made again {' or '.join(WAYS)}.")
    asks = [_ask(entry, how) for entry in _chosen()]
    if not asks:
        return _nothing()
    made = Requests(settings.load().web).ask(asks, _person(), _key(asks))
    if len(made) == 1:
        return redirect(f"/requests/{made[0].id}", 303)
    return redirect(url_for("progress.index", batch=made[0].batch), 303)


@pages.post("/reports/delete")
@require("admin")
def delete() -> str | Response:
    """Delete reports, once somebody has read which they are and said yes."""
    entries = _chosen()
    if not entries:
        return _nothing()
    if request.form.get("sure") != "yes":
        return render_template("delete.html", entries=entries, back=_before())
    done = store().remove_reports([entry.path for entry in entries])
    if done.removed:
        flash(f"{_counted(len(done.removed))} deleted.", "good")
    for path, reason in list(done.refused.items())[:_TOLD]:
        flash(f"{path} is not deleted: {reason}", "bad")
    return _back()


def _chosen() -> list[Entry]:
    """The reports that were ticked and still are there, newest first."""
    paths = list(dict.fromkeys(request.form.getlist("path")))
    if len(paths) > _MOST:
        abort(400, f"{len(paths)} reports are chosen; at most {_MOST} can be at once.")
    found = [store().listing.entry(places.report(path)) for path in paths]
    return sorted((entry for entry in found if entry), key=lambda entry: entry.started, reverse=True)


def _ask(entry: Entry, how: str) -> Ask:
    of = "" if how == NOW else entry.path
    return Ask(entry.template, datetime.date.fromisoformat(entry.date), entry.parameters, how, of)


def _key(asks: Sequence[Ask]) -> str:
    """What names this asking: somebody who comes back to the list and ticks others asks for something else."""
    drawn = request.form.get("key", "")[:100]
    named = digest([[ask.template, ask.date.isoformat(), ask.parameters, ask.of] for ask in asks])
    return f"{drawn}-{named[:16]}" if drawn else ""


def _person() -> str:
    person = current_person()
    return person.name if person else ""


def _nothing() -> Response:
    flash("No report is chosen: tick some first.", "warn")
    return _back()


def _back() -> Response:
    """To the list as it was, and nowhere else."""
    return redirect(_before().address(), 303)


def _before() -> Chosen:
    return Chosen.of(dict(parse_qsl(request.form.get("back", ""))))


def _counted(number: int) -> str:
    return "1 report is" if number == 1 else f"{number} reports are"
