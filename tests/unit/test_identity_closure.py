"""Which code a result depends on, at the grain of modules."""

from __future__ import annotations

import ast
import importlib
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from workflows.errors import PipelineError
from workflows.identity.closure import Code, CodeIndex
from workflows.identity.memo import Memo
from workflows.identity.syntax import digest_python, imports_of

Closure = Callable[..., Code]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on the Python path; what a test imports from it is forgotten afterwards."""
    root = tmp_path / "project"
    root.mkdir()
    monkeypatch.syspath_prepend(str(root))
    return root


@pytest.fixture
def closure(project: Path) -> Closure:
    """Writes modules into the project and reads the closure of `acme`, as a new process would."""

    def read(modules: dict[str, str] | None = None, start: str = "acme") -> Code:
        write(project, modules or {})
        return index_of(project).of_modules([start])

    return read


def write(root: Path, modules: dict[str, str]) -> None:
    for name, source in modules.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    importlib.invalidate_caches()


def index_of(root: Path, *pipelines: str) -> CodeIndex:
    return CodeIndex(root, pipelines or ("acme",), Memo(root / "cache", "code"))


REACHING = {
    "import": {"acme.py": "import helper"},
    "import as": {"acme.py": "import helper as h"},
    "from import": {"acme.py": "from helper import x"},
    "star import": {"acme.py": "from helper import *"},
    "inside a function": {"acme.py": "def f():\n    import helper"},
    "inside a try": {"acme.py": "try:\n    import fast_helper\nexcept ImportError:\n    import helper"},
    "for types only": {"acme.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import helper"},
    "by import_module": {"acme.py": "from importlib import import_module\nimport_module('helper')"},
    "through another": {"acme.py": "import middle", "middle.py": "import helper"},
    "through a circle": {"acme.py": "import middle", "middle.py": "import acme, helper"},
    "re-export": {"acme.py": "from door import x", "door/__init__.py": "from helper import x"},
    "star re-export": {"acme.py": "from door import *", "door/__init__.py": "from door.inner import *", "door/inner.py": "import helper"},
    "package of a module": {"acme.py": "import door.inner", "door/__init__.py": "import helper", "door/inner.py": ""},
    "module of a package": {"acme.py": "from door import inner", "door/__init__.py": "", "door/inner.py": "import helper"},
    "attribute of a package": {"acme.py": "import door.inner as i", "door/__init__.py": "", "door/inner.py": "import helper"},
    "relative": {"acme.py": "import door", "door/__init__.py": "from . import inner", "door/inner.py": "import helper"},
    "relative from": {"acme.py": "import door.a", "door/__init__.py": "", "door/a.py": "from .b import x", "door/b.py": "import helper"},
    "relative up": {"acme.py": "import door.deep.a", "door/__init__.py": "", "door/deep/__init__.py": "", "door/deep/a.py": "from ..b import x", "door/b.py": "import helper"},
    "namespace package": {"acme.py": "import space.inner", "space/inner.py": "import helper"},
}  # fmt: skip


@pytest.mark.parametrize("modules", REACHING.values(), ids=REACHING)
def test_a_helper_counts_however_it_is_imported(closure: Closure, modules: dict[str, str]) -> None:
    before = closure({**modules, "helper.py": "x = 1"})
    assert "helper.py" in before.files
    after = closure({"helper.py": "x = 2"})
    assert after.digest != before.digest
    assert [path for path in before.files if before.files[path] != after.files[path]] == ["helper.py"]


def test_a_module_that_is_not_imported_does_not_count(closure: Closure) -> None:
    before = closure({"acme.py": "import helper", "helper.py": "", "other.py": "x = 1"})
    assert set(before.files) == {"acme.py", "helper.py"}
    assert closure({"other.py": "x = 2"}).digest == before.digest


def test_a_name_of_a_module_is_no_module(closure: Closure) -> None:
    code = closure({"acme.py": "from helper import pandas", "helper.py": "pandas = 1"})
    assert code.imports == frozenset()


def test_comments_and_docstrings_of_a_helper_do_not_count(closure: Closure) -> None:
    before = closure({"acme.py": "import helper", "helper.py": "x = 1"})
    assert closure({"helper.py": "'''Helps.'''\nx = 1  # one"}).digest == before.digest


def test_moving_code_to_another_file_counts(closure: Closure) -> None:
    before = closure({"acme.py": "import helper", "helper.py": "x = 1"})
    assert closure({"acme.py": "import other", "other.py": "x = 1"}).digest != before.digest


@pytest.mark.parametrize("module", ["json", "os.path", "xml.dom.minidom", "sys", "_sqlite3"])
def test_the_standard_library_is_foreign_and_not_an_import(closure: Closure, module: str) -> None:
    code = closure({"acme.py": f"import {module}"})
    assert set(code.files) == {"acme.py"}
    assert code.imports == frozenset()


@pytest.mark.parametrize("module", ["pandas", "pandas.api.types", "luigi.util", "numpy.linalg"])
def test_an_installed_distribution_is_foreign_and_an_import(closure: Closure, module: str) -> None:
    code = closure({"acme.py": f"import {module}"})
    assert set(code.files) == {"acme.py"}
    assert code.imports == {module.partition(".")[0]}


def test_the_engine_is_foreign_and_counts_as_an_import(closure: Closure) -> None:
    code = closure({"acme.py": "from workflows import Query"})
    assert set(code.files) == {"acme.py"}
    assert code.imports == {"workflows"}


def test_a_pipeline_inside_the_engine_is_the_projects_own(project: Path) -> None:
    code = index_of(project, "workflows.flights").of_modules(["workflows.flights.stages"])
    assert {path.rpartition("/")[2] for path in code.files} >= {"stages.py", "robust.py", "queries.py", "__init__.py"}
    assert "workflows" in code.imports


def test_a_module_that_exists_nowhere_is_an_import(closure: Closure) -> None:
    assert closure({"acme.py": "try:\n    import nowhere\nexcept ImportError: pass"}).imports == {"nowhere"}


def test_a_schema_that_is_named_in_text_counts(project: Path) -> None:
    """A stage's `schema = "checks:Events"` is handed to the closure as a module of its own."""
    write(project, {"acme.py": "schema = 'checks:Events'", "checks.py": "x = 1"})
    code = index_of(project).of_modules(["acme", "checks"])
    assert set(code.files) == {"acme.py", "checks.py"}


