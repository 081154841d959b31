"""Restricted maximum likelihood and Kenward-Roger by dense n x n matrices.

Nothing is clever here: V is written out, inverted, and the formulae of the papers are typed as they stand
(Patterson & Thompson 1971, Biometrika 58:545; Kenward & Roger 1997, Biometrics 53:983).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import sparse, stats
from scipy.linalg import lapack

from analysis.qc.again import with_t
from analysis.results import Estimate

SEARCH = 200
SMALLEST_GAIN = 1e-13


@dataclass(frozen=True, eq=False)
class DenseFit:
    """Everything at one value of theta; V is the sum of theta times the bases."""

    y: np.ndarray
    X: np.ndarray
    bases: Sequence[sparse.csr_array]
    theta: np.ndarray
    inverse: np.ndarray
    phi: np.ndarray
    loglik: float

    @property
    def beta(self) -> np.ndarray:
        return self.phi @ (self.X.T @ (self.inverse @ self.y))

    def score(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Derivatives of the restricted likelihood: the gradient, observed and expected information."""
        P = self.inverse - self.inverse @ self.X @ self.phi @ self.X.T @ self.inverse
        Py, PG = P @ self.y, [P @ G for G in self.bases]
        GP = [np.ascontiguousarray(each.T) for each in PG]
        GPy = [G @ Py for G in self.bases]
        gradient = np.array([(v @ Py - np.trace(PGk)) / 2 for v, PGk in zip(GPy, PG, strict=True)])
        expected = np.array([[np.vdot(A, B) / 2 for B in GP] for A in PG])
        quadratic = np.array([[a @ P @ b for b in GPy] for a in GPy])
        return gradient, quadratic - expected, expected


def evaluate(y: np.ndarray, X: np.ndarray, bases: Sequence, theta: np.ndarray) -> DenseFit | None:
    """The restricted likelihood at theta, or nothing where V is not positive definite."""
    V = sum(value * G for value, G in zip(theta, bases, strict=True)).toarray()
    root, failed = lapack.dpotrf(V, lower=True, clean=True)
    if failed:
        return None
    half, _ = lapack.dpotri(root, lower=True)
    inverse = half + np.tril(half, -1).T
    information = X.T @ inverse @ X
    phi = np.linalg.inv(information)
    residual = y - X @ (phi @ (X.T @ (inverse @ y)))
    constant = (len(y) - X.shape[1]) * np.log(2 * np.pi)
    determinants = 2 * np.log(np.diagonal(root)).sum() + np.linalg.slogdet(information)[1]
    loglik = -(constant + determinants + residual @ inverse @ residual) / 2
    return DenseFit(y, X, bases, np.asarray(theta, float), inverse, phi, float(loglik))


def maximise(
    y: np.ndarray,
    X: np.ndarray,
    bases: Sequence,
    theta: np.ndarray,
    floor: np.ndarray,
    told: Sequence[bool] | None = None,
) -> DenseFit:
    """Newton steps, or scoring where the likelihood is not concave, halved until it rises.

    `floor` bounds theta from below; a part that is not `told` from the others stays where it starts.
    """
    moves = np.ones(len(theta), bool) if told is None else np.asarray(told)
    here = evaluate(y, X, bases, np.maximum(theta, floor))
    for _ in range(SEARCH):
        gradient, observed, expected = here.score()
        free = moves & ~((here.theta <= floor) & (gradient <= 0))
        step = np.zeros_like(gradient)
        step[free] = _direction(gradient[free], *(each[np.ix_(free, free)] for each in (observed, expected)))
        there = _climb(here, step, floor)
        if there is None or gradient[free] @ step[free] < SMALLEST_GAIN:
            return there or here
        here = there
    raise ArithmeticError("the search for the covariance did not end")


def _direction(gradient: np.ndarray, observed: np.ndarray, expected: np.ndarray) -> np.ndarray:
    concave = len(gradient) and np.linalg.eigvalsh(observed)[0] > 0
    return np.linalg.solve(observed if concave else expected, gradient)


