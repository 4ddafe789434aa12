"""`parcours fetch`: a template's tables laid for work by hand, offline, and nobody's sample lost."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.acceptance

DAY, NEXT = "2020-01-01", "2020-01-02"


def fetch(place: Any, *arguments: str | Path, date: str = DAY, **environment: str) -> Any:
    return place.run("parcours", "fetch", "small", "--date", date, *map(str, arguments), **environment)


def sample(place: Any) -> Path:
    return place.folder / "templates" / "samples" / "cleaned.parquet"


def values(path: Path) -> list[float]:
    import pandas as pd

    return [float(value) for value in pd.read_parquet(path).value]


def commit(place: Any) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main"]
    for words in (["init", "-q"], ["add", "templates"], ["commit", "-qm", "Samples"]):
        subprocess.run(["git", *identity, *words], cwd=place.folder, check=True, capture_output=True)


def refused(done: Any, told: str) -> None:
    assert (done.code, done.out) == (2, "")
    assert told in done.err
    assert done.err.count("\n") == 1


def test_the_tables_are_made_and_laid_where_the_template_looks(small: Any) -> None:
    done = fetch(small)
    assert done.code == 0, done.err
    [first] = done.out.splitlines()
    assert first.startswith("cleaned  2 rows of 2020-01-01, ")
    assert first.endswith(" kB  templates/samples/cleaned.parquet")
    assert values(sample(small)) == [2.0, 5.0]
    assert [path.parent.parent.name for path in small.artefacts()] == ["Cleaned", "Events"]
    assert "2 results: 2 to make, 0 reused" in done.err
    assert small.processes() == []
    assert list(sample(small).parent.iterdir()) == [sample(small)]
    by_hand = "import pandas as pd; print(pd.read_parquet('samples/cleaned.parquet').value.sum())"
    assert small.run("python", "-c", f"import os; os.chdir('templates'); {by_hand}").out == "7.0\n"


def test_tables_that_the_store_has_are_not_made_again(small: Any) -> None:
    assert small.report("small", DAY).code == 0
    done = fetch(small)
    assert (done.code, done.err) == (0, "")


def test_what_was_fetched_may_give_way_to_another_date_and_other_values(small: Any) -> None:
    fetch(small)
    done = fetch(small, "--parameters", '{"factor": 3}', date=NEXT)
    assert done.code == 0, done.err
    first, last = done.out.splitlines()
    assert first.endswith("   (was 2 rows of 2020-01-01)")
    assert last == "the date in small is still 2020-01-01"
    assert values(sample(small)) == [12.0]
    assert fetch(small, "--parameters", '{"factor": 3}', date=NEXT).out.splitlines()[0].endswith("   (was the same)")


def test_what_is_committed_may_give_way(small: Any) -> None:
    fetch(small)
    shutil.rmtree(small.folder / "data" / "cache")
    commit(small)
    done = fetch(small, date=NEXT)
    assert done.code == 0, done.err
    assert "   (was 2 rows)\n" in done.out


def test_a_sample_of_somebodys_own_is_not_lost(small: Any) -> None:
    sample(small).parent.mkdir()
    sample(small).write_bytes(b"mine")
    done = fetch(small)
    refused(
        done, "templates/samples/cleaned.parquet is neither committed nor fetched, and would be lost; expected --into"
    )
    assert sample(small).read_bytes() == b"mine"
    assert not small.store.exists()
    commit(small)
    sample(small).write_bytes(b"mine, edited")
    refused(fetch(small), "would be lost")
    done = fetch(small, "--force")
    assert (done.code, values(sample(small))) == (0, [2.0, 5.0])
    assert "   (was no table)\n" in done.out


def test_a_copy_runs_in_a_folder_of_its_own(small: Any, tmp_path: Path) -> None:
    small.module("mine", "NAME = 'beside luigi.cfg'\n")
    path = small.folder / "templates" / "small.ipynb"
    path.write_text(
        path.read_text().replace("import pandas as pd", "import mine\\nprint(mine.NAME)\\nimport pandas as pd")
    )
    before = path.read_bytes()
    done = fetch(small, "--into", tmp_path / "try", "--parameters", '{"factor": 5}', date=NEXT)
    assert done.code == 0, done.err
    assert done.out.splitlines()[1] == f"open it: jupyter lab {tmp_path / 'try' / 'small.ipynb'}"
    laid = sorted(str(path.relative_to(tmp_path / "try")) for path in (tmp_path / "try").rglob("*") if path.is_file())
    assert laid == ["mine.py", "samples/cleaned.parquet", "small.ipynb"]
    cell = json.loads((tmp_path / "try" / "small.ipynb").read_text())["cells"][0]["source"]
    assert "date: datetime.date = datetime.date(2020, 1, 2)" in cell
    assert 'cleaned: "Cleaned" = "samples/cleaned.parquet"' in cell
    assert "factor: float = 5.0" in cell
    (small.folder / "acme.db").unlink()
    (small.folder / "mine.py").unlink()
    assert small.run("jupyter-execute", "--inplace", str(tmp_path / "try" / "small.ipynb")).code == 0
    cells = json.loads((tmp_path / "try" / "small.ipynb").read_text())["cells"]
    assert cells[2]["outputs"][0]["data"]["text/plain"] in ("20.0", ["20.0"])
    assert (path.read_bytes(), sample(small).exists()) == (before, False)


def test_a_template_without_tables_needs_none(light: Any, tmp_path: Path) -> None:
    done = light.run("parcours", "fetch", "light", "--date", DAY)
    assert (done.code, done.out) == (0, "light needs no tables\n")


def test_json_names_each_table(small: Any) -> None:
    told = json.loads(fetch(small, "--json").out)
    [table] = told["tables"]
    assert (table["parameter"], table["path"], table["task"], table["rows"]) == (
        "cleaned", "templates/samples/cleaned.parquet", "Cleaned", 2,
    )  # fmt: skip


def test_a_date_without_data_is_said_as_everywhere(small: Any) -> None:
    done = fetch(small, date="2020-02-01")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("Events 2020-02-01 has no rows. Dates with data: 2020-01-01, 2020-01-02.")
    assert not sample(small).parent.exists()


def test_a_stage_that_fails_is_said_in_its_own_line(small: Any, tmp_path: Path) -> None:
    path = small.folder / "acme.py"
    path.write_text(path.read_text().replace("events.value * self.factor", "events.valeu"))
    for more in ((), ("--into", tmp_path / "try")):
        done = fetch(small, *more)
        assert (done.code, done.out) == (1, "")
        assert "Cleaned 2020-01-01 failed: AttributeError: 'DataFrame' object has no attribute 'valeu'" in done.err
        assert "Traceback" not in done.err
    assert not sample(small).parent.exists()
    assert list(tmp_path.iterdir()) == [small.folder]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["smal", "--date", DAY], "Did you mean 'small'?"),
        (["../small", "--date", DAY], "is no template name"),
        (["small", "--date", "2020-02-30"], "'2020-02-30' is not a date; expected YYYY-MM-DD"),
        (["small", "--date", DAY, "--parameters", "{"], "expected a JSON object"),
        (["small", "--date", DAY, "--parameters", '{"facotr": 1}'], "Did you mean 'factor'?"),
        (["small", "--date", DAY, "--into", "templates"], "templates is not empty; expected the name of a new folder"),
        (["small", "--date", DAY, "--into", "."], ". is the current folder; expected the name of a new folder"),
    ],
)
def test_bad_input_is_refused_before_anything_is_made(small: Any, arguments: list[str], told: str) -> None:
    refused(small.run("parcours", "fetch", *arguments), told)
    assert not small.store.exists()


@pytest.mark.parametrize("default", ["../out.parquet", "/tmp/out.parquet", "..", ".", "samples"])
def test_a_default_that_leads_elsewhere_is_refused(small: Any, default: str) -> None:
    sample(small).parent.mkdir()
    path = small.folder / "templates" / "small.ipynb"
    path.write_text(path.read_text().replace("samples/cleaned.parquet", default))
    refused(fetch(small, "--force"), f"the default '{default}' is not a file of its own below the template's folder")


def test_a_table_without_a_default_lies_among_the_samples(small: Any, tmp_path: Path) -> None:
    path = small.folder / "templates" / "small.ipynb"
    path.write_text(path.read_text().replace(r" = \"samples/cleaned.parquet\"", ""))
    assert fetch(small, "--into", tmp_path / "try").code == 0
    cell = json.loads((tmp_path / "try" / "small.ipynb").read_text())["cells"][0]["source"]
    assert "cleaned: \"Cleaned\" = 'samples/cleaned.parquet'" in cell
    assert values(tmp_path / "try" / "samples" / "cleaned.parquet") == [2.0, 5.0]


def test_the_samples_of_the_example_give_way_and_come_back(
    tmp_path: Path, make_workplace: Callable[[Path], Any]
) -> None:
    place = make_workplace(tmp_path / "project")
    commit(place)
    done = place.run("parcours", "fetch", "daily", "--date", "2013-02-08")
    assert done.code == 0, done.err
    assert "   (was 894 rows)\n" in done.out
    subprocess.run(["git", "checkout", "-q", "templates"], cwd=place.folder, check=True)
    assert place.run("parcours", "fetch", "daily", "--date", "2013-02-09").code == 0
