"""Kaplan-Meier, cumulative incidence and restricted mean: multi-state curves that leave state 0 once.

Gray's test and the Fine-Gray model, which have modules of their own, can be imported from here too.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from analysis.errors import ModelError
from analysis.stats.at_risk import FloatArray, IntArray, as_column, as_states
from analysis.stats.fine_gray import FineGrayFit, fine_gray
from analysis.stats.gray import GrayTest, gray_test
from analysis.stats.influence import Linear
from analysis.stats.intervals import IntervalKind
from analysis.stats.multistate import (
    Occupation,
    occupation_at,
    occupation_curve,
    occupation_of,
    time_in_state,
)
from analysis.stats.spells import single_spells

__all__ = [
    "FineGrayFit",
    "GrayTest",
    "Quantile",
    "SurvivalCurve",
    "cumulative_incidence",
    "fine_gray",
    "gray_test",
    "kaplan_meier",
    "rmst",
]

# R's tolerance for "the curve is exactly at this height".
LEVEL_TOLERANCE = float(np.sqrt(np.finfo(float).eps))


@dataclass(frozen=True, slots=True)
class Quantile:
    """A quantile of a survival time with limits; not-a-number where the curve does not reach it."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, eq=False)
class SurvivalCurve:
    """Kaplan-Meier estimate with m distinct event times.

    Attributes
    ----------
    time, survival, se, low, high : (m + 1,)
        Origin and event times; survival from then until the next; cluster-robust standard errors and limits.
    n_risk, n_event : (m,)
        Numbers at risk just before, and events at, each event time.
    kind, level : str, float
        Scale and coverage of the limits.
    occupation : Occupation
        The same curve as a two-state history.
    """

    time: FloatArray
    survival: FloatArray
    se: FloatArray
    low: FloatArray
    high: FloatArray
    n_risk: FloatArray
    n_event: FloatArray
    kind: IntervalKind
    level: float
    occupation: Occupation

    def at(self, times: ArrayLike) -> Linear:
        """Survival probabilities at k given times with their influence, quantities (k,)."""
        return occupation_at(self.occupation, times).select(slice(0, None, 2))

    def at_risk(self, times: ArrayLike) -> IntArray:
        """Number under observation and event-free just before each time, (k,)."""
        return self.occupation.at_risk(times)[:, 0]

    def quantile(self, share: float = 0.5) -> Quantile:
        """Time by which `share` have had the event, with limits read from the limits of the curve.

        A curve that is level exactly at 1 - `share` gives the midpoint of the level stretch, which ends at
        the last observation if there is no later event. This is R's convention.

        Raises
        ------
        ModelError
            If `share` does not lie between 0 and 1.

        Source
        ------
        R ``survival`` ``quantile.survfit``; limits: Brookmeyer & Crowley (1982), Biometrics 38:29.
        """
        if not 0 < share < 1:
            raise ModelError("a quantile of survival time needs a share between 0 and 1.")
        curves = (self.survival, self.low, self.high)
        last = self.occupation.last
        return Quantile(*(_crossing(self.time, 1 - curve, share, last) for curve in curves))


def kaplan_meier(
    time: ArrayLike,
    event: ArrayLike,
    *,
    entry: ArrayLike | None = None,
    cluster: ArrayLike | Sequence[Hashable] | None = None,
    interval: IntervalKind = "log-log",
    level: float = 0.95,
) -> SurvivalCurve:
    """Probability of no event by each time, with cluster-robust limits.

    Parameters
    ----------
    time, event : (n,)
        Time of event or censoring, and 1 or 0. A subject censored at an event time is still at risk at it.
    entry : (n,), optional
        Times of delayed entry.
    cluster : (n,), optional
        Labels of the independent units. Without labels the standard error equals Greenwood's.
    interval, level : str, float
        Scale (``plain``, ``log``, ``log-log`` or ``arcsine``) and coverage of the limits.

    Returns
    -------
    SurvivalCurve

    Raises
    ------
    ModelError
        Naming the row: a value is missing or out of range, or entry >= time.

    Source
    ------
    Kaplan & Meier (1958), J. Am. Stat. Assoc. 53:457; Andersen et al. (1993), ch. IV.3.
    """
    n = len(as_column(time, "time"))
    happened = as_states(event, "event", n=n, allowed=range(2))
    occupation = occupation_of(single_spells(time, happened, entry=entry, cluster=cluster), 2)
    curve = occupation_curve(occupation, kind=interval, level=level)
    n_risk = occupation.n_risk[:, 0]
    return SurvivalCurve(
        time=curve.time,
        survival=curve.prob[:, 0],
        se=curve.se[:, 0],
        low=curve.low[:, 0],
        high=curve.high[:, 0],
        n_risk=n_risk,
        n_event=np.rint(n_risk * occupation.integral.hazard[:, 0, 1]),
        kind=interval,
        level=level,
        occupation=occupation,
    )


