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
from scipy.sparse import csr_array, diags_array, triu

from analysis.errors import ModelError
from analysis.stats.at_risk import FloatArray, IntArray, as_column, risk_window, running_sums
from analysis.stats.labels import encode
from analysis.stats.spells import Spells

# Numbers held at once while the standard errors of a whole curve are made, and at most for kinds of rows.
CHUNK, LARGEST = 2**18, 2**25
# Times at which kinds of rows are paired together: few enough to stay in the processor's cache.
TOGETHER = 16
# Kinds of rows are carried when there are fewer of them than this share of the clusters.
FEW = 0.25


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
    lo, hi : (R,)
        Each row is at risk at event times lo ... hi - 1; a row that ends in a move moves at hi - 1.
    initial_is_fixed : bool
        Whether the initial probabilities were given.
    """

    spells: Spells
    events: FloatArray
    n_risk: FloatArray
    hazard: FloatArray
    prob: FloatArray
    initial_influence: FloatArray
    lo: IntArray
    hi: IntArray
    initial_is_fixed: bool

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
    lo, hi = risk_window(spells.start, spells.stop, events)
    n_risk, hazard = _transitions(spells, lo, hi, len(events), n_states)
    p0, initial_influence = _initial(spells, events, n_states, initial)
    prob = np.empty((len(events) + 1, n_states))
    prob[0] = p0
    for k, step in enumerate(hazard):
        np.dot(prob[k], step, out=prob[k + 1])
    fixed = initial is not None
    return ProductIntegral(spells, events, n_risk, hazard, prob, initial_influence, lo, hi, fixed)


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
    staying = running_sums(share[:, :, None] * (after[1:] - before))
    row = staying[curve.hi, spells.source] - staying[curve.lo, spells.source]
    moves = spells.moves
    k, a, b = curve.hi[moves], spells.source[moves], spells.target[moves]
    row[moves] += share[k - 1, a][:, None] * (after[k, b] - after[k, a])
    row *= spells.weight[:, None]
    total = row if len(row) == len(spells.subjects) else np.add.reduceat(row, spells.first, axis=0)
    return total + curve.initial_influence @ after[0]


def standard_errors(curve: ProductIntegral) -> FloatArray:
    """Cluster-robust standard errors at every time of the curve, (m + 1, S).

    The same influence as `influence`, carried forwards, U_k = U_{k-1} H_k + dH_k. Rows that are at risk at
    the same event times and end alike have the same influence, whichever cluster they are in. Where such
    kinds are few, each is carried once, and the variance is the sum over pairs of kinds, u K u', K being how
    often they meet in a cluster. Otherwise clusters are carried, some at a time, so that the memory needed
    does not grow with their number.
    """
    spells, (m, size) = curve.spells, curve.n_risk.shape
    subject = np.arange(len(spells.subjects)) if spells.cluster is None else encode(spells.cluster)[0]
    n_clusters = int(subject.max()) + 1
    if n_clusters < 2:
        return np.full((m + 1, size), np.nan)
    cluster = subject[spells.subject]
    most = min(FEW * n_clusters, LARGEST / ((m + 1) * size))
    if 0 < m < most:  # there are no fewer kinds than event times
        kind, n_kinds = _kinds(curve)
        if n_kinds < most:
            return np.sqrt(np.maximum(_squares_by_kind(curve, cluster, kind, n_kinds), 0.0))
    return np.sqrt(_squares(curve, cluster, n_clusters))


def _transitions(
    spells: Spells, lo: IntArray, hi: IntArray, m: int, n_states: int
) -> tuple[FloatArray, FloatArray]:
    """Numbers at risk (m, S) and transition matrices (m, S, S)."""
    moves = spells.moves
    n_risk = _at_risk(lo, hi, spells.source, spells.weight, m, n_states)
    if (spells.weight != 1).any():  # sums of weights leave rounding where nobody is at risk
        n_risk[_at_risk(lo, hi, spells.source, np.ones(len(lo)), m, n_states) == 0] = 0.0
    cell = ((hi[moves] - 1) * n_states + spells.source[moves]) * n_states + spells.target[moves]
    count = np.bincount(cell, weights=spells.weight[moves], minlength=m * n_states**2)
    count = count.reshape(m, n_states, n_states)
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
    part, who = weight / weight.sum(), spells.subject[there]
    influence -= np.bincount(who, part, len(influence))[:, None] * p0
    influence[who, spells.source[there]] += part
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


def _kinds(curve: ProductIntegral) -> tuple[IntArray, int]:
    """Code of each row by its window of event times and the states it holds and enters, and their number."""
    spells, (m, size) = curve.spells, curve.n_risk.shape
    ends = np.where(spells.is_move, spells.target, spells.source)
    window = encode(curve.lo)[0] * (m + 1) + curve.hi
    kind, kinds = encode((window * size + spells.source) * size + ends)
    return kind, len(kinds)


def _squares_by_kind(curve: ProductIntegral, cluster: IntArray, kind: IntArray, n_kinds: int) -> FloatArray:
    """Sum over clusters of their squared influence at every time, (m + 1, S), from pairs of kinds of rows."""
    spells, (m, size) = curve.spells, curve.n_risk.shape
    example = np.empty(n_kinds, dtype=np.int64)
    example[kind] = np.arange(len(kind))
    initial = np.zeros((size, n_kinds))
    there = (curve.lo[example] == 0) & (curve.hi[example] > 0)
    first = example[there]
    initial[:, there] = (curve.initial_influence[spells.subject[first]] / spells.weight[first, None]).T
    carried = _carried(curve, example, np.arange(n_kinds), np.ones(n_kinds), initial)
    meet = _meetings(cluster, kind, spells.weight, n_kinds)
    squares = np.empty((m + 1, size))
    for begin in range(0, m + 1, TOGETHER):
        part = carried[begin : begin + TOGETHER].transpose(2, 1, 0)
        some = np.ascontiguousarray(part[:, 1:])
        met = (meet @ some.reshape(n_kinds, -1)).reshape(some.shape)
        squares[begin : begin + TOGETHER, 1:] = np.einsum("usk,usk->ks", some, met)
        # Influences of all states sum to 0, so the first state needs no product of its own.
        squares[begin : begin + TOGETHER, 0] = -np.einsum("uk,uk->k", part[:, 0], met.sum(axis=1))
    return squares


def _meetings(cluster: IntArray, kind: IntArray, weight: FloatArray, n_kinds: int) -> csr_array:
    """Z'Z for Z the weight of each kind in each cluster, each pair counted once and doubled."""
    alone = np.bincount(cluster)[cluster] == 1
    several = ~alone
    held = csr_array((weight[several], (cluster[several], kind[several])), shape=(cluster.max() + 1, n_kinds))
    both = held.T @ held
    single = diags_array(np.bincount(kind, alone * weight**2, n_kinds))
    return (triu(both) + triu(both, 1) + single).tocsr()


