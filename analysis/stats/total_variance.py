"""The variance of one outcome under a mixed model, all its parts together, with limits by Satterthwaite."""

import math

from scipy.special import chdtri

from analysis.errors import ModelError
from analysis.stats.denominators import inverse_expected
from analysis.stats.reml import LinearFit
from analysis.stats.small_sample import Interval


def total_sd(fit: LinearFit, *, level: float = 0.95) -> Interval:
    """Root of the sum of all variances, with limits from a chi-squared of Satterthwaite's degrees of freedom.

    With nu = 2 s^4 / var(s^2), where s^2 is the sum of theta and its variance comes from the expected
    information, the limits of s^2 are nu s^2 / chi2(nu, 1 - alpha / 2) and nu s^2 / chi2(nu, alpha / 2). For
    independent rows they are the exact ones, with n - p degrees of freedom; for clusters of one size they are
    those of Satterthwaite for the mean squares between and within.

    Parameters
    ----------
    fit : a fit with a `random_intercept` or `exchangeable` covariance, whose parts add up.
    level : confidence level.

    Raises
    ------
    ModelError : the parameters of the covariance do not add up to one variance.

    Source
    ------
    Satterthwaite (1946), Biometrics Bulletin 2:110-114; Searle, Casella & McCulloch (1992), Variance
    Components, section 3.6.
    """
    if fit.structure not in ("random_intercept", "exchangeable"):
        raise ModelError(f"A {fit.structure} covariance has no single variance of an outcome.")
    total = float(fit.theta.sum())
    nu = 2.0 * total**2 / float(inverse_expected(fit).sum())
    tail = (1.0 - level) / 2.0
    # `chdtri` is the inverse of the upper tail.
    low, high = (math.sqrt(nu * total / float(chdtri(nu, share))) for share in (tail, 1.0 - tail))
    return Interval(math.sqrt(total), low, high, level)
