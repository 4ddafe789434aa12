"""The pages for users: their links resolve, and their code and commands do what the pages say."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.acceptance

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
README = (ROOT / "README.md").read_text()
RUNNING = (ROOT / "docs" / "running.md").read_text()
SHORTER = {"2013-01-31": "2013-01-01", "2013-02-01": "2013-01-02"}  # one day instead of a month


@dataclass(frozen=True)
class Step:
    """A command as a page shows it."""

    command: str
    shown: list[str]  # the lines of output below it


def section(page: str, title: str) -> str:
    """The text below the heading that begins with `title`, up to the next heading of its level."""
    found = re.search(rf"^## {title}.*?\n(.*?)(?=^## |\Z)", page, re.DOTALL | re.MULTILINE)
    assert found, title
    return found[1]


def blocks(text: str, language: str = "") -> list[str]:
    """The code blocks of a language, without the indentation of the list they are in."""
    fenced = re.findall(r"^( *)```(\w*)\n(.*?)^\1```$", text, re.DOTALL | re.MULTILINE)
    return [re.sub(rf"^{indent}", "", code, flags=re.MULTILINE) for indent, name, code in fenced if name == language]


def steps(block: str) -> list[Step]:
    """The commands of a block, each after a '$ '."""
    found: list[Step] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            found.append(Step(line.removeprefix("$ "), []))
        else:
            found[-1].shown.append(line)
    return found


def shell(place: Any, command: str) -> Any:
    """Type a line into a shell in the folder, where `.venv` has been activated."""
    return subprocess.run(
        ["bash", "-c", f"source .venv/bin/activate && {command}"],
        cwd=place.folder,
        env=place.variables(),
        capture_output=True,
        text=True,
        timeout=120,
        stdin=subprocess.DEVNULL,
    )


def task(command: str) -> str:
    """The task that a `luigi` command asks for."""
    return command.split()[3]


def says(done: Any, line: str) -> bool:
    """Whether a command printed a line, in which '...' stands for anything."""
    pattern = ".*".join(re.escape(part) for part in line.split("..."))
    return re.search(rf"^{pattern}$", done.stdout + done.stderr, re.MULTILINE) is not None


SCIENTIST = section(README, "If you are a data scientist")
ENGINEER = section(README, "If you are an engineer")


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory, make_workplace: Callable[[Path], Any]) -> Any:
    """A project with the example's database, as after `scripts/report`."""
    place = make_workplace(tmp_path_factory.mktemp("readme") / "clone")
    (place.folder / ".venv").symlink_to(sys.prefix)
    return place


@pytest.fixture(scope="module")
def with_report(clone: Any) -> Any:
    """The project with the notebook of the section for data scientists."""
    clone.template("worst_routes", *blocks(SCIENTIST, "python"))
    return clone


@pytest.fixture(scope="module")
def with_stage(clone: Any, nyc: Path) -> Any:
    """The project with the module, the statement and the setting of the section for engineers."""
    (module,), (statement,), (setting,) = (blocks(ENGINEER, name) for name in ("python", "sql", "ini"))
    clone.module("acme", module)
    (clone.folder / "departed.sql").write_text(statement)
    clone.configure(database=f"sqlite:///{nyc}", pipelines=setting.strip().removeprefix("pipelines = "))
    return clone


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_relative_link_and_picture_resolves(page: Path) -> None:
    targets = re.findall(r"\]\(([^)\s]+)\)", page.read_text())
    missing = [
        target
        for target in targets
        if "://" not in target and target.partition("#")[0] and not (page.parent / target.partition("#")[0]).exists()
    ]
    assert missing == []


