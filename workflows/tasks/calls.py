"""Calls to the central scheduler over a connection that stays open; Luigi's own way takes several times as long for each."""

from __future__ import annotations

import threading
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlencode, urlsplit

from luigi.rpc import RemoteScheduler

_OK = 200
_HEADERS = {"Content-Type": "application/x-www-form-urlencoded"}


def scheduler(url: str) -> Any:
    """The scheduler at an address, which is called once: whoever asks tries again by itself, and says so."""
    found: Any = RemoteScheduler(url)
    found._rpc_retry_attempts, found._rpc_retry_wait = 1, 0
    if urlsplit(url).scheme == "http" and "@" not in url:
        found._fetcher = _Kept()
    return found


class _Kept(threading.local):
    """A connection of each thread."""

    raises = (OSError, HTTPException)

    def __init__(self) -> None:
        self._connection: HTTPConnection | None = None
        self._place = ""

    def fetch(self, url: str, body: Any, timeout: float) -> str:
        """What the scheduler answers; raises what `raises` says."""
        parts = urlsplit(url)
        if self._connection is None or self._place != parts.netloc:
            self.close()
            self._place, self._connection = parts.netloc, HTTPConnection(parts.netloc, timeout=timeout)
        try:
            self._connection.request("POST", parts.path, urlencode(body), _HEADERS)
            answer = self._connection.getresponse()
            text = answer.read().decode()
        except BaseException:
            self.close()
            raise
        if answer.status != _OK:
            raise HTTPException(f"{answer.status} {answer.reason}")
        return text

    def close(self) -> None:
        """Close the connection of this thread."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
