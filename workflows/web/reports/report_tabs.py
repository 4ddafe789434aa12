"""The tabs of a report's page, and what each of them shows."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from workflows import settings
from workflows.answers.explain import explain
from workflows.answers.found import Found
from workflows.answers.profile import Part
from workflows.requests.queue import Requests
from workflows.web import places
from workflows.web.reports import report_files
from workflows.web.reports.origin_graph import HEIGHT, WIDTH, graph

_LONGEST_LOG = 400_000
"""How many bytes of a log's end are shown."""
_DEEPEST = 2
_LEAST = 0.005
"""The share from which on a part of a result has a line of its own."""
# What a terminal would take as an order, to colour or to move.
_ORDERS = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True)
class Tab:
    """One tab."""

    title: str
    facts: Callable[[str, Found], dict[str, Any]]
    """What its page is given, from the report's path and record."""


@dataclass(frozen=True)
class Row:
    """A part of the time, as a line of a table."""

    depth: int
    part: Part
    share: float
    """Of all the time, from 0 to 1."""


def _provenance(_: str, found: Found) -> dict[str, Any]:
    explained = explain(found.shown)
    return {"record": found.record, "graph": graph(explained.origin), "box": (WIDTH, HEIGHT)}


def _timing(_: str, found: Found) -> dict[str, Any]:
    profile = explain(found.shown, shows_timing=True).profile
    assert profile is not None
    whole = profile.seconds or 1.0
    longest = max((part.seconds for part in profile.before), default=0.0) or 1.0
    return {
        "profile": profile,
        "parts": list(_rows(profile.parts, whole)),
        "before": list(_rows(profile.before, longest)),
    }


def _rows(parts: Sequence[Part], whole: float, depth: int = 0) -> Iterator[Row]:
    """Each part, and below it what it was made of; what took next to nothing goes together."""
    small = [part for part in parts if depth and not part.parts and part.seconds < whole * _LEAST]
    for part in parts:
        if len(small) < 2 or part not in small:
            yield Row(depth, part, min(part.seconds / whole, 1.0))
            if depth < _DEEPEST:
                yield from _rows(part.parts, whole, depth + 1)
    if len(small) > 1:
        seconds, names = sum(part.seconds for part in small), ", ".join(part.name for part in small)
        yield Row(depth, Part("others", seconds, names), seconds / whole)


def _log(path: str, found: Found) -> dict[str, Any]:
    requests = Requests(settings.load().web)
    request = requests.of_report(path)
    if request is None:
        return {"asked": None, "log": "", "is_cut": False, "record": found.record}
    try:
        with requests.events(request.id).log.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(size - _LONGEST_LOG, 0))
            text = file.read(_LONGEST_LOG).decode("utf-8", "replace")
    except OSError:
        size, text = 0, ""
    log = _ORDERS.sub("", text.replace("\r\n", "\n"))
    return {"asked": request, "log": log, "is_cut": size > _LONGEST_LOG, "record": found.record}


def _measures(_: str, found: Found) -> dict[str, Any]:
    return {"measures": explain(found.shown).measures, "record": found.record}


def _files(path: str, found: Found) -> dict[str, Any]:
    return {"files": report_files.files(path, found)}


def _again(path: str, found: Found) -> dict[str, Any]:
    name = (found.record.template or {}).get("name", "report")
    folder = places.label(path)
    return {
        "command": shlex.join(["parcours", "reproduce", found.shown, "--into", folder]),
        "open": shlex.join(["jupyter", "lab", f"{folder}/{name}.ipynb"]),
        "size": report_files.packed_size(found),
        "largest": report_files.LARGEST,
        "record": found.record,
    }


TABS = {
    "report": Tab("Report", lambda *_: {}),
    "provenance": Tab("Provenance", _provenance),
    "timing": Tab("Timing", _timing),
    "log": Tab("Log", _log),
    "measures": Tab("Measures", _measures),
    "files": Tab("Files", _files),
    "again": Tab("Open in Jupyter", _again),
}
