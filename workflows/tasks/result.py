"""The base of all tasks that make a result: identity, completeness, atomic storage, provenance, reuse."""

from __future__ import annotations

import datetime
import getpass
import os
import socket
import sys
import time
import traceback
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, ClassVar

import luigi
from luigi.task_register import Register

from workflows.errors import DateError, ParcoursError, PipelineError, PlanError, StoreError
from workflows.identity.closure import Code, CodeIndex
from workflows.identity.disk import changed_file
from workflows.identity.environment import Environment
from workflows.identity.sights import Sight
from workflows.store.address import REPORT, TABLE
from workflows.store.artefacts import Address, Artefact, Provenance, described
from workflows.store.plans import Planned
from workflows.tasks import command, handover, observed
from workflows.tasks.gathering import Gathering
from workflows.tasks.plan import UNPLANNED, Identity, Key, Recipe, arranged, version_with
from workflows.tasks.progress import Progress, watched
from workflows.tasks.project import current
from workflows.tasks.reuse import equal

# Types whose values are spelled alike if they are equal; floats are not: 0.0 equals -0.0.
_PLAIN = {str, int, bool, datetime.date}


@dataclass(frozen=True)
class Made:
    """What a task laid into its staging folder."""

    files: dict[str, int | None]
    """Each file's name, with its rows if it is a table."""
    source: dict[str, Any] | None = None
    template: dict[str, Any] | None = None
    shown: str = ""
    """What to say of it in a line: its rows, for example."""
    seconds: float | None = None
    """How long it took, if a file says that already: the record then says the same."""
    contents: Mapping[str, str] = field(default_factory=dict)
    """The digest of each page's content."""
    draft: Provenance | None = None
    """The record of the run, where more was seen of it than was planned."""
    recipe: Recipe | None = None
    """What the next plan computes the version from, likewise."""


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
                _normal(cls, name, known[name], value)
            raise
        values = {name: _normal(cls, name, known[name], value) for name, value in found}
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

    @property
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

    def recipe(self, planned: Planned | None = None) -> Recipe:
        """What the version is computed from; where a stored plan is followed, its word on the data counts."""
        return Recipe(self._texts(), self.code_closure())

    def counted_recipe(self, planned: Planned | None = None) -> Recipe:
        """The recipe with what runs of this task have shown counted in it."""
        return observed.counted(self, self.recipe(planned))

    def make(self, folder: Path, inputs: Sequence[Artefact], progress: Progress, draft: Provenance) -> Made:
        """Lay the result's files into a folder; kinds of results say how."""
        raise TypeError(f"{type(self).__name__} is neither a Query nor a Stage")

    def take(self, folder: Path, twin: Artefact, inputs: Sequence[Artefact], draft: Provenance) -> Made:
        """Lay the files of an equal result into a folder."""
        files = {name: output.get("rows") for name, output in twin.provenance.outputs.items()}
        for name in files:
            current().store.reuse(twin, name, folder)
        return Made(files, twin.provenance.source, twin.provenance.template)

    def run(self) -> None:
        """Make the result, or take over an equal one, and store it with its provenance."""
        self.check_version()
        identity = self.identity
        if identity.problem:
            raise identity.problem
        store = current().store
        inputs = [_artefact(task) for task in identity.inputs]
        began = time.monotonic()
        with watched(self) as progress, store.staged() as folder:
            draft = self.draft_record(identity, inputs)
            found = equal(store, self.address, draft)
            twin = found.artefact if found else None
            if found and found.accepted:
                draft = replace(draft, accepted=found.accepted)
            made = self.take(folder, twin, inputs, draft) if twin else self.make(folder, inputs, progress, draft)
            if not twin:
                self.check_code()
            seconds = round(time.monotonic() - began, 3) if made.seconds is None else made.seconds
            provenance = self._publish(folder, self.address, made, made.draft or draft, twin, seconds)
            if provenance.settled:
                after = replace(identity, version=provenance.settled, recipe=made.recipe or identity.recipe)
                self._publish_settled(after, Artefact(self.address.path, provenance), inputs)
            if REPORT in made.files:
                progress.link(store.link(f"{self.address.path}/{REPORT}"))
            progress.done(f"reused from {twin.path}" if twin else made.shown)

    def learned(
        self, draft: Provenance, sights: Sequence[Sight], inputs: Sequence[Artefact]
    ) -> tuple[Provenance, Recipe]:
        """The record of a run with what was seen of it, and the recipe that counts it."""
        recipe, seen = observed.note(self, sights, self.identity.recipe)
        around = environment_of(recipe.code)
        code = {**draft.code, **_beyond(recipe, seen)}
        settled = self._next_version(recipe, around, inputs)
        return replace(draft, code=code, environment=asdict(around), settled=settled), recipe

    def _next_version(self, recipe: Recipe, around: Environment, inputs: Sequence[Artefact]) -> str | None:
        """The version of the next plan, where it is another: runs of this task or of its inputs showed more than was planned."""
        versions = [artefact.provenance.settled or artefact.provenance.version for artefact in inputs]
        found = version_with(self, recipe, around, versions)
        return found if found != self.version else None

    def _publish(
        self, folder: Path, address: Address, made: Made, draft: Provenance, twin: Artefact | None, seconds: float
    ) -> Provenance:
        outputs = described(folder, made.files)
        for name, content in made.contents.items():
            outputs[name]["content"] = content
        provenance = replace(
            draft,
            outputs=outputs,
            source=made.source,
            template=made.template,
            seconds=seconds,
            reused_from=twin.provenance.maker if twin else None,
        )
        code = (made.recipe or self.identity.recipe).code
        for found in (self.identity.recipe.code, code):
            current().store.keep_code(found.record(), found.sources)
        current().store.publish(folder, address, provenance)
        return provenance

    def _publish_settled(self, identity: Identity, stored: Artefact, inputs: Sequence[Artefact]) -> None:
        """Store the result under the version of the next plan too, which then finds it complete."""
        address = replace(self.address, version=identity.version)
        identity = replace(identity, environment=environment_of(identity.recipe.code))
        inputs = [_as_settled(artefact) for artefact in inputs]
        draft = self.draft_record(identity, inputs)
        draft = replace(
            draft, settled=None, code={**draft.code, **_beyond(identity.recipe, stored.provenance.observed)}
        )
        with current().store.staged() as folder:
            made = self.take(folder, stored, inputs, draft)
            self._publish(folder, address, made, draft, stored, stored.provenance.seconds)

    def read_when_planned(self) -> list[str]:
        """The files of the code that were read whole when the task was planned, and are not read again to make it."""
        return []

    def check_code(self) -> None:
        """Refuse a result for which code may have been read from disk that is not what the version was computed from.

        Modules are imported late, inside functions, in kernels and in processes that an algorithm starts.
        """
        sources = self.identity.recipe.code.sources
        held = self.read_when_planned()
        name = changed_file({name: data for name, data in sources.items() if name not in held}, current().settings.root)
        if name:
            raise PlanError.code_changed(self.label, name)

    def on_failure(self, exception: BaseException) -> Any:
        """What the scheduler's web view shows of a failure."""
        return str(exception) if isinstance(exception, ParcoursError) else super().on_failure(exception)

    def draft_record(self, identity: Identity, inputs: Sequence[Artefact]) -> Provenance:
        """The provenance of the result to be made from these inputs, as far as it is known before."""
        commit, dirty = current().commit
        code, fingerprint = identity.recipe.code, identity.recipe.fingerprint
        return Provenance(
            task=self.get_task_family(),
            version=identity.version,
            parameters={**self.to_str_params(only_significant=True), "version": identity.version},
            code={
                "digest": code.digest,
                "files": code.files,
                "commit": commit,
                "dirty": dirty,
                **_beyond(identity.recipe),
            },
            environment=asdict(identity.environment),
            inputs=[
                {
                    "task": a.provenance.task,
                    "date": task.address.date,
                    "version": a.provenance.version,
                    "digest": _main_digest(a),
                }
                for task, a in zip(identity.inputs, inputs, strict=True)
            ],
            outputs={},
            source={"fingerprint": fingerprint} if fingerprint else None,
            template=self.template_record(),
            started=datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds"),
            seconds=0.0,
            settled=self._next_version(identity.recipe, identity.environment, inputs),
            host=socket.gethostname(),
            user=user_name(),
            task_id=self.task_id,
        )

    def template_record(self) -> dict[str, Any] | None:
        """Reports only: the template and its values."""
        return None

    def _texts(self) -> dict[str, str]:
        """The significant parameters as Luigi writes them."""
        return {
            name: param.serialize(getattr(self, name))
            for name, param in self.get_params()
            if param.significant and name != "version"
        }


