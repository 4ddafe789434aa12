"""The page of a report: its tabs, its files, the package of it, and the address of the latest."""

from __future__ import annotations

import datetime
import hashlib
import io
import zipfile
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from reports_made import HOSTILE, paths, see

from workflows import settings
from workflows.requests.queue import Requests
from workflows.requests.request import Ask
from workflows.web.reports import report_files

TABS = ("report", "provenance", "timing", "log", "measures", "files", "again")
STORE = Path("data/store")


def small(client: FlaskClient) -> str:
    """The report of `small` that was made first, with the template's own values."""
    return paths(client, "?template=small&date=2020-01-01")[-1]


def test_the_head_says_what_it_is_and_leads_to_its_kin(reports: FlaskClient) -> None:
    newer, older = paths(reports, "?template=small&date=2020-01-01")
    page = reports.get(f"/reports/{newer}").text
    assert '<span class="soft">factor</span> 3.0' in page
    links = see(reports, f"/reports/{newer}").links
    assert "/templates/small?date=2020-01-01&factor=3.0" in links
    assert "/latest/small/2020-01-01?parameters=%7B%22factor%22%3A3.0%7D" in links
    assert older != newer


def test_it_is_compared_with_the_day_before(reports: FlaskClient) -> None:
    later = paths(reports, "?template=small&date=2020-01-02")[0]
    links = see(reports, f"/reports/{later}").links
    assert f"/compare?a={small(reports)}&b={later}" in [link.replace("%2F", "/") for link in links]


def test_it_shows_in_a_frame_that_reaches_nothing(reports: FlaskClient) -> None:
    path = small(reports)
    frame = next(found for tag, found in see(reports, f"/reports/{path}").tags if tag == "iframe")
    assert frame["sandbox"] == "allow-scripts allow-popups allow-downloads"
    answer = reports.get(frame["src"])
    assert answer.data == (STORE / path / "report.html").read_bytes()
    policy = answer.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-scripts allow-popups allow-downloads;")
    assert "connect-src 'none'" in policy
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("tab", TABS)
def test_each_tab_answers_for_what_was_made_and_what_failed(reports: FlaskClient, tab: str) -> None:
    for path in paths(reports):
        current = [found for _, found in see(reports, f"/reports/{path}?tab={tab}").tags if "aria-current" in found]
        assert [found["href"].endswith(path if tab == "report" else f"?tab={tab}") for found in current] == [True]


def test_a_tab_that_is_none_is_not_found(reports: FlaskClient) -> None:
    assert reports.get(f"/reports/{small(reports)}?tab=../base").status_code == 404


def test_every_box_of_the_graph_leads_to_its_line_in_the_tree(reports: FlaskClient) -> None:
    page = see(reports, f"/reports/{small(reports)}?tab=provenance")
    boxes = [link[1:] for link in page.links if link.startswith("#g")]
    assert len(boxes) == 3
    assert set(boxes) <= page.ids


def test_the_tree_says_where_the_data_are_from(reports: FlaskClient) -> None:
    text = reports.get(f"/reports/{small(reports)}?tab=provenance").text
    assert "<b>Events 2020-01-01</b>" in text
    assert "2 rows from acme.db, fingerprint" in text
    assert "factor 2.0" in text


def test_timing_has_a_line_for_each_slow_part(reports: FlaskClient) -> None:
    text = reports.get(f"/reports/{small(reports)}?tab=timing").text
    assert 'scope="row">ReportTask small 2020-01-01</th>' in text
    assert 'scope="row">cells</th>' in text


def test_a_measure_leads_to_its_trend(reports: FlaskClient) -> None:
    path = paths(reports, "?template=hostile&state=made")[0]
    links = see(reports, f"/reports/{path}?tab=measures").links
    assert any(link.startswith("/trends?template=hostile&measure=%22%3E%3Cimg") for link in links)


