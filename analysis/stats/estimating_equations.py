"""Independence estimating equations for a mean: weighted least squares with bias-reduced robust variance.

A cluster trial can mean the average over children (every child weighs 1) or over families (every child weighs
one over the number of its family's children). Both are solved here without a model of the correlation within
families.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtr, stdtrit

from analysis.errors import ModelError
from analysis.stats.arrangement import arrange, pattern_rows
from analysis.stats.at_risk import as_column, as_weights
from analysis.stats.columns import as_matrix, content_rank, orthonormal
from analysis.stats.covariance import random_intercept
from analysis.stats.small_sample import Contrast
from analysis.stats.structure import Names

# Eigenvalues of I - H within a cluster below this are zero: the cluster is fitted exactly in that direction.
NO_RESIDUAL = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class IndependenceFit:
    """Weighted least squares with m independent clusters.

    Attributes
    ----------
    beta : (p,) coefficients.
    vcov : (p, p) bias-reduced cluster-robust covariance CR2.
    vcov_plain : (p, p) the same without reduction, CR0, as generalised estimating equations print it.
    names : (p,) names of the columns.
    n_rows, n_clusters : numbers of rows and of clusters.
    T : (p, p) turns coefficients of the orthonormal columns Q into beta.
    M : (p, p) inverse of Q'WQ.
    Q, weight, residual : rows in canonical order, (n, p), (n,) and (n,).
    adjusted : (n, p) rows A_i'W_i Q_i of each cluster.
    first : (m,) first row of each cluster.
    """

    beta: NDArray
    vcov: NDArray
    vcov_plain: NDArray
    names: tuple[str, ...]
    n_rows: int
    n_clusters: int
    T: NDArray = field(repr=False)
    M: NDArray = field(repr=False)
    Q: NDArray = field(repr=False)
    weight: NDArray = field(repr=False)
    residual: NDArray = field(repr=False)
    adjusted: NDArray = field(repr=False)
    first: NDArray = field(repr=False)

    def sums(self, rows: NDArray) -> NDArray:
        """Sums over the rows of each cluster, (m, ...)."""
        return np.add.reduceat(rows, self.first, axis=0)


def independence(
    y: ArrayLike,
    X: ArrayLike,
    cluster: Names,
    *,
    weights: ArrayLike | None = None,
    names: Sequence[str] | None = None,
) -> IndependenceFit:
    """Coefficients of a mean by independence estimating equations, with cluster-robust covariance CR2.

    Parameters
    ----------
    y : (n,) outcome.
    X : (n, p) columns, the intercept included.
    cluster : (n,) hashable labels of the independent units.
    weights : (n,) positive; 1 for the average over rows, one over the cluster's number of rows for the
        average over clusters.
    names : (p,) names of the columns for messages.

    Returns
    -------
    IndependenceFit; the same to the last bit for every order of the rows.

    Raises
    ------
    ModelError : shapes do not match, a value is not finite, a weight is not positive, a column depends on the
        columns before it, or there are not more clusters than columns.

    Source
    ------
    Liang & Zeger (1986), Biometrika 73:13-22 (CR0); Bell & McCaffrey (2002), Survey Methodology 28:169-181,
    and Pustejovsky & Tipton (2018), Journal of Business & Economic Statistics 36:672-683, equation 7 with an
    identity working covariance (CR2).
    """
    y = as_column(y, "The outcome")
    X, names = as_matrix(X, n=len(y), names=names)
    weight = as_weights(weights, n=len(y))
    structure = random_intercept(cluster)
    if len(structure.cluster) != len(y):
        raise ModelError("cluster must be one column with one label per row.")
    if structure.n_clusters <= X.shape[1]:
        raise ModelError(
            f"There are {structure.n_clusters} clusters for {X.shape[1]} columns; a robust variance needs "
            "more clusters than columns."
        )
    # By columns and outcome first, so that fits of the same rows with other weights have the same order.
    heaviness = content_rank(weight[:, None])
    content = content_rank(np.column_stack([X, y])) * (int(heaviness.max()) + 1) + heaviness
    arrangement = arrange(structure, content)
    y, X, weight = (part[arrangement.order] for part in (y, X, weight))
    Q, T = orthonormal(X, names)
    M = np.linalg.inv(Q.T @ (weight[:, None] * Q))
    coefficient = M @ (Q.T @ (weight * y))
    residual = y - Q @ coefficient
    blocks = zip(*(pattern_rows(arrangement.patterns, part) for part in (Q, weight)), strict=True)
    inner = M @ (Q.T @ (weight[:, None] ** 2 * Q)) @ M
    adjusted = np.concatenate([_adjusted(rows, w[:, :, 0], M, inner) for rows, w in blocks])
    sizes = np.repeat(
        [len(each.level) for each in arrangement.patterns], [each.count for each in arrangement.patterns]
    )
    first = np.append(0, np.cumsum(sizes)[:-1])
    bread = T @ M
    return IndependenceFit(
        beta=T @ coefficient,
        vcov=_sandwich(bread, adjusted * residual[:, None], first),
        vcov_plain=_sandwich(bread, (weight * residual)[:, None] * Q, first),
        names=names,
        n_rows=len(y),
        n_clusters=structure.n_clusters,
        T=T,
        M=M,
        Q=Q,
        weight=weight,
        residual=residual,
        adjusted=adjusted,
        first=first,
    )


def robust_contrast(fit: IndependenceFit, L: ArrayLike, *, level: float = 0.95) -> Contrast:
    """Estimate, interval and t test of L beta with the CR2 variance and its Satterthwaite degrees of freedom.

    Parameters
    ----------
    fit : an independence fit.
    L : (p,) contrast.
    level : confidence level.

    Raises
    ------
    ModelError : L has the wrong shape, is zero or not finite.

    Source
    ------
    Bell & McCaffrey (2002), Survey Methodology 28:169-181; Pustejovsky & Tipton (2018), equation 11.
    """
    return _test((fit,), (1.0,), _as_row(L, fit), level)


def difference_of_averages(
    first: IndependenceFit, second: IndependenceFit, L: ArrayLike, *, level: float = 0.95
) -> Contrast:
    """L beta of two fits with other weights to the same rows: their difference, and the test that it is zero.

    With weights 1 and one over the cluster's size it is the test of informative cluster size: the averages
    over children and over families are the same unless the effect varies with the number of siblings.

    Parameters
    ----------
    first, second : fits of one outcome and one set of columns with different weights.
    L : (p,) contrast.
    level : confidence level.

    Raises
    ------
    ModelError : the fits are not of the same rows and columns, or their estimates are the same by
        construction.

    Source
    ------
    Kahan et al. (2023), International Journal of Epidemiology 52:107-118 (the two estimands); Williamson,
    Datta & Satten (2003), Biometrics 59:36-42 (weights). The variance sums the CR2-adjusted residuals of both
    fits within clusters; degrees of freedom as in `robust_contrast`.
    """
    if first.names != second.names or not np.array_equal(first.Q, second.Q):
        raise ModelError("The two fits must be of the same rows and columns.")
    return _test((first, second), (1.0, -1.0), _as_row(L, first), level)


def _adjusted(Q: NDArray, weight: NDArray, M: NDArray, inner: NDArray) -> NDArray:
    """Rows A_i'W_i Q_i of clusters of one size, (m * n_i, p); `Q` is (m, n_i, p), `weight` (m, n_i)."""
    weighted = weight[:, :, None] * Q
    hat = Q @ M @ weighted.transpose(0, 2, 1)
    B = np.eye(Q.shape[1]) - hat - hat.transpose(0, 2, 1) + Q @ inner @ Q.transpose(0, 2, 1)
    value, vector = np.linalg.eigh(B)
    root = np.where(value > NO_RESIDUAL, 1.0 / np.sqrt(np.maximum(value, NO_RESIDUAL)), 0.0)
    A = (vector * root[:, None]) @ vector.transpose(0, 2, 1)
    return (A @ weighted).reshape(-1, Q.shape[2])


