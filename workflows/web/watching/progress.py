"""Requests: their list, the course of each as it happens, cancelling and repeating them."""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, flash, jsonify, redirect, render_template, request, send_file, url_for
from werkzeug.wrappers import Response as Answer

from workflows import settings
from workflows.errors import RequestError
from workflows.requests.queue import Requests
from workflows.requests.request import STATES, Request
from workflows.web import headers
from workflows.web.people.person import current_person, require
from workflows.web.watching.course import Course
from workflows.web.watching.lines import Line, lines, turns
from workflows.web.watching.stream import place, streamed

pages = Blueprint("progress", __name__)
_TAIL = 20_000
"""Bytes of the log that the page shows."""
_TELLS_PLACE = (
    "<script>addEventListener('scroll',()=>parent.postMessage({scrolled:scrollY},'*'));"
    "addEventListener('message',e=>{if(e.source===parent&&e.data&&Number.isFinite(e.data.scroll))scrollTo(0,e.data.scroll)})"
    "</script>"
)
"""What lets a page that is replaced by a later one be where that one was."""


@pages.get("/requests/")
@require("reader")
def index() -> str:
    """The newest first, filtered; or those of one batch."""
    requests = _requests()
    if request.args.get("batch"):
        return _batch(requests, request.args["batch"])
    chosen = {name: request.args.get(name) or None for name in ("person", "template", "before")}
    state = request.args.get("state") if request.args.get("state") in STATES else None
    shown, before = lines(requests, state, **chosen)
    # What the filters offer: those of late, and what is chosen.
    late = requests.list(limit=500)
    people = sorted({*(one.person for one in late), *filter(None, [chosen["person"]])})
    templates = sorted({*(one.template for one in late), *filter(None, [chosen["template"]])})
    older = f"{url_for('progress.index')}?{urlencode({**request.args, 'before': before})}" if before else None
    return render_template(
        "requests.html",
        lines=shown,
        older=older,
        people=people,
        templates=templates,
        counts=requests.counts(),
        states=STATES,
    )


@pages.get("/requests/<name>")
@require("reader")
def one(name: str) -> str:
    """How a request stands."""
    requests, asked = _found(name)
    events, offset = requests.events(name).after(0)
    batch = requests.batch(asked.batch)
    shown: dict[str, Any] = {
        "course": Course.of(events),
        "offset": offset,
        "place": place(requests, asked),
        "log": _tail(requests, name),
        "batch": Line(tuple(batch)) if len(batch) > 1 else None,
        "may_cancel": not asked.is_ended and _may_cancel(asked),
        "key": secrets.token_urlsafe(16),
        "has_growing": requests.events(name).growing.exists(),
    }
    return render_template("request.html", asked=asked, **shown)


@pages.get("/requests/<name>/events")
@require("reader")
def events(name: str) -> Response:
    """What happens to it, as it happens."""
    requests, _ = _found(name)
    return streamed(requests, name, _offset(request.headers.get("Last-Event-ID") or request.args.get("after", "")))


@pages.get("/requests/<name>/state")
@require("reader")
def state(name: str) -> Response:
    """The same for those who ask again and again."""
    requests, asked = _found(name)
    events, offset = requests.events(name).after(_offset(request.args.get("after", "")))
    return jsonify(events=events, offset=offset, state=asked.state, ended=asked.is_ended, place=place(requests, asked))


@pages.get("/requests/<name>/growing")
@require("reader")
def growing(name: str) -> Response:
    """The report as it grows, on an origin of its own."""
    requests, _ = _found(name)
    try:
        page = requests.events(name).growing.read_text(encoding="utf-8")
    except FileNotFoundError:
        abort(404, "The report has not begun to grow.")
    return headers.as_report(Response(page + _TELLS_PLACE, mimetype="text/html"))


@pages.get("/requests/<name>/log")
@require("reader")
def log(name: str) -> Response:
    """Everything that the run wrote, as plain text; with `tail`, its end."""
    requests, _ = _found(name)
    if "tail" in request.args:
        return Response(_tail(requests, name), mimetype="text/plain")
    try:
        # In pieces: nobody knows how much a run writes.
        return send_file(requests.events(name).log.absolute(), mimetype="text/plain", max_age=0)
    except FileNotFoundError:
        return Response("", mimetype="text/plain")


@pages.post("/requests/<name>/cancel")
@require("runner")
def cancel(name: str) -> Answer:
    """End one that is not ended."""
    requests, asked = _found(name)
    _cancelled(requests, [asked])
    return redirect(url_for("progress.one", name=name), 303)


@pages.post("/requests/cancel")
@require("runner")
def cancel_batch() -> Answer:
    """End all of a batch that are not ended."""
    requests = _requests()
    batch = request.form.get("batch", "")
    asked = requests.batch(batch)
    if not asked:
        abort(404, "There is no such batch.")
    _cancelled(requests, asked)
    return redirect(url_for("progress.index", batch=batch), 303)


@pages.post("/requests/<name>/retry")
@require("runner")
def retry(name: str) -> Answer:
    """Ask again for the same."""
    requests, _ = _found(name)
    drawn = request.form.get("key", "")[:100]
    again = requests.retry(name, _person(), f"{drawn}-{name}" if drawn else "")
    return redirect(url_for("progress.one", name=again.id), 303)


def _batch(requests: Requests, name: str) -> str:
    asked = requests.batch(name)
    if not asked:
        abort(404, "There is no such batch.")
    batch = Line(tuple(asked))
    served = turns(requests)
    shown = [Line((one,), served.get(one.id)) for one in asked]
    may_cancel = not batch.is_ended and any(_may_cancel(one) for one in asked)
    return render_template("batch.html", batch=batch, lines=shown, may_cancel=may_cancel)


def _cancelled(requests: Requests, asked: list[Request]) -> None:
    mine = [one for one in asked if _may_cancel(one)]
    if not mine:
        abort(403, f"Only {asked[0].person}, who asked for it, or an administrator can cancel it.")
    if not [one for one in mine if requests.cancel(one.id, _person())]:
        flash("It had ended already, so nothing was cancelled.", "warn")


def _may_cancel(asked: Request) -> bool:
    person = current_person()
    return person is not None and person.may("runner") and (person.name == asked.person or person.may("admin"))


def _person() -> str:
    person = current_person()
    assert person
    return person.name


def _found(name: str) -> tuple[Requests, Request]:
    requests = _requests()
    asked = requests.get(name)
    if asked is None:
        abort(404, str(RequestError.unknown(name)))
    return requests, asked


def _requests() -> Requests:
    return Requests(settings.load().web)


def _offset(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0


def _tail(requests: Requests, name: str) -> str:
    try:
        with requests.events(name).log.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - _TAIL))
            text = file.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return ""
    # The first line may be half a line.
    return text.partition("\n")[2] if size > _TAIL else text
