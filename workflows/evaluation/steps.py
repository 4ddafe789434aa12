"""Steps: where the level of a series of numbers changes for good, told from noise and from single outliers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Numbers = np.ndarray[Any, np.dtype[np.float64]]

_ROUNDING = 1e-9
"""The share of a value below which a difference is one of rounding."""
_SIGNIFICANT = 0.003
"""How often noise alone may look like a step that is kept."""
_SHUFFLES = 1999
_FEWEST = 4
"""Points below which nothing is known of the noise."""


@dataclass(frozen=True)
class Limits:
    """How much a level must change: by more than both of these."""

    absolute: float = 0.0
    relative: float = 0.0
    """A share of the level before: 0.05 is 5 %."""

    def passed(self, before: float, after: float) -> bool:
        """Whether a change is more than the limits, and more than rounding."""
        limit = max(self.absolute, self.relative * abs(before))
        return abs(after - before) > limit + _ROUNDING * max(abs(before), abs(after))


@dataclass(frozen=True)
class Step:
    """One change of the level."""

    at: int
    """The place of the first value of the new level."""
    before: float
    """The median from the last step to this one."""
    after: float
    """The median from this step to the next."""

    @property
    def difference(self) -> float:
        """After less before."""
        return self.after - self.before


def steps(values: Sequence[float | None], limits: Limits | None = None) -> list[Step]:
    """The steps of a series, in order; None is no value and is passed over.

    Most code is deterministic, so its measures do not move unless something changed: where most values repeat the one
    before, each change is a step, at once. Anything else is noise, in which steps are found by PELT (R. Killick,
    P. Fearnhead, I. A. Eckley, "Optimal detection of changepoints with a linear computational cost", JASA 107, 2012; the
    library is ruptures: C. Truong, L. Oudre, N. Vayatis, "Selective review of offline change point detection methods",
    Signal Processing 167, 2020), with a penalty from the noise between neighbours. Of these, those are kept that a
    permutation test between the two levels finds significant, as in e-divisive (D. S. Matteson, N. A. James, "A
    nonparametric approach for multiple change point analysis of multivariate data", JASA 109, 2014).

    A single value that leaves a level and comes back to it is an outlier and no step. Of fewer than four values nothing
    is said. The same series always has the same steps.
    """
    limits = limits or Limits()
    places = [place for place, value in enumerate(values) if value is not None]
    series = [float(value) for value in values if value is not None]
    if len(series) < _FEWEST:
        return []
    calm = _without_outliers(series, limits)
    found = _starts(calm, limits) if _is_exact(series, calm, limits) else _noisy(series)
    return [Step(places[step.at], step.before, step.after) for step in _levels(series, found, limits)]


def outliers(values: Sequence[float | None], limits: Limits | None = None) -> list[int]:
    """The places of the values that leave a series without noise and come back at once."""
    limits = limits or Limits()
    places = [place for place, value in enumerate(values) if value is not None]
    series = [float(value) for value in values if value is not None]
    calm = _without_outliers(series, limits)
    if len(series) < _FEWEST or not _is_exact(series, calm, limits):
        return []
    return [place for place, value, other in zip(places, series, calm, strict=True) if value != other]


def _without_outliers(series: Sequence[float], limits: Limits) -> list[float]:
    """The series with each value between two of the same level, and unlike them, put onto it."""
    calm = list(series)
    for at in range(1, len(series) - 1):
        before, after = calm[at - 1], series[at + 1]
        if not limits.passed(before, after) and limits.passed(before, series[at]):
            calm[at] = before
    return calm


def _starts(series: Sequence[float], limits: Limits) -> list[int]:
    """Where a value differs from the level of those before it."""
    starts, first = [], 0
    for at in range(1, len(series)):
        if limits.passed(median(series[first:at]), series[at]):
            starts.append(at)
            first = at
    return starts


def _is_exact(series: Sequence[float], calm: Sequence[float], limits: Limits) -> bool:
    """Whether a series has no noise: it stays on each of its levels for a while, and outliers are rare.

    Counts, too, repeat their neighbours often, but what they leave their usual number for lasts but one value.
    """
    strays = sum(value != other for value, other in zip(series, calm, strict=True))
    most = len(series) - 1
    return strays <= max(1, most / 20) and strays + len(_starts(calm, limits)) <= most / 3


def _levels(series: Sequence[float], starts: Iterable[int], limits: Limits) -> list[Step]:
    """The steps at these places that are more than the limits."""
    kept = list(starts)
    while True:
        edges = [0, *kept, len(series)]
        levels = [median(series[a:b]) for a, b in pairwise(edges)]
        found = [Step(at, *both) for at, *both in zip(kept, levels, levels[1:], strict=False)]
        small = [step for step in found if not limits.passed(step.before, step.after)]
        if not small:
            return found
        kept.remove(min(small, key=lambda step: abs(step.difference)).at)


def _noisy(series: Sequence[float]) -> list[int]:
    """The places of the steps in a series with noise."""
    import numpy as np
    import ruptures

    numbers = np.asarray(series)
    noise = _noise(numbers)
    # What is far from its neighbours counts as no more than that, lest one value alone is worth two steps.
    near = np.array([np.median(numbers[max(at - 2, 0) : at + 3]) for at in range(len(numbers))])
    calm = np.clip(numbers, near - 3 * noise, near + 3 * noise) / noise
    penalty = 3 * np.log(len(calm))
    found = ruptures.KernelCPD(kernel="linear", min_size=2).fit(calm.reshape(-1, 1)).predict(pen=penalty)
    return _significant(calm, found[:-1])


def _noise(numbers: Numbers) -> float:
    """The standard deviation of the noise, from the differences between neighbours, few of which are steps."""
    import numpy as np

    differences = np.abs(np.diff(numbers))
    middle = float(np.median(differences)) * 1.4826
    return (middle or float(differences.mean()) * 1.2533) / 2**0.5


def _significant(numbers: Numbers, starts: Sequence[int]) -> list[int]:
    """The steps that remain when, again and again, the least significant one is dropped."""
    kept = list(starts)
    while kept:
        edges = [0, *kept, len(numbers)]
        chances = [_chance(numbers[edges[n] : edges[n + 2]], edges[n + 1] - edges[n]) for n in range(len(kept))]
        worst = max(range(len(kept)), key=chances.__getitem__)
        if chances[worst] <= _SIGNIFICANT:
            break
        del kept[worst]
    return kept


def _chance(numbers: Numbers, at: int) -> float:
    """How often a shuffled series has anywhere a step that is as clear as this one is at its place."""
    import numpy as np

    shuffled = np.random.default_rng(0).permuted(np.tile(numbers, (_SHUFFLES, 1)), axis=1)
    clear = _clearness(shuffled).max(axis=1)
    own = _clearness(numbers.reshape(1, -1))[0, at - 1]
    return float(1 + (clear >= own * (1 - _ROUNDING)).sum()) / (1 + _SHUFFLES)


def _clearness(rows: Numbers) -> Numbers:
    """For each row and each place to part it, how far apart the means are, in units of what noise would make of them."""
    import numpy as np

    size = rows.shape[1]
    before = np.arange(1, size)
    sums = np.cumsum(rows - rows.mean(axis=1, keepdims=True), axis=1)[:, :-1]
    found: Numbers = np.abs(sums) * np.sqrt(size / (before * (size - before)))
    return found
