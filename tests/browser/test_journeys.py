"""What people do with the page, in a real browser against the real server, its scheduler and its worker."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import walking
from playwright.sync_api import Browser, Page, expect
from sites import PHONE, WIDE, Site, serving

pytestmark = pytest.mark.acceptance

DATE = "import datetime\ndate: datetime.date = datetime.date(2013, 1, 1)  # the day\n"
PASSWORD = "a-long-pass-phrase"
SLOW = tuple(f"import time\ntime.sleep(0.4)\nprint('part {n}')" for n in range(1, 7))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, make_workplace: Callable[[Path], Any]) -> Iterator[Site]:
    """The example with two days of reports, one that failed, and a template that takes its time."""
    place = make_workplace(tmp_path_factory.mktemp("site") / "project")
    place.template("slow", DATE, *SLOW)
    place.template("endless", DATE, "import time\ntime.sleep(600)")
    place.template("failing", DATE, "from workflows import measure\nmeasure('seen', 1)", "flights['arr_dealy']")
    days = ["--start", "2013-01-14", "--stop", "2013-01-15", "--template", "anomaly_report"]
    done = place.run("luigi", "--module", "workflows", "Backfill", *days, "--local-scheduler")
    assert done.code == 0, done.err
    assert place.report("failing", "2013-01-15").code == 30
    with serving(place) as served:
        yield served


@pytest.fixture
def page(visit: Callable[..., Page], site: Site) -> Page:
    """A window on the example."""
    return visit(site.address)


def start(page: Page, template: str, query: str = "") -> str:
    """Start a report from its form; the address of its request."""
    page.goto(f"/templates/{template}{query}")
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_url("**/requests/*")
    return page.url


def ends(page: Page, state: str) -> None:
    """Wait until the request that a page shows has come to an end."""
    expect(page.locator(f"[data-live=state] .state.{state}")).to_be_visible(timeout=60_000)


def test_a_report_is_started_from_its_form_watched_and_read(page: Page, picture: Callable[[Page, str], None]) -> None:
    """The form says what will run and why; the page of the request shows it, and then the report."""
    page.goto("/templates/anomaly_report?date=2013-01-16")
    expect(page.get_by_text("Will run 5, reuse 15").first).to_be_visible()
    page.get_by_label("threshold").fill("4")
    expect(page.locator(".command code").first).to_contain_text("--parameters '{\"threshold\":4.0}'")
    picture(page, "web-form")
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_url("**/requests/*")
    ends(page, "made")
    frame = page.frame_locator("iframe.report-frame")
    expect(frame.get_by_text("Wednesday 16 January 2013").first).to_be_visible()
    expect(frame.get_by_text("beyond the threshold of 4").first).to_be_visible()
    page.get_by_role("link", name="Open the report").click()
    page.wait_for_url("**/reports/ReportTask/2013-01-16/anomaly_report-*")
    page.wait_for_load_state("networkidle")
    picture(page, "web-report")
    for tab, seen in (
        ("Provenance", "ExpectedDelays"),
        ("Timing", "cell"),
        ("Measures", "anomaly_share"),
        ("Files", "provenance.json"),
        ("Open in Jupyter", "parcours reproduce"),
    ):
        page.get_by_role("navigation").get_by_role("link", name=tab).click()
        expect(page.locator("main")).to_contain_text(seen)


def test_progress_is_seen_cell_by_cell_and_the_report_as_it_grows(page: Page) -> None:
    """First progress within a second; what a cell printed is seen before the last cell is done."""
    page.goto("/templates/slow?date=2013-01-02")
    began = time.monotonic()
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.locator("[data-live=state] .state.running")).to_be_visible()
    seen = time.monotonic() - began
    growing = page.frame_locator("iframe.report-frame:not(.next)")
    expect(page.get_by_text(re.compile(r"cell [2-6] of 7"))).to_be_visible()
    expect(growing.locator("pre", has_text="part 2").last).to_be_visible()
    expect(page.locator("[data-live=state] .state.running")).to_be_visible()
    ends(page, "made")
    expect(page.frame_locator("iframe.report-frame").locator("pre", has_text="part 6").last).to_be_visible()
    # On a machine that does other things too; benchmarks/requests.py measures it.
    assert seen < 3


def test_a_report_is_cancelled_and_its_kernel_with_it(page: Page, site: Site) -> None:
    """It ends as cancelled at once, whatever its cell does, and leaves no artefact."""
    start(page, "endless", "?date=2013-01-02")
    expect(page.get_by_text("cell 2 of 2")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    ends(page, "cancelled")
    assert not list(site.place.store.glob("ReportTask/*/endless-*"))
    time.sleep(0.5)
    kernels = [p for p in site.place.processes(0) if "ipykernel" in " ".join(p.cmdline())]
    assert kernels == []


def test_a_failed_report_says_where_and_is_tried_again(page: Page) -> None:
    """Its cell and its error are read in the page; trying again is one press, and a request of its own."""
    address = start(page, "failing", "?date=2013-01-03")
    ends(page, "failed")
    expect(page.locator("main")).to_contain_text("NameError: name 'flights' is not defined")
    page.get_by_role("link", name="See how far it came").click()
    expect(page.frame_locator("iframe.report-frame").locator(".failed").first).to_be_visible()
    page.goto(address)
    page.get_by_role("button", name="Try again").click()
    page.wait_for_url(lambda url: "/requests/" in url and url != address)
    ends(page, "failed")


def test_a_slip_in_the_form_is_said_beside_its_field_and_starts_nothing(page: Page) -> None:
    """What was given stays."""
    page.goto("/templates/anomaly_report?date=2013-01-15")
    page.get_by_label("threshold").fill("-3")
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was started")
    expect(page.locator("#wrong-threshold")).to_contain_text("greater than 0")
    expect(page.get_by_label("threshold")).to_have_value("-3")


def test_a_new_template_has_a_form_at_the_next_load(page: Page, site: Site) -> None:
    """Nothing is to be restarted."""
    site.place.template("just_added", DATE + "top: int = 10  # how many routes to list\n", "print(top)")
    page.goto("/templates/")
    page.get_by_role("link", name="just_added").first.click()
    expect(page.get_by_label("top")).to_have_value("10")
    expect(page.get_by_text("how many routes to list")).to_be_visible()


def test_two_reports_are_compared(page: Page, picture: Callable[[Page, str], None]) -> None:
    """From the list, by ticking two: measures, causes, and pictures with a slider that keys move."""
    page.goto("/?template=anomaly_report&state=made")
    for box in page.locator("tbody input[type=checkbox]").all()[:2]:
        box.check()
    page.get_by_role("button", name="Compare two").click()
    page.wait_for_url("**/compare?*")
    expect(page.locator("main")).to_contain_text("anomaly_share")
    slider = page.get_by_role("slider").first
    before = slider.input_value()
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert slider.input_value() != before
    picture(page, "web-compare")


def test_a_measure_is_followed_over_dates_and_each_point_leads_to_its_report(
    page: Page,
) -> None:
    """Also by its table."""
    page.goto("/trends?template=anomaly_report&measure=anomaly_share&over=dates")
    points = page.locator("svg a[href*='/reports/']")
    expect(points.first).to_be_visible()
    expect(page.get_by_role("table").first).to_contain_text("2013-01-14")
    points.first.click()
    page.wait_for_url("**/reports/ReportTask/**")


def test_the_calendar_shows_done_failed_and_missing_and_makes_what_is_missing(page: Page) -> None:
    """One press on a missing day starts it."""
    page.goto("/calendar?template=slow&month=2013-01")
    page.get_by_role("button", name="missing, make slow 2013-01-09").click()
    page.wait_for_url("**/requests/*")
    ends(page, "made")
    page.goto("/calendar?template=slow&month=2013-01")
    expect(page.get_by_role("link", name="made, slow 2013-01-09")).to_be_visible()
    page.goto("/calendar?template=failing&month=2013-01")
    page.get_by_role("link", name="failed, failing 2013-01-15").click()
    expect(page.locator(".state.failed").first).to_be_visible()


def test_the_keyboard_is_enough(page: Page) -> None:
    """From the first page to a started report by keys alone, with the place always seen."""
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    _press_until(page, "Start a report", "a")
    page.keyboard.press("Enter")
    page.wait_for_url("**/templates/")
    _press_until(page, "slow", "a")
    page.keyboard.press("Enter")
    page.wait_for_url("**/templates/slow*")
    _press_until(page, "1", "button")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.get_by_label("date", exact=True)).to_have_value("2013-01-09")
    _press_until(page, "Start", "button")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"
    page.keyboard.press("Enter")
    page.wait_for_url("**/requests/*")
    ends(page, "made")


def _press_until(page: Page, name: str, element: str) -> None:
    """Go on by the key until an element with this text has the focus."""
    for _ in range(80):
        page.keyboard.press("Tab")
        focused = page.evaluate("[document.activeElement.localName, document.activeElement.innerText.trim()]")
        if focused[0] == element and focused[1].splitlines()[:1] == [name]:
            return
    raise AssertionError(f"no key leads to '{name}'")


def test_everything_but_live_progress_works_without_script(visit: Callable[..., Page], site: Site) -> None:
    """Read, filter, plan, start, wait by reloading, read."""
    page = visit(site.address, java_script_enabled=False)
    page.goto("/templates/slow?date=2013-01-05")
    page.get_by_role("button", name="Show plan").click()
    expect(page.locator("main")).to_contain_text("Will run 1, reuse 0")
    page.get_by_role("button", name="Start", exact=True).click()
    page.wait_for_url("**/requests/*")
    until = time.monotonic() + 40
    while not page.locator("[data-live=state] .state.made").count():
        assert time.monotonic() < until, page.content()
        time.sleep(0.5)
        page.reload()
    page.goto("/")
    page.get_by_role("searchbox").fill("slow")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="slow 2013-01-05").first.click()
    expect(page.frame_locator("iframe.report-frame").locator("pre", has_text="part 6").last).to_be_visible()
    page.get_by_role("navigation").get_by_role("link", name="Provenance").click()
    expect(page.locator("main")).to_contain_text("Version")


def test_times_are_in_the_readers_zone_with_utc_on_hover(page: Page) -> None:
    """The reader of these tests is in New York."""
    page.goto("/")
    shown = page.locator("tbody time").first
    expect(shown).to_contain_text(re.compile("E[SD]T$"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", shown.get_attribute("title") or "")


def test_every_link_resolves_and_nothing_hinders_anybody_on_any_page(visit: Callable[..., Page], site: Site) -> None:
    """Each kind of page, in light, in dark and on a phone: no serious finding of axe-core, nothing that sticks out."""
    page = visit(site.address)
    seen = []
    for address in walking.walk(page, f"{site.address}/"):
        seen.append(walking.kind(address))
        assert walking.inaccessible(page) == [], address
        page.emulate_media(color_scheme="dark")
        # Only colours are others there.
        assert walking.inaccessible(page, "color-contrast") == [], f"{address} in dark"
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(PHONE)
        assert walking.overflow(page) == [], f"{address} on a phone"
        page.set_viewport_size(WIDE)
    assert len(seen) > 20, seen


def test_the_layout_does_not_shift_while_a_page_comes(page: Page) -> None:
    """Chromium's own measure stays below what counts as good, 0.1, by far."""
    for address in ("/", "/templates/anomaly_report?date=2013-01-15", "/calendar", "/trends?template=anomaly_report"):
        page.add_init_script(
            "window.shift = 0; new PerformanceObserver(list => { for (const e of list.getEntries()) "
            "if (!e.hadRecentInput) window.shift += e.value; }).observe({type: 'layout-shift', buffered: true});"
        )
        page.goto(address)
        page.wait_for_load_state("networkidle")
        assert page.evaluate("window.shift") < 0.02, address


