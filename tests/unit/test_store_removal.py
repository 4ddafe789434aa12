"""Reports are deleted from a store, and nothing else ever is."""

from __future__ import annotations

import shutil
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import fsspec
import pytest

from workflows.store.address import FAILURE, MEASURES, REPORT, TABLE, Address
from workflows.store.artefacts import Store, described
from workflows.store.listing import Filter
from workflows.store.provenance import Provenance

DAY = "2013-01-15"
MADE = Address("ReportTask", DAY, "a" * 64, "daily")
OTHER = Address("ReportTask", DAY, "b" * 64, "daily")
TABLES = Address("Events", DAY, "c" * 64)


def record(address: Address, **others: object) -> Provenance:
    code = {"digest": "d", "files": {}, "commit": "1" * 40, "dirty": False}
    template = {"name": address.template, "digest": "t", "values": {}} if address.template else None
    fields = {"inputs": [], "outputs": {}, **others}
    return Provenance(
        address.task, address.version, {}, code, {"python": "3.11.7", "packages": {}}, started="2026-01-01T00:00:00+00:00",
        seconds=1.0, host="h", user="u", task_id="", template=template, **fields,
    )  # type: ignore[arg-type]  # fmt: skip


def put(store: Store, address: Address) -> str:
    with store.staged() as folder:
        names = (REPORT, MEASURES) if address.template else (TABLE,)
        for name in names:
            (folder / name).write_text("bytes")
        store.publish(folder, address, record(address, outputs=described(folder, dict.fromkeys(names))))
    return address.path


