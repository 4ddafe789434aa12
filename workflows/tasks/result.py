"""The base of all tasks that make a result: parameters, identity, inputs, completeness."""

from __future__ import annotations

import datetime
from collections.abc import Hashable, Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import luigi
from luigi.parameter import ParameterVisibility

from workflows.errors import ParcoursError, PipelineError, PlanError
from workflows.identity.canonical import digest
from workflows.identity.closure import Code
from workflows.store.artefacts import Address, Artefact, Provenance
from workflows.store.plans import Planned
from workflows.store.timing import Stopwatch
from workflows.tasks import command, handover, observed
from workflows.tasks.code import class_code, environment_of, place_of
from workflows.tasks.gathering import Gathering
from workflows.tasks.parameters import PLAIN, normal
from workflows.tasks.plan import UNPLANNED, Identity, Key, Recipe, arranged
from workflows.tasks.production import Made, produce
from workflows.tasks.progress import Progress
from workflows.tasks.project import current


class ArtefactTarget(luigi.Target):
    """A result in the store, as Luigi sees it."""

    def __init__(self, address: Address) -> None:
        self.address = address

    @property
    def path(self) -> str:
        """The artefact's folder as the user sees it."""
        return current().store.shown(self.address.path)

    def exists(self) -> bool:
        """Whether the artefact exists with the bytes that were written."""
        return current().store.intact(self.address)

    def __str__(self) -> str:
        return self.path


