"""Ratios of estimates of two groups, on the log scale, with the same robust covariance as differences."""

import numpy as np

from analysis.errors import ModelError
from analysis.stats.influence import Interval, Linear, difference


def logarithm(quantity: Linear) -> Linear:
    """Logarithms of q positive estimates with their influence.

    Raises
    ------
    ModelError
        If an estimate is not above 0.

    Source
    ------
    The delta method: the influence divided by the estimate.
    """
    if not (quantity.estimate > 0).all():
        raise ModelError("a ratio needs estimates above 0 in both groups.")
    scaled = quantity.influence / quantity.estimate
    return Linear(np.log(quantity.estimate), scaled, quantity.cluster, quantity.notes)


def log_ratio(quantity: Linear, reference: Linear) -> Linear:
    """Logarithms of the q ratios `quantity` / `reference` of two groups of subjects; clusters may span them.

    Raises
    ------
    ModelError
        If an estimate is not above 0, or the two cannot be combined (see `influence.combine`).
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
