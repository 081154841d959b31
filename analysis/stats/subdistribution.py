"""Risk sets of a subdistribution hazard: those who had a competing event stay, with falling weight.

A row that had a competing event at T is at risk at a later t with weight G(t-) / G(T-), G being the
Kaplan-Meier curve of censoring. These sets offer the same sums as those of Cox's partial likelihood, so one
likelihood serves both. The weight is a product of one factor per row and one per set: sums are running sums.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np

from analysis.stats.at_risk import BoolArray, FloatArray, IntArray, running_sums
from analysis.stats.partial_likelihood import Likelihood
from analysis.stats.risk_sets import RiskSets, risk_sets


@dataclass(frozen=True, slots=True, eq=False)
class Censoring:
    """Kaplan-Meier curve of the time to censoring in one group; who has an event at a time is at risk at it.

    Attributes
    ----------
    time, n_risk, n_censored, survival : (u,)
        Distinct censoring times, numbers at risk and censored at them, curve from then on.
    last : float
        Last observation; the curve is 0 after it.
    """

    time: FloatArray
    n_risk: FloatArray
    n_censored: FloatArray
    survival: FloatArray
    last: float

    def before(self, at: FloatArray) -> FloatArray:
        """Left limits of the curve at given times."""
        value = np.concatenate(([1.0], self.survival))[np.searchsorted(self.time, at, side="left")]
        return np.where(at > self.last, 0.0, value)


@dataclass(frozen=True, slots=True, eq=False)
class Retained:
    """Rows of one stratum and one censoring group that had a competing event.

    Attributes
    ----------
    group : int
        Censoring group.
    row, time, factor : (k,)
        The rows by time of the competing event; that time; 1 / G just before it.
    sets : slice
        The sets of the stratum, k' of them.
    count, survival : (k',)
        Rows of these that had their competing event before each set; G just before the set.
    """

    group: int
    row: IntArray
    time: FloatArray
    factor: FloatArray
    sets: slice
    count: IntArray
    survival: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class SubdistributionSets(RiskSets):
    """Risk sets of Cox's likelihood, and beyond them the rows retained after a competing event.

    Attributes
    ----------
    stop, group : (n,)
        Time and censoring group of each row.
    censored : (n,)
        Whether it was censored.
    censoring : tuple of Censoring
        One curve per group.
    retained : tuple of Retained
        One block per stratum and group in which somebody had a competing event.
    """

    stop: FloatArray
    group: IntArray
    censored: BoolArray
    censoring: tuple[Censoring, ...]
    retained: tuple[Retained, ...]

    def over_rows(self, values: FloatArray) -> FloatArray:
        """Weighted sum of row values (n, r) over each risk set, (m, r)."""
        total = RiskSets.over_rows(self, values)
        for block in self.retained:
            earlier = running_sums(values[block.row] * block.factor[:, None])[block.count]
            total[block.sets] += block.survival[:, None] * earlier
        return total

    def over_sets(self, terms: FloatArray, *, fraction: FloatArray | None = None) -> FloatArray:
        """Sum of term values (D, r) over the sets of each row, by its weight in each, (n, r)."""
        collected = RiskSets.over_sets(self, terms, fraction=fraction)
        per_set = np.add.reduceat(terms, self.first_term, axis=0)
        for block in self.retained:
            later = _to_come(per_set[block.sets] * block.survival[:, None])
            collected[block.row] += block.factor[:, None] * later[self.hi[block.row] - block.sets.start]
        return collected


def subdistribution_sets(
    time: FloatArray, kind: IntArray, X: FloatArray, *, stratum: IntArray, group: IntArray
) -> SubdistributionSets:
    """Risk sets at the times of events of the cause (`kind` 1), rows in canonical order.

    Parameters
    ----------
    time, kind : (n,)
        Times, and 0 for censored, 1 for the cause, 2 for a competing event.
    X : (n, p)
        Covariates.
    stratum, group : (n,)
        Codes of the strata of the baseline hazard, and of the groups with one censoring curve each.
    """
    sets = risk_sets(None, time, kind == 1, X, weight=np.ones(len(time)), stratum=stratum, efron=False)
    stop, kind, group = time[sets.order], kind[sets.order], group[sets.order]
    censoring = tuple(
        _censoring(stop[group == code], kind[group == code] == 0) for code in range(group.max() + 1)
    )
    return SubdistributionSets(
        **{each.name: getattr(sets, each.name) for each in fields(RiskSets)},
        stop=stop,
        group=group,
        censored=kind == 0,
        censoring=censoring,
        retained=tuple(_retained(sets, stop, kind == 2, group, censoring)),
    )


def censoring_residuals(sets: SubdistributionSets, at: Likelihood, *, jackknife: bool) -> FloatArray:
    """What the estimation of the censoring curves adds to the score residual of each row, (n, p).

    With q(u) the slope of the score in the hazard of censoring at u, Y(u) the number at risk and N(u) the
    number censored at u, a row censored at T adds q(T) / Y(T), and every row less the sum of q N / Y^2 to T.

    Parameters
    ----------
    sets, at
        The risk sets, and the likelihood at the estimate.
    jackknife : bool
        False for this form. True for the exact derivative of the Kaplan-Meier weights: Y - dN in the place of
        Y, and a weight at t that censoring at t itself does not touch.

    Source
    ------
    Fine & Gray (1999), J. Am. Stat. Assoc. 94:496, appendix; Zhou et al. (2012), Biostatistics 13:371.
    """
    residual = np.zeros_like(sets.X)
    for code, curve in enumerate(sets.censoring):
        q = np.zeros((len(curve.time), residual.shape[1]))
        for block in sets.retained:
            if block.group == code:
                q += _slope(sets, at, block, curve.time, jackknife)
        remaining = curve.n_risk - curve.n_censored if jackknife else curve.n_risk
        own = q / np.where(remaining > 0, remaining, np.inf)[:, None]
        shared = running_sums(own * (curve.n_censored / curve.n_risk)[:, None])
        rows = np.flatnonzero(sets.group == code)
        residual[rows] -= shared[np.searchsorted(curve.time, sets.stop[rows], side="right")]
        rows = rows[sets.censored[rows]]
        residual[rows] += own[np.searchsorted(curve.time, sets.stop[rows])]
    return residual


def _censoring(time: FloatArray, censored: BoolArray) -> Censoring:
    when, count = np.unique(time[censored], return_counts=True)
    n_risk = (len(time) - np.searchsorted(np.sort(time), when)).astype(np.float64)
    return Censoring(
        when, n_risk, count.astype(np.float64), np.cumprod((n_risk - count) / n_risk), time.max()
    )


def _retained(
    sets: RiskSets, stop: FloatArray, competing: BoolArray, group: IntArray, censoring: tuple[Censoring, ...]
) -> Iterator[Retained]:
    # In an order of their content, so that sums do not depend on the order in which rows were given.
    rows = np.flatnonzero(competing)
    rows = rows[np.lexsort((*sets.X[rows].T, stop[rows], group[rows], sets.stratum[rows]))]
    cell = sets.stratum[rows] * len(censoring) + group[rows]
    for row in np.split(rows, np.flatnonzero(np.diff(cell)) + 1) if len(rows) else []:
        stratum, code = int(sets.stratum[row[0]]), int(group[row[0]])
        yield Retained(
            group=code,
            row=row,
            time=stop[row],
            factor=1 / censoring[code].before(stop[row]),
            sets=sets.blocks[stratum],
            count=np.searchsorted(stop[row], sets.time[sets.blocks[stratum]], side="left"),
            survival=censoring[code].before(sets.time[sets.blocks[stratum]]),
        )


def _slope(
    sets: SubdistributionSets, at: Likelihood, block: Retained, time: FloatArray, jackknife: bool
) -> FloatArray:
    """Part of a block in q at each censoring time, (u, p)."""
    weight = (at.risk[block.row] * block.factor)[:, None]
    earlier = running_sums(weight * np.column_stack((np.ones(len(weight)), sets.X[block.row])))
    events = np.column_stack((at.hazard, at.hazard[:, None] * at.mean))
    per_set = np.add.reduceat(events, sets.first_term, axis=0)[block.sets]
    later = _to_come(per_set * block.survival[:, None])
    side = "right" if jackknife else "left"
    earlier = earlier[np.searchsorted(block.time, time, side=side)]
    later = later[np.searchsorted(sets.time[block.sets], time, side=side)]
    return earlier[:, 1:] * later[:, :1] - earlier[:, :1] * later[:, 1:]


def _to_come(values: FloatArray) -> FloatArray:
    """Sums of all values from the 0th, 1st, ... on, (k + 1, r)."""
    return running_sums(values[::-1])[::-1]
