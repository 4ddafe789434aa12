"""Changes of what is installed: an upgrade runs exactly the tasks that import it, and a project's own code is its own."""

from __future__ import annotations

import shutil
import subprocess
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import Case
from trial import Trial, named

pytestmark = pytest.mark.integration


def _installed(version: str, factor: int, more: str = "") -> dict[str, str]:
    """The distribution `scaler` in the folder `site`: a module with a constant, and its metadata."""
    info = f"site/scaler-{version}.dist-info"
    return {
        "site/scaler.py": f"FACTOR = {factor}\n{more}",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: scaler\nVersion: {version}\n",
        f"{info}/RECORD": f"scaler.py,,\nscaler-{version}.dist-info/METADATA,,\nscaler-{version}.dist-info/RECORD,,\n",
    }


def _upgrade(version: str, factor: int) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        for info in (folder / "site").glob("scaler-*"):
            shutil.rmtree(info)
        for name, text in _installed(version, factor).items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text)

    return edit


def _other_upgrade(folder: Path) -> None:
    info = folder / "site" / "unrelated-2.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: unrelated\nVersion: 2.0\n")
    (info / "RECORD").write_text("unrelated.py,,\n")
    (folder / "site" / "unrelated.py").write_text("FACTOR = 9\n")


UPGRADES = [
    Case(
        "upgrade of a library",
        "import scaler\n",
        _installed("1.0", 2),
        returns="scaler.FACTOR",
        matters=_upgrade("1.1", 3),
        harmless=_other_upgrade,
        path=("site",),
    ),
    Case(
        "downgrade of a library",
        "from scaler import FACTOR as factor\n",
        _installed("1.1", 2),
        returns="factor",
        matters=_upgrade("1.0", 3),
        harmless=_other_upgrade,
        path=("site",),
    ),
    Case(
        "upgrade of a library that a helper in another module imports",
        "import tools\n",
        {
            "tools.py": "def scaled(x):\n    import scaler\n    return x * scaler.FACTOR\n\ndef unrelated():\n    import json\n    return json\n",
            **_installed("1.0", 2),
        },
        returns="tools.scaled(21)",
        matters=_upgrade("1.1", 3),
        harmless=("    import json\n    return json\n", "    return 7\n"),
        path=("site",),
    ),
    Case(
        "upgrade of a library that only an unrelated definition imports",
        "import tools\n\nclass Other(Stage):\n    def compute(self):\n        return table(tools.unrelated())\n",
        {
            "tools.py": "FACTOR = 2\n\ndef unrelated():\n    import scaler\n    return scaler.FACTOR\n",
            **_installed("1.0", 2),
        },
        returns="tools.FACTOR",
        matters=_upgrade("1.1", 3),
        harmless=("FACTOR = 2\n\ndef", "FACTOR = (2)\n\ndef"),
        reruns=frozenset({"Other"}),
        path=("site",),
    ),
]

OUTSIDE = [
    Case(
        "editable install by a path",
        "import beside\n",
        {
            "site/beside.pth": "../elsewhere\n",
            "elsewhere/beside.py": "FACTOR = 2\nUNUSED = 1\n",
        },
        returns="beside.FACTOR",
        matters=("FACTOR = 2", "FACTOR = 3"),
        harmless=("UNUSED = 1", "UNUSED = 2"),
        path=("site",),
    ),
    Case(
        "editable install by an import hook",
        "def factor():\n    import beside\n    return beside.FACTOR\n",
        {
            "site/__editable__.beside.pth": "import __editable___beside_finder; __editable___beside_finder.install()\n",
            "site/__editable___beside_finder.py": """
                import sys
                from importlib.util import spec_from_file_location
                from pathlib import Path

                class Finder:
                    @classmethod
                    def find_spec(cls, name, path=None, target=None):
                        if name == "beside":
                            return spec_from_file_location(name, Path(__file__).parents[1] / "elsewhere" / "beside.py")
                        return None

                def install():
                    sys.meta_path.append(Finder)
            """,
            "elsewhere/beside.py": "FACTOR = 2\nUNUSED = 1\n",
        },
        returns="factor()",
        matters=("FACTOR = 2", "FACTOR = 3"),
        harmless=("UNUSED = 1", "UNUSED = 2"),
        path=("site",),
    ),
]
EXTENSION = """
#include <Python.h>
static PyObject *factor(PyObject *self, PyObject *nothing) { return PyLong_FromLong(FACTOR); }
static PyMethodDef methods[] = {{"factor", factor, METH_NOARGS, ""}, {0}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "fast", 0, -1, methods};
PyMODINIT_FUNC PyInit_fast(void) { return PyModule_Create(&module); }
"""


@named([*UPGRADES, *OUTSIDE])
def test_a_change_that_matters_is_seen(case: Case, trial: Trial) -> None:
    trial.assert_seen(case)


@named([*UPGRADES, *OUTSIDE])
def test_a_change_that_matters_runs_nothing_else(case: Case, trial: Trial) -> None:
    trial.assert_nothing_else(case)


@named([*UPGRADES, *OUTSIDE])
def test_its_harmless_twin_runs_nothing(case: Case, trial: Trial) -> None:
    trial.assert_nothing_runs(case, case.harmless)


@pytest.fixture(scope="module")
def extensions(tmp_path_factory: pytest.TempPathFactory) -> dict[int, bytes]:
    """An extension module in two versions."""
    compiler = shutil.which("cc")
    if not compiler:
        pytest.skip("there is no C compiler")
    folder = tmp_path_factory.mktemp("extension")
    (folder / "fast.c").write_text(EXTENSION)
    headers = sysconfig.get_path("include")
    built = {}
    for factor in (2, 3):
        target = folder / f"fast-{factor}.so"
        command = [compiler, "-shared", "-fPIC", f"-DFACTOR={factor}", f"-I{headers}", "fast.c", "-o", str(target)]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        built[factor] = target.read_bytes()
    return built


def _extension(trial: Trial, extensions: dict[int, bytes]) -> tuple[Case, Path]:
    case = Case("extension module", "import fast\n", returns="fast.factor()")
    folder = trial.new("first")
    case.write(folder)
    (folder / "fast.so").write_bytes(extensions[2])
    trial.firsts[case.name] = folder, trial.run(case, folder)
    return case, folder


def test_an_extension_module_counts_by_its_bytes(trial: Trial, extensions: dict[int, bytes]) -> None:
    case, _ = _extension(trial, extensions)
    folder = trial.edited(case)
    (folder / "fast.so").write_bytes(extensions[3])
    found = trial.run(case, folder)
    assert found.computed == {"Scaled"}
    assert found.tables == trial.scratch(case, folder).tables


def test_an_extension_module_of_another_time_is_the_same(trial: Trial, extensions: dict[int, bytes]) -> None:
    case, _ = _extension(trial, extensions)
    trial.assert_nothing_runs(case, lambda folder: (folder / "fast.so").touch())
