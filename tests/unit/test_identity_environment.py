"""The environment of a result, and what is kept of digests between processes."""

from __future__ import annotations

import importlib
import json
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from workflows.identity.canonical import digest
from workflows.identity.closure import CodeIndex
from workflows.identity.environment import Environment, engine_version, installed_distributions
from workflows.identity.foreign import ENGINE
from workflows.identity.memo import Memo
from workflows.identity.modules import Modules
from workflows.release import VERSION

Install = Callable[..., Path]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Lays a distribution into a site folder on the Python path, as an installer would."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))

    def lay(name: str, version: str, *modules: str) -> Path:
        for old in site.glob(f"{name.replace('-', '_')}-*.dist-info"):
            shutil.rmtree(old)
        info = site / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        files = [f"{module}/__init__.py" for module in modules]
        for file in files:
            (site / file).parent.mkdir(exist_ok=True)
            (site / file).write_text("")
        (info / "RECORD").write_text("".join(f"{file},,\n" for file in files))
        importlib.invalidate_caches()
        return site

    return lay


@pytest.fixture
def memo(tmp_path: Path) -> Memo:
    return Memo(tmp_path / "cache", "distributions")


def test_the_version_of_a_distribution_is_found_under_its_import_names(install: Install, memo: Memo) -> None:
    install("fake-thing", "1.0", "fakething", "fakeextra")
    found = installed_distributions(memo)
    assert found["fakething"] == found["fakeextra"] == {"fake-thing": "1.0"}


def test_an_upgrade_changes_the_environment_of_the_code_that_imports_it_and_of_no_other(
    install: Install, memo: Memo
) -> None:
    install("fake-thing", "1.0", "fakething")
    before = installed_distributions(memo)
    install("fake-thing", "1.1", "fakething")
    after = installed_distributions(memo)

    def changed(*imports: str) -> bool:
        return Environment.of_imports(imports, before).digest != Environment.of_imports(imports, after).digest

    assert changed("fakething")
    assert changed("pandas", "fakething")
    assert not changed("pandas")
    assert not changed()


