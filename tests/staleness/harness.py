"""States of a small project, each run by a process of its own, and cases of what a change makes run again.

A state is a folder as a new process would find it: the child is forked from this process, in which the heavy packages are
loaded but nothing of any project, and reports what it planned, what it made and the digest of every table.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import shutil
import signal
import site
import sys
import tempfile
import traceback
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

PRELUDE = """\
import datetime
import luigi
import pandas as pd
from workflows import Query, Stage

def table(*values):
    return pd.DataFrame({"value": [repr(value) for value in values]})
"""
SCALED = """
class Scaled(Stage):
    def compute(self):
        return table({returns})
"""
OTHER = """
class Other(Stage):
    def compute(self):
        return table("other")
"""
SETTINGS = """\
[workflows]
pipelines = acme
store = store
cache = cache
templates = templates
database = sqlite:///acme.db
"""
_LIMIT = 120
"""Seconds that one state may take."""

DAY = "2020-01-01"
_DISTRIBUTIONS = "distributions.json"
_distributions: list[bytes] = []

Edit = tuple[str, str] | Sequence[tuple[str, str]] | Callable[[Path], None]
"""What is done to a project: one text replaced by another, where it stands exactly once; several; or anything."""


@dataclass(frozen=True)
class Case:
    """A small project, a change that matters in it, and a change in the same place that does not."""

    name: str
    code: str
    """The module `acme`, without what it begins with and without the stages that every case has."""
    modules: Mapping[str, str] = field(default_factory=dict)
    """Other files by their path."""
    returns: str | None = None
    """What the stage Scaled puts into its table; None where `code` has a stage Scaled of its own."""
    matters: Edit = ()
    """The change that must be seen."""
    harmless: Edit = ()
    """Its twin, after which nothing may run."""
    reruns: frozenset[str] = frozenset({"Scaled"})
    """What must run again after `matters`; everything else must not."""
    may_rerun: frozenset[str] = frozenset()
    """What may run again too, because nobody can tell that it is not concerned."""
    is_undecided: bool = False
    """Whether the whole module counts, because its reach cannot be decided."""
    path: Sequence[str] = ()
    """Folders, from the project's, that the environment has on its Python path."""
    template: str | None = None
    """The template of which a report is made too."""

    def write(self, folder: Path) -> None:
        """Lay the project into a folder."""
        code = PRELUDE + dedent(self.code)
        if self.returns is not None:
            code += SCALED.format(returns=self.returns)
        if "class Other(" not in code:
            code += OTHER
        for name, text in {"luigi.cfg": SETTINGS, **self.modules, "acme.py": code}.items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(dedent(text))
        # To SQLite, an empty file is a database without tables.
        (folder / "acme.db").touch()


@dataclass(frozen=True)
class Outcome:
    """What one process found and made in a state of a project."""

    planned: frozenset[str]
    """The tasks that it was going to make."""
    computed: frozenset[str]
    """The tasks it computed."""
    reused: frozenset[str]
    """The tasks for which it took over an equal result."""
    tables: dict[str, str]
    """The digest of each task's table."""
    undecided: dict[str, str]
    """The files that counted whole, with the reason."""
    shown: str
    """What it wrote on standard output and standard error."""

    def changed(self, before: Outcome) -> frozenset[str]:
        """The tasks whose tables differ from those of another state."""
        return frozenset(
            name for name in {*self.tables, *before.tables} if self.tables.get(name) != before.tables.get(name)
        )


def apply(edit: Edit, folder: Path) -> None:
    """Edit a project; each text to be replaced must stand in it exactly once."""
    if callable(edit):
        edit(folder)
        return
    pairs = [edit] if edit and isinstance(edit[0], str) else edit
    for old, new in pairs:  # type: ignore[misc]
        places = [file for file in texts(folder) for _ in range(file.read_text().count(old))]
        assert len(places) == 1, f"{old!r} stands in the project {len(places)} times, not once"
        places[0].write_text(places[0].read_text().replace(old, new))


