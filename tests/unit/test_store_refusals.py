"""A store that is full, read-only or no folder: one sentence, and nothing half-written."""

from __future__ import annotations

import os
import resource
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from workflows.errors import StoreError
from workflows.store.address import TABLE, Address
from workflows.store.artefacts import Provenance, Store, described

ADDRESS = Address("Cleaned", "2020-01-01", "0123456789abcdef" + "0" * 48)
NOBODY = 65534


def put(store: Store, table: bytes = b"table") -> None:
    with store.staged() as folder:
        (folder / TABLE).write_bytes(table)
        code, environment = {"digest": "c", "files": {}}, {"python": "3.11.7", "packages": {}}
        outputs = described(folder, {TABLE: 1})
        made = Provenance("Cleaned", ADDRESS.version, {}, code, environment, [], outputs, "", 0.0, "", "", "")
        store.publish(folder, ADDRESS, made)


def in_child(act: Callable[[], object]) -> str:
    """What a child process says of the StoreError that an act raises in it, or what else happened."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            try:
                act()
                found = "nothing was raised"
            except StoreError as error:
                found = str(error)
            except BaseException as error:
                found = repr(error)
            os.write(writer, found.encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        found = pipe.read()
    os.waitpid(pid, 0)
    return found


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can reach; pytest's own are the runner's alone."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def as_nobody() -> None:
    """For root, permissions do not count: be somebody for whom they do."""
    if os.geteuid() == 0:
        os.setuid(NOBODY)


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path) -> None:
    """The limit of a file's size stands for the end of the disk: the system refuses the write in the same way."""
    store = Store.at(str(tmp_path / "store"), tmp_path / "cache")

    def write() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        put(store, b"x" * 5000)

    found = in_child(write)
    assert found == (
        f"the store {tmp_path}/store cannot be written: File too large. "
        "Make room or grant write access; nothing half-written was left."
    )
    assert [path.name for path in (tmp_path / "store").rglob("*")] == [".staging"]


def test_a_disk_that_fills_with_the_record_leaves_nothing(tmp_path: Path) -> None:
    store = Store.at(str(tmp_path / "store"), tmp_path / "cache")

    def write() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
        put(store, b"x" * 50)

    assert "cannot be written: File too large" in in_child(write)
    assert store.find(ADDRESS) is None
    assert [path.name for path in (tmp_path / "store").rglob("*")] == [".staging"]


@pytest.mark.parametrize("location", ["{}", "memory://x"])
def test_the_device_that_is_always_full_is_refused(tmp_path: Path, location: str) -> None:
    store = Store.at(location.format(tmp_path / "store"), tmp_path / "cache")

    def fill() -> None:
        with store.staged() as folder:
            left.append(folder)
            (folder / TABLE).symlink_to("/dev/full")
            (folder / TABLE).write_bytes(b"table")

    left: list[Path] = []
    with pytest.raises(StoreError, match="cannot be written: No space left on device"):
        fill()
    assert not left[0].exists()


def test_a_read_only_store_is_said(open_folder: Path) -> None:
    store = Store.at(str(open_folder / "store"), open_folder / "cache")
    put(store)
    for path in (open_folder / "store").rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)
    (open_folder / "store").chmod(0o555)

    def write() -> None:
        as_nobody()
        put(Store.at(str(open_folder / "store"), open_folder / "cache"))

    assert f"the store {open_folder}/store cannot be written: Permission denied. Make room" in in_child(write)


def test_a_read_only_store_is_still_read(open_folder: Path) -> None:
    store = Store.at(str(open_folder / "store"), open_folder / "cache")
    put(store)
    (open_folder / "store").chmod(0o555)

    def read() -> None:
        as_nobody()
        other = Store.at(str(open_folder / "store"), open_folder / "cache")
        artefact = other.find(ADDRESS)
        assert artefact is not None
        assert other.file(artefact, TABLE).read_bytes() == b"table"

    assert in_child(read) == "nothing was raised"


@pytest.mark.parametrize("name", [TABLE, "provenance.json"])
def test_damage_in_a_read_only_store_is_not_complete(open_folder: Path, name: str) -> None:
    put(Store.at(str(open_folder / "store"), open_folder / "cache"))
    (open_folder / "store" / ADDRESS.path / name).write_bytes(b"other")
    (open_folder / "store").chmod(0o555)

    def read() -> None:
        as_nobody()
        assert not Store.at(str(open_folder / "store"), open_folder / "cache").intact(ADDRESS)

    assert in_child(read) == "nothing was raised"


def test_an_artefact_that_may_not_be_read_is_said(open_folder: Path) -> None:
    store = Store.at(str(open_folder / "store"), open_folder / "cache")
    put(store)
    (open_folder / "store" / ADDRESS.path).chmod(0o700)

    def read() -> None:
        as_nobody()
        if os.geteuid() == open_folder.stat().st_uid:
            (open_folder / "store" / ADDRESS.path).chmod(0)
        Store.at(str(open_folder / "store"), open_folder / "cache").find(ADDRESS)

    assert "cannot be used: Permission denied. It is named in luigi.cfg, [workflows] store." in in_child(read)
    (open_folder / "store" / ADDRESS.path).chmod(0o700)


@pytest.mark.parametrize("name", ["file", "file/store", "link"])
def test_a_place_where_no_folder_can_be_is_said(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to("nowhere")
    found = tmp_path / name.partition("/")[0]
    with pytest.raises(StoreError) as raised:
        Store.at(str(tmp_path / name), tmp_path / "cache")
    assert str(raised.value) == (
        f"the store {tmp_path / name} cannot be used: {found} is no folder. It is named in luigi.cfg, [workflows] store."
    )


def test_a_place_where_no_folder_can_be_made_is_said(open_folder: Path) -> None:
    def read() -> None:
        as_nobody()
        open_folder.chmod(0o555) if os.geteuid() == open_folder.stat().st_uid else None
        Store.at(str(open_folder / "new" / "store"), open_folder / "cache")

    assert f"cannot be used: no folder can be made in {open_folder}" in in_child(read)
    open_folder.chmod(0o755)


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="there is no /proc")
def test_a_file_system_of_the_kernel_is_no_place_for_a_store(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="the store /proc/nostore cannot be used: no folder can be made in /proc"):
        Store.at("/proc/nostore", tmp_path)


def test_a_store_that_does_not_exist_yet_is_empty(tmp_path: Path) -> None:
    store = Store.at(str(tmp_path / "new" / "store"), tmp_path / "cache")
    assert store.find(ADDRESS) is None
    assert not (tmp_path / "new").exists()


def test_a_file_in_the_place_of_an_objects_copy_is_said(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("")
    with pytest.raises(StoreError, match=r"cannot be written: (Not a directory|File exists)"):
        put(Store.at("memory://refused", tmp_path / "cache"))


def test_a_location_of_an_unknown_kind_is_said(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"the store no://such cannot be used: .*luigi\.cfg, \[workflows\] store"):
        Store.at("no://such", tmp_path)


def test_a_file_url_is_a_folder(tmp_path: Path) -> None:
    put(Store.at(f"file://{tmp_path}/store", tmp_path / "cache"))
    assert (tmp_path / "store" / ADDRESS.path / TABLE).read_bytes() == b"table"
