"""The Aalen-Johansen product integral and its influence, as arrays.

The curve is P(t) = p0 H(t1) H(t2) ..., one transition matrix per distinct event time, made from the
transitions and the numbers at risk at that time, so that ties need no rule. Every summary used here, an
occupation probability or a time in state, is a sum over event times of P(t_k) times a fixed coefficient.
Its influence is found by carrying the coefficients backwards once, B_k = coefficient_k + H_{k+1} B_{k+1}:
B_k(s) is what being in state s after t_k is still worth. A subject at risk in a at t_k who goes to b adds
P_{k-1}(a) / N_k(a) times B_k(b) - (H_k B_k)(a).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from analysis.errors import ModelError
from analysis.stats.at_risk import FloatArray, IntArray, as_column, risk_window
from analysis.stats.labels import encode
from analysis.stats.spells import Spells

# Numbers held at once while the standard errors of a whole curve are made.
CHUNK = 2**20


@dataclass(frozen=True, slots=True, eq=False)
class ProductIntegral:
    """The curve of S states at m distinct event times, with what its influence needs.

    Attributes
    ----------
    spells : Spells
        Rows of n subjects.
    events : (m,)
        Times at which someone changes state.
    n_risk : (m, S)
        Weighted number at risk in each state just before each event time.
    hazard : (m, S, S)
        Transition matrices H: row a gives the share of those at risk in a that goes to each state.
    prob : (m + 1, S)
        Occupation probabilities, initial ones first.
    initial_influence : (n, S)
        Influence of each subject on the initial probabilities.
    """

    spells: Spells
    events: FloatArray
    n_risk: FloatArray
    hazard: FloatArray
    prob: FloatArray
    initial_influence: FloatArray

    @property
    def share(self) -> FloatArray:
        """Probability of a state over the number at risk in it, (m, S); 0 where nobody is."""
        n_risk = self.n_risk
        return np.divide(self.prob[:-1], n_risk, out=np.zeros_like(n_risk), where=n_risk > 0)


def product_integral(spells: Spells, n_states: int, *, initial: ArrayLike | None = None) -> ProductIntegral:
    """Occupation probabilities at every event time; `initial` (S,) fixes those at the origin.

    Raises
    ------
    ModelError
        If `initial` is not a probability over the states.
    """
    events = np.unique(spells.stop[spells.moves])
    n_risk, hazard = _transitions(spells, events, n_states)
    p0, initial_influence = _initial(spells, events, n_states, initial)
    prob = np.empty((len(events) + 1, n_states))
    prob[0] = p0
    for k, step in enumerate(hazard):
        np.dot(prob[k], step, out=prob[k + 1])
    return ProductIntegral(spells, events, n_risk, hazard, prob, initial_influence)


def influence(curve: ProductIntegral, coefficients: FloatArray) -> FloatArray:
    """Influence of each subject on the F sums over k of coefficient (k, f) times P(t_k).

    Parameters
    ----------
    curve : ProductIntegral
        S states, m event times, n subjects.
    coefficients : (m + 1, F)
        One column per functional.

    Returns
    -------
    (n, F * S)
        Functional by functional, state by state within a functional.
    """
    spells, share = curve.spells, curve.share
    after, before = _worth(curve.hazard, coefficients)
    staying = np.zeros_like(after)
    np.cumsum(share[:, :, None] * (after[1:] - before), axis=0, out=staying[1:])
    lo, hi = risk_window(spells.start, spells.stop, curve.events)
    row = staying[hi, spells.source] - staying[lo, spells.source]
    moves = spells.moves
    k, a, b = hi[moves], spells.source[moves], spells.target[moves]
    row[moves] += share[k - 1, a][:, None] * (after[k, b] - after[k, a])
    row *= spells.weight[:, None]
    total = row if len(row) == len(spells.subjects) else np.add.reduceat(row, spells.first, axis=0)
    return total + curve.initial_influence @ after[0]


def standard_errors(curve: ProductIntegral) -> FloatArray:
    """Cluster-robust standard errors at every time of the curve, (m + 1, S).

    The same influence as `influence`, summed within clusters and carried forwards, U_k = U_{k-1} H_k + dH_k,
    for some clusters at a time, so that the memory needed does not grow with their number.
    """
    spells, (m, size) = curve.spells, curve.n_risk.shape
    n = len(spells.subjects)
    of_subject = np.arange(n) if spells.cluster is None else encode(spells.cluster)[0]
    n_clusters = int(of_subject.max()) + 1
    if n_clusters < 2:
        return np.full((m + 1, size), np.nan)
    initial = np.zeros((n_clusters, size))
    np.add.at(initial, of_subject, curve.initial_influence)
    cluster = of_subject[spells.subject]
    order = np.argsort(cluster, kind="stable")
    width = max(1, CHUNK // max(1, m * size))
    variance = np.zeros((m + 1, size))
    for begin in range(0, n_clusters, width):
        first, last = np.searchsorted(cluster[order], (begin, begin + width))
        rows = order[first:last]
        variance += _squares(curve, rows, cluster[rows] - begin, initial[begin : begin + width])
    return np.sqrt(variance)


def _transitions(spells: Spells, events: FloatArray, n_states: int) -> tuple[FloatArray, FloatArray]:
    """Numbers at risk (m, S) and transition matrices (m, S, S)."""
    moves = spells.moves
    lo, hi = risk_window(spells.start, spells.stop, events)
    n_risk = _at_risk(lo, hi, spells.source, spells.weight, len(events), n_states)
    if (spells.weight != 1).any():  # sums of weights leave rounding where nobody is at risk
        n_risk[_at_risk(lo, hi, spells.source, np.ones(len(lo)), len(events), n_states) == 0] = 0.0
    cell = ((hi[moves] - 1) * n_states + spells.source[moves]) * n_states + spells.target[moves]
    count = np.bincount(cell, weights=spells.weight[moves], minlength=len(events) * n_states**2)
    count = count.reshape(len(events), n_states, n_states)
    stay = np.arange(n_states)
    # (N - sum) / N is exactly 0 when all leave, which 1 - sum / N is not.
    count[:, stay, stay] = np.where(n_risk > 0, np.maximum(n_risk - count.sum(axis=2), 0.0), 1.0)
    return n_risk, count / np.where(n_risk > 0, n_risk, 1.0)[:, :, None]


def _at_risk(
    lo: IntArray, hi: IntArray, state: IntArray, weight: FloatArray, m: int, n_states: int
) -> FloatArray:
    size = (m + 1) * n_states
    change = np.bincount(lo * n_states + state, weights=weight, minlength=size)
    change -= np.bincount(hi * n_states + state, weights=weight, minlength=size)
    return np.cumsum(change.reshape(m + 1, n_states), axis=0)[:m]


def _initial(
    spells: Spells, events: FloatArray, n_states: int, initial: ArrayLike | None
) -> tuple[FloatArray, FloatArray]:
    """Initial probabilities (S,) and their influence (n, S)."""
    influence = np.zeros((len(spells.subjects), n_states))
    if initial is not None:
        fixed = as_column(initial, "initial", n=n_states)
        if fixed.min() < 0 or abs(fixed.sum() - 1) > 1e-8:
            raise ModelError("initial must hold one probability per state, and they must sum to 1.")
        return fixed, influence
    when = events[0] if len(events) else spells.stop.min()
    there = np.flatnonzero((spells.start < when) & (spells.stop >= when))
    weight = spells.weight[there]
    p0 = np.bincount(spells.source[there], weights=weight, minlength=n_states) / weight.sum()
    own = np.eye(n_states)[spells.source[there]]
    influence[spells.subject[there]] = (own - p0) * (weight / weight.sum())[:, None]
    return p0, influence


def _worth(hazard: FloatArray, coefficients: FloatArray) -> tuple[FloatArray, FloatArray]:
    """B_k (m + 1, S, F * S) and H_k B_k (m, S, F * S) of the module's text."""
    m, size = hazard.shape[:2]
    after = np.einsum("kf,as->kafs", coefficients, np.eye(size)).reshape(m + 1, size, -1)
    before = np.empty((m, size, after.shape[2]))
    for k in range(m - 1, -1, -1):
        np.dot(hazard[k], after[k + 1], out=before[k])
        after[k] += before[k]
    return after, before


def _squares(curve: ProductIntegral, rows: IntArray, cluster: IntArray, initial: FloatArray) -> FloatArray:
    """Sum over some clusters of their squared influence at every time, (m + 1, S), from their rows."""
    spells, (m, size), width = curve.spells, curve.n_risk.shape, len(initial)
    lo, hi = risk_window(spells.start[rows], spells.stop[rows], curve.events)
    cell = cluster * size + spells.source[rows]
    n_risk = _at_risk(lo, hi, cell, spells.weight[rows], m, width * size).reshape(m, width, size)
    change = (n_risk * curve.share[:, None, :]) @ (np.eye(size) - curve.hazard)
    moved = np.flatnonzero(spells.is_move[rows])
    k, c, source = hi[moved] - 1, cluster[moved], spells.source[rows[moved]]
    jump = spells.weight[rows[moved]] * curve.share[k, source]
    np.add.at(change, (k, c, spells.target[rows[moved]]), jump)
    np.add.at(change, (k, c, source), -jump)
    running = initial
    for step, total in zip(curve.hazard, change, strict=True):
        total += running @ step
        running = total
    return np.concatenate(((initial**2).sum(axis=0)[None], np.einsum("kcs,kcs->ks", change, change)))
