"""Gray's score of K groups, its covariance, and the influence of each subject on it.

The score of group i is Z_i = sum over event times of w [d_i - d R_i / R], with d_i events of the cause in
group i, d = sum of d_i, R_i = Y_i (1 - F_i-) / S_i- the size of its risk set for the subdistribution, R = sum
of R_i, and w = (1 - F0-)^rho from the pooled incidence. All of it is a function of the numbers at risk Y,
events of the cause d and events of any cause D of each group at each time. The influence of a subject is
therefore the sum of the derivatives in these numbers over the times at which the subject is counted in them.
They are found backwards, from Z to the curves and from the curves to the numbers.
"""

from dataclasses import dataclass

import numpy as np

from analysis.stats.at_risk import FloatArray, IntArray, running_sums


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """One stratum: numbers at risk Y, events of the cause d and of any cause D, each (m, K).

    `kind` and `group` of each subject, (n,), and `reached` (n,), the number of event times up to its own.
    """

    kind: IntArray
    group: IntArray
    reached: IntArray
    Y: FloatArray
    d: FloatArray
    D: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Curves:
    """Curves of one stratum at its m event times.

    S0, S, F0 : (m, K) survival before and after, incidence before; h = Y / S0 and R = h (1 - F0), (m, K), 0
    where nobody is at risk. P0, P : (m,) pooled incidence before and after. w : (m,) weight.
    """

    S0: FloatArray
    S: FloatArray
    F0: FloatArray
    h: FloatArray
    R: FloatArray
    P0: FloatArray
    P: FloatArray
    w: FloatArray


def counts_of(time: FloatArray, kind: IntArray, group: IntArray, n_groups: int) -> Counts:
    """Numbers of one stratum from time, kind (0 censored, 1 the cause, 2 another) and group code, (n,)."""
    events = np.unique(time[kind > 0])
    m = len(events)
    reached = np.searchsorted(events, time, side="right")

    def table(rows: FloatArray, place: IntArray) -> FloatArray:
        cell = place[rows] * n_groups + group[rows]
        return np.bincount(cell, minlength=(m + 1) * n_groups).reshape(m + 1, n_groups).astype(float)

    left = np.cumsum(table(np.arange(len(time)), reached), axis=0)
    return Counts(
        kind=kind,
        group=group,
        reached=reached,
        Y=(left[-1] - left)[:m],
        d=table(np.flatnonzero(kind == 1), reached - 1)[:m],
        D=table(np.flatnonzero(kind > 0), reached - 1)[:m],
    )


