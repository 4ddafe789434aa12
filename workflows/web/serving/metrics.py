"""How the page is, for those who watch it: `/healthz` for whether it works, `/metrics` for its figures."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
from flask import Blueprint, Flask, Response, abort, request
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Histogram, generate_latest, multiprocess
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from workflows import settings
from workflows.answers import found
from workflows.errors import ParcoursError
from workflows.requests.queue import Requests
from workflows.web.people.person import access, current_person
from workflows.web.serving import logs, scheduling
from workflows.web.serving.supervisor import STATE

pages = Blueprint("metrics", __name__)
_SECONDS = Histogram(
    "parcours_request_seconds",
    "Seconds until an answer began, by view and status.",
    ("view", "status"),
    buckets=(0.005, 0.02, 0.1, 0.5, 2.0, 10.0),
)


def install(app: Flask) -> None:
    """Have every answer be counted."""
    app.after_request(_counted)


@pages.get("/healthz")
def health() -> tuple[dict[str, Any], int]:
    """Whether everything works that the page needs."""
    parts: dict[str, Callable[[], None]] = {
        "requests": _check_requests,
        "catalog": _check_catalog,
        "scheduler": _check_scheduler,
        "worker": _check_worker,
    }
    problems = {name: _problem(check) for name, check in parts.items()}
    is_fine = not any(problems.values())
    # Why is for those who may read; that there is something, for whoever watches.
    is_known = current_person() is not None or access().is_from_here(request)
    told = {name: "ok" if problem is None else problem if is_known else "failing" for name, problem in problems.items()}
    told = {"page": "ok", **told}
    return {"status": "ok" if is_fine else "failing", "parts": told}, 200 if is_fine else 503


@pages.get("/metrics")
def metrics() -> Response:
    """The figures, for Prometheus."""
    if current_person() is None and not access().is_from_here(request):
        abort(401, "The figures are for those who are signed in, and for this machine.")
    registry = CollectorRegistry()
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        multiprocess.MultiProcessCollector(registry)
    else:
        registry.register(_SECONDS)
    registry.register(_Counts())
    return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _counted(response: Response) -> Response:
    # An address that is none has no view: the names of views are few, and those of addresses are not.
    _SECONDS.labels(request.endpoint or "none", str(response.status_code)).observe(logs.seconds())
    return response


class _Counts(Collector):
    """What is counted when it is asked for."""

    def collect(self) -> Iterable[GaugeMetricFamily]:
        requests = GaugeMetricFamily("parcours_requests", "Requests, by state.", labels=["state"])
        with contextlib.suppress(ParcoursError):
            for state, number in Requests(settings.load().web).counts().items():
                requests.add_metric([state], number)
        yield requests


def _problem(check: Callable[[], None]) -> str | None:
    try:
        check()
    except (ParcoursError, OSError, sqlite3.Error, http.client.HTTPException) as error:
        return " ".join(str(error).split())
    return None


def _check_requests() -> None:
    """See that something can be written where requests are kept, and that nobody blocks them."""
    folder = settings.load().web
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"x")
    path = folder / "requests.db"
    if path.exists():
        with closing(sqlite3.connect(path, timeout=2, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")


def _check_catalog() -> None:
    catalog = found.store().index.catalog
    if catalog.exists():
        catalog.is_complete()


def _check_scheduler() -> None:
    if not scheduling.answers():
        raise ConnectionError("it does not answer")


def _check_worker() -> None:
    """See that the worker of `parcours serve` lives; one that is started elsewhere is nothing that this machine sees."""
    try:
        parts = json.loads((Path(settings.load().web) / STATE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return
    worker = parts.get("worker")
    if worker is not None and not (worker["pid"] and psutil.pid_exists(worker["pid"])):
        raise ChildProcessError(f"it died {worker['deaths']} times in a row, and is started again")
