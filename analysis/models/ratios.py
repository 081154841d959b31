"""Ratios of hazards or rates from their logarithms, and chi-square tests, as estimates of the plan."""

import math

import numpy as np
from scipy.special import ndtr

from analysis.errors import ModelError
from analysis.results import Estimate
from analysis.stats.influence import ChiSquare
from analysis.stats.intervals import interval


def ratio_estimate(
    name: str, log_ratio: float, se: float, *, level: float, labels: dict[str, str]
) -> Estimate:
    """A ratio with Wald limits from its logarithm, and the two-sided normal test that it is 1.

    Parameters
    ----------
    name : str
        What the estimate is called.
    log_ratio, se : float
        Natural logarithm of the ratio and its standard error.
    level : float
        Confidence level.
    labels : dict
        Where the estimate stands.

    Raises
    ------
    ModelError
        If the ratio is 0 or infinite, or its logarithm has no standard error or one of zero.

    Source
    ------
    Wald interval and test on the scale of the logarithm.
    """
    measure = name.replace("_", " ")
    if not math.isfinite(log_ratio):
        raise ModelError(f"the {measure} has no finite estimate, as when an arm has no event.")
    if not se > 0:
        raise ModelError(f"the log {measure} has no family-robust standard error above zero.")
    limits, z = interval(np.array([log_ratio]), np.array([se]), level=level), log_ratio / se
    return Estimate(
        name,
        math.exp(log_ratio),
        low=float(np.exp(limits.low[0])),
        high=float(np.exp(limits.high[0])),
        level=level,
        statistic=z,
        p=float(2 * ndtr(-abs(z))),
        labels=labels,
    )


def chi_square_estimate(name: str, test: ChiSquare, labels: dict[str, str]) -> Estimate:
    """A chi-square test: the statistic with its degrees of freedom and P."""
    return Estimate(name, test.statistic, df=test.df, statistic=test.statistic, p=test.p, labels=labels)
