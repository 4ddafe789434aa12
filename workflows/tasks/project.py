"""The project that this process works for: settings, store, database, templates and code, each opened once."""

from __future__ import annotations

import contextlib
import datetime
import importlib
import sys
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any, TypeVar

from luigi.configuration import LuigiConfigParser
from luigi.task_register import Register

from workflows import settings as configuration
from workflows.data.database import Database, connect
from workflows.errors import ParcoursError, PipelineError
from workflows.identity import observation
from workflows.identity.checkout import Checkout
from workflows.identity.closure import Code, CodeIndex
from workflows.identity.environment import Distributions, installed_distributions
from workflows.identity.memo import Memo
from workflows.identity.modules import Modules, label
from workflows.identity.observed import Files
from workflows.identity.scope import Scope
from workflows.notebooks.template import Templates
from workflows.settings import Settings
from workflows.store.artefacts import Store
from workflows.store.timing import Run
from workflows.tasks.gathering import Gathering
from workflows.tasks.plan import Plan

T = TypeVar("T")

SHIPPED = "datasets"
"""The folder of the templates' folder with exported datasets, which come into the store when they are first asked for."""


class Project:
    """Everything that the tasks of one process share."""

    def __init__(self, settings: Settings, today: datetime.date) -> None:
        self.settings = settings
        self.today = today
        self.plan = Plan(lambda draft, version: draft.planned_identity(version), self._gather)
        self.run: Run | None = None
        """The command that this process is, once it has planned what it makes; nothing else is one."""
        self._is_gathered = False
        self._memos: list[Memo] = []
        self._known: dict[Hashable, Any] = {}
        self.code = self._index(self._memo("code"))

    def _index(self, memo: Memo) -> CodeIndex:
        return CodeIndex(Modules(self.settings.root, self.settings.pipelines, memo, self.settings.templates))

    @contextlib.contextmanager
    def reading_again(self) -> Iterator[None]:
        """Have code read from the files as they are now, for a while; templates and statements stay as they were read."""
        code, known = self.code, self._known
        self.code = self._index(code.modules.memo)
        self._known = {key: found for key, found in known.items() if not isinstance(found, Code)}
        try:
            yield
        finally:
            self.code, self._known = code, known

    @cached_property
    def store(self) -> Store:
        """Where the artefacts are."""
        return Store.at(self.settings.store, self.settings.cache, self.settings.catalog)

    @contextlib.contextmanager
    def using(self, store: Store) -> Iterator[None]:
        """Have tasks read from and write to another store for a while."""
        own = self.store
        self.store = store
        try:
            yield
        finally:
            self.store = own

    @cached_property
    def database(self) -> Database:
        """The database of the queries, or the dataset that stands for it; raises DatasetError."""
        name = self.settings.dataset
        if name is None:
            return connect(self.settings.database)
        # Not for those who have a database: it is more to read at every start.
        from workflows.data.frozen import Frozen

        return Frozen(self.store.datasets.opened(name, self.settings.templates / SHIPPED))

    @cached_property
    def templates(self) -> Templates:
        """The notebooks."""
        return Templates(self.settings.templates, self._memo("templates"))

    @cached_property
    def fingerprints(self) -> Memo:
        """Fingerprints of query results, for as long as the database is in its present state."""
        state = self.database.state()
        if self.settings.dataset:
            # In a table of its own, lest each forget what the other found.
            return self._memo(f"dataset-{state[:16]}", state)
        # Where the state cannot be told, what is found counts for this process only.
        return self._memo("fingerprints", state) if state else Memo(self.settings.cache, "unsaved")

    @cached_property
    def scope(self) -> Scope:
        """Which files are the project's."""
        settings = self.settings
        kept = (settings.store.removeprefix("file://"), settings.cache)
        return Scope.of(settings.root, settings.templates, settings.pipelines, kept)

    @cached_property
    def files(self) -> Files:
        """The project's files beyond its code."""
        return Files(self.scope, self._memo("files"))

    @cached_property
    def files_as_planned(self) -> Files:
        """The same as this process met them first."""
        return replace(self.files, kept={})

    @cached_property
    def fetched(self) -> Memo:
        """The digests of the tables that were laid for work by hand, each with its date."""
        return self._memo("fetched")

    @cached_property
    def installed(self) -> Distributions:
        """The distributions of this environment by import name."""
        return installed_distributions(self._memo("distributions"))

    @cached_property
    def checkout(self) -> Checkout:
        """The git checkout that the project is in."""
        return Checkout(self.settings.root)

    @cached_property
    def commit(self) -> tuple[str | None, bool]:
        """The commit that is checked out, if any, and whether files differ from it, as this process met them first."""
        return self.checkout.commit()

    def label(self, path: Path) -> str:
        """A file's name in a code closure."""
        return label(path, self.settings.root)

    def once(self, key: Hashable, find: Callable[[], T]) -> T:
        """What `find` returns, found once for a key: the project as this process met it first."""
        if key not in self._known:
            self._known[key] = find()
        found: T = self._known[key]
        return found

    def pipelines_files(self) -> dict[str, str]:
        """Every file of the project's own code that the pipelines may load, with its digest."""
        return self.code.files(self.settings.pipelines)

    def together(self, make: Callable[[], T]) -> T:
        """What `make` constructs: tasks for whose queries the database is asked at once, not query by query."""
        self._gather(make)
        before, self._is_gathered = self._is_gathered, True
        try:
            return make()
        finally:
            self._is_gathered = before

    def _gather(self, make: Callable[[], object]) -> None:
        if self._is_gathered or self.database.tells_state:
            # Where the state is told, fingerprints are remembered, and a file answers each question at once.
            return
        with self.gathering(self.plan) as gathering:
            gathering.gather(make)
        gathering.look_ahead()

    @contextlib.contextmanager
    def gathering(self, known: Plan) -> Iterator[Gathering]:
        """Have tasks that a plan does not know be met for a while, and not planned."""
        plan = self.plan
        self.plan = gathering = Gathering(known)
        try:
            yield gathering
        finally:
            self.plan = plan

    def save(self) -> None:
        """Keep what was digested for the next process."""
        for memo in self._memos:
            memo.save()

    def _memo(self, name: str, state: str = "") -> Memo:
        memo = Memo(self.settings.cache, name, state)
        self._memos.append(memo)
        return memo


