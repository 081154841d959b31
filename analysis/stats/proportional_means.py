"""Ratio of mean numbers of recurrent events when death ends them (Ghosh & Lin 2002), family-robust.

Those who die stay in the risk sets, because the mean counts them, with the probability that they would still
be under observation: G(t-) / G(D-), G being the Kaplan-Meier curve of censoring. The model is then a Cox
model of the rows and of weighted rows after death. That G is estimated is part of the influence.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from analysis.errors import ModelError
from analysis.stats.at_risk import BoolArray, FloatArray, IntArray, refuse_rows, running_sums
from analysis.stats.event_histories import EventHistories, read_histories
from analysis.stats.hazards import cox
from analysis.stats.influence import Linear
from analysis.stats.labels import codes


@dataclass(frozen=True, slots=True, eq=False)
class Censoring:
    """Kaplan-Meier curve of censoring at the c times at which someone is censored.

    Attributes
    ----------
    time, n_risk, hazard : (c,)
        Times, numbers at risk (who dies at a time is no longer), and shares censored.
    last : (n,)
        End of the observation of each subject.
    ended : (n,)
        Whether it ended by the terminal event.
    """

    time: FloatArray
    n_risk: FloatArray
    hazard: FloatArray
    last: FloatArray
    ended: BoolArray

    def before(self, times: FloatArray) -> FloatArray:
        """Probability of not being censored before each time."""
        curve = np.concatenate(([1.0], np.cumprod(1 - self.hazard)))
        return curve[np.searchsorted(self.time, times)]

    def influence_of_logarithms(self, worth: FloatArray) -> FloatArray:
        """Influence of each subject on the sum of `worth` (c, p) times log(1 - hazard), (n, p)."""
        left = self.n_risk * (1 - self.hazard)
        per_head = np.divide(worth, left[:, None], out=np.zeros_like(worth), where=left[:, None] > 0)
        expected = running_sums(per_head * self.hazard[:, None])
        place = np.searchsorted(self.time, self.last, side="left")
        own = np.zeros((len(self.last), worth.shape[1]))
        censored = ~self.ended
        own[censored] = per_head[place[censored]]
        return expected[place + censored] - own


def proportional_means(
    subject: ArrayLike | Sequence[Hashable],
    start: ArrayLike,
    stop: ArrayLike,
    event: ArrayLike,
    terminal: ArrayLike,
    X: ArrayLike,
    *,
    cluster: ArrayLike | Sequence[Hashable] | None = None,
    strata: ArrayLike | Sequence[Hashable] | None = None,
) -> Linear:
    """Log ratios of the mean number of events, those who die included.

    Parameters
    ----------
    subject, start, stop, event, terminal
        Rows of the histories, as in `analysis.stats.event_histories.read_histories`; `event` is 1 or 0. Every
        subject is observed from the same time on, without a gap.
    X : (R, p)
        Covariates; after a death those of the subject's last row hold.
    cluster, strata : (R,), optional
        Labels of the independent units (families; without them the subjects), and of groups with a baseline
        of their own. Censoring has one curve for all.

    Returns
    -------
    Linear
        Estimate (p,) and influence (n, p), subjects sorted. Without deaths it is `recurrent.lwyy`.

    Raises
    ------
    ModelError
        As `read_histories` and `cox`, naming the row or column; a subject enters late or has a gap.

    Source
    ------
    Ghosh & Lin (2002), Stat. Sinica 12:663, the estimator weighted by inverse probability of censoring, with
    Breslow's rule for ties; the variance is the infinitesimal jackknife instead of their equation.
    """
    rows = read_histories(subject, start, stop, event, terminal=terminal, cluster=cluster)
    _refuse_unobserved(rows)
    n, columns = len(rows.order), np.asarray(X)
    if columns.shape[:1] != (n,):
        raise ModelError("X must have one row per interval and at least one column.")
    stratum, censoring = codes(strata, "strata", n), _censoring(rows)
    of, begins, ends, weight = _after_death(rows, censoring)
    last = rows.order[np.append(rows.first[1:], n) - 1][of]
    # The caller's rows come first and in the caller's order, so that an error names the right one.
    fit = cox(
        np.append(start, begins),
        np.append(stop, ends),
        np.append(event, np.zeros(len(of))),
        np.concatenate([columns, columns[last]]),
        strata=np.append(stratum, stratum[last]),
        ties="breslow",
        weights=np.append(np.ones(n), weight),
    )
    influence = np.zeros((len(rows.subjects), fit.influence.shape[1]))
    np.add.at(influence, rows.subject, fit.influence[rows.order])
    np.add.at(influence, of, fit.influence[n:])
    worth = _worth(censoring, censoring.last[of], ends, fit.influence[n:])
    influence += censoring.influence_of_logarithms(worth)
    return Linear(fit.coef, influence, rows.cluster, fit.notes)


def _refuse_unobserved(rows: EventHistories) -> None:
    expected = np.append(rows.start.min(), rows.stop[:-1])
    expected[rows.first] = rows.start.min()
    sentence = "its subject enters late or has a gap, for which there are no weights."
    refuse_rows(rows.start != expected, sentence, row=rows.order)


def _censoring(rows: EventHistories) -> Censoring:
    ends = np.append(rows.first[1:], len(rows.stop)) - 1
    last, ended = rows.stop[ends], rows.ended[ends]
    time, count = np.unique(last[~ended], return_counts=True)
    later = len(last) - np.searchsorted(np.sort(last), time, side="right")
    return Censoring(time, later + count, count / (later + count), last, ended)


def _after_death(
    rows: EventHistories, censoring: Censoring
) -> tuple[IntArray, FloatArray, FloatArray, FloatArray]:
    """Rows after death, one for each stretch of event times with one weight: subject, start, stop, weight."""
    times = np.unique(rows.stop[rows.events > 0])
    remain = censoring.before(times)
    ends = times[np.append(remain[1:] != remain[:-1], True)] if len(times) else times
    begins = np.append(-np.inf, ends[:-1])
    dead = np.flatnonzero(censoring.ended)
    death = censoring.last[dead]
    who, stretch = np.nonzero((ends > death[:, None]) & (censoring.before(ends) > 0))
    weight = censoring.before(ends)[stretch] / censoring.before(death)[who]
    return dead[who], np.maximum(begins[stretch], death[who]), ends[stretch], weight


def _worth(censoring: Censoring, death: FloatArray, stop: FloatArray, influence: FloatArray) -> FloatArray:
    """Sum at each censoring time of the influence of the rows whose weight has that time in it, (c, p)."""
    change = np.zeros((len(censoring.time) + 1, influence.shape[1]))
    np.add.at(change, np.searchsorted(censoring.time, death), influence)
    np.subtract.at(change, np.searchsorted(censoring.time, stop), influence)
    return np.cumsum(change, axis=0)[:-1]
