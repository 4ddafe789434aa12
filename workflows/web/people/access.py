"""How the page is reached: whether for its own machine only, under which names, and through which proxies."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Request, abort, request
from flask.sessions import SecureCookieSessionInterface
from werkzeug.middleware.proxy_fix import ProxyFix

from workflows.settings import WebSettings

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_TRUSTED = "parcours.proxy"
"""What a request's surroundings have where it came through a proxy that is trusted; no header gets there."""
_HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[^\s:@/\[\]]+)(:\d+)?")
_OF_PROXIES = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via")


@dataclass(frozen=True)
class Access:
    """What luigi.cfg and the command line say of it."""

    is_local: bool
    """Whether nobody signs in, because only this machine reaches the page."""
    hosts: tuple[str, ...]
    """The names under which the page is reached."""
    is_encrypted: bool
    """Whether people reach it by https."""
    proxies: tuple[Network, ...]
    proxy_header: str | None
    proxy_role: str

    @classmethod
    def of(cls, host: str, is_loopback: bool, stated: WebSettings) -> Access:
        """Of a page that listens at a host."""
        # With any of them, requests from this machine may be other people's, by way of a proxy.
        is_wider = bool(stated.proxy or stated.address or stated.hosts)
        is_local = is_loopback and stated.sign_in == "auto" and not is_wider
        named = urlsplit(stated.address).hostname if stated.address else None
        hosts = ("127.0.0.1", "localhost", "[::1]", *_names(host), *((named,) if named else ()), *stated.hosts)
        is_encrypted = (stated.address or "").startswith("https://")
        return cls(is_local, hosts, is_encrypted, stated.proxy, stated.proxy_header, stated.proxy_role)

    @property
    def has_names(self) -> bool:
        """Whether a proxy says who somebody is."""
        return bool(self.proxies and self.proxy_header)

    def install(self, app: Flask) -> None:
        """Have requests be what they were before a trusted proxy, and cookies travel encrypted where the page does."""
        app.config["SESSION_COOKIE_SECURE"] = self.is_encrypted
        app.session_interface = _Cookies()
        app.wsgi_app = _Behind(app.wsgi_app, self.proxies)  # type: ignore[method-assign]
        app.before_request(self._refuse_names)
        app.before_request(_refuse_foreign)

    def _refuse_names(self) -> None:
        """Answer to our own names only: else another's name could be made to lead here, and its pages to read ours."""
        # Flask's own check takes every IPv6 address for foreign.
        found = _HOST.fullmatch(request.environ.get("HTTP_HOST", ""))
        if not found or found["name"].lower() not in {known.lower() for known in self.hosts}:
            abort(400, "This page is not reached by that name; it is stated in luigi.cfg, [web] hosts.")

    def named(self, request: Request) -> str | None:
        """Whom a trusted proxy names; what anybody else says is not heard."""
        if self.proxy_header is None or not request.environ.get(_TRUSTED):
            return None
        return request.headers.get(self.proxy_header)

    def is_from_here(self, request: Request) -> bool:
        """Whether a request is of this very machine, and of nobody behind it."""
        return (
            not request.environ.get(_TRUSTED)
            and not any(name in request.headers for name in _OF_PROXIES)
            and _is_in(request.remote_addr, _LOOPBACK)
        )


_LOOPBACK: tuple[Network, ...] = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1"))


def _refuse_foreign() -> None:
    """Have browsers fetch nothing for pages from elsewhere: they could start what an address starts. Their links work."""
    headers = request.headers
    if headers.get("Sec-Fetch-Site") in ("cross-site", "same-site") and headers.get("Sec-Fetch-Mode") != "navigate":
        abort(403, "This was asked for by a page from elsewhere.")


class _Behind:
    """Takes what a proxy says of who is before it, from those proxies only that are trusted."""

    def __init__(self, app: Callable[..., Iterable[bytes]], proxies: tuple[Network, ...]) -> None:
        self._app = app
        self._fixed = ProxyFix(app, x_for=1, x_proto=1)
        self._proxies = proxies

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if _is_in(environ.get("REMOTE_ADDR"), self._proxies):
            environ[_TRUSTED] = True
            return self._fixed(environ, start_response)
        return self._app(environ, start_response)


class _Cookies(SecureCookieSessionInterface):
    """Cookies for encrypted connections only, where the page is reached by such."""

    def get_cookie_secure(self, app: Flask) -> bool:
        return bool(app.config["SESSION_COOKIE_SECURE"]) or request.is_secure


def _is_in(address: str | None, networks: Iterable[Network]) -> bool:
    try:
        found = ipaddress.ip_address(str(address).partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return any((mapped or found) in network for network in networks)


def _names(host: str) -> list[str]:
    """The names of what listens at a host: every address of this machine, where it listens at all of them."""
    if host not in ("0.0.0.0", "::"):  # noqa: S104 - one who asked for it
        return [f"[{host}]" if ":" in host else host]
    import psutil

    found = [socket.gethostname(), socket.getfqdn()]
    for entries in psutil.net_if_addrs().values():
        for entry in entries:
            if entry.family == socket.AF_INET:
                found.append(entry.address)
            elif entry.family == socket.AF_INET6:
                found.append(f"[{entry.address.partition('%')[0]}]")
    return found
