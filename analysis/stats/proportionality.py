"""Tests of proportional hazards: does a log hazard ratio change with time, by scores valid in families."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from analysis.errors import ModelError
from analysis.stats.at_risk import FloatArray
from analysis.stats.hazards import CoxFit, to_caller
from analysis.stats.influence import ChiSquare, Linear, cluster_covariance, cluster_sums, wald_test
from analysis.stats.partial_likelihood import information_by, likelihood, score_residuals

Transform = Literal["identity", "log", "rank", "km"]
Resampling = Literal["wild", "family"]
# Draws of families are made and summed in parts, so that memory does not grow with their number.
PART = 1000


@dataclass(frozen=True, slots=True, eq=False)
class PHTest:
    """Score tests that the coefficient of x g(t), added to a fitted Cox model, is 0 for each covariate x.

    Attributes
    ----------
    transform : str
        The function g of time.
    score : (p,)
        Score of the coefficients of x g(t) at 0; g is centred at its mean over the deaths.
    model : tuple of p ChiSquare
        Test of each covariate by the information, which takes rows as independent: R's ``cox.zph``.
    model_global : ChiSquare
        The same for all covariates together.
    robust, robust_global
        The same tests by the variance robust to dependence within clusters and to a misspecified model.
    slope : Linear
        One-step estimates of the coefficients of x g(t), with their influence; their signs tell whether a
        hazard ratio rises or falls.
    family_score : (G, p)
        Efficient score of each cluster; they sum to `score`.
    """

    transform: Transform
    score: FloatArray
    model: tuple[ChiSquare, ...]
    model_global: ChiSquare
    robust: tuple[ChiSquare, ...]
    robust_global: ChiSquare
    slope: Linear
    family_score: FloatArray = field(repr=False)

    def resampled_p(
        self, draws: int, generator: np.random.Generator, *, method: Resampling = "wild"
    ) -> FloatArray:
        """P-values of the robust statistics by resampling whole clusters, (p + 1,), the global test last.

        Parameters
        ----------
        draws : int
            Number of draws.
        generator : Generator
            Source of the draws.
        method : {"wild", "family"}
            ``wild`` gives the score of each cluster a random sign. ``family`` draws clusters with replacement
            from scores recentred at 0, and divides by the variance of each draw.

        Returns
        -------
        (p + 1,)
            (1 + draws at least as large as the observed statistic) / (1 + draws); not-a-number where the
            observed statistic is.

        Raises
        ------
        ModelError
            If there is no draw or the method is not one of those.

        Source
        ------
        Lin, Wei & Ying (1993), Biometrika 80:557; Kline & Santos (2012), J. Econometric Methods 1:23 (score
        bootstrap).
        """
        if method not in ("wild", "family") or draws < 1:
            raise ModelError("resampling needs at least one draw and the method wild or family.")
        observed = np.array([test.statistic for test in (*self.robust, self.robust_global)])
        beyond, resample = np.zeros(len(observed)), _wild if method == "wild" else _family
        for first in range(0, draws, PART):
            drawn = resample(self.family_score, min(PART, draws - first), generator)
            beyond += (drawn >= observed * (1 - 1e-12)).sum(axis=0)
        return np.where(np.isnan(observed), np.nan, (1 + beyond) / (1 + draws))


def ph_test(fit: CoxFit, *, transform: Transform = "identity") -> PHTest:
    """Score tests of proportional hazards, by the information and robust to clusters.

    Parameters
    ----------
    fit : CoxFit
        A fitted Cox model; its clusters, strata, weights, late entry and rule for ties are used.
    transform : {"identity", "log", "rank", "km"}
        g(t): time, its logarithm, its rank among the stops of all rows, or 1 - S(t-) with S the Kaplan-Meier
        curve of all rows (the default of R).

    Returns
    -------
    PHTest
        A test that the data do not permit (all deaths at one time, a single cluster) is not-a-number.

    Raises
    ------
    ModelError
        If a log hazard ratio of the fit is infinite, the transform is not known, or ``log`` meets a death at
        a time that is not above 0.

    Source
    ------
    Grambsch & Therneau (1994), Biometrika 81:515; R ``survival`` 3, ``cox.zph`` (exact score test); Lin & Wei
    (1989), J. Am. Stat. Assoc. 84:1074, for the robust variance; Boos (1992), Am. Statistician 46:327.
    """
    if not np.isfinite(fit.coef).all():
        raise ModelError(
            "proportional hazards cannot be tested with an infinite log hazard ratio; leave out its column."
        )
    sets = fit.risk_sets
    at, factor = likelihood(sets, fit.coef), _transformed(fit, transform)[sets.term]
    factor = factor - sets.death_weight @ factor / sets.death_weight.sum()
    mixed = information_by(sets, at, factor)
    explained = np.linalg.solve(at.information, mixed)
    information = information_by(sets, at, factor**2) - mixed @ explained
    residual = score_residuals(sets, at, factor=factor) - score_residuals(sets, at) @ explained
    residual = to_caller(sets, residual)
    total = cluster_sums(residual, fit.cluster)
    score, robust = total.sum(axis=0), cluster_covariance(total)
    inverse = np.linalg.pinv(information, hermitian=True)
    return PHTest(
        transform=transform,
        score=score,
        model=_each(score, information),
        model_global=wald_test(score, information),
        robust=_each(score, robust),
        robust_global=wald_test(score, robust),
        slope=Linear(inverse @ score, residual @ inverse, fit.cluster, fit.notes),
        family_score=total,
    )


def _each(score: FloatArray, variance: FloatArray) -> tuple[ChiSquare, ...]:
    return tuple(wald_test(score[[j]], variance[j : j + 1, j : j + 1]) for j in range(len(score)))


def _transformed(fit: CoxFit, transform: Transform) -> FloatArray:
    """g at the death time of each set, (m,); zeros when it is the same at all of them."""
    time = fit.risk_sets.time
    if transform == "identity":
        value = time
    elif transform == "log":
        if time.min() <= 0:
            raise ModelError("the logarithm of time needs every event after time 0; use another transform.")
        value = np.log(time)
    elif transform == "rank":
        stops = np.sort(fit.stop)
        value = (np.searchsorted(stops, time, "left") + np.searchsorted(stops, time, "right") + 1) / 2
    elif transform == "km":
        value = _share_dead_before(fit)
    else:
        raise ModelError(f"transform {transform!r} is not known; use identity, log, rank or km.")
    return value if np.ptp(value) > 0 else np.zeros(len(time))


def _share_dead_before(fit: CoxFit) -> FloatArray:
    """1 - S(t-) at the death time of each set, S over all rows of all strata, unweighted as in R."""
    sets = fit.risk_sets
    time, of_set = np.unique(sets.time, return_inverse=True)
    deaths = np.bincount(of_set, weights=sets.deaths)
    at_risk = len(fit.stop) - np.searchsorted(np.sort(fit.stop), time, "left")
    if fit.start is not None:
        at_risk -= len(fit.start) - np.searchsorted(np.sort(fit.start), time, "left")
    return 1 - np.append(1.0, np.cumprod(1 - deaths / at_risk))[of_set]


def _wild(score: FloatArray, draws: int, generator: np.random.Generator) -> FloatArray:
    """Statistics (draws, p + 1). Signs leave the cross-product as it is: one variance serves every draw."""
    sums = (2.0 * generator.integers(0, 2, (draws, len(score))) - 1) @ score
    return _statistics(sums, cluster_covariance(score)[None])


def _family(score: FloatArray, draws: int, generator: np.random.Generator) -> FloatArray:
    """Statistics (draws, p + 1), each with the variance of its own draw."""
    centred, number = score - score.mean(axis=0), len(score)
    counts = generator.multinomial(number, np.full(number, 1 / number), size=draws)
    products = (centred[:, :, None] * centred[:, None, :]).reshape(number, -1)
    return _statistics(counts @ centred, (counts @ products).reshape(draws, *(score.shape[1],) * 2))


def _statistics(sums: FloatArray, variance: FloatArray) -> FloatArray:
    """Each covariate's statistic and the global one, (draws, p + 1), of sums (draws, p)."""
    single = np.einsum("bjj->bj", variance)
    single = np.divide(sums**2, single, out=np.zeros_like(sums), where=single > 0)
    inverse = np.linalg.pinv(np.where(np.isnan(variance), 0.0, variance), hermitian=True)
    return np.column_stack([single, ((sums[:, None, :] @ inverse)[:, 0] * sums).sum(axis=1)])
