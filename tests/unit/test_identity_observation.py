"""What is seen of a run: the project's files, folders and modules, and nothing else."""

from __future__ import annotations

import importlib
import json
import os
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from workflows.identity import observation
from workflows.identity.observation import recording
from workflows.identity.scope import Scope
from workflows.identity.sights import Recording, Sight, spooled, state_of

Seen = Callable[..., list[tuple[str, str]]]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A project with a file, a package that nobody installed, and a store; watched."""
    root = tmp_path / "project"
    for name in ("data/store", "package", "templates", ".git", "env/lib/site-packages"):
        (root / name).mkdir(parents=True)
    for name in ("a.csv", "data/b.csv", "data/store/c", ".git/config", "env/lib/site-packages/d.py"):
        (root / name).write_text("1")
    (root / "package" / "__init__.py").write_text("")
    (root / "package" / "one.py").write_text("X = open(__file__.replace('package/one.py', 'a.csv')).close()\n")
    (root / "package" / "two.py").write_text("")
    monkeypatch.chdir(root)
    monkeypatch.syspath_prepend(str(root))
    observation.watch(Scope.of(root, root / "templates", (), [root / "data/store"]))
    yield root
    names = [name for name in sys.modules if name.partition(".")[0] in ("package", "actor")]
    observation.forget(names)
    for name in names:
        del sys.modules[name]


@pytest.fixture
def seen(root: Path, tmp_path: Path) -> Seen:
    """Runs statements as a function of the project does, and says what is seen of them."""

    def run(*statements: str, **given: Any) -> list[tuple[str, str]]:
        actor = module(root, "def act():\n" + "".join(f"    {line}\n" for line in statements), **given)
        with recording(tmp_path / "spool") as found:
            actor.act()
        assert not (tmp_path / "spool").exists()
        return [(sight.kind, sight.label) for sight in found.sights]

    return run


def module(root: Path, source: str, **given: Any) -> ModuleType:
    (root / "actor.py").write_text(source)
    sys.modules.pop("actor", None)
    importlib.invalidate_caches()
    actor = importlib.import_module("actor")
    vars(actor).update(given)
    return actor


@pytest.mark.parametrize(
    "statement",
    [
        "open('a.csv').close()",
        "open(b'a.csv').close()",
        "import os; os.close(os.open('a.csv', os.O_RDONLY))",
        "from pathlib import Path; Path('package/../a.csv').read_bytes()",
        "import pandas; pandas.read_csv('a.csv')",
        "import numpy; numpy.fromfile('a.csv')",
        "import subprocess; subprocess.run(['true', 'a.csv'])",
        "import mmap, os; f = open('a.csv', 'r+b'); mmap.mmap(f.fileno(), 0).close(); f.close()",
    ],
)
def test_a_file_is_seen_however_it_is_opened(seen: Seen, statement: str) -> None:
    assert ("file", "a.csv") in seen(statement)


def test_a_database_is_seen(seen: Seen, root: Path) -> None:
    with closing(sqlite3.connect(root / "some.db")):
        pass
    assert ("file", "some.db") in seen("import sqlite3; sqlite3.connect('file:some.db?mode=ro', uri=True).close()")


def test_a_resource_of_a_package_is_seen(seen: Seen, root: Path) -> None:
    (root / "package" / "r.txt").write_text("")
    found = seen("import importlib.resources", "importlib.resources.files('package').joinpath('r.txt').read_text()")
    assert ("file", "package/r.txt") in found


@pytest.mark.parametrize(
    "path", ["data/store/c", ".git/config", "env/lib/site-packages/d.py", "/etc/hostname", os.__file__, os.devnull]
)
def test_what_is_none_of_the_projects_is_not_seen(seen: Seen, path: str) -> None:
    assert seen(f"open({path!r}).close()") == []


def test_a_link_in_the_project_is_seen_as_it_is_called_there(seen: Seen, root: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere.csv").write_text("")
    (root / "link.csv").symlink_to(tmp_path / "elsewhere.csv")
    assert seen("open('link.csv').close()") == [("file", "link.csv")]


def test_a_file_that_is_not_there_is_seen(seen: Seen) -> None:
    assert seen("try: open('absent.csv')", "except OSError: pass") == [("file", "absent.csv")]


def test_writing_is_told_from_reading(seen: Seen) -> None:
    assert seen("open('new', 'w').close()", "open('new').close()") == [("write", "new"), ("file", "new")]
    assert seen("open('a.csv', 'a').close()") == [("write", "a.csv")]


@pytest.mark.parametrize("call", ["os.listdir('data')", "list(os.scandir('data'))", "glob.glob('data/*')", "list(Path('data').iterdir())"])  # fmt: skip
def test_a_listed_folder_is_seen(seen: Seen, call: str) -> None:
    assert seen("import glob, os", "from pathlib import Path", call) == [("folder", "data")]


@pytest.mark.parametrize("call", ["Path('no').exists()", "os.path.exists('no')", "os.path.isfile('no')", "Path('no').is_file()"])  # fmt: skip
def test_a_question_for_a_file_is_seen(seen: Seen, call: str) -> None:
    assert seen("import os", "from pathlib import Path", call) == [("look", "no")]


@pytest.mark.parametrize(
    "statement",
    [
        "importlib.import_module('package.two')",
        "__import__('package.two', fromlist=['x'])",
        "exec('import package.two')",
        "importlib.import_module('.two', 'package')",
        "pkgutil.resolve_name('package.two')",
    ],
)
def test_a_module_is_seen_whether_it_is_loaded_or_not(seen: Seen, statement: str) -> None:
    for _ in range(2):
        assert {("module", "package/two.py"), ("call", "package/two.py")} & set(
            seen("import importlib, pkgutil", statement)
        )


def test_an_import_by_a_statement_is_told_from_others(seen: Seen) -> None:
    modules = [("import", "package/__init__.py"), ("import", "package/two.py")]
    loads = [("load", label) for _, label in modules]
    assert seen("from package import two") == [*loads, *modules]
    assert seen("from package import two") == modules


def test_a_module_that_is_loaded_by_its_path_is_seen_as_a_file(seen: Seen) -> None:
    found = seen(
        "import importlib.util",
        "spec = importlib.util.spec_from_file_location('some', 'package/two.py')",
        "spec.loader.exec_module(importlib.util.module_from_spec(spec))",
    )
    assert found[0] == ("file", "package/two.py")


def test_what_a_module_opens_while_it_is_imported_is_kept_with_it(root: Path) -> None:
    with observation.loading():
        importlib.import_module("package.one")
    assert [(sight.kind, sight.label) for sight in observation.at_import("package/one.py")] == [("file", "a.csv")]
    observation.forget(["package.one"])
    assert observation.at_import("package/one.py") == []


def test_a_file_that_changed_since_a_module_opened_it_makes_the_import_stale(root: Path) -> None:
    with observation.loading():
        importlib.import_module("package.one")
    assert not observation.is_import_stale()
    (root / "a.csv").write_text("other")
    assert observation.is_import_stale()


def test_nothing_is_replaced_when_nobody_records(seen: Seen) -> None:
    import builtins
    import genericpath

    before = builtins.__import__, genericpath.os
    seen("import package.two")
    assert (builtins.__import__, genericpath.os) == before


def test_another_process_hands_over_what_it_saw(tmp_path: Path) -> None:
    other = Recording(tmp_path / "spool")
    other.add(Sight("file", "a\udcff", "", "state"))
    with (tmp_path / "spool").open("a") as file:
        file.write('["file", "half')
    assert spooled(tmp_path / "spool") == [Sight("file", "a\udcff", "", "state")]


def test_the_state_of_a_file_tells_its_changes(tmp_path: Path) -> None:
    path = tmp_path / "file"
    assert state_of(path) == "absent"
    path.write_text("one")
    before = state_of(path)
    os.utime(path, ns=(1, 1))
    assert before != state_of(path) != "absent"


def test_a_scope_is_the_same_as_text(root: Path) -> None:
    scope = Scope.of(root, root / "templates", ("package",), [root / "data/store"])
    assert Scope.from_json(scope.to_json()) == scope
    assert json.loads(scope.to_json())["root"] == str(root.resolve())


@pytest.mark.parametrize("name", ["templates/x.csv", "outside/pipeline/data.csv"])
def test_a_label_leads_back_to_its_file(root: Path, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where templates and pipelines lie outside of the project."""
    (tmp_path / "outside" / "pipeline").mkdir(parents=True)
    (tmp_path / "outside" / "pipeline" / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path / "outside"))
    scope = Scope.of(root, tmp_path / "templates", ("pipeline",), [])
    label = scope.label_of_data(str(tmp_path / name))
    assert label in ("templates/x.csv", "pipeline/data.csv")
    assert scope.path(label) == tmp_path / name


def test_a_look_for_installed_distributions_is_not_seen(seen: Seen) -> None:
    assert seen("import importlib.metadata", "importlib.metadata.entry_points(group='any')") == []
