"""The evaluation of one commit against its base: what is run again, and how long it takes, with this very repository as the project.

Goals: a commit that changes only documentation takes at most 2 s beyond making its worktree and runs nothing again; one that
changes one of the example's two algorithms runs again exactly what depends on it, in at most half of the time of a full evaluation.
The project is a clone, so what is not committed here is not in it. Exits with 1 if anything else is run again.
Run: .venv/bin/python benchmarks/commits.py [RUNS]
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from workplace import ROOT, Taken, compare, parcours

ALGORITHMS = "workflows/flights/expectations.py"
DOCUMENTATION_GOAL = 2.0
GOAL = 0.5


@dataclass(frozen=True)
class Change:
    """A commit, and what is to be run again because of it."""

    branch: str
    file: str
    old: str
    new: str
    runs: frozenset[str]
    """Stages, and templates of reports."""


DOCUMENTATION = Change("documentation", "README.md", "# Parcours", "# Parcours, the project", frozenset())
CHANGES = (
    Change(
        "expected delays",
        ALGORITHMS,
        'delay = departed["dep_delay"]\n',
        'delay = departed["dep_delay"].clip(upper=600)\n',
        frozenset({"ExpectedDelays", "Anomalies", "anomaly_report"}),
    ),
    Change(
        "volumes",
        ALGORITHMS,
        'flights=("cancelled", "size")',
        'flights=("cancelled", "count")',
        frozenset({"Volumes", "sanity_check"}),
    ),
)


class Project:
    """A clone of this repository, with a branch for each change, and the store of its base."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "project"
        self._stores = folder
        _git(folder, "clone", "--quiet", "--no-hardlinks", str(ROOT), str(self.folder))
        self._git("checkout", "--quiet", "-B", "main")
        for change in (DOCUMENTATION, *CHANGES):
            self._commit(change)
        self.evaluate("main", "base", "--base", "main")

    def evaluate(self, commit: str, store: str, *more: str) -> Taken:
        """Evaluate a commit with a store of this name."""
        place = self._stores / store
        variables = {"PARCOURS_STORE": str(place), "PARCOURS_CATALOG": f"sqlite:///{place}.db"}
        return parcours(self.folder, "evaluate", commit.replace(" ", "-"), *more, "--json", **variables)

    @contextlib.contextmanager
    def store(self, name: str, like: str = "") -> Iterator[str]:
        """A store, empty or like another, that is gone afterwards."""
        place = self._stores / name
        if like:
            shutil.copytree(self._stores / like, place)
            shutil.copy(self._stores / f"{like}.db", f"{place}.db")
        yield name
        shutil.rmtree(place)
        for left in self._stores.glob(f"{name}.db*"):
            left.unlink()

    def added(self, store: str) -> frozenset[str]:
        """The stages and templates with results that the store of the base does not have."""
        found = self._results(store) - self._results("base")
        return frozenset(
            json.loads((self._stores / store / path).read_text()).get("template", {}).get("name") or path.parts[0]
            for path in found
        )

    def worktree(self) -> float:
        """The seconds that git takes to make a worktree, and to remove it."""
        began = time.perf_counter()
        self._git("worktree", "add", "--quiet", "--detach", str(self._stores / "worktree"), "main")
        self._git("worktree", "remove", "--force", str(self._stores / "worktree"))
        return time.perf_counter() - began

    def _results(self, store: str) -> set[Path]:
        place = self._stores / store
        return {found.relative_to(place) for found in place.glob("*/*/*/provenance.json")}

    def _commit(self, change: Change) -> None:
        self._git("checkout", "--quiet", "-b", change.branch.replace(" ", "-"), "main")
        file = self.folder / change.file
        text = file.read_text()
        assert change.old in text, f"{change.file} has no {change.old!r}"
        file.write_text(text.replace(change.old, change.new, 1))
        self._git(
            "-c",
            "user.name=Bench",
            "-c",
            "user.email=bench@example.org",
            "commit",
            "--quiet",
            "--all",
            f"--message=Change {change.branch}",
        )
        self._git("checkout", "--quiet", "main")

    def _git(self, *words: str) -> None:
        _git(self.folder, *words)


def _git(folder: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=folder, check=True)


def check_documentation(project: Project, runs: int) -> bool:
    """Print what documentation takes beyond its worktree; whether nothing was run again."""
    beyond, processor, added = [], [], frozenset[str]()
    for number in range(runs):
        with project.store(f"documentation-{number}", like="base") as store:
            found = project.evaluate(DOCUMENTATION.branch, store)
            beyond.append(found.wall - project.worktree())
            processor.append(found.processor)
            added |= project.added(store)
    took = f"{statistics.median(beyond):.2f} s beyond its worktree, processor {statistics.median(processor):.2f} s"
    print(f"documentation changed   {took}   (median of {runs})   goal: at most {DOCUMENTATION_GOAL:g} s")
    return _print_runs(DOCUMENTATION, added)


def check_algorithm(project: Project, change: Change, runs: int) -> bool:
    """Print the time of a change against that of a full evaluation; whether exactly what depends on it was run again."""
    ours, theirs, added = [], [], frozenset[str]()
    for number in range(runs):
        with project.store(f"changed-{number}", like="base") as store:
            ours.append(project.evaluate(change.branch, store))
            added |= project.added(store)
        with project.store(f"full-{number}") as store:
            # Its own base, so that one commit is run and not two.
            theirs.append(project.evaluate(change.branch, store, "--base", change.branch.replace(" ", "-")))
    compare(ours, theirs, (f"{change.branch} changed", "full evaluation"), GOAL)
    return _print_runs(change, added)


def _print_runs(change: Change, added: frozenset[str]) -> bool:
    is_right = added == change.runs
    wanted = "" if is_right else f"   WRONG, expected: {', '.join(sorted(change.runs)) or 'nothing'}"
    print(f"  run again: {', '.join(sorted(added)) or 'nothing'}{wanted}", flush=True)
    return is_right


def main(runs: int) -> int:
    """Print all; 1 if something else was run again than what depends on the change."""
    with tempfile.TemporaryDirectory(prefix="parcours-bench-") as folder:
        project = Project(Path(folder))
        right = [check_documentation(project, runs), *(check_algorithm(project, change, runs) for change in CHANGES)]
    return 0 if all(right) else 1


if __name__ == "__main__":
    for name in [name for name in os.environ if name.startswith("PARCOURS_")]:
        del os.environ[name]
    raise SystemExit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 3))
