"""The form of a template: what somebody entered, whether it is right, and what is asked for with it."""

from __future__ import annotations

import datetime
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from workflows.errors import DateError, ParameterError, ParcoursError
from workflows.identity.canonical import canonical_json, digest
from workflows.notebooks.parameters import MISSING, Parameter
from workflows.notebooks.template import Template
from workflows.notebooks.values import as_json
from workflows.requests.request import Ask
from workflows.web.starting.fields import NOTHING, Field

DATE = "date"
LAST = ":last"
"""The last day of a range; like every name of the form's own, none that a parameter can have."""
KEY = ":key"
_OWN = {DATE, LAST, KEY, ":plan", "csrf_token"}
MOST = 366
"""How many reports are asked for at once."""


@dataclass(frozen=True)
class Entry:
    """A field with what was entered."""

    field: Field
    text: str
    is_none: bool
    """Whether there is to be no text."""
    value: Any = None
    """What was read."""
    error: str = ""
    """Why it cannot be used, in the engine's words."""

    @property
    def is_changed(self) -> bool:
        """Whether it is not the default."""
        return (self.text, self.is_none) != self.field.initial()


@dataclass(frozen=True)
class Form:
    """A template's form, filled."""

    template: Template
    first: str
    """The date, as it was entered."""
    last: str
    """The last date of a range, as it was entered; empty for one date."""
    entries: tuple[Entry, ...]
    """Of every parameter but the date, in the cell's order."""
    unknown: tuple[str, ...] = ()
    """What is said of names that are none of the template's."""
    date_error: str = ""
    last_error: str = ""
    dates: tuple[datetime.date, ...] = field(default=())

    @classmethod
    def filled(cls, template: Template, given: Mapping[str, list[str]], today: datetime.date) -> Form:
        """The form with what was entered or is in the address, and the defaults for the rest."""
        first, last = given.get(DATE, [_default_date(template, today)])[-1].strip(), given.get(LAST, [""])[-1].strip()
        dates, wrong_first, wrong_last = _dates(first, last)
        entries = tuple(_entry(template, Field(template.name, parameter), given) for parameter in _free(template))
        unknown = tuple(_unknown(template, name) for name in given if not _is_known(template, name))
        return cls(template, first, last, entries, unknown, wrong_first, wrong_last, dates)

    @property
    def is_right(self) -> bool:
        """Whether it can be asked for."""
        errors = (self.date_error, self.last_error, *self.unknown, *(entry.error for entry in self.entries))
        return not any(errors)

    @property
    def errors(self) -> dict[str, str]:
        """What is wrong, by the name of the field."""
        found = {entry.field.name: entry.error for entry in self.entries}
        return {name: error for name, error in {DATE: self.date_error, LAST: self.last_error, **found}.items() if error}

    @cached_property
    def parameters(self) -> str:
        """The values beyond the defaults, as the engine writes them."""
        defaults = self.template.values
        values = {entry.field.name: entry.value for entry in self.entries}
        return canonical_json(
            as_json({name: v for name, v in values.items() if name not in defaults or defaults[name] != v})
        )

    @property
    def command(self) -> str:
        """The command that makes the same reports."""
        name, days = self.template.name, [day.isoformat() for day in self.dates]
        if len(days) > 1:
            words = ["Backfill", "--start", days[0], "--stop", days[-1], "--template", name]
        else:
            words = ["ReportTask", "--date", days[0], "--template", name]
        given = [] if self.parameters == "{}" else ["--parameters", self.parameters]
        return shlex.join(["luigi", "--module", "workflows", *words, *given, "--local-scheduler"])

    @property
    def question(self) -> list[str]:
        """The words that ask `parcours` for the plan."""
        days = [day.isoformat() for day in self.dates]
        when = ["--start", days[0], "--stop", days[-1]] if len(days) > 1 else ["--date", days[0]]
        return ["plan", self.template.name, *when, "--parameters", self.parameters]

    @property
    def address(self) -> dict[str, str]:
        """What the query string of this form says."""
        said = {DATE: self.first, **({LAST: self.last} if self.last else {})}
        for entry in self.entries:
            nothing = NOTHING if entry.is_none and entry.field.has_nothing else ""
            if entry.is_changed:
                said[f"{entry.field.name}{nothing}"] = "1" if nothing else entry.text
        return said

    def asks(self) -> list[Ask]:
        """One for each date."""
        return [Ask(self.template.name, day, self.parameters) for day in self.dates]

    def key(self, drawn: str) -> str:
        """What names this asking: somebody who comes back to the form and changes it asks for something else."""
        days = [self.dates[0].isoformat(), self.dates[-1].isoformat()]
        return f"{drawn[:100]}-{digest([self.template.name, self.parameters, *days])[:16]}" if drawn else ""


def shown_tables(template: Template) -> list[Parameter]:
    """The parameters that hold what the pipeline makes."""
    return [template.parameters[name] for name in template.tables]


def _free(template: Template) -> list[Parameter]:
    return [one for name, one in template.parameters.items() if one.table is None and name != DATE]


def _is_known(template: Template, name: str) -> bool:
    named = template.parameters.get(name.removesuffix(NOTHING))
    return name in _OWN or (named is not None and named.table is None)


def _unknown(template: Template, name: str) -> str:
    try:
        template.validated({name: ""})
    except ParameterError as error:
        return str(error)
    return ""


def _default_date(template: Template, today: datetime.date) -> str:
    parameter = template.parameters.get(DATE)
    default = parameter.default if parameter else MISSING
    return default.isoformat()[:10] if isinstance(default, datetime.date) else today.isoformat()


def _entry(template: Template, field: Field, given: Mapping[str, list[str]]) -> Entry:
    text, is_none = field.found(given)
    name = field.name
    if name not in given and not is_none:
        if field.parameter.default is not MISSING:
            return Entry(field, text, is_none, field.parameter.default)
        wrong = ParameterError.wrong(template.name, name, "not given", field.parameter.type.expected)
        return Entry(field, text, is_none, None, str(wrong))
    try:
        read = None if is_none else field.read(text)
        return Entry(field, text, is_none, template.validated({name: read})[name])
    except ParameterError as error:
        return Entry(field, text, is_none, None, str(error))


def _dates(first: str, last: str) -> tuple[tuple[datetime.date, ...], str, str]:
    """The dates from one to the other; or what is wrong with the first, or with the last."""
    try:
        start = _day(first)
    except ParcoursError as error:
        return (), str(error), ""
    try:
        stop = _day(last) if last else start
        if stop < start:
            raise DateError.range(start, stop, ("the first date", "the last"))
        days = (stop - start).days + 1
        if days > MOST:
            raise DateError.too_many(days, MOST)
    except ParcoursError as error:
        return (), "", str(error)
    return tuple(start + datetime.timedelta(days=n) for n in range(days)), "", ""


def _day(text: str) -> datetime.date:
    try:
        return datetime.datetime.strptime(text, "%Y-%m-%d").date()
    except ValueError as error:
        raise DateError.wrong(text) from error


def first_errors(form: Form, given: Sequence[str]) -> dict[str, str]:
    """What is wrong with what was given; what nobody has entered yet is not wrong yet."""
    return {name: error for name, error in form.errors.items() if name in given}
