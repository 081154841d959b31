"""REML for V = tau [(1 - rho) I + rho J] in the eigenvalues of J: one number to search for, whatever n.

Among the contrasts of the rows that are free of the coefficients, J has few distinct eigenvalues: the
cluster sizes, zero, and at most p more for each of these. A response enters through its sum of squares along
each, so that many responses on one design are searched together. Every other quantity follows without the
inverse of a matrix, because in the basis [Q, U] of columns and free contrasts

    (Q'V^-1 Q)^-1 = Q'VQ - Q'VU (U'VU)^-1 U'VQ,    with U'VU diagonal.

Source: Patterson & Thompson (1971), Biometrika 58:545-554, section 3 (the likelihood in eigenvalues); Searle,
Casella & McCulloch (1992), Variance Components, section 3.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import helmert, null_space

from analysis.stats.arrangement import Pattern, pattern_rows
from analysis.stats.cluster_sums import SINGULAR

# A direction of the columns within one stratum that is a smaller share of their length is rounding.
ROUNDING = 1e-10
# Points at which every likelihood is compared before it is climbed: it may have several maxima.
GRID = 32
# Newton decrement, in units of log-likelihood, below which one last step ends the search.
CONVERGED = 1e-12
MAX_STEPS = 100


@dataclass(frozen=True, slots=True, eq=False)
class Spectrum:
    """One design in the eigenvalues of J; k of them, the last h with one contrast each.

    Attributes
    ----------
    value, count : (k,) eigenvalue of J and the number of free contrasts that share it.
    size : (strata,) eigenvalue of J in each stratum of the rows: zero within clusters, then the sizes.
    square : sum over clusters of the squared size.
    Q : per stratum, its rows of the orthonormal columns, (rows, p).
    span : per stratum, an orthonormal basis of the columns of Q there, (rows, r_s).
    kept : strata that own a free contrast beside `span`; their eigenvalues come first in `value`.
    mix : (sum r_s, h) the h single contrasts in the coordinates of all `span`.
    J : (p, p) Q'JQ.
    coupling : (p, h) Q'J times the single contrasts.
    """

    value: NDArray
    count: NDArray
    size: NDArray
    square: float
    Q: list[NDArray]
    span: list[NDArray]
    kept: NDArray
    mix: NDArray
    J: NDArray
    coupling: NDArray

    def eigenvalue(self, rho: NDArray) -> NDArray:
        """Eigenvalues of V among the free contrasts for tau = 1, (k, m)."""
        return 1.0 + rho * (self.value[:, None] - 1.0)

    def single(self, rho: NDArray) -> NDArray:
        """Those with one contrast each, (h, m)."""
        return 1.0 + rho * (self.value[len(self.kept) :, None] - 1.0)


@dataclass(frozen=True, slots=True, eq=False)
class Responses:
    """m responses in one spectrum.

    `b` (p, m) are the coefficients on Q by least squares, `squares` (k, m) the sums of squares along each
    eigenvalue, `score` (h, m) the responses along the single contrasts and `length` (m,) their own.
    """

    b: NDArray
    squares: NDArray
    score: NDArray
    length: NDArray


def spectrum(patterns: tuple[Pattern, ...], Q: NDArray) -> Spectrum:
    """The eigenvalues of J for orthonormal columns Q, (n, p), rows in the order of the patterns."""
    size = np.array([0.0, *(len(pattern.level) for pattern in patterns)])
    parts = _strata(patterns, Q)
    span = [_span(part) for part in parts]
    rank = np.array([basis.shape[1] for basis in span])
    spare = np.array([len(part) for part in parts]) - rank
    kept = np.flatnonzero(spare)
    coordinates = np.concatenate([basis.T @ part for basis, part in zip(span, parts, strict=True)])
    weight = np.repeat(size, rank)
    free = null_space(coordinates.T, rcond=1e-8)
    single, turn = np.linalg.eigh((free.T * weight) @ free)
    mix = free @ turn
    return Spectrum(
        value=np.concatenate([size[kept], single]),
        count=np.concatenate([spare[kept], np.ones(len(single))]),
        size=size,
        square=float(sum(pattern.count * len(pattern.level) ** 2 for pattern in patterns)),
        Q=parts,
        span=span,
        kept=kept,
        mix=mix,
        J=(coordinates.T * weight) @ coordinates,
        coupling=(coordinates.T * weight) @ mix,
    )


def project(space: Spectrum, patterns: tuple[Pattern, ...], Y: NDArray) -> Responses:
    """Responses, (n, m) in the order of the patterns, in the eigenvalues of the design."""
    parts = _strata(patterns, Y)
    length = np.sqrt(sum(np.einsum("ij,ij->j", part, part) for part in parts))
    b = sum(Q.T @ part for Q, part in zip(space.Q, parts, strict=True))
    squares, along = [], []
    for Q, basis, part in zip(space.Q, space.span, parts, strict=True):
        part -= Q @ b
        along.append(basis.T @ part)
        squares.append(np.einsum("ij,ij->j", part, part) - np.einsum("ij,ij->j", along[-1], along[-1]))
    score = space.mix.T @ np.concatenate(along)
    shared = np.maximum(np.array(squares)[space.kept], 0.0)
    return Responses(b, np.concatenate([shared, score**2]), score, length)


def _strata(patterns: tuple[Pattern, ...], rows: NDArray) -> list[NDArray]:
    """Rows turned, cluster by cluster, into those within clusters and, per size, one between each."""
    within, between = [rows[:0]], []
    for block in pattern_rows(patterns, rows):
        n, width = block.shape[1:]
        turned = helmert(n, full=True) @ block if n > 1 else block.copy()
        between.append(turned[:, 0])
        within.append(turned[:, 1:].reshape(-1, width))
    return [np.concatenate(within), *between]


def _span(rows: NDArray) -> NDArray:
    left, length, _ = np.linalg.svd(rows, full_matrices=False)
    return left[:, length > ROUNDING]


def maximise(space: Spectrum, squares: NDArray, floor: float) -> tuple[NDArray, NDArray]:
    """The rho of the highest restricted likelihood of each response in [floor, 1), and whether it was found.

    The best point of a grid is improved by Newton steps, halved into the bracket that the slopes leave. Below
    zero only the maximum uphill of zero counts: where a few contrasts make V all but singular the likelihood
    may have a narrow peak that says nothing of the others.
    """
    grid = _grid(floor)
    profile = _profile(space, squares, grid)
    best = _uphill(profile, int(np.flatnonzero(grid == 0.0)[0])) if floor else np.argmax(profile, axis=0)
    rho = grid[best]
    slope, curve = _slopes(space, squares, rho)
    low = np.where(slope > 0.0, rho, grid[np.maximum(best - 1, 0)])
    high = np.where(slope > 0.0, grid[np.minimum(best + 1, len(grid) - 1)], rho)
    found = low == high
    active = np.flatnonzero(~found)
    for _ in range(MAX_STEPS):
        if not len(active):
            break
        low[active], high[active], rho[active], last = _step(
            low[active], high[active], rho[active], slope[active], curve[active]
        )
        found[active[last]] = True
        active = active[~last]
        slope[active], curve[active] = _slopes(space, squares[:, active], rho[active])
    return rho, found


def _grid(floor: float) -> NDArray:
    """Points from the floor through zero to almost 1, closer to each other at the ends of each part."""
    share = np.sin(np.linspace(0.0, np.pi / 2.0, GRID)) ** 2
    positive = (1.0 - SINGULAR) * share
    return np.concatenate([floor * share[:0:-1], positive]) if floor else positive


def _uphill(profile: NDArray, start: int) -> NDArray:
    """Row of the maximum that each column, (m,), reaches from the start by steps that do not descend."""
    right = np.logical_and.accumulate(np.diff(profile[start:], axis=0) > 0.0).sum(axis=0)
    left = np.logical_and.accumulate(np.diff(profile[start::-1], axis=0) > 0.0).sum(axis=0)
    better = profile[start + right, np.arange(len(right))] >= profile[start - left, np.arange(len(left))]
    return start + np.where(better, right, -left)


def _profile(space: Spectrum, squares: NDArray, rho: NDArray) -> NDArray:
    """Twice the restricted log-likelihood at each rho and its best tau, (len(rho), m), up to a constant."""
    w = 1.0 + rho[:, None] * (space.value - 1.0)
    return -space.count.sum() * np.log((1.0 / w) @ squares) - (np.log(w) @ space.count)[:, None]


def _slopes(space: Spectrum, squares: NDArray, rho: NDArray) -> tuple[NDArray, NDArray]:
    """First and second derivative by rho of twice the profile, one rho per response."""
    a, total = space.value[:, None] - 1.0, space.count.sum()
    inverse = 1.0 / (1.0 + rho * a)
    ratio = a * inverse
    weighted = squares * inverse
    scale = weighted.sum(axis=0)
    weighted *= ratio
    first = weighted.sum(axis=0) / scale
    weighted *= ratio
    second = weighted.sum(axis=0) / scale
    slope = total * first - space.count @ ratio
    return slope, space.count @ ratio**2 - total * (2.0 * second - first**2)


def _step(
    low: NDArray, high: NDArray, rho: NDArray, slope: NDArray, curve: NDArray
) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """Bracket and rho after one step, and which step was the last."""
    low, high = np.where(slope > 0.0, rho, low), np.where(slope > 0.0, high, rho)
    concave = curve < 0.0
    newton = rho - slope / np.where(concave, curve, -1.0)
    inside = concave & (newton >= low) & (newton <= high)
    last = inside & (slope**2 < -2.0 * CONVERGED * curve)
    return low, high, np.where(inside, newton, (low + high) / 2.0), last
