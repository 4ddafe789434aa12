"""Who reads and runs: the person behind a request, and what their role allows."""

from __future__ import annotations

import functools
import getpass
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Flask, abort, g

ROLES = ("reader", "runner", "admin")
"""Each may what the ones before may: read; start, cancel and repeat; delete, and say who may what."""
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


def install(app: Flask) -> None:
    """Have every request know its person."""
    app.before_request(_recognise)


def current_person() -> Person | None:
    """Who asks; None where nobody has signed in yet."""
    return getattr(g, "person", None)


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


def _recognise() -> None:
    # On loopback, whoever is at the machine.
    g.person = Person(getpass.getuser(), "admin")
