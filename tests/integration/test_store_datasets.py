"""Datasets in a store, a folder or an object store: immutable, checked when read, carried in one file."""

from __future__ import annotations

import dataclasses
import json
import os
import uuid
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest

from workflows.errors import DamagedDataset, DatasetError, PathError, StoreError
from workflows.identity.canonical import digest, digest_bytes
from workflows.store.artefacts import Store
from workflows.store.dataset import RECORD, Answer, Asked, Dataset, Description

pytestmark = pytest.mark.integration

TABLE = "Events-2020-01-01.parquet"
NAMES = ["", ".", "..", "../x", "a/b", "/etc", ".hidden", "a\0b", "a b", "none", "x" * 65, "a\n", "é"]


@pytest.fixture(params=["folder", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "folder":
        yield Store.at(str(tmp_path / "store"), tmp_path / "cache")
        return
    location = f"memory://{uuid.uuid4().hex}"
    yield Store.at(location, tmp_path / "cache")
    files, root = fsspec.core.url_to_fs(location)
    if files.exists(root):
        files.rm(root, recursive=True)


def described(data: bytes, name: str = "small", note: str = "why") -> Description:
    answer = Answer({"date": {"date": "2020-01-01"}}, "f" * 64, 2, TABLE, digest_bytes(data), len(data))
    asked = Asked("Events", "sql", "SELECT 1", [answer])
    return Description(name, note, "2020-01-02T03:04:05+00:00", "me", "here", "acme.db", None, {"Events": {}}, [asked])


def add(store: Store, name: str = "small", data: bytes = b"the table", note: str = "why") -> Dataset:
    with store.datasets.drafting() as draft:
        draft.write(TABLE, data)
        return store.datasets.add(draft, described(data, name, note))


def overwrite(store: Store, file: str, data: bytes, name: str = "small") -> None:
    store._place.put(f"datasets/{name}/{file}", data)


def only(dataset: Dataset) -> Answer:
    [answer] = dataset.description.kept()
    return answer


def test_what_was_added_is_found_again_with_its_bytes(store: Store) -> None:
    add(store)
    found = store.datasets.find("small")
    assert store.datasets.names() == ["small"]
    assert found.description == described(b"the table")
    assert found.read(only(found)) == b"the table"


def test_a_name_is_given_once(store: Store) -> None:
    add(store)
    with pytest.raises(DatasetError, match=r"has a dataset 'small' already, and datasets never change") as caught:
        add(store, data=b"another")
    assert caught.value.exit_code == 2
    found = store.datasets.find("small")
    assert found.read(only(found)) == b"the table"


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_could_lead_elsewhere_is_refused(store: Store, name: str, tmp_path: Path) -> None:
    for act in (store.datasets.find, store.datasets.refuse_taken, lambda name: store.datasets.opened(name, tmp_path)):
        with pytest.raises(DatasetError, match="is no name for a dataset; expected up to 64 letters"):
            act(name)


def test_a_dataset_that_is_not_there_is_said_with_the_nearest_name(store: Store) -> None:
    add(store)
    with pytest.raises(DatasetError, match=r"there is no dataset 'smal'.*Did you mean 'small'\?.*parcours freeze"):
        store.datasets.find("smal")


def test_a_table_with_other_bytes_is_refused_and_stays(store: Store) -> None:
    found = add(store)
    overwrite(store, TABLE, b"other")
    with pytest.raises(
        DamagedDataset, match=rf"damaged: .*{TABLE} is {digest_bytes(b'other')[:16]}, recorded was"
    ) as e:
        found.read(only(found))
    assert e.value.exit_code == 1
    assert "Import it again" in str(e.value)
    assert store._place.read(f"datasets/small/{TABLE}") == b"other"


def test_a_table_that_is_gone_is_said(store: Store) -> None:
    found = add(store)
    store._place.remove(f"datasets/small/{TABLE}")
    with pytest.raises(DamagedDataset, match="is missing, recorded was"):
        found.read(only(found))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda record: b"{", "is no JSON"),
        (lambda record: b"[]", "is no JSON object"),
        (lambda record: json.dumps({**record, "note": "other"}).encode(), "was changed after it was written"),
        (lambda record: json.dumps({**record, "format": 2}).encode(), "has format 2"),
        (lambda record: json.dumps(sealed({"format": 1})).encode(), "lacks what a dataset has"),
        (lambda record: described(b"x", "other").as_bytes(), "is that of 'other'"),
    ],
)
def test_a_record_that_is_not_as_it_was_written_is_refused(
    store: Store, change: Callable[[dict[str, Any]], bytes], why: str
) -> None:
    add(store)
    overwrite(store, RECORD, change(json.loads(described(b"the table").as_bytes())))
    with pytest.raises(DamagedDataset, match=rf"dataset 'small' is damaged: .*{RECORD} {why}"):
        store.datasets.find("small")
    assert store.datasets.names() == ["small"]


