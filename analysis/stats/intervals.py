"""Confidence limits from an estimate and its standard error, on the scale that suits the estimate."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from analysis.errors import ModelError
from analysis.stats.at_risk import FloatArray

IntervalKind = Literal["unbounded", "plain", "log", "log-log", "arcsine", "positive"]


@dataclass(frozen=True, slots=True, eq=False)
class Interval:
    """Confidence limits, two arrays (q,), of level `level`; a limit that is not defined is not-a-number."""

    low: FloatArray
    high: FloatArray
    level: float


def interval(
    estimate: ArrayLike, se: ArrayLike, *, kind: IntervalKind = "unbounded", level: float = 0.95
) -> Interval:
    """Confidence limits of estimates, computed on the scale named by `kind` and carried back.

    Parameters
    ----------
    estimate, se : (q,)
        Estimates and standard errors on their own scale.
    kind : str
        ``unbounded`` for differences, times and log hazard ratios. For probabilities ``plain`` (limits cut to
        [0, 1]), ``log`` (R's default; upper limit cut to 1), ``log-log``, log(-log p) (SAS's default), or
        ``arcsine``, of the square root. For mean numbers ``positive``, the logarithm with no upper bound.
    level : float
        Coverage, between 0 and 1.

    Returns
    -------
    Interval
        ``log`` and ``positive`` have no limits at 0, ``log-log`` and ``arcsine`` none at 0 or 1: they are
        not-a-number, as in R.

    Raises
    ------
    ModelError
        If `kind` or `level` is not one of those.
    """
    if not 0 < level < 1:
        raise ModelError("the level of an interval must lie between 0 and 1.")
    value = np.asarray(estimate, dtype=np.float64)
    half = ndtri((1 + level) / 2) * np.asarray(se, dtype=np.float64)
    if kind == "unbounded":
        return Interval(value - half, value + half, level)
    if kind == "plain":
        return Interval(np.maximum(value - half, 0.0), np.minimum(value + half, 1.0), level)
    if kind in ("log", "positive"):
        inside = np.where(value > 0, value, np.nan)
        with np.errstate(over="ignore"):  # a factor without bound means a lower limit of 0
            factor = np.exp(half / inside)
        return Interval(inside / factor, np.minimum(inside * factor, 1.0 if kind == "log" else np.inf), level)
    if kind == "log-log":
        inside = np.where((value > 0) & (value < 1), value, np.nan)
        with np.errstate(over="ignore"):
            factor = np.exp(half / (-inside * np.log(inside)))
        return Interval(inside**factor, inside ** (1 / factor), level)
    if kind == "arcsine":
        inside = np.where((value > 0) & (value < 1), value, np.nan)
        angle, half = np.arcsin(np.sqrt(inside)), half / np.sqrt(4 * inside * (1 - inside))
        low, high = np.maximum(angle - half, 0.0), np.minimum(angle + half, np.pi / 2)
        return Interval(np.sin(low) ** 2, np.sin(high) ** 2, level)
    raise ModelError(
        f"interval {kind!r} is not known; use unbounded, plain, log, log-log, arcsine or positive."
    )
