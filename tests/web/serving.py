"""The page served by the real command, and somebody who asks it without a browser."""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import psutil

CHROMIUM = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
"""What it accepts for a page."""


@dataclass
class Answered:
    """What the page answered."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


@dataclass
class Browser:
    """Asks a served page, with cookies, and follows nothing."""

    url: str
    cookies: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, body: str | None = None, **headers: str) -> Answered:
        with closing(http.client.HTTPConnection(str(urlsplit(self.url).netloc), timeout=30)) as connection:
            given = {name.replace("_", "-"): value for name, value in headers.items()}
            if self.cookies:
                given["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
            if body is not None:
                given.setdefault("Content-Type", "application/x-www-form-urlencoded")
            connection.request(method, path, body, given)
            reply = connection.getresponse()
            text = reply.read().decode(errors="replace")
        for cookie in reply.headers.get_all("Set-Cookie") or ():
            self.cookies.update({name: morsel.value for name, morsel in SimpleCookie(cookie).items()})
        return Answered(reply.status, reply.headers, text)

    def get(self, path: str, **headers: str) -> Answered:
        return self.ask("GET", path, **{"Accept": CHROMIUM, **headers})

    def post(self, path: str, token_from: str, **fields: str) -> Answered:
        """Send a form, with the token of the page that it is on."""
        found = re.search('name="csrf_token" value="([^"]+)"', self.get(token_from).text)
        assert found, "the page has no form"
        return self.ask("POST", path, urlencode({"csrf_token": found[1], **fields}))

    def sign_in(self, name: str, password: str, **more: str) -> Answered:
        return self.post("/sign-in", "/sign-in", name=name, password=password, **more)


@dataclass
class Served:
    """`parcours serve`, running in a project."""

    place: Any
    process: subprocess.Popen[bytes]
    url: str
    log: Path

    def browser(self) -> Browser:
        """Somebody who has been here never."""
        return Browser(self.url)

    def get(self, path: str, **headers: str) -> Answered:
        return self.browser().get(path, **headers)

    def part(self, name: str) -> psutil.Process:
        """One of its processes."""
        parts = json.loads((self.place.folder / "data" / "web" / "parts.json").read_text())
        if parts[name]["pid"] is None:
            # Without a number, psutil would give this very process.
            raise ProcessLookupError(name)
        return psutil.Process(parts[name]["pid"])

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        self.process.communicate(timeout=30)
        return self.process.returncode


def within(seconds: float, find: Callable[[], Any]) -> Any:
    """What `find` returns as soon as it is something."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with suppress(OSError, http.client.HTTPException, psutil.Error, ValueError, KeyError):
            found = find()
            if found:
                return found
        time.sleep(0.05)
    raise AssertionError(f"nothing within {seconds} s")


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def serve(place: Any, *options: str, port: int | None = None, **web: str) -> Served:
    """Start `parcours serve` in a project, on a free port, as the scheduler's unless given; the caller sees to its end."""
    config = place.folder / "luigi.cfg"
    text = re.sub(r"scheduler_port = \d+", f"scheduler_port = {port or free_port()}", config.read_text())
    lines = "".join(f"{key} = {value}\n" for key, value in web.items())
    config.write_text(re.sub(r"\[web\]\n", lambda found: found[0] + lines, text, count=1))
    log = place.folder / "serve.log"
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [str(Path(sys.executable).parent / "parcours"), "serve", "--port", "0", *options],
            cwd=place.folder,
            env=place.variables(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
    assert process.stdout
    line = process.stdout.readline().decode()
    if not line:
        process.communicate()
        raise AssertionError(log.read_text())
    port = urlsplit(line.removeprefix("page: ").strip()).port
    return Served(place, process, f"http://127.0.0.1:{port}", log)
