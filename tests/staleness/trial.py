"""Cases tried: the first state of each, made once, and the checks against runs from scratch."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from harness import Case, Edit, Outcome, apply, checkout, run


@dataclass
class Trial:
    """Cases and their states, in a folder."""

    folder: Path
    firsts: dict[str, tuple[Path, Outcome]] = field(default_factory=dict)
    changes: dict[str, tuple[Outcome, Outcome]] = field(default_factory=dict)
    unseen: dict[str, AssertionError | None] = field(default_factory=dict)
    numbers: itertools.count[int] = field(default_factory=itertools.count)

    def first(self, case: Case) -> tuple[Path, Outcome]:
        """The project of a case as it was first, with its results, and how they were made."""
        if case.name not in self.firsts:
            folder = self.new("first")
            case.write(folder)
            self.firsts[case.name] = folder, self.run(case, folder)
        return self.firsts[case.name]

    def edited(self, case: Case, *edits: Edit) -> Path:
        """The first project in a fresh checkout, with the results of the first state in the store, edited."""
        folder = checkout(self.first(case)[0], self.new("edited"))
        for edit in edits:
            apply(edit, folder)
        return folder

    def run(self, case: Case, folder: Path) -> Outcome:
        """What a new process makes of a state."""
        return run(folder, case.path, template=case.template)

    def scratch(self, case: Case, folder: Path) -> Outcome:
        """What a new process makes of a state without any result."""
        return self.run(case, checkout(folder, self.new("scratch"), store=False))

    def new(self, name: str) -> Path:
        """A folder that is not there yet, but for the first of a case."""
        folder = self.folder / f"{next(self.numbers)}-{name}"
        if name == "first":
            folder.mkdir()
        return folder

    def change(self, case: Case) -> tuple[Outcome, Outcome]:
        """What the change that matters has made, with the results of the first state and from scratch."""
        if case.name not in self.changes:
            folder = self.edited(case, case.matters)
            self.changes[case.name] = self.run(case, folder), self.scratch(case, folder)
        return self.changes[case.name]

    def assert_seen(self, case: Case) -> None:
        """The change that matters has the tasks run that it changes, and what is there then is true."""
        _, first = self.first(case)
        found, true = self.change(case)
        assert case.reruns <= true.changed(first), "the case is wrong: what is to run again gives the same"
        assert not found.changed(true), f"stale: {sorted(found.changed(true))}"
        assert found.computed >= case.reruns, f"stale: {sorted(case.reruns - found.computed)}"
        assert found.planned == found.computed | found.reused

    def assert_nothing_else(self, case: Case) -> None:
        """The change that matters has no other tasks run."""
        found, _ = self.change(case)
        assert found.tables.keys() > case.reruns, "the case is wrong: every task is to run again"
        needless = found.planned - case.reruns - case.may_rerun
        assert not needless, f"needless: {sorted(needless)}"

    def assert_nothing_runs(self, case: Case, *edits: Edit) -> None:
        """After these edits nothing runs, and rightly so."""
        _, first = self.first(case)
        folder = self.edited(case, *edits)
        found, true = self.run(case, folder), self.scratch(case, folder)
        assert not true.changed(first), f"the case is wrong: this changes {sorted(true.changed(first))}"
        assert not found.planned, f"needless: {sorted(found.planned)}"
        assert not found.computed | found.reused

    def together(self, case: Case, *edits: Edit) -> AssertionError | None:
        """What is wrong where all edits after which nothing may run are made at once; it is tried once for each case."""
        if case.name not in self.unseen:
            self.unseen[case.name] = None
            try:
                self.assert_nothing_runs(case, *edits)
            except AssertionError as error:
                self.unseen[case.name] = error
        return self.unseen[case.name]


def named(cases: Sequence[Case]) -> Callable[..., pytest.MarkDecorator]:
    """A test for each case, under its name."""
    return pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in cases])
