"""Risk difference of two independent binomial samples, with exact, mid-P and score intervals."""

from collections.abc import Iterator
from dataclasses import dataclass
from operator import index
from typing import Literal, SupportsIndex, get_args

import numpy as np

from analysis.errors import ModelError
from analysis.stats.score_statistic import lower_score_limit
from analysis.stats.unconditional import OneSidedTest, smallest_not_rejected

Method = Literal["exact", "mid-p", "score"]


@dataclass(frozen=True, slots=True)
class RiskDifference:
    """Difference of two risks with a confidence interval.

    Attributes
    ----------
    estimate : p1 - p0, not a number when an arm is empty.
    low, high : limits of the interval, within [-1, 1]; not a number when an arm is empty.
    level : confidence level.
    method : ``"exact"``, ``"mid-p"`` or ``"score"``.
    notes : what a reader of the interval has to know about these data; usually empty.
    """

    estimate: float
    low: float
    high: float
    level: float
    method: Method
    notes: tuple[str, ...] = ()


def risk_difference(
    events_1: SupportsIndex,
    n_1: SupportsIndex,
    events_0: SupportsIndex,
    n_0: SupportsIndex,
    *,
    method: Method = "mid-p",
    level: float = 0.95,
) -> RiskDifference:
    """Risk difference p1 - p0 of two independent binomials, with a two-sided interval.

    Parameters
    ----------
    events_1, n_1 : units with the event and all units of arm 1, whole numbers.
    events_0, n_0 : the same of arm 0.
    method : ``"exact"`` inverts two one-sided unconditional tests of size (1 - level) / 2 that order the
        tables by the score statistic and take the largest tail probability over the nuisance parameter, so
        that coverage is never below `level`; ``"mid-p"`` counts half the probability of the observed score
        and is as close to exact as a maximum over the nuisance parameter leaves it; ``"score"`` is the
        asymptotic interval of Miettinen & Nurminen.
    level : confidence level.

    Returns
    -------
    RiskDifference. Exact and mid-P limits are at most 1e-7 from the limits defined by the cited equations.

    Raises
    ------
    ModelError : counts that are not whole numbers with 0 <= events <= n, an unknown method, or a level that
        is not between 0 and 1.

    Source
    ------
    Exact: Chan & Zhang (1999), Biometrics 55:1202-1209, two one-sided tests (the *tail method*, not the one
    two-sided test of Agresti & Min 2001, Biometrics 57:963-971). Mid-P: Fay & Hunsberger (2021), Statistics
    Surveys 15:72-110, after Lancaster (1961), JASA 56:223-234. Score: Miettinen & Nurminen (1985), Statistics
    in Medicine 4:213-226, equations 8 and 9 and appendix I.
    """
    _check_options(method, level)
    x1, n1 = _checked_counts(events_1, n_1, arm=1)
    x0, n0 = _checked_counts(events_0, n_0, arm=0)
    if n1 == 0 or n0 == 0:
        return RiskDifference(np.nan, np.nan, np.nan, level, method, tuple(_notes(x1, n1, x0, n0)))
    alpha = (1 - level) / 2
    low = _lower_limit(x1, n1, x0, n0, method, alpha)
    # The upper limit is the lower one with the arms swapped, so that swapping them flips signs exactly.
    high = 0.0 - _lower_limit(x0, n0, x1, n1, method, alpha)
    return RiskDifference(x1 / n1 - x0 / n0, low, high, level, method, tuple(_notes(x1, n1, x0, n0)))


def _check_options(method: str, level: float) -> None:
    if method not in get_args(Method):
        raise ModelError(f"No interval '{method}' for a risk difference; use {', '.join(get_args(Method))}.")
    if not 0 < level < 1:
        raise ModelError(f"The level of a confidence interval is between 0 and 1, not {level}.")


def _checked_counts(events: SupportsIndex, n: SupportsIndex, *, arm: int) -> tuple[int, int]:
    try:
        counts = index(events), index(n)
    except TypeError:
        raise ModelError(f"Arm {arm} of a risk difference: events and n are whole numbers.") from None
    if not 0 <= counts[0] <= counts[1]:
        raise ModelError(f"Arm {arm} of a risk difference: events are between 0 and n.")
    return counts


def _notes(x1: int, n1: int, x0: int, n0: int) -> Iterator[str]:
    yield from (f"arm {arm} is empty: no difference" for arm, n in ((1, n1), (0, n0)) if n == 0)
    if n1 and n0 and x1 + x0 == 0:
        yield "no events in either arm: the interval follows from the sample sizes alone"
    if n1 and n0 and x1 + x0 == n1 + n0:
        yield "every unit of both arms had an event: the interval follows from the sample sizes alone"


def _lower_limit(x1: int, n1: int, x0: int, n0: int, method: Method, alpha: float) -> float:
    """Smallest difference that a one-sided test of size `alpha` does not reject; both arms have units."""
    if (x1, x0) == (0, n0):
        return -1.0
    score_limit = lower_score_limit(x1, n1, x0, n0, alpha=alpha)
    if method == "score":
        return score_limit
    weight_of_ties = 1.0 if method == "exact" else 0.5
    return smallest_not_rejected(OneSidedTest(x1, n1, x0, n0, alpha, weight_of_ties), score_limit)
