"""What every store promises, whether it is a folder or an object store."""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import fsspec
import pytest

from workflows.errors import StoreError
from workflows.store.address import PROVENANCE, TABLE, Address
from workflows.store.artefacts import Artefact, Provenance, Store, described
from workflows.store.plans import Planned

ADDRESS = Address("Cleaned", "2020-01-01", "0123456789abcdef" + "0" * 48)
OTHER = Address("Cleaned", "2020-01-01", "fedcba9876543210" + "0" * 48)
EXTRA = "measures.json"


@dataclass(frozen=True)
class Shop:
    """A store with the way behind its counter: the bytes as they lie there."""

    location: str
    cache: Path

    @property
    def store(self) -> Store:
        """The store as a new process sees it."""
        return Store.at(self.location, self.cache)

    def elsewhere(self, folder: Path) -> Store:
        """The store as another machine sees it."""
        return Store.at(self.location, folder)

    def names(self) -> list[str]:
        """All its files, ascending."""
        files, root = fsspec.core.url_to_fs(self.location)
        return sorted(name.removeprefix(root).lstrip("/") for name in files.find(root))

    def read(self, name: str) -> bytes:
        files, root = fsspec.core.url_to_fs(self.location)
        return bytes(files.cat_file(f"{root}/{name}"))

    def write(self, name: str, data: bytes) -> None:
        """Other bytes in a file's place; in a folder its size may be, and its time is, what it was."""
        files, root = fsspec.core.url_to_fs(self.location)
        path = Path(f"{root}/{name}")
        times = (path.stat().st_atime_ns, path.stat().st_mtime_ns) if path.exists() else None
        files.pipe_file(f"{root}/{name}", data)
        if times:
            os.utime(path, ns=times)

    def remove(self, name: str) -> None:
        files, root = fsspec.core.url_to_fs(self.location)
        files.rm_file(f"{root}/{name}")