def texts(folder: Path) -> list[Path]:
    """The text files of a project that its author wrote."""
    made = {folder / "store", folder / "cache"}
    kinds = (".py", ".sql", ".txt", ".json", ".csv", ".ipynb", ".cfg", "METADATA")
    return sorted(
        file
        for file in folder.rglob("*")
        if file.is_file() and file.name.endswith(kinds) and not made & set(file.parents)
    )


def sources(folder: Path) -> list[Path]:
    """The Python modules of a project."""
    return [file for file in texts(folder) if file.suffix == ".py"]


def add(text: str, to: str = "acme.py") -> Callable[[Path], None]:
    """The edit that adds a text to the end of a file, which may be new."""

    def edit(folder: Path) -> None:
        file = folder / to
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text((file.read_text() if file.exists() else "") + dedent(text))

    return edit


def method(text: str) -> str:
    """A stage Scaled whose compute() has this body."""
    return "\nclass Scaled(Stage):\n    def compute(self):\n" + indent(dedent(text).strip("\n"), " " * 8) + "\n"


def checkout(folder: Path, to: Path, *, store: bool = True) -> Path:
    """A copy of a project in another folder, with or without what was made of it; every file has a new time."""
    left_out = () if store else ("store", "cache", "log")
    shutil.copytree(
        folder,
        to,
        symlinks=True,
        copy_function=shutil.copyfile,
        ignore=lambda at, names: left_out if Path(at) == folder else (),
    )
    return to


def warm_up(folder: Path) -> None:
    """Load what every state needs, so that the forked processes have it for nothing; `folder` is for a first state."""
    import multiprocessing.queues  # noqa: F401

    import pandas

    import workflows.tasks.backfill
    import workflows.tasks.report  # noqa: F401

    folder.mkdir()
    pandas.DataFrame({"value": ["text"]}).to_parquet(folder / "table.parquet")
    pandas.read_parquet(folder / "table.parquet")
    Case("empty", "", returns="1").write(folder)
    run(folder)
    _distributions[:] = [(folder / "cache" / _DISTRIBUTIONS).read_bytes()]


def know_distributions(folder: Path) -> None:
    """Give a project the list of what is installed, which takes half a second to make; it is kept by what it lists."""
    if _distributions and not (folder / "cache" / _DISTRIBUTIONS).exists():
        (folder / "cache").mkdir(exist_ok=True)
        (folder / "cache" / _DISTRIBUTIONS).write_bytes(_distributions[0])


def run(folder: Path, path: Iterable[str] = (), dates: Sequence[str] = (DAY,), template: str | None = None) -> Outcome:
    """Have a new process make every query and stage of a project, for some dates, and reports; and tell what it did."""
    know_distributions(folder)
    answer = Path(tempfile.mkstemp(prefix="answer-", dir=folder.parent)[1])
    with warnings.catch_warnings():
        # Python 3.12 warns of threads at a fork; those of this process hold nothing that the child needs.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        _become(folder, path, dates, template, answer)
    _, status = os.waitpid(child, 0)
    found = json.loads(answer.read_text() or '"it ended without an answer"')
    answer.unlink()
    log = (folder / "log").read_text(errors="replace")
    assert isinstance(found, dict), f"{folder.name} failed: {found}\n{log}"
    assert status == 0, log
    named = {name: frozenset(found[name]) for name in ("planned", "computed", "reused")}
    return Outcome(**named, tables=found["tables"], undecided=found["undecided"], shown=log)


