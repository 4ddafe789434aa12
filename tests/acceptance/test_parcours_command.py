"""The `parcours` command as a user types it: check, explain, and how it refuses."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.acceptance

DAY = "2020-01-01"
PARAMETERS = 'import datetime\ndate: datetime.date = datetime.date(2020, 1, 1)\ncleaned: "Cleaned" = "x.parquet"\n'
EXPECTED = "expected a report's HTML file, an artefact's folder, a file in it, or a version's first 8 digits or more."


@pytest.fixture(scope="module")
def made(shared: Any) -> Any:
    """The shared project with a report of its template `small`, whose sample lies beside it, and a failed one."""
    shared.template("broken", "import datetime\ndate: datetime.date = datetime.date(2020, 1, 1)", "1 / 0")
    assert shared.report("small", DAY).code == 0
    assert shared.report("broken", DAY).code == 30
    (shared.folder / "templates" / "samples").mkdir()
    [cleaned] = shared.artefacts("Cleaned")
    shutil.copyfile(cleaned / "table.parquet", shared.folder / "templates" / "samples" / "cleaned.parquet")
    return shared


@pytest.fixture
def folder(made: Any) -> Path:
    """The report's folder."""
    [found] = made.artefacts("ReportTask")
    return found


def parcours(place: Any, *arguments: str | Path, **environment: str) -> Any:
    return place.run("parcours", *map(str, arguments), **environment)