def test_lists_fit_a_phone(visit: Callable[..., Page], site: Site, picture: Callable[[Page, str], None]) -> None:
    """What is pressed is large enough for a finger."""
    page = visit(site.address, viewport=PHONE, is_mobile=True, has_touch=True)
    page.goto("/")
    box = page.get_by_role("link", name="anomaly_report 2013-01-15").first.bounding_box()
    assert box
    assert box["height"] >= 20
    picture(page, "web-phone")


def test_luigis_own_page_lists_what_was_made(page: Page) -> None:
    """Through the proxy, with its script at work under our policy."""
    start(page, "slow", "?date=2013-01-07")
    ends(page, "made")
    page.goto("/scheduler/")
    expect(page.get_by_text("ReportTask").first).to_be_visible()


def add_user(place: Any, name: str, role: str) -> None:
    """An account, by the real command."""
    command = [sys.executable, "-m", "workflows.cli", "user", "add", name, "--role", role, "--password-stdin"]
    subprocess.run(command, cwd=place.folder, env=place.variables(), input=PASSWORD, text=True, check=True)


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory, make_small: Callable[[Path], Any]) -> Iterator[Site]:
    """A small project, its page open to the network, with a reader and a runner."""
    place = make_small(tmp_path_factory.mktemp("wide") / "project")
    for name, role in (("ada", "runner"), ("rita", "reader")):
        add_user(place, name, role)
    with serving(place, "--host", "0.0.0.0") as served:
        yield served


