"""Events that recur: their mean number over time and ratios of their rates, family-robust."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from analysis.errors import ModelError
from analysis.stats.at_risk import FloatArray, IntArray, as_column, risk_window, running_sums
from analysis.stats.event_histories import EventHistories, read_histories
from analysis.stats.hazards import CoxFit, Ties, cox
from analysis.stats.influence import Linear
from analysis.stats.intervals import interval
from analysis.stats.labels import Labels

# Numbers held at once while the standard errors of a whole curve are made.
CHUNK = 2**22


@dataclass(frozen=True, slots=True, eq=False)
class MeanCumulative:
    """Mean number of events per subject, at m distinct times of events or ends.

    Attributes
    ----------
    time : (m + 1,)
        Origin, then the times at which an event or an end happens.
    mean : (m + 1,)
        Mean number of events up to each time.
    survival : (m + 1,)
        Probability that the terminal event has not happened by each time; ones without such events.
    n_risk : (m,)
        Weighted number under observation just before each time.
    rate, end_rate : (m,)
        Events, and ends, at each time per subject at risk.
    last : float
        Time of the last observation; later the curve is carried forward.
    histories : EventHistories
        The rows, sorted by subject and time.
    notes : tuple of str
        What a reader of the curve must know.
    """

    time: FloatArray
    mean: FloatArray
    survival: FloatArray
    n_risk: FloatArray
    rate: FloatArray
    end_rate: FloatArray
    last: float
    histories: EventHistories
    notes: tuple[str, ...] = ()

    @property
    def subject(self) -> Labels:
        """Subject labels in the order of the rows of every influence matrix, (n,)."""
        return self.histories.subjects

    def at(self, times: ArrayLike) -> Linear:
        """Mean numbers of events up to k given times with their influence, quantities (k,).

        Raises
        ------
        ModelError
            If a time lies before the origin of the curve or is missing.
        """
        asked = as_column(times, "times")
        if (asked < self.time[0]).any():
            raise ModelError("a time before the origin of the curve was asked for.")
        until = np.searchsorted(self.time, asked, side="right") - 1
        late = asked.max(initial=-np.inf) > self.last
        notes = ("a time asked for is after the last observation; the curve is carried forward to it.",)
        influence, cluster = _influence(self, until), self.histories.cluster
        return Linear(self.mean[until], influence, cluster, self.notes + (notes if late else ()))


@dataclass(frozen=True, slots=True, eq=False)
class MeanCurve:
    """A step curve: time, mean number, robust standard error and limits, (m + 1,) each."""

    time: FloatArray
    mean: FloatArray
    se: FloatArray
    low: FloatArray
    high: FloatArray


def mean_cumulative(
    subject: ArrayLike | Sequence[Hashable],
    start: ArrayLike,
    stop: ArrayLike,
    event: ArrayLike,
    *,
    terminal: ArrayLike | None = None,
    cluster: ArrayLike | Sequence[Hashable] | None = None,
    weights: ArrayLike | None = None,
) -> MeanCumulative:
    """Mean number of recurrent events per subject over time, those who can have no more included.

    Parameters
    ----------
    subject, start, stop, event, terminal, cluster, weights
        Rows of the histories of one group, as in `analysis.stats.event_histories.read_histories`.

    Returns
    -------
    MeanCumulative
        The integral of S(u-) dR(u): S is the Kaplan-Meier probability of no terminal event and R the
        Nelson-Aalen rate of events among those still under observation. Without terminal events it is R. An
        event on the day of a terminal event counts.

    Raises
    ------
    ModelError
        As `read_histories`.

    Source
    ------
    Ghosh & Lin (2000), Biometrics 56:554, equations 1 and 2; without terminal events Nelson (1988), J. Qual.
    Technol. 20:24, with the robust variance of Lawless & Nadeau (1995), Technometrics 37:158.
    """
    rows = read_histories(subject, start, stop, event, terminal=terminal, cluster=cluster, weights=weights)
    happens = (rows.events > 0) | rows.ended
    times = np.unique(rows.stop[happens])
    lo, hi = risk_window(rows.start, rows.stop, times)
    m, k, weight = len(times), hi[happens] - 1, rows.weight
    change = np.bincount(lo, weight, m + 1) - np.bincount(hi, weight, m + 1)
    n_risk = np.cumsum(change)[:m]
    events = np.bincount(k, (weight * rows.events)[happens], m)
    ends = np.bincount(k, (weight * rows.ended)[happens], m)
    # (N - d) / N is exactly 0 when all end, which 1 - d / N is not.
    survival = np.cumprod(np.concatenate(([1.0], np.maximum(n_risk - ends, 0.0) / n_risk)))
    rate = events / n_risk
    return MeanCumulative(
        time=np.concatenate(([rows.start.min(initial=0.0)], times)),
        mean=np.concatenate(([0.0], np.cumsum(survival[:-1] * rate))),
        survival=survival,
        n_risk=n_risk,
        rate=rate,
        end_rate=ends / n_risk,
        last=float(rows.stop.max()),
        histories=rows,
        notes=() if events.any() else ("nobody has an event, so the mean number is 0 throughout.",),
    )


def mean_curve(estimate: MeanCumulative, *, level: float = 0.95) -> MeanCurve:
    """The mean number at every time, with pointwise cluster-robust limits on the scale of its logarithm.

    Raises
    ------
    ModelError
        If the coverage `level` does not lie between 0 and 1.
    """
    rows, until = estimate.histories, np.arange(len(estimate.time))
    width = max(1, CHUNK // len(rows.stop))
    blocks = [until[begin : begin + width] for begin in range(0, len(until), width)]
    parts = [Linear(estimate.mean[each], _influence(estimate, each), rows.cluster).se for each in blocks]
    se = np.concatenate(parts)
    limits = interval(estimate.mean, se, kind="positive", level=level)
    return MeanCurve(estimate.time, estimate.mean, se, limits.low, limits.high)


def lwyy(
    subject: ArrayLike | Sequence[Hashable],
    start: ArrayLike,
    stop: ArrayLike,
    event: ArrayLike,
    X: ArrayLike,
    *,
    cluster: ArrayLike | Sequence[Hashable] | None = None,
    strata: ArrayLike | Sequence[Hashable] | None = None,
    ties: Ties = "efron",
    weights: ArrayLike | None = None,
) -> CoxFit:
    """Log ratios of the rate of recurrent events, whatever the dependence between events of one subject.

    Parameters
    ----------
    subject, start, stop, event
        Rows of the histories; `event` is 1 or 0.
    X : (R, p)
        Covariates, constant within the row.
    cluster : (R,), optional
        Labels of the independent units (families); without them the subjects.
    strata, ties, weights
        As in `analysis.stats.hazards.cox`.

    Returns
    -------
    CoxFit
        To be read with its robust covariance. Where a terminal event ends histories, the rates are those of
        subjects who are still alive.

    Raises
    ------
    ModelError
        As `read_histories` and `cox`, naming the row or column.

    Source
    ------
    Lin, Wei, Yang & Ying (2000), J. R. Stat. Soc. B 62:711, equation 2.3 (Breslow's rule for ties); Andersen
    & Gill (1982), Ann. Stat. 10:1100.
    """
    read_histories(subject, start, stop, event, cluster=cluster)
    units = subject if cluster is None else cluster
    return cox(start, stop, event, X, cluster=units, strata=strata, ties=ties, weights=weights)


def _influence(estimate: MeanCumulative, until: IntArray) -> FloatArray:
    """Influence of each subject on the mean numbers at times[until], (n, len(until)).

    An event at t_k adds S(t_k-) / N_k; an end takes away what it costs the group, the mean number still to
    come, mu(t) - mu(t_k), over the number who go on. Both are set against what was expected at t_k.
    """
    rows, ends = estimate.histories, estimate.end_rate
    lo, hi = risk_window(rows.start, rows.stop, estimate.time[1:])
    going_on = estimate.n_risk * (1 - ends)
    counted = np.arange(len(ends))[:, None] < until
    gain = counted * (estimate.survival[:-1] / estimate.n_risk)[:, None]
    to_come = np.maximum(estimate.mean[until] - estimate.mean[1:, None], 0.0)
    cost = np.divide(to_come, going_on[:, None], out=np.zeros_like(to_come), where=ends[:, None] < 1)
    expected = running_sums(gain * estimate.rate[:, None] - cost * ends[:, None])
    row = expected[lo] - expected[hi]
    some = np.flatnonzero((rows.events > 0) | rows.ended)
    k = hi[some] - 1
    row[some] += rows.events[some, None] * gain[k] - rows.ended[some, None] * cost[k]
    row *= rows.weight[:, None]
    return np.add.reduceat(row, rows.first, axis=0)
