"""What is kept of closures between processes counts for as long as all that it rests on is the same."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from workflows.identity import reach
from workflows.identity.closure import Code, CodeIndex
from workflows.identity.memo import Memo
from workflows.identity.modules import Module, Modules
from workflows.identity.outline import outline

PROJECT = {
    "acme.py": "import helper\nSIZE = open('sizes.csv').read()\ndef f(): return helper.x, SIZE",
    "helper.py": "import colors\nx = colors.red",
    "colors.py": "red = 1\nblue = 2",
    "sizes.csv": "1,2",
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    monkeypatch.syspath_prepend(str(root))
    write(root, PROJECT)
    process(root)
    return root


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        root.joinpath(name).parent.mkdir(parents=True, exist_ok=True)
        root.joinpath(name).write_text(text)
    importlib.invalidate_caches()


def process(root: Path, tasks: frozenset[tuple[str, str]] = frozenset()) -> Code:
    """What a new process finds, which keeps it for the next."""
    index = CodeIndex(Modules(root, ("acme",), Memo(root / "cache", "code")), set(tasks))
    code = index.of_definitions([("acme", "f")])
    index.files(["acme"])
    index.modules.memo.save()
    return code


@pytest.fixture
def followed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The modules that are followed from here on, name by name, because nothing that is kept counts."""
    names: list[str] = []
    start = reach.Reach.start

    def noted(self: Any, name: str, definition: str) -> None:
        names.append(name)
        start(self, name, definition)

    monkeypatch.setattr(reach.Reach, "start", noted)
    return names


def test_where_nothing_changed_nothing_is_followed(project: Path, followed: list[str]) -> None:
    assert process(project).files.keys() == PROJECT.keys()
    assert followed == []


EDITS: dict[str, Callable[[Path], None]] = {
    "a module": lambda root: write(root, {"colors.py": "red = 3"}),
    "the layout of a module": lambda root: write(root, {"colors.py": "red  =  1\nblue = 2"}),
    "a file that the code names": lambda root: write(root, {"sizes.csv": "1,2,3"}),
    "a file that the code names and that is gone": lambda root: (root / "sizes.csv").unlink(),
    "a module that is gone": lambda root: (root / "colors.py").unlink(),
    "a package in the place of a module": lambda root: write(root, {"colors/__init__.py": "red = 4"}),
    "another question": lambda root: write(root, {"other.py": "", "helper.py": "import other"}),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS.keys())
def test_what_changed_is_followed_anew(edit: Callable[[Path], None], project: Path, followed: list[str]) -> None:
    edit(project)
    process(project)
    assert followed == ["acme"]


def test_a_module_that_was_none_of_the_projects_and_is_now_is_followed(project: Path, followed: list[str]) -> None:
    write(project, {"helper.py": "import tabulate\nx = tabulate.y"})
    assert "tabulate.py" not in process(project).files
    write(project, {"tabulate.py": "y = 1"})
    assert "tabulate.py" in process(project).files


def test_a_file_that_was_looked_for_and_is_there_now_counts(project: Path) -> None:
    write(project, {"acme.py": "def f(): return open('late.csv').read()"})
    assert "late.csv" not in process(project).files
    write(project, {"late.csv": "1"})
    assert "late.csv" in process(project).files


def test_a_file_nearer_to_the_code_comes_first(project: Path) -> None:
    write(project, {"inner/__init__.py": "", "inner/part.py": "y = open('sizes.csv').read()"})
    write(project, {"acme.py": "import inner.part\ndef f(): return inner.part.y"})
    assert "sizes.csv" in process(project).files
    write(project, {"inner/sizes.csv": "1"})
    assert "inner/sizes.csv" in process(project).files


def test_a_broken_module_is_the_error_of_who_reaches_it(project: Path) -> None:
    before = process(project)
    write(project, {"acme.py": "def f(): return 1", "colors.py": "red ="})
    assert process(project).files.keys() == {"acme.py"}
    write(project, PROJECT)
    assert process(project) == before


def test_other_tasks_are_another_question(project: Path, followed: list[str]) -> None:
    process(project, frozenset({("helper", "x")}))
    assert followed == ["acme"]


def test_another_checkout_with_what_was_kept_follows_nothing(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, followed: list[str]
) -> None:
    before = process(project)
    other = project.rename(tmp_path / "other")
    monkeypatch.syspath_prepend(str(other))
    importlib.invalidate_caches()
    after = process(other)
    assert (after, after.sources, followed) == (before, before.sources, [])


def test_files_that_cells_name_are_looked_for_again(project: Path) -> None:
    import ast

    cells = outline(ast.parse("open('late.csv')"))

    def found() -> set[str]:
        index = CodeIndex(Modules(project, ("acme",), Memo(project / "cache", "code")))
        code = index.of_notebook(Module("", project / "templates/a.ipynb", cells.as_json(), b"{}"), "a.ipynb")
        index.modules.memo.save()
        return set(code.files)

    assert found() == {"a.ipynb"}
    write(project, {"templates/late.csv": "1"})
    assert found() == {"a.ipynb", "templates/late.csv"}


def edited(change: Callable[[dict[str, Any]], object]) -> Callable[[str], str]:
    """An edit of what is kept, as an editor would leave it."""

    def edit(text: str) -> str:
        *above, entries = text.splitlines()
        known = json.loads(entries)
        change(known.get("entries", known))
        return "\n".join([*above, json.dumps(known)])

    return edit


DAMAGE: dict[str, Callable[[str], str]] = {
    "truncated": lambda text: text[: len(text) // 2],
    "empty": lambda text: "",
    "a list": lambda text: "[]",
    "bytes of another kind": lambda text: "\0" + text,
    "deeper than can be read": lambda text: text + "[" * 100_000,
    "values of another shape": edited(lambda known: known["worked out"].update(values=[])),
    "no answers": edited(lambda known: known["worked out"].pop("modules")),
    "a closure that was changed": edited(
        lambda known: [value.update(files={}) for value in known["worked out"]["values"].values() if "files" in value]
    ),
    "outlines of another shape": edited(lambda known: [known.update({key: {}}) for key in list(known)]),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_file_costs_time_only(project: Path, damage: Callable[[str], str]) -> None:
    found = process(project)
    kept = project / "cache" / "code.json"
    kept.write_text(damage(kept.read_text()))
    assert process(project) == found