class TestPeople:
    """A page that is reached from elsewhere: nobody gets in without saying who they are."""

    def test_people_sign_in_start_and_sign_out(self, visit: Callable[..., Page], wide: Site) -> None:
        """They come to where they wanted to go; who started is recorded; signed out, nothing is seen."""
        page = visit(wide.address)
        page.goto("/templates/small?date=2020-01-01")
        page.wait_for_url(re.compile("/sign-in"))
        page.get_by_label("Name").fill("ada")
        page.get_by_label("Password").fill("wrong")
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_be_visible()
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(re.compile(r"/templates/small\?date=2020-01-01$"))
        page.get_by_role("button", name="Start", exact=True).click()
        page.wait_for_url("**/requests/*")
        ends(page, "made")
        expect(page.locator("main")).to_contain_text("Asked for by ada")
        record = next(wide.place.store.glob("ReportTask/2020-01-01/small-*/provenance.json"))
        assert json.loads(record.read_text())["requested"]["by"] == "ada"
        page.get_by_role("button", name="Sign out").click()
        page.goto("/")
        page.wait_for_url(re.compile("/sign-in"))

    def test_a_reader_starts_nothing(self, visit: Callable[..., Page], wide: Site) -> None:
        """The form says what it would take."""
        page = visit(wide.address)
        page.goto("/sign-in")
        page.get_by_label("Name").fill("rita")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.goto("/templates/small?date=2020-01-02")
        expect(page.get_by_text("Starting takes the role runner")).to_be_visible()
        assert page.get_by_role("button", name="Start", exact=True).count() == 0


def test_a_browser_that_is_closed_changes_nothing_of_a_request(browser: Browser, site: Site) -> None:
    """It is found made by whoever looks later."""
    with browser.new_context(base_url=site.address) as context:
        address = start(context.new_page(), "slow", "?date=2013-01-08")
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(address)
        ends(page, "made")
