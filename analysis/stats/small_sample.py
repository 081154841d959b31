"""Small-sample tests and intervals for contrasts of a mixed model and for the intraclass correlation."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import chdtrc, chdtri, fdtrc, ndtr, ndtri, stdtr, stdtrit

from analysis.errors import ModelError
from analysis.stats.denominators import METHODS
from analysis.stats.reml import LinearFit

DegreesOfFreedom = Literal[
    "kenward_roger", "kenward_roger_observed", "satterthwaite", "between_within", "normal"
]


@dataclass(frozen=True, slots=True, eq=False)
class Contrast:
    """An estimated contrast L beta and the test of L beta = 0.

    Attributes
    ----------
    estimate, se : the estimate and its standard error; (r,) arrays for a joint test of r rows.
    df : denominator degrees of freedom; infinite for a normal reference.
    low, high : limits of the interval for a single contrast, None for a joint test.
    p : two-sided p-value, or that of the F test.
    F, ndf : scaled Wald statistic and its numerator degrees of freedom; F = (estimate / se)^2 for a single
        one.
    scale : factor that Kenward & Roger apply to F; 1 for a single contrast and for the other methods.
    level : confidence level of `low` and `high`.
    method : how `df` was found.
    """

    estimate: float | NDArray
    se: float | NDArray
    df: float
    low: float | None
    high: float | None
    p: float
    F: float
    ndf: int
    scale: float
    level: float
    method: str


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with the limits of its confidence interval."""

    estimate: float
    low: float
    high: float
    level: float


def contrast(
    fit: LinearFit, L: ArrayLike, *, df: DegreesOfFreedom = "kenward_roger", level: float = 0.95
) -> Contrast:
    """Estimate, interval and test of L beta with a small-sample reference distribution.

    Parameters
    ----------
    fit : a fitted mixed model.
    L : (p,) for one contrast, or (r, p) with independent rows for a joint F test of r contrasts.
    df : ``"kenward_roger"`` (covariance adjusted, t or scaled F; expected information, as in pbkrtest),
        ``"kenward_roger_observed"`` (observed information, as in SAS and mmrm), ``"satterthwaite"`` (t, or F
        after Fai & Cornelius), ``"between_within"`` or ``"normal"`` (z, or chi-squared / r).
    level : confidence level.

    Returns
    -------
    Contrast, in units of the outcome.

    Raises
    ------
    ModelError : the fit did not converge; L has the wrong shape, is not finite, is zero or has dependent
        rows; `df` is unknown, needs REML and the fit is by maximum likelihood, or leaves no degrees of
        freedom.

    Source
    ------
    Kenward & Roger (1997), Biometrics 53:983-997, sections 2 and 3; Satterthwaite (1946), Biometrics Bulletin
    2:110-114; Fai & Cornelius (1996), Journal of Statistical Computation and Simulation 54:363-378;
    Schluchter & Elashoff (1990), same journal 37:69-87 (between-within).
    """
    _check_fit(fit)
    rows, single = _rows(fit, L)
    if df not in METHODS:
        raise ModelError(f"df must be one of {', '.join(METHODS)}; got {df!r}.")
    _check_level(level)
    vcov, ddf, scale = METHODS[df](fit, rows)
    if not ddf > 0.0:
        raise ModelError(
            f"The {df} method leaves no degrees of freedom; the contrast needs more clusters or rows."
        )
    estimate = rows @ fit.beta
    se = np.sqrt(np.diagonal(vcov))
    ndf = len(rows)
    F = scale * float(estimate @ np.linalg.solve(vcov, estimate)) / ndf
    if not single:
        return Contrast(estimate, se, ddf, None, None, _f_tail(F, ndf, ddf), F, ndf, scale, level, df)
    value, error = float(estimate[0]), float(se[0])
    half = _t_quantile(0.5 + level / 2.0, ddf) * error
    p = 2.0 * _t_cdf(-abs(value / error), ddf)
    return Contrast(value, error, ddf, value - half, value + half, p, F, ndf, scale, level, df)