@cache
def current() -> Project:
    """The project of the current directory; its pipelines are loaded."""
    project = Project(configuration.load(), datetime.datetime.now(datetime.UTC).date())
    observation.watch(project.scope)
    with observation.loading():
        load_pipelines(project.settings)
    with contextlib.suppress(ParcoursError):
        # Read now, lest an edit between now and the first plan be taken for what was loaded. A module that cannot be read
        # is the error of the task that needs it.
        project.pipelines_files()
    return project


def forget() -> None:
    """Have the next question read settings, templates, data and changed code anew; for processes that live long."""
    if current.cache_info().currsize:
        _unload_changed(current())
    current.cache_clear()
    Register.clear_instance_cache()
    LuigiConfigParser._instance = None


def _unload_changed(project: Project) -> None:
    """Have pipelines whose code was edited imported anew: new code must not be stamped on what the old code makes."""
    try:
        loaded = project.pipelines_files()
        now = Project(project.settings, project.today).pipelines_files()
    except (ParcoursError, OSError):
        # What cannot be read any more is the error of the next import.
        now = {}
    if now != loaded or observation.is_import_stale():
        files = {name: getattr(module, "__file__", None) for name, module in sys.modules.items()}
        unload(
            name for name, file in files.items() if file and label(Path(file), project.settings.root, name) in loaded
        )


def unload(names: Iterable[str]) -> None:
    """Forget these modules, and have Luigi forget their tasks: it would take their successors for strangers of the same name."""
    gone = set(names)
    observation.forget(gone)
    for name in gone:
        del sys.modules[name]
    Register._reg = [cls for cls in Register._reg if cls.__module__ not in gone]
    # A module made in this very moment is not in the folder as Python remembers it.
    importlib.invalidate_caches()


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
        except (Exception, SystemExit) as error:
            # A module that exits would end the command with its own exit code, 0 perhaps, and nothing made.
            raise PipelineError.not_imported(module, error) from error
