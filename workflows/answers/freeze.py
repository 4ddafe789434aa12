"""A dataset frozen from the database: what it answers to queries, in a store, under a name, for good."""

from __future__ import annotations

import datetime
import socket
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from workflows.answers.datasets import Listed
from workflows.answers.walk import watched
from workflows.data.database import Database, connect
from workflows.data.rows import Found
from workflows.data.spelled import bound, shown
from workflows.data.statement import Statement
from workflows.errors import DatasetError, listed_ranges
from workflows.identity.canonical import canonical_json
from workflows.store.dataset import Answer, Asked, Dataset, Description
from workflows.store.datasets import Draft
from workflows.tasks.parameters import json_object, normal
from workflows.tasks.project import current
from workflows.tasks.query import Query
from workflows.tasks.record import user_name
from workflows.tasks.templates import tables

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Made:
    """A dataset that was frozen."""

    dataset: Dataset
    left_out: Mapping[str, Sequence[str]]
    """For each query, the dates without data."""

    @property
    def exit_code(self) -> int:
        """0: it is there."""
        return 0

    def lines(self) -> list[str]:
        """What it has, and what it lacks."""
        without = [
            f"  left out, without data: {q} of {listed_ranges(days)}" for q, days in self.left_out.items() if days
        ]
        return [*Listed(self.dataset.name, self.dataset).lines(), *without, f"dataset: {self.dataset.shown}"]

    def as_json(self) -> dict[str, Any]:
        """The same for a program."""
        return {**Listed(self.dataset.name, self.dataset).as_json(), "left_out": dict(self.left_out)}


@dataclass
class _Frozen:
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
        return str(self.task.get_task_family())

    @property
    def bindings(self) -> list[dict[str, Any]]:
        """The values of each question."""
        return [{**self.given, "date": day} for day in self.days] if self.is_dated else [self.given]

    @property
    def fingerprinted(self) -> str:
        """The statement whose fingerprint counts."""
        return "probe" if self.task.probe else "sql"


def freeze(name: str, queries: str, days: Sequence[datetime.date], note: str, parameters: str) -> Made:
    """Freeze what the database answers to queries on dates; raises DatasetError, and then nothing is stored."""
    project = current()
    datasets = project.store.datasets
    datasets.refuse_taken(name)
    frozen = _queries(queries, json_object(parameters), days)
    # Also where a dataset stands for the database at present: this is where new ones are from.
    database = connect(project.settings.database)
    with datasets.drafting() as draft, watched(f"freezing {name}") as progress:
        freezing = _Freezing(database, draft)
        for one in frozen:
            freezing.dates(one)
        asked = [(one, values) for one in frozen for values in one.bindings]
        for done, (query, values) in enumerate(asked):
            progress(done, len(asked))
            freezing.ask(query, values)
        if not any(answer.rows for one in frozen for answer in one.answers.get("sql", [])):
            raise DatasetError.nothing([one.name for one in frozen], listed_ranges(day.isoformat() for day in days))
        for one in frozen:
            freezing.see_that_nothing_moved(one)
        # A path within the project, which may lie elsewhere tomorrow, is said as it is from there.
        place = database.place.removeprefix(f"{project.settings.root}/")
        description = _described(name, note, place, frozen)
        return Made(datasets.add(draft, description), {one.name: one.empty for one in frozen})


def _described(name: str, note: str, place: str, frozen: Sequence[_Frozen]) -> Description:
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    asked = [
        Asked(one.name, use, one.task.statements()[use].normal, answers)
        for one in frozen
        for use, answers in one.answers.items()
    ]
    given = {one.name: {param: str(value) for param, value in one.given.items()} for one in frozen}
    text = " ".join(note.split())
    return Description(name, text, now, user_name(), socket.gethostname(), place, current().commit[0], given, asked)


class _Freezing:
    """Questions to a database whose answers go into a draft."""

    def __init__(self, database: Database, draft: Draft) -> None:
        self._database = database
        self._draft = draft
        self._files: Counter[str] = Counter()

    def dates(self, one: _Frozen) -> None:
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

    def ask(self, one: _Frozen, values: Values) -> None:
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

    def see_that_nothing_moved(self, one: _Frozen) -> None:
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
        self, one: _Frozen, statement: Statement, values: Values, found: Found, digest: str | None, label: str
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


def _queries(text: str, given: dict[str, Any], days: Sequence[datetime.date]) -> list[_Frozen]:
    """The queries that are named, each with its parameters; raises DatasetError."""
    known = {name: cls for name, cls in tables().items() if issubclass(cls, Query)}
    names = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    for name in names or [text]:
        if name not in known:
            raise DatasetError.not_a_query(name, sorted(known))
    _refuse_unknown(given, [known[name] for name in names])
    return [_query(known[name], given, days) for name in names]


def _query(task: type[Query], given: dict[str, Any], days: Sequence[datetime.date]) -> _Frozen:
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
    return _Frozen(task, found, is_dated, list(days) if is_dated else [])


def _refuse_unknown(given: Mapping[str, Any], tasks: Sequence[type[Query]]) -> None:
    known = sorted({name for task in tasks for name, _ in _parameters(task)})
    for name in given:
        if name not in known:
            raise DatasetError.no_such_parameter(name, known)


def _parameters(task: type[Query]) -> list[tuple[str, Any]]:
    """The parameters besides the date and the version."""
    return [(name, param) for name, param in task.get_params() if name not in ("date", "version")]
