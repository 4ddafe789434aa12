"""`parcours reproduce`: a report laid for work by hand, which gives again what it gave, whatever has changed meanwhile."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.acceptance

DAY = "2020-01-01"
PARAMETERS = """import datetime
date: datetime.date = datetime.date(2019, 12, 31)  # the day
cleaned: "Cleaned" = "samples/cleaned.parquet"
events: "Events" = "samples/events.parquet"
factor: float = 2.0  # times
word: str = "none"
"""
USE = """import pandas as pd
from workflows import measure
from sums.total import total
import beside
"""
SHOW = "measure('total', total(pd.read_parquet(cleaned)))\nprint(date, factor, word, beside.NAME, len(pd.read_parquet(events)))"


def build(place: Any) -> None:
    """A template with modules of its own: a package that imports within itself, a file that it opens, a module alone."""
    (place.folder / "sums").mkdir()
    (place.folder / "sums" / "__init__.py").write_text("")
    (place.folder / "sums" / "total.py").write_text(
        "from sums import scale, unused\nfrom .deeper import start\ndef total(table):\n    return float(table.value.sum()) * scale.SCALE + start()\n"
    )
    (place.folder / "sums" / "scale.py").write_text("SCALE = 10\n")
    (place.folder / "sums" / "unused.py").write_text("def unused():\n    return 'imported, and nothing of it counts'\n")
    (place.folder / "sums" / "deeper").mkdir()
    (place.folder / "sums" / "deeper" / "__init__.py").write_text(
        "from ..scale import SCALE\ndef start():\n    return 0.5\n"
    )
    place.module("beside", "NAME = 'then'\n")
    place.template("full", PARAMETERS, USE, SHOW)


def change(place: Any) -> None:
    """Everything else than the report: the template, the modules, the pipeline, the data."""
    place.template("full", "x = 1", "print('another template')")
    shutil.rmtree(place.folder / "sums")
    place.module("beside", "NAME = 'now'\n")
    place.module("acme", "broken = ")
    (place.folder / "acme.db").unlink()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, make_small: Callable[[Path], Any]) -> Any:
    """A project with a report and a failed one, changed afterwards."""
    place = make_small(tmp_path_factory.mktemp("reproduced") / "small")
    build(place)
    place.template("broken", PARAMETERS, USE, "print('so far')", "1 / len(word[4:])")
    parameters = '{"factor": 3, "word": "it\'s"}'
    assert place.report("full", DAY, "--parameters", parameters).code == 0
    assert place.report("broken", DAY, "--parameters", parameters).code == 30
    change(place)
    return place


@pytest.fixture
def report(made: Any) -> Path:
    [found] = made.artefacts("ReportTask")
    return found


def reproduce(place: Any, path: Path | str, folder: Path | str = "try", *more: str, **environment: str) -> Any:
    return place.run("parcours", "reproduce", str(path), "--into", str(folder), *more, **environment)


def executed(place: Any, notebook: Path) -> list[Any]:
    """The outputs of a notebook that Jupyter ran from top to bottom, cell by cell."""
    done = place.run("jupyter-execute", "--inplace", str(notebook))
    assert done.code == 0, done.err
    return outputs(notebook)


def outputs(notebook: Path) -> list[Any]:
    cells = [cell for cell in json.loads(notebook.read_text())["cells"] if cell["cell_type"] == "code"]
    return [[output.get("data") or "".join(output["text"]) for output in cell["outputs"]] for cell in cells]


def content(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_a_report_gives_again_what_it_gave_after_all_else_has_changed(made: Any, report: Path, tmp_path: Path) -> None:
    done = reproduce(made, report / "report.html", tmp_path / "try")
    assert (done.code, done.err) == (0, "")
    assert executed(made, tmp_path / "try" / "full.ipynb") == outputs(report / "report.ipynb")
    [_, _, [measured, printed]] = outputs(tmp_path / "try" / "full.ipynb")
    assert measured["application/vnd.parcours.measure+json"]["value"] == 105.5
    assert printed == "2020-01-01 3.0 it's then 2\n"


def test_what_is_laid_can_be_opened_as_it_is(made: Any, report: Path, tmp_path: Path) -> None:
    reproduce(made, report, tmp_path / "try")
    laid = content(tmp_path / "try")
    assert sorted(laid) == [
        "README.md", "beside.py", "data/cleaned.parquet", "data/events.parquet", "full.ipynb", "provenance.json",
        "requirements.txt", "sums/__init__.py", "sums/deeper/__init__.py", "sums/scale.py", "sums/total.py", "sums/unused.py",
    ]  # fmt: skip
    record = json.loads((report / "provenance.json").read_text())
    assert [given["digest"] for given in record["inputs"]] == [laid[f"data/{n}.parquet"] for n in ("cleaned", "events")]
    assert json.loads((tmp_path / "try" / "provenance.json").read_text()) == record
    cell = json.loads((tmp_path / "try" / "full.ipynb").read_text())["cells"][0]["source"]
    assert cell == (
        PARAMETERS.replace("2019, 12, 31", "2020, 1, 1").replace('"samples/cleaned.parquet"', "'data/cleaned.parquet'")
        .replace('"samples/events.parquet"', "'data/events.parquet'").replace("2.0", "3.0").replace('"none"', '"it\'s"')
    )  # fmt: skip
    requirements = (tmp_path / "try" / "requirements.txt").read_text().splitlines()
    packages = record["environment"]["packages"]
    assert requirements[0] == f"# Python {record['environment']['python']}"
    assert f"pandas=={packages['pandas']}" in requirements
    assert len(requirements) == 1 + len(packages)


def test_it_says_what_differs_from_here(made: Any, report: Path, tmp_path: Path) -> None:
    lone = tmp_path / "mailed.html"
    # As another program would have made it, without a seal.
    page = re.sub(r',\s*"seal": "[0-9a-f]*"', "", (report / "report.html").read_text())
    lone.write_text(
        page.replace('"packages": {', '"packages": {"somewhere": "1.0", ').replace('"luigi": "', '"luigi": "0.')
    )
    done = reproduce(made, lone, tmp_path / "try")
    told = done.out + (tmp_path / "try" / "README.md").read_text()
    assert told.count("templates/full.ipynb has changed since") == 2
    assert told.count("beside.py has changed since") == 2
    assert told.count("somewhere 1.0 then, not installed here") == 2


def test_a_lone_page_is_enough_where_the_store_is(made: Any, report: Path, tmp_path: Path) -> None:
    lone = tmp_path / "from a colleague.html"
    shutil.copyfile(report / "report.html", lone)
    assert reproduce(made, lone, tmp_path / "one").code == 0
    assert reproduce(made, report.relative_to(made.folder), tmp_path / "two").code == 0
    one, two = content(tmp_path / "one"), content(tmp_path / "two")
    # A page cannot list its own digest.
    assert one.pop("provenance.json") != two.pop("provenance.json")
    assert one == two


def test_a_failed_report_is_laid_with_its_cursor(made: Any, tmp_path: Path) -> None:
    [kept] = made.store.glob(f"failed/broken/{DAY}/*")
    done = reproduce(made, kept, tmp_path / "try")
    assert (done.code, done.err) == (0, "")
    assert "failed    in cell 4 of 4: ZeroDivisionError: division by zero\n" in done.out
    readme = (tmp_path / "try" / "README.md").read_text()
    assert "It failed in cell 4 of 4: ZeroDivisionError: division by zero\n\n    1 / len(word[4:])\n" in readme
    run = made.run("jupyter-execute", str(tmp_path / "try" / "broken.ipynb"))
    assert run.code != 0
    assert "1 / len(word[4:])" in run.err
    assert "ZeroDivisionError" in run.err


def test_json_says_the_same(made: Any, report: Path, tmp_path: Path) -> None:
    told = json.loads(reproduce(made, report, tmp_path / "try", "--json").out)
    assert told["tables"] == {"cleaned": 2, "events": 2}
    assert told["modules"] == [
        "beside.py",
        "sums/__init__.py",
        "sums/deeper/__init__.py",
        "sums/scale.py",
        "sums/total.py",
        "sums/unused.py",
    ]
    assert told["missing"] == []
    assert told["notebook"] == str(tmp_path / "try" / "full.ipynb")


def test_an_empty_folder_is_filled(made: Any, report: Path, tmp_path: Path) -> None:
    (tmp_path / "try").mkdir()
    assert reproduce(made, report, tmp_path / "try").code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["try"]


class TestRefusals:
    """What is refused leaves everything as it was."""

    def check(self, done: Any, folder: Path, told: str, before: dict[str, str]) -> None:
        assert (done.code, done.out) == (2, "")
        assert done.err.count("\n") == 1
        assert told in done.err
        assert content(folder) == before

    def test_a_folder_that_is_not_empty(self, made: Any, report: Path, tmp_path: Path) -> None:
        (tmp_path / "try").mkdir()
        (tmp_path / "try" / "mine.txt").write_text("my work")
        done = reproduce(made, report, tmp_path / "try")
        self.check(done, tmp_path, "try is not empty; expected the name of a new folder, or an empty one", {
            "try/mine.txt": hashlib.sha256(b"my work").hexdigest()
        })  # fmt: skip

    def test_a_file_in_place_of_the_folder(self, made: Any, report: Path, tmp_path: Path) -> None:
        (tmp_path / "try").write_text("")
        before = content(tmp_path)
        self.check(reproduce(made, report, tmp_path / "try"), tmp_path, "is there already, and no folder", before)
        self.check(reproduce(made, report, tmp_path / "try" / "below"), tmp_path, "below cannot be written: ", before)

    @pytest.mark.parametrize("task", ["Cleaned", "Events"])
    def test_an_artefact_that_has_no_notebook(self, made: Any, tmp_path: Path, task: str) -> None:
        [artefact] = made.artefacts(task)
        told = f"is of {task} {DAY}, which has no notebook; expected a report or a failed report."
        self.check(reproduce(made, artefact, tmp_path / "try"), tmp_path, told, {})

    def test_a_path_that_is_nothing_of_ours(self, made: Any, tmp_path: Path) -> None:
        self.check(reproduce(made, "nowhere", tmp_path / "try"), tmp_path, "nowhere does not exist; expected", {})

    def test_a_page_whose_store_is_gone(self, made: Any, report: Path, tmp_path: Path) -> None:
        done = reproduce(made, report / "report.html", tmp_path / "try", PARCOURS_STORE=str(tmp_path / "none"))
        assert done.code == 2
        assert (
            "neither the template full as it was nor the report's notebook is in the store; expected the store"
            in done.err
        )
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("name", ["../../out", "/out", ""])
    def test_a_page_that_was_edited_to_write_elsewhere(
        self, made: Any, report: Path, tmp_path: Path, name: str
    ) -> None:
        page = (report / "report.html").read_text()
        (tmp_path / "page.html").write_text(page.replace('"name": "full"', f'"name": "{name}"'))
        done = reproduce(made, tmp_path / "page.html", tmp_path / "try")
        assert (done.code, done.err.count("\n")) == (2, 1)
        assert [path.name for path in tmp_path.iterdir()] == ["page.html"]


class TestLosses:
    """What the store no longer has is said, and the rest is laid."""

    @pytest.fixture
    def place(self, made: Any, tmp_path: Path) -> Any:
        shutil.copytree(made.folder, tmp_path / "place")
        return type(made)(tmp_path / "place")

    def test_a_table_that_is_gone(self, place: Any, tmp_path: Path) -> None:
        shutil.rmtree(place.store / "Events")
        [report] = place.artefacts("ReportTask")
        done = reproduce(place, report, tmp_path / "try")
        assert done.code == 1
        assert "tables    cleaned 2 rows\n" in done.out
        assert "missing   events, the table of Events 2020-01-01: version " in done.out
        assert "events, the table of Events" in (tmp_path / "try" / "README.md").read_text()
        assert (tmp_path / "try" / "full.ipynb").exists()

    def test_a_table_whose_bytes_were_changed(self, place: Any, tmp_path: Path) -> None:
        [events], [report] = place.artefacts("Events"), place.artefacts("ReportTask")
        data = (events / "table.parquet").read_bytes()
        (events / "table.parquet").write_bytes(data[:-1] + b"!")
        done = reproduce(place, report, tmp_path / "try")
        assert done.code == 1
        assert "missing   events, the table of Events 2020-01-01: the artefact Events/2020-01-01/" in done.out

    def test_the_code_that_made_it(self, place: Any, tmp_path: Path) -> None:
        shutil.rmtree(place.store / "code")
        [report] = place.artefacts("ReportTask")
        done = reproduce(place, report, tmp_path / "try")
        assert done.code == 1
        assert "missing   the code of the report, so that the modules are those of today\n" in done.out
        cells = json.loads((tmp_path / "try" / "full.ipynb").read_text())["cells"]
        assert [cell["source"] for cell in cells[1:]] == [USE, SHOW]
        assert "'data/events.parquet'" in cells[0]["source"]
        assert all(cell["outputs"] == [] for cell in cells)

    def test_one_file_of_it(self, place: Any, tmp_path: Path) -> None:
        digest = hashlib.sha256(b"SCALE = 10\n").hexdigest()
        (place.store / "code" / "sources" / digest).write_text("SCALE = 11\n")
        [report] = place.artefacts("ReportTask")
        done = reproduce(place, report, tmp_path / "try")
        assert done.code == 1
        assert "missing   sums/scale.py, as it was\n" in done.out
        assert not (tmp_path / "try" / "sums" / "scale.py").exists()


def test_a_report_of_the_example_gives_again_what_it_gave(workplace: Any, tmp_path: Path) -> None:
    """Its modules lie inside the package of Parcours itself."""
    assert workplace.report("daily", "2013-02-08").code == 0
    [report] = workplace.artefacts("ReportTask")
    assert reproduce(workplace, report, tmp_path / "try", PARCOURS_DATABASE="sqlite:///gone.db").code == 0
    page = tmp_path / "try" / "workflows" / "flights" / "page.py"
    where = f"import workflows.flights.page as p; assert p.__file__ == {str(page)!r}"
    assert workplace.run("python", "-c", f"import os; os.chdir({str(tmp_path / 'try')!r}); {where}").code == 0
    assert executed(workplace, tmp_path / "try" / "daily.ipynb") == outputs(report / "report.ipynb")


def test_a_killed_reproduce_leaves_no_half_folder(made: Any, report: Path, tmp_path: Path) -> None:
    code = (
        "import os, sys\nfrom workflows.answers import reproduce\nfrom pathlib import Path\n"
        "reproduce._readme = lambda made: os._exit(9)\n"
        f"reproduce.reproduce({str(report)!r}, Path({str(tmp_path / 'try')!r}))"
    )
    assert made.run(Path(sys.executable).name, "-c", code).code == 9
    assert not (tmp_path / "try").exists()
    assert reproduce(made, report, tmp_path / "try").code == 0
