"""Risks by arm from a logistic working model, standardised to the covariates of everybody analysed.

The model may be wrong: in a randomised trial the difference of standardised risks stays a consistent estimate
of the marginal risk difference.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, stdtr, stdtrit

from analysis.errors import ModelError
from analysis.stats.arrangement import arrange, pattern_rows
from analysis.stats.at_risk import as_states
from analysis.stats.columns import as_matrix, content_rank, orthonormal
from analysis.stats.covariance import random_intercept
from analysis.stats.structure import Names

MAX_STEPS = 50
CONVERGED = 1e-12
# A direction of the columns in which every fitted probability is this near 0 or 1 separates the outcomes.
SEPARATED = 1e-8
NO_RESIDUAL = 1e-12


@dataclass(frozen=True, slots=True)
class RiskEstimate:
    """An estimate with its standard error, t interval and two-sided test; on the log scale for a ratio."""

    estimate: float
    se: float
    df: float
    low: float
    high: float
    p: float
    level: float


@dataclass(frozen=True, slots=True)
class Standardised:
    """Standardised risks of two arms.

    Attributes
    ----------
    treated, control : the risks, each with its interval; `p` tests nothing and is not-a-number.
    difference : risk difference, treated less control.
    ratio : risk ratio; `se` is that of its logarithm, the limits and `p` are from the log scale.
    """

    treated: RiskEstimate
    control: RiskEstimate
    difference: RiskEstimate
    ratio: RiskEstimate


def standardised_risks(
    event: ArrayLike,
    X: ArrayLike,
    arm: int,
    cluster: Names,
    *,
    level: float = 0.95,
    names: Sequence[str] | None = None,
) -> Standardised:
    """Marginal risks by arm, their difference and ratio, with cluster-robust small-sample inference.

    The logistic model is fitted to everybody; each child's risk is predicted under either arm and averaged
    over all children. The variance is that of the stacked estimating equations, summed within clusters, with
    residuals enlarged by (I - H_ii)^(-1/2); t intervals have clusters less columns degrees of freedom.

    Parameters
    ----------
    event : (n,) 1 or 0.
    X : (n, p) columns of the working model, the intercept and the arm (1 treated, 0 control) included.
    arm : position of the arm's column in X.
    cluster : (n,) hashable labels of the independent units.
    level : confidence level.
    names : (p,) names of the columns for messages.

    Raises
    ------
    ModelError : shapes do not match, an event is not 0 or 1, an arm has no events or only events, the columns
        separate the outcomes, a column depends on the others, or there are not more clusters than columns.

    Source
    ------
    Ge et al. (2011), Drug Information Journal 45:481-493; Ye et al. (2023), Statistical Theory and Related
    Fields 7:159-163 (variance with the covariates random); Kauermann & Carroll (2001), Journal of the
    American Statistical Association 96:1387-1396 (residuals).
    """
    X, names = as_matrix(X, n=len(np.atleast_1d(event)), names=names)
    y = as_states(event, "event", n=len(X), allowed=range(2)).astype(float)
    if not 0.0 < level < 1.0:
        raise ModelError(f"level must lie between 0 and 1; got {level!r}.")
    structure = random_intercept(cluster)
    if len(structure.cluster) != len(y):
        raise ModelError("cluster must be one column with one label per row.")
    df = structure.n_clusters - X.shape[1]
    if df < 1:
        raise ModelError(
            f"There are {structure.n_clusters} clusters for {X.shape[1]} columns; a robust variance needs "
            "more clusters than columns."
        )
    _check_arms(y, X[:, arm])
    arrangement = arrange(structure, content_rank(np.column_stack([X, y])))
    y, X = y[arrangement.order], X[arrangement.order]
    Q, T = orthonormal(X, names)
    coefficient = _logistic(y, Q)
    fitted = expit(Q @ coefficient)
    weight = fitted * (1.0 - fitted)
    bread = np.linalg.inv(Q.T @ (weight[:, None] * Q))
    residual = np.concatenate(
        [
            _enlarged(*blocks, bread)
            for blocks in zip(
                *(pattern_rows(arrangement.patterns, part) for part in (Q, weight, y - fitted)), strict=True
            )
        ]
    )
    risks, influence = [], []
    for value in (1.0, 0.0):
        forced = X.copy()
        forced[:, arm] = value
        at = forced @ T
        risk = expit(at @ coefficient)
        slope = ((risk * (1.0 - risk))[:, None] * at).mean(axis=0)
        risks.append(float(risk.mean()))
        influence.append((risk - risk.mean()) / len(y) + residual * (Q @ (bread @ slope)))
    sizes = np.repeat(
        [len(each.level) for each in arrangement.patterns], [each.count for each in arrangement.patterns]
    )
    first = np.append(0, np.cumsum(sizes)[:-1])
    by_cluster = np.add.reduceat(np.column_stack(influence), first, axis=0)
    return _quantities(risks, by_cluster.T @ by_cluster, float(df), level)


def _check_arms(y: NDArray, arm: NDArray) -> None:
    if not np.isin(arm, (0.0, 1.0)).all() or len(np.unique(arm)) != 2:
        raise ModelError("The arm's column must hold 1 and 0, and both must occur.")
    for value, name in ((1.0, "treated"), (0.0, "control")):
        share = y[arm == value].mean()
        if share in (0.0, 1.0):
            what = "has no event" if share == 0.0 else "has an event in everybody"
            raise ModelError(f"The {name} arm {what}; a logistic model has no maximum.")


def _logistic(y: NDArray, Q: NDArray) -> NDArray:
    """Maximum likelihood by Newton steps, halved until the likelihood does not fall."""
    coefficient = np.zeros(Q.shape[1])
    loglik = _loglik(y, Q @ coefficient)
    for _ in range(MAX_STEPS):
        fitted = expit(Q @ coefficient)
        gradient = Q.T @ (y - fitted)
        information = Q.T @ ((fitted * (1.0 - fitted))[:, None] * Q)
        # The columns are orthonormal, so this is the smallest weight of any direction.
        if np.linalg.eigvalsh(information)[0] < SEPARATED:
            break
        step = np.linalg.solve(information, gradient)
        length = 1.0
        while (moved := _loglik(y, Q @ (coefficient + length * step))) < loglik - 1e-12 * abs(loglik):
            length /= 2.0
        coefficient, loglik = coefficient + length * step, moved
        if gradient @ step < CONVERGED:
            return coefficient
    raise ModelError(
        "The columns separate those with and without the event; a logistic model has no maximum."
    )


def _loglik(y: NDArray, linear: NDArray) -> float:
    return float(y @ linear - np.logaddexp(0.0, linear).sum())


def _enlarged(Q: NDArray, weight: NDArray, residual: NDArray, bread: NDArray) -> NDArray:
    """Residuals (I - H_ii)^(-1/2) e on the scale of unit variance, brought back, for clusters of one size."""
    root = np.sqrt(weight)
    scaled = root * Q
    value, vector = np.linalg.eigh(np.eye(Q.shape[1]) - scaled @ bread @ scaled.transpose(0, 2, 1))
    power = np.where(value > NO_RESIDUAL, 1.0 / np.sqrt(np.maximum(value, NO_RESIDUAL)), 0.0)
    A = (vector * power[:, None]) @ vector.transpose(0, 2, 1)
    return (root * (A @ (residual / root))).ravel()


def _quantities(risks: list[float], vcov: NDArray, df: float, level: float) -> Standardised:
    treated, control = risks
    quantile = float(stdtrit(df, 0.5 + level / 2.0))

    def estimate(
        value: float, gradient: tuple[float, float], *, is_log: bool = False, null: bool = True
    ) -> RiskEstimate:
        g = np.array(gradient)
        se = float(np.sqrt(g @ vcov @ g))
        if not se > 0.0:
            raise ModelError("The variance of the risks is zero; there is nothing to estimate it from.")
        low, high = value - quantile * se, value + quantile * se
        p = float(2.0 * stdtr(df, -abs(value / se))) if null else float("nan")
        show = np.exp if is_log else float
        return RiskEstimate(float(show(value)), se, df, float(show(low)), float(show(high)), p, level)

    return Standardised(
        treated=estimate(treated, (1.0, 0.0), null=False),
        control=estimate(control, (0.0, 1.0), null=False),
        difference=estimate(treated - control, (1.0, -1.0)),
        ratio=estimate(np.log(treated / control), (1.0 / treated, -1.0 / control), is_log=True),
    )
