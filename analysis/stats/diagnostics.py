"""Residuals, leverage and the influence of clusters for a fitted linear mixed model."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtri

from analysis.errors import ModelError
from analysis.stats.arrangement import Arrangement, Pattern, arrange, pattern_rows
from analysis.stats.at_risk import as_column
from analysis.stats.columns import as_matrix, content_rank, orthonormal
from analysis.stats.reml import LinearFit
from analysis.stats.structure import Structure

# A share of a residual's variance below this is rounding: the fit passes through the row.
NO_FREEDOM = 1e-9
# A coefficient moved by this share of its standard error along a lost direction is lost with it.
LOST = 1e-6
# The score of beta, in its own standard errors, above which the rows are not those of the fit.
FOREIGN = 1e-4


@dataclass(frozen=True, slots=True, eq=False)
class Diagnostics:
    """How a fitted mixed model stands to its rows and clusters, all at the fitted theta.

    Attributes
    ----------
    fitted : (n,) X beta, in units of the outcome; rows in the order given.
    marginal : (n,) residuals y - X beta.
    conditional : (n,) residuals y - X beta - Z b with the predicted effects b of clusters and subjects; equal
        to `marginal` for a covariance that has no random effect (exchangeable, unstructured).
    studentised : (n,) marginal residuals divided by their standard errors, from diag(V - X vcov X').
    scaled : (n,) V_i^-1/2 (y_i - X_i beta) with the symmetric root: uncorrelated with variance 1 at the true
        parameters, and each still that of its row.
    leverage : (n,) diagonal of H = X vcov X' V^-1, which maps y to X beta.
    leverage_conditional : (n,) diagonal of the matrix that maps y to X beta + Z b.
    cluster_leverage : (m,) trace of the cluster's block of H; they add up to p. Clusters in the order of the
        codes of the structure.
    dfbeta : (m, p) beta less beta without the cluster; not a number for a coefficient that cannot be
        estimated without it.
    cook : (m,) dfbeta' vcov^-1 dfbeta / p; not a number if any coefficient is lost.
    """

    fitted: NDArray
    marginal: NDArray
    conditional: NDArray
    studentised: NDArray
    scaled: NDArray
    leverage: NDArray
    leverage_conditional: NDArray
    cluster_leverage: NDArray
    dfbeta: NDArray
    cook: NDArray


@dataclass(frozen=True, slots=True, eq=False)
class _Block:
    """Clusters of one pattern: V, its inverse symmetric root and the residual covariance, (n_i, n_i) each.

    `residual` (m, n_i) and `scaled` (m, n_i) are the marginal residuals before and after the root, `B` (m,
    n_i, p) the root times columns whose cross-product over all clusters is I. `rows` and `clusters` say where
    the answers belong.
    """

    V: NDArray
    root: NDArray
    R: NDArray
    residual: NDArray
    scaled: NDArray
    B: NDArray
    rows: NDArray
    clusters: NDArray


def diagnose(fit: LinearFit, y: ArrayLike, X: ArrayLike, structure: Structure) -> Diagnostics:
    """Residuals, leverage and influence of a fit, with theta held.

    Parameters
    ----------
    fit : the fitted model.
    y, X, structure : what it was fitted to; rows in any order.

    Returns
    -------
    Diagnostics in the order of the rows given. Deletion is exact for held theta: no model is refitted. No n x
    n matrix is formed.

    Raises
    ------
    ModelError : the fit did not converge, or the rows, columns or parameters are not those of the fit.

    Source
    ------
    Haslett & Haslett (2007), International Statistical Review 75:1-24 (kinds of residuals); Demidenko &
    Stukel (2005), Statistics in Medicine 24:893-909 (leverage, influence); Preisser & Qaqish (1996),
    Biometrika 83:551-562, equation 6 (deletion of a cluster); Cook (1977), Technometrics 19:15-18.
    """
    y, X = _checked(fit, y, X, structure)
    arrangement = arrange(structure, content_rank(np.column_stack([X, y])))
    order = arrangement.order
    fitted = X[order] @ fit.beta
    Q, T = orthonormal(X[order], fit.names)
    blocks = list(_blocks(fit, structure, arrangement, np.column_stack([Q, y[order] - fitted])))
    cross = np.linalg.cholesky(sum(np.einsum("mip,miq->pq", block.B, block.B) for block in blocks))
    turn = np.linalg.inv(cross).T
    # The equations of beta hold for the rows of the fit, and for no others.
    if np.abs(sum(np.einsum("mip,mi->p", block.B @ turn, block.scaled) for block in blocks)).max() > FOREIGN:
        raise ModelError("The outcome, the columns or their order are not those the model was fitted to.")
    n, m, p = len(y), structure.n_clusters, len(fit.beta)
    by_row, by_cluster = np.empty((n, 5)), np.empty((m, p + 2))
    for block in blocks:
        B = block.B @ turn
        by_row[block.rows] = _by_row(block, B)
        by_cluster[block.clusters] = _by_cluster(block.scaled, B, T @ turn)
    fitted = fitted[np.argsort(order)]
    return Diagnostics(
        fitted,
        y - fitted,
        *by_row.T,
        cluster_leverage=by_cluster[:, p],
        dfbeta=by_cluster[:, :p],
        cook=by_cluster[:, p + 1],
    )


def _checked(fit: LinearFit, y: ArrayLike, X: ArrayLike, structure: Structure) -> tuple[NDArray, NDArray]:
    if not fit.converged:
        raise ModelError(f"The model gives no diagnostics. {' '.join(fit.notes)}")
    y = as_column(y, "The outcome", n=len(structure.cluster))
    X, _ = as_matrix(X, n=len(y), names=None)
    names = tuple(term.name for term in structure.terms)
    if (len(y), structure.n_clusters) != (fit.n_rows, fit.n_clusters) or names != fit.theta_names:
        raise ModelError("The structure is not the one the model was fitted with.")
    if X.shape[1] != len(fit.beta):
        raise ModelError(f"X has {X.shape[1]} columns; the model was fitted with {len(fit.beta)}.")
    return y, X


def _blocks(
    fit: LinearFit, structure: Structure, arrangement: Arrangement, table: NDArray
) -> Iterator[_Block]:
    """One block per pattern; `table` is [Q, residuals] in the order of the arrangement."""
    order, patterns, first = arrangement.order, arrangement.patterns, 0
    for pattern, rows in zip(patterns, pattern_rows(patterns, table), strict=True):
        place = order[first : first + pattern.count * len(pattern.level)].reshape(pattern.count, -1)
        first += place.size
        V, R = _covariances(fit.theta, structure, pattern)
        value, axes = np.linalg.eigh(V)
        root = (axes / np.sqrt(value)) @ axes.T
        residual = rows[:, :, -1]
        yield _Block(
            V,
            root,
            R,
            residual,
            residual @ root,
            root @ rows[:, :, :-1],
            place,
            structure.cluster[place[:, 0]],
        )


def _covariances(theta: NDArray, structure: Structure, pattern: Pattern) -> tuple[NDArray, NDArray]:
    """V of a pattern, and the part of it that is not a variance of clusters or subjects."""
    parts = [
        value * term.basis(pattern.subject, pattern.level)
        for value, term in zip(theta, structure.terms, strict=True)
    ]
    effects = [term.within != "row" and term.lower == 0.0 for term in structure.terms]
    return sum(parts), sum(part for part, effect in zip(parts, effects, strict=True) if not effect)


def _by_row(block: _Block, B: NDArray) -> NDArray:
    """Conditional, studentised and scaled residuals and both leverages, (m, n_i, 5)."""
    shrink = block.root @ block.root @ block.R
    fixed, weighted = np.linalg.solve(block.root, B), block.root @ B
    variance = np.diagonal(block.V) - (fixed**2).sum(axis=2)
    free = variance > NO_FREEDOM * np.diagonal(block.V)
    return np.stack(
        [
            block.residual @ shrink,
            np.where(free, block.residual / np.sqrt(np.where(free, variance, 1.0)), np.nan),
            block.scaled,
            (fixed * weighted).sum(axis=2),
            1.0 - np.diagonal(shrink) + ((block.R @ weighted) * weighted).sum(axis=2),
        ],
        axis=2,
    )


def _by_cluster(scaled: NDArray, B: NDArray, K: NDArray) -> NDArray:
    """Change of beta without each cluster, leverage and Cook's distance, (m, p + 2); K K' = vcov.

    The change is K B' (I - B B')^-1 times the scaled residual. An eigenvalue 0 of I - B B' is a direction
    that this cluster alone determines; the residual has no part in it.
    """
    value, axes = np.linalg.eigh(np.eye(B.shape[1]) - B @ np.swapaxes(B, 1, 2))
    free = value > NO_FREEDOM
    along = np.swapaxes(axes, 1, 2) @ B
    weight = np.where(free, 1.0 / np.where(free, value, 1.0), 0.0)
    step = np.einsum("mij,mi,mj,mjp->mp", axes, scaled, weight, along)
    lost = np.sqrt((((along @ K.T) ** 2) * ~free[:, :, None]).sum(axis=1))
    dfbeta = np.where(lost > LOST * np.sqrt((K**2).sum(axis=1)), np.nan, step @ K.T)
    cook = np.where(free.all(axis=1), (step**2).sum(axis=1) / B.shape[2], np.nan)
    return np.column_stack([dfbeta, (B**2).sum(axis=(1, 2)), cook])


def normal_quantiles(n: int) -> NDArray:
    """Expected order of n standard normal residuals, (n,): quantiles at (i - 3/8) / (n + 1/4).

    Source
    ------
    Blom (1958), Statistical Estimates and Transformed Beta-Variables, chapter 6.
    """
    return ndtri((np.arange(1.0, n + 1.0) - 0.375) / (n + 0.25))