def test_what_a_command_made_says_where_its_log_was(reports: FlaskClient) -> None:
    assert "was made by a command on" in reports.get(f"/reports/{small(reports)}?tab=log").text


def test_the_log_of_its_request_is_text(own_reports: FlaskClient) -> None:
    """Without what a terminal would obey."""
    path, requests = small(own_reports), Requests(settings.load().web)
    asked = requests.ask([Ask("small", datetime.date(2020, 1, 1))], "ada", "")[0]
    begun = requests.begin(asked.id)
    assert begun
    requests.finish(begun, "made", "", path)
    requests.events(asked.id).log.write_text(f"\x1b[31mred\x1b[0m {HOSTILE}\x07\n")
    text = own_reports.get(f"/reports/{path}?tab=log").text
    assert "red &#34;&gt;&lt;img src=x onerror=alert(1)&gt;" in text
    assert f'href="/requests/{asked.id}"' in text


def test_its_files_are_those_that_were_written(reports: FlaskClient) -> None:
    for path in paths(reports):
        links = [link for link in see(reports, f"/reports/{path}?tab=files").links if link.endswith("?download=1")]
        text = reports.get(f"/reports/{path}?tab=files").text
        assert len(links) == (3 if path.startswith("failed/") else 4)
        for link in links:
            answer = reports.get(link)
            name = link.rpartition("/")[2].removesuffix("?download=1")
            assert answer.data == (STORE / path / name).read_bytes()
            assert hashlib.sha256(answer.data).hexdigest() in text
            assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
            assert answer.headers["Content-Security-Policy"].startswith("sandbox ")


def test_only_the_page_is_shown_and_not_kept(reports: FlaskClient) -> None:
    path = small(reports)
    assert "Content-Disposition" not in reports.get(f"/reports/{path}/files/report.html").headers
    for name in ("report.ipynb", "measures.json", "provenance.json"):
        answer = reports.get(f"/reports/{path}/files/{name}")
        label = f"small-2020-01-01-{name}"
        assert answer.headers["Content-Disposition"] == f'attachment; filename="{label}"'


def test_a_browser_that_has_a_file_is_told_so(reports: FlaskClient) -> None:
    address = f"/reports/{small(reports)}/files/report.html"
    tag = reports.get(address).headers["ETag"]
    assert reports.get(address, headers={"If-None-Match": tag}).status_code == 304


@pytest.mark.parametrize(
    "address",
    [
        "ReportTask/2020-01-01/small-0000000000000000",
        "failed/small/2020-01-01/2026-01-01T00-00-00",
        "ReportTask/2020-01-01/../../../etc/passwd",
        "ReportTask/2020-01-01/%2e%2e%2f%2e%2e",
        "ReportTask/2020-02-31/small-0000000000000000",
        "failed/2020-01-01/2020-02-31/2026-01-01T00-00-00",
        "failed/small/2020-01-01/..",
        "Cleaned/2020-01-01/0000000000000000",
        "code/sources",
        "/etc/passwd",
        "ReportTask//2020-01-01/small-0000000000000000",
        "ReportTask/2020-01-01/small-0000000000000000%00",
    ],
)
@pytest.mark.parametrize(
    "more", ["", "?tab=files", "/files/report.html", "/files/..%2fprovenance.json", "/notebook.zip"]
)
def test_no_other_address_is_a_report(reports: FlaskClient, address: str, more: str) -> None:
    assert reports.get(f"/reports/{address}{more}").status_code in (404, 308)


@pytest.mark.parametrize("name", ["../provenance.json", "..%2f..%2fx", ".hidden", "report.html%00", "passwd", "%2fetc"])
def test_no_other_name_is_a_file_of_it(reports: FlaskClient, name: str) -> None:
    assert reports.get(f"/reports/{small(reports)}/files/{name}").status_code == 404


def test_a_file_that_was_put_beside_it_is_none_of_it(own_reports: FlaskClient) -> None:
    path = small(own_reports)
    (STORE / path / "extra.html").write_text("<script>alert(1)</script>")
    assert own_reports.get(f"/reports/{path}/files/extra.html").status_code == 404