def _become(folder: Path, path: Iterable[str], dates: Sequence[str], template: str | None, answer: Path) -> None:
    """Be a process that works in a project, and end."""
    code = 1
    try:
        signal.alarm(_LIMIT)
        log = os.open(folder / "log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(log, 1)
        os.dup2(log, 2)
        sys.stdout = os.fdopen(1, "w", closefd=False)
        sys.stderr = os.fdopen(2, "w", closefd=False)
        _enter(folder, path)
        answer.write_text(json.dumps(_make(dates, template)))
        code = 0
    except BaseException:
        answer.write_text(json.dumps(traceback.format_exc()))
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _enter(folder: Path, path: Iterable[str]) -> None:
    from workflows.tasks import project
    from workflows.tasks.project import Project

    # What tests before this one may have loaded into the process that this one was forked from.
    project.forget()
    own = {path.stem for path in folder.iterdir() if path.suffix == ".py" or path.is_dir()}
    project.unload(
        [name for name in sys.modules if name.startswith("workflows.flights") or name.partition(".")[0] in own]
    )

    for name in [name for name in os.environ if name.startswith(("PARCOURS_", "LUIGI_"))]:
        del os.environ[name]
    os.chdir(folder)
    # Python tells a stale .pyc by the second of the edit and the size only; tests edit faster.
    sys.dont_write_bytecode = True
    warnings.resetwarnings()
    warnings.simplefilter("ignore")
    # What costs most of a state's time and does not concern it: flushing to the disk, asking git.
    gc.disable()
    os.fsync = lambda _: None  # type: ignore[assignment]
    Project.commit = (None, False)  # type: ignore[assignment]
    for place in path:
        # As Python's own start does, which also follows the .pth files of editable installs.
        site.addsitedir(str(folder / place))


def _make(dates: Sequence[str], template: str | None) -> dict[str, Any]:
    import luigi

    from workflows.tasks import project
    from workflows.tasks.plan import tree

    project.forget()
    roots = _roots(dates, template)
    tasks = {task.label: task for root in roots for task in tree(root)}
    planned = [label for label, task in tasks.items() if not task.complete()]
    before = _records(tasks.values())
    luigi.build(roots, local_scheduler=True, log_level="WARNING", no_lock=True)
    for root in roots:
        assert root.complete(), f"{root.label} was not made"
    project.current().save()
    new = {label: record for label, record in _records(tasks.values()).items() if before.get(label) != record}
    return {
        "planned": planned,
        "computed": [label for label, (_, record) in new.items() if not record["reused_from"]],
        "reused": [label for label, (_, record) in new.items() if record["reused_from"]],
        "tables": {label: _digest(task) for label, task in tasks.items()},
        "undecided": {
            name: reason for task in tasks.values() for name, reason in task.identity.recipe.code.undecided.items()
        },
    }


def _roots(dates: Sequence[str], template: str | None) -> list[Any]:
    import datetime

    from workflows.tasks.report import ReportTask
    from workflows.tasks.templates import tables

    days = [datetime.date.fromisoformat(day) for day in dates]
    found: list[Any] = []
    for cls in tables().values():
        found += [cls(date=day) for day in days] if "date" in dict(cls.get_params()) else [cls()]
    return found + [ReportTask(date=day, template=template) for day in days if template]


def _records(tasks: Iterable[Any]) -> dict[str, tuple[int, dict[str, Any]]]:
    """The record of each task that is made, with the time of its file: a result that is made again is another one."""
    found = {}
    for task in tasks:
        file = Path(task.output().path) / "provenance.json"
        if file.exists():
            found[task.label] = (file.stat().st_mtime_ns, json.loads(file.read_text()))
    return found


def _digest(task: Any) -> str:
    """The digest of a task's table, or of what a report shows apart from how it came to be."""
    folder = Path(task.output().path)
    if (folder / "table.parquet").exists():
        return hashlib.sha256((folder / "table.parquet").read_bytes()).hexdigest()
    cells = json.loads((folder / "report.ipynb").read_text())["cells"]
    shown = [cell["source"] if cell["cell_type"] == "markdown" else cell["outputs"] for cell in cells]
    return hashlib.sha256(json.dumps(shown).encode()).hexdigest()
