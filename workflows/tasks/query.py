"""Queries: a SQL statement for a date, its result a table."""

from __future__ import annotations

import datetime
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from workflows.data.statement import Statement
from workflows.data.tables import as_frame, as_stored, as_table, checked, schema_name, write_table
from workflows.errors import NoData, PipelineError, PlanError
from workflows.identity.canonical import digest, digest_bytes
from workflows.identity.closure import Code
from workflows.identity.environment import Environment
from workflows.store.address import TABLE, Address
from workflows.store.artefacts import Artefact, Provenance
from workflows.store.dataset import AS_DATABASE
from workflows.store.plans import Planned
from workflows.tasks.code import class_code, environment_of, module_folder
from workflows.tasks.plan import Recipe
from workflows.tasks.production import Made
from workflows.tasks.progress import Progress
from workflows.tasks.project import current
from workflows.tasks.result import Result
from workflows.tasks.unchanged import check_code

if TYPE_CHECKING:
    import pandas as pd

_ATTRIBUTES = ("sql", "probe", "dates")


class Query(Result):
    """A named SQL statement bound to a date and other parameters; its result is a table.

    Every parameter can be bound in the statement by its name (`:date`). The statement sees the database read-only.
    """

    sql: ClassVar[str]
    """The statement, or the name of a .sql file beside the module."""
    probe: ClassVar[str | None] = None
    """A cheaper statement whose result changes whenever that of `sql` does; without it, the result itself is digested."""
    dates: ClassVar[str | None] = None
    """A statement that lists the dates with data, ascending, in one column."""
    settles_after: ClassVar[int | None] = None
    """Days after `date` from which on the stored result is final, and the database is not asked again."""
    allow_empty: ClassVar[bool] = False
    """Whether a result without rows is a result."""
    schema: ClassVar[Any] = None
    """A pandera DataFrameModel, or 'module:Name' of one, which is then imported only when it is needed."""

    @classmethod
    def available(cls, start: datetime.date, stop: datetime.date) -> list[datetime.date]:
        """The dates with data from `start` up to but without `stop`, ascending; needs `dates`."""
        days = _days(cls)
        return days[bisect_left(days, start) : bisect_left(days, stop)]

    @classmethod
    def last_date(cls) -> datetime.date | None:
        """The last date with data, if there is one; needs `dates`."""
        return max(_days(cls), default=None)

    @classmethod
    def code_closure(cls) -> Code:
        """The code of the class, with its statements and its schema."""
        return _code(cls)

    def recipe(self, planned: Planned | None = None) -> Recipe:
        """The statement's code and the state of the data."""
        texts = self.significant_texts()
        code = self.code_closure()
        if planned:
            found: dict[str, Any] = {"fingerprint": planned.fingerprint, "rows": planned.rows}
        else:
            found = self._known(code) or _ask(self.label, [self])[0]
        problem = None
        if found["rows"] == 0 and not self.allow_empty:
            problem = self._no_data()
        return Recipe(texts, code, found["fingerprint"], found["rows"], problem)

    @classmethod
    def look_ahead(cls, drafts: Sequence[Result]) -> None:
        """Ask the database for the fingerprints of all these queries at once, where they are not known."""
        unknown = [draft for draft in drafts if isinstance(draft, Query) and not draft._known(_code(cls))]
        if unknown:
            _ask(cls.get_task_family(), unknown)

    def make(self, folder: Path, inputs: Sequence[Artefact], progress: Progress, draft: Provenance) -> Made:
        """Run the statement and store its rows, if they are those that were planned."""
        statement, recorded = _statement(type(self), "sql"), self.identity.recipe.fingerprint
        probe, lap = _fingerprinted(type(self)), progress.timing.lap
        rows, now = current().database.snapshot(self.label, statement, probe, self._values(), lap)
        if now.digest != recorded:
            raise PlanError.data_changed(self.label)
        if not len(rows) and not self.allow_empty:
            # A probe does not count the rows, so this was not known when the task was planned.
            raise self._no_data()
        table = as_table(rows, self.schema)
        lap("frame")
        table = checked(self.label, table, self.schema)
        lap("schema")
        written = {TABLE: write_table(self.label, table, folder / TABLE)}
        lap("write")
        check_code(self)
        lap("check")
        source = {
            "database": current().database.place,
            "query": statement.text,
            "fingerprint": recorded,
            "rows": len(rows),
        }
        return Made({TABLE: len(table)}, source=source, written=written, shown=f"{len(table):,} rows")

    def rows_now(self) -> pd.DataFrame:
        """The rows as the database has them now, checked and typed as they would be stored; nothing is."""
        rows = current().database.result(self.label, _statement(type(self), "sql"), self._values())
        return as_stored(self.label, checked(self.label, as_frame(rows), self.schema))

    def read_when_planned(self) -> list[str]:
        """The statements."""
        return [_file_name(type(self), a, found.path) for a, found in self.statements().items() if found.path]

    def _no_data(self) -> NoData:
        return NoData.for_query(self.label, _dates(type(self)) if self.dates else [])

    def _known(self, code: Code) -> dict[str, Any] | None:
        """The fingerprint and the number of rows, if the database need not be asked."""
        key = self._key()
        if self.settles_after is not None:
            settled = current().once((type(self), key, "settled"), lambda: self._settled(code))
            if settled:
                return settled
        known: dict[str, Any] | None = current().fingerprints.get(key)
        return known

    def _key(self) -> str:
        """What the rows depend on, apart from the data: every parameter can be bound."""
        task = type(self)
        normal = current().once(
            (task, "normal"), lambda: [_statement(task, a).normal for a in _ATTRIBUTES if getattr(task, a)]
        )
        texts = {name: param.serialize(getattr(self, name)) for name, param in self.get_params() if name != "version"}
        return digest([task.__qualname__, texts, normal])

    def _settled(self, code: Code) -> dict[str, Any] | None:
        """The fingerprint of the stored result, if it is final."""
        date = getattr(self, "date", None)
        if self.settles_after is None or not isinstance(date, datetime.date) or current().settings.dataset:
            # A dataset is final in itself.
            return None
        final_from = date + datetime.timedelta(days=self.settles_after)
        if current().today < final_from:
            return None
        store, place = current().store, Address(self.get_task_family(), date.isoformat(), "")
        for artefact in store.versions(place):
            record, source = artefact.provenance, artefact.provenance.source
            made = datetime.datetime.fromisoformat(record.started).date()
            is_final = made >= final_from and self._made_as_here(record, code)
            # What a dataset says of a date may be from before it was settled.
            is_live = source is not None and not source["database"].startswith(AS_DATABASE)
            if source and is_live and is_final and store.intact(replace(place, version=record.version)):
                return {"fingerprint": source["fingerprint"], "rows": source["rows"]}
        return None

    def _made_as_here(self, record: Provenance, code: Code) -> bool:
        """Whether this process would make the artefact of a record in the same way, the rows apart."""
        parameters = {name: text for name, text in record.parameters.items() if name != "version"}
        around = Environment(record.environment["python"], record.environment["packages"])
        return (
            parameters == self.significant_texts()
            and record.code["digest"] == code.digest
            and around.digest == environment_of(code).digest
        )

    def _values(self) -> dict[str, Any]:
        """What the statements can bind."""
        return {name: getattr(self, name) for name, _ in self.get_params() if name != "version"}

    @classmethod
    def statements(cls) -> dict[str, Statement]:
        """The statements by the attributes that give them: 'sql', and 'probe' and 'dates' where they are given."""
        return {name: _statement(cls, name) for name in ("sql", *(a for a in _ATTRIBUTES[1:] if getattr(cls, a)))}

    @classmethod
    def check_statements(cls) -> None:
        """Have the database read the statements without running them; raises for what it refuses."""
        unbound = dict.fromkeys(name for name, _ in cls.get_params())
        for statement in cls.statements().values():
            current().database.check(cls.get_task_family(), statement, unbound)


