"""How well the primary model fits: residuals by dense matrices, influence by leaving each family out."""

import numpy as np
import pandas as pd
from scipy import stats

from analysis.qc.dense import DenseFit
from analysis.qc.tables import members
from analysis.results import Estimate, Points

FAR = 3


def diagnostics(
    fit: DenseFit, family: pd.Series, arm: int, se: float
) -> tuple[tuple[Estimate, ...], tuple[Points, ...]]:
    """Scaled residuals, the change of the difference without each family, Cook's distance, leverage."""
    V = np.linalg.inv(fit.inverse)
    values, vectors = np.linalg.eigh((V + V.T) / 2)
    fitted = fit.X @ fit.beta
    scaled = vectors @ ((vectors.T @ (fit.y - fitted)) / np.sqrt(values))
    families, beta = members(family), fit.beta
    changes = np.array([beta - _without(fit, mine) for mine in families])
    cook = np.einsum("ij,jk,ik->i", changes, np.linalg.inv(fit.phi), changes) / fit.X.shape[1]
    hat = fit.X @ fit.phi @ fit.X.T @ fit.inverse
    influence = np.sort(changes[:, arm] / se)
    influence = influence[np.isfinite(influence)]
    values = {
        "scaled residuals": len(scaled),
        f"scaled residuals beyond {FAR}": int((abs(scaled) > FAR).sum()),
        "skewness of scaled residuals": stats.skew(scaled),
        "excess kurtosis of scaled residuals": stats.kurtosis(scaled),
        "largest change of the difference without one family, in standard errors": abs(influence).max(),
        "largest Cook's distance of a family": np.nanmax(cook),
        f"largest leverage of a family, of {fit.X.shape[1]} in all": max(
            np.trace(hat[np.ix_(mine, mine)]) for mine in families
        ),
    }
    estimates = tuple(Estimate("diagnostic", float(value), labels={"of": of}) for of, value in values.items())
    return estimates, _points(fitted, scaled, influence)


def _without(fit: DenseFit, mine: np.ndarray) -> np.ndarray:
    """Coefficients from the other families at the same V; not a number where they cannot tell one."""
    # Families are independent, so the inverse of their part of V is the part of the inverse: rows of 0.
    X, y = fit.X.copy(), fit.y.copy()
    X[mine], y[mine] = 0.0, 0.0
    unit = np.abs(fit.X).max(axis=0)
    weighted = (fit.inverse @ (X / unit)).T
    information = weighted @ (X / unit)
    values, vectors = np.linalg.eigh(information)
    kept = values > 1e-10 * values[-1]
    lost = (np.abs(vectors[:, ~kept]) > 1e-6).any(axis=1)
    half = vectors[:, kept] / values[kept]
    beta = half @ (vectors[:, kept].T @ (weighted @ y)) / unit
    return np.where(lost, np.nan, beta)


def _points(fitted: np.ndarray, scaled: np.ndarray, influence: np.ndarray) -> tuple[Points, ...]:
    n, order = len(scaled), sorted(range(len(scaled)), key=lambda at: (fitted[at], scaled[at]))
    normal = stats.norm.ppf((np.arange(1, n + 1) - 3 / 8) / (n + 1 / 4))
    return (
        Points("residual_quantiles", tuple(normal), tuple(np.sort(scaled))),
        Points("residual_fitted", tuple(fitted[order]), tuple(scaled[order])),
        Points("family_influence", tuple(range(1, len(influence) + 1)), tuple(influence)),
    )
