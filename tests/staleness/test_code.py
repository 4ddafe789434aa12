"""Changes of code: exactly what they can change runs again, as a run from scratch shows."""

from __future__ import annotations

import code_classes
import code_definitions
import code_hidden
import code_made
import code_modules
import code_traps
import pytest
from cosmetics import COSMETICS
from harness import Case, Edit
from trial import Trial, named

pytestmark = pytest.mark.integration

CASES = [*code_definitions.CASES, *code_classes.CASES, *code_modules.CASES, *code_traps.CASES, *code_made.CASES]
assert len({case.name for case in [*CASES, *code_hidden.CASES]}) == len(CASES) + len(code_hidden.CASES)


@named([*CASES, *code_hidden.CASES])
def test_a_change_that_matters_is_seen(case: Case, trial: Trial) -> None:
    trial.assert_seen(case)


@named(CASES)
def test_a_change_that_matters_runs_nothing_else(case: Case, trial: Trial) -> None:
    trial.assert_nothing_else(case)


@named([case for case in CASES if case.harmless])
def test_its_harmless_twin_in_the_same_place_runs_nothing(case: Case, trial: Trial) -> None:
    if _together(case, trial):
        trial.assert_nothing_runs(case, case.harmless)


@named(CASES)
def test_what_no_program_sees_runs_nothing(case: Case, trial: Trial) -> None:
    """In a fresh checkout, with other comments, layout, docstrings and file times, and definitions that nobody uses."""
    if error := _together(case, trial):
        for kind, edit in _cosmetics(case).items():
            try:
                trial.assert_nothing_runs(case, edit)
            except AssertionError as found:
                raise AssertionError(f"{kind}: {found}") from found
        raise error


def _together(case: Case, trial: Trial) -> AssertionError | None:
    """What is wrong with the twin or the cosmetics: all at once, which is quick; which of them it was is asked only then."""
    return trial.together(case, *[case.harmless] if case.harmless else [], *_cosmetics(case).values())


def _cosmetics(case: Case) -> dict[str, Edit]:
    return {
        kind: edit for kind, edit in COSMETICS.items() if not (case.is_undecided and kind == "unrelated definitions")
    }


@named([case for case in CASES if case.is_undecided])
def test_what_cannot_be_decided_counts_whole_and_says_so(case: Case, trial: Trial) -> None:
    assert trial.first(case)[1].undecided
