"""What evaluating the commits of one project shares: its repository, store and settings, and the steps of an evaluation."""

from __future__ import annotations

import contextlib
import getpass
import json
import platform
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from workflows.answers.found import store
from workflows.commits import environments, runner
from workflows.commits.git import Repository
from workflows.commits.worktree import worktree
from workflows.errors import CommitError, DatasetError, NoSuite, ParcoursError, StoreError, SuiteError
from workflows.evaluation import entries, measures, suites
from workflows.evaluation.judging import judge
from workflows.evaluation.runs import Commit, Made, Run
from workflows.evaluation.suites import Suite
from workflows.evaluation.verdict import Evaluation
from workflows.identity.canonical import digest_bytes
from workflows.settings import EvaluationSettings, Settings, load, load_evaluation
from workflows.store.address import MEASURES
from workflows.store.artefacts import Store
from workflows.store.datasets import ENDING
from workflows.store.evaluations import EVALUATION, PAGE, RUN
from workflows.tasks.project import SHIPPED
from workflows.tasks.terminal import terminal

DIFF = "work.diff"
"""The uncommitted work that was evaluated."""
LOG = "run.log"


@contextlib.contextmanager
def _of_machine() -> Iterator[None]:
    """What keeps a commit from being evaluated and is no fault of its code, as a CommitError."""
    try:
        yield
    except StoreError as error:
        raise CommitError(str(error)) from error
    except OSError as error:
        raise CommitError.unwritable(error.filename, error.strerror or str(error)) from error


@dataclass(frozen=True)
class Chosen:
    """A suite, and whose it is."""

    suite: Suite
    is_from: str
    """'commit' or 'trunk'."""


