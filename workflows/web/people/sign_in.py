"""Signing in and out, and the password for it."""

from __future__ import annotations

import math
import re

from flask import Blueprint, abort, flash, redirect, render_template, request, session
from werkzeug.wrappers import Response

from workflows.errors import AccountError
from workflows.web.people.accounts import LONGEST, SHORTEST, TooMany
from workflows.web.people.person import TOKEN, access, accounts, current_person

pages = Blueprint("sign_in", __name__)
_OWN = re.compile(r"/(?![/\\])[!-\[\]-~]*")
"""A path of this page: what browsers take for another host (`//`, a backslash, a control character) is none."""


@pages.get("/sign-in")
def ask() -> str:
    """The form."""
    _check()
    return render_template("sign_in.html", next=_next(request.args.get("next")), name="", wrong=None)


@pages.post("/sign-in")
def enter() -> Response | tuple[str, int]:
    """Begin a session."""
    _check()
    name, following = request.form.get("name", "").strip(), _next(request.form.get("next"))
    found = accounts().sign_in(name, request.form.get("password", ""), request.remote_addr or "")
    if isinstance(found, TooMany):
        minutes = math.ceil(found.wait / 60)
        wrong = f"There were too many tries. Try again in {minutes} minute{'s' if minutes > 1 else ''}."
        return render_template("sign_in.html", next=following, name=name, wrong=wrong), 429
    if found is None:
        return render_template(
            "sign_in.html", next=following, name=name, wrong="The name or the password is wrong."
        ), 401
    # Nothing of the session before: whoever put it there must not share this one.
    session.clear()
    session[TOKEN] = found
    session.permanent = True
    return redirect(following, 303)


@pages.post("/sign-out")
def leave() -> Response:
    """End the session."""
    token = session.get(TOKEN)
    if isinstance(token, str):
        accounts().sign_out(token)
    session.clear()
    return redirect("/sign-in" if not access().is_local else "/", 303)


@pages.get("/password")
def ask_password() -> str:
    """The form for another password."""
    _account()
    return render_template("password.html", wrong=None, shortest=SHORTEST, longest=LONGEST)


@pages.post("/password")
def change_password() -> Response | tuple[str, int]:
    """Give oneself another password; all sessions end, this one too."""
    name = _account()
    # As a sign-in, so that tries of the old one are counted: the session may be one that somebody left open.
    found = accounts().sign_in(name, request.form.get("old", ""), request.remote_addr or "")
    try:
        if not isinstance(found, str):
            raise AccountError.old_password(isinstance(found, TooMany))
        accounts().set_password(name, request.form.get("new", ""))
    except AccountError as error:
        return render_template("password.html", wrong=str(error), shortest=SHORTEST, longest=LONGEST), 400
    session.clear()
    flash("The password is changed. Sign in with it.", "good")
    return redirect("/sign-in", 303)


def _account() -> str:
    person = current_person()
    if person is None or not person.signed_in:
        abort(404, "You have no password here.")
    return person.name


def _check() -> None:
    if access().is_local:
        abort(404, "Nobody signs in here: the page is for this machine only.")


def _next(text: str | None) -> str:
    """Where to go on: a path of this page, and nothing else."""
    return text if text and _OWN.fullmatch(text) else "/"