def sealed(record: dict[str, Any]) -> dict[str, Any]:
    return {**record, "digest": digest(record)}


def test_the_digest_tells_datasets_apart(store: Store) -> None:
    assert len({add(store, "a").digest, add(store, "b").digest, add(store, "c", b"x").digest}) == 3


def test_an_exported_dataset_is_the_same_bytes_each_time(store: Store, tmp_path: Path) -> None:
    add(store)
    store.datasets.export("small", tmp_path / "a.parcours")
    os.utime(tmp_path / "a.parcours", (1, 1))
    store.datasets.export("small", tmp_path / "b.parcours")
    assert (tmp_path / "a.parcours").read_bytes() == (tmp_path / "b.parcours").read_bytes()
    store.datasets.export("small", tmp_path / "a.parcours")


@pytest.fixture
def exported(store: Store, tmp_path: Path) -> Path:
    add(store)
    store.datasets.export("small", tmp_path / "small.parcours")
    return tmp_path / "small.parcours"


@pytest.fixture
def other(tmp_path: Path) -> Store:
    """The store of somebody else."""
    return Store.at(str(tmp_path / "other"), tmp_path / "cache")


def test_an_imported_dataset_is_the_same(store: Store, other: Store, exported: Path) -> None:
    found, is_new = other.datasets.import_(exported)
    assert is_new
    assert found.digest == store.datasets.find("small").digest
    assert list(found.files()) == list(store.datasets.find("small").files())


def test_importing_the_same_again_changes_nothing(store: Store, exported: Path) -> None:
    found, is_new = store.datasets.import_(exported)
    assert not is_new
    assert found.digest == described(b"the table").digest


def test_another_dataset_of_the_same_name_is_refused(other: Store, exported: Path) -> None:
    kept = add(other, data=b"another")
    with pytest.raises(DatasetError, match="holds another dataset 'small'"):
        other.datasets.import_(exported)
    assert other.datasets.find("small").digest == kept.digest


@pytest.mark.parametrize("file", [TABLE, RECORD])
def test_an_import_mends_a_damaged_dataset_and_keeps_what_was_there(store: Store, exported: Path, file: str) -> None:
    overwrite(store, file, b"damage")
    found, is_new = store.datasets.import_(exported)
    assert is_new
    assert found.read(only(found)) == b"the table"
    [aside] = store._place.folders("damaged/datasets")
    assert store._place.read(f"damaged/datasets/{aside}/{file}") == b"damage"


def rewritten(file: Path, change: Callable[[dict[str, bytes]], None]) -> None:
    with zipfile.ZipFile(file) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    with zipfile.ZipFile(file, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)


