"""The store: what lies where, what it says of itself, and what happens when the disk or somebody else interferes."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.acceptance

DAY = "2020-01-01"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, make_small: Callable[[Path], Any]) -> Any:
    """A project, with a commit and a change on top, in which one report was made."""
    place = make_small(tmp_path_factory.mktemp("made") / "small")
    (place.folder / ".gitignore").write_text("data/\n__pycache__/\n")
    git(place, "init", "--quiet")
    git(place, "add", ".")
    git(place, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--message", "All of it")
    measures = "from workflows import measure\nmeasure('total', float(table.value.sum()), unit='EUR', better='higher')"
    source = json.loads((place.folder / "templates" / "small.ipynb").read_text())["cells"]
    place.template("small", *(cell["source"] for cell in source), measures)
    assert place.report("small", DAY, "--parameters", '{"factor": 4}').code == 0
    return place


def git(place: Any, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=place.folder, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture(scope="module")
def report(made: Any) -> Path:
    [folder] = made.artefacts("ReportTask")
    return folder


def record_of(artefact: Path) -> dict[str, Any]:
    return json.loads((artefact / "provenance.json").read_text())


def test_an_artefact_lies_under_its_task_date_and_version(made: Any, report: Path) -> None:
    [table] = made.artefacts("Cleaned")
    assert table == made.store / "Cleaned" / DAY / record_of(table)["version"][:16]
    assert report == made.store / "ReportTask" / DAY / f"small-{record_of(report)['version'][:16]}"
    assert {file.name for file in table.iterdir()} == {"table.parquet", "provenance.json"}
    assert {file.name for file in report.iterdir()} == {
        "report.html",
        "report.ipynb",
        "measures.json",
        "provenance.json",
    }


def test_every_artefact_has_the_bytes_it_says(made: Any, verify: Any) -> None:
    assert len(made.artefacts()) == 3
    verify(made.store)


def test_the_provenance_of_a_report_says_how_it_came_to_be(made: Any, report: Path) -> None:
    record = record_of(report)
    [cleaned] = made.artefacts("Cleaned")
    assert record["format"] == 1
    assert record["task"] == "ReportTask"
    assert re.fullmatch("[0-9a-f]{64}", record["version"])
    assert record["parameters"] == {
        "date": DAY,
        "template": "small",
        "parameters": '{"factor":4.0}',
        "version": record["version"],
    }
    assert set(record["code"]) == {"digest", "files", "commit", "dirty"}
    assert set(record["code"]["files"]) == {"templates/small.ipynb"}
    assert (record["code"]["commit"], record["code"]["dirty"]) == (git(made, "rev-parse", "HEAD"), True)
    assert set(record["environment"]) == {"python", "packages"}
    assert {"pandas", "parcours"} <= set(record["environment"]["packages"])
    table = hashlib.sha256((cleaned / "table.parquet").read_bytes()).hexdigest()
    assert record["inputs"] == [
        {"task": "Cleaned", "date": DAY, "version": record_of(cleaned)["version"], "digest": table}
    ]
    assert record["template"]["name"] == "small"
    assert record["template"]["values"] == {"date": DAY, "factor": 4.0}
    assert record["reused_from"] is None
    assert datetime.fromisoformat(record["started"]).utcoffset().total_seconds() == 0
    assert 0 < record["seconds"] < 60
    assert record["host"]
    assert record["user"]
    assert record["task_id"].startswith("ReportTask_")
    assert "source" not in record


def test_the_provenance_of_a_query_says_what_was_asked_where(made: Any) -> None:
    [events] = made.artefacts("Events")
    record = record_of(events)
    assert record["source"]["database"] == str(made.folder / "acme.db")
    assert record["source"]["query"].startswith("SELECT id, kind, value FROM events")
    assert record["source"]["rows"] == record["outputs"]["table.parquet"]["rows"] == 2
    assert re.fullmatch("[0-9a-f]{64}", record["source"]["fingerprint"])
    assert (record["inputs"], "template" in record) == ([], False)


def test_a_report_embeds_the_record_that_lies_beside_it_up_to_its_own_digest(report: Path) -> None:
    record = record_of(report)
    embedded = json.loads(re.search(r'id="provenance">(.*?)</script>', (report / "report.html").read_text())[1])
    del record["outputs"]["report.html"]
    # Each seal is that of its own text.
    assert embedded.pop("seal") != record.pop("seal")
    assert embedded == record


def test_the_measures_lie_beside_the_report(report: Path) -> None:
    measures = json.loads((report / "measures.json").read_text())
    assert measures["measures"] == [{"name": "total", "value": 14.0, "unit": "EUR", "better": "higher"}]


def test_the_notebook_beside_the_report_names_its_tables_relative_to_itself(made: Any, report: Path) -> None:
    cell = json.loads((report / "report.ipynb").read_text())["cells"][0]["source"]
    path = re.search(r'cleaned: "Cleaned" = \'(.*)\'', "".join(cell))[1]
    assert (report / path).resolve().is_relative_to(made.store / "Cleaned")


@pytest.mark.parametrize(("task", "file"), [("Cleaned", "table.parquet"), ("ReportTask", "report.html")])
def test_changed_bytes_are_noticed_and_made_anew(made: Any, verify: Any, task: str, file: str) -> None:
    options = ["--parameters", '{"factor": 4}']
    [artefact] = made.artefacts(task)
    before = {path: (path / file).read_bytes() for path in made.artefacts(task)}
    data = bytearray((artefact / file).read_bytes())
    data[len(data) // 2] ^= 1
    (artefact / file).write_bytes(data)
    if task == "Cleaned":
        ask = made.run("luigi", "--module", "workflows", task, "--date", DAY, "--factor", "4", "--local-scheduler")
    else:
        ask = made.report("small", DAY, *options)
    assert ask.code == 0
    assert f"the artefact {artefact.relative_to(made.store)} was changed after it was made: {file} is " in ask.err
    assert "It was moved to data/store/damaged/" in ask.err
    verify(made.store)
    assert set(before) == set(made.artefacts(task))
    if file != "report.html":
        assert (artefact / file).read_bytes() == before[artefact]
    assert made.report("small", DAY, *options).err == "plan          1 result: complete, nothing to do\n"


def test_a_changed_input_is_noticed_before_it_is_used(light: Any) -> None:
    """A report that is still to be made does not take a table that is not what its provenance says."""
    assert light.run("luigi", "--module", "workflows", "Cleaned", "--date", DAY, "--local-scheduler").code == 0
    [table] = light.artefacts("Cleaned")
    whole = (table / "table.parquet").read_bytes()
    (table / "table.parquet").write_bytes(whole[:-1])
    done = light.report("small", DAY)
    assert done.code == 0
    assert "table.parquet is " in done.err
    assert (table / "table.parquet").read_bytes() == whole


@pytest.fixture
def tiny(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 kB, where this user may mount one."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    if os.geteuid() == 0:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24k", "none", folder], capture_output=True)
    yield folder
    if folder.is_mount():
        subprocess.run(["umount", folder], check=True)


def test_a_store_that_is_full_is_said_and_nothing_half_written_is_left(light: Any, tiny: Path, verify: Any) -> None:
    light.template("light", "n = 1", "print('x' * 40_000)")
    # Where no small file system can be had, a limit on the size of files says no as well.
    command = "exec luigi" if tiny.is_mount() else "ulimit -f 24; exec luigi"
    words = f"--module workflows ReportTask --date {DAY} --template light --local-scheduler"
    done = light.run("/bin/bash", "-c", f"{command} {words}", PARCOURS_STORE=str(tiny / "store"))
    assert done.code == 30
    assert f"ERROR: the store {tiny}/store cannot be written: " in done.err
    assert "Make room or grant write access; nothing half-written was left." in done.err
    assert "Traceback" not in done.err
    assert not list(tiny.rglob("provenance.json"))
    assert not list((tiny / "store" / ".staging").iterdir())
    assert light.processes() == []


def test_a_store_that_may_not_be_written_is_said(light: Any, refused: Any) -> None:
    store = light.folder / "closed"
    store.mkdir()
    store.chmod(0o555)
    # root may write everywhere, unless it gives that up.
    drop = "setpriv --bounding-set=-dac_override --inh-caps=-all " if os.geteuid() == 0 else ""
    words = f"luigi --module workflows ReportTask --date {DAY} --template light --local-scheduler"
    done = light.run("/bin/bash", "-c", f"exec {drop}{words}", PARCOURS_STORE=str(store))
    assert refused(light, done) == (
        f"the store {store} cannot be written: Permission denied. "
        "Make room or grant write access; nothing half-written was left."
    )
    assert list(store.iterdir()) == []


def test_a_store_that_is_a_file_is_said(light: Any, refused: Any) -> None:
    (light.folder / "afile").write_text("mine")
    line = refused(light, light.report("light", DAY, PARCOURS_STORE="afile"))
    assert line.startswith(f"the store {light.folder}/afile cannot be used: {light.folder}/afile is no folder. ")
    assert (light.folder / "afile").read_text() == "mine"


@pytest.mark.parametrize("task", ["ReportTask", "Cleaned"])
def test_an_artefact_of_another_release_stays_and_hinders_no_other_date(small: Any, task: str) -> None:
    assert small.report("small", DAY).code == 0
    [folder] = small.artefacts(task)
    record = folder / "provenance.json"
    record.write_text(record.read_text().replace('"format": 1', '"format": 2'))
    if task != "ReportTask":
        [made] = small.artefacts("ReportTask")
        made.rename(small.folder / "away")
    before = record.read_bytes()
    words = "luigi --module workflows Backfill --template small --local-scheduler"
    done = small.run(*words.split(), "--start", DAY, "--stop", "2020-01-02")
    assert done.code != 0
    assert [line.split("/")[3] for line in done.out.splitlines()] == ["2020-01-02"]
    assert [line for line in done.err.splitlines() if line.startswith("ERROR")] == [
        f"ERROR: {folder.relative_to(small.folder)} has provenance of format 2, not 1; another release of Parcours made it. "
        "It was left as it is: use that release, or name another store in PARCOURS_STORE."
    ]
    assert record.read_bytes() == before
