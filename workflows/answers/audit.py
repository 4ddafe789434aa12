"""Whether stored results come out again: a sample is computed anew in a scratch store, and the bytes are compared."""

from __future__ import annotations

import contextlib
import random
import secrets
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from luigi.parameter import ParameterException

from workflows.answers.makings import differences
from workflows.errors import ParcoursError, PlanError, StoreError, UsageError
from workflows.store.artefacts import Artefact, Store
from workflows.store.provenance import Provenance
from workflows.tasks.project import current
from workflows.tasks.report import ReportTask
from workflows.tasks.result import Result
from workflows.tasks.templates import tables
from workflows.tasks.terminal import terminal

_LARGEST_SEED = 1_000_000


@dataclass(frozen=True)
class Unequal:
    """A stored result that did not come out again."""

    name: str
    """The task or template, and the date."""
    path: str
    """Its folder in the store."""
    differences: list[str]
    """What differs; empty where nothing could be compared."""
    problem: str = ""
    """Why nothing could be compared."""

    @property
    def sentence(self) -> str:
        """The finding in a line."""
        if self.problem:
            return f"{self.name}  {self.problem}"
        return f"{self.name}  is not deterministic, or {self.path} was altered: {', '.join(self.differences)}"


@dataclass
class Audit:
    """What an audit found."""

    seed: int
    """What the sample was drawn with."""
    total: int = 0
    """How many results there are to draw from."""
    same: int = 0
    """How many came out with the same bytes."""
    unequal: list[Unequal] = field(default_factory=list)
    skipped: Counter[str] = field(default_factory=Counter)
    """How many of those drawn were not computed again, by reason."""

    @property
    def computed(self) -> int:
        """How many were computed again."""
        return self.same + len(self.unequal)

    @property
    def exit_code(self) -> int:
        """1 where any result did not come out again."""
        return 1 if self.unequal else 0

    def lines(self) -> list[str]:
        """A line for each result that differs, one for each reason to skip, and the sum."""
        found = f"{self.same} same" + (f", {len(self.unequal)} not" if self.unequal else "")
        return [
            *(unequal.sentence for unequal in self.unequal),
            *(f"skipped {count}: {reason}" for reason, count in sorted(self.skipped.items())),
            f"{self.computed} of {self.total} results re-computed: {found}  (seed {self.seed})",
        ]

    def as_json(self) -> dict[str, Any]:
        """The same for a program."""
        return {
            "seed": self.seed,
            "total": self.total,
            "computed": self.computed,
            "same": self.same,
            "unequal": [asdict(unequal) for unequal in self.unequal],
            "skipped": dict(self.skipped),
        }


class _Skipped(Exception):
    """A stored result that this project would not make today."""


def audit(share: float, task: str | None = None, seed: int | None = None, limit: int | None = None) -> Audit:
    """Compute this share of the stored results again, or of those of a task; raises UsageError for what is no share.

    Results that the present code, data and environment would not make are passed over, and others drawn in their place.
    """
    _check(share, task, limit)
    found = Audit(secrets.randbelow(_LARGEST_SEED) if seed is None else seed)
    paths = [path for path in current().store.paths() if task in (None, path.partition("/")[0])]
    random.Random(found.seed).shuffle(paths)  # noqa: S311 - a sample that can be drawn again
    found.total = len(paths)
    wanted = min(limit or len(paths), max(1, round(share * len(paths))))
    if sys.stderr.isatty():
        terminal().open()
        terminal().expect(wanted)
    for artefact in _existing(paths):
        if found.computed >= wanted:
            break
        try:
            _compute(artefact, found)
        except _Skipped as reason:
            found.skipped[str(reason)] += 1
    terminal().pause()
    current().save()
    return found


def _check(share: float, task: str | None, limit: int | None) -> None:
    if not 0 < share <= 1:
        raise UsageError.outside("--share", share, "a number above 0 and up to 1, such as 0.02 for 2 %")
    if limit is not None and limit < 1:
        raise UsageError.outside("--limit", limit, "a whole number from 1 on")
    known = [*tables(), ReportTask.get_task_family()]
    if task is not None and task not in known:
        raise UsageError.unknown_task(task, sorted(known))


def _existing(paths: Iterable[str]) -> Iterator[Artefact]:
    for path in paths:
        artefact = current().store.at_path(path)
        if artefact is not None:
            yield artefact


def _compute(artefact: Artefact, found: Audit) -> None:
    """Compute one result again, and note what came of it."""
    task = _planned(artefact.provenance)
    store = current().store
    try:
        stored = {name: store.file(artefact, name) for name in artefact.provenance.outputs}
    except StoreError as error:
        found.unequal.append(Unequal(task.label, artefact.path, [], str(error)))
        return
    try:
        with _scratch(task) as scratch:
            task.run()
            made = scratch.find(task.address)
            assert made is not None
            differing = differences(stored, {name: scratch.file(made, name) for name in made.provenance.outputs})
    except PlanError as error:
        # The database was asked again, unlike for the plan.
        raise _Skipped("data has changed since") from error
    except ParcoursError as error:
        problem = f"cannot be made again: {str(error).partition(chr(10))[0]}"
        found.unequal.append(Unequal(task.label, artefact.path, [], problem))
        return
    if differing:
        found.unequal.append(Unequal(task.label, artefact.path, differing))
    else:
        found.same += 1


def _planned(record: Provenance) -> Result:
    """The task of a stored result, as it would be made today; raises _Skipped where that is another version."""
    known: dict[str, type[Result]] = {**tables(), ReportTask.get_task_family(): ReportTask}
    cls = known.get(record.task)
    if cls is None:
        raise _Skipped("the task is gone")
    texts = {name: text for name, text in record.parameters.items() if name != "version"}
    try:
        task: Result = cls.from_str_params(texts)
    except (ParcoursError, ParameterException, ValueError, TypeError, KeyError) as error:
        raise _Skipped("it cannot be planned any more") from error
    if task.version != record.version:
        raise _Skipped(_change(task, record))
    return task


def _change(task: Result, record: Provenance) -> str:
    """Why today's version is another one."""
    identity = task.identity
    if identity.recipe.code.digest != record.code["digest"]:
        return "code has changed since"
    if identity.environment.packages != record.environment["packages"]:
        return "environment has changed since"
    return "data has changed since" if record.source else "inputs have changed since"


@contextlib.contextmanager
def _scratch(task: Result) -> Iterator[Store]:
    """A store in a temporary folder, with copies of what a task is made from, that the task reads and writes."""
    project = current()
    with tempfile.TemporaryDirectory(prefix="parcours-audit-") as folder:
        scratch = Store.at(folder, project.settings.cache)
        for below in task.identity.inputs:
            given = project.store.find(below.address)
            if given is None:
                raise _Skipped("an input is not in the store")
            with scratch.staged() as staged:
                for name in given.provenance.outputs:
                    shutil.copyfile(project.store.file(given, name), staged / name)
                scratch.publish(staged, below.address, given.provenance)
        with project.using(scratch):
            yield scratch
