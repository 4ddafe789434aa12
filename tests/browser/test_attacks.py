"""Attacks on the page: by what templates, reports, commits and files say, and by what reports do."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hostile
import pytest
import walking
from playwright.sync_api import Page
from sites import Site, serving

pytestmark = pytest.mark.acceptance


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, make_small: Callable[[Path], Any]) -> Iterator[Site]:
    """The hostile project with two reports that were made, and one that failed."""
    place = make_small(tmp_path_factory.mktemp("hostile") / "project")
    hostile.lay(place, "http://127.0.0.1:8082")
    for template, date, more in (
        ("hostile", "2020-01-01", json.dumps({"text": hostile.markup("value")})),
        ("hostile", "2020-01-02", "{}"),
        ("raising", "2020-01-01", "{}"),
    ):
        done = place.report(template, date, "--parameters", more)
        assert done.code in (0, 30), done.err
    with serving(place) as served:
        yield served


@pytest.fixture
def page(visit: Callable[..., Page], site: Site) -> Page:
    """A window on the hostile project, in which no dialog may open."""
    opened = visit(site.address)
    opened.on("dialog", lambda dialog: pytest.fail(f"a dialog opened: {dialog.message}"))
    return opened


def test_nobodys_text_becomes_markup_on_any_page(page: Page, site: Site) -> None:
    """Names, values, choices, descriptions, reasons, tracebacks, measures, commits and files are shown as they are."""
    seen = []
    for address in walking.walk(page, f"{site.address}/"):
        assert walking.intruders(page) == [], address
        seen.append(walking.kind(address))
    assert len(seen) > 15, seen


def test_a_report_reaches_neither_the_page_around_it_nor_anything_else(page: Page, site: Site) -> None:
    """Its script runs, on an origin of its own, from which every way out is refused."""
    page.goto("/")
    page.get_by_role("link", name="hostile").first.click()
    frame = page.frame_locator("iframe.report-frame")
    body = frame.locator("body[data-tried]")
    body.wait_for(state="attached")
    page.wait_for_timeout(1000)
    tried = json.loads(body.get_attribute("data-tried") or "{}")
    assert tried.pop("form") == "sent"
    assert set(tried.values()) == {"refused"}, tried
    assert "pwned" not in page.title()
    assert "/reports/" in page.url
    assert site.answers()
