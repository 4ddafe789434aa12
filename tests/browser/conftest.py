"""What the tests in a real browser share: a served project, Debian's Chromium, and what is asked of every page."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from sites import WIDE

# Taken out of the environment, for the served projects refuse settings that they do not know.
PICTURES = os.environ.pop("PARCOURS_TEST_PICTURES", None)
"""The folder that pictures of the pages are kept in, such as docs/images; none, and no pictures are kept."""


# Not longer than a module: Playwright's loop would be taken for that of whatever runs in this process afterwards.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, with no window."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None and not os.environ.get("CI"):
        pytest.skip("there is no Chromium here; .ci/run installs it")
    assert found, "there is no Chromium"
    with sync_playwright() as playwright:
        # As root, Chromium refuses to run within its own sandbox.
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        started = playwright.chromium.launch(executable_path=found, args=arguments)
        yield started
        started.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a window of its own on a site, by the site's address and what Playwright's contexts take."""
    contexts: list[BrowserContext] = []
    wrong: list[str] = []

    def opened(address: str, **given: Any) -> Page:
        context = browser.new_context(
            base_url=address, **{"viewport": WIDE, "timezone_id": "America/New_York", **given}
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        # A script of ours that fails, or something that our own policy refuses, is a fault of the page.
        page.on("pageerror", lambda error: wrong.append(f"{page.url}: {error}"))
        return page

    yield opened
    for context in contexts:
        context.close()
    assert wrong == []


@pytest.fixture
def picture() -> Callable[[Page, str], None]:
    """Keeps a picture of what a page shows, where somebody asked for the pictures."""

    def keep(page: Page, name: str) -> None:
        if PICTURES:
            Path(PICTURES).mkdir(parents=True, exist_ok=True)
            # Written here: Playwright would write it in a thread, and leave that behind.
            Path(PICTURES, f"{name}.png").write_bytes(page.screenshot())

    return keep
