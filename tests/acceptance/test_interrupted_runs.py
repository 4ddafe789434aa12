"""Runs that are killed at any moment: the next run makes the same bytes as an undisturbed one, and nothing is left over.

The moments are counted in what Python itself announces: each file that is opened, folder that is made, file that is
renamed, process that is started. So they are spread over the whole run, and the same each time.
"""

from __future__ import annotations

import json
import re
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from workflows.notebooks.html import content

pytestmark = pytest.mark.acceptance

DAY = "2020-01-01"
COMMAND = ["luigi", "--module", "workflows", "ReportTask", "--local-scheduler"]
MOMENTS = 12
# The command, watched; what it starts is not: kernels and their parent.
WATCH = f"""#!{sys.executable}
import os, signal, sys
from luigi.cmdline import luigi_run

# A process that starts itself anew goes on as itself: so does the count.
so_far = os.path.join(os.path.dirname(os.getcwd()), f"seen-{{os.getpid()}}")

def announced(event, arguments, seen=[int(open(so_far).read()) if os.path.exists(so_far) else 0], at=int(os.environ.get("KILL_AT", "0"))):
    if event == "os.exec":
        with open(so_far, "w") as file:
            file.write(str(seen[0]))
    if event in ("open", "os.mkdir", "os.rename", "os.link", "shutil.rmtree", "sqlite3.connect", "subprocess.Popen"):
        first = os.fsdecode(arguments[0]) if isinstance(arguments[0], (str, bytes, os.PathLike)) else ""
        if event == "subprocess.Popen" or first.startswith(os.getcwd()):
            seen[0] += 1
            if seen[0] == at:
                os.kill(os.getpid(), signal.SIGKILL)
            if at < 0:
                os.write(2, f"moment {{seen[0]}} {{event}} {{first}}\\n".encode())

if os.environ.get("KILL_AT"):
    sys.addaudithook(announced)
sys.exit(luigi_run())
"""
LIGHT = """import datetime
date: datetime.date = datetime.date(2020, 1, 1)
cleaned: "Cleaned" = "samples/cleaned.parquet"
"""
KILLER = """import os, psutil, signal
if os.environ.get("KILL_FROM_CELL"):
    # The kernel's parent is that of all warm kernels, whose parent is the command.
    os.kill(psutil.Process(os.getppid()).ppid(), signal.SIGKILL)
from workflows import measure
measure("bytes", os.path.getsize(cleaned))"""


def watched(place: Any) -> Any:
    """A project whose commands can be killed at a moment, from their start on."""
    program = place.folder.parent / "luigi"
    program.write_text(WATCH)
    program.chmod(0o700)
    place.programs["luigi"] = program
    return place


@pytest.fixture(scope="module")
def make_killable(make_small: Callable[[Path], Any]) -> Callable[[Path], Any]:
    def make(folder: Path) -> Any:
        place = watched(make_small(folder))
        place.template("light", LIGHT, KILLER)
        return place

    return make


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory, make_killable: Callable[[Path], Any]) -> tuple[dict, int]:
    """What an undisturbed run leaves, and how many moments it has."""
    place = make_killable(tmp_path_factory.mktemp("undisturbed") / "small")
    done = place.report("light", DAY, KILL_AT="-1")
    assert done.code == 0
    moments = re.findall(r"^moment \d+ (\S+) (.*)$", done.err, re.MULTILINE)
    assert {"open", "os.mkdir", "os.rename", "subprocess.Popen"} <= {event for event, _ in moments}
    return bytes_of(place), len(moments)


def bytes_of(place: Any) -> dict[str, bytes]:
    """Every file of the store, without what must differ from run to run and from place to place."""
    found = {}
    for path in sorted(place.store.rglob("*")):
        # The plan of a run that was killed stays for a week, for others who may go on with it; the rows that it had not yet
        # added to the catalog stay for the next question.
        if path.is_file() and path.parent.name != "plans" and path.suffix != ".rows":
            data = path.read_bytes()
            if path.name == "report.html":
                data = content(data.decode()).encode()
            if path.name == "provenance.json":
                record = {name: value for name, value in json.loads(data).items() if name != "timing"}
                data = json.dumps(record, indent=1).encode()
                data = re.sub(rb'"(started|task_id|sha256|seal)": "[^"]*"|"(seconds|bytes)": [\d.]+', b"", data)
                data = data.replace(bytes(place.folder), b"PLACE")
            found[str(path.relative_to(place.store))] = data
    return found


