"""What the processes of the web page say: a line of JSON for each thing, on standard error."""

from __future__ import annotations

import json
import logging
import time
from datetime import UTC, datetime
from typing import Any

from flask import Flask, Response, g, request

from workflows.passwords import masked

CONFIGURATION: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": "workflows.web.serving.logs.Line"}},
    "handlers": {"errors": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"level": "WARNING", "handlers": ["errors"]},
    "loggers": {"parcours": {"level": "INFO"}, "gunicorn.error": {"level": "WARNING"}},
}
"""For `logging.config.dictConfig`."""
_log = logging.getLogger("parcours.web")


class Line(logging.Formatter):
    """A record as one line of JSON: time, level and what happened, and what else is known of it."""

    def format(self, record: logging.LogRecord) -> str:
        """The line; an exception is part of it."""
        told = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "what": masked(record.getMessage()),
            **getattr(record, "details", {}),
        }
        if record.exc_info:
            told["traceback"] = masked(self.formatException(record.exc_info))
        return json.dumps(told)


def install(app: Flask) -> None:
    """Have every answer leave a line: who asked for what, and how long it took. Never what was sent."""
    app.before_request(_begin)
    app.after_request(_told)


def seconds() -> float:
    """How long the request has taken until now."""
    return time.perf_counter() - float(g.get("began", time.perf_counter()))


def _begin() -> None:
    g.began = time.perf_counter()


def _told(response: Response) -> Response:
    person = getattr(g, "person", None)
    details = {
        "person": person.name if person else None,
        "method": request.method,
        "path": request.path,
        "status": response.status_code,
        "seconds": round(seconds(), 4),
    }
    _log.info("request", extra={"details": details})
    return response
