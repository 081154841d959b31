"""Ratios of estimates of two groups, on the log scale, with the same robust covariance as differences."""

import numpy as np

from analysis.stats.influence import Linear, difference
from analysis.stats.intervals import Interval


def logarithm(quantity: Linear) -> Linear:
    """Logarithms of q estimates with their influence; not-a-number, with a note, where one is not above 0.

    Source
    ------
    The delta method: the influence divided by the estimate.
    """
    value = np.where(quantity.estimate > 0, quantity.estimate, np.nan)
    notes = ("a ratio of a quantity that is 0 is not defined.",) if np.isnan(value).any() else ()
    return Linear(np.log(value), quantity.influence / value, quantity.cluster, quantity.notes + notes)


def log_ratio(quantity: Linear, reference: Linear) -> Linear:
    """Logarithms of the q ratios `quantity` / `reference` of two groups of subjects; clusters may span them.

    Raises
    ------
    ModelError
        If the two cannot be combined (see `influence.combine`).
    """
    return difference(logarithm(quantity), logarithm(reference))


def ratio_interval(log: Linear, *, level: float = 0.95) -> Interval:
    """Confidence limits, two arrays (q,), of the ratios whose logarithms are given.

    Raises
    ------
    ModelError
        If `level` does not lie between 0 and 1.
    """
    limits = log.interval(level=level)
    return Interval(np.exp(limits.low), np.exp(limits.high), level)
