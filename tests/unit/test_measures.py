"""Measures: what may be recorded, and where it goes."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows import measure
from workflows.errors import MeasureError
from workflows.evaluation.measures import MIME, Measure, from_json, in_notebook, recording, to_json


def recorded(*arguments: Any, **named: Any) -> Measure:
    with recording() as measures:
        measure(*arguments, **named)
    return measures[0]


def test_a_measure_is_recorded_with_unit_and_direction() -> None:
    assert recorded("late", 0.12, unit="min", better="lower") == Measure("late", 0.12, "min", "lower")
    assert recorded("late", 3) == Measure("late", 3, "1", None)


@pytest.mark.parametrize(
    ("given", "value"),
    [
        (1, 1), (1.5, 1.5), (True, 1.0), (np.int64(3), 3), (np.float32(0.5), 0.5), (np.bool_(True), 1.0), (Decimal("1.5"), 1.5), (Fraction(1, 2), 0.5),
        (-0.0, -0.0), (2**60 + 1, 2**60 + 1), (np.array(1.5), 1.5), (np.array(2), 2), (None, None), (math.nan, None), (np.nan, None), (pd.NA, None), (pd.NaT, None), (Decimal("NaN"), None),
    ],
)  # fmt: skip
def test_numbers_of_every_library_are_taken(given: Any, value: Any) -> None:
    found = recorded("m", given).value
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "given",
    ["1", b"1", "", math.inf, -math.inf, 1j, [1], {"a": 1}, object(), pd.Series([1.0, 2.0]), pd.DataFrame({"a": [1.0]}), np.array([1.0, 2.0]),
     pd.Series([1.0]), np.array([1.0]), 10**400, pd.Timestamp("2020-01-01"), Decimal("sNaN"), Decimal("Infinity"), lambda: 1],
)  # fmt: skip
def test_anything_else_is_refused_by_name(given: Any) -> None:
    with pytest.raises(MeasureError, match=r"^measure 'late': its value is (?s:.*); expected a (finite )?number"):
        recorded("late", given)


@pytest.mark.parametrize("name", ["", " ", None, 3, ["a"]])
def test_a_name_is_a_text(name: Any) -> None:
    with pytest.raises(MeasureError, match=r"its name is .*; expected a text that is not empty"):
        recorded(name, 1)


@pytest.mark.parametrize("better", ["less", "", True, "Lower", 1])
def test_the_direction_is_lower_higher_or_none(better: Any) -> None:
    with pytest.raises(MeasureError, match=r"measure 'm': better is .*; expected 'lower', 'higher' or None"):
        recorded("m", 1, better=better)


def test_one_name_has_one_value() -> None:
    with pytest.raises(MeasureError, match="measure 'm' is recorded twice"):
        to_json([Measure("m", 1, "1", None), Measure("n", 1, "1", None), Measure("m", 2, "1", None)])


MEASURES = st.builds(
    Measure,
    st.text(min_size=1),
    st.none() | st.integers() | st.floats(allow_nan=False, allow_infinity=False),
    st.text(),
    st.sampled_from(["lower", "higher", None]),
)


@given(st.lists(MEASURES, unique_by=lambda m: m.name))
def test_measures_survive_their_file(measures: list[Measure]) -> None:
    assert from_json(to_json(measures)) == measures
    assert json.loads(to_json(measures))["format"] == 1


def test_recordings_nest_and_end() -> None:
    with recording() as outer:
        measure("a", 1)
        with recording() as inner:
            measure("b", 2)
        measure("c", 3)
    assert ([m.name for m in outer], [m.name for m in inner]) == (["a", "c"], ["b"])


def test_a_recording_ends_with_an_error() -> None:
    with pytest.raises(ZeroDivisionError), recording():
        raise ZeroDivisionError
    with recording() as measures:
        measure("a", 1)
    assert len(measures) == 1


@pytest.mark.parametrize(
    ("found", "line"),
    [
        (Measure("late", 0.123456789, "1", "lower"), "late 0.123457 (lower is better)"),
        (Measure("late", 7, "min", None), "late 7 min"),
        (Measure("late", None, "min", "higher"), "late nothing min (higher is better)"),
    ],
)
def test_a_measure_is_shown_in_a_line(found: Measure, line: str) -> None:
    assert str(found) == line


def test_by_hand_in_plain_python_a_measure_is_printed_and_luigi_is_not_loaded() -> None:
    source = (
        "import sys; from workflows import measure; measure('late', 0.5, unit='min'); print('luigi' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["late 0.5 min", "False"]


def test_the_measures_of_a_notebook_are_in_its_outputs_in_order() -> None:
    shown = [Measure("a", 1, "1", None), Measure("b", None, "s", "lower")]
    outputs = [{"output_type": "display_data", "data": m._repr_mimebundle_()} for m in shown]
    cells = [
        {"cell_type": "markdown"},
        {"cell_type": "code", "outputs": [{"output_type": "stream", "text": "x"}, outputs[0]]},
        {"cell_type": "code", "outputs": [{"output_type": "display_data", "data": {"text/plain": "y"}}, outputs[1]]},
    ]
    assert in_notebook(cells) == shown
    assert outputs[0]["data"] == {"text/plain": "a 1", MIME: {"name": "a", "value": 1, "unit": "1", "better": None}}
