"""Score statistic of a risk difference and the asymptotic limit that follows from it."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.special import ndtri

_NEVER_ZERO = 1e-140


def score_statistic(x1: ArrayLike, n1: int, x0: ArrayLike, n0: int, delta: float) -> NDArray:
    """Distance of p1_hat - p0_hat from `delta` in standard errors restricted to p1 - p0 = `delta`."""
    p0 = _restricted_p0(np.asarray(x1), n1, np.asarray(x0), n0, delta)
    p1 = np.minimum(np.maximum(p0 + delta, 0.0), 1.0)
    distance = x1 / n1 - x0 / n0 - delta
    # At a corner of the parameter space a table that fits perfectly has neither distance nor variance.
    distance = np.where(np.abs(distance) < 1e-14, 0.0, distance)
    return distance / np.sqrt(np.maximum(p1 * (1 - p1) / n1 + p0 * (1 - p0) / n0, _NEVER_ZERO))


def _restricted_p0(x1: NDArray, n1: int, x0: NDArray, n0: int, delta: float) -> NDArray:
    """Maximum likelihood estimate of p0 under p1 = p0 + delta; Miettinen & Nurminen (1985), appendix I."""
    low, high = max(0.0, -delta), min(1.0, 1 - delta)
    n, x = n1 + n0, x1 + x0
    b = ((n1 + 2 * n0) * delta - n - x) / (3 * n)
    c = (delta * (n0 * delta - n - 2 * x0) + x) / n
    q = b**3 - b * c / 2 + x0 * delta * (1 - delta) / (2 * n)
    r = np.copysign(np.sqrt(np.maximum(b**2 - c / 3, 1e-100)), q)
    p0 = 2 * r * np.cos((np.pi + np.arccos(np.clip(q / r**3, -1.0, 1.0))) / 3) - b
    p0 = np.minimum(np.maximum(p0, low), high)
    # The closed form loses half its digits near a double root; a Newton step on the likelihood restores them.
    risks = np.maximum(np.array([p0 + delta, 1 - p0 - delta, p0, 1 - p0]), _NEVER_ZERO)
    slopes = np.array([x1, n1 - x1, x0, n0 - x0]) / risks
    p0 = p0 + (slopes[0] - slopes[1] + slopes[2] - slopes[3]) / (slopes / risks).sum(axis=0)
    return np.minimum(np.maximum(p0, low), high)


def lower_score_limit(x1: int, n1: int, x0: int, n0: int, *, alpha: float) -> float:
    """Difference below the estimate at which the score, with N / (N - 1) in its variance, is significant."""
    n = n1 + n0
    z = -ndtri(alpha) * np.sqrt(n / (n - 1))

    def excess(delta: float) -> float:
        return score_statistic(x1, n1, x0, n0, delta) - z

    return brentq(excess, -1 + 1e-12, x1 / n1 - x0 / n0, xtol=1e-12)
