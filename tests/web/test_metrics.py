"""What is told to those who watch the page: whether it works, and why not."""

from __future__ import annotations

import http.client
import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from flask.testing import FlaskClient

from workflows.web.serving import scheduling

STRANGER = {"REMOTE_ADDR": "192.0.2.1"}


@pytest.fixture
def healthy(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    """The application, as if its scheduler answered."""
    monkeypatch.setattr(scheduling, "answers", lambda: True)
    assert client.get("/healthz").status_code == 200
    return client


def told(client: FlaskClient, part: str, **options: Any) -> str:
    answer = client.get("/healthz", **options)
    assert (answer.status_code, answer.json["status"]) == (503, "failing")
    assert {name for name, word in answer.json["parts"].items() if word != "ok"} == {part}
    return str(answer.json["parts"][part])


def test_a_scheduler_that_does_not_answer_is_told(healthy: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduling, "answers", lambda: False)
    assert told(healthy, "scheduler") == "it does not answer"


def test_another_program_in_its_place_is_told(healthy: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def other() -> bool:
        raise http.client.HTTPException("not Luigi")

    monkeypatch.setattr(scheduling, "answers", other)
    assert told(healthy, "scheduler") == "not Luigi"


def test_a_damaged_catalog_is_told(healthy: FlaskClient, small: Any) -> None:
    (small.folder / "data" / "catalog.db").write_bytes(b"no database" * 500)
    assert "catalog" in told(healthy, "catalog")


def test_requests_that_cannot_be_written_are_told(healthy: FlaskClient, small: Any) -> None:
    path = small.folder / "data" / "web" / "requests.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("CREATE TABLE x (y)")
        other.execute("BEGIN EXCLUSIVE")
        assert told(healthy, "requests") == "database is locked"


def test_a_worker_that_died_is_told(healthy: FlaskClient, small: Any) -> None:
    (small.folder / "data" / "web" / "parts.json").write_text('{"worker": {"pid": null, "deaths": 4}}')
    assert told(healthy, "worker") == "it died 4 times in a row, and is started again"


def test_strangers_are_told_that_something_fails_and_not_what(
    healthy: FlaskClient, small: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduling, "answers", lambda: False)
    assert told(healthy, "scheduler", environ_base=STRANGER) == "failing"


def test_figures_are_not_for_strangers(client: FlaskClient) -> None:
    assert client.get("/metrics").status_code == 200
    assert client.get("/metrics", environ_base=STRANGER).status_code == 401


def test_requests_are_counted_by_state(client: FlaskClient, small: Any, inside: Callable[[Any], None]) -> None:
    import datetime

    from workflows.requests.queue import Requests
    from workflows.requests.request import Ask

    Requests(small.folder / "data" / "web").ask([Ask("small", datetime.date(2020, 1, 1), "{}")], "ann", "key")
    assert 'parcours_requests{state="waiting"} 1.0' in client.get("/metrics").text
