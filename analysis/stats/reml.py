"""Linear mixed model by restricted maximum likelihood, for any covariance linear in its parameters."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.errors import ModelError
from analysis.stats.arrangement import arrange
from analysis.stats.ascent import maximise
from analysis.stats.at_risk import as_column
from analysis.stats.cluster_sums import summarise
from analysis.stats.columns import Standardised, as_matrix, constant_within, content_rank, standardise
from analysis.stats.likelihood import Likelihood, State
from analysis.stats.structure import Structure

# A fitted V whose smallest eigenvalue is a smaller share of the largest lies on the edge of its space.
EDGE = 1e-6
# Shares of the variance given to the terms other than the residual when looking for a start.
START_SHARES = (0.0, 0.2, 0.7)


@dataclass(frozen=True, slots=True, eq=False)
class LinearFit:
    """A fitted linear mixed model y ~ N(X beta, V(theta)).

    Attributes
    ----------
    beta : (p,) generalised least squares coefficients.
    vcov : (p, p) their covariance (X'V^-1 X)^-1 at theta, without small-sample correction.
    theta : (q,) covariance parameters, squared units of the outcome, in the order of `theta_names`.
    loglik : log-likelihood at theta, restricted when `method` is ``"reml"``, constants as in lme4.
    converged : whether the search ended at a stationary point.
    boundary : whether a parameter, or V itself, lies on the edge of its space.
    notes : sentences a reader of the result must see.
    method, structure : how it was fitted and with which builder.
    names : (p,) names of the columns.
    n_rows, n_clusters : numbers of rows and of independent clusters.
    between : (p,) whether a column is constant within every cluster.
    lower : (q,) lower bounds of theta.
    at_bound : (q,) whether a parameter lies on its lower bound.
    identified : (q,) whether the data can tell a parameter from the others; if not it is held at zero.
    vcov_gradient : (q, p, p) derivative of `vcov` by theta.
    vcov_curvature : (q, q, p, p) vcov (Q_kl - P_k vcov P_l) vcov in the notation of Kenward & Roger (1997).
    expected, observed : (q, q) information matrices of theta.
    likelihood : the likelihood of theta for a standardised outcome, for profiles over ratios of theta.
    """

    beta: NDArray
    vcov: NDArray
    theta: NDArray
    theta_names: tuple[str, ...]
    loglik: float
    converged: bool
    boundary: bool
    notes: tuple[str, ...]
    method: str
    structure: str
    names: tuple[str, ...]
    n_rows: int
    n_clusters: int
    between: NDArray
    lower: NDArray
    at_bound: NDArray
    identified: NDArray
    vcov_gradient: NDArray = field(repr=False)
    vcov_curvature: NDArray = field(repr=False)
    expected: NDArray = field(repr=False)
    observed: NDArray = field(repr=False)
    likelihood: Likelihood = field(repr=False)


def reml(
    y: ArrayLike,
    X: ArrayLike,
    structure: Structure,
    *,
    method: Literal["reml", "ml"] = "reml",
    names: Sequence[str] | None = None,
) -> LinearFit:
    """Coefficients and covariance parameters that maximise the (restricted) Gaussian likelihood.

    Parameters
    ----------
    y : (n,) outcome.
    X : (n, p) columns of the model, the intercept included.
    structure : covariance of the n rows, from `analysis.stats.covariance`.
    method : ``"reml"``, or ``"ml"`` for comparing models that differ in X.
    names : (p,) names of the columns for messages; their numbers, counted from 0, if absent.

    Returns
    -------
    LinearFit; the same to the last bit for every order of the rows and every naming of clusters. A parameter
    on its boundary stays in the model and is reported in `notes`.

    Raises
    ------
    ModelError : shapes do not match, a value is not finite, a column depends on the columns before it, there
        are not more rows than columns, there is one cluster only, the columns leave nothing from which to
        estimate a parameter, or the columns fit the outcome exactly.

    Source
    ------
    Patterson & Thompson (1971), Biometrika 58:545-554; Gilmour, Thompson & Cullis (1995), Biometrics
    51:1440-1450, equations 2 to 5.
    """
    if method not in ("reml", "ml"):
        raise ModelError(f"method must be 'reml' or 'ml', not {method!r}.")
    y = as_column(y, "The outcome", n=len(structure.cluster))
    X, names = as_matrix(X, n=len(y), names=names)
    if structure.n_clusters < 2:
        raise ModelError(
            "All rows belong to one cluster; a mixed model needs two independent clusters or more."
        )
    arrangement = arrange(structure, content_rank(np.column_stack([X, y])))
    y, X = y.take(arrangement.order), X.take(arrangement.order, axis=0)
    columns = standardise(y, X, names)
    sums = summarise(structure, arrangement, np.column_stack([columns.Q, columns.r]))
    likelihood = Likelihood(sums, len(y), method == "reml")
    free = _identified(likelihood, structure)
    start = _start(likelihood, structure, free)
    state, converged = maximise(likelihood, start, structure.lower, free)
    at_bound = ~free | (state.theta <= structure.lower)
    edge = sums.spread(state.theta) < EDGE
    return LinearFit(
        theta_names=tuple(term.name for term in structure.terms),
        converged=converged and not edge,
        boundary=bool(at_bound.any() or edge),
        notes=_notes(structure, free, at_bound, edge, converged),
        method=method,
        structure=structure.name,
        names=names,
        n_rows=len(y),
        n_clusters=structure.n_clusters,
        between=constant_within(X, structure.cluster[arrangement.order]),
        lower=structure.lower,
        at_bound=at_bound,
        identified=free,
        likelihood=likelihood,
        **_original_scale(state, columns, len(y), method),
    )


def _identified(likelihood: Likelihood, structure: Structure) -> NDArray:
    """Which parameters the data can tell apart, (q,), from the expected information at V = I."""
    state = likelihood.at(structure.start)
    information, scale = state.expected, np.diagonal(state.moments.trace2) / 2.0
    weak = np.flatnonzero(np.diagonal(information) < 1e-10 * scale)
    if len(weak):
        name = structure.terms[weak[0]].name
        raise ModelError(
            f"The columns of X leave nothing from which to estimate the {name}: they explain all differences "
            "it is about. Fewer columns or more clusters are needed."
        )
    free = np.zeros(len(scale), dtype=bool)
    for k in np.argsort(-structure.start, kind="stable"):
        others = information[np.ix_(free, free)]
        cross = information[free, k]
        left = information[k, k] - cross @ np.linalg.solve(others, cross) if free.any() else information[k, k]
        free[k] = left > 1e-10 * information[k, k]
        if not free[k] and structure.start[k]:
            raise ModelError(f"The {structure.terms[k].name} cannot be told from the other variances.")
    return free


def _start(likelihood: Likelihood, structure: Structure, free: NDArray) -> NDArray:
    """The best of a few variance splits, each at its best scale: a likelihood may have several maxima."""
    extra = free & (structure.start == 0.0) & (structure.lower == 0.0)
    shares = START_SHARES if extra.any() else (0.0,)
    splits = [(1.0 - share) * structure.start + share * extra / max(extra.sum(), 1) for share in shares]
    loglik, scale = zip(*(likelihood.profiled(split) for split in splits), strict=True)
    best = int(np.argmax(loglik))
    return splits[best] * scale[best]


def _original_scale(state: State, columns: Standardised, n: int, method: str) -> dict[str, NDArray | float]:
    """Everything that has a unit, for y and X as given."""
    p, s2, T = len(state.shift), columns.s**2, columns.T
    m, vcov = state.moments, state.vcov
    first, second = m.first[:, :p, :p], m.second[:, :, :p, :p]
    gradient = vcov @ first @ vcov
    curvature = vcov @ (second - first[:, None] @ vcov @ first) @ vcov
    logdet_T = float(np.linalg.slogdet(T)[1])
    jacobian = n * np.log(columns.s) - (logdet_T + p * np.log(columns.s)) * (method == "reml")
    return {
        "beta": T @ (columns.b + columns.s * state.shift),
        "vcov": s2 * (T @ vcov @ T.T),
        "theta": s2 * state.theta,
        "loglik": float(state.loglik - jacobian),
        "vcov_gradient": T @ gradient @ T.T,
        "vcov_curvature": T @ curvature @ T.T / s2,
        "expected": state.expected / s2**2,
        "observed": state.observed / s2**2,
    }


def _notes(
    structure: Structure, free: NDArray, at_bound: NDArray, edge: bool, converged: bool
) -> tuple[str, ...]:
    notes = []
    for term, identified, bound in zip(structure.terms, free, at_bound, strict=True):
        if not identified:
            notes.append(
                f"The {term.name} cannot be told from the other variances in these data and is held at zero: "
                "the fit is the one without it."
            )
        elif bound:
            notes.append(f"The {term.name} is estimated as zero, its boundary; it stays in the model.")
    if edge:
        notes.append(
            "The covariance is at the limit of positive definiteness; the likelihood has no maximum inside."
        )
    elif not converged:
        notes.append("The search for the covariance parameters did not converge.")
    return tuple(notes)