def icc(fit: LinearFit, *, level: float = 0.95) -> Interval:
    """Intraclass correlation theta_1 / (theta_1 + theta_2) with its profile-likelihood interval.

    The interval holds every value whose profile log-likelihood (restricted, if the fit is) lies within half
    the chi-squared quantile with one degree of freedom of the maximum; the total variance is profiled out.
    For a random intercept the space is [0, 1): an interval that reaches the boundary begins at 0, and a true
    value of 0 is covered at least at the nominal level. For an exchangeable covariance the space begins at
    -1 / (largest cluster size - 1).

    Parameters
    ----------
    fit : a fit with a `random_intercept` or `exchangeable` covariance.
    level : confidence level.

    Raises
    ------
    ModelError : the fit did not converge, the covariance has no single intraclass correlation, or every
        cluster has one row.

    Source
    ------
    Venzon & Moolgavkar (1988), Applied Statistics 37:87-94 (profile intervals); Self & Liang (1987), JASA
    82:605-610 (boundary); Ukoumunne (2002), Statistics in Medicine 21:3757-3774 (intervals for the
    correlation).
    """
    _check_fit(fit)
    _check_level(level)
    if fit.structure not in ("random_intercept", "exchangeable"):
        raise ModelError(f"A {fit.structure} covariance has no single intraclass correlation.")
    size = float(fit.likelihood.sums.coefficient[:, 0].max())
    if size < 2.0:
        raise ModelError("Every cluster has one row, so no correlation within clusters can be estimated.")
    estimate = float(fit.theta[0] / fit.theta.sum())
    cut = _profile(fit, estimate) - chdtri(1.0, 1.0 - level) / 2.0
    floor = 0.0 if fit.structure == "random_intercept" else -1.0 / (size - 1.0)
    return Interval(estimate, _crossing(fit, estimate, floor, cut), _crossing(fit, estimate, 1.0, cut), level)


def _rows(fit: LinearFit, L: ArrayLike) -> tuple[NDArray, bool]:
    try:
        L = np.asarray(L, dtype=float)
    except (TypeError, ValueError) as error:
        raise ModelError("L must be numeric.") from error
    p = len(fit.beta)
    if L.ndim not in (1, 2) or L.shape[-1] != p or not L.size:
        raise ModelError(
            f"L has shape {L.shape}; the model has {p} columns, so L must be ({p},) or (rows, {p})."
        )
    if not np.isfinite(L).all():
        raise ModelError("L has missing or infinite values.")
    rows = np.atleast_2d(L)
    length = np.sqrt((rows**2).sum(axis=1))
    if not length.all() or (len(rows) > 1 and np.linalg.matrix_rank(rows / length[:, None]) < len(rows)):
        raise ModelError("The rows of L must be non-zero and none may be a combination of the others.")
    return rows, L.ndim == 1


def _check_fit(fit: LinearFit) -> None:
    if not fit.converged:
        raise ModelError(f"The model gives no test or interval. {' '.join(fit.notes)}")


def _check_level(level: float) -> None:
    if not 0.0 < level < 1.0:
        raise ModelError(f"level must lie between 0 and 1; got {level!r}.")


def _profile(fit: LinearFit, rho: float) -> float:
    return fit.likelihood.profiled(np.array([rho, 1.0 - rho]))[0]


def _crossing(fit: LinearFit, estimate: float, end: float, cut: float) -> float:
    """Where the profile falls to the cut between the estimate and the end of the space, else the end."""
    # At an end other than zero V is singular; a limit nearer to it than this is the end.
    inside = estimate + (end - estimate) * (1.0 if end == 0.0 else 1.0 - 1e-5)
    if inside == estimate or _profile(fit, inside) >= cut:
        return end
    # Clamped, because the profile may still be minus infinity there.
    return float(brentq(lambda rho: max(_profile(fit, rho) - cut, -100.0), estimate, inside, xtol=1e-12))


def _t_quantile(probability: float, df: float) -> float:
    return float(ndtri(probability) if np.isinf(df) else stdtrit(df, probability))


def _t_cdf(t: float, df: float) -> float:
    return float(ndtr(t) if np.isinf(df) else stdtr(df, t))


def _f_tail(F: float, ndf: int, ddf: float) -> float:
    return float(chdtrc(ndf, ndf * F) if np.isinf(ddf) else fdtrc(ndf, ddf, F))
