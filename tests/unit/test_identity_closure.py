"""Which code a result depends on, at the grain of definitions."""

from __future__ import annotations

import ast
import importlib
import os
import sys
from collections.abc import Callable
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

from workflows.errors import PipelineError
from workflows.identity.closure import Code, CodeIndex
from workflows.identity.memo import Memo
from workflows.identity.modules import Module, Modules
from workflows.identity.outline import outline

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
    """Writes modules into the project and reads the closure of `f` of `acme`, as a new process would, and as the next."""

    def read(modules: dict[str, str] | None = None) -> Code:
        write(project, modules or {})
        index = index_of(project)
        code = index.of_definitions([("acme", "f")])
        index.modules.memo.save()
        kept = index_of(project).of_definitions([("acme", "f")])
        assert vars(kept) == vars(code)
        return code

    return read


def write(root: Path, modules: dict[str, str]) -> None:
    for name, source in modules.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    importlib.invalidate_caches()


def index_of(root: Path, *pipelines: str) -> CodeIndex:
    return CodeIndex(Modules(root, pipelines or ("acme",), Memo(root / "cache", "code")))


# How `f` of acme.py may reach `x` of helper.py.
REACHING = {
    "import": {"acme.py": "import helper\ndef f(): return helper.x"},
    "import as": {"acme.py": "import helper as h\ndef f(): return h.x"},
    "from import": {"acme.py": "from helper import x\ndef f(): return x"},
    "from import as": {"acme.py": "from helper import x as y\ndef f(): return y"},
    "star import": {"acme.py": "from helper import *\ndef f(): return x"},
    "inside a function": {"acme.py": "def f():\n    import helper\n    return helper.x"},
    "from inside a function": {"acme.py": "def f():\n    from helper import x as y\n    return lambda: y"},
    "inside a try": {"acme.py": "try:\n    from fast import x\nexcept ImportError:\n    from helper import x\ndef f(): return x"},
    "by import_module": {"acme.py": "from importlib import import_module\nh = import_module('helper')\ndef f(): return h.x"},
    "through another": {"acme.py": "import middle\ndef f(): return middle.y", "middle.py": "import helper\ny = helper.x"},
    "through a circle": {"acme.py": "import middle\nz = 1\ndef f(): return middle.y()", "middle.py": "import acme, helper\ndef y(): return helper.x + acme.z"},
    "re-export": {"acme.py": "from door import x\ndef f(): return x", "door/__init__.py": "from helper import x"},
    "star re-export": {"acme.py": "from door import *\ndef f(): return x", "door/__init__.py": "from door.inner import *", "door/inner.py": "from helper import x"},
    "attribute of a package": {"acme.py": "import door.inner as i\ndef f(): return i.y", "door/__init__.py": "", "door/inner.py": "import helper\ny = helper.x"},
    "relative": {"acme.py": "import door\ndef f(): return door.inner.y", "door/__init__.py": "from . import inner", "door/inner.py": "from helper import x as y"},
    "relative up": {"acme.py": "import door.deep.a\ndef f(): return door.deep.a.y", "door/__init__.py": "", "door/deep/__init__.py": "", "door/deep/a.py": "from ..b import y", "door/b.py": "from helper import x as y"},
    "namespace package": {"acme.py": "import space.inner\ndef f(): return space.inner.y", "space/inner.py": "from helper import x as y"},
    "default": {"acme.py": "import helper\ndef f(a=helper.x): return a"},
    "decorator": {"acme.py": "import helper\ndef d(g): return lambda: helper.x\n@d\ndef f(): pass"},
    "constant": {"acme.py": "import helper\nY = [helper.x]\ndef f(): return Y"},
    "changed in place": {"acme.py": "import helper\nY = []\nY.append(helper.x)\ndef f(): return Y"},
    "changed in a loop": {"acme.py": "import helper\nY = {}\nfor k in 'ab':\n    Y[k] = helper.x\ndef f(): return Y"},
    "registered": {"acme.py": "import helper\nR = {}\ndef reg(g):\n    R[g.__name__] = g\n    return g\n@reg\ndef g(): return helper.x\ndef f(): return R['g']()"},
    "registered from elsewhere": {"acme.py": "import plugin\nfrom core import R\ndef f(): return R", "core.py": "R = []\ndef reg(g):\n    R.append(g)", "plugin.py": "import core, helper\n@core.reg\ndef g(): return helper.x"},
    "registered as a subclass": {"acme.py": "import helper\nclass Base:\n    kinds = []\n    def __init_subclass__(cls):\n        Base.kinds.append(cls)\nclass A(Base):\n    x = helper.x\ndef f(): return Base.kinds"},
    "patched in": {"acme.py": "import other, patch\ndef f(): return other.y()", "other.py": "def y(): return 0", "patch.py": "import other, helper\nother.y = lambda: helper.x"},
    "patched in by setattr": {"acme.py": "import other, patch\ndef f(): return other.y()", "other.py": "def y(): return 0", "patch.py": "import other, helper\nsetattr(other, 'y', lambda: helper.x)"},
    "patched in by a call": {"acme.py": "import other, patch\ndef f(): return other.y()", "other.py": "def y(): return 0", "patch.py": "import other, helper\ndef install():\n    other.y = lambda: helper.x\ninstall()"},
    "singledispatch": {"acme.py": "import functools, helper\n@functools.singledispatch\ndef g(a): return 0\n@g.register\ndef _(a: int): return helper.x\ndef f(): return g(1)"},
    "class attribute": {"acme.py": "import helper\nclass f:\n    a = helper.x"},
    "base class": {"acme.py": "import helper\nclass B:\n    def m(self): return helper.x\nclass f(B): pass"},
    "metaclass": {"acme.py": "import helper\nclass M(type):\n    def __call__(self): return helper.x\nclass f(metaclass=M): pass"},
    "string annotation": {"acme.py": "from helper import x\ndef f(a: 'list[x]'): pass"},
    "partial": {"acme.py": "import functools, helper\ndef g(a): return a\nf = functools.partial(g, helper.x)"},
    "tuple assignment": {"acme.py": "import helper\nf, g = helper.x, 2"},
    "walrus": {"acme.py": "import helper\nif (y := helper.x):\n    pass\ndef f(): return y"},
    "match": {"acme.py": "import helper\ndef f(a):\n    match a:\n        case helper.x: return 1"},
    "f-string": {"acme.py": "import helper\ndef f(): return f'{helper.x:.1f}'"},
    "comprehension": {"acme.py": "import helper\ndef f(): return [a for a in helper.x]"},
    "global": {"acme.py": "import helper\ny = None\ndef fill():\n    global y\n    y = helper.x\nfill()\ndef f(): return y"},
    "module getattr": {"acme.py": "import door\ndef f(): return door.anything", "door.py": "import helper\ndef __getattr__(n): return helper.x"},
    "a name in text": {"acme.py": "import helper\ndef f(n): return globals()[n]\ndef g(): return helper.x"},
    "getattr of a module": {"acme.py": "import helper\ndef f(n): return getattr(helper, n)"},
}  # fmt: skip


