"""What a catalog promises, whether it is a SQLite file or on a PostgreSQL server."""

from __future__ import annotations

import multiprocessing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from workflows.errors import CatalogError
from workflows.store import catalog as catalogs
from workflows.store.address import TABLE, Address
from workflows.store.artefacts import Store, described
from workflows.store.catalog import Catalog, Row, Subject
from workflows.store.provenance import Provenance

pytestmark = pytest.mark.integration

OLD, NEW = "0ld0".replace("l", "1") * 10, "0fee" * 10
DAY, NEXT = "2020-01-01", "2020-01-02"


@pytest.fixture
def url(catalog_url: str) -> str:
    return catalog_url


def row(task: str, version: str, *inputs: tuple[str, str], date: str = DAY, **others: Any) -> Row:
    address = Address(task, date, version * 64, others.pop("template", None))
    template = {"name": address.template, "digest": "t", "values": {}} if address.template else None
    fields: dict[str, Any] = {
        "code": {"digest": "d" * 64, "files": {}, "commit": others.pop("commit", OLD), "dirty": False},
        "inputs": [{"task": name, "date": date, "version": digit * 64, "digest": ""} for name, digit in inputs],
        "started": f"2026-01-0{others.pop('day', 1)}T00:00:00+00:00",
        "environment": {"python": "3.11.7", "packages": {}},
        **others,
    }
    record = Provenance(
        task, address.version, {"date": date}, outputs={}, seconds=1.0, host="h", user="u", task_id="", template=template,
        **fields,
    )  # fmt: skip
    return Row.of(address.path, record)


@pytest.fixture
def catalog(url: str) -> Catalog:
    """Two dates, each Events -> Cleaned -> a report; the second report takes over the first day's bytes at a new commit."""
    found = Catalog(url)
    assert not found.exists()
    found.create(complete=True)
    found.add([row("Events", "1"), row("Events", "2", date=NEXT)])
    found.add([row("Cleaned", "3", ("Events", "1")), row("Cleaned", "4", ("Events", "2"), date=NEXT)])
    found.add([row("ReportTask", "5", ("Cleaned", "3"), template="small")])
    found.add([row("ReportTask", "6", ("Cleaned", "4"), date=NEXT, template="small", day=2)])
    found.add([row("Cleaned", "7", ("Events", "8"), commit=NEW, reused_from="3" * 64)])
    found.add([row("ReportTask", "9", ("Cleaned", "7"), template="small", commit=NEW, day=3)])
    return found


def users(catalog: Catalog, reports_only: bool = True, **subject: str) -> list[str]:
    """The first digits of the versions of what used it, with a plus where by taking over only."""
    found = catalog.users(Subject("", **subject), reports_only)
    return [user.version[0] + ("+" if user.took_over else "") for user in found]


def test_a_catalog_is_complete_when_it_is_said_to_be(url: str) -> None:
    found = Catalog(url)
    found.create(complete=False)
    assert not found.is_complete()
    found.completed()
    assert found.is_complete()


def test_a_catalog_of_before_takes_the_store_that_writes_first(url: str) -> None:
    Catalog(url).create(complete=True)
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE about DROP COLUMN store"))
        connection.execute(text("ALTER TABLE about DROP COLUMN beside"))
    engine.dispose()
    Catalog(url, "s3://one").add([row("Events", "1")])
    assert Catalog(url, "s3://one").has_task("Events")
    with pytest.raises(CatalogError, match="is that of the store s3://one, not of s3://other"):
        Catalog(url, "s3://other").has_task("Events")


def test_a_catalog_that_is_there_is_not_made_again(catalog: Catalog) -> None:
    catalog.create(complete=False)
    assert catalog.is_complete()


def test_the_reports_of_a_task_come_newest_first_with_what_took_over_its_bytes(catalog: Catalog) -> None:
    assert users(catalog, task="Events") == ["9", "6", "5"]
    assert users(catalog, task="Events", date=DAY) == ["9", "5"]
    assert users(catalog, task="Events", date=NEXT) == ["6"]


def test_a_report_that_used_a_version_through_bytes_taken_over_is_marked(catalog: Catalog) -> None:
    assert users(catalog, version="1" * 64) == ["9+", "5"]
    assert users(catalog, version="3" * 64) == ["9+", "5"]
    assert users(catalog, version="7" * 16) == ["9"]