def test_a_cell_is_counted_under_its_name_with_what_it_imports(project: Path) -> None:
    write(project, {"helper.py": "import json, pandas"})
    tree = ast.parse("import helper")
    code = index_of(project).of_source("templates/daily.ipynb", digest_python(tree), imports_of(tree), b"")
    assert set(code.files) == {"templates/daily.ipynb", "helper.py"}
    assert code.imports == {"pandas"}


def test_the_digest_does_not_depend_on_where_the_project_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    modules = {"acme.py": "import door.inner", "door/__init__.py": "", "door/inner.py": "x = 1"}
    found = []
    for place in ("here", "over/there"):
        write(tmp_path / place, modules)
        with monkeypatch.context() as patch:
            patch.syspath_prepend(str(tmp_path / place))
            found.append(index_of(tmp_path / place).of_modules(["acme"]))
    assert found[0] == found[1]


def test_the_digest_does_not_depend_on_the_times_of_files(closure: Closure, project: Path) -> None:
    before = closure({"acme.py": "x = 1"})
    os.utime(project / "acme.py", (1, 1))
    assert closure() == before


def test_modules_outside_of_the_project_count_wherever_they_lie(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for place in ("here", "over/there"):
        write(
            tmp_path / place, {"acme/__init__.py": "", "acme/a/__init__.py": "import acme.b", "acme/b/__init__.py": ""}
        )
        with monkeypatch.context() as patch:
            patch.syspath_prepend(str(tmp_path / place))
            found.append(index_of(tmp_path / "project").of_modules(["acme.a"]))
    assert found[0] == found[1]


def test_modules_of_the_same_file_name_outside_of_the_project_all_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An installed pipeline has many files of one name; none may stand for another."""
    write(tmp_path / "lib", {f"acme/{n}/core.py": f"import acme.{m}.core" for n, m in (("a", "b"), ("b", "a"))})
    monkeypatch.syspath_prepend(str(tmp_path / "lib"))
    index = index_of(tmp_path / "project")
    assert len(index.of_modules(["acme.a.core"]).files) == 2


def test_what_was_met_first_counts_for_the_whole_process(project: Path) -> None:
    write(project, {"acme.py": "import helper", "helper.py": "x = 1"})
    index = index_of(project)
    before = index.of_modules(["acme"])
    write(project, {"helper.py": "x = 2"})
    assert index.of_modules(["acme"]) == before


def test_a_loaded_module_counts_from_where_it_was_loaded(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(project, {"lib/helper.py": "x = 1", "acme.py": "import helper"})
    with monkeypatch.context() as patch:
        patch.syspath_prepend(str(project / "lib"))
        importlib.import_module("helper")
    try:
        assert "lib/helper.py" in index_of(project).of_modules(["acme"]).files
    finally:
        del sys.modules["helper"]


@pytest.mark.parametrize("source", ["def f(:", "x = '\0'"])
def test_a_helper_that_is_no_python_is_named(closure: Closure, source: str) -> None:
    with pytest.raises(PipelineError, match=r"'helper' cannot be imported: "):
        closure({"acme.py": "import helper", "helper.py": source})


def test_the_memo_gives_what_reading_gives(closure: Closure, project: Path) -> None:
    write(project, {"acme.py": "import door.inner, pandas", "door/__init__.py": "", "door/inner.py": "x = 1"})
    index = index_of(project)
    first = index.of_modules(["acme"])
    index.memo.save()
    assert (project / "cache" / "code.json").is_file()
    assert closure() == first