def _sandwich(bread: NDArray, scores: NDArray, first: NDArray) -> NDArray:
    influence = np.add.reduceat(scores, first, axis=0) @ bread.T
    return influence.T @ influence


def _as_row(L: ArrayLike, fit: IndependenceFit) -> NDArray:
    try:
        L = np.asarray(L, dtype=float)
    except (TypeError, ValueError) as error:
        raise ModelError("L must be numeric.") from error
    if L.shape != fit.beta.shape or not np.isfinite(L).all() or not L.any():
        raise ModelError(f"L must be one row of {len(fit.beta)} finite numbers, not all zero.")
    return L


def _test(fits: tuple[IndependenceFit, ...], signs: tuple[float, ...], L: NDArray, level: float) -> Contrast:
    if not 0.0 < level < 1.0:
        raise ModelError(f"level must lie between 0 and 1; got {level!r}.")
    g = [sign * (fit.adjusted @ (fit.M @ (fit.T.T @ L))) for fit, sign in zip(fits, signs, strict=True)]
    influence = sum(fit.sums(each * fit.residual) for fit, each in zip(fits, g, strict=True))
    estimate = float(sum(sign * (L @ fit.beta) for fit, sign in zip(fits, signs, strict=True)))
    se = float(np.sqrt(influence @ influence))
    size = float(np.sqrt(sum(sign**2 * (L @ fit.vcov @ L) for fit, sign in zip(fits, signs, strict=True))))
    if not se > 1e-10 * size:
        raise ModelError("The variance of the contrast is zero; the fits leave nothing to compare.")
    df = _degrees_of_freedom(fits, g)
    half = float(stdtrit(df, 0.5 + level / 2.0)) * se
    t = estimate / se
    return Contrast(
        estimate=estimate,
        se=se,
        df=df,
        low=estimate - half,
        high=estimate + half,
        p=float(2.0 * stdtr(df, -abs(t))),
        F=t**2,
        ndf=1,
        scale=1.0,
        level=level,
        method="cr2_satterthwaite",
    )