def _ask(label: str, queries: Sequence[Query]) -> list[dict[str, Any]]:
    """Fingerprints and numbers of rows of queries of one class, asked for in one go; raises DatabaseError."""
    task = type(queries[0])
    asked = current().database.fingerprints(label, _fingerprinted(task), [query._values() for query in queries])
    found = [{"fingerprint": one.digest, "rows": None if task.probe else one.rows} for one in asked]
    for query, one in zip(queries, found, strict=True):
        current().fingerprints.put(query._key(), one)
    return found


def _fingerprinted(task: type[Query]) -> Statement:
    """The statement whose result is fingerprinted."""
    return _statement(task, "probe" if task.probe else "sql")


def _statement(task: type[Query], attribute: str) -> Statement:
    return current().once((task, attribute), lambda: _read_statement(task, attribute))


def _read_statement(task: type[Query], attribute: str) -> Statement:
    given = getattr(task, attribute, None)
    if not given:
        raise PipelineError.sql_unset(task.get_task_family())
    statement = Statement.of(task.get_task_family(), given, module_folder(task), attribute)
    known = {name for name, _ in task.get_params()} - {"version"}
    for name in sorted(statement.binds - known):
        raise PipelineError.unknown_parameter(task.get_task_family(), name)
    return statement


def _code(task: type[Query]) -> Code:
    """The closure of the query's class, with its SQL files."""
    return current().once((task, "code"), lambda: _read_code(task))


def _read_code(task: type[Query]) -> Code:
    code = class_code(task, schema_name(task.schema))
    for attribute in _ATTRIBUTES:
        if getattr(task, attribute, None):
            statement = _statement(task, attribute)
            if statement.path:
                name = _file_name(task, attribute, statement.path)
                found = digest_bytes(statement.normal.encode())
                # In place of the file's bytes, which the closure finds by its name: comments in it do not count.
                code |= Code.of_file(name, found, statement.text.encode())
    return code


def _file_name(task: type[Query], attribute: str, path: Path) -> str:
    """A statement's file in the code closure: by its place in the project, or beside the module that names it."""
    if current().settings.root.resolve() in path.resolve().parents:
        return current().label(path)
    return "/".join([*task.__module__.split(".")[:-1], getattr(task, attribute).strip()])


def _days(task: type[Query]) -> list[datetime.date]:
    """The dates with data, ascending."""
    return current().once((task, "the days"), lambda: sorted(map(datetime.date.fromisoformat, _dates(task))))


def _dates(task: type[Query]) -> list[str]:
    """The dates with data, as ISO text."""
    return current().once((task, "the dates"), lambda: _read_dates(task))


def _read_dates(task: type[Query]) -> list[str]:
    if not task.dates:
        raise PipelineError.sql_unset(f"{task.get_task_family()} (for its dates)")
    statement = _statement(task, "dates")
    project = current()
    key = digest(["dates", statement.normal])
    known: list[str] | None = project.fingerprints.get(key)
    if known is None:
        rows = project.database.result(task.get_task_family(), statement, {}).rows
        known = [str(row[0])[:10] for row in rows]
        project.fingerprints.put(key, known)
    return known
