"""Pipelines made at random, edited at random, agree after every edit with runs from scratch."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from harness import checkout, run
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from projects import EDITS, Change, Project, projects
from trial import Trial

pytestmark = pytest.mark.integration

EDITS_EACH = 10
EXAMPLES = {"long": 500}.get(settings.get_current_profile_name(), 52)
Edit = Callable[[Project, int], Change]


def test_random_edits_are_neither_missed_nor_run_for_nothing(
    trial: Trial, record_property: Callable[[str, object], None]
) -> None:
    """Bytes as from scratch after every edit; what an edit cannot change does not run."""
    checked: list[str] = []

    # The same in every run of CI, told at once; on demand other ones each time, made as small as they can be.
    is_long = settings.get_current_profile_name() == "long"
    phases = tuple(Phase) if is_long else (Phase.generate,)

    @settings(max_examples=EXAMPLES, derandomize=not is_long, phases=phases, database=None, report_multiple_bugs=False)
    @given(
        project=projects(),
        edits=st.lists(
            st.tuples(st.sampled_from(EDITS), st.integers(0, 10_000)), min_size=EDITS_EACH, max_size=EDITS_EACH
        ),
    )
    def edited(project: Project, edits: list[tuple[Edit, int]]) -> None:
        folder = trial.new("first")
        project.write(folder)
        tables = run(folder).tables
        for edit, number in edits:
            change = edit(project, number)
            change.project.write(folder)
            found = run(folder)
            true = run(checkout(folder, trial.new("scratch"), store=False))
            is_different = {name for name in true.tables if true.tables[name] != tables[name]}
            assert is_different == change.least, f"{edit.__name__} is wrong"
            assert found.tables == true.tables, f"{edit.__name__}: stale {sorted(found.changed(true))}"
            assert change.least <= found.computed <= found.planned, edit.__name__
            needless = found.planned - change.most
            assert not needless, f"{edit.__name__}: needless {sorted(needless)}"
            project, tables = change.project, true.tables
            checked.append(edit.__name__)

    edited()
    record_property("random edits", len(checked))
    assert len(checked) >= 10 * EXAMPLES - 20