def _degrees_of_freedom(fits: tuple[IndependenceFit, ...], g: list[NDArray]) -> float:
    """tr(P)^2 / tr(P^2), with P_ij = q_i'q_j over clusters and q = sum_k (I - H_k)' g_k.

    P is diagonal but for a part of low rank, F K F', so that nothing of size (clusters, clusters) is formed.
    """
    diagonal = fits[0].sums(sum(g) ** 2)
    index = range(len(fits))
    u = [fit.sums(fit.Q * each[:, None]) for fit, each in zip(fits, g, strict=True)]
    v = [[fit.sums(fit.Q * (fit.weight * each)[:, None]) for fit in fits] for each in g]
    factor = np.concatenate([*u, *(v[k][j] for k in index for j in index)], axis=1)
    p, n_fits = fits[0].Q.shape[1], len(fits)
    K = np.zeros((factor.shape[1],) * 2)
    at_u = [slice(k * p, (k + 1) * p) for k in index]
    at_v = [
        [slice((n_fits + k * n_fits + j) * p, (n_fits + k * n_fits + j + 1) * p) for j in index]
        for k in index
    ]
    for k in index:
        for j in index:
            shared = fits[k].Q.T @ ((fits[k].weight * fits[j].weight)[:, None] * fits[j].Q)
            K[at_u[k], at_v[j][k]] -= fits[k].M
            K[at_v[k][j], at_u[j]] -= fits[j].M
            K[at_u[k], at_u[j]] += fits[k].M @ shared @ fits[j].M
    low_rank = np.einsum("if,fg,ig->i", factor, K, factor)
    inner = K @ (factor.T @ factor)
    trace = float((diagonal + low_rank).sum())
    square = float((diagonal**2).sum() + 2.0 * (diagonal * low_rank).sum() + np.trace(inner @ inner))
    return trace**2 / square
