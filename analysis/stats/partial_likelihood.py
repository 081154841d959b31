"""Cox's partial likelihood in counting-process form: value, score, information and residuals at one beta.

Tied deaths under Efron are d terms: term l of d takes the fraction l/d of the dying out of the risk set.
Breslow is the same with every fraction 0, so both share each formula below.

With h = (mean death weight) / S0 the hazard of a term and xbar = S1 / S0 its mean covariate, a row collects
the cumulative hazard H of the terms at which it is at risk. The information is X' diag(w r H) X less the
sum of weight x xbar xbar', so no p x p sum is ever kept per death time.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh

from analysis.errors import ModelError
from analysis.stats.at_risk import BoolArray, FloatArray
from analysis.stats.risk_sets import RiskSets

# exp() of a larger linear predictor overflows.
LARGEST = 700.0
MAX_ITERATIONS = 60
MAX_HALVINGS = 20
# A Newton decrement per event below this leaves, by quadratic convergence, an error of about its square.
CONVERGED = 1e-11
# Largest change of a row's linear predictor in one step; keeps exp() within range.
LONGEST_STEP = 5.0
# A step that moves a linear predictor by more than this at convergence shows a likelihood without maximum:
# its information, relative to that at 0, has died out in some direction.
STILL_MOVING = 1e-2
DIED_OUT = 1e-4
COLLINEAR = 1e-9
ROUNDING = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Likelihood:
    """The partial likelihood at one beta.

    Attributes
    ----------
    loglik : float
        Log partial likelihood; not-a-number where it cannot be computed in floating point.
    score, information : (p,), (p, p)
        First derivative and minus the second.
    risk, exposure : (n,)
        exp(x'beta) of each row, and its weighted cumulative hazard.
    hazard : (D,)
        Hazard of each term.
    mean : (D, p)
        Mean covariate of each term.
    """

    loglik: float
    score: FloatArray
    information: FloatArray
    risk: FloatArray
    exposure: FloatArray
    hazard: FloatArray
    mean: FloatArray


def likelihood(sets: RiskSets, beta: FloatArray, *, offset: FloatArray | None = None) -> Likelihood:
    """Log partial likelihood, score and information in `beta`, (p,), given an `offset` of each row, (n,).

    Source
    ------
    Efron (1977), J. Am. Stat. Assoc. 72:557; Therneau & Grambsch (2000), Modeling Survival Data, ch. 3.
    """
    X = sets.X
    predictor = X @ beta if offset is None else X @ beta + offset
    risk = np.exp(np.minimum(np.maximum(predictor, -LARGEST), LARGEST))
    weighted = np.empty((len(X), X.shape[1] + 1))
    weighted[:, 0] = sets.weight * risk
    np.multiply(X, weighted[:, :1], out=weighted[:, 1:])
    at_risk = sets.over_terms(weighted)
    total = at_risk[:, 0]
    mean, hazard = at_risk[:, 1:] / total[:, None], sets.death_weight / total
    exposure = weighted[:, 0] * sets.over_sets(hazard[:, None])[:, 0]
    loglik = sets.observed @ beta - sets.death_weight @ np.log(total)
    if offset is not None:
        loglik += sets.weight[sets.dead] @ offset[sets.dead]
    return Likelihood(
        loglik=float(loglik),
        score=sets.observed - sets.death_weight @ mean,
        information=(X.T * exposure) @ X - (mean.T * sets.death_weight) @ mean,
        risk=risk,
        exposure=exposure,
        hazard=hazard,
        mean=mean,
    )


def information_by(sets: RiskSets, at: Likelihood, factor: FloatArray) -> FloatArray:
    """Information (p, p) with that of each term multiplied by `factor`, (D,)."""
    exposure = sets.weight * at.risk * sets.over_sets((at.hazard * factor)[:, None])[:, 0]
    return (sets.X.T * exposure) @ sets.X - (at.mean.T * (sets.death_weight * factor)) @ at.mean


def score_residuals(sets: RiskSets, at: Likelihood, *, factor: FloatArray | float = 1.0) -> FloatArray:
    """Score residual of each row in canonical order, unweighted, (n, p); `factor` multiplies each term.

    A row that dies among d tied deaths is compared with the average mean of the d Efron terms, and takes part
    in the hazard of term l only by the share 1 - l/d that is still in the risk set.

    Source
    ------
    Therneau & Grambsch (2000), Modeling Survival Data, ch. 4 and 7; R ``survival``, residuals of type
    ``score``.
    """
    size = at.hazard * factor
    hazard = sets.over_sets(np.column_stack((size, size[:, None] * at.mean)))
    residual = at.risk[:, None] * (hazard[:, 1:] - sets.X * hazard[:, :1])
    average = np.add.reduceat(at.mean, sets.first_term, axis=0) / sets.deaths[:, None]
    residual[sets.dead] += np.reshape(factor, (-1, 1)) * (sets.X[sets.dead] - average[sets.term])
    return residual


def refuse_collinear(sets: RiskSets, null: Likelihood) -> None:
    """Stop at the first column that the columns before it explain in every risk set.

    Raises
    ------
    ModelError
        Naming the column, counted from 0.
    """
    size = np.sqrt((sets.weight[:, None] * sets.X**2).sum(axis=0))
    size[size == 0] = 1.0
    left = null.information / np.outer(size, size)
    before = np.diag(left).copy()
    floor = COLLINEAR * np.maximum(before, sets.death_weight.sum() / sets.weight.sum())
    for j in range(len(left)):
        if not left[j, j] > floor[j]:
            raise ModelError(
                f"column {j} of X (counted from 0) does not vary within the risk sets once the columns "
                "before it are known; leave it out."
            )
        left = left - np.outer(left[:, j], left[j]) / left[j, j]


def maximise(sets: RiskSets, null: Likelihood) -> tuple[FloatArray, Likelihood, BoolArray]:
    """The maximising beta (p,), the likelihood there, and the columns (p,) in which there is no maximum.

    Newton steps, halved until the likelihood does not fall.

    Raises
    ------
    ModelError
        If the search stops at a point that is neither a maximum nor on the way to infinity.
    """
    beta, at, tolerance = np.zeros(sets.X.shape[1]), null, CONVERGED * sets.death_weight.sum()
    newton, left = _newton(at)
    for _ in range(MAX_ITERATIONS):
        converged = left < tolerance
        uphill = _uphill(sets, beta, at, newton)
        if uphill is None:
            break
        beta, at = uphill
        newton, left = _newton(at)
        if converged:
            break
    endless = _endless(sets, null, at, newton)
    if not endless.any() and not left < tolerance:
        raise ModelError(
            "the Cox model did not converge: its likelihood has no maximum that can be told from rounding. "
            "Use fewer covariates."
        )
    return beta, at, endless


def _newton(at: Likelihood) -> tuple[FloatArray, float]:
    """The Newton step and the decrement it promises."""
    try:
        step = np.linalg.solve(at.information, at.score)
    except np.linalg.LinAlgError:  # on the way to infinity the information has become exactly singular
        step = np.linalg.lstsq(at.information, at.score, rcond=None)[0]
    return step, float(at.score @ step)


def _uphill(
    sets: RiskSets, beta: FloatArray, at: Likelihood, newton: FloatArray
) -> tuple[FloatArray, Likelihood] | None:
    """The Newton step, shortened until the likelihood does not fall; None when no such step is left."""
    step = newton * min(1.0, LONGEST_STEP / max(np.abs(sets.X @ newton).max(), LONGEST_STEP))
    for _ in range(MAX_HALVINGS):
        following = likelihood(sets, beta + step)
        if following.loglik >= at.loglik - ROUNDING * abs(at.loglik):
            return beta + step, following
        step = step / 2
    return None


def _endless(sets: RiskSets, null: Likelihood, at: Likelihood, newton: FloatArray) -> BoolArray:
    """Columns along which the likelihood keeps rising."""
    if np.abs(sets.X @ newton).max() < STILL_MOVING:
        return np.zeros(len(newton), dtype=bool)
    share, axes = eigh(at.information, null.information)
    reach = np.abs(axes[:, share < DIED_OUT]) * np.ptp(sets.X, axis=0)[:, None]
    return (reach > STILL_MOVING * reach.max(axis=0, initial=0.0)).any(axis=1)
