"""The suite of staleness as a table: how many changes, how many of them leave something stale, how many run anything needlessly.

Run: .venv/bin/python benchmarks/staleness.py [KIND OR PART OF A CASE'S NAME]
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "staleness"))

import code_classes
import code_definitions
import code_made
import code_modules
import code_traps
import test_environment
from cosmetics import COSMETICS
from harness import Case, warm_up
from trial import Trial

KINDS = {
    "definitions": code_definitions.CASES,
    "classes": code_classes.CASES,
    "module level": code_modules.LEVEL,
    "imports": code_modules.IMPORTS,
    "dynamic": code_modules.DYNAMIC,
    "data files": code_modules.FILES,
    "statements": code_modules.STATEMENTS,
    "at a distance": code_traps.CASES,
    "made on import": code_made.CASES,
    "environment": [*test_environment.UPGRADES, *test_environment.OUTSIDE],
}


def questions(case: Case, trial: Trial) -> dict[str, Callable[[], None]]:
    """What is asked of a case, by the name of what is found where the answer is no."""
    cosmetics = [edit for name, edit in COSMETICS.items() if not (case.is_undecided and name.startswith("unrelated"))]
    return {
        "stale": lambda: trial.assert_seen(case),
        "needless, another stage": lambda: trial.assert_nothing_else(case),
        "needless, harmless twin": lambda: trial.assert_nothing_runs(case, case.harmless),
        "needless, cosmetics": lambda: trial.assert_nothing_runs(case, *cosmetics),
    }


def main(part: str) -> int:
    """Try every case; a line for each answer that is no, then the table."""
    found: dict[str, Counter[str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        warm_up(Path(folder) / "warm")
        trial = Trial(Path(folder))
        for kind, cases in KINDS.items():
            counts = found[kind] = Counter()
            for case in (case for case in cases if part in f"{kind}: {case.name}"):
                counts["changes"] += 1
                for name, ask in questions(case, trial).items():
                    try:
                        ask()
                    except AssertionError as error:
                        print(f"{kind}: {case.name}: {name}: {str(error).splitlines()[0][:120]}", flush=True)
                        counts[name.partition(",")[0]] += 1
    total: Counter[str] = sum(found.values(), Counter())
    print(f"\n{'':14}{'changes':>8}{'stale':>8}{'needless':>10}")
    for kind, counts in [*found.items(), ("all", total)]:
        print(f"{kind:14}{counts['changes']:>8}{counts['stale']:>8}{counts['needless']:>10}")
    return 1 if total["stale"] or total["needless"] else 0


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    raise SystemExit(main(*sys.argv[1:2] or [""]))
