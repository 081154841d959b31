"""Boundaries a second time: Simpson's rule on a fine grid of scores, look by look.

A kernel says where the score of a look goes from that of the look before. With a fixed drift its mean is
s + drift (I1 - I0) and its variance I1 - I0. Where the drift is not known but for the trial itself (flat
prior) it is the predictive law: mean s I1 / I0, variance (I1 - I0) I1 / I0, and no average over drifts is
needed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

FAR = 9.0
# Steps of the grid in one standard deviation of the kernel or of the score, whichever is less.
STEPS = 80
Kernel = Callable[[np.ndarray, float, float], tuple[np.ndarray, float]]


def with_drift(drift: float) -> Kernel:
    """The law of the scores under a difference."""
    return lambda s, before, now: (s + drift * (now - before), float(np.sqrt(now - before)))


def predictive(s: np.ndarray, before: float, now: float) -> tuple[np.ndarray, float]:
    """The law of the scores to come given those that are there."""
    return s * now / before, float(np.sqrt((now - before) * now / before))


@dataclass(frozen=True, eq=False)
class Scores:
    """Scores of trials that went on, with the probability of each, at an information."""

    s: np.ndarray
    p: np.ndarray
    information: float

    def beyond(self, bound: float, now: float, kernel: Kernel) -> tuple[float, float]:
        """Probability of a z above the bound at that information, and of one below its negative."""
        mean, sd = kernel(self.s, self.information, now)
        edge = bound * np.sqrt(now)
        return float(self.p @ stats.norm.sf((edge - mean) / sd)), float(
            self.p @ stats.norm.cdf((-edge - mean) / sd)
        )

    def after(self, bound: float, now: float, kernel: Kernel) -> "Scores":
        """Those that go on between the bounds."""
        mean, sd = kernel(self.s, self.information, now)
        edge = bound * np.sqrt(now)
        low, high = max(-edge, mean.min() - FAR * sd), min(edge, mean.max() + FAR * sd)
        if not high > low:
            return Scores(np.zeros(1), np.zeros(1), now)
        n = 2 * int(np.ceil((high - low) / min(sd, np.sqrt(now)) * STEPS / 2)) + 1
        s = np.linspace(low, high, max(n, 3))
        weight = np.ones(len(s))
        weight[1:-1:2], weight[2:-1:2] = 4.0, 2.0
        density = np.exp(-(((s[:, None] - mean) / sd) ** 2) / 2) @ self.p / (sd * np.sqrt(2 * np.pi))
        return Scores(s, density * weight * (s[1] - s[0]) / 3, now)


START = Scores(np.zeros(1), np.ones(1), 0.0)


def chances(
    bounds: Sequence[float], information: Sequence[float], kernel: Kernel, start: Scores = START
) -> np.ndarray:
    """Probability of leaving above and below at each look, (looks, 2)."""
    found = []
    for bound, now in zip(bounds, information, strict=True):
        found.append(start.beyond(bound, now, kernel))
        start = start.after(bound, now, kernel)
    return np.reshape(found, (-1, 2))


def spent_by(kind: str, gamma: float, side: float, share: float) -> float:
    """Error of one side that is spent by a share of the information."""
    if share >= 1:
        return side
    if kind == "obrien_fleming":
        return float(2 * stats.norm.sf(stats.norm.isf(side / 2) / np.sqrt(share)))
    if kind == "pocock":
        return float(side * np.log(1 + (np.e - 1) * share))
    return side * share if gamma == 0 else float(side * (1 - np.exp(-gamma * share)) / (1 - np.exp(-gamma)))


def next_bound(bounds: Sequence[float], information: Sequence[float], target: float) -> float:
    """Bound at the last information with which one side has spent so much, given the bounds before."""
    kernel, here, gone = with_drift(0.0), START, 0.0
    *before, now = information
    for bound, then in zip(bounds, before, strict=True):
        gone += here.beyond(bound, then, kernel)[0]
        here = here.after(bound, then, kernel)

    def excess(bound: float) -> float:
        return here.beyond(bound, now, kernel)[0] - max(target - gone, 0.0)

    return float("inf") if excess(12.0) >= 0 else float(optimize.brentq(excess, -12, 12, xtol=1e-12))


def stagewise(
    z: float, bounds: Sequence[float], information: Sequence[float], level: float
) -> tuple[float, float, float, float]:
    """Median-unbiased estimate, limits and two-sided P, an earlier stop above being the more extreme."""
    *before, now = information

    def tail(drift: float) -> float:
        kernel, here, above = with_drift(drift), START, 0.0
        for bound, then in zip(bounds, before, strict=True):
            above += here.beyond(bound, then, kernel)[0]
            here = here.after(bound, then, kernel)
        return above + here.beyond(z, now, kernel)[0]

    reach = FAR / np.sqrt(information[0])
    middle = z / np.sqrt(now)

    def drift_of(p: float) -> float:
        found = optimize.brentq(lambda drift: tail(drift) - p, middle - reach, middle + reach, xtol=1e-10)
        return float(found)

    found = [drift_of(each) for each in (0.5, (1 - level) / 2, (1 + level) / 2)]
    p = tail(0.0)
    return *found, 2 * min(p, 1 - p)