def _squares(curve: ProductIntegral, cluster: IntArray, n_clusters: int) -> FloatArray:
    """The same, from all rows of some clusters at a time."""
    spells, (m, size) = curve.spells, curve.n_risk.shape
    initial = np.zeros((size, n_clusters))
    np.add.at(initial.T, cluster[spells.first], curve.initial_influence)
    order = np.argsort(cluster, kind="stable")
    width = max(1, CHUNK // max(1, 2 * m * size))
    squares = np.zeros((m + 1, size))
    for begin in range(0, n_clusters, width):
        first, last = np.searchsorted(cluster, (begin, begin + width), sorter=order)
        rows = order[first:last]
        some = _carried(
            curve, rows, cluster[rows] - begin, spells.weight[rows], initial[:, begin : begin + width]
        )
        squares += np.einsum("ksu,ksu->ks", some, some)
    return squares


def _carried(
    curve: ProductIntegral, rows: IntArray, unit: IntArray, weight: FloatArray, initial: FloatArray
) -> FloatArray:
    """Influence at every time of U units made of weighted rows, (m + 1, S, U); `initial` is (S, U)."""
    spells, (m, size), n_units = curve.spells, curve.n_risk.shape, initial.shape[1]
    source, held = encode(spells.source[rows])
    lo, hi = curve.lo[rows], curve.hi[rows]
    n_risk = _at_risk(lo, hi, source * n_units + unit, weight, m, len(held) * n_units)
    leave = curve.share[:, held, None] * (np.eye(size) - curve.hazard)[:, held]
    carried = np.empty((m + 1, size, n_units))
    carried[0] = initial
    # Not matmul, whose start costs more than these short sums.
    np.einsum("kha,khu->kau", leave, n_risk.reshape(m, len(held), n_units), out=carried[1:])
    moved = np.flatnonzero(spells.is_move[rows])
    k, a, b = hi[moved], spells.source[rows[moved]], spells.target[rows[moved]]
    jump = weight[moved] * curve.share[k - 1, a]
    np.add.at(carried, (k, b, unit[moved]), jump)
    np.add.at(carried, (k, a, unit[moved]), -jump)
    for step, before, after in zip(curve.hazard.transpose(0, 2, 1), carried[:-1], carried[1:], strict=True):
        after += step.dot(before)
    return carried