def curves_of(counts: Counts, rho: float) -> Curves:
    """Curves of each group and of all, and the weight with power `rho`."""
    Y, d = counts.Y, counts.d
    S = np.cumprod(_ratio(Y - counts.D, Y), axis=0)
    S0 = _before(S, 1.0)
    F0 = _before(np.cumsum(S0 * _ratio(d, Y), axis=0), 0.0)
    h = _ratio(Y, np.where(Y > 0, S0, 0.0))
    P = np.cumsum(d.sum(axis=1) / h.sum(axis=1))
    P0 = _before(P, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        w = (1 - P0) ** rho
    return Curves(S0, S, F0, h, h * (1 - F0), P0, P, w)


def score(counts: Counts, curves: Curves) -> FloatArray:
    """Gray's scores, (K,)."""
    return curves.w @ _excess(counts, curves)


def _excess(counts: Counts, curves: Curves) -> FloatArray:
    """Observed less expected events of the cause at each time, (m, K)."""
    return counts.d - counts.d.sum(axis=1, keepdims=True) * _share(curves.R)


def covariance(counts: Counts, curves: Curves) -> FloatArray:
    """Gray's covariance of the scores, (K, K), with the corrections for ties of R ``cmprsk``."""
    Y, d, S0, S = counts.Y, counts.d.sum(axis=1)[:, None], curves.S0, curves.S
    h, total, left = curves.h, curves.h.sum(axis=1)[:, None], 1 - curves.P[:, None]
    a = -h[:, :, None] * (h / total)[:, None]
    a[:, range(a.shape[1]), range(a.shape[1])] += h
    a *= curves.w[:, None, None]
    with np.errstate(invalid="ignore", divide="ignore"):
        c = np.cumsum(a * (d / total / (1 - curves.P0[:, None]))[:, :, None], axis=0)
    later = c[-1:] - c if len(c) else c
    ties = 1 - np.where(d > 1, _ratio(d - 1, total * S0 - 1), 0.0)
    own = a + np.where(S > 0, 1 - _ratio(left, S), 1.0)[:, None] * later
    other = _ratio(left, S)[:, None] * later
    competing = counts.D - counts.d
    variance_own = ties * _ratio(S0 * d, total * Y)
    ties = 1 - np.where(competing > 1, _ratio(competing - 1, Y - 1), 0.0)
    variance_other = ties * S0**2 * _ratio(competing, Y**2)
    return _spread(own, variance_own) + _spread(other, variance_other)


def _spread(factor: FloatArray, variance: FloatArray) -> FloatArray:
    """Sum over times and groups of variance (m, K) times the outer product of factor (m, :, K)."""
    m, size, _ = factor.shape
    left = np.moveaxis(factor * variance[:, None], 1, 0).reshape(size, -1)
    return left @ np.moveaxis(factor, 1, 0).reshape(size, -1).T


def influence(counts: Counts, curves: Curves, rho: float) -> FloatArray:
    """Derivative of the K scores in the weight of each subject, (n, K)."""
    of_Y, of_d, of_D = _derivatives(counts, curves, rho)
    total = running_sums(of_Y)[counts.reached, counts.group]
    for rows, derivative in ((counts.kind == 1, of_d), (counts.kind > 0, of_D)):
        total[rows] += derivative[counts.reached[rows] - 1, counts.group[rows]]
    return total


def _derivatives(counts: Counts, curves: Curves, rho: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Derivatives of the scores in Y, d and D of each time and group, each (m, K groups, K scores)."""
    d = counts.d.sum(axis=1)[:, None, None]
    Y, S0, h, F0 = (each[:, :, None] for each in (counts.Y, curves.S0, curves.h, curves.F0))
    total, weight = h.sum(axis=1, keepdims=True), curves.w[:, None, None]
    of_d = weight * (np.eye(Y.shape[1]) - _share(curves.R)[:, None, :])
    of_R = -of_d * _ratio(d, curves.R.sum(axis=1)[:, None, None])
    of_h = of_R * (1 - F0)
    if rho:  # the weight moves with the pooled incidence
        with np.errstate(invalid="ignore", divide="ignore"):
            slope = -rho * (1 - curves.P0)[:, None] ** (rho - 1) * _excess(counts, curves)
        of_P = _after(slope)[:, None, :]
        of_d = of_d + of_P / total
        of_h = of_h - of_P * d / total**2
    of_h = np.where(Y > 0, of_h, 0.0)
    rise = _after(-of_R * h) * _ratio(S0, Y)  # derivative in d through the group's own incidence
    share = _ratio(counts.d, counts.Y)[:, :, None]
    fall = _after(rise * Y * share - of_h * h)  # derivative in log S of each time
    staying = Y - counts.D[:, :, None]
    of_Y = _ratio(of_h, S0) - rise * share + fall * _ratio(counts.D[:, :, None], Y * staying)
    return np.where(Y > 0, of_Y, 0.0), of_d + rise, -fall * _ratio(np.ones_like(Y), staying)


def _ratio(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """Quotient, 0 where the denominator is 0."""
    numerator, denominator = np.broadcast_arrays(numerator, denominator)
    return np.divide(numerator, denominator, out=np.zeros(numerator.shape), where=denominator != 0)


def _share(R: FloatArray) -> FloatArray:
    return _ratio(R, R.sum(axis=1, keepdims=True))


def _before(values: FloatArray, first: float) -> FloatArray:
    """Left limits of a step curve, (m, ...), that starts from `first`."""
    return np.concatenate((np.full((1, *values.shape[1:]), first), values))[:-1]


def _after(values: FloatArray) -> FloatArray:
    """Sum over later times, (m, ...)."""
    return np.cumsum(values[::-1], axis=0)[::-1] - values