@pytest.fixture(params=["folder", "memory"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shop]:
    cache = tmp_path / "cache"
    if request.param == "folder":
        yield Shop(str(tmp_path / "store"), cache)
        return
    location = f"memory://{uuid.uuid4().hex}"
    yield Shop(location, cache)
    files, root = fsspec.core.url_to_fs(location)
    if files.exists(root):
        files.rm(root, recursive=True)


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> pytest.LogCaptureFixture:
    """What the store warns of; the `luigi` command's own handler, where a test set it up, is not in the way."""
    monkeypatch.setattr(logging.getLogger("workflows"), "propagate", True)
    caplog.set_level(logging.WARNING, "workflows")
    return caplog


def record(address: Address = ADDRESS, **others: object) -> Provenance:
    fields: dict[str, object] = {
        "task": address.task,
        "version": address.version,
        "parameters": {"date": address.date, "version": address.version},
        "code": {"digest": "c" * 64, "files": {"acme.py": "f" * 64}, "commit": None, "dirty": False},
        "environment": {"python": "3.11.7", "packages": {"pandas": "3.0"}},
        "inputs": [{"task": "Events", "date": address.date, "version": "e" * 64, "digest": "d" * 64}],
        "outputs": {},
        "started": "2020-01-02T03:04:05.678+00:00",
        "seconds": 1.5,
        "host": "here",
        "user": "me",
        "task_id": "Cleaned_x",
    }
    return Provenance(**{**fields, **others})  # type: ignore[arg-type]


def put(
    store: Store, address: Address = ADDRESS, table: bytes = b"the table" * 50, provenance: Provenance | None = None
) -> Provenance:
    with store.staged() as folder:
        (folder / TABLE).write_bytes(table)
        (folder / EXTRA).write_bytes(b"{}")
        made = dataclasses.replace(provenance or record(address), outputs=described(folder, {TABLE: 3, EXTRA: None}))
        store.publish(folder, address, made)
    return made


def found(store: Store, address: Address = ADDRESS) -> Artefact:
    artefact = store.find(address)
    assert artefact is not None
    return artefact


def test_an_empty_store_has_nothing(shop: Shop) -> None:
    assert shop.store.find(ADDRESS) is None
    assert shop.store.intact(ADDRESS) is False
    assert list(shop.store.versions(ADDRESS)) == []
    assert shop.store.by_version("Cleaned", "2020-01-01", ADDRESS.version) is None


def test_what_was_published_is_found_by_another_process(shop: Shop) -> None:
    made = put(shop.store)
    assert found(shop.store) == Artefact("Cleaned/2020-01-01/0123456789abcdef", made)
    assert shop.store.intact(ADDRESS)


def test_its_files_lie_where_the_contract_says(shop: Shop) -> None:
    put(shop.store)
    folder = "Cleaned/2020-01-01/0123456789abcdef"
    assert shop.names() == [f"{folder}/{EXTRA}", f"{folder}/{PROVENANCE}", f"{folder}/{TABLE}"]


def test_a_report_lies_under_its_templates_name(shop: Shop) -> None:
    address = dataclasses.replace(ADDRESS, task="ReportTask", template="daily")
    put(shop.store, address)
    assert address.path == "ReportTask/2020-01-01/daily-0123456789abcdef"
    assert f"{address.path}/{PROVENANCE}" in shop.names()
    assert shop.store.intact(address)


def test_its_files_are_read_as_they_were_written(shop: Shop) -> None:
    put(shop.store)
    assert shop.store.file(found(shop.store), TABLE).read_bytes() == b"the table" * 50


def test_its_files_are_read_on_another_machine(shop: Shop, tmp_path: Path) -> None:
    put(shop.store)
    other = shop.elsewhere(tmp_path / "another cache")
    assert other.file(found(other), TABLE).read_bytes() == b"the table" * 50


def test_outputs_are_described_by_digest_size_and_rows(shop: Shop) -> None:
    outputs = put(shop.store, table=b"abc").outputs
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert outputs[TABLE] == {"sha256": digest, "bytes": 3, "rows": 3}
    assert set(outputs[EXTRA]) == {"sha256", "bytes"}


def test_without_its_record_an_artefact_does_not_exist(shop: Shop) -> None:
    put(shop.store)
    shop.remove(f"{ADDRESS.path}/{PROVENANCE}")
    assert shop.store.find(ADDRESS) is None
    assert not shop.store.intact(ADDRESS)
    assert list(shop.store.versions(ADDRESS)) == []


def test_half_an_artefact_does_not_stand_in_the_way_of_a_whole_one(shop: Shop) -> None:
    shop.write(f"{ADDRESS.path}/{TABLE}", b"half") if shop.location.startswith("memory") else _half(shop)
    put(shop.store)
    assert shop.store.intact(ADDRESS)
    assert shop.store.file(found(shop.store), TABLE).read_bytes() == b"the table" * 50


def _half(shop: Shop) -> None:
    folder = Path(shop.location) / ADDRESS.path
    folder.mkdir(parents=True)
    (folder / TABLE).write_bytes(b"half")


def test_the_record_appears_last(shop: Shop) -> None:
    """At every moment of many publications, whoever sees a record also sees the bytes that it records."""
    addresses = [dataclasses.replace(ADDRESS, version=f"{n:064x}"[::-1]) for n in range(1, 40)]
    done, seen, problems = threading.Event(), 0, []

    def look() -> None:
        nonlocal seen
        store = shop.store
        while not done.is_set():
            for address in addresses:
                artefact = store.find(address)
                if artefact is not None:
                    try:
                        store.file(artefact, TABLE)
                        seen += 1
                    except StoreError as error:
                        problems.append(str(error))

    watching = threading.Thread(target=look)
    watching.start()
    try:
        for address in addresses:
            put(shop.store, address, table=os.urandom(50_000))
    finally:
        done.set()
        watching.join()
    assert problems == []
    assert seen > 0


def test_of_two_writers_the_first_one_stays(shop: Shop) -> None:
    one, other = shop.store, shop.store
    with one.staged() as here, other.staged() as there:
        for folder, text, store in ((here, b"first", one), (there, b"second", other)):
            (folder / TABLE).write_bytes(text)
            store.publish(folder, ADDRESS, dataclasses.replace(record(), outputs=described(folder, {TABLE: 1})))
    assert shop.store.file(found(shop.store), TABLE).read_bytes() == b"first"


def test_many_writers_at_once_leave_one_whole_artefact(shop: Shop) -> None:
    start = threading.Barrier(8)

    def write() -> None:
        store = shop.store
        start.wait()
        put(store)

    writers = [threading.Thread(target=write) for _ in range(8)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert shop.store.intact(ADDRESS)
    assert len(shop.names()) == 3


def flipped(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


DAMAGES: dict[str, Callable[[bytes], bytes | None]] = {
    "a flipped bit": flipped,
    "a cut": lambda data: data[:-1],
    "emptiness": lambda _: b"",
    "something more": lambda data: data + b" ",
    "deletion": lambda _: None,
}


def damage(shop: Shop, name: str, how: str) -> None:
    data = DAMAGES[how](shop.read(f"{ADDRESS.path}/{name}"))
    if data is None:
        shop.remove(f"{ADDRESS.path}/{name}")
    else:
        shop.write(f"{ADDRESS.path}/{name}", data)


@pytest.mark.parametrize("how", DAMAGES)
@pytest.mark.parametrize("name", [TABLE, EXTRA])
def test_damage_is_noticed_on_reading_and_moved_away(shop: Shop, tmp_path: Path, name: str, how: str) -> None:
    put(shop.store)
    damage(shop, name, how)
    store = shop.elsewhere(tmp_path / "another cache")
    with pytest.raises(StoreError, match=f"the artefact {ADDRESS.path} was changed after it was made: {name} is "):
        store.file(found(store), name)
    assert store.find(ADDRESS) is None
    assert not store.intact(ADDRESS)
    assert all(left.startswith("damaged/Cleaned/2020-01-01/0123456789abcdef-") for left in shop.names())
    assert any(left.endswith(f"/{PROVENANCE}") for left in shop.names())


@pytest.mark.parametrize("how", DAMAGES)
def test_a_damaged_artefact_is_not_complete_and_can_be_made_again(
    shop: Shop, tmp_path: Path, told: pytest.LogCaptureFixture, how: str
) -> None:
    put(shop.store)
    damage(shop, TABLE, how)
    store = shop.elsewhere(tmp_path / "another cache")
    assert not store.intact(ADDRESS)
    assert "was changed after it was made" in told.text
    put(store)
    assert store.intact(ADDRESS)
    assert shop.elsewhere(tmp_path / "a third cache").intact(ADDRESS)


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"\xff\xfe", b"[]", b"null", b'{"format": 1}', b'{"format": 1, "task": "x"}'],
)
def test_a_record_that_cannot_be_read_is_moved_away(shop: Shop, told: pytest.LogCaptureFixture, text: bytes) -> None:
    put(shop.store)
    shop.write(f"{ADDRESS.path}/{PROVENANCE}", text)
    assert shop.store.find(ADDRESS) is None
    assert "its provenance.json cannot be read" in told.text
    assert all(left.startswith("damaged/") for left in shop.names())


@pytest.mark.parametrize(
    "change",
    [
        {"version": "f" * 64},
        {"outputs": []},
        {"outputs": {TABLE: {}}},
        {"outputs": {TABLE: {"sha256": "x"}}},
        {"outputs": {TABLE: 3}},
        {"outputs": {"../../secret": {"sha256": "x", "bytes": 1}}},
        {"inputs": 1},
        {"inputs": [{}]},
        {"code": None},
        {"environment": {}},
        {"parameters": None},
    ],
)
def test_a_record_of_another_shape_is_moved_away(shop: Shop, change: dict[str, object]) -> None:
    put(shop.store)
    name = f"{ADDRESS.path}/{PROVENANCE}"
    shop.write(name, json.dumps({**json.loads(shop.read(name)), **change}).encode())
    assert shop.store.find(ADDRESS) is None
    assert all(left.startswith("damaged/") for left in shop.names())


def test_no_flipped_bit_of_a_record_breaks_the_reader(shop: Shop) -> None:
    """Whatever bit of the record turns: it is read as a record, or moved away, or refused in a sentence."""
    put(shop.store)
    name = f"{ADDRESS.path}/{PROVENANCE}"
    whole = shop.read(name)
    table = shop.read(f"{ADDRESS.path}/{TABLE}")
    for place in sorted({whole.index(b"1"), *range(0, len(whole), 5)}):
        shop.write(name, whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        store = shop.store
        if whole[:place].endswith(b'"format": '):
            with pytest.raises(StoreError, match="has provenance of format 0, not 1"):
                store.intact(ADDRESS)
        elif store.intact(ADDRESS):
            assert store.file(found(store), TABLE).read_bytes() == table
        else:
            assert store.find(ADDRESS) is None
            put(store)


def test_a_copy_that_went_bad_on_this_machine_does_no_harm(shop: Shop) -> None:
    """What an object store keeps is fetched again; nobody calls the artefact damaged."""
    put(shop.store)
    copy = shop.store.file(found(shop.store), TABLE)
    if copy.is_relative_to(shop.cache):
        copy.write_bytes(b"bad")
    assert shop.store.intact(ADDRESS)
    assert shop.store.file(found(shop.store), TABLE).read_bytes() == b"the table" * 50


def test_an_artefact_that_goes_away_is_not_complete(shop: Shop) -> None:
    store = shop.store
    put(store)
    assert store.intact(ADDRESS)
    shop.remove(f"{ADDRESS.path}/{PROVENANCE}")
    assert not store.intact(ADDRESS)


def test_a_twin_is_another_version_of_the_same_recipe_from_the_same_bytes(shop: Shop) -> None:
    made = put(shop.store)
    twin = shop.store.twin(OTHER, record(OTHER))
    assert twin is not None
    assert twin.provenance == made


@pytest.mark.parametrize(
    "change",
    [
        {"parameters": {"date": "2020-01-01", "factor": "3"}},
        {"code": {"digest": "x" * 64, "files": {}, "commit": None, "dirty": False}},
        {"environment": {"python": "3.12.0", "packages": {"pandas": "3.0"}}},
        {"environment": {"python": "3.11.7", "packages": {"pandas": "3.1"}}},
        {"inputs": [{"task": "Events", "date": "2020-01-01", "version": "e" * 64, "digest": "x" * 64}]},
        {"inputs": []},
        {"template": {"name": "t", "digest": "x", "values": {}}},
    ],
)
def test_nothing_of_another_recipe_is_a_twin(shop: Shop, change: dict[str, object]) -> None:
    put(shop.store)
    assert shop.store.twin(OTHER, record(OTHER, **change)) is None


def test_other_versions_of_the_inputs_do_not_keep_a_twin_from_being_one(shop: Shop) -> None:
    put(shop.store)
    inputs = [{"task": "Events", "date": "2020-01-01", "version": "9" * 64, "digest": "d" * 64}]
    patched = {"python": "3.11.99", "packages": {"pandas": "3.0"}}
    assert shop.store.twin(OTHER, record(OTHER, inputs=inputs, environment=patched)) is not None


def test_nobody_is_the_twin_of_itself(shop: Shop) -> None:
    put(shop.store)
    assert shop.store.twin(ADDRESS, record()) is None


def test_a_damaged_twin_is_none(shop: Shop, tmp_path: Path) -> None:
    put(shop.store)
    damage(shop, TABLE, "a flipped bit")
    assert shop.elsewhere(tmp_path / "another cache").twin(OTHER, record(OTHER)) is None


def test_reused_bytes_are_the_twins_and_outlive_it(shop: Shop) -> None:
    store = shop.store
    put(store)
    twin = store.twin(OTHER, record(OTHER))
    assert twin is not None
    with store.staged() as folder:
        for name in twin.provenance.outputs:
            store.reuse(twin, name, folder)
        reused = dataclasses.replace(
            record(OTHER), outputs=described(folder, {TABLE: 3, EXTRA: None}), reused_from=twin.provenance.version
        )
        store.publish(folder, OTHER, reused)
    for name in (TABLE, EXTRA, PROVENANCE):
        shop.remove(f"{ADDRESS.path}/{name}")
    assert shop.store.intact(OTHER)
    assert found(shop.store, OTHER).provenance.reused_from == ADDRESS.version
    assert found(shop.store, OTHER).provenance.outputs == twin.provenance.outputs


def test_versions_are_those_of_the_template(shop: Shop) -> None:
    """A template's name may begin like another's."""
    for template in ("daily", "daily-more", "da"):
        put(shop.store, dataclasses.replace(ADDRESS, template=template))
    found = shop.store.versions(dataclasses.replace(ADDRESS, template="daily"))
    assert [artefact.path for artefact in found] == ["Cleaned/2020-01-01/daily-0123456789abcdef"]


def test_an_input_is_found_by_its_version(shop: Shop) -> None:
    made = put(shop.store)
    artefact = shop.store.by_version("Cleaned", "2020-01-01", ADDRESS.version)
    assert artefact is not None
    assert artefact.provenance == made
    assert shop.store.by_version("Cleaned", "2020-01-01", OTHER.version) is None


def test_two_failures_in_the_same_second_are_both_kept(shop: Shop) -> None:
    moment = datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)
    kept = []
    for text in ("one", "two", "three"):
        store = shop.store
        with store.staged() as folder:
            (folder / "report.html").write_text(text)
            kept.append(store.failures.keep(folder, "daily", "2020-01-01", moment))
    assert kept[0] == "failed/daily/2020-01-01/2020-01-02T03-04-05"
    assert [shop.read(f"{name}/report.html") for name in kept] == [b"one", b"two", b"three"]


def test_nothing_is_left_of_what_was_not_published(shop: Shop) -> None:
    store = shop.store

    def fail() -> None:
        with store.staged() as folder:
            (folder / TABLE).write_bytes(b"half")
            left.append(folder)
            raise ZeroDivisionError

    left: list[Path] = []
    with pytest.raises(ZeroDivisionError):
        fail()
    assert not left[0].exists()
    assert shop.names() == []


def test_what_a_dead_process_staged_is_swept_and_what_a_living_one_stages_is_kept(shop: Shop) -> None:
    with shop.store.staged() as living:
        (living / TABLE).write_bytes(b"growing")
        pid = os.fork()
        if pid == 0:
            try:
                with shop.store.staged() as dying:
                    (dying / TABLE).write_bytes(b"half")
                    os._exit(0)
            finally:
                os._exit(1)
        assert os.waitpid(pid, 0)[1] == 0
        left = [path for path in living.parent.iterdir() if path != living]
        assert len(left) == 1
        with shop.store.staged():
            assert not left[0].exists()
            assert (living / TABLE).read_bytes() == b"growing"


def test_what_another_machine_stages_is_kept(shop: Shop) -> None:
    with shop.store.staged() as folder:
        foreign = folder.with_name("another.machine-1-0123456789ab")
        foreign.mkdir()
        odd = folder.with_name("odd")
        odd.mkdir()
    with shop.store.staged():
        assert foreign.is_dir()
        assert odd.is_dir()


def test_files_are_shown_so_that_the_user_finds_them(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shop.store.shown("a/b") == f"{shop.location}/a/b"
    if "://" not in shop.location:
        monkeypatch.chdir(Path(shop.location).parent)
        assert shop.store.shown("a/b") == "store/a/b"


def test_files_are_listed_by_name_and_can_be_removed(shop: Shop) -> None:
    plans = shop.store.plans
    now = datetime(2020, 1, 1, tzinfo=UTC)
    planned = Planned("Cleaned", {}, "c", {"python": "3.11.1", "packages": {}}, [], None)
    name = plans.write({"v": planned}, ADDRESS.version, now)
    assert shop.store.plans.find("v") == planned
    assert plans.find("w") is None
    plans.remove(name)
    plans.remove(name)
    assert shop.store.plans.find("v") is None


def test_the_newest_plan_that_has_a_version_counts(shop: Shop) -> None:
    now = datetime(2020, 1, 1, tzinfo=UTC)
    for day, rows in enumerate([1, 2]):
        planned = Planned("Cleaned", {}, "c", {"python": "3.11.1", "packages": {}}, [], None, "f", rows)
        shop.store.plans.write({"v": planned}, ADDRESS.version, now + timedelta(days=day))
    found = shop.store.plans.find("v")
    assert found
    assert found.rows == 2
