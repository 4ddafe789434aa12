"""Templates and pipelines checked without being run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from workflows.data.tables import resolve_schema
from workflows.errors import ParcoursError, PipelineError, TemplateError, listed
from workflows.notebooks.template import Template
from workflows.tasks.project import current
from workflows.tasks.query import Query
from workflows.tasks.report import read_template, tables, template_code
from workflows.tasks.result import Result
from workflows.tasks.stage import Stage


@dataclass(frozen=True)
class Finding:
    """What the check of one template or task found."""

    name: str
    """The template or task."""
    kind: str
    """'template', 'query' or 'stage'."""
    summary: str = ""
    """What it takes."""
    error: str | None = None
    """What is wrong, if anything is."""
    signature: dict[str, Any] = field(default_factory=dict)
    """Templates only: the parameters as JSON Schema."""

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
            "signature": self.signature,
        }


def check(templates: Sequence[str]) -> list[Finding]:
    """Check these templates, or all templates and the pipelines; what is wrong is in the findings."""
    names = list(templates) or current().templates.names()
    found = [_template(name) for name in names]
    if not templates:
        found += [_task(name, cls) for name, cls in tables().items()]
    current().save()
    return found


def _template(name: str) -> Finding:
    try:
        template = read_template(name)
        for parameter, table in template.tables.items():
            _table(template, parameter, table)
        template_code(name)
    except ParcoursError as error:
        return Finding(name, "template", error=str(error))
    free = [parameter for parameter in template.parameters if parameter not in template.tables]
    inputs = f"{_count(len(template.tables), 'input')} ({listed(dict.fromkeys(template.tables.values()))})"
    takes = f"{_count(len(free), 'parameter')} ({listed(free)})"
    return Finding(name, "template", f"{inputs}, {takes}", signature=template.json_schema())


def _table(template: Template, parameter: str, table: str) -> None:
    """Check that an annotation names a table whose own parameters can be given, and that the sample is there."""
    cls = tables().get(table)
    if cls is None:
        raise TemplateError.unknown_table(template.name, parameter, table, sorted(tables()))
    for known, param in cls.get_params():
        is_given = known in {*template.values, "version", "date"} or param.has_task_value(table, known)
        if not is_given:
            raise TemplateError.unset(template.name, parameter, table, known)
    sample = template.parameters[parameter].default
    if not isinstance(sample, str) or not (template.path.parent / sample).is_file():
        raise TemplateError.missing_sample(template.name, parameter, str(sample))


def _task(name: str, cls: type[Result]) -> Finding:
    kind = "query" if issubclass(cls, Query) else "stage"
    try:
        schema = getattr(cls, "schema", None)
        if schema is not None:
            resolve_schema(name, schema)
        if issubclass(cls, Query):
            cls.check_statements()
        elif issubclass(cls, Stage) and cls.compute is Stage.compute:
            raise PipelineError.no_compute(name)
    except ParcoursError as error:
        return Finding(name, kind, error=str(error))
    takes = [known for known, _ in cls.get_params() if known != "version"]
    return Finding(name, kind, f"{kind}, {_count(len(takes), 'parameter')} ({listed(takes)})")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
