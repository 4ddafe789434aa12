"""Which of the things that were seen count, and with what digest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from workflows.identity.closure import Code
from workflows.identity.memo import Memo
from workflows.identity.observed import ABSENT, Files, Observed, changed, joined, scratch, unseen
from workflows.identity.scope import Scope
from workflows.identity.sights import Kind, Sight


def code(*files: str) -> Code:
    return Code(dict.fromkeys(files, "0"), frozenset(), sources=dict.fromkeys(files, b""))


def shown(*sights: Sight, known: Code, at_import: tuple[Sight, ...] = ()) -> Observed:
    def closure(name: str) -> Code:
        return code(f"{name}.py", f"base_of_{name}.py")

    return unseen(sights, known, closure, lambda label: at_import if label == "acme.py" else ())


def sight(kind: Kind, label: str, by: str = "", what: str = "") -> Sight:
    return Sight(kind, label, by, what)


def test_what_the_code_names_does_not_count() -> None:
    known = code("acme.py", "limits.csv", "north.py")
    seen = (
        sight("file", "limits.csv"),
        sight("module", "north.py", what="north"),
        sight("import", "north.py", "acme.py"),
    )
    assert not shown(*seen, known=known)


def test_a_module_of_which_the_code_names_a_part_counts_whole() -> None:
    known = Code({"north.py": "0"}, frozenset(), {"north.py": {"clean": "0"}})
    assert shown(sight("module", "north.py", what="north"), known=known).modules == {("north", "north.py")}


def test_an_import_by_a_statement_counts_only_where_nothing_names_who_makes_it() -> None:
    by_known = sight("import", "helper.py", "acme.py", "helper"), sight("import", "other.py", "helper.py", "other")
    stated = replace(code("acme.py"), sources=dict.fromkeys(["acme.py", "helper.py", "other.py"], b""))
    assert not shown(*by_known, known=stated)
    by_unknown = sight("import", "other.py", "script.py", "other")
    assert shown(by_unknown, known=code("acme.py")).modules == {("other", "other.py")}
    found = sight("import", "lib/tool.py", "acme.py", "tool")
    assert shown(found, known=code("acme.py")).modules == {("tool", "lib/tool.py")}, "by a path that the run added"
    counted = sight("import", "base_of_north.py", "north.py", "base"), sight("module", "north.py", what="north")
    assert shown(*counted, known=code("acme.py")).modules == {("north", "north.py")}


def test_what_a_module_does_at_its_import_counts_for_those_who_reach_it() -> None:
    opened = sight("file", "limits.csv", "acme.py")
    assert shown(known=code("acme.py"), at_import=(opened,)).files == {"limits.csv"}
    assert not shown(opened, known=code("other.py"))


def test_what_was_written_is_told_from_what_was_read_before() -> None:
    seen = sight("write", "new"), sight("file", "new"), sight("file", "old"), sight("write", "old")
    assert scratch(seen) == ({"new", "old"}, {"old"})


@pytest.fixture
def files(tmp_path: Path) -> Files:
    scope = Scope.of(tmp_path, tmp_path / "templates", (), [tmp_path / "data" / "store"])
    return Files(scope, Memo(tmp_path / "cache", "files"))


def digest_of(files: Files, observed: Observed) -> str:
    (found,) = files.code(observed, lambda _: code()).files.values()
    return found


@pytest.mark.parametrize("size", [1, 2_000_000])
def test_a_file_counts_by_its_bytes(files: Files, tmp_path: Path, size: int) -> None:
    observed = Observed(files=frozenset({"a.csv"}))
    assert digest_of(files, observed) == ABSENT
    (tmp_path / "a.csv").write_text("1" * size)
    before = digest_of(files, observed)
    assert digest_of(files, observed) == before != ABSENT
    (tmp_path / "a.csv").write_text("2" * size)
    assert digest_of(files, observed) != before


def test_a_module_that_is_read_as_a_file_counts_by_its_syntax_tree(files: Files, tmp_path: Path) -> None:
    observed = Observed(files=frozenset({"a.py"}))
    (tmp_path / "a.py").write_text("x = 1")
    before = digest_of(files, observed)
    (tmp_path / "a.py").write_text("x  =  1  # one")
    assert digest_of(files, observed) == before
    (tmp_path / "a.py").write_text("x = 2")
    assert digest_of(files, observed) != before


def test_a_folder_counts_by_its_names_without_those_of_the_engine(files: Files, tmp_path: Path) -> None:
    observed = Observed(folders=frozenset({"."}))
    before = digest_of(files, observed)
    (tmp_path / "data" / "store").mkdir(parents=True)
    (tmp_path / "__pycache__").mkdir()
    assert digest_of(files, observed) == before
    (tmp_path / "new").write_text("")
    assert digest_of(files, observed) != before


def test_a_module_that_is_gone_counts_as_absent(files: Files) -> None:
    assert digest_of(files, Observed(modules=frozenset({("north", "north.py")}))) == ABSENT


def test_a_file_of_which_two_closures_reach_different_parts_counts_with_both() -> None:
    one, other = Code({"a.py": "1", "b.py": "2"}, frozenset()), Code({"a.py": "3", "b.py": "2"}, frozenset())
    assert joined(one, other).files["b.py"] == "2"
    assert joined(one, other).files["a.py"] not in ("1", "3")
    assert joined(one, other).files == joined(other, one).files


def test_a_file_that_is_not_what_was_opened_is_found(files: Files, tmp_path: Path) -> None:
    seen = [sight("file", "a.csv", what="absent")]
    assert changed(seen, ["a.csv"], files.scope) is None
    (tmp_path / "a.csv").write_text("")
    assert changed(seen, ["a.csv"], files.scope) == "a.csv"
    assert changed(seen, ["other"], files.scope) is None


def test_the_record_says_the_same_when_it_is_read_back() -> None:
    observed = Observed(frozenset("a"), frozenset("b"), frozenset("c"), frozenset({("d", "d.py")}))
    assert Observed.from_json(observed.as_json()) == observed
    assert str(observed) == "opened a, b/ and looked for c and imported d"
