"""Templates as tasks see them: read once, with their code, and the queries and stages that they can name."""

from __future__ import annotations

from luigi.task_register import Register

from workflows.errors import TemplateError
from workflows.identity.closure import Code
from workflows.identity.modules import Module
from workflows.notebooks.template import Template
from workflows.tasks.pages import WRITERS
from workflows.tasks.project import current
from workflows.tasks.query import Query
from workflows.tasks.result import Result
from workflows.tasks.stage import Stage


def table_class(template: Template, parameter: str, table: str) -> type[Result]:
    """The query or stage that an annotation names; raises TemplateError where it cannot be made from the template."""
    if Register._get_reg().get(table) == Register.AMBIGUOUS_CLASS:
        raise TemplateError.ambiguous_table(template.name, parameter, table)
    cls = tables().get(table)
    if cls is None:
        raise TemplateError.unknown_table(template.name, parameter, table, sorted(tables()))
    for known, param in cls.get_params():
        # What the template has no default for, the report is given; its date is always there.
        if known not in {*template.parameters, "version", "date"} and not param.has_task_value(table, known):
            raise TemplateError.unset(template.name, parameter, table, known)
    return cls


def tables() -> dict[str, type[Result]]:
    """Every query and stage of the loaded pipelines, by the name that templates use."""
    # Looked for anew where tasks were defined since, as in a notebook.
    return current().once(("tables", len(Register._reg)), _find_tables)


def _find_tables() -> dict[str, type[Result]]:
    found: dict[str, type[Result]] = {}
    for name in Register.task_names():
        cls = Register._get_reg()[name]
        if isinstance(cls, type) and issubclass(cls, Query | Stage) and cls not in (Query, Stage):
            found[name] = cls
    return found


def read_template(name: str) -> Template:
    """A template of the project, read once in this process."""
    return current().once(("template", name), lambda: current().templates.read(name))


def template_code(name: str) -> Code:
    """The code closure of a template's cells, with what writes its page."""
    return current().once(("template code", name), lambda: _read_template_code(name))


def _read_template_code(name: str) -> Code:
    template = read_template(name)
    project = current()
    samples = [str(template.parameters[name].default) for name in template.tables]
    name = project.label(template.path)
    cells = Module("", template.path, template.cells, template.source)
    return project.code.of_notebook(cells, name, samples) | Code({}, WRITERS | {"workflows"})
