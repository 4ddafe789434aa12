"""The processes that answer browsers: gunicorn on a socket that is open already, with a thread for each request."""

from __future__ import annotations

import signal
import sys
from typing import Any

from gunicorn.app.base import BaseApplication

from workflows.web.serving import logs
from workflows.web.serving.supervisor import end_with_parent

PROCESSES = 2
THREADS = 32
"""Of each process. A page that shows progress holds one as long as it is open."""


class Listener(BaseApplication):  # type: ignore[misc]
    """Our application in gunicorn."""

    def __init__(self, host: str, descriptor: int) -> None:
        self._host = host
        self._descriptor = descriptor
        super().__init__()

    def load_config(self) -> None:
        """Say how gunicorn is to run."""
        settings: dict[str, Any] = {
            "bind": f"fd://{self._descriptor}",
            "worker_class": "gthread",
            "workers": PROCESSES,
            "threads": THREADS,
            "preload_app": True,
            "timeout": 120,
            # Progress pages would wait for ever; their browsers come again by themselves.
            "graceful_timeout": 2,
            "keepalive": 5,
            "backlog": 1024,
            "limit_request_line": 8190,
            "limit_request_fields": 60,
            "limit_request_field_size": 8190,
            "logconfig_dict": logs.CONFIGURATION,
            "control_socket_disable": True,
            # Whom a proxy names is our own question (workflows/web/proxies.py).
            "forwarded_allow_ips": "",
            "post_fork": _begun,
            "child_exit": _ended,
        }
        for name, value in settings.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """The application, loaded once for all processes."""
        from workflows.web.app import create_app

        return create_app(self._host)


def _begun(arbiter: Any, worker: Any) -> None:
    end_with_parent(signal.SIGKILL)


def _ended(arbiter: Any, worker: Any) -> None:
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid)


if __name__ == "__main__":
    Listener(sys.argv[1], int(sys.argv[2])).run()
