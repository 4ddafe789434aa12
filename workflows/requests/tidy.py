"""The folders of requests that ended long ago: kept for a while, then removed. What is known of a request stays."""

from __future__ import annotations

import shutil
import time

from workflows.requests.queue import Requests
from workflows.requests.request import id_from

KEPT = 1_000
"""How many ended requests keep their folder, however old."""
DAYS = 30
"""How long every ended request keeps its folder."""


def tidy(requests: Requests, kept: int = KEPT, days: float = DAYS) -> int:
    """Remove the folders of ended requests that are neither among the newest nor young; returns how many."""
    ended = [request for request in requests.folders() if request.is_ended]
    young = id_from(time.time() - days * 86_400)
    old = [request for request in ended[: max(len(ended) - kept, 0)] if request.id < young]
    for request in old:
        shutil.rmtree(requests.folder(request.id), ignore_errors=True)
    return len(old)
