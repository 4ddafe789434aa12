"""Templates, pipelines and suites checked without being run."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from workflows.answers.check_suites import checked_suites
from workflows.answers.datasets import dataset
from workflows.data.tables import resolve_schema
from workflows.errors import ParcoursError, PipelineError, TemplateError, listed
from workflows.notebooks.template import Template
from workflows.tasks.project import current
from workflows.tasks.query import Query
from workflows.tasks.result import Result
from workflows.tasks.stage import Stage
from workflows.tasks.templates import read_template, table_class, tables, template_code


@dataclass(frozen=True)
class Checked:
    """What the check of one template or task found."""

    name: str
    """The template or task."""
    kind: str
    """'template', 'query', 'stage' or 'suite'."""
    summary: str = ""
    """What it takes."""
    error: str | None = None
    """What is wrong, if anything is."""
    signature: dict[str, Any] = field(default_factory=dict)
    """Templates only: the parameters as JSON Schema."""
    warnings: tuple[str, ...] = ()
    """What is perhaps not meant."""

    @property
    def sentence(self) -> str:
        """The finding in a line."""
        return self.error or f"{self.summary}   fine"

    def as_json(self) -> dict[str, Any]:
        """The finding for a program."""
        return {
            "name": self.name,
            "kind": self.kind,
            "fine": self.error is None,
            "error": self.error,
            "warnings": list(self.warnings),
            "signature": self.signature,
        }


@dataclass(frozen=True)
class Findings:
    """What the check of templates and pipelines found."""

    found: list[Checked]
    """One for each template, query, stage and suite."""

    @property
    def exit_code(self) -> int:
        """2 where anything is wrong."""
        return 2 if any(finding.error for finding in self.found) else 0

    def lines(self) -> list[str]:
        """One line for each, and one for each warning."""
        width = max((len(finding.name) for finding in self.found), default=0)
        return [
            line
            for finding in self.found
            for line in (
                f"{finding.name:<{width}}  {finding.sentence}",
                *(f"{'':<{width}}  warning: {warning}" for warning in finding.warnings),
            )
        ]

    def as_json(self) -> list[dict[str, Any]]:
        """One object for each."""
        return [finding.as_json() for finding in self.found]


def check(templates: Sequence[str]) -> Findings:
    """Check these templates, or all templates, the pipelines and the suites; what is wrong is in the findings."""
    names = list(templates) or current().templates.names()
    found = [_template(name) for name in names]
    if not templates:
        found += [_task(name, cls) for name, cls in tables().items()]
        found += [Checked(s.name, "suite", s.summary, s.error, warnings=s.warnings) for s in checked_suites()]
    current().save()
    return Findings(found)


def _template(name: str) -> Checked:
    try:
        template = read_template(name)
        for parameter, table in template.tables.items():
            _table(template, parameter, table)
        template_code(name)
    except ParcoursError as error:
        return Checked(name, "template", error=str(error))
    free = [parameter for parameter in template.parameters if parameter not in template.tables]
    inputs = f"{_count(len(template.tables), 'input')} ({listed(dict.fromkeys(template.tables.values()))})"
    takes = f"{_count(len(free), 'parameter')} ({listed(free)})"
    return Checked(name, "template", f"{inputs}, {takes}", signature=template.json_schema())


def _table(template: Template, parameter: str, table: str) -> None:
    """Check that an annotation names a table whose own parameters can be given, and that the sample is there."""
    table_class(template, parameter, table)
    sample = template.parameters[parameter].default
    if not isinstance(sample, str) or not (template.path.parent / sample).is_file():
        raise TemplateError.missing_sample(template.name, parameter, str(sample))


def _stage(cls: type[Stage]) -> None:
    """Plan the stage for the last date with data, which calls its requires(), and see that compute() takes what it gives."""
    if cls.compute is Stage.compute:
        raise PipelineError.no_compute(cls.get_task_family())
    given = {"date": _day()}
    params = [(known, param) for known, param in cls.get_params() if known != "version"]
    if all(known in given or param.has_task_value(cls.get_task_family(), known) for known, param in params):
        cls(**{known: given[known] for known, _ in params if known in given}).check_arguments()


def _day() -> datetime.date:
    """A date with data: the last one, of a dataset the last that all its queries have."""
    if current().settings.dataset:
        described = dataset().description
        dates = [described.dates(query) for query in described.queries]
        held = set.intersection(*(set(days) for days in dates if days)) if any(dates) else set()
        return max(map(datetime.date.fromisoformat, held), default=current().today)
    last = [query.last_date() for query in tables().values() if issubclass(query, Query) and query.dates]
    return max([day for day in last if day], default=current().today)


def _task(name: str, cls: type[Result]) -> Checked:
    kind = "query" if issubclass(cls, Query) else "stage"
    try:
        schema = getattr(cls, "schema", None)
        if schema is not None:
            resolve_schema(name, schema)
        if issubclass(cls, Query):
            cls.check_statements()
        elif issubclass(cls, Stage):
            _stage(cls)
    except ParcoursError as error:
        return Checked(name, kind, error=str(error))
    takes = [known for known, _ in cls.get_params() if known != "version"]
    return Checked(name, kind, f"{kind}, {_count(len(takes), 'parameter')} ({listed(takes)})")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