class TestDataScientist:
    """The path of the section for data scientists, typed in order."""

    def test_the_notebook_runs_by_hand_on_the_samples(self, with_report: Any) -> None:
        cells = "\n".join(blocks(SCIENTIST, "python"))
        by_hand = [sys.executable, "-c", cells]
        done = subprocess.run(by_hand, cwd=with_report.folder / "templates", capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        assert "worst_route 0." in done.stdout

    def test_the_commands_print_what_is_shown(self, with_report: Any) -> None:
        activate, *typed = steps(blocks(SCIENTIST)[-1])
        assert activate.command == "source .venv/bin/activate"
        assert [len(step.shown) for step in typed] == [1, 1, 1]
        for step in typed:
            done = shell(with_report, step.command)
            assert says(done, step.shown[0]), done.stdout + done.stderr
            assert (done.returncode != 0) == step.shown[0].startswith("ERROR: ")

    def test_the_report_lists_the_routes(self, with_report: Any) -> None:
        (report,) = [path for path in with_report.artefacts("ReportTask") if path.name.startswith("worst_routes-")]
        page = (report / "report.html").read_text()
        assert page.count("Newark to ") + page.count("Kennedy to ") + page.count("LaGuardia to ") >= 10
        assert "worst_route" in (report / "measures.json").read_text()


class TestEngineer:
    """The path of the section for engineers, typed in order."""

    def test_the_commands_work(self, with_stage: Any) -> None:
        activate, *typed = steps(blocks(ENGINEER)[-1])
        assert activate.command == "source .venv/bin/activate"
        printed = {}
        for step in typed:
            done = shell(with_stage, step.command)
            assert done.returncode == 0, done.stderr
            printed[step.command.split()[1] if step.command.startswith("parcours") else task(step.command)] = (
                done.stdout
            )
        assert re.search(r"^LongDelays +stage, .* fine$", printed["check"], re.MULTILINE)
        assert re.search(r"^Departed +query, .* fine$", printed["check"], re.MULTILINE)
        assert "LongDelays" in printed["explain"]
        assert "Departed" in printed["explain"]
        assert printed["Backfill"].count("report: ") == 2

    def test_after_an_edit_the_plan_names_what_changed(self, with_stage: Any) -> None:
        (step,) = steps(blocks(ENGINEER, "text")[0])
        module = with_stage.folder / "acme.py"
        before = module.read_text()
        module.write_text(before.replace(">= self.minutes", "> self.minutes"))
        done = shell(with_stage, step.command)
        module.write_text(before)
        assert done.stdout.splitlines() == step.shown

    def test_the_stage_has_the_rows_that_it_says(self, with_stage: Any) -> None:
        import pandas as pd

        (artefact,) = with_stage.artefacts("LongDelays")
        table = pd.read_parquet(artefact / "table.parquet")
        assert len(table) > 0
        assert table["dep_delay"].min() >= 60


class TestRunning:
    """The commands of docs/running.md."""

    COMMANDS = blocks(RUNNING)[0].splitlines()

    @pytest.fixture
    def quick(self, workplace: Any, light_cell: str) -> Any:
        """A project whose templates have the names of the example's, and nothing to do."""
        (workplace.folder / ".venv").symlink_to(sys.prefix)
        for name in ("daily", "sanity_check"):
            workplace.template(name, light_cell)
        return workplace

    @pytest.mark.parametrize("command", [line for line in COMMANDS if "--local-scheduler" in line], ids=task)
    def test_a_command_without_a_scheduler_makes_its_reports(self, quick: Any, command: str) -> None:
        for shown, shorter in SHORTER.items():
            command = command.replace(f"--stop {shown}", f"--stop {shorter}")
        done = shell(quick, command)
        assert done.returncode == 0, done.stderr
        reports = 2 if "daily,sanity_check" in command else 1
        assert done.stdout.count("report: ") == len(quick.artefacts("ReportTask")) == reports

    def test_one_command_says_that_it_needs_a_scheduler(self) -> None:
        (line,) = [line for line in self.COMMANDS if "--local-scheduler" not in line]
        assert line.endswith("# needs a central scheduler, see below")


class TestCron:
    """The line for cron, as cron would run it: with `\\%` for `%`, in a folder and for days that the test has."""

    @pytest.fixture
    def line(self, light: Any, tmp_path: Path) -> str:
        (light.folder / ".venv").symlink_to(sys.prefix)
        (light.folder / "templates" / "small.ipynb").unlink()
        (shown,) = [line for line in RUNNING.splitlines() if line.startswith("0 5 * * *")]
        line = shown.removeprefix("0 5 * * *").replace("\\%", "%")
        for text, here in (
            ("/srv/flights", str(light.folder)),
            ("/tmp/flights.lock", str(tmp_path / "lock")),
            ("$(date -d '-7 days' +%F)", "2020-01-01"),
            ("$(date -d yesterday +%F)", "2020-01-01"),
        ):
            assert text in line
            line = line.replace(text, here)
        return line

    def run(self, place: Any, line: str) -> Any:
        return subprocess.run(["sh", "-c", line], env=place.variables(), capture_output=True, text=True, timeout=60)

    def test_it_says_nothing_when_all_is_well(self, light: Any, line: str) -> None:
        done = self.run(light, line)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert len(light.artefacts("ReportTask")) == 1

    def test_it_says_which_report_failed_and_exits_with_the_code_of_luigi(
        self, light: Any, line: str, light_cell: str
    ) -> None:
        light.template("broken", light_cell, "1 / 0")
        done = self.run(light, line)
        assert done.returncode == 30
        assert done.stdout.endswith("missing       1 of 2 reports\n              broken  2020-01-01\n")
        assert "broken 2020-01-01 failed in cell 2 of 2: ZeroDivisionError" in done.stdout
        assert len(light.artefacts("ReportTask")) == 1

    def test_it_is_refused_while_another_run_holds_the_lock(self, light: Any, line: str, tmp_path: Path) -> None:
        import fcntl

        (light.folder / "backfill.log").write_text("what the other run says\n")
        with (tmp_path / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            done = self.run(light, line)
        assert (done.returncode, done.stdout) == (1, "what the other run says\n")
        assert light.artefacts("ReportTask") == []
