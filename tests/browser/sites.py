"""Projects served by the real command, for tests that look at them from outside."""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

WIDE = {"width": 1200, "height": 860}
"""A screen, in pixels."""
PHONE = {"width": 360, "height": 740}


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@dataclass
class Site:
    """A project with its page, served by the real command."""

    place: Any
    process: subprocess.Popen[str]
    address: str
    """Without a slash at its end."""

    def answers(self, path: str = "/healthz") -> bool:
        """Whether an address is answered, and well."""
        try:
            with urllib.request.urlopen(f"{self.address}{path}", timeout=5) as answer:
                return bool(answer.status == 200)
        except (OSError, urllib.error.HTTPError):
            return False


@contextlib.contextmanager
def serving(place: Any, *options: str, **environment: str) -> Iterator[Site]:
    """Serve a project by `parcours serve` until nobody asks any more; then nothing of it must be left."""
    page, scheduler = free_port(), free_port()
    config = place.folder / "luigi.cfg"
    lines = config.read_text().splitlines()
    config.write_text(
        "\n".join(f"scheduler_port = {scheduler}" if line.startswith("scheduler_port") else line for line in lines)
    )
    log = place.folder / "serve.log"
    with log.open("w") as told:
        process = subprocess.Popen(
            [
                shutil.which("parcours", path=place.variables()["PATH"]) or "parcours",
                "serve",
                "--port",
                str(page),
                *options,
            ],
            cwd=place.folder,
            env=place.variables(**environment),
            stdin=subprocess.DEVNULL,
            stdout=told,
            stderr=told,
            text=True,
        )
        site = Site(place, process, f"http://127.0.0.1:{page}")
        try:
            until = time.monotonic() + 40
            while not site.answers():
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < until, log.read_text()
                time.sleep(0.1)
            yield site
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
            process.wait(20)
    assert place.processes() == []
