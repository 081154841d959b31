"""Cox's partial likelihood with a gamma penalty on the log frailties of clusters, at one variance theta.

With nu = 1 / theta and frailty exp(w) of a cluster the penalty is nu (w - exp(w) + 1). No clusters x clusters
matrix is formed: the product of the information with a vector is two running sums over the risk sets, and the
equations in w are solved by conjugate gradients.
"""

from dataclasses import dataclass

import numpy as np

from analysis.errors import ModelError
from analysis.stats.at_risk import FloatArray, IntArray
from analysis.stats.partial_likelihood import (
    CONVERGED,
    LONGEST_STEP,
    ROUNDING,
    Likelihood,
    likelihood,
)
from analysis.stats.risk_sets import RiskSets

MAX_ITERATIONS, MAX_HALVINGS, MAX_GRADIENTS = 60, 20, 500
# Squared length of a residual, relative to that of the right side, at which equations count as solved: for a
# step, which the next one corrects, and for a result.
STEP, RESULT = 1e-12, 1e-24


@dataclass(frozen=True, slots=True, eq=False)
class Clusters:
    """Risk sets, with the cluster code of each row, (n,), and the deaths of each cluster, (G,)."""

    sets: RiskSets
    code: IntArray
    deaths: FloatArray

    def sums(self, rows: FloatArray) -> FloatArray:
        """Sums (G, k) of row values (n, k)."""
        return np.column_stack([np.bincount(self.code, column, len(self.deaths)) for column in rows.T])


@dataclass(frozen=True, slots=True, eq=False)
class Point:
    """The penalised likelihood at one place.

    Attributes
    ----------
    clusters : Clusters
        The data.
    nu : float
        1 / theta.
    beta, w : (p,), (G,)
        Log hazard ratios and log frailties.
    at : Likelihood
        The partial likelihood there.
    value : float
        Penalised log likelihood.
    """

    clusters: Clusters
    nu: float
    beta: FloatArray
    w: FloatArray
    at: Likelihood
    value: float

    @property
    def expected(self) -> FloatArray:
        """Cumulative hazard of each cluster, frailty included, (G,)."""
        return self.clusters.sums(self.at.exposure[:, None])[:, 0]

    @property
    def score(self) -> FloatArray:
        """Derivative in w, (G,)."""
        return self.clusters.deaths - self.expected - self.nu * np.expm1(self.w)

    def information(self, rows: FloatArray) -> FloatArray:
        """Information of row effects times a vector (n, k), without the penalty."""
        sets = self.clusters.sets
        risk = (sets.weight * self.at.risk)[:, None]
        at_risk = sets.over_terms(np.column_stack((risk, risk * rows)))
        size = (self.at.hazard / at_risk[:, 0])[:, None]
        return self.at.exposure[:, None] * rows - risk * sets.over_sets(size * at_risk[:, 1:])

    def solve(self, right: FloatArray, *, solved: float) -> FloatArray:
        """The vectors w, (G, k), that the penalised information in w takes to `right`, (G, k)."""
        penalty = self.nu * np.exp(self.w)[:, None]
        scale = self.expected[:, None] + penalty
        solution, residual = np.zeros_like(right), right
        direction = residual / scale
        length = first = (residual * direction).sum(axis=0)
        for _ in range(MAX_GRADIENTS):
            if (length <= solved * first).all():
                break
            image = penalty * direction
            image = image + self.clusters.sums(self.information(direction[self.clusters.code]))
            step = _ratio(length, (direction * image).sum(axis=0))
            solution, residual = solution + step * direction, residual - step * image
            former, length = length, (residual**2 / scale).sum(axis=0)
            direction = residual / scale + _ratio(length, former) * direction
        return solution

    def reduced(
        self, right: FloatArray, *, solved: float = RESULT
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Information in beta once w is maximised over, (p, p); K^-1 C, (G, p); K^-1 `right`, (G,).

        K is the information in w and C its part between w and beta.
        """
        C = self.clusters.sums(self.information(self.clusters.sets.X))
        found = self.solve(np.column_stack((C, right)), solved=solved)
        return self.at.information - C.T @ found[:, :-1], found[:, :-1], found[:, -1]


def _ratio(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    """The quotient, 0 for a column that is solved exactly."""
    return np.divide(numerator, denominator, out=np.zeros_like(numerator), where=denominator > 0)


def penalised(clusters: Clusters, nu: float, beta: FloatArray, w: FloatArray) -> Point:
    """The penalised likelihood at log hazard ratios `beta`, (p,), and log frailties `w`, (G,)."""
    at = likelihood(clusters.sets, beta, offset=w[clusters.code])
    return Point(clusters, nu, beta, w, at, at.loglik + nu * float((w - np.expm1(w)).sum()))


def maximise_penalised(clusters: Clusters, nu: float, beta: FloatArray, w: FloatArray) -> Point:
    """The maximum over beta and w, by Newton steps halved until the penalised likelihood does not fall.

    Raises
    ------
    ModelError
        If no maximum is found.
    """
    point, tolerance = penalised(clusters, nu, beta, w), CONVERGED * clusters.deaths.sum()
    for _ in range(MAX_ITERATIONS):
        information, slope, shift = point.reduced(point.score, solved=STEP)
        step = np.linalg.solve(information, point.at.score - slope.T @ point.score)
        shift = shift - slope @ step
        left = point.at.score @ step + point.score @ shift
        following = _uphill(point, step, shift)
        if following is None:
            break
        point = following
        if left < tolerance:
            return point
    raise ModelError("the frailty model did not converge; use fewer covariates or an ordinary Cox model.")


def _uphill(point: Point, step: FloatArray, shift: FloatArray) -> Point | None:
    longest = np.abs(point.clusters.sets.X @ step + shift[point.clusters.code]).max()
    for halvings in range(MAX_HALVINGS):
        share = 0.5**halvings * min(1.0, LONGEST_STEP / max(longest, LONGEST_STEP))
        beta, w = point.beta + share * step, point.w + share * shift
        following = penalised(point.clusters, point.nu, beta, w)
        if following.value >= point.value - ROUNDING * abs(point.value):
            return following
    return None
