"""Files on disk against what was loaded: what counts as changed."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest

from workflows.identity.disk import changed_file
from workflows.identity.scope import Scope

LOADED = b"def f():\n    return 1\n"


def within(root: Path) -> Scope:
    return Scope(str(root), {}, (), ())


@pytest.mark.parametrize(
    "found", [LOADED, b"# why\ndef f():\n    '''What.'''\n\n    return 1\n"], ids=["the same", "another comment"]
)
def test_what_means_the_same_is_unchanged(tmp_path: Path, found: bytes) -> None:
    (tmp_path / "a.py").write_bytes(found)
    assert changed_file({"a.py": LOADED}, within(tmp_path)) is None


@pytest.mark.parametrize(
    "found", [b"def f():\n    return 2\n", b"def f(:\n", b""], ids=["another value", "no Python", "nothing"]
)
def test_what_means_something_else_is_changed(tmp_path: Path, found: bytes) -> None:
    (tmp_path / "a.py").write_bytes(found)
    assert changed_file({"a.py": LOADED}, within(tmp_path)) == "a.py"


def test_a_file_that_is_gone_is_changed(tmp_path: Path) -> None:
    assert changed_file({"gone.py": LOADED}, within(tmp_path)) == "gone.py"


def test_every_byte_of_a_file_that_is_no_module_counts(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(b"1 ")
    assert changed_file({"a.csv": b"1"}, within(tmp_path)) == "a.csv"


def test_a_module_outside_of_the_project_is_found_by_its_name(tmp_path: Path) -> None:
    name = "workflows/identity/disk.py"
    source = (Path(__file__).parents[2] / name).read_bytes()
    assert changed_file({name: source}, within(tmp_path)) is None
    assert changed_file({name: source + b"x = 1\n"}, within(tmp_path)) == name


def test_a_module_that_is_not_loaded_is_found_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "later.py").write_bytes(LOADED)
    monkeypatch.syspath_prepend(str(tmp_path / "elsewhere"))
    assert changed_file({"later.py": LOADED}, within(tmp_path / "project")) is None


@pytest.mark.parametrize("where", ["project", "elsewhere"])
def test_a_module_that_was_loaded_and_is_gone_is_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    loaded = ModuleType("gone")
    loaded.__file__ = str(tmp_path / where / "gone.py")
    monkeypatch.setitem(sys.modules, "gone", loaded)
    assert changed_file({"gone.py": LOADED}, within(tmp_path / "project")) == "gone.py"
