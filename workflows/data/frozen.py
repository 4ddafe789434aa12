"""A dataset in place of a database: it answers what was asked when it was frozen, as the database did then, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

from workflows.data.kept import kept_answer
from workflows.data.rows import Fingerprint, Found, Rows
from workflows.data.spelled import bound, shown
from workflows.data.statement import Statement
from workflows.errors import DatasetError
from workflows.identity.canonical import canonical_json
from workflows.identity.syntax import normal_sql
from workflows.store.dataset import AS_DATABASE, Answer, Asked, Dataset


class Frozen:
    """The database that a dataset is."""

    tells_state = True

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset

    @property
    def place(self) -> str:
        return f"{AS_DATABASE}{self.dataset.name}"

    def state(self) -> str:
        return self.dataset.digest

    def result(self, task: str, statement: Statement, values: Mapping[str, Any]) -> Rows:
        found = self._found(task, statement, values)
        if isinstance(found, Rows):
            return found
        return Rows(tuple(found.column_names), list(zip(*(c.to_pylist() for c in found.columns), strict=True)))

    def fingerprints(self, task: str, statement: Statement, many: Sequence[Mapping[str, Any]]) -> list[Fingerprint]:
        return [self._fingerprint(task, statement, values) for values in many]

    def snapshot(
        self,
        task: str,
        statement: Statement,
        probe: Statement,
        values: Mapping[str, Any],
        lap: Callable[[str], object] = lambda part: None,
    ) -> tuple[Found, Fingerprint]:
        found = self._found(task, statement, values)
        lap("database")
        digested = self._fingerprint(task, probe, values)
        lap("fingerprint")
        return found, digested

    def check(self, task: str, statement: Statement, values: Mapping[str, Any]) -> None:
        self._asked(task, statement)

    def _found(self, task: str, statement: Statement, values: Mapping[str, Any]) -> Found:
        answer = self._answer(task, statement, values, lambda answer: answer.file is not None)
        return kept_answer(self.dataset.read(answer))

    def _fingerprint(self, task: str, statement: Statement, values: Mapping[str, Any]) -> Fingerprint:
        answer = self._answer(task, statement, values, lambda answer: answer.fingerprint is not None)
        return Fingerprint(str(answer.fingerprint), answer.rows)

    def _answer(
        self, task: str, statement: Statement, values: Mapping[str, Any], is_enough: Callable[[Answer], bool]
    ) -> Answer:
        """The answer to a statement with its values that holds what is wanted; raises DatasetError."""
        asked = self._asked(task, statement)
        try:
            wanted = bound(statement.binds, values)
        except TypeError:
            # No such value could be bound when the dataset was frozen, either.
            wanted = {name: str(values[name]) for name in sorted(statement.binds)}
        found = self._answers.get((statement.normal, canonical_json(wanted)), [])
        for answer in found:
            if is_enough(answer):
                return answer
        dates = self.dataset.description.dates(asked.query)
        raise DatasetError.no_answer(self.dataset.name, asked.query, shown(wanted), dates)

    def _asked(self, task: str, statement: Statement) -> Asked:
        found = self._statements.get(statement.normal)
        if found is None:
            raise DatasetError.no_statement(self.dataset.name, task, statement.name)
        return found

    @cached_property
    def _statements(self) -> dict[str, Asked]:
        # Normal again, because a later release may find more that does not count.
        return {normal_sql(asked.text): asked for asked in self.dataset.description.statements}

    @cached_property
    def _answers(self) -> dict[tuple[str, str], list[Answer]]:
        found: dict[tuple[str, str], list[Answer]] = {}
        for asked in self.dataset.description.statements:
            for answer in asked.answers:
                found.setdefault((normal_sql(asked.text), canonical_json(answer.values)), []).append(answer)
        return found