def fail(store: Store) -> str:
    with store.staged() as folder:
        (folder / REPORT).write_text("bytes")
        failure = {"cell": 1, "of": 1, "reason": "boom", "line": ""}
        (folder / FAILURE).write_text(record(MADE, failure=failure).to_json())
        return store.failures.keep(folder, "daily", DAY, datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "catalog.db"


@pytest.fixture(params=["folder", "memory"])
def opened(request: pytest.FixtureRequest, tmp_path: Path, file: Path) -> Iterator[Callable[[], Store]]:
    """The store as a new process sees it, a folder or an object store."""
    location = str(tmp_path / "store") if request.param == "folder" else f"memory://{uuid.uuid4().hex}"
    yield lambda: Store.at(location, tmp_path / "cache", f"sqlite:///{file}")
    files, root = fsspec.core.url_to_fs(location)
    if request.param == "memory" and files.exists(root):
        files.rm(root, recursive=True)


def listed(store: Store) -> list[str]:
    return sorted(entry.path for entry in store.listing.page(Filter()).entries)


def test_reports_made_and_failed_are_gone_with_their_rows(opened: Callable[[], Store], file: Path) -> None:
    made, other, tables = (put(opened(), address) for address in (MADE, OTHER, TABLES))
    failed = fail(opened())
    found = opened().remove_reports([made, failed, made])
    assert (found.removed, found.refused) == ([made, failed], {})
    store = opened()
    assert [store._place.files(path) for path in (made, failed)] == [[], []]
    assert all(store.at_path(path) for path in (other, tables))
    assert listed(store) == [other]
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT path FROM reports").fetchall() == [(other,)]
        [row] = connection.execute("SELECT count(DISTINCT report) FROM postings").fetchall()
        assert row == (1,)


def test_a_report_that_was_deleted_can_be_made_again(opened: Callable[[], Store]) -> None:
    store = opened()
    put(store, MADE)
    assert store.intact(MADE)
    store.remove_reports([MADE.path])
    assert not store.intact(MADE)
    put(store, MADE)
    assert listed(opened()) == [MADE.path]
    assert store.find(MADE)


REFUSED = [
    "", ".", "/", "..", "ReportTask", "failed", "ReportTask/2013-01-15", "failed/daily/2013-01-15", "provenance.json",
    f"/{MADE.path}", f"./{MADE.path}", f"{MADE.path}/", f"{MADE.path}/report.html", f"{MADE.path}\n", f"x/../{MADE.path}",
    f"ReportTask/../{TABLES.path}", f"ReportTask/2013-01-15/../{MADE.path}", TABLES.path, TABLES.path.replace("Events", "ReportTask"),
    "ReportTask/2013-01-15/..-aaaaaaaaaaaaaaaa", "ReportTask/2013-01-15/.x-aaaaaaaaaaaaaaaa", "failed/../ReportTask/2013-01-15",
    "failed/../2013-01-15/2026-01-01T00-00-00", "failed/daily/2013-01-15/..", "ReportTask/2013-01-15/\0-aaaaaaaaaaaaaaaa",
    "ReportTask/٢٠١٣-01-15/daily-aaaaaaaaaaaaaaaa", "ReportTask/*/daily-aaaaaaaaaaaaaaaa", "code", "damaged/ReportTask/2013-01-15/x",
    "file:///etc/passwd", "ReportTask\\2013-01-15\\daily-aaaaaaaaaaaaaaaa",
]  # fmt: skip


@pytest.mark.parametrize("path", REFUSED)
def test_what_is_no_folder_of_a_report_is_refused(opened: Callable[[], Store], path: str) -> None:
    for address in (MADE, TABLES):
        put(opened(), address)
    assert opened().remove_reports([path]).refused == {path: "it is the folder of no report"}
    store = opened()
    assert all(store.find(address) for address in (MADE, TABLES))


@pytest.mark.parametrize("name", ["daily", "\ud800", "x" * 5000, "é" * 200, "*", "%"])
def test_what_is_not_there_is_refused(opened: Callable[[], Store], name: str) -> None:
    put(opened(), MADE)
    paths = [f"ReportTask/{DAY}/{name}-{'f' * 16}", f"failed/{name}/{DAY}/2026-01-01T00-00-00-2"]
    found = opened().remove_reports([*paths, MADE.path])
    assert list(found.refused) == paths
    assert all(found.refused.values())
    assert found.removed == [MADE.path]


def test_what_is_left_of_an_interrupted_deletion_can_be_deleted(opened: Callable[[], Store]) -> None:
    path = put(opened(), MADE)
    opened()._place.remove(f"{path}/provenance.json")
    assert listed(opened()) in ([], [path])
    assert opened().remove_reports([path]).removed == [path]
    assert opened()._place.files(path) == []


@pytest.mark.parametrize("content", [None, b"no database at all"])
def test_reports_are_deleted_where_there_is_no_catalog(
    opened: Callable[[], Store], file: Path, content: bytes | None
) -> None:
    paths = [put(opened(), MADE), fail(opened())]
    file.unlink()
    if content:
        file.write_bytes(content)
    assert opened().remove_reports(paths).removed == paths
    assert listed(opened()) == []


@pytest.mark.parametrize("linked", ["ReportTask", f"ReportTask/{DAY}", MADE.path])
def test_what_is_reached_by_a_link_is_left(tmp_path: Path, file: Path, linked: str) -> None:
    store = Store.at(str(tmp_path / "store"), tmp_path / "cache", f"sqlite:///{file}")
    put(store, MADE)
    shutil.move(tmp_path / "store" / linked, tmp_path / "elsewhere")
    (tmp_path / "store" / linked).symlink_to(tmp_path / "elsewhere")
    [why] = store.remove_reports([MADE.path]).refused.values()
    assert "is reached by a link and may lie outside the store; it was left as it is" in why
    assert store.find(MADE)


def test_a_store_without_a_catalog_loses_reports_too(tmp_path: Path) -> None:
    store = Store.at(str(tmp_path / "store"), tmp_path / "cache")
    assert store.remove_reports([put(store, MADE)]).removed == [MADE.path]
    assert store.find(MADE) is None


def test_nothing_is_left_of_what_was_deleted(tmp_path: Path, file: Path) -> None:
    store = Store.at(str(tmp_path / "store"), tmp_path / "cache", f"sqlite:///{file}")
    paths = [put(store, MADE), fail(store)]
    (tmp_path / "store" / paths[0] / ".hidden").mkdir()
    store.remove_reports(paths)
    assert [path for path in (tmp_path / "store").rglob("*") if path.is_file()] == []
    assert list((tmp_path / "store" / ".staging").iterdir()) == []
