"""Ratio of two Poisson rates with exact limits, for events too few for a model."""

from dataclasses import dataclass

import numpy as np
from scipy.special import betaincinv

from analysis.errors import ModelError


@dataclass(frozen=True, slots=True)
class RateRatio:
    """Ratio of two rates with its limits; the estimate or a limit is infinite where the second arm's or all
    its events are wanting, and not a number where there is no event at all."""

    estimate: float
    low: float
    high: float


def exact_rate_ratio(
    events_1: int, time_1: float, events_0: int, time_0: float, *, level: float = 0.95
) -> RateRatio:
    """(events_1 / time_1) / (events_0 / time_0) with a two-sided exact interval.

    Parameters
    ----------
    events_1, events_0 : events of each arm, whole numbers, taken as independent.
    time_1, time_0 : time under observation of each arm, in one unit.
    level : confidence level, at least which the interval holds.

    Raises
    ------
    ModelError : an arm without time, or a negative number of events.

    Source
    ------
    Given their sum, events_1 are binomial with odds ratio * time_1 / time_0; limits of Clopper & Pearson
    (1934), Biometrika 26:404-413. Lehmann & Romano (2005), Testing Statistical Hypotheses, section 4.5.
    """
    if not (time_1 > 0 and time_0 > 0) or min(events_1, events_0) < 0:
        raise ModelError("a ratio of rates needs time under observation in both arms.")
    total, alpha = events_1 + events_0, (1 - level) / 2
    if total == 0:
        return RateRatio(np.nan, 0.0, np.inf)
    low = betaincinv(events_1, events_0 + 1, alpha) if events_1 else 0.0
    high = betaincinv(events_1 + 1, events_0, 1 - alpha) if events_0 else 1.0
    scale = time_0 / time_1
    odds = [share / (1 - share) * scale if share < 1 else np.inf for share in (low, high)]
    estimate = events_1 / events_0 * scale if events_0 else np.inf
    return RateRatio(float(estimate), float(odds[0]), float(odds[1]))