@pytest.mark.parametrize("modules", REACHING.values(), ids=REACHING)
def test_a_definition_counts_however_it_is_reached(closure: Closure, modules: dict[str, str]) -> None:
    before = closure({**modules, "helper.py": "x = 1\nunrelated = 1"})
    after = closure({"helper.py": "x = 2\nunrelated = 1"})
    assert after.digest != before.digest
    assert [path for path in before.files if before.files[path] != after.files[path]] == ["helper.py"]


WHOLE = {"getattr of a module"}


@pytest.mark.parametrize("name", [name for name in REACHING if name not in WHOLE])
def test_an_unrelated_definition_in_the_same_module_does_not_count(closure: Closure, name: str) -> None:
    before = closure({**REACHING[name], "helper.py": "x = 1\nunrelated = 1"})
    assert closure({"helper.py": "def new(): pass\nunrelated = 2\nx = 1"}).digest == before.digest


# Beside `f` of acme.py, which uses nothing of it.
UNRELATED = {
    "function": "def g(): return {}",
    "constant": "Y = {}",
    "class": "class A:\n    y = {}",
    "constant that is called for": "import math\nY = math.sqrt({})",
    "task": "class A(f):\n    y = {}",
    "registered elsewhere": "R = []\ndef reg(g):\n    R.append(g)\n    return g\n@reg\ndef g(): return {}",
    "changed in place": "R = []\nR.append({})",
    "program": "if __name__ == '__main__':\n    print({})",
    "for types only": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    Y = {}",
    "user of it": "def g(): return f(), {}",
    "local of the same name": "def g():\n    y = {}\n    return y",
}


