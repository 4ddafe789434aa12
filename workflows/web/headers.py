"""The headers of every answer: what a browser may do with our pages, and the little that it may do with a report."""

from __future__ import annotations

from flask import Flask, Response, request

PAGE = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
    "frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""The content security policy of our own pages."""
_MAY = "allow-scripts allow-popups allow-downloads"
REPORT = (
    f"sandbox {_MAY}; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; "
    "font-src data:; media-src data:; connect-src 'none'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
)
"""That of a report, which is anybody's HTML: an origin of its own that reaches nothing."""
SANDBOX = _MAY
"""What the frame of a report allows."""
_OTHERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def install(app: Flask) -> None:
    """Have every answer carry them."""
    app.after_request(_added)
    app.context_processor(lambda: {"sandbox": SANDBOX})


def as_report(response: Response) -> Response:
    """An answer that is anybody's HTML, SVG or text: shown, but on an origin of its own."""
    response.headers["Content-Security-Policy"] = REPORT
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def _added(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", PAGE)
    if "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]:
        response.headers["X-Frame-Options"] = "DENY"
    for name, value in _OTHERS.items():
        response.headers.setdefault(name, value)
    if request.endpoint == "static" and "v" in request.args:
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    response.headers.setdefault("Cache-Control", "private, no-cache")
    return response