def check_after(place: Any, verify: Any, again: Callable[[], Any], expected: dict[str, bytes]) -> None:
    """Nothing half-written is seen, nothing runs, and the next run ends as an undisturbed one would have."""
    verify(place.store)
    assert place.processes() == []
    done = again()
    assert done.code == 0
    assert place.processes() == []
    assert not list((place.store / ".staging").iterdir())
    assert bytes_of(place) == expected


@pytest.mark.parametrize("moment", range(1, MOMENTS + 1))
def test_a_run_killed_at_any_moment_leaves_the_next_one_to_end_the_same(
    tmp_path: Path, make_killable: Callable[[Path], Any], undisturbed: Any, verify: Any, moment: int
) -> None:
    expected, moments = undisturbed
    place = make_killable(tmp_path / "small")
    killed = place.report("light", DAY, KILL_AT=str(round(moments * (moment - 0.5) / MOMENTS)))
    assert (killed.code, killed.out) == (-signal.SIGKILL, "")
    check_after(place, verify, lambda: place.report("light", DAY), expected)


def test_a_run_killed_while_a_cell_runs_takes_its_kernel_along(
    tmp_path: Path, make_killable: Callable[[Path], Any], undisturbed: Any, verify: Any
) -> None:
    place = make_killable(tmp_path / "small")
    killed = place.report("light", DAY, KILL_FROM_CELL="1")
    assert killed.code == -signal.SIGKILL
    check_after(place, verify, lambda: place.report("light", DAY), undisturbed[0])


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory, make_workplace: Callable[[Path], Any]) -> tuple[dict, int]:
    """What an undisturbed run of the example leaves, and how many moments it has."""
    place = watched(make_workplace(tmp_path_factory.mktemp("example") / "project"))
    done = place.report("anomaly_report", "2013-01-03", KILL_AT="-1")
    assert done.code == 0
    return bytes_of(place), done.err.count("\nmoment ")


@pytest.mark.parametrize("share", [0.6, 0.95])
def test_a_run_of_the_example_that_was_killed_ends_the_same(
    workplace: Any, example: Any, verify: Any, share: float
) -> None:
    expected, moments = example
    place = watched(workplace)
    killed = place.report("anomaly_report", "2013-01-03", KILL_AT=str(round(moments * share)))
    assert killed.code == -signal.SIGKILL
    check_after(place, verify, lambda: place.report("anomaly_report", "2013-01-03"), expected)


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_leaves_no_kernel_and_nothing_half_written(
    small: Any, light_cell: str, verify: Any, stop: signal.Signals
) -> None:
    cell = "import pathlib, time\npathlib.Path('../started').touch()\ntime.sleep(600)"
    small.template("slow", light_cell, cell)
    process = small.start(*COMMAND, "--template", "slow", "--date", DAY)
    try:
        until_exists(small.folder / "started")
        process.send_signal(stop)
        out, err = process.communicate(timeout=20)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == -stop
    assert out == ""
    assert "Traceback" not in err
    assert ("ERROR: interrupted; " in err) == (stop is signal.SIGINT)
    assert small.processes() == []
    assert small.artefacts() == []
    assert not (small.store / "failed").exists()


def until_exists(path: Path, seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < until, f"{path} did not appear"
        time.sleep(0.02)


def test_two_runs_of_the_same_report_at_once_do_each_other_no_harm(light: Any, verify: Any) -> None:
    runs = [light.start(*COMMAND, "--template", "light", "--date", DAY) for _ in range(2)]
    ends = [run.communicate(timeout=60) for run in runs]
    assert [run.returncode for run in runs] == [0, 0]
    assert ends[0][0] == ends[1][0]
    verify(light.store)
    assert json.loads((light.artefacts("ReportTask")[0] / "provenance.json").read_text())["task"] == "ReportTask"