@pytest.mark.parametrize("text", UNRELATED.values(), ids=UNRELATED)
def test_what_is_not_reached_does_not_count(closure: Closure, text: str) -> None:
    found = [
        closure({"acme.py": f"class f:\n    def g(self):\n        y = R = 1\n        return y\n{text.format(n)}\n"})
        for n in (1, 2)
    ]
    assert found[0] == found[1]


def test_the_order_of_definitions_does_not_count(closure: Closure) -> None:
    before = closure({"acme.py": "import math, json\nA = 1\nB = 2\ndef f(): return A + B"})
    assert closure({"acme.py": "import json\nimport math\ndef f(): return A + B\nB = 2\nA = 1"}) == before


def test_the_order_counts_where_a_name_is_made_by_several(closure: Closure) -> None:
    before = closure({"acme.py": "A = 1\nB = A\nA = 2\ndef f(): return B"})
    assert closure({"acme.py": "A = 1\nA = 2\nB = A\ndef f(): return B"}).digest != before.digest


def test_docstrings_count_where_anything_that_is_reached_reads_them(closure: Closure) -> None:
    modules = {"acme.py": "import helper\ndef f(): return helper.g.__doc__", "helper.py": "def g():\n    'One.'"}
    before = closure(modules)
    assert closure({"helper.py": "def g():\n    'Two.'"}).digest != before.digest


def test_a_task_that_is_only_required_counts_by_its_result(project: Path) -> None:
    source = "class A:\n    x = {}\nclass f:\n    def requires(self): return helper()\ndef helper(): return A()"
    found = []
    for n in (1, 2):
        write(project, {"acme.py": source.format(n)})
        index = index_of(project)
        index.tasks = {("acme", "A"), ("acme", "f")}
        found.append(index.of_definitions([("acme", "f")]))
    assert found[0] == found[1]
    assert set(found[0].definitions["acme.py"]) == {"f", "helper"}


def test_a_task_whose_code_is_used_counts_as_code(project: Path) -> None:
    source = "class A:\n    x = 1\nclass f:\n    def requires(self): return A()\n    def compute(self): return A.x"
    write(project, {"acme.py": source})
    index = index_of(project)
    index.tasks = {("acme", "A"), ("acme", "f")}
    assert set(index.of_definitions([("acme", "f")]).definitions["acme.py"]) == {"A", "f"}


FILES = {
    "open": "def f(): return open('limits.json')",
    "beside": "from pathlib import Path\ndef f(): return Path(__file__).with_name('limits.json').read_text()",
    "by division": "from pathlib import Path\ndef f(): return Path(__file__).parent / 'rules' / 'limits.json'",
    "by a constant": "NAME = 'limits.json'\ndef f(): return open(NAME)",
    "in a command line": "import os\ndef f(): return os.system('cat limits.json | wc -l')",
    "by join": "import os\ndef f(): return os.path.join('rules', 'limits.json')",
}


@pytest.mark.parametrize("source", FILES.values(), ids=FILES)
def test_a_file_that_the_code_names_counts_by_its_bytes(closure: Closure, project: Path, source: str) -> None:
    name = "rules/limits.json" if "rules" in source else "limits.json"
    before = closure({"acme.py": source, name: "1"})
    assert closure({name: "2"}).digest != before.digest
    assert before.sources[name] == b"1"


