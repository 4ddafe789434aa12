"""What all tests share: the example database, projects to work in, the real commands, and the search for leftovers."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from workflows.identity.environment import installed_distributions
from workflows.identity.memo import Memo
from workflows.notebooks.guarded import MARK
from workflows.tasks import project as projects

# A machine that is busy with other tests is slow, which says nothing about the code.
hypothesis_settings.register_profile("parcours", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# On demand, `--hypothesis-profile=long`: other examples each time, and many more where a test has them.
hypothesis_settings.register_profile("long", hypothesis_settings.get_profile("parcours"), max_examples=500)
hypothesis_settings.load_profile("parcours")

ROOT = Path(__file__).resolve().parent.parent
PLACE = "_PARCOURS_TEST_PLACE"


# Modules by how they begin, in the order in which several processes take them: what takes longest first, so that all end
# at about the same time, and those that wait for one another's reports apart.
_ORDER = (
    "tests/staleness/test_random_pipelines.py",
    "tests/browser/test_journeys.py",
    "tests/integration/test_listing.py",
    "tests/staleness/test_code.py",
    "tests/acceptance/test_example_pages.py",
    "tests/acceptance/",
    "tests/browser/",
    "tests/history/",
    "tests/staleness/",
    "tests/acceptance/test_example_reports.py",
    "tests/",
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the long modules first where tests are shared out to several processes, with `--no-loadscope-reorder`."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: _ORDER.index(max(filter(item.nodeid.startswith, _ORDER), key=len)))


@pytest.fixture(scope="session")
def nyc(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """The example database with all its rows, built once for all processes of a test run."""
    base = tmp_path_factory.getbasetemp()
    folder = base if worker_id == "master" else base.parent
    path = folder / "nyc.db"
    with (folder / "nyc.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        subprocess.run([sys.executable, "-m", "workflows.flights.database", path], check=True, capture_output=True)
    return path


def _hear_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@dataclass
class Done:
    """A command that ended."""

    code: int
    out: str
    err: str

    @property
    def last_line(self) -> str:
        """The last line of standard output."""
        return self.out.rstrip("\n").rpartition("\n")[2]


@dataclass
class Workplace:
    """A folder with a luigi.cfg and templates, in which the real commands are run."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    programs: dict[str, Path] = field(default_factory=dict)
    """Other files than the environment's own for commands, by their name."""

    @property
    def store(self) -> Path:
        """Its store."""
        return self.folder / "data" / "store"

    def configure(self, **keys: object) -> None:
        """Write luigi.cfg: the project's own, with these keys of [workflows] instead."""
        lines = (ROOT / "luigi.cfg").read_text().splitlines()
        kept = [line for line in lines if not any(line.startswith(f"{key} =") for key in keys)]
        at = kept.index("[workflows]") + 1
        text = "\n".join([*kept[:at], *(f"{key} = {value}" for key, value in keys.items()), *kept[at:]])
        (self.folder / "luigi.cfg").write_text(text + "\n")

    def template(self, name: str, *cells: str, tags: Mapping[int, list[str]] | None = None, **metadata: Any) -> Path:
        """Write a template of code cells (a cell that starts with '# ' and has no newline is still code)."""
        made = [
            {"cell_type": "code", "id": f"cell-{n}", "source": source, "outputs": [], "execution_count": None,
             "metadata": {"tags": (tags or {}).get(n, [])}}
            for n, source in enumerate(cells)
        ]  # fmt: skip
        path = self.folder / "templates" / f"{name}.ipynb"
        path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": made}))
        return path

    def module(self, name: str, source: str) -> None:
        """Write a module beside luigi.cfg."""
        (self.folder / f"{name}.py").write_text(source)

    def run(self, *arguments: str, timeout: float = 120, **environment: str) -> Done:
        """Run a command of the environment, by its name, in the folder."""
        program = self.programs.get(arguments[0], Path(sys.executable).parent / arguments[0])
        done = subprocess.run(
            [str(program), *arguments[1:]],
            cwd=self.folder,
            env=self.variables(**environment),
            capture_output=True,
            text=True,
            timeout=timeout,
            stdin=subprocess.DEVNULL,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start a command of the environment, by its name, in the folder; the caller sees to its end."""
        program = self.programs.get(arguments[0], Path(sys.executable).parent / arguments[0])
        return subprocess.Popen(
            [str(program), *arguments[1:]],
            cwd=self.folder,
            env=self.variables(**environment),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            # What runs in the background of a script is started deaf to Ctrl-C, and so would be what it starts.
            preexec_fn=_hear_interrupts,
        )

    def variables(self, **environment: str) -> dict[str, str]:
        """The environment of the commands: this one's, without settings of Parcours or Luigi, and marked as this place's."""
        programs = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
        given = {**_clean_environment(), **self.environment, **environment}
        return {**given, "PATH": programs, PLACE: str(self.folder)}

    def processes(self, within: float = 5.0) -> list[psutil.Process]:
        """What the commands left behind and what does not end within some seconds: workers, kernels, their children."""
        until = time.monotonic() + within
        while True:
            found = _processes_with(PLACE, str(self.folder))
            if not found or time.monotonic() > until:
                return found
            time.sleep(0.05)

    def report(self, template: str, date: str = "2013-01-15", *more: str, **environment: str) -> Done:
        """Run `luigi --module workflows ReportTask ... --local-scheduler`."""
        task = ["ReportTask", "--date", date, "--template", template]
        return self.run("luigi", "--module", "workflows", *task, "--local-scheduler", *more, **environment)

    def artefacts(self, task: str = "") -> list[Path]:
        """The folders of all artefacts in the store, or of those of a task."""
        found = (self.store / task if task else self.store).rglob("provenance.json")
        return sorted(path.parent for path in found if "damaged" not in path.parts and ".staging" not in path.parts)


def _clean_environment() -> dict[str, str]:
    return {
        name: value for name, value in os.environ.items() if not name.startswith(("PARCOURS_", "LUIGI_", "PYTEST_"))
    }


def _know_distributions(place: Workplace) -> None:
    """Give a project the list of what is installed, which takes a quarter of a second to make; it is kept by what it lists."""
    cache = place.folder / "data" / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    (cache / "distributions.json").write_bytes(_distributions())


@functools.cache
def _distributions() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        memo = Memo(Path(folder), "distributions")
        installed_distributions(memo)
        memo.save()
        return (Path(folder) / "distributions.json").read_bytes()


@pytest.fixture(scope="session")
def enter_workplace() -> Callable[[Path], Workplace]:
    """Makes workplaces of folders that hold a project already."""

    def enter(folder: Path) -> Workplace:
        place = Workplace(folder)
        _know_distributions(place)
        return place

    return enter


@pytest.fixture(scope="session")
def make_workplace(nyc: Path) -> Callable[[Path], Workplace]:
    """Makes projects like `workplace`, for those who share one between tests."""

    def make(folder: Path) -> Workplace:
        place = Workplace(folder)
        shutil.copytree(ROOT / "templates", place.folder / "templates", dirs_exist_ok=True)
        place.configure(database=f"sqlite:///{nyc}")
        _know_distributions(place)
        return place

    return make


@pytest.fixture
def workplace(tmp_path: Path, make_workplace: Callable[[Path], Workplace]) -> Workplace:
    """A project with the example's database and templates, and an empty store."""
    return make_workplace(tmp_path / "project")


SMALL_PIPELINE = '''
import luigi
from workflows import Query, Stage

class Events(Query):
    """Events of one day."""
    date = luigi.DateParameter()
    sql = "SELECT id, kind, value FROM events WHERE date = :date ORDER BY id"
    dates = "SELECT DISTINCT date FROM events ORDER BY date"

class Cleaned(Stage):
    """Events, scaled."""
    date = luigi.DateParameter()
    factor = luigi.FloatParameter(default=2.0)

    def requires(self):
        return {"events": Events(date=self.date)}

    def compute(self, events):
        return events.assign(value=events.value * self.factor)
'''
SMALL_PARAMETERS = """import datetime
date: datetime.date = datetime.date(2020, 1, 1)  # the day
cleaned: "Cleaned" = "samples/cleaned.parquet"
factor: float = 2.0  # times
"""


@pytest.fixture(scope="session")
def make_small() -> Callable[[Path], Workplace]:
    """Makes projects like `small`, for those who share one between tests."""
    return _small_project


@pytest.fixture
def small(tmp_path: Path) -> Workplace:
    """A project of a few lines: the pipeline `acme`, its SQLite database of two days, and a template `small`."""
    return _small_project(tmp_path / "small")


def _small_project(folder: Path) -> Workplace:
    import sqlite3

    place = Workplace(folder)
    (place.folder / "templates").mkdir(parents=True)
    place.configure(pipelines="acme", database="sqlite:///acme.db")
    _know_distributions(place)
    place.module("acme", SMALL_PIPELINE)
    place.template(
        "small", SMALL_PARAMETERS, "import pandas as pd\ntable = pd.read_parquet(cleaned)", "float(table.value.sum())"
    )
    with sqlite3.connect(place.folder / "acme.db") as connection:
        connection.execute("CREATE TABLE events (id INTEGER PRIMARY KEY, date TEXT, kind TEXT, value REAL)")
        rows = [(1, "2020-01-01", "a", 1.0), (2, "2020-01-01", "b", 2.5), (3, "2020-01-02", "a", 4.0)]
        connection.executemany("INSERT INTO events VALUES (?, ?, ?, ?)", rows)
    connection.close()
    return place


@pytest.fixture
def inside(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Workplace], None]]:
    """A way into a workplace for tests that use the tasks in this very process."""
    entered: list[Path] = []

    def enter(place: Workplace) -> None:
        entered.append(place.folder)
        monkeypatch.chdir(place.folder)
        monkeypatch.syspath_prepend(str(place.folder))
        projects.forget()

    yield enter
    projects.forget()
    files = {name: getattr(module, "__file__", None) or "" for name, module in sys.modules.items()}
    projects.unload(
        name for name, file in files.items() if any(Path(file).is_relative_to(folder) for folder in entered)
    )


@pytest.fixture(autouse=True)
def _nothing_left_behind() -> Iterator[None]:
    """A test that leaves a thread or a kernel behind fails."""
    threads = set(threading.enumerate())
    yield
    left = [thread.name for thread in set(threading.enumerate()) - threads if thread.is_alive() and not thread.daemon]
    assert not left, f"threads left behind: {left}"
    assert not marked_processes(os.getpid()), "kernels left behind"


def _processes_with(variable: str, value: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(variable) == value and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def marked_processes(owner: int | None = None) -> list[psutil.Process]:
    """The kernels of reports, and what they started; those of this process's own, where an owner is given."""
    found = []
    for process in psutil.process_iter():
        try:
            environment = process.environ()
        except (psutil.Error, OSError):
            continue
        if MARK in environment and (owner is None or environment.get("_PARCOURS_OWNER") == str(owner)):
            found.append(process)
    return found
