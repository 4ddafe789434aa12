"""A dataset frozen from the database: what it answers to queries, in a store, under a name, for good."""

from __future__ import annotations

import datetime
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workflows.answers.datasets import Listed
from workflows.answers.freezing import Freezing, Subject, subjects
from workflows.answers.walk import watched
from workflows.data.database import connect
from workflows.errors import DatasetError, listed_ranges
from workflows.store.dataset import Asked, Dataset, Description
from workflows.tasks.parameters import json_object
from workflows.tasks.project import current
from workflows.tasks.record import user_name


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


def freeze(name: str, queries: str, days: Sequence[datetime.date], note: str, parameters: str) -> Made:
    """Freeze what the database answers to queries on dates; raises DatasetError, and then nothing is stored."""
    project = current()
    datasets = project.store.datasets
    datasets.refuse_taken(name)
    frozen = subjects(queries, json_object(parameters), days)
    # Also where a dataset stands for the database at present: this is where new ones are from.
    database = connect(project.settings.database)
    with datasets.drafting() as draft, watched(f"freezing {name}") as progress:
        freezing = Freezing(database, draft)
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


def _described(name: str, note: str, place: str, frozen: Sequence[Subject]) -> Description:
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    asked = [
        Asked(one.name, use, one.task.statements()[use].normal, answers)
        for one in frozen
        for use, answers in one.answers.items()
    ]
    given = {one.name: {param: str(value) for param, value in one.given.items()} for one in frozen}
    text = " ".join(note.split())
    return Description(name, text, now, user_name(), socket.gethostname(), place, current().commit[0], given, asked)
