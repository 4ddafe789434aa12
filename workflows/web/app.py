"""The application: its pages, and what holds for all of them."""

from __future__ import annotations

import functools
import hashlib
import secrets
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask, Response, render_template, request
from flask_compress import Compress
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import HTTPException

from workflows import settings
from workflows.errors import ParcoursError
from workflows.release import VERSION
from workflows.web import headers
from workflows.web.comparing import compare, evaluations
from workflows.web.health import health
from workflows.web.people import people_list, sign_in
from workflows.web.people import person as people
from workflows.web.people.access import Access
from workflows.web.people.accounts import Accounts
from workflows.web.reports import calendar, report, report_files, reports, selected
from workflows.web.serving import logs, metrics, scheduler, server
from workflows.web.starting import templates
from workflows.web.trends import trends, wall
from workflows.web.watching import progress

_PARTS = (
    reports,
    selected,
    report,
    report_files,
    calendar,
    templates,
    progress,
    compare,
    trends,
    wall,
    evaluations,
    health,
    scheduler,
    sign_in,
    people_list,
    metrics,
)
"""The modules with the addresses."""
_LARGEST_FORM = 2_000_000
"""Bytes of a request, more than any form has."""


class Answer(Response):
    """An answer of ours; what of its text is none (half a character, in a name that somebody made up) does not break it."""

    def set_data(self, value: bytes | str) -> None:
        """Set the text."""
        super().set_data(value.encode("utf-8", "replace") if isinstance(value, str) else value)


def create_app(host: str = server.HOST) -> Flask:
    """The application of the current directory's project, for a page that listens at a host."""
    found = settings.load()
    app = Flask(__name__, template_folder="pages", static_folder="static", static_url_path="/static")
    app.response_class = Answer
    app.config.update(
        SECRET_KEY=_secret(found.web),
        MAX_CONTENT_LENGTH=_LARGEST_FORM,
        SESSION_COOKIE_NAME="parcours",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=timedelta(days=14),
        WTF_CSRF_TIME_LIMIT=None,
        COMPRESS_ALGORITHM=["br", "gzip"],
        COMPRESS_STREAMS=False,
        COMPRESS_MIMETYPES=["text/html", "text/css", "text/javascript", "application/json", "image/svg+xml"],
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    Compress(app)
    app.after_request(_whole)
    logs.install(app)
    metrics.install(app)
    access = Access.of(host, server.is_loopback(host), settings.load_web())
    access.install(app)
    people.install(app, access, Accounts(found.web))
    CSRFProtect(app)
    headers.install(app)
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(CSRFError, _forged)
    app.register_error_handler(ParcoursError, _told)
    app.context_processor(_common)
    app.jinja_env.globals["asset"] = functools.cache(functools.partial(_asset, app))
    _register(app)
    return app


def _register(app: Flask) -> None:
    """Every address."""
    for part in _PARTS:
        app.register_blueprint(part.pages)


def _whole(response: Response) -> Response:
    """A file of the page's own in one piece, for what is streamed is not compressed."""
    if request.endpoint == "static" and response.status_code == 200:
        response.direct_passthrough = False
        response.make_sequence()
    return response


def _secret(folder: Path) -> bytes:
    """What signs the sessions: made once, and readable by its owner only."""
    path = folder / "secret"
    try:
        return path.read_bytes()
    except FileNotFoundError:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside = folder / f".secret-{secrets.token_hex(8)}"
        beside.touch(mode=0o600)
        beside.write_bytes(secrets.token_bytes(32))
        try:
            # Of two that begin at once, one is first.
            path.hardlink_to(beside)
        except FileExistsError:
            pass
        finally:
            beside.unlink()
        return path.read_bytes()


def _asset(app: Flask, name: str) -> str:
    """The address of one of our own files, which changes with its content, so that browsers may keep it."""
    digest = hashlib.sha256(Path(str(app.static_folder), name).read_bytes()).hexdigest()
    return f"{app.static_url_path}/{name}?v={digest[:12]}"


def _common() -> dict[str, Any]:
    """What every page shows."""
    return {"person": people.current_person(), "release": VERSION, "here": request.full_path.rstrip("?")}


def _refused(error: HTTPException) -> Response | tuple[str, int]:
    if error.response is not None or error.code is None or error.code < 400:
        return Response(error.get_response().response, error.code or 500, error.get_headers())
    return render_template("error.html", title=error.name, sentence=error.description or ""), error.code


def _forged(error: CSRFError) -> tuple[str, int]:
    sentence = "This form is not from this page, or is too old. Open the page again, and send it from there."
    return render_template("error.html", title="Not accepted", sentence=sentence), 400


def _told(error: ParcoursError) -> tuple[str, int]:
    """An error of the user's making, or of the store's, in its own words."""
    code = 400 if error.exit_code == 2 else 503
    return render_template("error.html", title="That did not work", sentence=str(error)), code
