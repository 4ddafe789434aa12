"""The project that this process works for: settings, store, database, templates and code, each opened once."""

from __future__ import annotations

import datetime
import importlib
import subprocess
import sys
from collections.abc import Callable, Hashable
from functools import cache, cached_property
from pathlib import Path
from typing import Any, TypeVar

from luigi.configuration import LuigiConfigParser
from luigi.task_register import Register

from workflows import settings as configuration
from workflows.data.database import Database, connect
from workflows.errors import ParcoursError, PipelineError
from workflows.identity.closure import CodeIndex, label
from workflows.identity.environment import Distributions, installed_distributions
from workflows.identity.memo import Memo
from workflows.notebooks.template import Templates
from workflows.settings import Settings
from workflows.store.artefacts import Store
from workflows.tasks.plan import Plan

T = TypeVar("T")


class Project:
    """Everything that the tasks of one process share."""

    def __init__(self, settings: Settings, today: datetime.date) -> None:
        self.settings = settings
        self.today = today
        self.plan = Plan()
        self._memos: list[Memo] = []
        self._known: dict[Hashable, Any] = {}
        self.code = CodeIndex(settings.root, settings.pipelines, self._memo("code"))

    @cached_property
    def store(self) -> Store:
        """Where the artefacts are."""
        return Store.at(self.settings.store, self.settings.cache)

    @cached_property
    def database(self) -> Database:
        """The database of the queries."""
        return connect(self.settings.database)

    @cached_property
    def templates(self) -> Templates:
        """The notebooks."""
        return Templates(self.settings.templates, self._memo("templates"))

    @cached_property
    def fingerprints(self) -> Memo:
        """Fingerprints of query results, for as long as the database is in its present state."""
        state = self.database.state()
        # Where the state cannot be told, what is found counts for this process only.
        return self._memo("fingerprints", state) if state else Memo(self.settings.cache, "unsaved")

    @cached_property
    def installed(self) -> Distributions:
        """The distributions of this environment by import name."""
        return installed_distributions(self._memo("distributions"))

    @cached_property
    def commit(self) -> tuple[str | None, bool]:
        """The commit that is checked out, if any, and whether files differ from it."""
        head = self._git("rev-parse", "HEAD")
        return (head.strip(), bool(self._git("status", "--porcelain"))) if head else (None, False)

    def label(self, path: Path) -> str:
        """A file's name in a code closure."""
        return label(path, self.settings.root)

    def once(self, key: Hashable, find: Callable[[], T]) -> T:
        """What `find` returns, found once for a key: the project as this process met it first."""
        if key not in self._known:
            self._known[key] = find()
        found: T = self._known[key]
        return found

    def save(self) -> None:
        """Keep what was digested for the next process."""
        for memo in self._memos:
            memo.save()

    def _memo(self, name: str, state: str = "") -> Memo:
        memo = Memo(self.settings.cache, name, state)
        self._memos.append(memo)
        return memo

    def _git(self, *arguments: str) -> str:
        try:
            done = subprocess.run(
                ["git", "-C", self.settings.root, *arguments], capture_output=True, text=True, timeout=60
            )
        except (OSError, subprocess.TimeoutExpired):
            return ""
        return done.stdout if done.returncode == 0 else ""


@cache
def current() -> Project:
    """The project of the current directory; its pipelines are loaded."""
    project = Project(configuration.load(), datetime.datetime.now(datetime.UTC).date())
    load_pipelines(project.settings)
    return project


def forget() -> None:
    """Have the next question read settings, templates and data anew; for processes that live long."""
    current.cache_clear()
    Register.clear_instance_cache()
    LuigiConfigParser._instance = None


def load_pipelines(settings: Settings) -> None:
    """Import the modules that hold the queries and stages; raises PipelineError for one that cannot be imported."""
    root = str(settings.root)
    if root not in sys.path:
        # Beside luigi.cfg is where a pipeline lies that nobody installs.
        sys.path.insert(0, root)
    for module in settings.pipelines:
        try:
            importlib.import_module(module)
        except ParcoursError:
            raise
        except Exception as error:
            raise PipelineError.not_imported(module, error) from error