class DateParameter(luigi.DateParameter):
    """Luigi's date, with an error that names what was found."""

    def parse(self, value: str) -> datetime.date:
        """The date in a text YYYY-MM-DD."""
        try:
            found: datetime.date = super().parse(value)
        except ValueError as error:
            raise DateError.wrong(value) from error
        return found


def class_code(cls: type, *others: tuple[str, str] | None) -> Code:
    """The code closure of a task's class, with further definitions it refers to by module and name."""
    names = ((cls.__module__, cls.__qualname__), *filter(None, others))
    # All pipelines are loaded by the process that runs a task, so what they change in one another counts.
    return current().once(names, lambda: _code_index().of_definitions(names, current().settings.pipelines))


def _code_index() -> CodeIndex:
    """The index of code, told which of its classes are tasks by now."""
    index = current().code
    classes = (cls for cls in Register._reg if isinstance(cls, type) and issubclass(cls, Result))
    index.tasks = {(cls.__module__, cls.__qualname__) for cls in classes}
    return index


def module_folder(cls: type) -> Path:
    """The folder of the module that defines a class, where its SQL files lie."""
    file = getattr(sys.modules[cls.__module__], "__file__", None)
    return Path(file).parent if file else Path.cwd()


def place_of(error: BaseException) -> str:
    """Where an exception came from: the last frame of the project's own code, in parentheses, for a sentence's end."""
    frames = traceback.extract_tb(error.__traceback__)
    root = f"{current().settings.root}{os.sep}"
    own = [frame for frame in frames if current().scope.kind(frame.filename) == "own"]
    frame = (own or list(frames))[-1]
    return f" ({frame.filename.removeprefix(root)}, line {frame.lineno}: {frame.line})"


