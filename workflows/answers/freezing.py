"""Queries while they are frozen: which ones, with which values, and their answers on the way into a draft."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from workflows.data.database import Database
from workflows.data.rows import Found
from workflows.data.spelled import bound, shown
from workflows.data.statement import Statement
from workflows.errors import DatasetError
from workflows.identity.canonical import canonical_json
from workflows.store.dataset import Answer
from workflows.store.datasets import Draft
from workflows.tasks.parameters import normal
from workflows.tasks.query import Query
from workflows.tasks.templates import tables

Values = Mapping[str, Any]


@dataclass
class Subject:
    """A query while it is frozen."""

    task: type[Query]
    given: dict[str, Any]
    """Its parameters besides the date."""
    is_dated: bool
    days: list[datetime.date] = field(default_factory=list)
    """The dates to ask for."""
    empty: list[str] = field(default_factory=list)
    """The dates without data."""
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    """The answers by what the statement is for: 'sql', 'probe' or 'dates'."""

    @property
    def name(self) -> str:
        """The query's name."""
        return str(self.task.get_task_family())

    @property
    def bindings(self) -> list[dict[str, Any]]:
        """The values of each question."""
        return [{**self.given, "date": day} for day in self.days] if self.is_dated else [self.given]

    @property
    def fingerprinted(self) -> str:
        """The statement whose fingerprint counts."""
        return "probe" if self.task.probe else "sql"


class Freezing:
    """Questions to a database whose answers go into a draft."""

    def __init__(self, database: Database, draft: Draft) -> None:
        self._database = database
        self._draft = draft
        self._files: Counter[str] = Counter()

    def dates(self, one: Subject) -> None:
        """Freeze the dates with data, and ask no more for others."""
        statement = one.task.statements().get("dates")
        if statement is None:
            return
        rows = self._database.result(one.name, statement, {})
        one.answers["dates"] = [self._kept(one, statement, {}, rows, None, "dates")]
        if one.is_dated and not one.task.allow_empty:
            known = {str(row[0])[:10] for row in rows.rows}
            one.empty += [day.isoformat() for day in one.days if day.isoformat() not in known]
            one.days = [day for day in one.days if day.isoformat() in known]

    def ask(self, one: Subject, values: Values) -> None:
        """Freeze the rows for some values, with the fingerprint of the same moment."""
        statements = one.task.statements()
        sql, probe = statements["sql"], statements[one.fingerprinted]
        found, digested = self._database.snapshot(one.name, sql, probe, values)
        date = values["date"].isoformat() if one.is_dated else "all"
        if not len(found) and not one.task.allow_empty:
            one.empty += [date] if one.is_dated else []
            return
        digest = None if one.task.probe else digested.digest
        one.answers.setdefault("sql", []).append(self._kept(one, sql, values, found, digest, date))
        if one.task.probe:
            spelling = bound(probe.binds, values)
            one.answers.setdefault("probe", []).append(Answer(spelling, digested.digest, digested.rows))

    def see_that_nothing_moved(self, one: Subject) -> None:
        """Raises DatasetError where the database answers another thing by now: then what was read is not of one moment."""
        statement = one.task.statements()[one.fingerprinted]
        answers = {_key(answer.values): answer for answer in one.answers.get(one.fingerprinted, [])}
        asked = [values for values in one.bindings if _key(bound(statement.binds, values)) in answers]
        now = self._database.fingerprints(one.name, statement, asked) if asked else []
        for values, found in zip(asked, now, strict=True):
            spelling = bound(statement.binds, values)
            if answers[_key(spelling)].fingerprint != found.digest:
                raise DatasetError.moved(one.name, shown(spelling))

    def _kept(
        self, one: Subject, statement: Statement, values: Values, found: Found, digest: str | None, label: str
    ) -> Answer:
        # Heavy to import, which those who only ask for a name that is taken need not wait for.
        from workflows.data.kept import kept_bytes

        data = kept_bytes(one.name, found)
        file = self._named(f"{one.name}-{label}")
        sha256 = self._draft.write(file, data)
        return Answer(bound(statement.binds, values), digest, len(found), file, sha256, len(data))

    def _named(self, stem: str) -> str:
        self._files[stem] += 1
        return f"{stem}.parquet" if self._files[stem] == 1 else f"{stem}-{self._files[stem]}.parquet"


def _key(spelling: Mapping[str, Any]) -> str:
    return canonical_json(spelling)


def subjects(text: str, given: dict[str, Any], days: Sequence[datetime.date]) -> list[Subject]:
    """The queries that are named, each with its parameters; raises DatasetError."""
    known = {name: cls for name, cls in tables().items() if issubclass(cls, Query)}
    names = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    for name in names or [text]:
        if name not in known:
            raise DatasetError.not_a_query(name, sorted(known))
    _refuse_unknown(given, [known[name] for name in names])
    return [_subject(known[name], given, days) for name in names]


def _subject(task: type[Query], given: dict[str, Any], days: Sequence[datetime.date]) -> Subject:
    found: dict[str, Any] = {}
    for name, param in _parameters(task):
        family = task.get_task_family()
        if name in given:
            value = param.parse(given[name]) if isinstance(given[name], str) else given[name]
        elif param.has_task_value(family, name):
            value = param.task_value(family, name)
        else:
            raise DatasetError.needs(family, name)
        found[name] = normal(family, name, param, value)
    is_dated = any(name == "date" for name, _ in task.get_params())
    return Subject(task, found, is_dated, list(days) if is_dated else [])


def _refuse_unknown(given: Mapping[str, Any], tasks: Sequence[type[Query]]) -> None:
    known = sorted({name for task in tasks for name, _ in _parameters(task)})
    for name in given:
        if name not in known:
            raise DatasetError.no_such_parameter(name, known)


def _parameters(task: type[Query]) -> list[tuple[str, Any]]:
    """The parameters besides the date and the version."""
    return [(name, param) for name, param in task.get_params() if name not in ("date", "version")]
