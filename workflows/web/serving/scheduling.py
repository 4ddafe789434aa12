"""Luigi's central scheduler as `parcours serve` starts it: for this machine's workers, and deaf to browsers.

Luigi asks nobody who they are, and takes everything as a GET: a page from anywhere could have a browser here submit work. Workers
send none of the headers by which browsers tell where a request comes from.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import logging.config
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from luigi.configuration import get_config

from workflows.errors import ServerError, SettingError
from workflows.web.serving import logs

_OF_BROWSERS = ("Origin", "Referer", "Sec-Fetch-Site", "Sec-Fetch-Mode")


def address() -> tuple[str, int]:
    """Where luigi.cfg says that the scheduler is."""
    config = get_config()

    def given(name: str, usual: str) -> str:
        # Luigi takes either spelling, and either beginning.
        names = (name, f"default_{name}")
        spelled = [way for each in names for way in (each, each.replace("_", "-")) if config.has_option("core", way)]
        return str(config.get("core", spelled[0])) if spelled else usual

    url = urlsplit(given("scheduler_url", ""))
    port = given("scheduler_port", "8082")
    if url.hostname:
        return url.hostname, url.port or 80
    if not port.isdecimal():
        raise SettingError.wrong("scheduler_port", "luigi.cfg, [core]", port, "the number of a port")
    return given("scheduler_host", "127.0.0.1"), int(port)


def is_ours_to_start() -> bool:
    """Whether the scheduler is to be started: it is of this machine, and none is there. Raises ServerError for another program."""
    host, port = address()
    if not _is_loopback(host):
        return False
    try:
        return not answers()
    except http.client.HTTPException as error:
        raise ServerError.foreign_scheduler(f"{host}:{port}") from error


def answers(patience: float = 2.0) -> bool:
    """Whether a scheduler answers; raises HTTPException where something else does."""
    host, port = address()
    connection = http.client.HTTPConnection(host, port, timeout=patience)
    try:
        connection.request("GET", "/api/has_task_history")
        reply = connection.getresponse()
        said = reply.read(10_000)
    except ConnectionError:
        return False
    except (OSError, http.client.HTTPException) as error:
        raise http.client.HTTPException(str(error)) from error
    finally:
        connection.close()
    try:
        known = reply.status == 200 and "response" in json.loads(said)
    except ValueError:
        known = False
    if not known:
        raise http.client.HTTPException("not Luigi")
    return True


def main() -> None:
    """Run the scheduler until it is asked to end."""
    import luigi.server

    logging.config.dictConfig(logs.CONFIGURATION)
    host, port = address()
    state = get_config().get("scheduler", "state_path", "")
    if state:
        Path(state).parent.mkdir(parents=True, exist_ok=True)
    luigi.server.app = _deaf(luigi.server.app, port)
    luigi.server.run(api_port=port, address=host)


def _deaf(build: Callable[[Any], Any], port: int) -> Callable[[Any], Any]:
    """Luigi's application, with a rule before its own that refuses what a browser asks."""
    from tornado.httputil import HTTPServerRequest
    from tornado.routing import Matcher, Rule
    from tornado.web import ErrorHandler

    hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]", address()[0])}

    class FromBrowser(Matcher):
        def match(self, request: HTTPServerRequest) -> dict[str, Any] | None:
            is_known = request.host in hosts and not any(name in request.headers for name in _OF_BROWSERS)
            return None if is_known else {}

    def built(scheduler: Any) -> Any:
        application = build(scheduler)
        application.default_router.rules.insert(0, Rule(FromBrowser(), ErrorHandler, {"status_code": 403}))
        return application

    return built


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


if __name__ == "__main__":
    main()