def test_an_extension_module_of_the_project_counts_by_its_bytes(closure: Closure, project: Path) -> None:
    name = f"fast{EXTENSION_SUFFIXES[0]}"
    before = closure({"acme.py": "import fast\ndef f(): return fast.x", name: "one"})
    assert name in before.files
    assert closure({name: "two"}).digest != before.digest


def test_a_module_that_counts_whole_says_why(closure: Closure) -> None:
    code = closure({"acme.py": "x = 1\ndef f(n): return eval(n)"})
    assert (code.definitions["acme.py"].keys(), code.undecided) == ({""}, {"acme.py": "eval()"})


def test_a_definition_that_the_text_does_not_name_counts_with_its_whole_module(closure: Closure) -> None:
    assert set(closure({"acme.py": "x = 1"}).undecided) == {"acme.py"}


def test_a_module_that_is_not_imported_does_not_count(closure: Closure) -> None:
    before = closure({"acme.py": "import helper\ndef f(): return helper.x", "helper.py": "x = 1", "other.py": "x = 1"})
    assert set(before.files) == {"acme.py", "helper.py"}
    assert closure({"other.py": "x = 2"}).digest == before.digest


def test_a_name_of_a_module_is_no_module(closure: Closure) -> None:
    code = closure({"acme.py": "from helper import pandas\ndef f(): return pandas", "helper.py": "pandas = 1"})
    assert code.imports == frozenset()


def test_comments_and_docstrings_of_a_helper_do_not_count(closure: Closure) -> None:
    before = closure({"acme.py": "import helper\ndef f(): return helper.x", "helper.py": "x = 1"})
    assert closure({"helper.py": "'''Helps.'''\nx = 1  # one"}).digest == before.digest


def test_moving_code_to_another_file_counts(closure: Closure) -> None:
    before = closure({"acme.py": "import helper\ndef f(): return helper.x", "helper.py": "x = 1"})
    assert (
        closure({"acme.py": "import other as helper\ndef f(): return helper.x", "other.py": "x = 1"}).digest
        != before.digest
    )


@pytest.mark.parametrize("module", ["json", "os.path", "xml.dom.minidom", "sys", "_sqlite3"])
def test_the_standard_library_is_foreign_and_not_an_import(closure: Closure, module: str) -> None:
    code = closure({"acme.py": f"def f():\n    import {module}"})
    assert set(code.files) == {"acme.py"}
    assert code.imports == frozenset()


@pytest.mark.parametrize("module", ["pandas", "pandas.api.types", "luigi.util", "numpy.linalg"])
def test_an_installed_distribution_is_foreign_and_an_import(closure: Closure, module: str) -> None:
    code = closure({"acme.py": f"def f():\n    import {module}"})
    assert set(code.files) == {"acme.py"}
    assert code.imports == {module.partition(".")[0]}


def test_the_engine_is_foreign_and_counts_as_an_import(closure: Closure) -> None:
    code = closure({"acme.py": "from workflows import Query\nclass f(Query): pass"})
    assert set(code.files) == {"acme.py"}
    assert code.imports == {"workflows"}


def test_a_pipeline_inside_the_engine_is_the_projects_own(project: Path) -> None:
    code = index_of(project, "workflows.flights").of_definitions([("workflows.flights.stages", "Anomalies")])
    assert {path.rpartition("/")[2] for path in code.files} >= {"stages.py", "robust.py", "queries.py"}
    assert "workflows" in code.imports


def test_a_module_that_exists_nowhere_is_an_import(closure: Closure) -> None:
    assert closure({"acme.py": "def f():\n    try:\n        import nowhere\n    except ImportError: pass"}).imports == {
        "nowhere"
    }


