"""A history of 100 commits with known effects, evaluated commit by commit: what was planted, found, missed, and alarmed in vain.

What is known is found in plain Python, without Parcours, while the repository is made (tests/history). Then 20 commits of it
are evaluated in one go, and each by itself with an empty store. Goals: every regression at the right commit, no false alarm;
20 commits at least 5 times faster than 20 full runs. Exits with 1 if a commit is judged wrongly, or a step is not found.
Run: .venv/bin/python benchmarks/history.py [--seed SEED] [--keep FOLDER] [--only verdicts|time] [--commits N] [--days DAYS]
FOLDER keeps the repository with all evaluations, to look at; a run that was ended goes on there.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workplace import ROOT, parcours

sys.path.insert(0, str(ROOT / "tests" / "history"))

import gauging
import readings
import seeded
from judged import BETTER, WORSE, Judged, judged, tally
from seeded import Planted
from stepped import is_found, searches, trends

GOAL = 5.0


def planted(folder: Path, seed: int, days: int) -> list[Planted]:
    """The repository with its dataset, made unless it is there, and its commits."""
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="parcours-bench-") as scratch:
        made = Path(scratch) / "gauges"
        made.mkdir()
        commits = seeded.plant(made, seed, seeded.HUNDRED, days)
        if not folder.exists():
            shutil.move(made, folder)
    if seeded.git(folder, "rev-parse", "main").strip() != commits[-1].sha:
        raise SystemExit(f"{folder} holds another history; name a new folder.")
    if not (folder / "data" / "store" / "datasets").exists():
        dates = ["--from", readings.FIRST.isoformat(), "--to", seeded.dates(gauging.LONG)[-1].isoformat()]
        parcours(folder, "freeze", gauging.DATASET, "--queries", "Readings", *dates)
    print(f"{len(commits)} commits planted, {days} days in the suite   {time.perf_counter() - began:.0f} s", flush=True)
    return commits


def evaluated(
    folder: Path, commits: Sequence[Planted], suite: str = "default", **variables: str
) -> list[dict[str, Any]]:
    """The evaluations of all commits but the first, which is their base."""
    asked = ["--range", f"{commits[0].sha}..{commits[-1].sha}", "--suite", suite]
    found: list[dict[str, Any]] = json.loads(parcours(folder, "evaluate", *asked, "--json", **variables).told)
    return found


def print_verdicts(history: Sequence[Judged]) -> None:
    """Print what was planted and found, and every commit that was judged wrongly."""
    print(f"\n{'':14}{'planted':>9}{'found at the right commit':>27}{'missed':>8}{'false alarms':>14}")
    for name, words in {"regressions": WORSE, "improvements": BETTER}.items():
        of = tally(history, words)
        print(f"{name:14}{of.commits:>9}{of.found:>27}{of.commits - of.found:>8}{'':>14}")
        print(f"{'  measures':14}{of.measures:>9}{of.found_measures:>27}{of.missed:>8}{of.false_alarms:>14}")
    print(f"\n{'':14}{'commits':>9}{'worse':>8}{'better':>8}{'same':>8}")
    kinds = Counter(one.planted.kind for one in history)
    verdicts = Counter((one.planted.kind, one.verdict) for one in history)
    for kind, count in kinds.most_common():
        print(f"{kind:14}{count:>9}" + "".join(f"{verdicts[kind, word]:>8}" for word in ("worse", "better", "same")))
    for one in history:
        if not one.is_right:
            wrong = {n: (w, one.words.get(n)) for n, w in one.planted.expected.items() if w != one.words.get(n)}
            print(f"WRONG {one.planted.sha[:9]} {one.planted.kind}: {one.planted.subject}: {one.verdict}, {wrong}")


def print_steps(folder: Path, history: Sequence[Planted]) -> bool:
    """Print what `trend` and `find-step` say of the planted changes; whether nothing is missed or said in vain."""
    told = trends(folder, history)
    print(f"\n{'':14}{'planted':>9}{'found at the right commit':>27}{'missed':>8}{'false alarms':>14}")
    print(f"{'trend':14}{told.planted:>9}{told.found:>27}{told.missed:>8}{told.false_alarms:>14}", end="")
    print(f"   {told.as_outliers} for one commit only, told as outliers")
    wrong = 0
    for word in ("worse", "better"):
        asked = list(searches(history, word))
        found = sum(is_found(folder, search) for search in asked)
        wrong += len(asked) - found
        print(f"{f'find-step {word}':16}{len(asked):>7}{found:>27}{len(asked) - found:>8}", flush=True)
    return wrong == told.missed == told.false_alarms == 0


def print_time(folder: Path, commits: Sequence[Planted], scratch: Path) -> None:
    """Evaluate commits in one go with an empty store, then each by itself with one, and print the ratio."""
    began = time.perf_counter()
    found = evaluated(folder, commits, "long", **_empty(folder, scratch / "all"))
    ours = time.perf_counter() - began
    made, reused = (sum(one["run"][name] for one in found) for name in ("results_made", "results_reused"))
    began = time.perf_counter()
    for commit in commits[1:]:
        # Its own base, so that one commit is run and not two.
        alone = ["--base", commit.sha, "--suite", "long"]
        parcours(folder, "evaluate", commit.sha, *alone, **_empty(folder, scratch / commit.sha))
    theirs = time.perf_counter() - began
    count = len(commits) - 1
    print(f"\n{count} commits in one go   {ours:.1f} s, {made} results made or taken over, {reused} reused")
    print(f"{count} full runs           {theirs:.1f} s")
    print(f"faster   {theirs / ours:.1f} times   goal: at least {GOAL:g}", flush=True)


def _empty(folder: Path, store: Path) -> dict[str, str]:
    """A store with nothing in it but the dataset."""
    shutil.copytree(folder / "data" / "store" / "datasets", store / "datasets")
    return {"PARCOURS_STORE": str(store), "PARCOURS_CATALOG": f"sqlite:///{store}.db"}


def main(folder: Path, seed: int, days: int, only: str, commits: int) -> int:
    """Print both parts; 1 if a commit was judged wrongly."""
    history = planted(folder, seed, days)
    is_right = True
    if only != "time":
        began = time.perf_counter()
        found = judged(history[1:], evaluated(folder, history))
        print(f"evaluated in {time.perf_counter() - began:.0f} s", flush=True)
        print_verdicts(found)
        is_right = print_steps(folder, history) and all(one.is_right for one in found)
    if only != "verdicts":
        with tempfile.TemporaryDirectory(prefix="parcours-bench-") as scratch:
            print_time(folder, history[-commits - 1 :], Path(scratch))
    return 0 if is_right else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--only", choices=("verdicts", "time"), default="")
    parser.add_argument("--commits", type=int, default=20)
    parser.add_argument("--days", type=int, default=2)
    options = parser.parse_args()
    for name in [name for name in os.environ if name.startswith("PARCOURS_")]:
        del os.environ[name]
    with tempfile.TemporaryDirectory(prefix="parcours-bench-") as temporary:
        place = options.keep or Path(temporary) / "gauges"
        raise SystemExit(main(place, options.seed, options.days, options.only, options.commits))
