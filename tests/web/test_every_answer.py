"""What holds for every answer of the web page."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient


def test_an_unknown_address_is_a_page_that_says_so(client: FlaskClient) -> None:
    """It has the page's bar, and its own policy."""
    answer = client.get("/nothing/here")
    assert answer.status_code == 404
    assert "<h1>Not Found</h1>" in answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Frame-Options"] == "DENY"


def test_half_a_character_in_a_text_does_not_break_the_page(client: FlaskClient) -> None:
    """Such as a measure's name may have."""
    answer = client.application.make_response("late \ud800")
    assert answer.data == b"late ?"


def test_files_of_the_page_itself_are_kept_by_the_browser_as_long_as_they_are_the_same(client: FlaskClient) -> None:
    """Their address changes with their content."""
    page = client.get("/nothing").text
    address = page.partition('rel="stylesheet" href="')[2].partition('"')[0]
    with client.get(address) as answer:
        assert "immutable" in answer.headers["Cache-Control"]


@pytest.mark.parametrize("name", ["../app.py", "%2e%2e/app.py", "..%2fapp.py", "pages/../../app.py"])
def test_no_other_file_is_given_out(client: FlaskClient, name: str) -> None:
    """However the way out is spelled."""
    assert client.get(f"/static/{name}").status_code == 404


def test_the_first_page_with_all_that_it_loads_is_light(client: FlaskClient) -> None:
    """Also its files come compressed; the goal is 60 kB for everything."""
    page = client.get("/", headers={"Accept-Encoding": "br, gzip"})
    text = client.get("/").text
    files = set(re.findall(r'(?:href|src)="(/static/[^"#]+)', text))
    weight = len(page.data)
    for address in files:
        with client.get(address, headers={"Accept-Encoding": "br, gzip"}) as answer:
            weight += len(answer.data)
    assert len(files) >= 3
    assert weight < 25_000