def test_a_cell_is_counted_under_its_name_with_what_it_imports(project: Path) -> None:
    write(project, {"helper.py": "import json, pandas\ndef x(): return pandas.NA\ny = 1"})
    cells = outline(ast.parse("import helper\nhelper.x()"))
    code = index_of(project).of_notebook(
        Module("", project / "templates/daily.ipynb", cells.as_json(), b""), "templates/daily.ipynb"
    )
    assert set(code.files) == {"templates/daily.ipynb", "helper.py"}
    assert set(code.definitions["helper.py"]) == {"x", "pandas"}
    assert code.imports == {"pandas"}


def test_the_digest_does_not_depend_on_where_the_project_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    modules = {
        "acme.py": "import door.inner\ndef f(): return door.inner.x",
        "door/__init__.py": "",
        "door/inner.py": "x = 1",
    }
    found = []
    for place in ("here", "over/there"):
        write(tmp_path / place, modules)
        with monkeypatch.context() as patch:
            patch.syspath_prepend(str(tmp_path / place))
            found.append(index_of(tmp_path / place).of_definitions([("acme", "f")]))
    assert found[0] == found[1]


def test_the_digest_does_not_depend_on_the_times_of_files(closure: Closure, project: Path) -> None:
    before = closure({"acme.py": "f = 1"})
    os.utime(project / "acme.py", (1, 1))
    assert closure() == before


def test_modules_outside_of_the_project_count_wherever_they_lie(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for place in ("here", "over/there"):
        write(
            tmp_path / place,
            {
                "acme/__init__.py": "",
                "acme/a/__init__.py": "import acme.b\nf = acme.b.x",
                "acme/b/__init__.py": "x = 1",
            },
        )
        with monkeypatch.context() as patch:
            patch.syspath_prepend(str(tmp_path / place))
            found.append(index_of(tmp_path / "project").of_definitions([("acme.a", "f")]))
    assert found[0] == found[1]


def test_modules_of_the_same_file_name_outside_of_the_project_all_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An installed pipeline has many files of one name; none may stand for another."""
    write(
        tmp_path / "lib",
        {
            f"acme/{n}/core.py": f"import acme.{m}.core\nx = 1\ndef f(): return acme.{m}.core.x"
            for n, m in (("a", "b"), ("b", "a"))
        },
    )
    monkeypatch.syspath_prepend(str(tmp_path / "lib"))
    index = index_of(tmp_path / "project")
    assert len(index.of_definitions([("acme.a.core", "f")]).files) == 2


def test_what_was_met_first_counts_for_the_whole_process(project: Path) -> None:
    write(project, {"acme.py": "import helper\ndef f(): return helper.x", "helper.py": "x = 1"})
    index = index_of(project)
    before = index.of_definitions([("acme", "f")])
    write(project, {"helper.py": "x = 2"})
    assert index.of_definitions([("acme", "f")]) == before


def test_a_loaded_module_counts_from_where_it_was_loaded(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(project, {"lib/helper.py": "x = 1", "acme.py": "import helper\nf = helper.x"})
    with monkeypatch.context() as patch:
        patch.syspath_prepend(str(project / "lib"))
        importlib.import_module("helper")
    try:
        assert "lib/helper.py" in index_of(project).of_definitions([("acme", "f")]).files
    finally:
        del sys.modules["helper"]


@pytest.mark.parametrize("source", ["def f(:", "x = '\0'"])
def test_a_helper_that_is_no_python_is_named(closure: Closure, source: str) -> None:
    with pytest.raises(PipelineError, match=r"'helper' cannot be imported: "):
        closure({"acme.py": "import helper", "helper.py": source})


def test_the_memo_gives_what_reading_gives(closure: Closure, project: Path) -> None:
    write(
        project,
        {"acme.py": "import door.inner, pandas\nf = door.inner.x", "door/__init__.py": "", "door/inner.py": "x = 1"},
    )
    index = index_of(project)
    first = index.of_definitions([("acme", "f")])
    index.modules.memo.save()
    assert (project / "cache" / "code.json").is_file()
    assert closure() == first
