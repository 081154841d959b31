"""Covariance of a contrast and its denominator degrees of freedom, by five methods.

Every method takes a fit and L, (r, p) with independent rows, and answers with a `Reference`. They are called
through `analysis.stats.small_sample.contrast`, which checks its arguments.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from analysis.errors import ModelError
from analysis.stats.reml import LinearFit

# Covariance of L beta, denominator degrees of freedom, factor on F.
Reference = tuple[NDArray, float, float]


def kenward_roger_vcov(fit: LinearFit) -> NDArray:
    """Covariance of beta adjusted for the estimation of theta, (p, p).

    Parameters
    ----------
    fit : a mixed model fitted by REML.

    Returns
    -------
    Phi + 2 Phi [sum_kl W_kl (Q_kl - P_k Phi P_l)] Phi with W the inverse expected information of all
    parameters that the data tell apart, those on their boundary included, as in pbkrtest.

    Raises
    ------
    ModelError : the fit is by maximum likelihood.

    Source
    ------
    Kenward & Roger (1997), Biometrics 53:983-997, equation 5; the term with second derivatives is zero for a
    covariance linear in its parameters.
    """
    return _adjusted_vcov(fit, inverse_expected(fit))


def _adjusted_vcov(fit: LinearFit, W: NDArray) -> NDArray:
    if fit.method != "reml":
        raise ModelError("Kenward-Roger is defined for a fit by REML; this one is by maximum likelihood.")
    adjusted = fit.vcov + 2.0 * np.tensordot(W, fit.vcov_curvature, axes=2)
    return (adjusted + adjusted.T) / 2.0


def kenward_roger(fit: LinearFit, L: NDArray) -> Reference:
    """Adjusted covariance of L beta, degrees of freedom m and factor lambda of its scaled F statistic.

    For one row lambda is 1 and m = 2 / A_2, the same number as from the general formula.

    Raises
    ------
    ModelError : the fit is by maximum likelihood.

    Source
    ------
    Kenward & Roger (1997), Biometrics 53:983-997, sections 2 and 3, with the expected information.
    """
    return _kenward_roger(fit, L, inverse_expected(fit))


def kenward_roger_observed(fit: LinearFit, L: NDArray) -> Reference:
    """The same with the observed information of the parameters that are not on their boundary.

    This is the convention of SAS PROC MIXED (``ddfm=kr``) and, where the covariance is linear in its
    parameters, of mmrm's ``Kenward-Roger-Linear``.

    Raises
    ------
    ModelError : the fit is by maximum likelihood.

    Source
    ------
    Kenward & Roger (1997), Biometrics 53:983-997, with W as in Bates et al., mmrm vignette "Details of the
    Kenward-Roger calculation".
    """
    return _kenward_roger(fit, L, _inverse_of(fit.observed, ~fit.at_bound))


def _kenward_roger(fit: LinearFit, L: NDArray, W: NDArray) -> Reference:
    r = len(L)
    vcov = L @ _adjusted_vcov(fit, W) @ L.T
    relative = np.linalg.solve(L @ fit.vcov @ L.T, L @ fit.vcov_gradient @ L.T)
    trace = np.trace(relative, axis1=1, axis2=2)
    A2 = float(np.einsum("kl,kij,lji->", W, relative, relative))
    if r == 1:
        return vcov, 2.0 / A2, 1.0
    A1 = float(trace @ W @ trace)
    return vcov, *_kenward_roger_f(A1, A2, r)


def _kenward_roger_f(A1: float, A2: float, r: int) -> tuple[float, float]:
    """Degrees of freedom m and factor lambda of the F test; Kenward & Roger (1997), section 3."""
    B = (A1 + 6.0 * A2) / (2.0 * r)
    g = ((r + 1) * A1 - (r + 4) * A2) / ((r + 2) * A2)
    base = 3.0 * r + 2.0 * (1.0 - g)
    V0, V1, V2 = 1.0 + g / base * B, 1.0 - (r - g) / base * B, 1.0 - (r + 2.0 - g) / base * B
    mean = 1.0 - A2 / r
    # The paper's m = 4 + (r + 2) / (r rho - 1) with r rho = (mean / V1)^2 V0 / V2, cleared of divisions by
    # zero. At two degrees of freedom mean / V1 is 0 / 0, taken as 1, and lambda has a pole, also taken as 1,
    # as in pbkrtest.
    top, bottom = (1.0, 1.0) if abs(mean) < 1e-14 and abs(V1) < 1e-14 else (mean, V1)
    gap = top**2 * V0 - bottom**2 * V2
    if gap == 0.0:
        return np.inf, mean
    m = 4.0 + (r + 2.0) * bottom**2 * V2 / gap
    return m, 1.0 if abs(m - 2.0) < 0.01 else m * mean / (m - 2.0)


def satterthwaite(fit: LinearFit, L: NDArray) -> Reference:
    """Covariance of L beta and its degrees of freedom from the observed information, as in lmerTest.

    Several rows are rotated to uncorrelated ones, whose degrees of freedom are pooled.

    Source
    ------
    Giesbrecht & Burns (1985), Biometrics 41:477-486; Fai & Cornelius (1996), Journal of Statistical
    Computation and Simulation 54:363-378; Kuznetsova, Brockhoff & Christensen (2017), Journal of Statistical
    Software 82(13).
    """
    vcov = L @ fit.vcov @ L.T
    # A parameter on its bound is a standard deviation of zero: no contrast depends on it to first order, and
    # lmerTest, which works with standard deviations, leaves it out.
    free = ~fit.at_bound
    A = _inverse(fit.observed[np.ix_(free, free)])
    variance, axes = np.linalg.eigh(vcov)
    gradient = np.einsum("pi,kpq,qi->ik", L.T @ axes, fit.vcov_gradient[free], L.T @ axes)
    nu = 2.0 * variance**2 / np.einsum("ik,kl,il->i", gradient, A, gradient)
    return vcov, _pooled_df(nu), 1.0


def _pooled_df(nu: NDArray) -> float:
    """Denominator degrees of freedom of the mean of squared t statistics; Fai & Cornelius (1996)."""
    if np.all(np.abs(np.diff(nu)) < 1e-8):
        return float(nu.mean())
    if np.any(nu <= 2.0):
        return 2.0
    E = float((nu / (nu - 2.0)).sum())
    return 2.0 * E / (E - len(nu))


def between_within(fit: LinearFit, L: NDArray) -> Reference:
    """Covariance of L beta with degrees of freedom counted between clusters and within them.

    A column that is constant in every cluster, the intercept included, has clusters less such columns; any
    other has rows less clusters less columns of its kind. A contrast of both takes the smaller number.

    Source
    ------
    Schluchter & Elashoff (1990), Journal of Statistical Computation and Simulation 37:69-87. nlme and mmrm
    count the intercept within clusters; the smaller number for a contrast is mmrm's rule.
    """
    used = (L != 0.0).any(axis=0)
    n_between = int(fit.between.sum())
    between = fit.n_clusters - n_between
    within = fit.n_rows - fit.n_clusters - (len(fit.beta) - n_between)
    ddf = np.where(fit.between, between, within)[used].min()
    return L @ fit.vcov @ L.T, float(ddf), 1.0


def normal(fit: LinearFit, L: NDArray) -> Reference:
    """Covariance of L beta with infinite degrees of freedom: theta is taken as known."""
    return L @ fit.vcov @ L.T, np.inf, 1.0


def inverse_expected(fit: LinearFit) -> NDArray:
    """Covariance of theta, (q, q): the inverse expected information of what the data tell apart, else 0."""
    return _inverse_of(fit.expected, fit.identified)


def _inverse_of(information: NDArray, chosen: NDArray) -> NDArray:
    """Inverse of the information of some parameters (a mask), zero for the others."""
    W = np.zeros_like(information)
    W[np.ix_(chosen, chosen)] = _inverse(information[np.ix_(chosen, chosen)])
    return W


def _inverse(information: NDArray) -> NDArray:
    # The pseudo-inverse serves parameters that cannot be told apart; only their sum then has a variance. One
    # of which the data know nothing has none.
    scale = np.sqrt(np.diagonal(information))
    scale = np.where(scale > 0.0, scale, 1.0)
    correlation = information / np.outer(scale, scale)
    return np.linalg.pinv(correlation, rcond=1e-10, hermitian=True) / np.outer(scale, scale)


METHODS: dict[str, Callable[[LinearFit, NDArray], Reference]] = {
    "kenward_roger": kenward_roger,
    "kenward_roger_observed": kenward_roger_observed,
    "satterthwaite": satterthwaite,
    "between_within": between_within,
    "normal": normal,
}
