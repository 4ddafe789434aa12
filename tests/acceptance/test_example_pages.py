"""The example's reports on ordinary and odd days: their measures against the database, their pages in a real browser."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import sqlite3
import subprocess
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import fmean, median
from typing import Any

import pytest

pytestmark = pytest.mark.acceptance

DATES = ["2013-01-01", "2013-01-15", "2013-02-08", "2013-12-31"]
TITLES = {
    "anomaly_report": "What was unusual",
    "daily": "The day at a glance",
    "sanity_check": "Is the data fit for use?",
}


@pytest.fixture(scope="module")
def folders(example_day: Callable[[str], tuple[Any, Any]]) -> dict[tuple[str, str], Path]:
    """Each report's folder by template and date."""
    for date in DATES:
        place, done = example_day(date)
        assert (done.code, done.out.count("report: ")) == (0, len(TITLES)), done.err
    return {(path.name.rpartition("-")[0], path.parent.name): path for path in place.artefacts("ReportTask")}


@pytest.fixture(scope="module")
def database(nyc: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(f"file:{nyc}?mode=ro", uri=True)
    yield connection
    connection.close()


def measures(folder: Path) -> dict[str, Any]:
    rows = json.loads((folder / "measures.json").read_text())["measures"]
    return {row["name"]: row["value"] for row in rows}


@pytest.mark.parametrize("date", DATES)
def test_the_measures_of_the_daily_report_are_those_of_the_database(folders: Any, database: Any, date: str) -> None:
    rows = database.execute("SELECT dep_delay FROM flights WHERE date = ?", (date,)).fetchall()
    delays = [delay for (delay,) in rows if delay is not None]
    assert measures(folders["daily", date]) == {
        "late_share": pytest.approx(sum(delay >= 15 for delay in delays) / len(delays)),
        "cancelled_share": pytest.approx(1 - len(delays) / len(rows)),
        "median_delay": median(delays),
    }


COVERAGE = """
SELECT avg(EXISTS (SELECT 1 FROM weather WHERE weather.date BETWEEN date(:date, '-1 day') AND date(:date, '+1 day')
                   AND weather.origin = flights.origin AND weather.time_hour = flights.time_hour))
FROM flights WHERE flights.date = :date
"""


@pytest.mark.parametrize("date", DATES)
def test_the_weather_coverage_is_that_of_the_database(folders: Any, database: Any, date: str) -> None:
    [expected] = database.execute(COVERAGE, {"date": date}).fetchone()
    assert measures(folders["sanity_check", date])["weather_coverage"] == pytest.approx(expected)


@pytest.mark.parametrize("date", DATES)
def test_the_sanity_check_counts_the_checks_that_its_page_shows_as_failed(folders: Any, date: str) -> None:
    page = (folders["sanity_check", date] / "report.html").read_text()
    assert ">pass</span>" in page
    assert measures(folders["sanity_check", date])["failed_checks"] == page.count(">fail</span>")


def test_the_sanity_check_passes_a_plain_day_only(folders: Any) -> None:
    """Half of the blizzard's flights were cancelled, and the last day has no weather: two checks of their own."""
    failed = {date: measures(folders["sanity_check", date])["failed_checks"] for date in DATES}
    assert failed["2013-01-15"] == 0
    assert failed["2013-02-08"] >= 1
    assert failed["2013-12-31"] >= 2


FLIGHTS = "SELECT origin, carrier, sched_dep_time / 100, dep_delay FROM flights WHERE"


def scores(database: sqlite3.Connection, date: str) -> list[float | None]:
    """The modified z-score of each flight of a day, worked out without the pipeline."""
    history: dict[tuple[Any, ...], list[float]] = defaultdict(list)
    before = f"{FLIGHTS} date >= date(:date, '-28 days') AND date < :date AND dep_delay IS NOT NULL"
    for *group, delay in database.execute(before, {"date": date}):
        history[tuple(group)].append(delay)

    def score(known: list[float], delay: float | None) -> float | None:
        if delay is None or len(known) < 10:
            return None
        middle = median(known)
        away = [abs(value - middle) for value in known]
        spread = 1.4826 * median(away) or 1.2533 * fmean(away)
        return (delay - middle) / spread if spread else None

    return [score(history[tuple(group)], delay) for *group, delay in database.execute(f"{FLIGHTS} date = ?", (date,))]


@pytest.mark.parametrize("date", DATES)
def test_the_measures_of_the_anomaly_report_follow_from_the_database(folders: Any, database: Any, date: str) -> None:
    found = scores(database, date)
    scored = [score for score in found if score is not None]
    beyond = sum(abs(score) > 3.5 for score in scored)
    assert measures(folders["anomaly_report", date]) == {
        "anomalies": beyond if scored else None,
        "anomaly_share": pytest.approx(beyond / len(scored)) if scored else None,
        "scored_share": pytest.approx(len(scored) / len(found)),
    }


# What is added to a page, to tell the page around it what its reader sees. A picture is counted by its colours.
PROBE = """<script>addEventListener("load", () => {
  const all = selector => [...document.querySelectorAll(selector)];
  const heights = () => all("main .input").map(cell => cell.getBoundingClientRect().height);
  const colours = picture => {
    const canvas = document.createElement("canvas"), to = canvas.getContext("2d");
    [canvas.width, canvas.height] = [picture.naturalWidth, picture.naturalHeight];
    if (!canvas.width) return 0;
    to.drawImage(picture, 0, 0);
    return new Set(new Uint32Array(to.getImageData(0, 0, canvas.width, canvas.height).data.buffer)).size;
  };
  const seen = {title: document.title, headings: all("h1, h2").map(heading => heading.textContent.trim()),
    pictures: all("main img").map(colours), opened: heights()};
  document.querySelector("label[for=show-code]").click();
  parent.postMessage({...seen, toggled: heights()}, "*");
});</script>"""
AROUND = """<!DOCTYPE html><meta charset="utf-8"><pre id="seen"></pre><script>addEventListener("message", told => {
  const number = Array.from(frames).indexOf(told.source);
  document.getElementById("seen").append(JSON.stringify([number, told.data]) + "\\n");
});</script>"""


@pytest.fixture(scope="module")
def chromium() -> str:
    """The browser; where it is missing its tests are skipped on a laptop, and fail in CI."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not found and not os.environ.get("CI"):
        pytest.skip("no browser on this machine: install chromium")
    assert found, "no browser on this machine: .ci/run installs chromium"
    return found


@pytest.fixture(scope="module")
def browser(
    chromium: str, folders: dict[tuple[str, str], Path], tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[tuple[str, str], Any], list[str]]:
    """What a reader sees of each page in a browser without a network, and what the browser complains about."""
    desk = tmp_path_factory.mktemp("desk")
    names = sorted(folders)
    for number, name in enumerate(names):
        page, end, rest = (folders[name] / "report.html").read_text().rpartition("</body>")
        (desk / f"{number}.html").write_text(page + PROBE + end + rest)
    sheets = [f'<iframe src="{number}.html" width="1200" height="900"></iframe>' for number in range(len(names))]
    (desk / "all.html").write_text(AROUND + "".join(sheets))
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
    options += [f"--user-data-dir={desk / 'profile'}", "--host-resolver-rules=MAP * ~NOTFOUND"]
    options += ["--enable-logging=stderr", "--virtual-time-budget=20000", "--dump-dom"]
    command = [chromium, *options, (desk / "all.html").as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90)
    [told] = re.findall(r'<pre id="seen">(.*?)</pre>', done.stdout, re.DOTALL)
    seen = dict(json.loads(line) for line in html.unescape(told).splitlines())
    assert sorted(seen) == list(range(len(TITLES) * len(DATES))), done.stderr
    complaints = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    return {names[number]: page for number, page in seen.items()}, complaints


def test_a_browser_without_a_network_has_nothing_to_complain_about(browser: Any) -> None:
    assert browser[1] == []


def test_a_page_is_headed_by_its_template_and_date(browser: Any) -> None:
    for (template, date), page in browser[0].items():
        assert page["title"] == f"{TITLES[template]} · {date}"
        assert page["headings"][0] == TITLES[template]
        assert page["headings"][-1] == "How this report came to be"


def test_every_picture_of_a_page_is_drawn(browser: Any) -> None:
    """A picture that is broken or blank has no colours, or one."""
    for name, page in browser[0].items():
        assert page["pictures"], name
        assert min(page["pictures"]) > 10, name


def test_code_is_hidden_until_the_reader_asks_for_it(browser: Any) -> None:
    for name, page in browser[0].items():
        assert set(page["opened"]) == {0}, name
        assert min(page["toggled"]) > 20, name
