"""The joint law of the test statistics of several analyses: who has not stopped yet, and where they stand."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from analysis.errors import ModelError
from analysis.stats.at_risk import FloatArray

# Standard deviations beyond which the normal density is nothing in double precision.
FURTHEST = 12.0
# Gauss-Legendre nodes of each continuation region: boundaries are then exact to about 1e-12.
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(301)


def check_information(information: Sequence[float]) -> FloatArray:
    """The information of the analyses as an array.

    Raises
    ------
    ModelError
        Unless it is positive and rises.
    """
    info = np.asarray(information, dtype=np.float64)
    rises = info.ndim == 1 and info.size and (np.diff(info, prepend=0) > 0).all()
    if not rises or not np.isfinite(info).all():
        raise ModelError("the information of the analyses must be positive and rise from one to the next.")
    return info


@dataclass(frozen=True, slots=True, eq=False)
class Walk:
    """The score of a trial that has not stopped: a sub-density on nodes, under one effect.

    The score S = z sqrt(I) has independent normal increments with mean effect times the increment of the
    information, and the increment as variance. A walk starts at one point: 0 at no information, or the score
    of an interim analysis.

    Source
    ------
    Armitage, McPherson & Rowe (1969), JRSS A 132:235; Jennison & Turnbull (2000), chapter 19.
    """

    effect: float = 0.0
    information: float = 0.0
    score: FloatArray = field(default_factory=lambda: np.zeros(1))
    mass: FloatArray = field(default_factory=lambda: np.ones(1))

    def above(self, information: float, z: float) -> float:
        """Probability of not having stopped before and of a z above this one at that information."""
        return float(self.mass @ ndtr(-self._standard(information, z)))

    def below(self, information: float, z: float) -> float:
        """The same of a z below."""
        return float(self.mass @ ndtr(self._standard(information, z)))

    def step(self, information: float, *, upper: float, lower: float | None = None) -> "Walk":
        """The walk after an analysis at which it goes on between the bounds of z."""
        root = np.sqrt(information)
        centre = self.effect * root
        low = centre - FURTHEST if lower is None else max(lower, centre - FURTHEST)
        high = min(upper, centre + FURTHEST)
        half = max(high - low, 0.0) / 2
        score = (low + half + half * _NODES) * root
        spread = np.sqrt(information - self.information)
        mean = self.score + self.effect * (information - self.information)
        density = _density((score[:, None] - mean) / spread) @ self.mass / spread
        return Walk(self.effect, information, score, density * _WEIGHTS * half * root)

    def _standard(self, information: float, z: float) -> FloatArray:
        gained = information - self.information
        mean = self.score + self.effect * gained
        return (z * np.sqrt(information) - mean) / np.sqrt(gained)


def _density(x: FloatArray) -> FloatArray:
    return np.exp(-0.5 * x * x) / np.sqrt(2 * np.pi)


@dataclass(frozen=True, slots=True, eq=False)
class Crossing:
    """Probability of stopping at each analysis (K,), above and below."""

    upper: FloatArray
    lower: FloatArray


def crossing(
    critical: ArrayLike,
    information: Sequence[float],
    *,
    effect: float = 0.0,
    sided: int = 1,
    start: Walk | None = None,
) -> Crossing:
    """Probability of crossing the boundaries at each analysis under an effect.

    Parameters
    ----------
    critical : (K,)
        Critical values of z, the mirror image below counting as well when `sided` is 2.
    information : (K,)
        Information of each analysis.
    effect : float
        The effect on the scale of the estimate.
    start : Walk, optional
        Where the trial stands at an interim analysis; at no information unless given.

    Raises
    ------
    ModelError
        If the information does not rise, or there is not one critical value for each analysis.
    """
    info, bounds = check_information(information), np.asarray(critical, dtype=np.float64)
    if bounds.shape != info.shape:
        raise ModelError("give one critical value for each analysis.")
    walk = start or Walk(effect)
    upper, lower = np.zeros(info.size), np.zeros(info.size)
    for at, (each, bound) in enumerate(zip(info, bounds, strict=True)):
        upper[at] = walk.above(each, bound)
        lower[at] = walk.below(each, -bound) if sided == 2 else 0.0
        walk = walk.step(each, upper=bound, lower=-bound if sided == 2 else None)
    return Crossing(upper, lower)