def cumulative_incidence(
    time: ArrayLike,
    cause: ArrayLike,
    *,
    entry: ArrayLike | None = None,
    cluster: ArrayLike | Sequence[Hashable] | None = None,
    n_causes: int | None = None,
) -> Occupation:
    """Probability of an event of each cause by each time, the other causes competing.

    Parameters
    ----------
    time : (n,)
        Time of the event or of censoring.
    cause : (n,)
        0 when censored, else 1 ... K.
    entry, cluster : (n,), optional
        Times of delayed entry; labels of the independent units.
    n_causes : int, optional
        K, when a cause that nobody has must still be counted (its incidence is then 0).

    Returns
    -------
    Occupation
        State 0 is event-free, state c is an event of cause c. Read it with `occupation_at`,
        `occupation_curve` and, for days lost to each cause, `time_in_state`.

    Raises
    ------
    ModelError
        Naming the row: a value is missing or out of range, or entry >= time.

    Source
    ------
    Aalen & Johansen (1978), Scand. J. Stat. 5:141; Andersen et al. (1993), ch. IV.4.1.
    """
    n = len(as_column(time, "time"))
    largest = int(as_column(cause, "cause", n=n).max(initial=1)) if n_causes is None else n_causes
    causes = as_states(cause, "cause", n=n, allowed=range(max(largest, 1) + 1))
    return occupation_of(single_spells(time, causes, entry=entry, cluster=cluster), max(largest, 1) + 1)


def rmst(
    time: ArrayLike,
    event: ArrayLike,
    tau: ArrayLike,
    *,
    entry: ArrayLike | None = None,
    cluster: ArrayLike | Sequence[Hashable] | None = None,
) -> Linear:
    """Mean event-free time from the origin to `tau`: the area under the Kaplan-Meier curve.

    Parameters
    ----------
    time, event : (n,)
        Time of event or censoring, and 1 or 0.
    tau : float or (k,)
        Horizon or horizons. It is fixed in advance; none is chosen from the data.
    entry, cluster : (n,), optional
        Times of delayed entry; labels of the independent units.

    Returns
    -------
    Linear
        One quantity per horizon.

    Raises
    ------
    ModelError
        Naming the row: a value is missing or out of range, or entry >= time.

    Source
    ------
    Royston & Parmar (2013), BMC Med. Res. Methodol. 13:152; influence: R ``survival`` residuals of type
    ``auc``.
    """
    n = len(as_column(time, "time"))
    happened = as_states(event, "event", n=n, allowed=range(2))
    occupation = occupation_of(single_spells(time, happened, entry=entry, cluster=cluster), 2)
    return time_in_state(occupation, tau).select(slice(0, None, 2))


def _crossing(time: FloatArray, height: FloatArray, share: float, last: float) -> float:
    """First time at which a rising curve reaches `share`, with R's midpoint where it is level at it."""
    known = np.isfinite(height)
    time, height = time[known], height[known]
    reached = np.flatnonzero(height >= share - LEVEL_TOLERANCE)
    if not len(reached):
        return float("nan")
    passed = np.flatnonzero(height > share + LEVEL_TOLERANCE)
    end = time[passed[0]] if len(passed) else last
    level = abs(height[reached[0]] - share) <= LEVEL_TOLERANCE
    return float((time[reached[0]] + end) / 2 if level else time[reached[0]])
