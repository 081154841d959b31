"""Gamma frailty a second time: the penalised likelihood with every family's frailty a parameter, dense."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy import linalg, optimize, sparse, special, stats

from analysis.qc.again import Again, ratio
from analysis.qc.risk_sets import RiskSets, risk_sets
from analysis.qc.tables import Tables, sizes, treated
from analysis.qc.times import event_times, events_by_arm
from analysis.results import Estimate
from analysis.spec.event_entries import FrailtyAnalysis

METHOD = (
    "Therneau, Grambsch & Pankratz (2003) with one dense Newton system of the arm and all families; variance "
    "by Brent's search, its limits by bisection, its share of the error by differences of fits"
)
# Of a Newton step in a logarithm of a frailty.
LONGEST = 2.0
SETTLED = 1e-5  # the error left is its square


@dataclass(eq=False)
class Frailty:
    """The penalised partial likelihood of the arm and of all families' log frailties."""

    sets: RiskSets
    arm: np.ndarray
    family: np.ndarray
    found: np.ndarray | None = None

    @cached_property
    def columns(self) -> sparse.csr_array:
        """The arm, then one column per family."""
        of_family = self.family[:, None] == np.arange(self.family.max() + 1)
        return sparse.csr_array(np.column_stack([self.arm, of_family]).astype(float))

    @cached_property
    def events(self) -> np.ndarray:
        """Events of each family."""
        return (self.columns.T @ self.happened)[1:]

    @cached_property
    def happened(self) -> np.ndarray:
        """Events of each row."""
        return self.sets.E.sum(axis=0)

    def fit(self, theta: float) -> tuple[float, float, float]:
        """Coefficient of the arm, its variance for this theta, and the likelihood without the frailties."""
        nu = 1 / theta
        b = np.zeros(self.columns.shape[1]) if self.found is None else self.found.copy()
        for _ in range(50):
            gradient, information = self._derivatives(b, nu)
            step = _solve(information, gradient)
            b = b + step * min(1.0, LONGEST / np.abs(step).max())
            if np.abs(step).max() < SETTLED:
                break
        self.found = b
        d, w = self.events, b[1:]
        integrated = (
            d + nu * np.log(nu) - (nu + d) * np.log(nu + d) + special.gammaln(nu + d) - special.gammaln(nu)
        )
        height = self.sets.loglik(self.columns @ b) + (nu * (w - np.exp(w) + 1) + integrated).sum()
        variance = _solve(information, np.eye(1, len(b))[0])[0]
        return float(b[0]), float(variance), float(height)

    def _derivatives(self, b: np.ndarray, nu: float) -> tuple[np.ndarray, np.ndarray]:
        P = self.sets.shares(self.columns @ b)
        mean, expected, w = self.columns.T @ P.T, P.sum(axis=0), np.exp(b[1:])
        gradient = self.columns.T @ (self.happened - expected)
        # Times its own transpose: only one half is computed.
        information = (self.columns.T @ sparse.diags_array(expected) @ self.columns).toarray() - mean @ mean.T
        gradient[1:] += nu * (1 - w)
        information[np.diag_indices(len(b))] += np.append(0.0, nu * w)
        return gradient, information


def _solve(information: np.ndarray, right: np.ndarray) -> np.ndarray:
    return linalg.cho_solve(linalg.cho_factor(information, check_finite=False), right, check_finite=False)


def again(entry: FrailtyAnalysis, tables: Tables) -> Again:
    """The hazard ratio of equally frail children, and the variance of the frailty."""
    rows = event_times(tables, entry.population, entry.event, entry.strata)
    model = _model(rows, entry, tables)
    theta, beta, variance, heights = _search(model)
    se, label = np.sqrt(variance), {"contrast": tables.contrast}
    low, high, p = _test(model, theta, heights, tables.level)
    return Again(
        METHOD,
        estimates=(
            ratio("hazard_ratio", beta, se, level=tables.level, labels=label),
            Estimate("log_hazard_ratio", beta, se=float(se), labels=label),
            Estimate("frailty_variance", theta, low=low, high=high, level=tables.level, p=p),
        ),
        counts=(*sizes(rows, tables), *events_by_arm(rows, tables)),
        tolerance="t2",
    )


def _model(rows: pd.DataFrame, entry: FrailtyAnalysis, tables: Tables) -> Frailty:
    family = np.unique(rows["family_id"], return_inverse=True)[1]
    sets = risk_sets(rows, rows["cause"].notna().to_numpy(), entry.ties)
    return Frailty(sets, treated(rows, tables), family)


def _without(model: Frailty) -> tuple[float, float, float]:
    """The model without a frailty: coefficient, variance, likelihood."""
    x, sets = model.arm, model.sets

    def slope(b: float) -> float:
        return float(((sets.E - sets.shares(x * b)) @ x).sum())

    beta = optimize.brentq(slope, -20, 20, xtol=1e-13)
    mean = sets.shares(x * beta) @ x
    return float(beta), float(1 / (mean * (1 - mean)).sum()), sets.loglik(x * beta)


def _search(model: Frailty) -> tuple[float, float, float, tuple[float, float]]:
    """The variance, the coefficient, its variance with theta's own uncertainty, and both likelihoods."""
    beta0, variance0, height0 = _without(model)
    if not _differ(model, beta0):
        return 0.0, beta0, variance0, (height0, height0)
    far = optimize.minimize_scalar(
        lambda each: -model.fit(np.exp(each))[2], bracket=(-2.0, 0.0), tol=1e-5, options={"maxiter": 60}
    )
    theta = float(np.exp(far.x))
    step = 0.04 * theta
    around = [model.fit(theta + by * step) for by in (-2, -1, 1, 2)]
    beta, variance, height = model.fit(theta)
    slope = np.dot([1, -8, 8, -1], [each[0] for each in around]) / (12 * step)
    sides = np.dot([1, -16, -16, 1], [each[2] for each in around])
    curvature = (sides + 30 * height) / (12 * step**2)
    return theta, beta, variance + slope**2 / curvature, (height, height0)


def _differ(model: Frailty, beta: float) -> bool:
    """Whether the likelihood rises at a variance of 0: events of families less those expected, squared."""
    excess = (model.sets.E - model.sets.shares(model.arm * beta)).sum(axis=0)
    of_family = (model.columns.T @ excess)[1:]
    return float((of_family**2 - model.events).sum()) > 0


def _test(
    model: Frailty, theta: float, heights: tuple[float, float], level: float
) -> tuple[float, float, float]:
    """Limits of the variance from its profile, and half a chi-square's probability that it is 0."""
    top, none = heights
    cut = top - stats.chi2.ppf(level, 1) / 2

    def above(each: float) -> float:
        return model.fit(each)[2] - cut

    upper = max(theta, 0.05)
    while above(2 * upper) > 0:
        upper *= 2
    high = optimize.brentq(above, upper, 2 * upper, xtol=1e-7)
    if theta == 0.0 or none >= cut:
        return 0.0, high, 1.0 if theta == 0 else float(stats.chi2.sf(2 * (top - none), 1) / 2)
    lower = theta / 2
    while above(lower) > 0:
        lower /= 2
    low = optimize.brentq(above, lower, 2 * lower, xtol=1e-7)
    return low, high, float(stats.chi2.sf(2 * (top - none), 1) / 2)
