"""Gaussian likelihood of a linear covariance, restricted or not, with its gradient and information."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dpotrf, dtrtri

from analysis.stats.cluster_sums import Moments, Sums


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """The log-likelihood at theta with its derivatives; the outcome is the last column of Z.

    `expected` and `observed` are the information matrices of theta, `shift` (p,) the generalised least
    squares coefficient and `vcov` (p, p) its covariance (X'WX)^-1.
    """

    theta: NDArray
    loglik: float
    gradient: NDArray
    expected: NDArray
    observed: NDArray
    shift: NDArray
    vcov: NDArray
    moments: Moments


@dataclass(frozen=True, slots=True, eq=False)
class Likelihood:
    """Gaussian log-likelihood of theta with the coefficients maximised (ML) or integrated out (REML)."""

    sums: Sums
    n: int
    reml: bool

    def at(self, theta: NDArray) -> State | None:
        """Log-likelihood, gradient and both informations at theta; None where V is not positive definite.

        Source: Gilmour, Thompson & Cullis (1995), Biometrics 51:1440-1450, equations 2 to 5; the derivatives
        of a linear V have no second-derivative term.
        """
        m = self.sums.moments(theta)
        if m is None:
            return None
        logdet_x, vcov, shift, c = _generalised_least_squares(m.cross)
        p, q = len(shift), len(theta)
        score = m.first @ c
        project = m.second @ c @ c - score[:, :p] @ vcov @ score[:, :p].T
        trace, trace2 = m.trace, m.trace2
        if self.reml:
            sandwich = vcov @ m.first[:, :p, :p]
            flat = sandwich.reshape(q, p * p)
            turned = sandwich.transpose(0, 2, 1).reshape(q, p * p)
            trace = trace - flat[:, :: p + 1].sum(axis=1)
            trace2 = trace2 + flat @ turned.T - 2.0 * (m.second[:, :, :p, :p] * vcov).sum(axis=(2, 3))
        expected = 0.25 * (trace2 + trace2.T)
        return State(
            theta=theta,
            loglik=self._loglik(m.logdet, logdet_x, float(c @ m.cross @ c), p),
            gradient=0.5 * (score @ c - trace),
            expected=expected,
            observed=0.5 * (project + project.T) - expected,
            shift=shift,
            vcov=vcov,
            moments=m,
        )

    def profiled(self, theta: NDArray) -> tuple[float, float]:
        """Log-likelihood at theta times its best scale, and that scale; minus infinity outside the space."""
        found = self.sums.cross(theta)
        if found is None:
            return -np.inf, np.nan
        logdet_x, _, shift, c = _generalised_least_squares(found[1])
        df = self.n - len(shift) * self.reml
        scale = float(c @ found[1] @ c) / df
        logdet = found[0] + self.n * np.log(scale)
        return self._loglik(logdet, logdet_x - len(shift) * np.log(scale), df, len(shift)), scale

    def _loglik(self, logdet: float, logdet_x: float, quadratic: float, p: int) -> float:
        extra = logdet_x - p * np.log(2.0 * np.pi) if self.reml else 0.0
        return -0.5 * float(self.n * np.log(2.0 * np.pi) + logdet + quadratic + extra)


def _generalised_least_squares(cross: NDArray) -> tuple[float, NDArray, NDArray, NDArray]:
    """log |X'WX|, (X'WX)^-1, the coefficient and c with Zc = residual, from Z'WZ."""
    p = len(cross) - 1
    # LAPACK by name: the matrices are tiny and numpy's checks would cost more than the arithmetic.
    root = dpotrf(cross[:p, :p], lower=True)[0]
    inverse = dtrtri(root, lower=True)[0]
    vcov = inverse.T @ inverse
    shift = vcov @ cross[:p, p]
    logdet = 2.0 * float(np.log(root.diagonal()).sum())
    return logdet, vcov, shift, np.append(-shift, 1.0)
