"""Cox proportional hazards regression with family-robust variance."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from analysis.errors import ModelError
from analysis.stats.at_risk import (
    BoolArray,
    FloatArray,
    as_column,
    as_intervals,
    as_states,
    as_weights,
)
from analysis.stats.influence import (
    ChiSquare,
    Linear,
    cluster_covariance,
    cluster_sums,
    wald_test,
)
from analysis.stats.labels import Labels, as_labels, codes
from analysis.stats.partial_likelihood import likelihood, maximise, refuse_collinear, score_residuals
from analysis.stats.risk_sets import RiskSets, risk_sets

Ties = Literal["efron", "breslow"]


@dataclass(frozen=True, slots=True, eq=False)
class CoxFit:
    """A fitted Cox model with p covariates.

    Attributes
    ----------
    coef : (p,)
        Log hazard ratios; infinite where the likelihood is monotone (see `notes`).
    vcov_model, vcov_robust : (p, p)
        Inverse information, and the covariance robust to dependence within clusters.
    loglik : (float, float)
        Log partial likelihood at 0 and at `coef`.
    influence : (n, p)
        Weighted dfbeta of each row, in the caller's order.
    cluster : (n,) or None
        Labels of the independent units.
    n_rows, n_events, n_clusters : int
        Rows, events, and independent units.
    ties : str
        How tied deaths enter: ``efron`` or ``breslow``.
    notes : tuple of str
        What a reader of the estimates must know.
    start, stop : (n,)
        Interval of each row; `start` is None when every row is at risk from the origin.
    risk_sets : RiskSets
        The rows as the likelihood sees them, for residuals and tests of proportional hazards.
    """

    coef: FloatArray
    vcov_model: FloatArray
    vcov_robust: FloatArray
    loglik: tuple[float, float]
    influence: FloatArray
    cluster: Labels | None
    n_rows: int
    n_events: int
    n_clusters: int
    ties: Ties
    notes: tuple[str, ...]
    start: FloatArray | None
    stop: FloatArray
    risk_sets: RiskSets

    @property
    def linear(self) -> Linear:
        """The log hazard ratios with their influence, to be combined with other estimates."""
        return Linear(self.coef, self.influence, self.cluster, self.notes)

    @property
    def likelihood_ratio(self) -> ChiSquare:
        """Likelihood-ratio test that all log hazard ratios are 0; it takes rows as independent."""
        return ChiSquare.of(2 * (self.loglik[1] - self.loglik[0]), len(self.coef))

    def wald_test(self, *, robust: bool = True) -> ChiSquare:
        """Wald test that all log hazard ratios are 0."""
        return wald_test(self.coef, self.vcov_robust if robust else self.vcov_model)

    def score_test(self, *, robust: bool = True) -> ChiSquare:
        """Score test that all log hazard ratios are 0; for one arm term, not robust, the log-rank test."""
        null = likelihood(self.risk_sets, np.zeros(len(self.coef)))
        if not robust:
            return ChiSquare.of(null.score @ np.linalg.solve(null.information, null.score), len(self.coef))
        residual = to_caller(self.risk_sets, score_residuals(self.risk_sets, null))
        return wald_test(residual.sum(axis=0), cluster_covariance(residual, self.cluster))


def cox(
    start: ArrayLike | None,
    stop: ArrayLike,
    event: ArrayLike,
    X: ArrayLike,
    *,
    cluster: ArrayLike | Sequence[Hashable] | None = None,
    strata: ArrayLike | Sequence[Hashable] | None = None,
    ties: Ties = "efron",
    weights: ArrayLike | None = None,
) -> CoxFit:
    """Log hazard ratios of a Cox model on rows at risk in (start, stop].

    Parameters
    ----------
    start, stop : (n,)
        Interval of each row, in one unit of time. `start` may be None when every row is at risk from the
        origin.
    event : (n,)
        1 when the row ends in the event, else 0.
    X : (n, p)
        Covariates, constant within the row.
    cluster : (n,), optional
        Labels of the independent units (families). Rows of one child must share a label. Without labels
        every row is a unit.
    strata : (n,), optional
        Labels of groups with a baseline hazard of their own (sites).
    ties : {"efron", "breslow"}
        Likelihood of tied deaths. R's default is Efron; SAS and Stata default to Breslow.
    weights : (n,), optional
        Positive case weights.

    Returns
    -------
    CoxFit
        A monotone likelihood (an arm without events) is fitted to its limit: the coefficients concerned are
        infinite with no standard error, the others stand, and a note says so.

    Raises
    ------
    ModelError
        If a value is missing, start >= stop, no row has an event, or a covariate is a linear combination of
        others in every risk set. The message names the row or column, counted from 0.

    Source
    ------
    Cox (1972); Andersen et al. (1993), Statistical Models Based on Counting Processes, ch. VII.2; Efron
    (1977); robust variance: Lin & Wei (1989), J. Am. Stat. Assoc. 84:1074; Lee, Wei & Amato (1992).
    """
    begin, end = as_rows(start, stop)
    sets, labels = _prepare(begin, end, event, X, cluster, strata, ties, weights)
    null = likelihood(sets, np.zeros(sets.X.shape[1]))
    refuse_collinear(sets, null)
    beta, at, endless = maximise(sets, null)
    beta[endless] = np.sign(beta[endless]) * np.inf
    free = np.ix_(~endless, ~endless)
    vcov = np.full((len(beta),) * 2, np.nan)
    vcov[free] = np.linalg.inv(at.information[free])
    influence = to_caller(sets, score_residuals(sets, at)) @ np.where(np.isnan(vcov), 0.0, vcov)
    influence[:, endless] = np.nan
    total = cluster_sums(influence, labels)
    return CoxFit(
        coef=beta,
        vcov_model=vcov,
        vcov_robust=cluster_covariance(total),
        loglik=(null.loglik, at.loglik),
        influence=influence,
        cluster=labels,
        n_rows=len(influence),
        n_events=len(sets.dead),
        n_clusters=len(total),
        ties=ties,
        notes=notes_of_fit(endless, len(total)),
        start=begin,
        stop=end,
        risk_sets=sets,
    )


def as_rows(start: ArrayLike | None, stop: ArrayLike) -> tuple[FloatArray | None, FloatArray]:
    """Starts and stops of rows, (n,), as `cox` takes them."""
    return (None, as_column(stop, "stop")) if start is None else as_intervals(start, stop)


def _prepare(
    start: FloatArray | None,
    stop: FloatArray,
    event: ArrayLike,
    X: ArrayLike,
    cluster: ArrayLike | Sequence[Hashable] | None,
    strata: ArrayLike | Sequence[Hashable] | None,
    ties: str,
    weights: ArrayLike | None,
) -> tuple[RiskSets, Labels | None]:
    if ties not in ("efron", "breslow"):
        raise ModelError(f"ties {ties!r} are not known; use efron or breslow.")
    n = len(stop)
    happened = as_states(event, "event", n=n, allowed=range(2)) == 1
    if not happened.any():
        raise ModelError("no row has an event, so a Cox model is not defined.")
    stratum = codes(strata, "strata", n)
    sets = risk_sets(
        start,
        stop,
        happened,
        design(X, n),
        weight=as_weights(weights, n=n),
        stratum=stratum,
        efron=ties == "efron",
    )
    return sets, None if cluster is None else as_labels(cluster, n=n, name="cluster")


def design(X: ArrayLike, n: int) -> FloatArray:
    """Covariates of n rows, (n, p), all finite.

    Raises
    ------
    ModelError
        If the shape is another, or a value is missing; the message names column and row.
    """
    columns = np.asarray(X)
    columns = columns[:, None] if columns.ndim == 1 else columns
    if columns.ndim != 2 or columns.shape[0] != n or not columns.shape[1]:
        raise ModelError("X must have one row per interval and at least one column.")
    return np.column_stack([as_column(column, f"column {j} of X", n=n) for j, column in enumerate(columns.T)])


def to_caller(sets: RiskSets, residual: FloatArray) -> FloatArray:
    """Weighted residuals in the order of the caller's rows."""
    placed = np.empty_like(residual)
    placed[sets.order] = residual * sets.weight[:, None]
    return placed


def notes_of_fit(endless: BoolArray, units: int) -> tuple[str, ...]:
    """What a reader must know of columns without maximum, (p,), and of a single independent unit."""
    notes = []
    if endless.any():
        columns = ", ".join(map(str, np.flatnonzero(endless)))
        notes.append(
            f"the likelihood has no maximum in column(s) {columns} of X (counted from 0), as when a group "
            "has no event: the estimate is infinite and has no standard error."
        )
    if units < 2:
        notes.append("no robust variance: there is a single cluster.")
    return tuple(notes)
