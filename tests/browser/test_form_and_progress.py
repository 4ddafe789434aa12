"""What the scripts of the form and of the progress page do, in a real browser, with a real worker."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Error, Frame, Page, expect
from werkzeug.serving import make_server

from workflows.answers import found
from workflows.web.app import create_app

SLOW = ("import datetime\ndate: datetime.date = datetime.date(2020, 1, 1)", *["import time; time.sleep(0.4)\n" + "print('line')\n" * 80] * 12)  # fmt: skip


GROWING = "[data-frames] iframe:not(.next)"


@pytest.fixture
def site(inside: Callable[[Any], None], small: Any) -> Iterator[str]:
    """The address of the small project's page; a template of it is slow, and says much."""
    small.template("slow", *SLOW)
    inside(small)
    found._opened.cache_clear()
    server = make_server("127.0.0.1", 0, create_app(), threaded=True)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    serving.join()
    server.server_close()


@pytest.fixture
def worker(site: str, small: Any) -> Iterator[None]:
    """A worker of that project."""
    running = small.start("parcours", "worker")
    yield
    running.terminate()
    running.communicate(timeout=20)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page on which no script fails."""
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    page = context.new_page()
    failed: list[str] = []
    page.on("pageerror", lambda error: failed.append(str(error)))
    yield page
    context.close()
    assert not failed


def frame(page: Page) -> Frame:
    """The growing report that is shown at this moment."""
    found = page.locator(GROWING).element_handle().content_frame()
    if found is None:
        raise Error("it was replaced in this very moment")
    return found


def scrolled(page: Page, to: int) -> None:
    """Scroll the growing report, whichever of those that follow one another is there."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with contextlib.suppress(Error):
            frame(page).evaluate(f"scrollTo(0, {to})")
            page.wait_for_timeout(50)
            if frame(page).evaluate("scrollY") == to:
                return
    pytest.fail("the growing report was never long enough")


def expect_scrolled(page: Page, to: int) -> None:
    """See that it stands there within some seconds: one that has just come is told where to be."""
    until = time.monotonic() + 10
    while time.monotonic() < until:
        with contextlib.suppress(Error):
            if frame(page).evaluate("scrollY") == to:
                return
        page.wait_for_timeout(50)
    pytest.fail("the growing report went back to its beginning")


def start(page: Page, site: str) -> None:
    """Start the slow report."""
    page.goto(f"{site}/templates/slow")
    page.get_by_role("button", name="Start").click()
    page.wait_for_url(re.compile("/requests/"))


def test_a_day_with_data_is_chosen_in_the_calendar_and_the_rest_follows(page: Page, site: str) -> None:
    """The field, the address, the command and the plan."""
    page.goto(f"{site}/templates/small")
    expect(page.get_by_text("2 dates with data, 2020-01-01 to 2020-01-02")).to_be_visible(timeout=20_000)
    assert page.get_by_role("button", name="2020-01-03, no data").is_disabled()
    page.get_by_role("button", name="2020-01-02", exact=True).click()
    expect(page.get_by_label("date", exact=True)).to_have_value("2020-01-02")
    expect(page.locator("[data-command-place] code")).to_contain_text("--date 2020-01-02")
    expect(page.locator(".outlook")).to_have_text("Will run 3, reuse 0", timeout=20_000)
    assert page.url.endswith("?date=2020-01-02")


def test_a_wrong_value_is_told_when_its_field_is_left(page: Page, site: str) -> None:
    """In the words of the command; nothing was sent."""
    page.goto(f"{site}/templates/small")
    page.get_by_label("factor").fill("many")
    page.get_by_label("factor").press("Tab")
    expect(page.locator("#wrong-factor")).to_contain_text("parameter 'factor' is 'many'; expected float")
    expect(page.get_by_label("factor")).to_have_attribute("aria-invalid", "true")


@pytest.mark.usefixtures("worker")
def test_a_report_is_watched_to_its_end_and_then_read(page: Page, site: str) -> None:
    """Cell by cell; the growing report stays where it was scrolled to, the made one takes its place."""
    start(page, site)
    expect(page.locator("[data-task] .said")).to_have_text(re.compile("cell [3-6] of 13"), timeout=30_000)
    scrolled(page, 120)
    before = page.locator(GROWING).get_attribute("src")
    expect(page.locator(GROWING)).not_to_have_attribute("src", before or "")
    expect_scrolled(page, 120)
    expect(page.locator("[data-live=state]")).to_have_text("made", timeout=30_000)
    expect(page.locator("[data-say]")).to_have_text("The report is now made.")
    expect(page.frame_locator(".report-frame").get_by_text("How it came to be")).to_be_visible()
    assert page.locator(".cells i.done").count() == 13


@pytest.mark.usefixtures("worker")
def test_where_no_stream_is_to_be_had_the_page_asks_each_second(page: Page, site: str) -> None:
    """And shows the same."""
    page.route("**/events?*", lambda route: route.fulfill(status=503))
    start(page, site)
    expect(page.locator("[data-live=state]")).to_have_text("made", timeout=30_000)
    assert page.locator(".cells i.done").count() == 13


@pytest.mark.usefixtures("worker")
def test_a_running_report_is_cancelled(page: Page, site: str) -> None:
    """Within moments, and the page says who did."""
    start(page, site)
    expect(page.locator("[data-task] .said")).to_have_text(re.compile("cell ([2-9]|10) of 13"), timeout=30_000)
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("[data-live=state]")).to_have_text("cancelled", timeout=5_000)
    expect(page.locator(".note")).to_contain_text(re.compile("cancelled by", re.IGNORECASE))
