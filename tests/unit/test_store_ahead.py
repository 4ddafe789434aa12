"""Files that a process beside this one digests: what it says is what this one would have found."""

from __future__ import annotations

import dataclasses
import errno
import logging
import os
import signal
from pathlib import Path

import psutil
import pytest

from workflows.store import ahead
from workflows.store.address import TABLE, Address
from workflows.store.ahead import Ahead
from workflows.store.artefacts import Store
from workflows.store.provenance import Provenance

MANY = 3 * ahead._WORTH_IT
NAMES = [f"result {number}" for number in range(MANY)]


def digested(path: str) -> dict[str, str]:
    """What stands for a digest here: who made it."""
    return {"table": f"{path} by {os.getpid()}"}


_others: set[int] = set()


@pytest.fixture(autouse=True)
def others() -> None:
    """What other tests have left running."""
    _others.update(child.pid for child in psutil.Process().children())


def children() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if child.pid not in _others]


def test_another_process_answers_in_any_order() -> None:
    beside = Ahead(digested)
    for name in NAMES:
        beside.expect(name)
    makers = {
        beside.found(name)["table"].removeprefix(f"{name} by ") for name in reversed(NAMES[: 2 * ahead._WORTH_IT])
    }
    assert makers == {str(child.pid) for child in children()}
    beside.close()
    assert not children()


def test_few_files_are_worth_no_process() -> None:
    beside = Ahead(digested)
    for name in NAMES[: ahead._WORTH_IT - 1]:
        beside.expect(name)
    assert (beside.found(NAMES[0]), children()) == ({}, [])
    beside.close()


def test_what_was_not_expected_is_not_known() -> None:
    beside = Ahead(digested)
    for name in NAMES:
        beside.expect(name)
    assert beside.found("another") == {}
    beside.close()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "terminated"])
def test_a_process_that_died_knows_nothing_and_breaks_nothing(how: signal.Signals) -> None:
    beside = Ahead(digested)
    for name in NAMES[: ahead._WORTH_IT]:
        beside.expect(name)
    for child in children():
        child.send_signal(how)
        child.wait()
    for name in NAMES[ahead._WORTH_IT :]:
        beside.expect(name)
    assert beside.found(NAMES[0]) == {}
    beside.close()
    assert not children()


def test_a_digest_that_fails_is_nobodys_end() -> None:
    def failing(path: str) -> dict[str, str]:
        raise ValueError(path)

    beside = Ahead(failing)
    for name in NAMES:
        beside.expect(name)
    assert beside.found(NAMES[0]) == {}
    beside.close()


def test_without_a_question_nothing_is_left_behind() -> None:
    beside = Ahead(digested)
    for name in NAMES:
        beside.expect(name)
    beside.close()
    assert not children()


@pytest.fixture
def addresses(tmp_path: Path) -> list[Address]:
    """Artefacts in a store, as many as are worth a process."""
    store = Store.at(str(tmp_path / "store"), tmp_path / "cache")
    made = [Address("Cleaned", "2020-01-01", f"{number:016x}" + "0" * 48) for number in range(ahead._WORTH_IT)]
    for address in made:
        with store.staged() as folder:
            (folder / TABLE).write_bytes(address.version.encode())
            store.publish(folder, address, record(folder, address))
    return made


def record(folder: Path, address: Address) -> Provenance:
    from test_store_contract import record as some

    from workflows.store.artefacts import described

    return dataclasses.replace(some(address), outputs=described(folder, {TABLE: 1}))


def test_a_store_believes_the_other_process(
    addresses: list[Address], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store.at(str(tmp_path / "store"), tmp_path / "cache")
    with store.ahead():
        for address in addresses:
            store.expect(address)
        # From here on this process digests nothing.
        monkeypatch.setattr("workflows.store.artefacts.digest_file", lambda path: pytest.fail(str(path)))
        assert all(store.intact(address) for address in addresses)


def test_damage_that_the_other_process_saw_is_told(
    addresses: list[Address], tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("workflows"), "propagate", True)
    bad = tmp_path / "store" / addresses[5].path / TABLE
    bad.write_bytes(bad.read_bytes()[::-1])
    store = Store.at(str(tmp_path / "store"), tmp_path / "cache")
    with store.ahead():
        for address in addresses:
            store.expect(address)
        found = [store.intact(address) for address in addresses]
    assert found == [number != 5 for number in range(len(addresses))]
    assert "table.parquet" in caplog.text


def test_an_object_store_is_read_by_this_process_alone(tmp_path: Path) -> None:
    store = Store.at("memory://ahead", tmp_path / "cache")
    with store.ahead():
        for number in range(MANY):
            store.expect(Address("Cleaned", "2020-01-01", f"{number:064x}"))
        assert not children()


def test_where_no_process_can_be_had_nothing_is_known_and_nothing_is_left_open(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> int:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", refused)
    before = psutil.Process().num_fds()
    beside = Ahead(digested)
    for name in NAMES:
        beside.expect(name)
    assert beside.found(NAMES[0]) == {}
    beside.close()
    assert psutil.Process().num_fds() == before


def test_names_may_hold_whatever_a_file_system_takes() -> None:
    beside = Ahead(digested)
    names = [f"{name}\n\udce9 of a café" for name in NAMES]
    for name in names:
        beside.expect(name)
    assert [beside.found(name)["table"].rpartition(" by ")[0] for name in names] == names
    beside.close()


def test_a_process_that_stands_still_is_ended_all_the_same() -> None:
    beside = Ahead(digested)
    for name in NAMES:
        beside.expect(name)
    for child in children():
        child.suspend()
    beside.close()
    assert not children()


def test_damage_that_only_the_other_process_saw_is_looked_at_again(addresses: list[Address], tmp_path: Path) -> None:
    table = tmp_path / "store" / addresses[5].path / TABLE
    good = table.read_bytes()
    table.write_bytes(b"half")
    store = Store.at(str(tmp_path / "store"), tmp_path / "cache")
    with store.ahead():
        for address in addresses:
            store.expect(address)
        assert store.intact(addresses[0])
        # Another run has made it again meanwhile.
        table.write_bytes(good)
        assert store.intact(addresses[5])


def test_who_interrupts_its_beginning_is_told_of_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    beside = Ahead(digested)
    monkeypatch.setattr(os, "fdopen", interrupted)
    with pytest.raises(KeyboardInterrupt):
        list(map(beside.expect, NAMES))
    monkeypatch.undo()
    beside.close()
    assert not children()
