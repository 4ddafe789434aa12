"""A project's modules laid beside a notebook: each where an import finds it, and none from elsewhere."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from workflows.answers.modules import Import, Modules


def lay(folder: Path, *imports: str, beside: str = "templates", **files: str) -> Modules:
    modules = Modules(folder, tuple(Import(0, name) for name in imports), beside)
    modules.lay({name: text.encode() for name, text in files.items()})
    return modules


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def imported(folder: Path, code: str) -> str:
    """What Python prints in the folder, as a notebook's kernel would."""
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("name", "imports", "place"),
    [
        ("acme.py", ["acme"], "acme.py"),
        ("lib/sums.py", ["lib.sums"], "lib/sums.py"),
        ("lib/sums.py", ["sums"], "sums.py"),
        ("src/acme/x.py", ["acme.x"], "acme/x.py"),
        ("src/acme/factors.csv", ["acme.x"], "acme/factors.csv"),
        ("templates/helper.py", ["helper"], "helper.py"),
        ("templates/samples/routes.csv", [], "samples/routes.csv"),
        ("tables/routes.csv", ["pandas"], "tables/routes.csv"),
        ("workflows/flights/page.py", ["workflows.flights"], "workflows/flights/page.py"),
    ],
)
def test_a_file_lies_where_it_is_looked_for(tmp_path: Path, name: str, imports: list[str], place: str) -> None:
    modules = Modules(tmp_path, tuple(Import(0, module) for module in imports), "templates")
    modules.lay({name: b"x = 1\n"})
    assert modules.laid == {name: place}
    assert place in names(tmp_path)


@pytest.mark.parametrize("name", ["../out.py", "/out.py", "a/../../out.py"])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    modules = Modules(tmp_path / "inside", (), "templates")
    modules.lay({name: b""})
    assert names(tmp_path) == []
    assert modules.laid == {}


def test_what_only_a_module_imports_is_laid_as_that_module_names_it(tmp_path: Path) -> None:
    lay(tmp_path, "acme", **{"acme.py": "import sums.total", "lib/sums/total.py": "x = 2"})
    assert "sums/total.py" in names(tmp_path)


def test_what_did_not_count_is_taken_from_the_project_as_it_is(tmp_path: Path) -> None:
    project, folder = tmp_path / "project", tmp_path / "try"
    (project / "src" / "acme" / "deep").mkdir(parents=True)
    for name in ("__init__", "unused", "deep/__init__"):
        (project / "src" / "acme" / f"{name}.py").write_text(f"from acme import used\nNAME = {name!r}\n")
    (project / "alone.py").write_text("from nowhere import nothing\n")
    source = "from . import unused\nfrom .unused import NAME\nimport acme.deep, alone, acme.gone\n"
    modules = lay(folder, "acme.used", **{"src/acme/used.py": source})
    taken, absent = modules.complete(project)
    assert sorted(taken) == ["acme/__init__.py", "acme/deep/__init__.py", "acme/unused.py", "alone.py"]
    assert absent == ["acme.gone"]
    assert (folder / "alone.py").read_text() == "from nowhere import nothing\n"


def test_what_is_not_imported_for_certain_is_not_missed(tmp_path: Path) -> None:
    source = "if 1:\n    import acme.a\ntry:\n    import acme.b\nexcept ImportError:\n    pass\ndef f():\n    import acme.c\n"
    modules = lay(tmp_path / "try", "acme.used", **{"acme/used.py": source})
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme" / "b.py").write_text("")
    (tmp_path / "acme" / "c.py").write_text("")
    assert modules.complete(tmp_path) == (["acme/b.py"], [])


def test_a_project_inside_the_package_of_parcours_goes_before_it_and_leaves_the_rest(tmp_path: Path) -> None:
    init, page = ("workflows/flights/__init__.py", "workflows/flights/page.py")
    lay(tmp_path, "workflows.flights", **{init: "", page: "NAME = 'then'"})
    code = (
        "import workflows, workflows.flights.page as page, workflows.release as release\n"
        "from workflows import measure, Query\n"
        "print(page.NAME, release.__file__.count('workflows'), workflows.__version__ == release.VERSION)\n"
        "measure('x', 1)\n"
    )
    assert imported(tmp_path, code) == "then 1 True\nx 1\n"


def test_a_module_that_cannot_be_read_is_laid_all_the_same(tmp_path: Path) -> None:
    modules = lay(tmp_path, "acme", **{"acme.py": "broken = ("})
    assert modules.complete(tmp_path / "nowhere") == ([], [])
    assert names(tmp_path) == ["acme.py"]
