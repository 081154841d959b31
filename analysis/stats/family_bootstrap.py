"""Bootstrap of Cox models by whole families: a draw says how often each family counts, and nothing is copied.

Every estimator of a draw takes the same matrix of counts (B, G), clusters in sorted order, so that estimates
of different kinds (Cox, occupation probabilities) belong to the same draws and may be combined.

Tied deaths keep the ties of the data: a family drawn twice weighs twice in Efron's terms, as in R's ``coxph``
with case weights. Copied rows would instead tie with themselves. Under Breslow's rule the two are the same.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from analysis.errors import ModelError
from analysis.stats.at_risk import FloatArray
from analysis.stats.hazards import CoxFit, cox
from analysis.stats.influence import cluster_sums
from analysis.stats.labels import encode
from analysis.stats.partial_likelihood import CONVERGED, LONGEST_STEP
from analysis.stats.risk_sets import RiskSets

# Numbers in one array of a part of the draws; larger arrays fall out of the processor's cache.
PART = 60_000
MAX_ITERATIONS = 12


def cox_bootstrap(fit: CoxFit, counts: ArrayLike) -> FloatArray:
    """Log hazard ratios of each draw of families, (B, p).

    Parameters
    ----------
    fit : CoxFit
        A fitted Cox model; its clusters (rows, if it has none), strata, weights and ties are kept.
    counts : (B, G)
        How often each cluster counts in each draw, clusters in sorted order, as `family_weights` draws them;
        any weights >= 0.

    Returns
    -------
    (B, p)
        Infinite where the draw's likelihood has no maximum, as in `cox`; not-a-number where the draw has no
        event or its columns are collinear.

    Raises
    ------
    ModelError
        If the counts do not fit the clusters or are negative, or a log hazard ratio of `fit` is infinite.

    Source
    ------
    Cox (1972); Newton steps from the estimate that the influence of the families predicts, with many
    draws in each array operation.
    """
    weights = np.asarray(counts, dtype=np.float64)
    if weights.ndim != 2 or weights.shape[1] != fit.n_clusters or not (weights >= 0).all():
        raise ModelError("counts must be a matrix of numbers >= 0 with one column per cluster.")
    if not np.isfinite(fit.coef).all():
        raise ModelError(
            "a model with an infinite log hazard ratio cannot be drawn again; leave out its column."
        )
    code = np.arange(fit.n_rows) if fit.cluster is None else encode(fit.cluster)[0]
    code, coef = code[fit.risk_sets.order], np.empty((len(weights), len(fit.coef)))
    influence = cluster_sums(fit.influence, fit.cluster)
    size = max(1, PART // (fit.n_rows * (1 + len(fit.coef))))
    for first in range(0, len(weights), size):
        part = slice(first, first + size)
        weight = weights[part].T[code] * fit.risk_sets.weight[:, None]
        coef[part] = _refit(fit, weight, fit.coef + (weights[part] - 1) @ influence)
    return coef


def _refit(fit: CoxFit, weight: FloatArray, beta: FloatArray) -> FloatArray:
    """Estimates (b, p) for weights (n, b), searched from `beta`, (b, p).

    A draw on which plain Newton steps fail is given to `cox`.
    """
    draws, done = _Draws.of(fit.risk_sets, weight), np.zeros(len(beta), dtype=bool)
    with np.errstate(all="ignore"):  # what fails here is not-a-number, and is done again
        for _ in range(MAX_ITERATIONS):
            step, left = draws.newton(beta)
            beta, done = beta + step, left < CONVERGED * draws.deaths
            if (done | np.isnan(left)).all():
                break
    for draw in np.flatnonzero(~done):
        beta[draw] = _alone(fit, weight[:, draw])
    return beta


@dataclass(frozen=True, slots=True, eq=False)
class _Draws:
    """The risk sets under b sets of weights.

    Attributes
    ----------
    sets : RiskSets
        The rows.
    weight : (n, b)
        Weight of each row.
    death_weight, fraction : (D, b)
        Mean weight of the dying who weigh anything, and the share of them already taken out of the set.
    deaths : (b,)
        Sum of the weights of all deaths.
    observed : (b, p)
        Weighted sum of the covariates of the dying.
    squares : (n, p p)
        Products of the covariates.
    """

    sets: RiskSets
    weight: FloatArray
    death_weight: FloatArray
    fraction: FloatArray
    deaths: FloatArray
    observed: FloatArray
    squares: FloatArray

    @classmethod
    def of(cls, sets: RiskSets, weight: FloatArray) -> "_Draws":
        dying = weight[sets.dead]
        alive, X = dying > 0, sets.X
        number = np.add.reduceat(alive, sets.first_term, axis=0, dtype=np.int64)
        mean = np.add.reduceat(dying, sets.first_term, axis=0) / np.maximum(number, 1)
        before = np.cumsum(alive, axis=0) - alive
        place = before - before[sets.first_term][sets.term]
        return cls(
            sets=sets,
            weight=weight,
            death_weight=mean[sets.term] * alive,
            fraction=alive * place / np.maximum(number, 1)[sets.term],
            deaths=dying.sum(axis=0),
            observed=dying.T @ X[sets.dead],
            squares=(X[:, :, None] * X[:, None, :]).reshape(len(X), -1),
        )

    def newton(self, beta: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Newton steps (b, p) from `beta`, (b, p), and the gain each promises, or not-a-number."""
        sets, (b, p) = self.sets, beta.shape
        risk = self.weight * np.exp(sets.X @ beta.T)
        rows = np.concatenate((risk[:, None], sets.X[:, :, None] * risk[:, None]), axis=1)
        shares = np.tile(self.fraction, (1, p + 1))
        at_risk = sets.over_terms(rows.reshape(len(rows), -1), fraction=shares).reshape(-1, p + 1, b)
        # A term without weight may compare nobody.
        total = np.where(self.death_weight > 0, at_risk[:, 0], 1.0)
        hazard, mean = self.death_weight / total, at_risk[:, 1:] / total[:, None]
        exposure = risk * sets.over_sets(hazard, fraction=self.fraction)
        weighted = mean * self.death_weight[:, None]
        score = self.observed - weighted.sum(axis=0).T
        information = (exposure.T @ self.squares).reshape(b, p, p)
        information -= np.einsum("dib,djb->bij", weighted, mean)
        step = _solve(information, score)
        step[np.abs(sets.X @ step.T).max(axis=0) > LONGEST_STEP] = np.nan
        return step, (score * step).sum(axis=1)


def _solve(information: FloatArray, score: FloatArray) -> FloatArray:
    """Solutions (b, p); not-a-number where the information is not positive."""
    bad = ~(np.einsum("bii->bi", information) > 0).all(axis=1)
    information[bad] = np.eye(score.shape[1])
    try:
        step = np.linalg.solve(information, score[:, :, None])[:, :, 0]
    except np.linalg.LinAlgError:
        return np.full_like(score, np.nan)
    step[bad] = np.nan
    return step


def _alone(fit: CoxFit, weight: FloatArray) -> FloatArray:
    sets = fit.risk_sets
    rows = np.flatnonzero(weight > 0)
    caller = sets.order[rows]
    start = None if fit.start is None else fit.start[caller]
    columns = (sets.event[rows], sets.X[rows])
    try:
        again = cox(
            start, fit.stop[caller], *columns, strata=sets.stratum[rows], ties=fit.ties, weights=weight[rows]
        )
    except ModelError:
        return np.full(len(fit.coef), np.nan)
    return again.coef
