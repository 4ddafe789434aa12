"""The statistics against numbers worked out by hand, and against what must hold of any numbers."""

from __future__ import annotations

import math
import statistics

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.flights import robust

ONE = "the only group"


def grouped(values: list[float]) -> tuple[pd.Series, pd.Series]:
    return pd.Series(values, dtype=float), pd.Series([ONE] * len(values), dtype=object)


samples = st.lists(st.integers(-60, 1440).map(float), min_size=1, max_size=40)


def test_scaled_mad_of_a_worked_example() -> None:
    """Median 12; deviations 2 1 0 0 1 2 23, sorted 0 0 1 1 2 2 23: MAD 1."""
    assert robust.scaled_mad(*grouped([10, 11, 12, 12, 13, 14, 35]))[ONE] == pytest.approx(1.4826)


def test_scaled_mad_is_of_each_group() -> None:
    values = pd.Series([1.0, 10.0, 3.0, 30.0, 5.0, 50.0])
    groups = pd.Series(["a", "b", "a", "b", "a", "b"])
    assert robust.scaled_mad(values, groups).to_dict() == pytest.approx({"a": 2 * 1.4826, "b": 20 * 1.4826})


def test_scaled_mad_is_0_if_more_than_half_are_equal() -> None:
    assert robust.scaled_mad(*grouped([5, 5, 5, 5, 90, 200, -7]))[ONE] == 0


def test_scaled_mean_deviation_of_a_worked_example() -> None:
    """Median 5; deviations 0 0 0 0 4 6: mean 10/6."""
    assert robust.scaled_mean_deviation(*grouped([5, 5, 5, 5, 9, 11]))[ONE] == pytest.approx(1.2533 * 10 / 6)


def test_the_factors_are_those_of_the_normal_distribution() -> None:
    assert pytest.approx(1 / statistics.NormalDist().inv_cdf(0.75), abs=1e-4) == robust.MAD_TO_DEVIATION
    assert pytest.approx(math.sqrt(math.pi / 2), abs=1e-4) == robust.MEAN_TO_DEVIATION


def test_spread_is_the_mad_or_else_the_mean_deviation_or_else_unknown() -> None:
    spread = robust.spread(pd.Series([2.0, 0.0, 0.0]), pd.Series([7.0, 3.0, 0.0]))
    assert spread[:2].tolist() == [2.0, 3.0]
    assert math.isnan(spread[2])


def test_modified_z_of_a_worked_example() -> None:
    """0.6745 (35 - 12) / 1, as Iglewicz and Hoaglin write it."""
    scores = robust.modified_z(pd.Series([35.0, 12.0, 10.0]), 12.0, robust.MAD_TO_DEVIATION * 1.0)
    assert scores.tolist() == pytest.approx([0.6745 * 23, 0, -2 * 0.6745], abs=1e-3)


def test_modified_z_is_unknown_where_anything_is() -> None:
    nan = float("nan")
    values, median, spread = pd.Series([nan, 1.0, 1.0]), pd.Series([0.0, nan, 0.0]), pd.Series([1.0, 1.0, nan])
    assert robust.modified_z(values, median, spread).isna().all()


@given(samples)
def test_scaled_mad_is_that_of_the_definition(values: list[float]) -> None:
    centre = statistics.median(values)
    expected = 1.4826 * statistics.median(abs(value - centre) for value in values)
    assert robust.scaled_mad(*grouped(values))[ONE] == pytest.approx(expected)


@given(samples, st.integers(-500, 500), st.integers(1, 20))
def test_scaled_mad_does_not_feel_a_shift_and_follows_a_scale(values: list[float], shift: int, scale: int) -> None:
    moved = robust.scaled_mad(*grouped([scale * value + shift for value in values]))[ONE]
    assert moved == pytest.approx(scale * robust.scaled_mad(*grouped(values))[ONE])


@given(st.lists(st.integers(0, 30).map(float), min_size=9, max_size=30))
def test_a_few_wild_values_do_not_carry_the_mad_away(values: list[float]) -> None:
    """Fewer than half the values may be anything at all: the breakdown point is 50 %."""
    wild = values + [1e9] * ((len(values) - 1) // 2)
    assert robust.scaled_mad(*grouped(wild))[ONE] <= 1.4826 * 30


@given(samples)
def test_the_mean_deviation_is_0_only_if_all_are_equal(values: list[float]) -> None:
    assert (robust.scaled_mean_deviation(*grouped(values))[ONE] == 0) == (len(set(values)) == 1)
