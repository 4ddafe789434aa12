"""Luigi's own view of its scheduler, which asks nobody who they are: shown to those who may see it, and little passed on."""

from __future__ import annotations

import base64
import hashlib
import http.client
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import quote

from flask import Blueprint, Response, abort, current_app, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from workflows.web.people.person import current_person, require
from workflows.web.serving.scheduling import address

pages = Blueprint("scheduler", __name__, url_prefix="/scheduler")
READS = frozenset(
    {"task_list", "dep_graph", "inverse_dep_graph", "worker_list", "resource_list", "task_search", "fetch_error"}
    | {"get_task_status_message", "get_task_progress_percentage", "get_scheduler_message_response"}
    | {"is_pause_enabled", "is_paused", "has_task_history"}
)
"""The calls of Luigi's page that change nothing."""
CHANGES = frozenset(
    {"forgive_failures", "re_enable_task", "mark_as_done", "disable_worker", "set_worker_processes"}
    | {"send_scheduler_message", "pause", "unpause", "update_resource"}
)
"""Those that do. All others are for workers, which do not come through here."""
_START = "static/visualiser/index.html"
_PATIENCE = 15.0
_LARGEST = 64_000_000
"""Bytes of an answer: a graph of all tasks is large."""


@dataclass(frozen=True)
class Reply:
    """What the scheduler answered."""

    status: int
    kind: str
    body: bytes


@pages.get("/")
@require("reader")
def start() -> AnyResponse:
    """Luigi's page."""
    # An address without what it shows, so that its own, relative ones are right.
    return redirect(f"/scheduler/{_START}")


@pages.get("/static/<path:path>")
@require("reader")
def file(path: str) -> Response:
    """A file of Luigi's page."""
    if ".." in path:
        abort(404)
    return _shown(_asked(f"/static/{quote(path)}"))


@pages.get("/api/<call>")
@require("reader")
def ask(call: str) -> Response:
    """A call of Luigi's page."""
    if call in CHANGES:
        _check_change()
    elif call not in READS:
        abort(404, "This is not for a browser to ask of the scheduler.")
    query = request.query_string.decode("ascii", "replace")
    return _shown(_asked(f"/api/{call}?{quote(query, safe='=&%+')}"))


def _check_change() -> None:
    """See that a change is asked for by an administrator, by way of Luigi's page in ours: it comes as a GET, as a link would."""
    person = current_person()
    if person is None or not person.may("admin"):
        abort(403, "This takes the role admin; ask an administrator of this page for it.")
    headers = request.headers
    # A page from elsewhere, or a report, cannot have a browser send this header, and is told by the others.
    is_ours = headers.get("X-Requested-With") == "XMLHttpRequest"
    is_from_here = headers.get("Sec-Fetch-Site", "same-origin") == "same-origin"
    if not (is_ours and is_from_here and headers.get("Origin", own := request.host_url.rstrip("/")) == own):
        abort(403, "This was not asked from the scheduler's page.")


def _asked(target: str) -> Reply:
    """Ask the scheduler; of what the browser sent, nothing else goes along."""
    host, port = address()
    connection = http.client.HTTPConnection(host, port, timeout=_PATIENCE)
    try:
        connection.request("GET", target)
        reply = connection.getresponse()
        body = reply.read(_LARGEST + 1)
    except (OSError, http.client.HTTPException) as error:
        current_app.logger.warning("the scheduler does not answer: %s", error)
        abort(503, f"The scheduler at {host}:{port} does not answer. It starts with `parcours serve`, or as `luigid`.")
    finally:
        connection.close()
    if len(body) > _LARGEST:
        abort(503, "The scheduler's answer is too large to be shown.")
    return Reply(reply.status, reply.getheader("Content-Type") or "application/octet-stream", body)


def _shown(reply: Reply) -> Response:
    if reply.status not in (200, 304, 404):
        abort(502, f"The scheduler answered with status {reply.status}.")
    response = Response(reply.body, reply.status, content_type=reply.kind)
    response.headers["Content-Security-Policy"] = policy()
    response.headers["Cache-Control"] = "private, no-cache"
    return response


@cache
def policy() -> str:
    """The content security policy of Luigi's page: its own script in the page, by its digest, and no other."""
    import luigi

    page = (Path(luigi.__file__).parent / _START).read_text(encoding="utf-8")
    scripts = re.findall(r"<script>(.*?)</script>", page, re.S)
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    allowed = " ".join(f"'sha256-{digest}'" for digest in digests)
    return (
        f"default-src 'none'; script-src 'self' {allowed}; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    )