class Evaluator:
    """What evaluating the commits of one project shares."""

    def __init__(self, settings: Settings, own: EvaluationSettings) -> None:
        self.settings = settings
        self.own = own
        self.repository = Repository.of(settings.root)

    @classmethod
    def of_project(cls) -> Evaluator:
        """For the project of the current directory; raises CommitError where it lies in no repository."""
        return cls(load(), load_evaluation())

    @cached_property
    def store(self) -> Store:
        """The project's store."""
        return store()

    @property
    def trunk(self) -> str | None:
        """The branch that commits are compared with, if there is one."""
        return self.repository.trunk(self.own.trunk)

    def chosen(self, commit: Commit, name: str) -> Chosen:
        """A suite by its name, as the commit has it, else as the trunk does; raises NoSuite and SuiteError."""
        places: list[tuple[str, str]] = [("commit", commit.dirty or commit.sha)]
        places += [("trunk", self.trunk)] if self.trunk else []
        file, known = f"{self._folder_of_templates}/{suites.FILE}", set[str]()
        for is_from, tree in places:
            text = self.repository.file(tree, file)
            if text is None:
                continue
            found = entries.read(text, f"{file} of {'commit ' + commit.short if is_from == 'commit' else tree}")
            if name in found:
                return Chosen(found[name], is_from)
            known |= found.keys()
        if known:
            raise SuiteError.unknown(name, sorted(known))
        raise NoSuite.nowhere(file, commit.short, self.trunk)

    def run(self, commit: Commit, chosen: Chosen, diff: bytes = b"", is_asked: bool = False) -> Run:
        """What a commit makes of a suite: as stored, else made now. A run with a problem is stored, and tried again.

        One with reports that failed is tried again where somebody asks for this very commit: it may have been the machine.
        """
        stored = self.stored_run(commit, chosen.suite)
        if stored is not None and not (is_asked and any(made.failure for made in stored.reports)):
            return stored
        terminal().tell("commit", f"{commit.short}  {commit.subject}")
        began = datetime.now(UTC)
        try:
            found = self._ran(commit, chosen, began)
        except ParcoursError as error:
            found = self._described(commit, chosen, began, problem=str(error))
        files = {DIFF: diff} if diff else {}
        self.store.evaluations.put(found.suite, commit.state, {**files, RUN: _json(found.as_json())})
        return found

    @_of_machine()
    def stored_run(self, commit: Commit, suite: Suite) -> Run | None:
        """The run that is stored of a commit, if it is one of the same reports and dataset that came to an end."""
        record = self.store.evaluations.record(suite.name, commit.state, RUN)
        try:
            found = Run.from_json(record) if record else None
        except ValueError:
            return None
        if found is None or found.problem or found.work != suite.work:
            return None
        with contextlib.suppress(DatasetError):
            return found if found.dataset_digest == self._digest(suite.dataset) and self._is_whole(found) else None
        return None

    def stored(self, commit: Commit, suite: str, base: Commit | None) -> Evaluation | None:
        """The evaluation that is stored of a commit, if it was judged by what would judge it now, and did not fail."""
        record = self.store.evaluations.record(suite, commit.state, EVALUATION)
        try:
            found = Evaluation.from_json(record) if record else None
        except ValueError:
            return None
        if found is None or found.verdict == "failed" or found.base != base:
            return None
        chosen = self.chosen(commit, suite).suite
        return found if found.limits == chosen.limits and self.stored_run(commit, chosen) else None

    def _is_whole(self, found: Run) -> bool:
        """Whether the reports of a run are still in the store."""
        return all(made.path is None or made.failure or self.store.at_path(made.path) for made in found.reports)

    def base(self, commit: Commit, named: str | None) -> Commit | None:
        """What a commit is compared with; None where it has nothing in common with the trunk. Raises CommitError."""
        if named is not None:
            return self.repository.commit(named)
        if commit.dirty:
            return self.repository.commit(commit.sha)
        trunk = self.trunk
        if trunk is None:
            raise CommitError.no_trunk(self.own.trunk)
        found = self.repository.merge_base(commit.sha, trunk)
        if found == commit.sha:
            found = commit.parents[0] if commit.parents else None
        if found is None and self.repository.is_shallow:
            raise CommitError.shallow(commit.short, trunk)
        try:
            return self.repository.commit(found) if found else None
        except CommitError:
            raise CommitError.shallow(commit.short, trunk) from None

    @_of_machine()
    def evaluated(
        self, commit: Commit, base: Commit | None, suite: str, diff: bytes = b"", is_asked: bool = False
    ) -> Evaluation:
        """A commit compared with its base and judged, stored with its page."""
        from workflows.commits.details import details

        chosen = self.chosen(commit, suite)
        run = self.run(commit, chosen, diff, is_asked)
        base_run = self.run(base, chosen) if base and not run.problem else None
        found, pictures = details(run, base_run) if base_run and not base_run.problem else ({}, {})
        evaluation = replace(judge(run, base_run, chosen.suite, found), base=base)
        self._store(evaluation, pictures)
        return evaluation

    def _store(self, evaluation: Evaluation, pictures: Mapping[str, bytes]) -> None:
        from workflows.commits.page import page

        files = dict(pictures)
        files[PAGE] = page(evaluation, pictures.get).encode("utf-8", "surrogatepass")
        # Last: where it is found, all the others are there.
        files[EVALUATION] = _json(evaluation.as_json())
        self.store.evaluations.put(evaluation.suite, evaluation.commit.state, files)

    def write_feed(self) -> None:
        """Write the feed of verdicts anew."""
        from workflows.commits import feed

        feed.write(self.store)

    @_of_machine()
    def _ran(self, commit: Commit, chosen: Chosen, began: datetime) -> Run:
        suite, cache = chosen.suite, self.settings.cache
        lock = self.repository.file(commit.dirty or commit.sha, self.own.lock) if self.own.lock else None
        self._bring(commit, suite.dataset)
        self._digest(suite.dataset)
        here = self.settings.root / self.own.lock
        own = here.read_bytes() if self.own.lock and here.is_file() else None
        folder, given = cache / "environments", runner.installing()
        python = environments.python_of(lock, self.own.lock, commit.short, folder, given, own)
        log = cache / "logs" / f"{commit.state}.log"
        with worktree(self.repository, commit, cache / "worktrees") as project:
            environment = runner.environment_of_run(self.settings, python, project, suite.dataset, self.own.variables)
            answer = runner.ran(python, project, commit.short, suite.reports, environment, log)
        self.store.evaluations.put(suite.name, commit.state, {LOG: log.read_bytes()})
        if answer["problem"]:
            raise CommitError(answer["problem"])
        return replace(
            self._described(commit, chosen, began),
            lock=digest_bytes(lock) if lock else "",
            python=answer["python"],
            packages=answer["packages"],
            reports=tuple(
                self._made(asked, found) for asked, found in zip(suite.reports, answer["reports"], strict=True)
            ),
            results_made=answer["made"],
            results_reused=answer["reused"],
        )

    def _made(self, asked: suites.Asked, found: Mapping[str, Any]) -> Made:
        text = self.store.bytes_of(f"{found['path']}/{MEASURES}") if found["path"] else None
        return Made(asked, **found, measures=tuple(measures.from_json(text)) if text else ())

    def _described(self, commit: Commit, chosen: Chosen, began: datetime, problem: str | None = None) -> Run:
        """A run of which nothing is known yet but what it is of."""
        suite = chosen.suite
        blobs = self.repository.blobs(commit.dirty or commit.sha, self._folder_of_templates)
        return Run(
            commit=commit,
            suite=suite.name,
            work=suite.work,
            suite_from=chosen.is_from,
            dataset=suite.dataset,
            dataset_digest="" if problem else self._digest(suite.dataset),
            lock="",
            python="",
            packages={},
            reports=tuple(map(Made, suite.reports)) if problem is None else (),
            results_made=0,
            results_reused=0,
            started=began.isoformat(timespec="seconds"),
            seconds=round((datetime.now(UTC) - began).total_seconds(), 3),
            host=platform.node(),
            user=_user(),
            templates={Path(name).stem: blob for name, blob in blobs.items() if name.endswith(".ipynb")},
            problem=problem,
        )

    def _digest(self, dataset: str) -> str:
        """What identifies a dataset; raises DatasetError where there is none of the name."""
        return self.store.datasets.opened(dataset, self.settings.templates / SHIPPED).digest

    def _bring(self, commit: Commit, dataset: str) -> None:
        """Bring in the dataset that the commit itself ships, where the store has none of the name."""
        name = f"{self._folder_of_templates}/{SHIPPED}/{dataset}{ENDING}"
        data = (
            None if dataset in self.store.datasets.names() else self.repository.file(commit.dirty or commit.sha, name)
        )
        if data is not None:
            with tempfile.TemporaryDirectory() as folder:
                file = Path(folder, f"{dataset}{ENDING}")
                file.write_bytes(data)
                self.store.datasets.import_(file)

    @property
    def _folder_of_templates(self) -> str:
        """Relative to the project's folder."""
        return self.settings.templates.relative_to(self.settings.root).as_posix()


def _json(record: Any) -> bytes:
    return (json.dumps(record, indent=1, ensure_ascii=False) + "\n").encode("utf-8", "surrogatepass")


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
