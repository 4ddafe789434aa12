"""Who reads and runs: the person behind a request, and what their role allows."""

from __future__ import annotations

import functools
import getpass
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Flask, abort, current_app, g, redirect, request, session, url_for
from werkzeug.wrappers import Response

from workflows.web.people.access import Access
from workflows.web.people.accounts import NAME, Accounts

ROLES = ("reader", "runner", "admin")
"""Each may what the ones before may: read; start, cancel and repeat; delete, and say who may what."""
TOKEN = "token"  # noqa: S105 - the name of it
"""Where the session's cookie holds the token of who is signed in."""
_FOR_EVERYBODY = ("sign_in.ask", "sign_in.enter", "static", "metrics.health", "metrics.metrics")
"""What is shown to those who have not signed in; the figures ask for themselves."""
View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True)
class Person:
    """Somebody who uses the page."""

    name: str
    role: str
    signed_in: bool = False
    """Whether they said who they are, and so can sign out."""

    def may(self, role: str) -> bool:
        """Whether this person may what a role may."""
        return ROLES.index(self.role) >= ROLES.index(role)


def install(app: Flask, access: Access, accounts: Accounts) -> None:
    """Have every request know its person."""
    app.extensions["access"] = access
    app.extensions["accounts"] = accounts
    app.before_request(_recognise)


def current_person() -> Person | None:
    """Who asks; None where nobody has signed in yet."""
    return getattr(g, "person", None)


def accounts() -> Accounts:
    """The accounts of this page."""
    found: Accounts = current_app.extensions["accounts"]
    return found


def access() -> Access:
    """Who is asked to sign in here, and whom a proxy names."""
    found: Access = current_app.extensions["access"]
    return found


def require(role: str) -> Callable[[View], View]:
    """Let only those through who may what a role may."""

    def guarded(view: View) -> View:
        @functools.wraps(view)
        def asked(*args: Any, **kwargs: Any) -> Any:
            person = current_person()
            if person is None or not person.may(role):
                abort(403, f"This takes the role {role}; ask an administrator of this page for it.")
            return view(*args, **kwargs)

        return asked  # type: ignore[return-value]

    return guarded


def _recognise() -> Response | None:
    g.person = _local() or _signed_in() or _named_by_proxy()
    if g.person is not None or request.endpoint in _FOR_EVERYBODY:
        return None
    if access().is_local:
        abort(
            403, "This page is for its own machine only, and this request comes from another one, or through a proxy."
        )
    if not accounts().list():
        abort(403, "Nobody can sign in here: people are named by a proxy, and this request comes from elsewhere.")
    # Browsers that open a page name it; what asks for anything at all would take the form for an answer.
    if request.method != "GET" or "text/html" not in request.accept_mimetypes.to_header():
        abort(401, "Sign in first.")
    return redirect(url_for("sign_in.ask", next=request.full_path.rstrip("?")))


def _signed_in() -> Person | None:
    token = session.get(TOKEN)
    account = accounts().of_session(token) if isinstance(token, str) else None
    return Person(account.name, account.role, signed_in=True) if account else None


def _named_by_proxy() -> Person | None:
    name = access().named(request)
    if name is None:
        return None
    if not NAME.fullmatch(name):
        abort(403, "The proxy names nobody who could be; expected up to 64 letters, digits and any of . _ @ + -")
    account = accounts().find(name)
    return Person(account.name, account.role) if account else Person(name, access().proxy_role)


def _local() -> Person | None:
    """Whoever is at the machine."""
    return Person(getpass.getuser(), "admin") if access().is_local and access().is_from_here(request) else None
