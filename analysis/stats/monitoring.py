"""What an interim result promises, and what may be said of the effect once a trial has stopped early."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import ndtri

from analysis.errors import ModelError
from analysis.stats.at_risk import FloatArray
from analysis.stats.sequential import Walk, check_information, crossing


def conditional_power(
    z: float,
    information: float,
    *,
    future_critical: ArrayLike,
    future_information: Sequence[float],
    effect: float,
    sided: int = 1,
) -> float:
    """Probability of crossing a boundary at one of the analyses to come, given the interim z.

    Parameters
    ----------
    z, information : float
        Statistic and information of the interim analysis.
    future_critical, future_information : (K,)
        Critical values and information of the analyses to come.
    effect : float
        Effect from here on: the current estimate, that of the design, or 0.
    sided : 1 or 2
        Whether crossing below counts as well.

    Raises
    ------
    ModelError
        If the information does not rise.

    Source
    ------
    Lan & Wittes (1988), Biometrics 44:579; Jennison & Turnbull (2000), chapter 10.
    """
    return float(
        sum(
            conditional_crossing(
                z,
                information,
                future_critical=future_critical,
                future_information=future_information,
                effect=effect,
                sided=sided,
            )
        )
    )


def conditional_crossing(
    z: float,
    information: float,
    *,
    future_critical: ArrayLike,
    future_information: Sequence[float],
    effect: float,
    sided: int = 1,
) -> tuple[float, float]:
    """Conditional power in two parts: of crossing above, and of crossing below.

    Parameters and errors as in `conditional_power`.

    Source
    ------
    Lan & Wittes (1988), Biometrics 44:579.
    """
    check_information([information, *future_information])
    start = Walk(effect, information, np.array([z * np.sqrt(information)]))
    found = crossing(future_critical, future_information, effect=effect, sided=sided, start=start)
    return float(found.upper.sum()), float(found.lower.sum())


def predictive_power(
    z: float,
    information: float,
    *,
    future_critical: ArrayLike,
    future_information: Sequence[float],
    sided: int = 1,
) -> float:
    """Conditional power averaged over what the interim result says of the effect, under a flat prior.

    Parameters and errors as in `conditional_power`.

    Source
    ------
    Spiegelhalter, Freedman & Blackburn (1986), Controlled Clinical Trials 7:8.
    """
    return float(
        sum(
            predictive_crossing(
                z,
                information,
                future_critical=future_critical,
                future_information=future_information,
                sided=sided,
            )
        )
    )


def predictive_crossing(
    z: float,
    information: float,
    *,
    future_critical: ArrayLike,
    future_information: Sequence[float],
    sided: int = 1,
) -> tuple[float, float]:
    """Predictive power in two parts: of crossing above, and of crossing below.

    Parameters and errors as in `conditional_power`.

    Source
    ------
    Spiegelhalter, Freedman & Blackburn (1986), Controlled Clinical Trials 7:8.
    """
    check_information([information, *future_information])
    estimate, walk, above, below = z / np.sqrt(information), Walk(), 0.0, 0.0
    # Given what is there the estimates to come have independent increments of variance 1 / I - 1 / I'.
    for bound, then in zip(np.asarray(future_critical, dtype=float), future_information, strict=True):
        spread = 1 / information - 1 / then
        edge, root = bound / np.sqrt(then), np.sqrt(spread)
        upper, lower = (edge - estimate) / root, (-edge - estimate) / root
        above += walk.above(spread, upper)
        below += walk.below(spread, lower) if sided == 2 else 0.0
        walk = walk.step(spread, upper=upper, lower=lower if sided == 2 else None)
    return float(above), float(below)


@dataclass(frozen=True, slots=True)
class Adjusted:
    """Stagewise estimate, limits and one-sided P after a group-sequential trial has stopped."""

    estimate: float
    low: float
    high: float
    p: float
    level: float


def stagewise(
    z: float,
    *,
    critical: ArrayLike,
    information: Sequence[float],
    level: float = 0.95,
    sided: int = 1,
) -> Adjusted:
    """Median-unbiased estimate, interval and P of a trial that stopped at its last analysis here.

    Results are ordered by the analysis at which the trial stopped, an earlier crossing above being the more
    extreme, and by z within it. The limits are the effects whose one-sided P is half of 1 - `level`, the
    estimate that whose P is a half: the bias and the short interval of the naive estimate are gone.

    Parameters
    ----------
    z : float
        Statistic of the analysis at which the trial stopped.
    critical : (K - 1,) or (K,)
        Critical values of the analyses before it; one for the last is ignored.
    information : (K,)
        Information of the analyses up to it.
    level : float
        Level of the interval.
    sided : 1 or 2
        Whether the trial would also have stopped below.

    Raises
    ------
    ModelError
        If the information does not rise, or critical values are lacking.

    Source
    ------
    Tsiatis, Rosner & Mehta (1984), Biometrics 40:797; Jennison & Turnbull (2000), section 8.4.
    """
    info, bounds = check_information(information), np.asarray(critical, dtype=np.float64)
    if bounds.size < info.size - 1:
        raise ModelError("give the critical value of every analysis before the last.")
    before = bounds[: info.size - 1]

    def tail(effect: float) -> float:
        return _more_extreme(effect, z, before, info, sided)

    centre, reach = z / np.sqrt(info[-1]), 12 / np.sqrt(info[0])

    def effect_of(p: float) -> float:
        return float(brentq(lambda effect: tail(effect) - p, centre - reach, centre + reach, xtol=1e-13))

    half = (1 - level) / 2
    return Adjusted(effect_of(0.5), effect_of(half), effect_of(1 - half), tail(0.0), level)


def _more_extreme(effect: float, z: float, before: FloatArray, info: FloatArray, sided: int) -> float:
    """Probability under an effect of an outcome at least as far above."""
    passed = crossing(before, info[:-1], effect=effect, sided=sided) if before.size else None
    walk = Walk(effect)
    for each, bound in zip(info, before, strict=False):
        walk = walk.step(each, upper=bound, lower=-bound if sided == 2 else None)
    return (float(passed.upper.sum()) if passed else 0.0) + walk.above(info[-1], z)


@dataclass(frozen=True, slots=True)
class Design:
    """Information that a design needs, and the effect it was planned for on the scale of the estimate."""

    maximum_information: float
    effect: float
    power: float


def design_information(
    fractions: Sequence[float], critical: ArrayLike, *, effect: float, power: float, sided: int = 1
) -> Design:
    """Maximum information with which the boundaries have this power against an effect.

    Parameters
    ----------
    fractions, critical : (K,)
        Fractions of the maximum at the planned analyses, and their critical values.
    effect : float
        Effect of the alternative, not 0; of a two-sided test its sign does not matter.
    power : float
        Between the level of the test and 1.

    Raises
    ------
    ModelError
        If the effect is 0, or no information within reach has this power.

    Source
    ------
    Jennison & Turnbull (2000), section 7.2.
    """
    if not effect or not 0 < power < 1:
        raise ModelError("a design needs an effect that is not 0 and a power between 0 and 1.")
    planned = check_information(fractions)

    def shortfall(drift: float) -> float:
        found = crossing(critical, planned, effect=drift, sided=sided)
        return float(found.upper.sum() + found.lower.sum()) - power

    if shortfall(0.0) >= 0:
        raise ModelError("the boundaries have that power without any effect.")
    drift = float(brentq(shortfall, 0.0, 40.0, xtol=1e-13))
    return Design(float((drift / effect) ** 2), effect, power)


def haybittle_peto(analyses: int, *, alpha: float, interim: float, sided: int = 1) -> FloatArray:
    """Critical values (K,): `interim` at every analysis before the last, the unadjusted one at the last.

    The level is then slightly above `alpha`, by convention.

    Raises
    ------
    ModelError
        If there is no analysis.

    Source
    ------
    Haybittle (1971), British Journal of Radiology 44:793; Peto et al. (1976), British Journal of Cancer
    34:585.
    """
    if analyses < 1:
        raise ModelError("a trial has at least one analysis.")
    return np.append(np.full(analyses - 1, interim), -ndtri(alpha / sided))
