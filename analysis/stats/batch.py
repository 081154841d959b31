"""The random-intercept model for many responses on one design, all of them fitted together.

For imputations, permutations and simulated trials. Each response has its own variances; what they share is
the design, reduced once to the few eigenvalues of `analysis.stats.spectrum`. The fits are those of
`analysis.stats.reml` and the tests those of Kenward and Roger in `analysis.stats.small_sample`, by formulae
that share nothing with them but the order of the rows.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtr

from analysis.errors import ModelError
from analysis.stats.arrangement import arrange
from analysis.stats.at_risk import refuse_rows
from analysis.stats.cluster_sums import SINGULAR
from analysis.stats.columns import EXACT, as_matrix, content_rank, orthonormal, refuse_unit
from analysis.stats.covariance import exchangeable, random_intercept
from analysis.stats.reml import EDGE
from analysis.stats.spectrum import Responses, Spectrum, maximise, project, spectrum
from analysis.stats.structure import Names, Structure

# Responses worked on at a time: few enough to stay in the processor's cache.
TOGETHER = 512


@dataclass(frozen=True, slots=True, eq=False)
class BatchFit:
    """B fitted models y_b ~ N(X beta_b, V(theta_b)) on one design.

    Attributes
    ----------
    beta, se : (B, p) coefficients and their standard errors, without small-sample correction.
    theta : (B, 2) variance (or covariance) between clusters and residual variance.
    converged : (B,) whether the likelihood has a maximum inside the space or on its bound.
    boundary : (B,) whether the first variance, or V itself, lies on the edge of its space.
    df : (B,) degrees of freedom of the contrast; infinite if none was asked for.
    estimate, contrast_se, p : (B,) the contrast, its standard error adjusted as Kenward & Roger do and its
        two-sided p-value; None if none was asked for. These and `df` are not a number where `converged` is
        false.
    """

    beta: NDArray
    se: NDArray
    theta: NDArray
    converged: NDArray
    boundary: NDArray
    df: NDArray
    estimate: NDArray | None = None
    contrast_se: NDArray | None = None
    p: NDArray | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Fits:
    """Correlation and total variance of m responses, (m,), and their coefficients on Q, (p, m)."""

    rho: NDArray
    tau: NDArray
    b: NDArray
    converged: NDArray
    edge: NDArray


def reml_batch(
    Y: ArrayLike,
    X: ArrayLike,
    cluster: Names,
    *,
    kenward_roger: ArrayLike | None = None,
    negative: bool = False,
) -> BatchFit:
    """Coefficients and variances of a random-intercept model for every column of Y, by REML.

    Parameters
    ----------
    Y : (n, B) responses, one per column.
    X : (n, p) columns of the model, the intercept included, the same for all responses.
    cluster : (n,) hashable labels of the clusters, rows in any order.
    kenward_roger : (p,) a contrast L; if given, L beta = 0 is tested as `contrast` does by default.
    negative : whether the correlation may be negative, as in `exchangeable`.

    Returns
    -------
    BatchFit with, for each column, the numbers of `reml` and `contrast`; the same to the last bit for every
    order of the rows. A likelihood with several maxima is taken at the highest.

    Raises
    ------
    ModelError : shapes do not match, a value is not finite, a column of X depends on the columns before it,
        there are not more rows than columns, there is one cluster only, the columns leave nothing from which
        to estimate the variance between clusters, the columns fit a response exactly, or the contrast is zero
        or not finite.

    Source
    ------
    Patterson & Thompson (1971), Biometrika 58:545-554; Kenward & Roger (1997), Biometrics 53:983-997,
    equation 5 and section 3.
    """
    Y = _as_responses(Y)
    X, names = as_matrix(X, n=len(Y), names=None)
    L = None if kenward_roger is None else _as_contrast(kenward_roger, X.shape[1])
    structure = _structure(cluster, len(Y), negative=negative)
    arrangement = arrange(structure, _row_rank(X, Y))
    order, patterns = arrangement.order, arrangement.patterns
    Q, T = orthonormal(X[order], names)
    space = spectrum(patterns, Q)
    floor = _floor(space, negative=negative)
    parts = []
    for columns in _chunks(Y.shape[1]):
        responses = project(space, patterns, Y[order, columns])
        _refuse_exact(responses, columns)
        fits = _fit(space, responses, floor)
        fields = _coefficients(space, fits, T, bounded=floor in (None, 0.0))
        parts.append(fields if L is None else fields | _test(space, fits, L @ T))
    return BatchFit(**{name: np.concatenate([part[name] for part in parts]) for name in parts[0]})


def _as_responses(Y: ArrayLike) -> NDArray:
    try:
        Y = np.asarray(Y, dtype=float)
    except (TypeError, ValueError) as error:
        raise ModelError("Y must be a numeric table with one column per response.") from error
    if Y.ndim != 2 or not Y.shape[1]:
        raise ModelError(f"Y has shape {Y.shape}; it must be a table with one column per response.")
    refuse_rows(~np.isfinite(Y).all(axis=1), "a response is missing or not finite.")
    for column, size in enumerate(np.abs(Y).max(axis=0, initial=0.0)):
        refuse_unit(size, f"Column {column} of Y")
    return Y


def _as_contrast(L: ArrayLike, p: int) -> NDArray:
    try:
        L = np.asarray(L, dtype=float)
    except (TypeError, ValueError) as error:
        raise ModelError("The contrast must be numeric.") from error
    if L.shape != (p,):
        raise ModelError(
            f"The contrast has shape {L.shape}; the model has {p} columns, so it must be ({p},)."
        )
    if not np.isfinite(L).all() or not L.any():
        raise ModelError("The contrast must be finite and not zero.")
    return L


def _structure(cluster: Names, n: int, *, negative: bool) -> Structure:
    structure = exchangeable(cluster) if negative else random_intercept(cluster)
    if len(structure.cluster) != n:
        raise ModelError(f"There are {len(structure.cluster)} cluster labels for {n} rows of Y.")
    if structure.n_clusters < 2:
        raise ModelError(
            "All rows belong to one cluster; a mixed model needs two independent clusters or more."
        )
    return structure


def _row_rank(X: NDArray, Y: NDArray) -> NDArray:
    """Rank of the rows by X and by as few of the responses as tell them apart."""
    width = 1
    while True:
        rank = content_rank(np.column_stack([X, Y[:, :width]]))
        if width >= Y.shape[1] or rank.max() == len(X) - 1:
            return rank
        width *= 8


def _chunks(B: int) -> Iterator[slice]:
    return (slice(first, min(first + TOGETHER, B)) for first in range(0, B, TOGETHER))


def _floor(space: Spectrum, *, negative: bool) -> float | None:
    """Lowest correlation to look at; None where the two variances cannot be told apart, as in `reml`."""
    square = float(space.count @ space.value**2)
    if square < 1e-10 * space.square:
        raise ModelError(
            "The columns of X leave nothing from which to estimate the variance between clusters: they "
            "explain all differences it is about. Fewer columns or more clusters are needed."
        )
    left = square - float(space.count @ space.value) ** 2 / space.count.sum()
    if left <= 1e-10 * square:
        return None
    return -(1.0 - SINGULAR) / (space.size.max() - 1.0) if negative else 0.0


def _refuse_exact(responses: Responses, columns: slice) -> None:
    exact = np.sqrt(responses.squares.sum(axis=0)) <= EXACT * responses.length
    if exact.any():
        column = columns.start + int(np.argmax(exact))
        raise ModelError(f"The columns of X fit column {column} of Y exactly; there is no variation left.")


def _fit(space: Spectrum, responses: Responses, floor: float | None) -> _Fits:
    m = len(responses.length)
    rho, found = np.zeros(m), np.ones(m, dtype=bool)
    if floor is not None:
        rho, found = maximise(space, responses.squares, floor)
    tau = (responses.squares / space.eigenvalue(rho)).sum(axis=0) / space.count.sum()
    b = responses.b - space.coupling @ (rho / space.single(rho) * responses.score)
    spread = 1.0 + rho * (space.size[:, None] - 1.0)
    edge = spread.min(axis=0) < EDGE * spread.max(axis=0)
    return _Fits(rho, tau, b, found & ~edge, edge)


def _coefficients(space: Spectrum, fits: _Fits, T: NDArray, *, bounded: bool) -> dict[str, NDArray]:
    """Fields of a BatchFit; T turns coefficients on Q into those on X."""
    rho = fits.rho
    single = (T @ space.coupling) ** 2 @ (rho**2 / space.single(rho))
    own, common = (T**2).sum(axis=1), ((T @ space.J) * T).sum(axis=1)
    variance = np.outer(own, 1.0 - rho) + np.outer(common, rho) - single
    return {
        "beta": (T @ fits.b).T,
        "se": np.sqrt(fits.tau * variance).T,
        "theta": np.stack([fits.tau * rho, fits.tau * (1.0 - rho)], axis=1),
        "converged": fits.converged,
        "boundary": fits.edge | (rho == 0.0) & bounded,
        "df": np.full(len(rho), np.inf),
    }


def _test(space: Spectrum, fits: _Fits, row: NDArray) -> dict[str, NDArray]:
    """Fields of a BatchFit for a contrast of coefficients on Q."""
    variance, df = _kenward_roger(space, row, fits.rho)
    estimate, se = row @ fits.b, np.sqrt(fits.tau * variance)
    p = 2.0 * stdtr(df, -np.abs(estimate / se))
    fields = {"estimate": estimate, "contrast_se": se, "df": df, "p": p}
    return {name: np.where(fits.converged, value, np.nan) for name, value in fields.items()}


def _kenward_roger(space: Spectrum, row: NDArray, rho: NDArray) -> tuple[NDArray, NDArray]:
    """Adjusted variance of the contrast for tau = 1 and its degrees of freedom, (m,) each.

    The variance is linear in theta less a multiple of theta_1^2 / (theta_2 + theta_1 delta) for each single
    eigenvalue delta, which gives its derivatives. The adjustment is minus the second one times W, because
    Phi (Q_kl - P_k Phi P_l) Phi, made symmetric, is -1/2 d^2 Phi / d theta_k d theta_l.
    """
    single, w = (row @ space.coupling) ** 2, space.single(rho)
    share = rho / w
    first = row @ space.J @ row - single @ (share * (2.0 - share * space.value[len(space.kept) :, None]))
    second = row @ row + single @ share**2
    W11, W12, W22 = _inverse_information(space, rho)
    variance = rho * first + (1.0 - rho) * second
    A2 = (W11 * first**2 + 2.0 * W12 * first * second + W22 * second**2) / variance**2
    spread = W11 * (1.0 - rho) ** 2 - 2.0 * W12 * rho * (1.0 - rho) + W22 * rho**2
    return variance + 2.0 * spread * (single @ w**-3), 2.0 / A2


def _inverse_information(space: Spectrum, rho: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    """W_11, W_12 and W_22, (m,) each: the inverse expected information of theta for tau = 1."""
    inverse = 1.0 / space.eigenvalue(rho)
    ratio = space.value[:, None] * inverse
    one, both, two = (0.5 * (space.count @ each) for each in (ratio**2, ratio * inverse, inverse**2))
    correlation = both / np.sqrt(one * two)
    # Variances that cannot be told apart: only their sum has a variance, as in `analysis.stats.denominators`.
    gap = np.where(1.0 - correlation > 2e-10, 1.0 - correlation, np.inf)
    together, apart = 0.5 / (1.0 + correlation), 0.5 / gap
    return (together + apart) / one, (together - apart) / np.sqrt(one * two), (together + apart) / two
