"""Reports that do not come to their end: kept and readable, with the way to make them again, and no kernel left."""

from __future__ import annotations

import html
import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.acceptance

DAY = "2020-01-01"
# A process in a session of its own, which killing the kernel's process group does not reach.
ESCAPED = "import subprocess, time\nsubprocess.Popen(['sleep', '600'], start_new_session=True)\n"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, make_small: Callable[[Path], Any], light: str) -> Any:
    """A project with templates that fail in different ways."""
    place = make_small(tmp_path_factory.mktemp("failing") / "small")
    place.template("raising", light, "print('so far, so good')", "divisor = 0\n1 / divisor", "print('never')")
    place.template("endless", light, ESCAPED + "while True: time.sleep(1)")
    place.template("killed", light, "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
    place.template("leaving", light, "import os\nos._exit(0)", "1")
    place.template(
        "greedy", light, "import resource\nresource.setrlimit(resource.RLIMIT_AS, (2**31, 2**31))\nx = bytes(2**32)"
    )
    place.template("asking", light, "input('a number: ')")
    place.template("twice", light, "from workflows import measure\nmeasure('a', 1)\nmeasure('a', 2)")
    return place


@pytest.fixture(scope="module")
def light() -> str:
    return "import datetime\ndate: datetime.date = datetime.date(2020, 1, 1)\nof: str = 'x'"


@pytest.fixture(scope="module")
def raised(place: Any) -> Any:
    """The run of the template whose third cell raises."""
    return place.report("raising", DAY, "--parameters", '{"of": "it\'s"}')


@pytest.fixture(scope="module")
def kept(place: Any, raised: Any) -> Path:
    """The folder in which that failed report is kept."""
    [folder] = (place.store / "failed" / "raising" / DAY).iterdir()
    return folder


def test_the_failing_cell_its_line_and_the_way_to_go_on_are_named(place: Any, raised: Any, kept: Path) -> None:
    assert raised.code == 30
    assert raised.out == ""
    lines = raised.err[raised.err.index("ERROR: ") :].splitlines()
    assert lines[0] == "ERROR: raising 2020-01-01 failed in cell 3 of 4: ZeroDivisionError: division by zero"
    assert lines[1] == "  1 / divisor"
    assert lines[2] == f"read      {kept.relative_to(place.folder)}/report.html"
    assert lines[3].startswith("again     luigi --module workflows ReportTask --date 2020-01-01 --template raising ")
    assert lines[4] == f"try it    parcours reproduce {kept.relative_to(place.folder)} --into try"
    assert len(lines) == 5


def test_a_failed_report_is_no_artefact(place: Any, raised: Any) -> None:
    assert place.artefacts("ReportTask") == []
    assert not list((place.store / ".staging").iterdir())
    assert place.processes() == []


def test_a_failed_report_shows_what_ran_and_marks_the_cell_that_failed(kept: Path) -> None:
    page = (kept / "report.html").read_text()
    assert "so far, so good" in page
    assert page.count("This cell failed.") == 1
    assert page.index("so far, so good") < page.index("This cell failed.") < page.index("ZeroDivisionError</span>")
    assert "failed in cell 3 of 4" in page


def test_a_failed_report_carries_the_command_that_makes_it_again(place: Any, raised: Any, kept: Path) -> None:
    command = re.search(r"again     (.*)", raised.err)[1]
    assert command in html.unescape((kept / "report.html").read_text())
    again = place.run(*shlex.split(command))
    assert "failed in cell 3 of 4" in again.err
    assert re.search(r"again     (.*)", again.err)[1] == command


def test_a_failed_report_carries_the_command_that_lays_it_for_work_by_hand(
    place: Any, raised: Any, kept: Path, tmp_path: Path
) -> None:
    command = re.search(r"try it    (.*)", raised.err)[1]
    assert f"try it: {command}" in html.unescape((kept / "report.html").read_text())
    done = place.run(*shlex.split(command)[:-1], str(tmp_path / "try"))
    assert (done.code, done.err) == (0, "")
    assert (tmp_path / "try" / "raising.ipynb").exists()


def test_a_failed_report_has_a_record_of_how_it_came_to_be(kept: Path) -> None:
    record = json.loads((kept / "failure.json").read_text())
    assert record["failure"] == {
        "cell": 3,
        "of": 4,
        "reason": "ZeroDivisionError: division by zero",
        "line": "1 / divisor",
    }
    assert record["template"]["values"] == {"date": "2020-01-01", "of": "it's"}
    assert not (kept / "provenance.json").exists()


@pytest.mark.parametrize(
    ("template", "settings", "reason"),
    [
        ("endless", {"PARCOURS_CELL_TIMEOUT": "2"}, "it took longer than cell_timeout, 2 s, and the kernel was killed"),
        (
            "endless",
            {"PARCOURS_REPORT_TIMEOUT": "3"},
            "the report took longer than report_timeout, 3 s, and the kernel was killed",
        ),
        (
            "killed",
            {},
            "the kernel died: it was killed from outside, or ran out of memory, and then needs less data at once or a larger machine",
        ),
        (
            "leaving",
            {},
            "the kernel died: the cell, or what it calls, ended the process with code 0",
        ),
        ("greedy", {}, "MemoryError"),
        ("asking", {}, "StdinNotImplementedError: raw_input was called, but this frontend does not support input "),
    ],
)
def test_a_cell_that_does_not_end_well_fails_the_report_and_leaves_no_process(
    place: Any, template: str, settings: dict[str, str], reason: str
) -> None:
    done = place.report(template, DAY, **settings)
    assert done.code == 30
    # A report's own time also passes while its kernel starts: on a slow machine it may end in the first cell.
    assert re.search(f"^ERROR: {template} 2020-01-01 failed in cell [12] of ", done.err, re.MULTILINE)
    assert f": {reason}" in done.err
    assert "Traceback" not in done.err
    assert place.processes() == []
    page = max((place.store / "failed" / template / DAY).iterdir()) / "report.html"
    assert page.read_text().count("This cell failed.") == 1


def test_a_measure_recorded_twice_is_refused(place: Any) -> None:
    done = place.report("twice", DAY)
    assert "ERROR: measure 'a' is recorded twice; expected one value for each name.\n" in done.err
    assert (done.code, done.out, place.processes()) == (30, "", [])