def test_a_version_that_only_others_name_has_users(catalog: Catalog) -> None:
    assert users(catalog, version="8" * 64) == ["9"]
    assert catalog.versions("8" * 8) == [("8" * 16, "Events", DAY)]


def test_a_commit_was_used_by_what_it_made_and_what_was_made_from_that(catalog: Catalog) -> None:
    assert users(catalog, commit=NEW) == ["9"]
    assert users(catalog, commit=OLD) == ["9+", "6", "5"]
    assert users(catalog, commit="f" * 40) == []


def test_the_results_in_between_are_listed_without_the_subject(catalog: Catalog) -> None:
    assert sorted(users(catalog, False, version="1" * 64)) == ["3", "5", "7+", "9+"]
    assert sorted(users(catalog, False, task="Cleaned")) == ["5", "6", "9"]
    assert sorted(users(catalog, False, commit=NEW)) == ["7", "9"]


def test_commits_and_versions_are_found_by_their_first_digits(catalog: Catalog) -> None:
    assert catalog.commits("0") == sorted([OLD, NEW])
    assert catalog.commits(NEW[:4]) == [NEW]
    assert catalog.commits("0ff") == []
    assert catalog.versions("3" * 20) == [("3" * 64, "Cleaned", DAY)]
    assert catalog.versions("3" * 20 + "4") == []


def test_tasks_are_known_by_name(catalog: Catalog) -> None:
    assert catalog.tables() == ["Cleaned", "Events"]
    assert catalog.has_task("Events")
    assert not catalog.has_task("events")


def test_a_row_replaces_what_was_known_of_its_path(catalog: Catalog) -> None:
    catalog.add([row("ReportTask", "5", ("Cleaned", "3"), template="small", commit=NEW)])
    assert users(catalog, commit=NEW) == ["9", "5"]


def test_a_piece_is_written_whole_or_not_at_all(catalog: Catalog) -> None:
    broken = row("Events", "b")
    broken.artefact["version"] = None
    with pytest.raises(CatalogError):
        catalog.add([row("Events", "a"), broken])
    assert catalog.versions("a" * 8) == []


def _write(store: Store, number: int) -> None:
    for n in range(10):
        address = Address("ReportTask", DAY, f"{number:08x}{n:08x}" + "0" * 48, "small")
        with store.staged() as folder:
            (folder / TABLE).write_bytes(b"the table")
            record = Provenance(
                "ReportTask", address.version, {}, {"digest": "d", "files": {}, "commit": OLD, "dirty": False},
                {"python": "3.11.7", "packages": {}}, [], described(folder, {TABLE: 1}), "2026", 1.0, "h", "u", "",
                template={"name": "small", "digest": "t", "values": {}},
            )  # fmt: skip
            store.publish(folder, address, record)


def test_several_processes_make_and_write_a_catalog(url: str, tmp_path: Path) -> None:
    store = Store.at(str(tmp_path / "store"), tmp_path / "cache", url)
    writers = [multiprocessing.get_context("fork").Process(target=_write, args=(store, n)) for n in range(4)]
    for process in writers:
        process.start()
    for process in writers:
        process.join()
        assert process.exitcode == 0
    assert len(store.index.ask(lambda found: found.users(Subject("", commit=OLD), True))) == 40


def test_a_locked_table_of_a_server_is_waited_for_some_time(postgresql: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogs, "PATIENCE", 0.1)
    found = Catalog(postgresql)
    found.create(complete=True)
    engine = create_engine(postgresql)
    with engine.connect() as other, other.begin():
        other.execute(text("LOCK TABLE artefacts"))
        with pytest.raises(CatalogError, match="is locked by another process"):
            found.add([row("Events", "1")])
    engine.dispose()


WRONG = [
    ("nonsense://somewhere/there", "the catalog nonsense://somewhere/there cannot be used"),
    (
        "postgresql+psycopg://u:secret@127.0.0.1:1/none",
        r"the catalog postgresql\+psycopg://u:\*\*\*@127.0.0.1:1/none cannot",
    ),
]


@pytest.mark.parametrize(("wrong", "why"), WRONG)
def test_a_url_where_no_catalog_can_be_is_named_without_its_password(wrong: str, why: str) -> None:
    with pytest.raises(CatalogError, match=why):
        Catalog(wrong).exists()