def test_a_damaged_report_says_so_and_is_not_shown(own_reports: FlaskClient) -> None:
    path = small(own_reports)
    (STORE / path / "report.html").write_text("<p>other</p>")
    for tab in TABS:
        text = own_reports.get(f"/reports/{path}?tab={tab}").text
        assert "This report is damaged.</strong> report.html is not what was written" in text
    assert own_reports.get(f"/reports/{path}/files/report.html").status_code == 409
    assert (STORE / path).is_dir()


@pytest.mark.parametrize("record", ["", "{}", "[1]", "\x00"])
def test_a_report_whose_record_cannot_be_read_says_so(own_reports: FlaskClient, record: str) -> None:
    path = small(own_reports)
    (STORE / path / "provenance.json").write_text(record)
    for tab in TABS:
        answer = own_reports.get(f"/reports/{path}?tab={tab}")
        assert "This report is damaged.</strong>" in answer.text
        assert answer.status_code == 200


def test_a_deleted_report_says_so(own_reports: FlaskClient) -> None:
    from workflows.answers.found import store

    path = small(own_reports)
    store().remove_reports([path])
    answer = own_reports.get(f"/reports/{path}")
    assert answer.status_code == 404
    assert "it was deleted, or never made" in answer.text


def test_the_latest_is_at_an_address_that_stays(reports: FlaskClient) -> None:
    newest = paths(reports, "?template=small&date=2020-01-02")[0]
    with_values = paths(reports, "?template=small&date=2020-01-01")[0]
    assert reports.get("/latest/small").location == f"/reports/{newest}"
    assert reports.get("/latest/small/2020-01-01").location == f"/reports/{small(reports)}"
    spelled = reports.get("/latest/small", query_string={"parameters": '{ "factor" : 3.0 }'})
    assert (spelled.status_code, spelled.location) == (302, f"/reports/{with_values}")


@pytest.mark.parametrize(
    "address", ["small/2019-01-01", "small/today", "none", "small?parameters={", "hostile/2020-01-01", "..%2fx"]
)
def test_without_a_report_there_is_no_latest(reports: FlaskClient, address: str) -> None:
    answer = reports.get(f"/latest/{address}")
    assert answer.status_code == 404 or address == "small?parameters={"


def test_its_notebook_is_packed_with_its_values_and_data(reports: FlaskClient) -> None:
    """Of a report that failed too, and nothing is left behind."""
    for path in (small(reports), paths(reports, "?state=failed")[0]):
        name = "hostile-2020-01-01-failed" if path.startswith("failed") else "small-2020-01-01"
        with reports.get(f"/reports/{path}/notebook.zip") as answer:
            assert answer.headers["Content-Disposition"] == f"attachment; filename={name}.zip"
            with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
                found = set(archive.namelist())
        wanted = {f"{name.split('-')[0]}.ipynb", "data/cleaned.parquet", "README.md", "requirements.txt"}
        assert {f"{name}/{one}" for one in wanted} <= found


def test_what_is_too_large_is_not_packed(reports: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_files, "LARGEST", 10)
    path = small(reports)
    assert reports.get(f"/reports/{path}/notebook.zip").status_code == 413
    assert "too much for a download" in reports.get(f"/reports/{path}?tab=again").text


def test_every_link_of_its_pages_leads_somewhere(reports: FlaskClient) -> None:
    """Those to the pages about reports."""
    seen: set[str] = set()
    for path in paths(reports):
        for tab in TABS:
            seen |= set(see(reports, f"/reports/{path}?tab={tab}").links)
    own = [link for link in seen if link.startswith(("/reports/", "/latest/", "/?", "/calendar"))]
    codes = {link: reports.get(link).status_code for link in own if not link.endswith(".zip")}
    assert len(codes) > 40
    assert set(codes.values()) == {200, 302}
