"""The queries that a template's tables are made from, found by asking each table what it requires, and nothing of the data."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from workflows.notebooks.template import Template
from workflows.tasks.gathering import Gathering
from workflows.tasks.plan import Plan
from workflows.tasks.project import current
from workflows.tasks.query import Query
from workflows.tasks.result import Result
from workflows.tasks.templates import table_class


def needed(template: Template, date: datetime.date) -> list[Query]:
    """The queries that the template's tables of a date need, through whatever stages lie between.

    The template's parameters have their defaults. Raises TemplateError for a table that is none, and what requires() raises.
    """
    with current().gathering(Plan()) as gathering:
        gathering.construct(lambda: list(_tables(template, date)))
        return _queries(gathering)


def needed_at_least(template: Template, date: datetime.date) -> list[Query]:
    """The same as far as it can be told: a stage may insist on data that the date does not have."""
    with current().gathering(Plan()) as gathering:
        gathering.gather(lambda: list(_tables(template, date)))
        return _queries(gathering)


def _queries(gathering: Gathering) -> list[Query]:
    return [draft for draft in gathering.met if isinstance(draft, Query)]


def _tables(template: Template, date: datetime.date) -> Iterator[Result]:
    given = {**template.values, "date": date}
    for parameter, table in template.tables.items():
        cls = table_class(template, parameter, table)
        params = [(known, param) for known, param in cls.get_params() if known != "version"]
        # What only a report is given stays unknown: what its table needs cannot be told.
        if all(known in given or param.has_task_value(table, known) for known, param in params):
            yield cls(**{known: given[known] for known, _ in params if known in given})
