"""Robust covariance of any estimator from its influence: one idea for every survival analysis.

An estimator returns, beside its estimate, the change of that estimate when the weight of one subject changes
(infinitesimal jackknife). Influences are summed within cluster, here the children of a family, and the
covariance is the cross-product of the sums, without small-sample factor (as R; Stata has G / (G - 1)).
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import chdtrc

from analysis.errors import ModelError
from analysis.stats.at_risk import FloatArray
from analysis.stats.intervals import Interval, IntervalKind, interval
from analysis.stats.labels import Labels, as_labels, encode

# Up to as many columns, summing each by itself is quicker than sorting the rows.
NARROW = 8


@dataclass(frozen=True, slots=True)
class ChiSquare:
    """A chi-square test: statistic, degrees of freedom and p-value."""

    statistic: float
    df: int
    p: float

    @classmethod
    def of(cls, statistic: float, df: int) -> "ChiSquare":
        """The test of a given statistic."""
        return cls(float(statistic), df, float(chdtrc(df, max(statistic, 0.0))))


def cluster_sums(influence: FloatArray, cluster: Labels | None) -> FloatArray:
    """Influence summed within cluster, (G, q), clusters sorted; without labels, the rows as given."""
    if cluster is None:
        return influence
    code, levels = encode(cluster)
    if len(levels) == len(code):
        return influence
    if influence.shape[1] <= NARROW:
        return np.column_stack([np.bincount(code, weights=column) for column in influence.T])
    order = np.argsort(code, kind="stable")
    return np.add.reduceat(influence[order], np.searchsorted(code[order], np.arange(len(levels))), axis=0)


def cluster_covariance(
    influence: FloatArray, cluster: ArrayLike | Sequence[Hashable] | None = None
) -> FloatArray:
    """Cluster-robust covariance of q estimates, shape (q, q).

    Parameters
    ----------
    influence : (n, q)
        Infinitesimal-jackknife influence of each row, weights included.
    cluster : (n,), optional
        Labels of the independent units. Without them every row is one.

    Returns
    -------
    (q, q)
        Not-a-number when there are fewer than two clusters: one unit says nothing about variation between
        units.

    Source
    ------
    Lin & Wei (1989), J. Am. Stat. Assoc. 84:1074; Lee, Wei & Amato (1992) for the sum within
    cluster.
    """
    labels = None if cluster is None else as_labels(cluster, n=len(influence), name="cluster")
    total = cluster_sums(influence, labels)
    return total.T @ total if len(total) > 1 else np.full((total.shape[1],) * 2, np.nan)


def wald_test(estimate: FloatArray, vcov: FloatArray) -> ChiSquare:
    """Test that all q estimates are zero; the degrees of freedom are the rank of their covariance."""
    if not (np.isfinite(estimate).all() and np.isfinite(vcov).all() and (np.diag(vcov) > 0).all()):
        return ChiSquare(float("nan"), len(estimate), float("nan"))
    scale = np.sqrt(np.diag(vcov))
    root, axes = np.linalg.eigh(vcov / np.outer(scale, scale))
    kept = root > 1e-10 * root[-1]
    projected = axes[:, kept].T @ (estimate / scale)
    return ChiSquare.of(np.sum(projected**2 / root[kept]), int(kept.sum()))


@dataclass(frozen=True, slots=True, eq=False)
class Linear:
    """q asymptotically linear estimates of one sample, with all that later steps need to combine them.

    Attributes
    ----------
    estimate : (q,)
        The estimates.
    influence : (n, q)
        Infinitesimal-jackknife influence of each of the n subjects.
    cluster : (n,) or None
        Labels of the independent units; without them every subject is one.
    notes : tuple of str
        What a reader of the estimate must know.
    """

    estimate: FloatArray
    influence: FloatArray
    cluster: Labels | None = None
    notes: tuple[str, ...] = ()

    @property
    def n_clusters(self) -> int:
        """Number of independent units."""
        return len(self.influence) if self.cluster is None else len(encode(self.cluster)[1])

    @property
    def vcov(self) -> FloatArray:
        """Cluster-robust covariance, (q, q)."""
        return cluster_covariance(self.influence, self.cluster)

    @property
    def se(self) -> FloatArray:
        """Cluster-robust standard errors, (q,)."""
        total = cluster_sums(self.influence, self.cluster)
        return np.sqrt((total**2).sum(axis=0)) if len(total) > 1 else np.full(len(self.estimate), np.nan)

    def interval(self, *, kind: IntervalKind = "unbounded", level: float = 0.95) -> Interval:
        """Confidence limits, two arrays (q,); the kinds are those of `interval`."""
        return interval(self.estimate, self.se, kind=kind, level=level)

    def test(self) -> ChiSquare:
        """Joint Wald test that all q quantities are zero."""
        return wald_test(self.estimate, self.vcov)

    def select(self, index: Any) -> "Linear":
        """The quantities at positions `index` (any numpy index of one axis)."""
        kept = np.atleast_1d(np.arange(len(self.estimate))[index])
        return Linear(self.estimate[kept], self.influence[:, kept], self.cluster, self.notes)

    def transform(self, L: ArrayLike) -> "Linear":
        """The r quantities L @ estimate of the same sample, for L of shape (r, q)."""
        matrix = np.atleast_2d(np.asarray(L, dtype=np.float64))
        if matrix.shape[1] != len(self.estimate):
            raise ModelError(f"a transformation of {len(self.estimate)} quantities needs as many columns.")
        return Linear(matrix @ self.estimate, self.influence @ matrix.T, self.cluster, self.notes)


def combine(weights: ArrayLike, quantities: Sequence[Linear]) -> Linear:
    """Weighted sum, with fixed weights, of the same q quantities estimated in several groups of subjects.

    Parameters
    ----------
    weights : (K,)
        One fixed number per group, for example (1, -1) for a difference.
    quantities : sequence of K Linear
        Estimates of shape (q,) from disjoint groups of subjects. A cluster may span groups: its influences
        are added over the union of the labels. For a contrast within one group use `Linear.transform`.

    Returns
    -------
    Linear
        Estimate (q,), influence (sum of n, q). Not-a-number influence where a weighted group has a single
        cluster.

    Raises
    ------
    ModelError
        If the numbers of weights and groups or of quantities differ, or only some groups have cluster labels.
    """
    factors = np.asarray(weights, dtype=np.float64)
    if len(factors) != len(quantities) or not factors.any() or not np.isfinite(factors).all():
        raise ModelError("a combination needs one finite weight per group, not all of them 0.")
    if len({len(each.estimate) for each in quantities}) > 1:
        raise ModelError("groups can be combined only when each estimates the same quantities.")
    used = [(factor, each) for factor, each in zip(factors, quantities, strict=True) if factor]
    alone = [each.n_clusters < 2 for _, each in used]
    notes = dict.fromkeys(note for each in quantities for note in each.notes)
    if any(alone):
        notes[f"no standard error: {sum(alone)} of the combined groups has a single cluster."] = None
    # A single cluster has influence 0 by construction: taken at its word it would say "no uncertainty".
    scales = [np.nan if lonely else factor for (factor, _), lonely in zip(used, alone, strict=True)]
    return Linear(
        np.sum([factor * each.estimate for factor, each in used], axis=0),
        np.concatenate([scale * each.influence for scale, (_, each) in zip(scales, used, strict=True)]),
        _joined([each.cluster for _, each in used]),
        tuple(notes),
    )


def standardise(
    cells: Mapping[tuple[Hashable, Hashable], Linear], weights: Mapping[Hashable, float]
) -> dict[Hashable, Linear]:
    """The same q quantities by arm, each site weighted by its fixed share (direct standardisation).

    Parameters
    ----------
    cells : mapping (arm, site) -> Linear
        Estimates of shape (q,) within each cell.
    weights : mapping site -> float
        Shares that sum to 1 and are the same for every arm, such as the site mix of the whole trial.

    Returns
    -------
    dict arm -> Linear
        In the order in which the arms appear in `cells`.

    Raises
    ------
    ModelError
        If the shares do not sum to 1 or a cell with a positive share is absent.
    """
    shares = np.asarray(list(weights.values()), dtype=np.float64)
    if not (abs(shares.sum() - 1) <= 1e-9 and shares.min() >= 0):
        raise ModelError("standardisation needs site shares that are not negative and sum to 1.")
    arms = list(dict.fromkeys(arm for arm, _ in cells))
    sites = [site for site, share in weights.items() if share > 0]
    if any((arm, site) not in cells for arm in arms for site in sites):
        raise ModelError("standardisation needs an estimate of every arm at every site with a share above 0.")
    share = [weights[site] for site in sites]
    return {arm: combine(share, [cells[arm, site] for site in sites]) for arm in arms}


def difference(quantity: Linear, reference: Linear) -> Linear:
    """The q differences `quantity` - `reference` of two groups of subjects: `combine` with (1, -1).

    Raises
    ------
    ModelError
        If the two do not estimate the same quantities, or only one has cluster labels.
    """
    return combine((1.0, -1.0), (quantity, reference))


def _joined(clusters: Sequence[Labels | None]) -> Labels | None:
    given = [each for each in clusters if each is not None]
    if not given:
        return None
    if len(given) < len(clusters):
        raise ModelError("groups can be combined only when all or none of them have cluster labels.")
    same = len({each.dtype.kind for each in given}) == 1
    return np.concatenate(given if same else [each.astype(object) for each in given])
