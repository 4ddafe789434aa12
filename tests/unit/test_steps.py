"""Steps in series of numbers: found where they are, and not where only noise is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflows.evaluation.steps import Limits, Step, outliers, steps

levels = st.floats(-1e6, 1e6).map(lambda value: round(value, 3))


@given(level=levels, other=levels, before=st.integers(3, 40), after=st.integers(1, 40))
def test_the_one_jump_of_a_constant_series_is_its_one_step(level: float, other: float, before: int, after: int) -> None:
    found = steps([level] * before + [other] * after)
    assert found == ([Step(before, level, other)] if level != other else [])


@given(level=levels, size=st.integers(0, 200))
def test_a_constant_series_has_no_step(level: float, size: int) -> None:
    assert steps([level] * size) == []


@given(changes=st.lists(st.integers(4, 12), min_size=1, max_size=12))
def test_every_change_of_a_series_without_noise_is_a_step_at_its_place(changes: list[int]) -> None:
    series = [float(number) for number, size in enumerate(changes) for _ in range(size)]
    assert [step.at for step in steps(series)] == list(np.cumsum(changes)[:-1])


def test_two_commits_in_a_row_may_both_be_steps() -> None:
    assert [step.at for step in steps([1.0] * 10 + [2.0] + [3.0] * 9)] == [10, 11]


def test_a_level_that_is_left_and_taken_up_again_has_two_steps() -> None:
    assert [step.at for step in steps([1.0] * 8 + [2.0] * 3 + [1.0] * 9)] == [8, 11]


@given(at=st.integers(1, 28), size=st.floats(-1e6, 1e6))
def test_a_single_outlier_is_no_step(at: int, size: float) -> None:
    series = [5.0] * 30
    series[at] = size
    assert steps(series) == []


def test_levels_may_come_again_and_again() -> None:
    sizes = [(0.5, 12), (0.3, 5), (2.0, 2), (0.5, 9), (4.2, 2), (0.5, 6), (2.0, 1), (4.2, 7), (0.3, 2), (0.5, 14)]
    series = [level for level, size in sizes for _ in range(size)]
    assert [step.at for step in steps(series)] == list(np.cumsum([size for _, size in sizes])[:-1])


def test_a_single_outlier_is_told() -> None:
    assert outliers([1.0, 1.0, None, 7.0, 1.0, 1.0, 2.0, 2.0]) == [3]


@pytest.mark.parametrize("series", [[], [1.0], [1.0, 2.0], [1.0, 2.0, 3.0], [1.0, 1.0, 2.0], [1.0, 2.0, 1.0, 3.0]])
def test_nothing_is_said_of_too_few_values(series: list[float]) -> None:
    assert (steps(series), outliers(series)) == ([], [])


def test_four_values_are_enough_where_three_are_the_same() -> None:
    assert steps([1.0, 1.0, 1.0, 2.0]) == [Step(3, 1.0, 2.0)]


def test_no_value_is_passed_over() -> None:
    assert steps([None, 1.0, 1.0, None, 1.0, None, 2.0, None, 2.0]) == [Step(6, 1.0, 2.0)]
    assert steps([None] * 20) == []


def test_rounding_is_no_step() -> None:
    assert steps([0.3] * 5 + [0.1 + 0.2] * 5) == []


def test_a_change_within_the_limits_is_no_step() -> None:
    series = [100.0] * 5 + [104.0] * 5
    assert steps(series, Limits(relative=0.05)) == []
    assert steps(series, Limits(absolute=5)) == []
    assert steps(series, Limits(absolute=3, relative=0.01)) == [Step(5, 100.0, 104.0)]


def test_a_drift_within_the_limits_is_a_step_when_it_passes_them() -> None:
    series = [100.0] * 10 + [103.0] * 4 + [106.0] * 10
    assert [step.at for step in steps(series, Limits(relative=0.05))] == [14]


KINDS: dict[str, Callable[[np.random.Generator, int], Any]] = {
    "normal": lambda random, size: random.normal(size=size),
    "uniform": lambda random, size: random.random(size),
    "exponential": lambda random, size: random.exponential(size=size),
    "heavy tails": lambda random, size: random.standard_t(3, size=size),
}


def noise(kind: str, size: int, seed: int) -> list[float]:
    return list(10 + KINDS[kind](np.random.default_rng(seed), size))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [5, 12, 50])
def test_noise_has_a_step_in_less_than_one_of_thirty_series(kind: str, size: int) -> None:
    alarms = sum(bool(steps(noise(kind, size, seed))) for seed in range(150))
    assert alarms <= 5


def test_counts_with_noise_rarely_have_a_step() -> None:
    alarms = sum(bool(steps(list(map(float, np.random.default_rng(n).poisson(3, 60))))) for n in range(100))
    assert alarms <= 5


@pytest.mark.parametrize(("size", "at"), [(12, 6), (20, 10), (20, 17), (100, 50), (100, 97)])
def test_a_step_of_five_times_the_noise_is_found_in_nine_of_ten_series(size: int, at: int) -> None:
    found = [places(size, at, seed) for seed in range(60)]
    assert sum(at in some for some in found) >= 54
    assert sum(any(abs(other - at) > 1 for other in some) for some in found) <= 2


def places(size: int, at: int, seed: int) -> list[int]:
    series = np.array(noise("normal", size, seed))
    series[at:] += 5
    return [step.at for step in steps(list(series))]


def test_up_and_down_again_are_both_found_in_noise() -> None:
    series = np.array(noise("normal", 100, 7))
    series[45:55] += 8
    assert [step.at for step in steps(list(series))] == [45, 55]


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10_000), at=st.integers(2, 37))
def test_an_outlier_in_noise_is_no_step(seed: int, at: int) -> None:
    series = noise("uniform", 40, seed)
    series[at] += 1000
    plain = steps(noise("uniform", 40, seed))
    assert [step.at for step in steps(series)] == [step.at for step in plain]


@settings(deadline=None)
@given(series=st.lists(st.one_of(st.none(), st.floats(-1e9, 1e9)), max_size=40))
def test_any_series_has_ordered_steps_at_values(series: Sequence[float | None]) -> None:
    found = steps(series)
    assert [step.at for step in found] == sorted({step.at for step in found})
    assert all(series[step.at] is not None and step.before != step.after for step in found)


def test_the_same_series_has_the_same_steps() -> None:
    assert steps(noise("normal", 80, 3)) == steps(noise("normal", 80, 3))
