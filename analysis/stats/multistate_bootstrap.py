"""Bootstrap of multi-state curves by families: many draws at once, from counts made once.

The numbers at risk and the transitions of a draw are sums over clusters of what each cluster contributes,
times how often it was drawn. All draws are one product of a sparse table with the matrix of weights; then
the draws go through the product integral side by side.
"""

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array

from analysis.errors import ModelError
from analysis.stats.at_risk import FloatArray, IntArray
from analysis.stats.labels import encode
from analysis.stats.multistate import Occupation, coefficients_area, coefficients_at
from analysis.stats.product_integral import ProductIntegral

# Numbers held at once for the draws that are worked on together: about what the processor's cache holds.
CHUNK = 2**19
# A number at risk below this share of the whole weight is the rounding of a sum over nobody.
ROUNDING = 1e-12


def occupation_draws(
    occupation: Occupation, times: ArrayLike, labels: ArrayLike | Sequence[Hashable], weights: ArrayLike
) -> FloatArray:
    """Occupation probabilities at given times in every bootstrap sample.

    Parameters
    ----------
    occupation : Occupation
        The curve of one group, with S states.
    times : (k,)
        Times asked for.
    labels : (G,)
        Labels of the clusters, each once, as `analysis.stats.resampling.family_weights` gives them; those of
        other groups may be among them.
    weights : (B, G)
        Weight of each cluster in each draw, not negative.

    Returns
    -------
    (B, k, S)
        What `aalen_johansen` gives for the sample with each cluster's rows repeated or reweighted. Initial
        probabilities that were estimated are estimated anew, at the first event time of the draw; without an
        event in it, at that of the sample. They are not-a-number where nobody is at risk then. If nobody in
        the sample changes state, they are not estimated anew.

    Raises
    ------
    ModelError
        If a cluster of the curve has no weight, or weights are negative or of another shape.

    Source
    ------
    Davison & Hinkley (1997), Bootstrap Methods and their Application, sections 3.5 and 3.8.
    """
    return _draws(occupation, coefficients_at(occupation, times), labels, weights)


def time_in_state_draws(
    occupation: Occupation, tau: ArrayLike, labels: ArrayLike | Sequence[Hashable], weights: ArrayLike
) -> FloatArray:
    """Mean time in each state up to each horizon in every bootstrap sample, (B, k, S).

    Parameters and errors are those of `occupation_draws`; `tau` as in `time_in_state`.
    """
    return _draws(occupation, coefficients_area(occupation, tau), labels, weights)


def _draws(
    occupation: Occupation,
    coefficients: FloatArray,
    labels: ArrayLike | Sequence[Hashable],
    weights: ArrayLike,
) -> FloatArray:
    curve, size = occupation.integral, occupation.n_states
    held, arcs, counts = _contributions(curve)
    drawn = _drawn(occupation, labels, weights)
    together = max(1, CHUNK // (len(occupation.time) * (size + len(held) + 2 * len(arcs))))
    result = np.empty((len(drawn), coefficients.shape[1], size))
    for begin in range(0, len(drawn), together):
        some = np.ascontiguousarray(drawn[begin : begin + together].T)
        path = _paths(curve, held, arcs, (counts @ some).reshape(len(occupation.time), -1, some.shape[1]))
        sums = coefficients.T @ path.reshape(len(path), -1)
        result[begin : begin + together] = sums.reshape(-1, size, some.shape[1]).transpose(2, 0, 1)
    return result


def _drawn(occupation: Occupation, labels: ArrayLike | Sequence[Hashable], weights: ArrayLike) -> FloatArray:
    """Weight of each cluster of the curve, in the order of their codes, (B, clusters)."""
    given = np.asarray(weights, dtype=np.float64)
    if given.ndim != 2 or given.shape[1] != len(labels) or not (given >= 0).all():
        raise ModelError("bootstrap weights must be one row per draw and one column per label, none below 0.")
    column = {label: place for place, label in enumerate(labels)}
    own = encode(occupation.subject if occupation.cluster is None else occupation.cluster)[1]
    try:
        return given[:, [column[label] for label in own]]
    except KeyError as error:
        raise ModelError("a cluster of the curve has no bootstrap weight.") from error


def _contributions(curve: ProductIntegral) -> tuple[IntArray, IntArray, csr_array]:
    """States held, arcs (q, 2), and what a cluster adds to the counts, ((m + 1) * (held + q), clusters).

    At each event time there are the changes of the numbers at risk and then the transitions; the changes
    after the last event time come at the end.
    """
    spells, size, moves = curve.spells, curve.n_risk.shape[1], curve.spells.moves
    labels = spells.cluster
    cluster = spells.subject if labels is None else encode(labels)[0][spells.subject]
    source, held = encode(spells.source)
    arc, pair = encode(spells.source[moves] * size + spells.target[moves])
    width = len(held) + len(pair)
    rows = (
        curve.lo * width + source,
        curve.hi * width + source,
        (curve.hi[moves] - 1) * width + len(held) + arc,
    )
    values = (spells.weight, -spells.weight, spells.weight[moves])
    clusters = (cluster, cluster, cluster[moves])
    shape = ((len(curve.events) + 1) * width, int(cluster.max()) + 1)
    table = csr_array((np.concatenate(values), (np.concatenate(rows), np.concatenate(clusters))), shape=shape)
    return held, np.column_stack(np.divmod(pair, size)), table


def _paths(curve: ProductIntegral, held: IntArray, arcs: IntArray, counts: FloatArray) -> FloatArray:
    """Occupation probabilities of B draws, (m + 1, S, B), from their counts (m + 1, held + q, B)."""
    m, size, draws = len(curve.events), curve.n_risk.shape[1], counts.shape[2]
    n_risk, moved = np.cumsum(counts[:, : len(held)], axis=0)[:m], counts[:m, len(held) :]
    n_risk[n_risk < ROUNDING * n_risk.max(axis=(0, 1), initial=0.0)] = 0.0
    path = np.empty((m + 1, size, draws))
    path[0] = _initial(curve, held, n_risk, moved)
    source = np.searchsorted(held, arcs[:, 0])
    at_risk = np.where(n_risk > 0, n_risk, 1.0)
    rate = moved / at_risk[:, source]
    left = n_risk.copy()
    for arc, state in enumerate(source):
        left[:, state] -= moved[:, arc]
    stay = np.where(n_risk > 0, np.maximum(left, 0.0) / at_risk, 1.0)
    for k in range(m):
        before, after = path[k], path[k + 1]
        after[:] = before
        after[held] *= stay[k]
        for arc, (origin, end) in enumerate(arcs):
            after[end] += before[origin] * rate[k, arc]
    return path


def _initial(curve: ProductIntegral, held: IntArray, n_risk: FloatArray, moved: FloatArray) -> FloatArray:
    """Initial probabilities of each draw, (S, B)."""
    start = np.repeat(curve.prob[0][:, None], n_risk.shape[2], axis=1)
    if curve.initial_is_fixed or not len(curve.events):
        return start
    first = (moved > 0).any(axis=1).argmax(axis=0)
    there = np.take_along_axis(n_risk, first[None, None, :], axis=0)[0]
    total = there.sum(axis=0)
    start[:] = np.where(total > 0, 0.0, np.nan)
    start[held] = np.divide(there, total, out=np.full_like(there, np.nan), where=total > 0)
    return start