def piped(place: Any, command: str, **environment: str) -> Any:
    """A command line of the shell, where `parcours` is this environment's."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return place.run("/bin/bash", "-c", f"{command}", PATH=path, PYTHONUNBUFFERED="", **environment)


def record(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "provenance.json").read_text())


def test_check_says_of_each_template_and_task_what_it_takes(made: Any) -> None:
    done = parcours(made, "check")
    assert (done.code, done.err) == (0, "")
    assert [" ".join(line.split()) for line in done.out.splitlines()] == [
        "broken 0 inputs (none), 1 parameter (date) fine",
        "light 0 inputs (none), 1 parameter (date) fine",
        "small 1 input (Cleaned), 2 parameters (date, factor) fine",
        "Cleaned stage, 2 parameters (date, factor) fine",
        "Events query, 1 parameter (date) fine",
    ]


def test_check_takes_the_names_of_templates(made: Any) -> None:
    done = parcours(made, "check", "light", "small")
    assert [line.split()[0] for line in done.out.splitlines()] == ["light", "small"]


def test_check_as_json_has_the_signature_of_each_template(made: Any) -> None:
    done = parcours(made, "check", "--json", "small")
    [finding] = json.loads(done.out)
    assert (done.code, finding["name"], finding["kind"], finding["fine"], finding["error"]) == (
        0, "small", "template", True, None,
    )  # fmt: skip
    factor = finding["signature"]["properties"]["factor"]
    assert (factor["type"], factor["default"], factor["description"]) == ("number", 2.0, "times")


def test_check_of_a_template_that_does_not_exist_names_the_nearest(made: Any) -> None:
    done = parcours(made, "check", "smal")
    assert done.code == 2
    assert done.out.endswith("Did you mean 'small'?\n")


def test_check_finds_everything_that_is_wrong_and_runs_nothing(small: Any) -> None:
    small.template("worse", "x: 'Claened' = 'a.parquet'", "1 /")
    done = parcours(small, "check", "--json")
    errors = {finding["name"]: finding["error"] for finding in json.loads(done.out)}
    assert done.code == 2
    assert "samples/cleaned.parquet" in errors["small"]
    assert errors["worse"]
    assert (errors["Cleaned"], errors["Events"]) == (None, None)
    assert not small.store.exists()


def test_explain_tells_the_whole_way_of_a_report(made: Any, folder: Path) -> None:
    done = parcours(made, "explain", folder / "report.html")
    assert (done.code, done.err) == (0, "")
    first, version, python, *tree = done.out.splitlines()
    assert first.startswith("ReportTask small 2020-01-01  made 20")
    assert version == f"version {record(folder)['version']}"
    assert python.startswith(f"Python {record(folder)['environment']['python']}, ")
    assert tree[0] == "├─ Cleaned 2020-01-01  factor 2.0"
    assert tree[1].startswith("│  └─ Events 2020-01-01  2 rows from acme.db, fingerprint ")
    assert tree[2] == '└─ template small  date "2020-01-01", factor 2.0'


@pytest.mark.parametrize("name", ["", "report.html", "provenance.json", "report.ipynb", "measures.json"])
def test_explain_tells_the_same_of_a_folder_and_of_every_file_in_it(made: Any, folder: Path, name: str) -> None:
    told = json.loads(parcours(made, "explain", "--json", folder / name).out)
    [cleaned] = told["inputs"]
    [events] = cleaned["inputs"]
    assert told["version"] == record(folder)["version"]
    assert [(task["task"], task["is_in_store"]) for task in (told, cleaned, events)] == [
        ("ReportTask", True), ("Cleaned", True), ("Events", True),
    ]  # fmt: skip
    assert events["source"]["rows"] == 2


def test_explain_takes_a_table(made: Any) -> None:
    [cleaned] = made.artefacts("Cleaned")
    told = json.loads(parcours(made, "explain", "--json", cleaned / "table.parquet").out)
    assert (told["task"], told["version"]) == ("Cleaned", record(cleaned)["version"])


def test_explain_traces_a_lone_page_that_was_renamed_and_moved(made: Any, folder: Path, tmp_path: Path) -> None:
    lone = tmp_path / "from a colleague.html"
    shutil.copyfile(folder / "report.html", lone)
    done = parcours(made, "explain", lone)
    assert (done.code, done.out) == (0, parcours(made, "explain", folder).out)


def test_explain_takes_a_failed_report(made: Any) -> None:
    [page] = made.store.glob("failed/broken/*/*/report.html")
    for path in (page, page.parent):
        done = parcours(made, "explain", path)
        assert (done.code, done.err) == (0, "")
        assert done.out.startswith("ReportTask broken 2020-01-01  failed ")


def test_explain_tells_where_the_time_of_a_run_went(made: Any, folder: Path) -> None:
    done = parcours(made, "explain", folder, "--timing")
    assert (done.code, done.err) == (0, "")
    title, time, _, *rows = done.out.splitlines()
    assert title.startswith("ReportTask small 2020-01-01  made ")
    assert re.fullmatch(r"time \S+ m?s in all, \d+% of the \S+ s from the run's start to the stored result; .*", time)
    named = [re.split("  +", row)[0] for row in rows if row.strip() and not row.startswith(" ")]
    assert named == ["start", "plan", "Events 2020-01-01", "Cleaned 2020-01-01", "ReportTask small 2020-01-01"]


def test_the_times_of_a_run_add_up_to_most_of_it_and_no_more(made: Any, folder: Path) -> None:
    told = json.loads(parcours(made, "explain", folder, "--timing", "--json").out)["profile"]
    assert 0.8 * told["wall"] < told["seconds"] <= told["wall"]
    assert told["seconds"] == pytest.approx(sum(part["seconds"] for part in told["parts"]), abs=1e-4)


def test_what_was_there_before_the_run_is_told_with_what_it_cost_then(small: Any) -> None:
    for carrier in ("AA", "UA"):
        small.template("small", f"{PARAMETERS}carrier = '{carrier}'", "cleaned")
        assert small.report("small", DAY).code == 0
    newest = max(small.artefacts("ReportTask"), key=lambda path: record(path)["started"])
    told = json.loads(parcours(small, "explain", newest, "--timing", "--json").out)["profile"]
    assert [part["name"] for part in told["parts"]] == ["start", "plan", f"ReportTask small {DAY}"]
    assert [part["name"] for part in told["before"]] == [f"Events {DAY}", f"Cleaned {DAY}"]
    assert told["before"][0]["seconds"] > 0


def test_explain_says_which_inputs_are_no_longer_in_the_store(small: Any) -> None:
    assert small.report("small", DAY).code == 0
    [report], [cleaned], [events] = (small.artefacts(task) for task in ("ReportTask", "Cleaned", "Events"))
    version = record(events)["version"]
    shutil.rmtree(events)
    done = parcours(small, "explain", report)
    assert (done.code, done.err) == (0, "")
    assert f"Events 2020-01-01  version {version[:16]} (not in the store)" in done.out
    shutil.rmtree(cleaned)
    [gone] = json.loads(parcours(small, "explain", "--json", report).out)["inputs"]
    assert (gone["task"], gone["is_in_store"], gone["inputs"]) == ("Cleaned", False, [])


@pytest.mark.parametrize("name", ["nonsense.html", "nonsense.txt", "provenance.json"])
def test_explain_refuses_text_that_is_nothing_of_ours(made: Any, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("<html>nothing</html>")
    refused(parcours(made, "explain", path), path)


@pytest.mark.parametrize("text", ['<script type="application/json" id="provenance">{}</script>',
                                  '<script type="application/json" id="provenance">[1]</script>',
                                  '<script type="application/json" id="provenance">{"format": 1</script>'])  # fmt: skip
def test_explain_refuses_a_page_with_a_record_that_is_none(made: Any, tmp_path: Path, text: str) -> None:
    path = tmp_path / "page.html"
    path.write_text(text)
    refused(parcours(made, "explain", path), path)


@pytest.mark.parametrize("name", ["picture.png", "page.html", "provenance.json"])
def test_explain_refuses_bytes_that_are_no_text(made: Any, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"\x89PNG\r\n\x1a\n\xff\xfe\x00")
    refused(parcours(made, "explain", path), path)


def test_explain_refuses_a_path_that_does_not_exist_and_a_plain_folder(made: Any, tmp_path: Path) -> None:
    refused(parcours(made, "explain", tmp_path / "nowhere"), tmp_path / "nowhere", "does not exist")
    refused(parcours(made, "explain", tmp_path), tmp_path, "is a folder without provenance")


def refused(done: Any, path: Path, why: str = "") -> None:
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"{path} {why}")
    assert done.err.endswith(f"; {EXPECTED}\n")
    assert done.err.count("\n") == 1


def test_debug_shows_where_an_error_came_from(made: Any) -> None:
    done = parcours(made, "explain", "--debug", "nowhere")
    assert done.code != 0
    assert done.err.startswith("Traceback (most recent call last):\n")
    assert EXPECTED in done.err


def test_the_command_tells_its_version(made: Any) -> None:
    from workflows.release import VERSION

    assert parcours(made, "--version").out == f"parcours {VERSION}\n"


@pytest.mark.parametrize("arguments", [[], ["explian"], ["explain"], ["check", "--jsno"]])
def test_bad_usage_is_told_with_what_is_possible(made: Any, arguments: list[str]) -> None:
    done = parcours(made, *arguments)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("parcours")
    assert done.err.count("\n") == 1
    assert "--help` says what is expected." in done.err


@pytest.mark.parametrize("reader", ["head -1", "true"])
def test_a_reader_that_has_seen_enough_is_no_trouble(made: Any, folder: Path, reader: str) -> None:
    done = piped(made, f"parcours explain --json '{folder}' | {reader}")
    assert (done.code, done.err) == (0, "")


def test_the_command_works_from_any_folder_with_the_settings_named(made: Any, folder: Path, tmp_path: Path) -> None:
    configuration = str(made.folder / "luigi.cfg")
    check = f"cd '{tmp_path}' && parcours check && parcours explain '{folder}'"
    done = piped(made, check, LUIGI_CONFIG_PATH=configuration)
    assert (done.code, done.err) == (0, "")
    assert done.out == parcours(made, "check").out + parcours(made, "explain", folder).out
    assert list(tmp_path.iterdir()) == []


ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "", "PYTHONCOERCECLOCALE": "0"}


def test_a_terminal_of_ascii_shows_escapes(made: Any, folder: Path) -> None:
    done = parcours(made, "explain", folder, **ASCII)
    assert (done.code, done.err) == (0, "")
    assert "\\u251c\\u2500 Cleaned 2020-01-01  factor 2.0" in done.out


def test_json_for_a_terminal_of_ascii_means_the_same(small: Any) -> None:
    cell = 'import datetime\ndate: datetime.date = datetime.date(2020, 1, 1)\nname: str = "Zoë 😀"  # naïve\n'
    small.template("named", cell)
    plain, escaped = (parcours(small, "check", "--json", "named", **how) for how in ({}, ASCII))
    assert plain.out != escaped.out
    assert json.loads(plain.out) == json.loads(escaped.out)
    assert "Zoë 😀" in plain.out


@pytest.mark.parametrize(
    ("right", "wrong", "line"),
    [
        ('return {"events": Events(date=self.date)}', "return Evnts()", "requires() failed: NameError: name 'Evnts'"),
        ("def compute(self, events):", "def compute(self, evnts):", "does not take what requires() gives, events: "),
    ],
)
def test_check_finds_a_stage_that_cannot_run(small: Any, right: str, wrong: str, line: str) -> None:
    path = small.folder / "acme.py"
    path.write_text(path.read_text().replace(right, wrong))
    done = small.run("parcours", "check")
    assert done.code == 2
    assert line in next(found for found in done.out.splitlines() if found.startswith("Cleaned"))
