"""One correlation within families: its profile likelihood in closed form, and the dense fit at its top."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy import optimize, stats

from analysis.qc import dense
from analysis.qc.dense import Adjusted
from analysis.results import Estimate

# A limit nearer to a correlation of 1 than this part of its distance is 1 (docs/methods/mixed-models.md).
EDGE = 1e-5
GRID = 60


@dataclass(frozen=True, eq=False)
class Profile:
    """Restricted log-likelihood of the correlation, the total variance profiled out, up to a constant.

    R = (1 - rho) I + rho J has the inverse [I - rho / (1 + (m - 1) rho) J] / (1 - rho) in a family of m.
    """

    y: np.ndarray
    X: np.ndarray
    family: np.ndarray

    @cached_property
    def sums(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Size of each family, its sums of y and X, and the products of all children."""
        size, D = np.bincount(self.family), np.column_stack([self.y, self.X])
        sums = np.zeros((len(size), D.shape[1]))
        np.add.at(sums, self.family, D)
        return size, sums, D.T @ D

    def __call__(self, rho: float) -> float:
        return self.at(rho)[0]

    def at(self, rho: float) -> tuple[float, float]:
        """The likelihood and the total variance."""
        size, sums, products = self.sums
        share = rho / (1 + (size - 1) * rho)
        A = (products - sums.T @ (share[:, None] * sums)) / (1 - rho)
        quadratic = A[0, 0] - A[0, 1:] @ np.linalg.solve(A[1:, 1:], A[1:, 0])
        free = len(self.y) - self.X.shape[1]
        logdet = ((size - 1) * np.log(1 - rho) + np.log(1 + (size - 1) * rho)).sum()
        value = -(logdet + np.linalg.slogdet(A[1:, 1:])[1] + free * np.log(quadratic)) / 2
        return float(value), float(quadratic / free)

    def top(self, floor: float) -> float:
        """The correlation at which it is highest, first on a grid, then by golden sections."""
        grid = np.linspace(floor, 1, GRID + 2)[1:-1]
        best = int(np.argmax([self(rho) for rho in grid]))
        low = grid[best - 1] if best else floor + 1e-9
        high = grid[min(best + 1, GRID - 1)] if best < GRID - 1 else 1 - 1e-9
        found = optimize.minimize_scalar(lambda rho: -self(rho), bounds=(low, high), method="bounded")
        return 0.0 if floor == 0 and self(0.0) >= -found.fun else float(found.x)


@dataclass(frozen=True, eq=False)
class Siblings:
    """A fit with one correlation of siblings, with the profile of that correlation."""

    adjusted: Adjusted
    profile: Profile
    floor: float

    @property
    def theta(self) -> np.ndarray:
        return self.adjusted.fit.theta

    def icc(self, level: float) -> Estimate:
        """The correlation and the values that lie within half a chi-square quantile of the top."""
        rho = float(self.theta[0] / self.theta.sum())
        cut = self.profile(rho) - stats.chi2.ppf(level, 1) / 2
        low, high = self._limit(rho, self.floor, cut), self._limit(rho, 1.0, cut)
        return Estimate("icc", rho, low=low, high=high, level=level)

    def sd(self, level: float) -> Estimate:
        """Root of the variance of one child, with limits from chi-squared by Satterthwaite's rule."""
        total = float(self.theta.sum())
        df = 2 * total**2 / float(self.adjusted.W.sum())
        upper, lower = stats.chi2.ppf([(1 - level) / 2, (1 + level) / 2], df)
        low, high = (df * total / quantile for quantile in (lower, upper))
        return Estimate("sd", total**0.5, low=low**0.5, high=high**0.5, level=level)

    def _limit(self, rho: float, end: float, cut: float) -> float:
        last = end if end == 0 else rho + (end - rho) * (1 - EDGE)
        if last == rho or self.profile(last) >= cut:
            return end
        return float(optimize.brentq(lambda each: self.profile(each) - cut, rho, last, xtol=1e-13))


def fit_siblings(rows: pd.DataFrame, X: pd.DataFrame, *, may_be_negative: bool) -> Siblings:
    """REML with V = theta_1 J + theta_2 I; theta_1 below 0 only where the plan allows it."""
    y, design = rows["value"].to_numpy(float), X.to_numpy(float)
    family = np.unique(rows["family_id"], return_inverse=True)[1]
    largest = int(np.bincount(family).max())
    floor = -1 / (largest - 1) if may_be_negative and largest > 1 else 0.0
    profile = Profile(y, design, family)
    bases = [dense.same(family), dense.identity(np.ones(len(y), bool))]
    if _are_the_same(design, family):
        only = dense.evaluate(y, design, bases, np.array([0.0, profile.at(0.0)[1]]))
        return Siblings(dense.adjust(only, [False, True]), profile, floor)
    rho = profile.top(floor)
    total = profile.at(rho)[1]
    lowest = np.array([-np.inf if may_be_negative else 0.0, 0.0])
    top = dense.maximise(y, design, bases, np.array([rho, 1 - rho]) * total, lowest)
    return Siblings(dense.adjust(top, [True, True]), profile, floor)


def _are_the_same(X: np.ndarray, family: np.ndarray) -> bool:
    """Whether nothing that X leaves tells one variance from the other: P J P is then a multiple of P.

    By the inequality of Cauchy and Schwarz, whose two sides are then equal. The rank of J is the number of
    families.
    """
    n, p = X.shape
    if n - p > family.max() + 1:
        return False
    P = np.eye(n) - X @ np.linalg.pinv(X)
    same = P @ dense.same(family) @ P
    return bool((same * P).sum() ** 2 >= (1 - 1e-10) * (same**2).sum() * (P**2).sum())
