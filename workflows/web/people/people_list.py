"""The page on which administrators say who may what."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, abort, flash, redirect, render_template, request
from werkzeug.wrappers import Response

from workflows.errors import AccountError
from workflows.web.people.accounts import LONGEST, SHORTEST
from workflows.web.people.person import ROLES, access, accounts, current_person, require

pages = Blueprint("people", __name__, url_prefix="/people")
_SHOWN = 100
"""Characters of a name that are told: what is told travels in a cookie."""


@pages.get("")
@require("admin")
def show() -> str:
    """Everybody."""
    limits = {"shortest": SHORTEST, "longest": LONGEST}
    return render_template("people.html", accounts=accounts().list(), roles=ROLES, access=access(), **limits)


@pages.post("/add")
@require("admin")
def add() -> Response:
    """Add somebody."""
    name = request.form.get("name", "").strip()[:_SHOWN]
    return _done(lambda: accounts().add(name, _role(), request.form.get("password", "")), f"Added {name}.")


@pages.post("/<name>/role")
@require("admin")
def set_role(name: str) -> Response:
    """Give somebody another role."""
    _check(name)
    return _done(lambda: accounts().set_role(name, _role()), f"{name} is {_role()} now.")


@pages.post("/<name>/remove")
@require("admin")
def remove(name: str) -> Response:
    """Remove somebody."""
    _check(name)
    return _done(lambda: accounts().remove(name), f"Removed {name}.")


def _done(change: Callable[[], None], told: str) -> Response:
    try:
        change()
        flash(told, "good")
    except AccountError as error:
        flash(str(error), "bad")
    return redirect("/people", 303)


def _role() -> str:
    role = request.form.get("role", "")
    if role not in ROLES:
        abort(400, "There is no such role.")
    return role


def _check(name: str) -> None:
    """Keep administrators from locking themselves out."""
    if len(name) > _SHOWN:
        abort(404, "There is no such account.")
    person = current_person()
    if person is not None and person.name.lower() == name.lower():
        abort(409, "This is your own account; have another administrator change it, or use `parcours user`.")