def escaping(files: dict[str, bytes]) -> None:
    asked = described(b"the table").statements[0]
    away = dataclasses.replace(asked, answers=[dataclasses.replace(asked.answers[0], file="../away.parquet")])
    files[RECORD] = dataclasses.replace(described(b"the table"), statements=[away]).as_bytes()
    files["../away.parquet"] = files.pop(TABLE)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda files: files.update({TABLE: b"the tabel"}), "is damaged: .* in it is .*, recorded was"),
        (lambda files: files.update({TABLE: b"the"}), "in it has another size than recorded"),
        (lambda files: files.update({"more": b""}), r"its files are not those that it names \(more\)"),
        (lambda files: files.pop(TABLE), "its files are not those that it names"),
        (lambda files: files.pop(RECORD), f"holds no {RECORD}"),
        (lambda files: files.update({RECORD: b"{}"}), f"holds a {RECORD} that has format None"),
        (escaping, f"holds a {RECORD} that names what is no plain name"),
    ],
)
def test_a_file_that_was_changed_brings_nothing_in(
    other: Store, exported: Path, change: Callable[[dict[str, bytes]], None], why: str
) -> None:
    rewritten(exported, change)
    with pytest.raises(DatasetError, match=rf"{why}.*Nothing was brought in"):
        other.datasets.import_(exported)
    assert other.datasets.names() == []
    assert other._place.folders(".staging") == []


@pytest.mark.parametrize("keep", [0, 1, 100, -1])
def test_a_file_that_is_cut_short_brings_nothing_in(other: Store, exported: Path, keep: int) -> None:
    exported.write_bytes(exported.read_bytes()[:keep])
    with pytest.raises(DatasetError, match="expected a file that `parcours datasets export` wrote"):
        other.datasets.import_(exported)
    assert other.datasets.names() == []


def test_a_file_that_is_not_there_or_a_folder_is_said(other: Store, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"no\.parcours does not exist"):
        other.datasets.import_(tmp_path / "no.parcours")
    with pytest.raises(DatasetError, match="cannot be read"):
        other.datasets.import_(tmp_path)


def test_an_export_overwrites_nothing_else(store: Store, tmp_path: Path) -> None:
    add(store)
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(PathError, match="mine exists, and is something else"):
        store.datasets.export("small", tmp_path / "mine")
    assert (tmp_path / "mine").read_text() == "mine"


def test_an_export_of_a_damaged_dataset_leaves_no_file(store: Store, tmp_path: Path) -> None:
    add(store)
    overwrite(store, TABLE, b"damage")
    (tmp_path / "out").mkdir()
    with pytest.raises(DamagedDataset):
        store.datasets.export("small", tmp_path / "out" / "small.parcours")
    assert list((tmp_path / "out").iterdir()) == []


def test_an_export_to_a_full_disk_is_said(store: Store) -> None:
    add(store)
    with pytest.raises(PathError, match="cannot be written"):
        store.datasets.export("small", Path("/proc/small.parcours"))


def test_a_disk_that_is_full_while_a_dataset_is_made_leaves_nothing(store: Store) -> None:
    def fill() -> None:
        with store.datasets.drafting() as draft:
            (draft.folder / TABLE).symlink_to("/dev/full")
            draft.write(TABLE, b"table")

    with pytest.raises(StoreError, match="cannot be written: No space left on device"):
        fill()
    assert store.datasets.names() == []
    assert store._place.folders(".staging") == []


def test_a_folder_without_a_record_is_no_dataset_and_takes_no_name(store: Store) -> None:
    overwrite(store, TABLE, b"half")
    assert store.datasets.names() == []
    assert only(add(store)).sha256 == digest_bytes(b"the table")


def test_a_dataset_that_the_project_ships_is_brought_in_when_it_is_first_used(other: Store, exported: Path) -> None:
    assert other.datasets.opened("small", exported.parent).digest == described(b"the table").digest
    exported.unlink()
    assert other.datasets.opened("small", exported.parent).digest == described(b"the table").digest


def test_a_shipped_file_with_a_dataset_of_another_name_is_refused(other: Store, exported: Path) -> None:
    exported.rename(exported.with_name("large.parcours"))
    with pytest.raises(DatasetError, match=r"large\.parcours holds the dataset 'small'"):
        other.datasets.opened("large", exported.parent)
