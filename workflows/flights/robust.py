"""Robust statistics: centre, spread and outlier scores that a few wild values cannot move.

Groups are given by a Series of labels with the index of the values.
"""

from __future__ import annotations

from pandas import Series

FEWEST = 10  # values: the median and spread of fewer say too little of what is usual; a choice, not a published number

# Each factor makes its measure of spread estimate the standard deviation of normally distributed values.
MAD_TO_DEVIATION = 1.4826  # 1 / 0.6745, the upper quartile of the standard normal distribution
MEAN_TO_DEVIATION = 1.2533  # the square root of pi / 2


def deviations(values: Series, groups: Series) -> Series:
    """Each value minus the median of its group, in the unit of the values; NaN where the value is NaN."""
    return values - values.groupby(groups).transform("median")


def scaled_mad(values: Series, groups: Series) -> Series:
    """Scaled median absolute deviation of each group, in the unit of the values, indexed by group.

    0 if more than half of a group is one and the same value. Source: Rousseeuw and Croux, "Alternatives to the Median
    Absolute Deviation", Journal of the American Statistical Association 88 (1993), 1273-1283.
    """
    mad = deviations(values, groups).abs().groupby(groups).median()
    return MAD_TO_DEVIATION * mad


def scaled_mean_deviation(values: Series, groups: Series) -> Series:
    """Scaled mean absolute deviation from the median of each group, in the unit of the values, indexed by group.

    0 only if all values of a group are the same. Not robust: for use where the scaled MAD is 0.
    """
    mean = deviations(values, groups).abs().groupby(groups).mean()
    return MEAN_TO_DEVIATION * mean


def spread(mad: Series, mean_deviation: Series) -> Series:
    """The scaled MAD, or where that is 0 the scaled mean deviation, in the unit of both; NaN where both are 0.

    More than half equal values make the MAD 0, and every other value would be an outlier without limit. The way out is
    the one of IBM (Cognos Analytics, "Modified z score"): the mean absolute deviation from the median instead.
    """
    chosen = mad.where(mad > 0, mean_deviation)
    return chosen.where(chosen > 0)


def modified_z(values: Series, median: Series | float, spread: Series | float) -> Series:
    """Modified z-score of each value: how many deviations it is away from the median; positive above, no unit.

    Beyond 3.5 on either side a value is an outlier. NaN where the value, the median or the spread is NaN. Source:
    Iglewicz and Hoaglin, "How to Detect and Handle Outliers", ASQC Basic References in Quality Control 16 (1993).
    """
    return (values - median) / spread