def _climb(here: DenseFit, step: np.ndarray, floor: np.ndarray) -> DenseFit | None:
    for halving in range(40):
        theta = np.maximum(here.theta + step / 2**halving, floor)
        there = evaluate(here.y, here.X, here.bases, theta)
        if there is not None and there.loglik >= here.loglik:
            return there
    return None


@dataclass(frozen=True, eq=False)
class Adjusted:
    """A fit with what Kenward and Roger need, and with those of its parameters that can be told apart."""

    fit: DenseFit
    W: np.ndarray
    P: list[np.ndarray]
    vcov: np.ndarray


def adjust(fit: DenseFit, told: Sequence[bool]) -> Adjusted:
    """Covariance of the coefficients with the uncertainty of theta: section 2 of Kenward & Roger."""
    bases = [G for G, is_told in zip(fit.bases, told, strict=True) if is_told]
    expected = fit.score()[2][np.ix_(told, told)]
    W = np.linalg.inv(expected)
    VX = fit.inverse @ fit.X
    GVX = [G @ VX for G in bases]
    P = [-VX.T @ each for each in GVX]
    change = np.zeros_like(fit.phi)
    for i, first in enumerate(GVX):
        for j, second in enumerate(GVX):
            Q = first.T @ fit.inverse @ second
            change += W[i, j] * (Q - P[i] @ fit.phi @ P[j])
    return Adjusted(fit, W, P, fit.phi + 2 * fit.phi @ change @ fit.phi)


def contrast(fit: Adjusted, name: str, row: np.ndarray, labels: Mapping[str, str], level: float) -> Estimate:
    """One combination of coefficients with its t test: F of one row, where the scale is 1."""
    L = np.atleast_2d(np.asarray(row, float))
    se = float(np.sqrt((L @ fit.vcov @ L.T)[0, 0]))
    df, _ = _reference(fit, L)
    return with_t(name, float((L @ fit.fit.beta)[0]), se, df, level=level, labels=labels)


def joint(fit: Adjusted, name: str, rows: np.ndarray, labels: Mapping[str, str]) -> Estimate:
    """The F test that all combinations are 0."""
    L = np.atleast_2d(rows)
    df, scale = _reference(fit, L)
    estimate, r = L @ fit.fit.beta, len(L)
    F = float(scale * estimate @ np.linalg.solve(L @ fit.vcov @ L.T, estimate) / r)
    return Estimate(name, F, df=df, ndf=r, statistic=F, p=float(stats.f.sf(F, r, df)), labels=labels)


def _reference(fit: Adjusted, L: np.ndarray) -> tuple[float, float]:
    """Denominator degrees of freedom and scale of F: section 3 of Kenward & Roger."""
    phi, r = fit.fit.phi, len(L)
    theta = L.T @ np.linalg.inv(L @ phi @ L.T) @ L
    parts = [theta @ phi @ P @ phi for P in fit.P]
    A1 = sum(
        fit.W[i, j] * np.trace(a) * np.trace(b) for i, a in enumerate(parts) for j, b in enumerate(parts)
    )
    A2 = sum(fit.W[i, j] * np.trace(a @ b) for i, a in enumerate(parts) for j, b in enumerate(parts))
    if r == 1:
        return float(2 / A2), 1.0
    B = (A1 + 6 * A2) / (2 * r)
    g = ((r + 1) * A1 - (r + 4) * A2) / ((r + 2) * A2)
    c1, c2, c3 = (c / (3 * r + 2 * (1 - g)) for c in (g, r - g, r + 2 - g))
    expectation = 1 / (1 - A2 / r)
    variance = (2 / r) * (1 + c1 * B) / ((1 - c2 * B) ** 2 * (1 - c3 * B))
    rho = variance / (2 * expectation**2)
    m = 4 + (r + 2) / (r * rho - 1)
    return float(m), float(m / (expectation * (m - 2)))


def same(label: np.ndarray) -> sparse.csr_array:
    """1 where two rows have one label."""
    code = np.unique(label, return_inverse=True)[1]
    Z = sparse.csr_array((np.ones(len(code)), (np.arange(len(code)), code)))
    return (Z @ Z.T).tocsr()


def identity(chosen: np.ndarray) -> sparse.csr_array:
    """1 on the diagonal of the chosen rows."""
    return sparse.diags_array(chosen.astype(float)).tocsr()