class Result(luigi.Task):
    """A task that makes one result, stored under its version. Write queries and stages, not this."""

    version = luigi.Parameter(
        default="", positional=False, description="computed from code, data and parameters; never typed"
    )

    _params: ClassVar[list[tuple[str, luigi.Parameter]]]

    @classmethod
    def get_params(cls) -> list[tuple[str, luigi.Parameter]]:
        """Luigi's parameters of the class, looked for once: Luigi looks through every attribute, several times for each task."""
        if "_params" not in cls.__dict__:
            cls._params = super().get_params()
        return cls._params

    @classmethod
    def get_param_values(cls, params: Any, args: Any, kwargs: Any) -> list[tuple[str, Any]]:
        """Luigi's parameter values, normalised, with the version computed where it is not given."""
        command.begin()
        met, spelling = current().plan.values, _spelling(cls, args, kwargs)
        if spelling is None:
            return cls._planned_values(params, args, kwargs)
        if spelling not in met:
            met[spelling] = cls._planned_values(params, args, kwargs)
        return met[spelling]

    @classmethod
    def _planned_values(cls, params: Any, args: Any, kwargs: Any) -> list[tuple[str, Any]]:
        known = dict(params)
        try:
            # The version is never taken from luigi.cfg, where Luigi would look for it with every task.
            found = super().get_param_values(params, args, {"version": "", **kwargs})
        except (ValueError, TypeError, AttributeError):
            # Luigi raises whatever its normalising stumbles over, and says neither which parameter it is nor whose.
            positional = (name for name, param in params if param.positional)
            for name, value in [*zip(positional, args, strict=False), *kwargs.items()]:
                normal(cls.get_task_family(), name, known[name], value)
            raise
        values = {name: normal(cls.get_task_family(), name, known[name], value) for name, value in found}
        values = cls.settled(values)
        if not values["version"]:
            values["version"] = cls._identity(values).version
        return list(values.items())

    @classmethod
    def settled(cls, values: dict[str, Any]) -> dict[str, Any]:
        """The parameter values in the one spelling that counts; kinds of results may refine it."""
        return values

    @classmethod
    def _identity(cls, values: Mapping[str, Any]) -> Identity:
        own = {name: value for name, value in values.items() if name != "version"}
        draft = cls.__new__(cls)
        for name, value in own.items():
            setattr(draft, name, value)
        draft.param_kwargs = own
        return current().plan.identity(draft._plan_key, draft, environment_of, values.get("version", ""))

    @cached_property
    def _plan_key(self) -> Key:
        """What names this task in a plan."""
        # As text, because Python takes 1, 1.0 and True for the same key, and another process would not.
        values, params = self.param_kwargs, type(self).get_params()
        return type(self), tuple((name, p.serialize(values[name])) for name, p in params if name != "version")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        current().plan.meet(self)
        command.asked(self)

    @classmethod
    def bulk_complete(cls, parameter_tuples: Iterable[Any]) -> list[Any]:
        """Which of these values of the first parameter are complete, for Luigi's ranges."""
        values = list(parameter_tuples)
        tasks = current().together(lambda: [cls(value) for value in values])
        return [value for value, task in zip(values, tasks, strict=True) if task.complete()]

    @classmethod
    def look_ahead(cls, drafts: Sequence[Result]) -> None:
        """Find out together what the versions of these tasks of this class will need; queries ask the database."""

    def clone(self, cls: Any = None, **kwargs: Any) -> Any:
        """Luigi's clone; the version stays behind, because the clone has its own."""
        target = cls or type(self)
        common = {
            name: getattr(self, name) for name, _ in target.get_params() if name != "version" and hasattr(self, name)
        }
        return target(**{**common, **kwargs})

    @property
    def identity(self) -> Identity:
        """What this task's version is in this process."""
        known = current().plan.known(self._plan_key)
        return known if known and known.version == self.version else self._identity(self.param_kwargs)

    def check_version(self) -> None:
        """Refuse a version that this process would not have computed."""
        if self.identity.version != self.version:
            raise PlanError.other_version(self.label, self.version, self.identity.version)

    @cached_property
    def address(self) -> Address:
        """Where the result lies in the store."""
        return Address(self.get_task_family(), self.address_date, self.version)

    @property
    def address_date(self) -> str:
        """The date under which the result lies in the store, or '-'."""
        return _date_of(self)

    @property
    def label(self) -> str:
        """How people call this task."""
        date = _date_of(self)
        return self.get_task_family() if date == "-" else f"{self.get_task_family()} {date}"

    def inputs(self) -> tuple[tuple[Result, ...], Any]:
        """The required tasks, in order, and how requires() arranges them; raises PipelineError for one without a version."""
        found: list[Any] = []
        try:
            shape = arranged(self.requires(), found)
        except ParcoursError:
            raise
        except Exception as error:
            raise PipelineError.requirements(self.label, error, place_of(error)) from error
        for task in found:
            if not isinstance(task, Result):
                raise PipelineError.foreign_input(self.get_task_family(), task)
        if not isinstance(current().plan, Gathering):
            # An author's own cache may still hold a task from before the plan.
            found = [task.clone() if task.version == UNPLANNED else task for task in found]
        return tuple(found), shape

    def planned_identity(self, version: str) -> Identity | None:
        """What this task is by the stored plan that has a version, if one has."""
        return handover.followed(self, version, environment_of)

    def deps(self) -> Any:
        """What Luigi is to have made before; nothing for a task that is known to fail, so that it fails at once."""
        identity = self.identity
        if identity.problem:
            return []
        # Luigi asks because the task is to be made, by this process or another one.
        handover.write([self])
        return list(identity.inputs)

    def output(self) -> ArtefactTarget:
        """The artefact."""
        return ArtefactTarget(self.address)

    def complete(self) -> bool:
        """Whether the artefact exists, undamaged, and what its run opened is still the same."""
        return self.output().exists() and observed.holds(self)

    @classmethod
    def code_closure(cls) -> Code:
        """The code that makes results of this class."""
        return class_code(cls)

    def named_code(self) -> Code:
        """The code that this task names; kinds of results may name more than their class."""
        return self.code_closure()

    def recipe(self, planned: Planned | None = None) -> Recipe:
        """What the version is computed from; where a stored plan is followed, its word on the data counts."""
        return Recipe(self.significant_texts(), self.named_code())

    def counted_recipe(self, planned: Planned | None = None) -> Recipe:
        """The recipe with what runs of this task have shown counted in it."""
        return observed.counted(self, self.recipe(planned))

    def make(self, folder: Path, inputs: Sequence[Artefact], progress: Progress, draft: Provenance) -> Made:
        """Lay the result's files into a folder; kinds of results say how."""
        raise TypeError(f"{type(self).__name__} is neither a Query nor a Stage")

    def take(
        self,
        folder: Path,
        twin: Artefact,
        inputs: Sequence[Artefact],
        draft: Provenance,
        timing: Stopwatch | None = None,
    ) -> Made:
        """Lay the files of an equal result into a folder; without a stopwatch, the draft says where the time went."""
        files = {name: output.get("rows") for name, output in twin.provenance.outputs.items()}
        for name in files:
            current().store.reuse(twin, name, folder)
        if timing:
            timing.lap("take")
        return Made(files, twin.provenance.source, twin.provenance.template)

    def run(self) -> None:
        """Make the result, or take over an equal one, and store it with its provenance."""
        self.check_version()
        produce(self)

    def read_when_planned(self) -> list[str]:
        """The files of the code that were read whole when the task was planned, and are not read again to make it."""
        return []

    def on_failure(self, exception: BaseException) -> Any:
        """What the scheduler's web view shows of a failure."""
        return str(exception) if isinstance(exception, ParcoursError) else super().on_failure(exception)

    def template_record(self) -> dict[str, Any] | None:
        """Reports only: the template and its values."""
        return None

    def significant_texts(self) -> dict[str, str]:
        """The significant parameters as Luigi writes them; of one that it shows to nobody, a digest of that."""
        found = {}
        for name, param in self.get_params():
            if param.significant and name != "version":
                text = param.serialize(getattr(self, name))
                found[name] = digest(text) if param.visibility == ParameterVisibility.PRIVATE else text
        return found


def _spelling(cls: type[Result], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Hashable:
    """A key for a task's parameter values as they are given, if all are given and none equals one of another type."""
    given = [*args, *kwargs.values()]
    kinds = tuple(map(type, given))
    is_whole = len(given) + ("version" not in kwargs) == len(cls.get_params())
    return (cls, kinds, tuple(args), tuple(kwargs.items())) if is_whole and PLAIN.issuperset(kinds) else None


def _date_of(task: Result) -> str:
    date = getattr(task, "date", None)
    return date.isoformat() if isinstance(date, datetime.date) else "-"
