"""What a run would make, and for each result the one cause, with the difference behind it; nothing is run."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, Any

from workflows.errors import DateError, ParameterError, UsageError
from workflows.store.artefacts import Artefact
from workflows.tasks.parameters import json_object
from workflows.tasks.plan import is_incomplete, tree
from workflows.tasks.project import current
from workflows.tasks.report import ReportTask
from workflows.tasks.result import Result
from workflows.tasks.reuse import Equal, Prospect
from workflows.tasks.templates import tables

if TYPE_CHECKING:
    from workflows.answers.causes import Cause

_INDENT = " " * 15
_SHOWN = 20
"""How many lines of a difference are shown without --verbose."""
_WORDS = {"run": "would run", "take over": "take over", "reuse": "reused"}


@dataclass(frozen=True)
class Step:
    """What would happen to one task."""

    task: str
    """The task's family."""
    template: str | None
    """Reports only."""
    date: str
    """The date, or '-'."""
    parameters: dict[str, str]
    """The parameters but the version, as text."""
    version: str
    action: str
    """'run', 'take over' or 'reuse'."""
    causes: tuple[Cause, ...] = ()
    """Why, the cause to name first; none for what is reused."""
    observed: tuple[str, ...] = ()
    """Files that an earlier run was seen to load or open, beyond those of the code closure."""

    @property
    def title(self) -> str:
        """The task without its date."""
        return " ".join(filter(None, [self.task, self.template]))

    @property
    def cause(self) -> Cause | None:
        """The one cause that is named."""
        return self.causes[0] if self.causes else None

    @property
    def kin(self) -> tuple[str, str, str]:
        """What tasks have in common that are said in one line."""
        return self.action, self.title, self.cause.text if self.cause else ""

    def as_json(self) -> dict[str, Any]:
        """The step for a program."""
        return {
            "task": self.task,
            "template": self.template,
            "date": self.date,
            "parameters": self.parameters,
            "version": self.version,
            "would_run": self.action == "run",
            "action": self.action,
            "cause": self.cause.as_json() if self.cause else None,
            "also": [cause.as_json() for cause in self.causes[1:]],
            "observed": list(self.observed),
        }


@dataclass(frozen=True)
class Outlook:
    """What a run would do."""

    steps: list[Step]
    """Every task that Luigi would look at, inputs first."""
    undecided: dict[str, str] = field(default_factory=dict)
    """The files that count whole because their reach cannot be decided, each with the reason."""
    is_verbose: bool = False

    @property
    def exit_code(self) -> int:
        """0: there is an answer."""
        return 0

    def as_json(self) -> list[dict[str, Any]]:
        """One object for each task."""
        return [step.as_json() for step in self.steps]

    def lines(self) -> list[str]:
        """One line for each kind of task and cause, with its difference below."""
        to_do = [step for step in self.steps if step.action != "reuse"]
        reused = [step for step in self.steps if step.action == "reuse"]
        groups = _grouped(to_do)
        width = max((len(_name(group)) for group in groups), default=0)
        lines = [line for group in groups for line in self._group(group, width)]
        if not to_do:
            lines.append("complete, nothing to do")
        elif reused:
            lines.append(f"reused     {len(reused)} result{'' if len(reused) == 1 else 's'}")
        return [*lines, *self._details(reused)] if self.is_verbose else lines

    def _group(self, group: Sequence[Step], width: int) -> Iterator[str]:
        first = group[0]
        assert first.cause
        yield f"{_WORDS[first.action]:<9}  {_name(group):<{width}}   {first.cause.text}"
        shown = len(first.cause.diff) if self.is_verbose else _SHOWN
        yield from (f"{_INDENT}{line}" for line in first.cause.diff[:shown])
        if len(first.cause.diff) > shown:
            left = len(first.cause.diff) - shown
            yield f"{_INDENT}and {left} more line{'' if left == 1 else 's'}, shown with --verbose"
        if self.is_verbose:
            yield from (f"{_INDENT}also {cause.text}" for cause in first.causes[1:])
            yield from (f"{_INDENT}observed {name}" for name in first.observed)

    def _details(self, reused: Sequence[Step]) -> Iterator[str]:
        for step in reused:
            yield f"reused     {_name([step])}   {step.version[:16]}"
        for path, reason in sorted(self.undecided.items()):
            yield f"whole      {path}   {reason}"


def plan(
    name: str,
    dates: Sequence[datetime.date],
    parameters: str = "{}",
    is_verbose: bool = False,
) -> Outlook:
    """What a run of a template, a query or a stage for these dates would do; raises for what would stop it at once."""
    roots = current().together(lambda: [_root(name, date, parameters) for date in dates])
    for root in roots:
        if root.identity.problem:
            raise root.identity.problem
    tasks = {task.task_id: task for root in roots for task in tree(root, is_incomplete)}
    steps = list(_Survey(list(tasks.values())).steps())
    undecided: dict[str, str] = {}
    if is_verbose:
        for root in roots:
            for task in tree(root):
                undecided.update(task.identity.recipe.code.undecided)
    current().save()
    return Outlook(steps, undecided, is_verbose)