def test_the_environment_of_code_is_what_its_closure_imports(
    tmp_path: Path, install: Install, memo: Memo, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("fake-thing", "1.0", "fakething")
    (tmp_path / "acme.py").write_text("import helper\ndef f(): return helper.f()")
    (tmp_path / "helper.py").write_text("def f():\n    import pandas, json")
    monkeypatch.syspath_prepend(str(tmp_path))
    code = CodeIndex(Modules(tmp_path, ["acme"], Memo(tmp_path, "code"))).of_definitions([("acme", "f")])
    assert list(Environment.of_imports(code.imports, installed_distributions(memo)).packages) == ["pandas"]


def test_all_distributions_behind_a_shared_name_count(install: Install, memo: Memo) -> None:
    install("fake-one", "1", "shared")
    install("fake-two", "2", "shared")
    found = Environment.of_imports(["shared"], installed_distributions(memo))
    assert found.packages == {"fake-one": "1", "fake-two": "2"}


@pytest.mark.parametrize("metadata", ["", "Name: fake-thing\n", "Version: 1.0\n", None])
def test_what_an_interrupted_installation_left_does_no_harm(install: Install, memo: Memo, metadata: str | None) -> None:
    file = install("fake-thing", "1.0", "fakething") / "fake_thing-1.0.dist-info" / "METADATA"
    file.unlink() if metadata is None else file.write_text(metadata)
    assert installed_distributions(memo).get("fakething", {}) == {}


def test_what_no_distribution_provides_does_not_count(memo: Memo) -> None:
    assert Environment.of_imports(["nowhere"], installed_distributions(memo)).packages == {}


def test_the_engine_of_a_checkout_counts_by_its_release_and_what_makes_results(memo: Memo) -> None:
    found = Environment.of_imports(["workflows"], installed_distributions(memo)).packages["parcours"]
    assert re.fullmatch(rf"{re.escape(VERSION)}\+[0-9a-f]{{12}}", found)


@pytest.fixture
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the engine that can be edited."""
    copy = tmp_path / "checkout" / "workflows"
    shutil.copytree(ENGINE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr("workflows.identity.environment.ENGINE", copy)
    return copy


@pytest.mark.parametrize(
    ("file", "text", "counts"),
    [
        ("tasks/stage.py", "x = 1\n", True),
        ("notebooks/page/page.css", "a {}\n", True),
        ("tasks/stage.py", "# a comment\n", False),
        ("errors.py", "x = 1\n", False),
        ("cli.py", "x = 1\n", False),
    ],
)
def test_an_edit_of_the_engine_counts_where_it_may_change_a_result(
    engine: Path, memo: Memo, file: str, text: str, counts: bool
) -> None:
    before = engine_version(memo)
    with (engine / file).open("a") as edited:
        edited.write(text)
    assert (engine_version(memo) != before) == counts


def test_an_installed_engine_counts_by_its_release(engine: Path, memo: Memo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workflows.identity.environment.ENGINE", engine.parent / "site-packages" / "workflows")
    assert engine_version(memo) == VERSION


def test_the_environment_tells_the_minor_version_of_python_and_not_the_patch() -> None:
    digests = [Environment(python, {}).digest for python in ("3.11.1", "3.11.9", "3.12.1")]
    assert digests[0] == digests[1] != digests[2]


def test_the_order_of_imports_does_not_count(memo: Memo) -> None:
    found = installed_distributions(memo)
    assert Environment.of_imports(["numpy", "pandas"], found) == Environment.of_imports(["pandas", "numpy"], found)


def test_the_kept_distributions_are_those_that_would_be_read(memo: Memo, tmp_path: Path) -> None:
    first = installed_distributions(memo)
    memo.save()
    assert installed_distributions(Memo(tmp_path / "cache", "distributions")) == first


def kept(folder: Path, **entries: object) -> Path:
    memo = Memo(folder, "m", "state")
    for key, value in entries.items():
        memo.put(key, value)
    memo.save()
    return folder / "m.json"


def test_a_memo_survives_the_process(tmp_path: Path) -> None:
    kept(tmp_path, a=1, b=[None, "ü\ud800"])
    assert [Memo(tmp_path, "m", "state").get(key) for key in "abc"] == [1, [None, "ü\ud800"], None]


@pytest.mark.parametrize(
    "damage",
    [b"", b"{", b"[]", b"3", b"null", b"\xff", b'{"entries": {}}', b'{"state": 1, "entries": 2}'],
)
def test_a_damaged_memo_is_an_empty_one_and_is_written_anew(tmp_path: Path, damage: bytes) -> None:
    kept(tmp_path, a=1).write_bytes(damage)
    memo = Memo(tmp_path, "m", "state")
    assert memo.get("a") is None
    memo.put("b", 2)
    memo.save()
    assert Memo(tmp_path, "m", "state").get("b") == 2


@pytest.mark.parametrize("entries", ["text", [1], 7, None, [["a", 1, 2]]])
def test_a_memo_whose_entries_are_no_table_is_an_empty_one(tmp_path: Path, entries: object) -> None:
    path = kept(tmp_path, a=1)
    path.write_text("\n".join([path.read_text().partition("\n")[0], json.dumps(entries)]))
    assert Memo(tmp_path, "m", "state").get("a") is None


def test_entries_of_another_state_are_dropped(tmp_path: Path) -> None:
    kept(tmp_path, a=1)
    assert Memo(tmp_path, "m", "other state").get("a") is None


@pytest.mark.parametrize("what", ["VERSION", "PYTHON"])
def test_entries_of_another_release_or_python_are_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """Another release may digest otherwise, and another Python parses otherwise."""
    kept(tmp_path, a=1)
    monkeypatch.setattr(f"workflows.identity.memo.{what}", "9.9")
    assert Memo(tmp_path, "m", "state").get("a") is None


@pytest.mark.parametrize("in_place", ["a file where the folder should be", "a folder where the file should be"])
def test_a_memo_that_cannot_be_written_costs_nothing_but_time(tmp_path: Path, in_place: str) -> None:
    folder = tmp_path / "cache"
    if in_place.startswith("a file"):
        folder.write_text("")
    else:
        (folder / "m.json").mkdir(parents=True)
    kept(folder, a=1)
    assert Memo(folder, "m", "state").get("a") is None
    assert [path.name for path in tmp_path.rglob("*")] in (["cache"], ["cache", "m.json"])


def test_a_memo_without_news_is_not_written(tmp_path: Path) -> None:
    memo = Memo(tmp_path / "cache", "m")
    assert memo.get("a") is None
    memo.save()
    assert not (tmp_path / "cache").exists()


def test_two_writers_leave_a_whole_file(tmp_path: Path) -> None:
    one, other = Memo(tmp_path, "m"), Memo(tmp_path, "m")
    one.put("a", "x" * 10_000)
    other.put("b", 1)
    one.save()
    other.save()
    assert Memo(tmp_path, "m").get("b") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["m.json"]


def test_a_python_without_site_folders_still_has_an_environment(monkeypatch: pytest.MonkeyPatch, memo: Memo) -> None:
    monkeypatch.setattr(sys, "path", ["/nowhere", ""])
    assert installed_distributions(memo)["workflows"] == {"parcours": engine_version(memo)}
    assert len(digest(installed_distributions(memo))) == 64
