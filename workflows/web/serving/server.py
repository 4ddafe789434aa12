"""`parcours serve`: the web page, Luigi's scheduler and a worker, by one command."""

from __future__ import annotations

import contextlib
import fcntl
import ipaddress
import logging.config
import os
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from workflows import settings
from workflows.errors import ServerError
from workflows.web.serving import scheduling
from workflows.web.serving.supervisor import Part, supervise

HOST = "127.0.0.1"
PORT = 8090
LOCK = "serve.lock"
PARTS_LOCK = "parts.lock"
PATIENCE = 15.0
"""Seconds that the parts of one that was killed have for their own end."""
METRICS = "metrics"
"""The folder in which the processes count together."""


@dataclass(frozen=True)
class Served:
    """The page was open, and is no more."""

    exit_code: int = 0

    def lines(self) -> list[str]:
        """That it is closed."""
        return ["the page is closed"]

    def as_json(self) -> None:
        """Nothing."""


def serve(host: str = HOST, port: int = PORT, worker: bool = True, scheduler: bool = True) -> Served:
    """Open the page and run what belongs to it, until the command is interrupted."""
    folder = _prepared(settings.load().web)
    with _alone(folder) as held, _bound(host, port) as listening:
        _check_people(host)
        parts = [_page(listening, folder, host), *_others(worker, scheduler)]
        for part in parts:
            part.descriptors = (*part.descriptors, held)
        _say(listening)
        supervise(parts, folder)
    return Served()


def _prepared(folder: Path) -> Path:
    """The folder of the page's things, with room for it to count in."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / LOCK).touch()
        (folder / METRICS).mkdir(exist_ok=True)
    except OSError as error:
        raise ServerError.unwritable(str(folder), error.strerror or str(error)) from error
    return folder


def _page(listening: socket.socket, folder: Path, host: str) -> Part:
    # Numbers of processes that are no more would be added to those of today's.
    for file in (folder / METRICS).glob("*.db"):
        file.unlink(missing_ok=True)
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder / METRICS)
    number = listening.fileno()
    return Part("web page", (sys.executable, "-m", "workflows.web.serving.listener", host, str(number)), (number,))


def _others(worker: bool, scheduler: bool) -> list[Part]:
    parts = []
    if worker:
        parts.append(Part("worker", (sys.executable, "-m", "workflows.cli", "worker")))
    if scheduler and scheduling.is_ours_to_start():
        parts.append(Part("scheduler", (sys.executable, "-m", "workflows.web.serving.scheduling")))
    return parts


def _check_people(host: str) -> None:
    """Refuse to be open to other machines where nobody can say who they are."""
    from workflows.web.people.access import Access
    from workflows.web.people.accounts import Accounts

    access = Access.of(host, is_loopback(host), settings.load_web())
    if not (access.is_local or access.has_names or Accounts(settings.load().web).list()):
        raise ServerError.nobody()


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens at a host."""
    found = {entry[4][0] for entry in _resolved(host, 0)}
    return all(ipaddress.ip_address(str(address).partition("%")[0]).is_loopback for address in found)


def _resolved(host: str, port: int) -> list[tuple[int, int, int, str, tuple[Any, ...]]]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise ServerError.no_host(host, str(getattr(error, "strerror", None) or error)) from error
    return [(family, kind, protocol, name, tuple(place)) for family, kind, protocol, name, place in found]


@contextlib.contextmanager
def _bound(host: str, port: int) -> Iterator[socket.socket]:
    """The socket of the page, which is the supervisor's own, so that who comes while the page is started again waits, and is answered."""
    if not 0 <= port <= 65535:
        raise ServerError.no_port(port)
    family, kind, protocol, _, place = _resolved(host, port)[0]
    with socket.socket(family, kind, protocol) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind(place)
            listening.listen(1024)
        except (OSError, OverflowError) as error:
            raise ServerError.taken(host, port, str(getattr(error, "strerror", None) or error)) from error
        yield listening


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[int]:
    """See that there is one for each project; yields the lock that its parts hold as well, as a descriptor.

    The parts of one that was killed are about to end, and hold its port, its worker's work and the scheduler's until then.
    """
    with (folder / LOCK).open("w") as own, (folder / PARTS_LOCK).open("w") as parts:
        if not _is_locked(own):
            raise ServerError.running(str(folder))
        until = time.monotonic() + PATIENCE
        while not _is_locked(parts):
            if time.monotonic() > until:
                raise ServerError.left(str(folder), PATIENCE)
            time.sleep(0.05)
        yield parts.fileno()


def _is_locked(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _say(listening: socket.socket) -> None:
    from workflows.web.serving import logs

    logging.config.dictConfig(logs.CONFIGURATION)
    host, port = listening.getsockname()[:2]
    shown = settings.load_web().address or f"http://{f'[{host}]' if ':' in host else host}:{port}"
    sys.stdout.write(f"page: {shown}/\n")
    sys.stdout.flush()
