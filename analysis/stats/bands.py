"""Bands that hold a whole curve at once, by multipliers on the influence of families."""

import numpy as np

from analysis.errors import ModelError
from analysis.stats.at_risk import FloatArray
from analysis.stats.influence import Linear, cluster_sums
from analysis.stats.intervals import Interval

# Draws held at once.
PART = 250


def simultaneous_band(
    curve: Linear, *, draws: int, generator: np.random.Generator, level: float = 0.95
) -> Interval:
    """Limits that hold all q quantities of a curve together with probability `level`.

    Parameters
    ----------
    curve : Linear
        Estimates (q,) along a curve, with their influence. Quantities without uncertainty get no limits.
    draws : int
        Draws of the multipliers, 99 or more.
    generator : Generator
        Source of the draws.
    level : float
        Coverage of the whole curve.

    Returns
    -------
    Interval
        Estimate plus and minus one multiple of its family-robust standard error, the same for all q: the
        `level` quantile, over draws of one standard normal number per family, of the largest absolute
        standardised sum of influences. Not-a-number where the standard error is 0 or not a number.

    Raises
    ------
    ModelError
        If there are too few draws or fewer than two independent units, or `level` is not between 0 and 1.

    Source
    ------
    Lin, Fleming & Wei (1994), Biometrika 81:73 (multipliers); Spiekerman & Lin (1998), J. Am. Stat. Assoc.
    93:1164 (clusters).
    """
    if not 0 < level < 1:
        raise ModelError("the level of a band must lie between 0 and 1.")
    if draws < 99:
        raise ModelError("a band needs 99 draws or more.")
    total = cluster_sums(curve.influence, curve.cluster)
    if len(total) < 2:
        raise ModelError("a band needs two independent units or more.")
    se = np.sqrt((total**2).sum(axis=0))
    known = np.isfinite(se) & (se > 0)
    reach = float(np.quantile(_largest(total[:, known] / se[known], draws, generator), level))
    half = np.where(known, reach * se, np.nan)
    return Interval(curve.estimate - half, curve.estimate + half, level)


def _largest(standardised: FloatArray, draws: int, generator: np.random.Generator) -> FloatArray:
    """Largest absolute sum over the curve in each draw, (draws,); 0 where the curve is certain everywhere."""
    parts = []
    for first in range(0, draws, PART):
        multipliers = generator.standard_normal((min(PART, draws - first), len(standardised)))
        parts.append(np.abs(multipliers @ standardised).max(axis=1, initial=0.0))
    return np.concatenate(parts)
