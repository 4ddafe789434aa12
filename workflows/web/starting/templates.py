"""The templates: their list, the form of each, what it would make, and the start."""

from __future__ import annotations

import datetime
import itertools
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Answer

from workflows import settings
from workflows.answers import found
from workflows.errors import TemplateError
from workflows.identity.memo import Memo
from workflows.notebooks.template import Template, Templates
from workflows.requests.queue import Requests
from workflows.store.listing import Entry, Filter
from workflows.web import asking
from workflows.web.people.person import current_person, require
from workflows.web.starting.forms import KEY, Form, first_errors, shown_tables
from workflows.web.starting.plans import Plan, plan

pages = Blueprint("templates", __name__)
FRAGMENT = "Parcours-Fragment"
"""The header by which a script asks for a part of a page."""
_FIRST_TEXT = 240
"""Characters of a template's first text that the list shows."""
_MINUTE = 60


@dataclass(frozen=True)
class Listed:
    """One notebook of the folder."""

    name: str
    template: Template | None
    error: str = ""
    """Why it cannot be used."""
    latest: Entry | None = None
    """The last report that was made of it, with whichever values."""

    @property
    def text(self) -> str:
        """What it says above its code, below its title."""
        return _first_text(self.template) if self.template else ""

    @property
    def takes(self) -> list[str]:
        """The names of its parameters."""
        return [name for name, one in self.template.parameters.items() if one.table is None] if self.template else []


@pages.get("/templates/")
@require("reader")
def index() -> str:
    """Every notebook of the folder, as it is now."""
    folder = _folder()
    shown = [_listed(folder, path.stem) for path in sorted(folder.folder.glob("*.ipynb")) if path.name[0] != "."]
    folder.memo.save()
    return render_template("templates.html", shown=shown, folder=folder.folder.name)


@pages.get("/templates/<name>")
@require("reader")
def form(name: str) -> str:
    """The form, with what the address says."""
    given = request.args.to_dict(flat=False)
    try:
        template = _read(name)
    except TemplateError as error:
        # What is wrong with it is what there is to be read of it.
        return render_template("error.html", title=name, sentence=str(error))
    filled = Form.filled(template, given, _today())
    return _page(filled, first_errors(filled, list(given)))


@pages.post("/templates/<name>")
@require("runner")
def start(name: str) -> Answer | tuple[str, int]:
    """Ask for the reports; or, without a script, for the plan."""
    given = request.form.to_dict(flat=False)
    filled = Form.filled(_read(name), given, _today())
    if not filled.is_right:
        return _page(filled, filled.errors, key=given.get(KEY, [""])[0], was_sent=True), 422
    if ":plan" in given:
        return redirect(_address("templates.planned", filled), 303)
    person = current_person()
    assert person
    key = filled.key(given.get(KEY, [""])[0])
    asked = Requests(settings.load().web).ask(filled.asks(), person.name, key)
    if len(asked) == 1:
        return redirect(f"/requests/{asked[0].id}", 303)
    return redirect(f"/requests/?batch={asked[0].batch}", 303)


@pages.get("/templates/<name>/plan")
@require("reader")
def planned(name: str) -> str | tuple[str, int] | Response:
    """What starting would do: a part of the page for a script, else the whole page."""
    given = request.args.to_dict(flat=False)
    filled = Form.filled(_read(name), given, _today())
    is_part = FRAGMENT in request.headers
    if not filled.is_right and not is_part:
        return _page(filled, filled.errors), 422
    told = plan(filled.question) if filled.is_right else None
    if not is_part:
        return _page(filled, {}, told)
    part = Response(render_template("plan.html", plan=told, form=filled))
    part.vary.add(FRAGMENT)
    return part


@pages.get("/templates/<name>/command")
@require("reader")
def command(name: str) -> Response:
    """What a script shows beside the fields while somebody fills them."""
    filled = Form.filled(_read(name), request.args.to_dict(flat=False), _today())
    is_right = filled.is_right
    return jsonify(
        errors=filled.errors,
        command=filled.command if is_right else None,
        reports=len(filled.dates),
        address=_address("templates.form", filled),
    )


@pages.get("/templates/<name>/dates")
@require("reader")
def dates(name: str) -> Response | tuple[Response, int]:
    """The dates that have data, as the pipeline tells them."""
    _read(name)
    reply = asking.ask_in_turn("dates", name)
    if not isinstance(reply.answer, dict):
        return jsonify(dates=[], reason=reply.said), 503
    answer = jsonify(reply.answer)
    answer.headers["Cache-Control"] = f"private, max-age={_MINUTE}"
    return answer


def _page(
    form: Form, errors: Mapping[str, str], told: Plan | None = None, key: str = "", was_sent: bool = False
) -> str:
    more: dict[str, Any] = {"tables": shown_tables(form.template), "key": key or secrets.token_urlsafe(16)}
    return render_template("template.html", form=form, errors=errors, plan=told, was_sent=was_sent, **more)


def _address(endpoint: str, form: Form) -> str:
    """Where a form is filled like this one; its values may be called as anything, so that they are no arguments."""
    return f"{url_for(endpoint, name=form.template.name)}?{urlencode(form.address)}"


def _folder() -> Templates:
    known = settings.load()
    return Templates(known.templates, Memo(known.cache, "templates"))


def _read(name: str) -> Template:
    folder = _folder()
    if name not in folder.names():
        abort(404, str(TemplateError.missing(name, folder.folder, folder.names())))
    template = folder.read(name)
    folder.memo.save()
    return template


def _listed(folder: Templates, name: str) -> Listed:
    try:
        template = folder.read(name)
    except TemplateError as error:
        return Listed(name, None, str(error))
    latest = found.store().listing.page(Filter(template=name, state="made"), limit=1).entries
    return Listed(name, template, latest=latest[0] if latest else None)


def _first_text(template: Template) -> str:
    """The first paragraph above all code that is no heading, in one line."""
    above = itertools.takewhile(lambda cell: cell["cell_type"] == "markdown", template.notebook["cells"])
    text = "\n\n".join(re.sub(r"^#.*$", "", cell["source"], flags=re.M) for cell in above)
    paragraphs = (part.strip() for part in re.split(r"\n\s*\n", text))
    first = next((part for part in paragraphs if part and part[0] not in "<!|"), "")
    line = " ".join(re.sub(r"[*_`]", "", first).split())
    return line if len(line) <= _FIRST_TEXT else f"{line[:_FIRST_TEXT]}…"


def _today() -> datetime.date:
    return datetime.datetime.now(datetime.UTC).date()
