"""Recruitment still to come, from sites with Poisson rates of their own that a window of time tells of."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import betainc
from scipy.stats import nbinom

from analysis.errors import ModelError
from analysis.stats.at_risk import FloatArray

# Where a search for a quantile gives up: so many times the window the rates are known from.
FARTHEST = 1e15


@dataclass(frozen=True, slots=True)
class Predicted:
    """Median and limits of the predictive distribution."""

    median: float
    low: float
    high: float
    level: float


@dataclass(frozen=True, slots=True)
class Rates:
    """What is known of the sites' rates: rate i is gamma with shape `shape[i]` and rate `exposure[i]`.

    Sites observed for the same time add to one whose shape is their sum.
    """

    shape: FloatArray
    exposure: FloatArray


def posterior_rates(events: Sequence[int], exposure: Sequence[float], *, prior_shape: float) -> Rates:
    """Rates of the sites given what they recruited in the time they were open.

    Parameters
    ----------
    events : sequence of int, (k,)
        Units recruited by each site.
    exposure : sequence of float, (k,)
        Time in which it could, in any unit.
    prior_shape : float
        Shape of the improper gamma prior of each rate; 1/2 is that of Jeffreys, 0 leaves the data alone.

    Raises
    ------
    ModelError
        If there is no site, a time is not positive, a number negative, or nobody can come at all.

    Source
    ------
    Anisimov & Fedorov (2007), Stat. Med. 26:4958: posterior gamma(alpha + k_i, beta + tau_i), here with
    beta = 0.
    """
    n, time = np.asarray(events, float), np.asarray(exposure, float)
    if n.size == 0 or n.shape != time.shape or not (time > 0).all() or not (n >= 0).all():
        raise ModelError("recruitment is predicted from at least one site, open for some time.")
    shape = n + prior_shape
    if not shape.sum() > 0:
        raise ModelError("nobody was recruited in the time from which the rate is taken.")
    times = np.unique(time[shape > 0])  # a rate known to be zero adds nobody
    return Rates(np.array([shape[time == each].sum() for each in times]), times)


def chance_of_recruiting(rates: Rates, wanted: int, time: float) -> float:
    """Probability that at least `wanted` units come within a time from now.

    Parameters
    ----------
    rates : Rates
        From `posterior_rates`.
    wanted : int
        Units still to come.
    time : float
        In the unit of the exposure.

    Raises
    ------
    ModelError
        If the time is negative.

    Source
    ------
    Anisimov & Fedorov (2007): the number that comes is a sum of negative binomial numbers, added
    up exactly; for one time of observation, the Pearson VI distribution of the time until `wanted` have come.
    """
    if time < 0:
        raise ModelError("recruitment is predicted forward in time.")
    if wanted <= 0:
        return 1.0
    if time == 0:
        return 0.0
    if rates.shape.size == 1:
        return float(betainc(wanted, rates.shape[0], time / (time + rates.exposure[0])))
    return float(np.clip(1 - _masses(rates, time, wanted).sum(), 0.0, 1.0))


def time_to_recruit(rates: Rates, wanted: int, *, level: float) -> Predicted:
    """Time until `wanted` more units have come, in the unit of the exposure.

    Raises
    ------
    ModelError
        If nobody is wanted, or the level is not between 0 and 1.

    Source
    ------
    Anisimov & Fedorov (2007); limits cut off equal tails.
    """
    _check_level(level)
    if wanted < 1:
        raise ModelError("there is no time until nobody more has come.")
    quantiles = [_time_quantile(rates, wanted, share) for share in (0.5, *_tails(level))]
    return Predicted(*quantiles, level)


def number_recruited(rates: Rates, time: float, *, level: float) -> Predicted:
    """Number of units that come within a time; each quantile is the smallest number with so much below it.

    Raises
    ------
    ModelError
        If the time is negative or the level is not between 0 and 1.

    Source
    ------
    Anisimov & Fedorov (2007); limits cut off at most equal tails.
    """
    _check_level(level)
    shares = (0.5, *_tails(level))
    return Predicted(*(float(_number_quantile(rates, time, share)) for share in shares), level)


def _check_level(level: float) -> None:
    if not 0 < level < 1:
        raise ModelError("the level of a prediction must lie between 0 and 1.")


def _tails(level: float) -> tuple[float, float]:
    return (1 - level) / 2, (1 + level) / 2


def _masses(rates: Rates, time: float, n: int) -> FloatArray:
    """Probabilities of 0 to n - 1 units, (n,)."""
    at, found = np.arange(n), np.ones(1)
    for shape, exposure in zip(rates.shape, rates.exposure, strict=True):
        found = np.convolve(found, nbinom.pmf(at, shape, exposure / (exposure + time)))[:n]
    return found


def _time_quantile(rates: Rates, wanted: int, share: float) -> float:
    def over(log_time: float) -> float:
        return chance_of_recruiting(rates, wanted, float(np.exp(log_time))) - share

    first = np.log(wanted * rates.exposure.max() / rates.shape.sum())
    low, high = first - 1, first + 1
    while over(low) > 0:
        low -= 2
    while over(high) < 0:
        high += 2
        if high > first + np.log(FARTHEST):
            return float("inf")
    return float(np.exp(brentq(over, low, high, xtol=1e-13, rtol=1e-13)))


def _number_quantile(rates: Rates, time: float, share: float) -> int:
    """By halving: the chance of more than n falls with n."""

    def is_enough(n: int) -> bool:
        return 1 - chance_of_recruiting(rates, n + 1, time) >= share

    high = 1
    while not is_enough(high):
        high *= 2
    low = -1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return high