def days(
    date: str | None, start: str | None, stop: str | None, options: tuple[str, str] = ("--start", "--stop")
) -> list[datetime.date]:
    """The dates that a command names: one, or a closed range, with options of these names."""
    if date is not None and stop is not None:
        raise UsageError.outside("--stop", stop, "no --stop with --date, or --start in place of --date")
    if date is not None:
        return [_day(date)]
    first = _day(start or "")
    last = _day(stop) if stop else first
    if last < first:
        raise DateError.range(first, last, options)
    return [first + datetime.timedelta(days=n) for n in range((last - first).days + 1)]


def _day(text: str) -> datetime.date:
    try:
        return datetime.datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError as error:
        raise DateError.wrong(text) from error


@dataclass(frozen=True)
class _Survey:
    """The tasks that Luigi would look at, inputs first, and what the store has of them."""

    tasks: Sequence[Result]

    def steps(self) -> Iterator[Step]:
        prospect = Prospect()
        for task in self.tasks:
            if task.complete():
                yield _step(task, "reuse")
                continue
            taken = prospect.equal(task)
            if taken:
                yield _step(task, "take over", (_standing(taken),))
            else:
                yield _step(task, "run", tuple(self._causes(task)), self._observed(task))

    def _causes(self, task: Result) -> list[Cause]:
        from workflows.answers.causes import Known, causes

        return causes(task, self._earlier[task.task_id], Known(current().store, self._mentioned, self._to_make))

    @cached_property
    def _to_make(self) -> set[str]:
        return {task.version for task in self.tasks if not task.complete()}

    @cached_property
    def _earlier(self) -> dict[str, list[Artefact]]:
        """The stored versions of each task that is not complete."""
        store = current().store
        return {task.task_id: list(store.versions(task.address)) for task in self.tasks if not task.complete()}

    @cached_property
    def _mentioned(self) -> set[str]:
        found = (artefact.provenance.inputs for earlier in self._earlier.values() for artefact in earlier)
        return {given["version"] for inputs in found for given in inputs}

    def _observed(self, task: Result) -> tuple[str, ...]:
        found = {
            name for artefact in self._earlier[task.task_id] for name in artefact.provenance.code.get("observed", ())
        }
        return tuple(sorted(found))


def _standing(taken: Equal) -> Cause:
    """Why a result would be taken over."""
    from workflows.answers.causes import Cause

    if taken.accepted:
        return Cause("accepted", f"accepted by {taken.accepted['user']}: {taken.accepted['reason']}")
    return Cause("equal", f"same code, same bytes as {taken.artefact.provenance.version[:16]}")


def _step(task: Result, action: str, found: tuple[Cause, ...] = (), observed: tuple[str, ...] = ()) -> Step:
    parameters = {name: text for name, text in task.to_str_params().items() if name != "version"}
    template = getattr(task, "template", None) if isinstance(task, ReportTask) else None
    return Step(task.get_task_family(), template, task.address.date, parameters, task.version, action, found, observed)


def _grouped(steps: Sequence[Step]) -> list[list[Step]]:
    """Steps of the same task for the same cause, in the order of the first of each."""
    places: dict[tuple[str, str, str], int] = {}
    for step in steps:
        places.setdefault(step.kin, len(places))
    ordered = sorted(steps, key=lambda step: places[step.kin])
    return [list(group) for _, group in groupby(ordered, key=lambda step: step.kin)]


def _name(group: Sequence[Step]) -> str:
    dates = sorted({step.date for step in group})
    if len(group) == 1:
        return group[0].title if dates == ["-"] else f"{group[0].title} {dates[0]}"
    return f"{group[0].title} x{len(group)}  {dates[0]}{', ' if len(dates) == 2 else ' .. '}{dates[-1]}"


def _root(name: str, date: datetime.date, parameters: str) -> Result:
    """The task that a template, a query or a stage is for a date."""
    templates = current().templates.names()
    if name not in templates and name in tables():
        return _table(tables()[name], date, json_object(parameters))
    if name not in templates:
        raise UsageError.unknown_result(name, templates, list(tables()))
    return ReportTask(date=date, template=name, parameters=parameters)


def _table(task: type[Result], date: datetime.date, given: dict[str, Any]) -> Result:
    name = task.get_task_family()
    params = {known: param for known, param in task.get_params() if known != "version"}
    for unknown in (known for known in given if known not in params):
        raise ParameterError.unknown(name, unknown, list(params))
    values = {**({"date": date} if "date" in params else {}), **given}
    for known, param in params.items():
        if known not in values and not param.has_task_value(name, known):
            raise ParameterError.wrong(name, known, "not given", "a value in --parameters")
    return task(**values)