def environment_of(code: Code) -> Environment:
    """The environment of a code closure; every table is read and written by pandas and pyarrow, whoever imports them."""
    project, imports = current(), code.imports | {"pandas", "pyarrow"}
    return project.once(("environment", imports), lambda: Environment.of_imports(imports, project.installed))


def _spelling(cls: type[Result], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Hashable:
    """A key for a task's parameter values as they are given, if all are given and none equals one of another type."""
    given = [*args, *kwargs.values()]
    kinds = tuple(map(type, given))
    is_whole = len(given) + ("version" not in kwargs) == len(cls.get_params())
    return (cls, kinds, tuple(args), tuple(kwargs.items())) if is_whole and _PLAIN.issuperset(kinds) else None


def _normal(cls: type[Result], name: str, param: luigi.Parameter, value: Any) -> Any:
    """A value as it comes back from another process: through text and back, which must then stay."""
    try:
        # Parsed lists and dicts can be changed; normalised ones are frozen, and so can be keys.
        normal = (
            _spelt(param, type(value).__name__, value) if type(value) in _PLAIN else _written_and_read(param, value)
        )
    except DateError:
        raise
    except (ValueError, TypeError, AttributeError) as error:
        expected = type(param).__name__.removesuffix("Parameter").lower() or "text"
        raise PipelineError.bad_parameter(cls.get_task_family(), name, value, expected, error) from error
    if isinstance(normal, list | set):
        return tuple(normal)
    return normal


def _written_and_read(param: luigi.Parameter, value: Any) -> Any:
    normal = param.normalize(param.parse(param.serialize(value)))
    if param.serialize(normal) != param.serialize(param.parse(param.serialize(normal))):
        raise ValueError("it does not survive being written and read back")
    return normal


@lru_cache(maxsize=4096)
def _spelt(param: luigi.Parameter, kind: str, value: Any) -> Any:
    """The same, once for the tasks of a date; the type tells 1 from True."""
    return _written_and_read(param, value)


def _date_of(task: Result) -> str:
    date = getattr(task, "date", None)
    return date.isoformat() if isinstance(date, datetime.date) else "-"


def _artefact(task: Result) -> Artefact:
    found = current().store.find(task.address)
    if found is None:
        raise StoreError.absent(task.address.path)
    return found


def _main_digest(artefact: Artefact) -> str:
    outputs = artefact.provenance.outputs
    return str(outputs[TABLE if TABLE in outputs else min(outputs)]["sha256"])


def _beyond(recipe: Recipe, seen: Mapping[str, str] | None = None) -> dict[str, Any]:
    return observed.record(recipe, environment_of(recipe.named), seen) if recipe.observed else {}


def _as_settled(artefact: Artefact) -> Artefact:
    """An input under the version that the next plan gives it."""
    settled = artefact.provenance.settled
    if settled is None:
        return artefact
    path = artefact.path.removesuffix(artefact.provenance.version[:16]) + settled[:16]
    return Artefact(path, replace(artefact.provenance, version=settled, settled=None))


def user_name() -> str:
    """Who runs this process."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"
