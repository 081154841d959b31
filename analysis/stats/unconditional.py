"""Exact unconditional one-sided test of a risk difference, and the smallest difference it does not reject."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import gammaln

from analysis.stats.score_statistic import score_statistic

# The limit is found to this width and rounded outwards.
_LIMIT_WIDTH = 1e-8
# Two score statistics closer than this (relative) are tied: rounding must not break a tie.
_TIE = 1e-9
# Points of the nuisance grid per standard deviation of the larger arm, on the arcsine scale. A tail
# probability has no feature much narrower than one standard deviation, so that the grid misses less than
# `_GRID_MISS` (relative) of its largest value, and every fourth point less than `_COARSE_MISS`.
_POINTS_PER_SD, _GRID_MISS, _COARSE_MISS = 2.0, 0.01, 0.2
_REFINEMENTS, _REFINED_STEPS = 4, np.linspace(-1.0, 1.0, 11)
# Points of the tabulated contour per square root of the sample size; the distance, in events, within which
# its interpolation may be on the wrong side of a whole number.
_CONTOUR_DENSITY, _CONTOUR_ERROR = 40, 0.005
_NEVER_ZERO = 1e-140


@dataclass(frozen=True, slots=True, eq=False)
class OneSidedTest:
    """Test of p1 - p0 <= delta that rejects for a large score, given the observed table.

    Attributes
    ----------
    x1, n1, x0, n0 : events and units of the two arms, n1 and n0 positive.
    alpha : size of the test.
    weight_of_ties : share of the probability of the observed score that counts: 1 exact, 1/2 mid-P.
    """

    x1: int
    n1: int
    x0: int
    n0: int
    alpha: float
    weight_of_ties: float
    estimate: float = field(init=False)
    nuisance: NDArray = field(init=False)
    contour: NDArray = field(init=False)
    log_choices: tuple[NDArray, NDArray] = field(init=False)
    never_extreme: NDArray = field(init=False)

    def __post_init__(self) -> None:
        derived = {
            "estimate": self.x1 / self.n1 - self.x0 / self.n0,
            "nuisance": self._angles(_POINTS_PER_SD * np.pi),
            "contour": self._angles(_CONTOUR_DENSITY),
            "log_choices": (_log_choices(self.n1), _log_choices(self.n0)),
            "never_extreme": self._never_extreme(),
        }
        for name, value in derived.items():
            object.__setattr__(self, name, value)

    def _angles(self, density: float) -> NDArray:
        return np.linspace(0, np.pi / 2, int(density * np.sqrt(max(self.n1, self.n0))) + 25)

    def _never_extreme(self) -> NDArray:
        """Events in arm 1 below which a table is less extreme than the observed one at every delta."""
        columns = np.arange(self.n0 + 1)
        bounds = [np.where(columns < x0, 0, x1 + (columns > x0)) for x1, x0 in self.ties]
        return np.max(bounds, axis=0)

    @property
    def ties(self) -> set[tuple[int, int]]:
        """Tables with the observed score at every delta; with equal arms, also the one of the non-events."""
        mirrored = {(self.n0 - self.x0, self.n1 - self.x1)} if self.n1 == self.n0 else set()
        return {(self.x1, self.x0)} | mirrored


@dataclass(frozen=True, slots=True, eq=False)
class _Point:
    """A difference and the tables that are at least as extreme as the observed one there.

    The score rises with the events in arm 1. For every number of events in arm 0, `contour` is the real
    number in arm 1 that has the observed score, to `_CONTOUR_ERROR`, and `tail` the smallest whole number
    that is at least as extreme, n1 + 1 if none.
    """

    delta: float
    contour: NDArray
    tail: NDArray


@dataclass(frozen=True, slots=True, eq=False)
class _Interval:
    """Differences to be searched, with the nuisance angles at which the test may not reject.

    `bend` is the second difference of the contour over the two halves. A parabola leaves the range of its
    ends by half of it at most, and only if they differ by less than twice its size.
    """

    left: _Point
    right: _Point
    angles: NDArray
    bend: NDArray

    @property
    def width(self) -> float:
        return self.right.delta - self.left.delta

    @property
    def is_settled(self) -> bool:
        return np.array_equal(self.left.tail, self.right.tail) and not self._turns.any()

    @property
    def _turns(self) -> NDArray:
        reach = np.abs(self.right.contour - self.left.contour)
        return (self.bend > _CONTOUR_ERROR) & (reach < 8 * self.bend)

    def union(self, test: OneSidedTest) -> NDArray:
        """Tables that are extreme somewhere in the interval."""
        tail = np.minimum(self.left.tail, self.right.tail)
        lowest = np.ceil(np.minimum(self.left.contour, self.right.contour) - self.bend)
        tail = np.where(self._turns, np.minimum(tail, lowest), tail)
        return np.maximum(tail, test.never_extreme).astype(int)

    def split(self, points: list[_Point], angles: NDArray) -> list["_Interval"]:
        """Parts between neighbouring points, the rightmost first."""
        ends = zip([self.left, *points], [*points, self.right], strict=True)
        bend = self.bend / self.width**2
        return [_Interval(a, b, angles, bend * (b.delta - a.delta) ** 2) for a, b in ends][::-1]


def smallest_not_rejected(test: OneSidedTest, start: float) -> float:
    """Smallest difference that the test does not reject; `start` is a guess.

    Branch and bound from the left. At a fixed nuisance angle the probability of a fixed tail set rises with
    delta. The probability, at the right end of an interval, of all tables that are extreme somewhere in it is
    therefore a bound for the interval, and an angle whose bound stays below alpha need not be looked at again
    inside.
    """
    pending = _first_intervals(test, start)
    while pending:
        interval = pending.pop()
        angles = _above_alpha(test, interval.union(test), interval.right.delta, interval.angles)
        if not angles.any():
            continue
        if interval.is_settled:
            return _crossing(test, interval, angles)
        if interval.width <= 1.01 * _LIMIT_WIDTH:
            return interval.left.delta
        pending += interval.split([_point(test, delta) for delta in _cuts(test, interval)], angles)
    return test.estimate


def _first_intervals(test: OneSidedTest, start: float) -> list[_Interval]:
    """From -1 to the estimate, dense around `start` and zero; the leftmost last."""
    steps = np.multiply.outer([-0.01, 0.01], 4.0 ** np.arange(12))
    # Around zero too: contours bend most where both risks can be at their bounds.
    cuts = np.unique([start + (test.estimate - start) * steps, steps / max(test.n1, test.n0)])
    cuts = [-1 + 1e-12, *cuts[(cuts > -1 + 1e-9) & (cuts < test.estimate)].tolist(), test.estimate]
    points = [_point(test, delta) for delta in cuts]
    widths = np.diff(cuts)[:, None]
    slopes = np.diff([point.contour for point in points], axis=0) / widths
    curvature = np.abs(np.diff(slopes, axis=0)) / (widths[1:] + widths[:-1])
    bends = np.maximum(np.vstack([curvature[:1], curvature]), np.vstack([curvature, curvature[-1:]]))
    bends *= widths**2 / 2
    everywhere = np.ones(len(test.nuisance), dtype=bool)
    ends = zip(points[:-1], points[1:], bends, strict=True)
    return [_Interval(left, right, everywhere, bend) for left, right, bend in ends][::-1]


def _cuts(test: OneSidedTest, interval: _Interval) -> list[float]:
    """Both sides of the delta at which the last table joins or leaves; the middle while there are several."""
    left, right = interval.left, interval.right
    middle = (left.delta + right.delta) / 2
    (columns,) = np.nonzero(left.tail != right.tail)
    if not 0 < np.abs(left.tail - right.tail).sum() <= 2:
        return [middle]
    table = min(left.tail[columns[0]], right.tail[columns[0]]), columns[0]

    def lead(delta: float) -> float:
        return _lead(test, *table, delta)[0]

    if lead(left.delta) * lead(right.delta) >= 0:
        return [middle]
    change = brentq(lead, left.delta, right.delta, xtol=1e-13)
    sides = [change - _LIMIT_WIDTH / 2, change + _LIMIT_WIDTH / 2]
    return [delta for delta in sides if left.delta < delta < right.delta] or [middle]


def _lead(test: OneSidedTest, x1: NDArray, x0: NDArray, delta: float) -> NDArray:
    """Score of other tables less the observed one; not negative where they are at least as extreme."""
    scores = score_statistic(np.append(x1, test.x1), test.n1, np.append(x0, test.x0), test.n0, delta)
    return scores[:-1] - scores[-1] + _TIE * (1 + np.abs(scores[-1]))


def _point(test: OneSidedTest, delta: float) -> _Point:
    """Tail set at `delta`: from the contour of the score, checked where it passes near whole numbers.

    The tables with score t whose restricted estimate is (p1, p0) have p1_hat = p1 + t v1 / sqrt(v1 + v0) and
    p0_hat = p0 - t v0 / sqrt(v1 + v0), v = p (1 - p) / n: the score equation solved for the data.
    """
    p1, p0 = _risks(test.contour, delta)
    v1, v0 = p1 * (1 - p1) / test.n1, p0 * (1 - p0) / test.n0
    t = score_statistic(test.x1, test.n1, test.x0, test.n0, delta)
    reach = t / np.sqrt(np.maximum(v1 + v0, _NEVER_ZERO))
    columns = np.arange(test.n0 + 1)
    rows = np.interp(columns, test.n0 * (p0 - reach * v0), test.n1 * (p1 + reach * v1))
    rows = np.clip(rows, 0, test.n1 + 1)
    tail, nearest = np.ceil(rows).astype(int), np.rint(rows).astype(int)
    doubtful = (np.abs(rows - nearest) < _CONTOUR_ERROR) & (nearest <= test.n1)
    lead = _lead(test, nearest[doubtful], columns[doubtful], delta)
    tail[doubtful] = nearest[doubtful] + (lead < 0)
    return _Point(delta, rows, tail)


def _risks(angles: NDArray, delta: float) -> tuple[NDArray, NDArray]:
    """All (p1, p0) with p1 - p0 = delta, from nuisance angles between 0 and pi / 2."""
    low, high = max(0.0, -delta), min(1.0, 1 - delta)
    p0 = low + (high - low) * np.sin(angles) ** 2
    return np.clip(p0 + delta, 0.0, 1.0), p0


def _tail_probability(test: OneSidedTest, tail: NDArray, angles: NDArray, delta: float) -> NDArray:
    """Probability of a tail set at p1 - p0 = delta, one value per nuisance angle."""
    arm_1, arm_0 = map(_binomial, test.log_choices, _risks(angles, delta))
    at_least = np.zeros((len(angles), test.n1 + 2))
    np.cumsum(arm_1[:, ::-1], axis=1, out=at_least[:, -2::-1])
    ties = sum(arm_1[:, x1] * arm_0[:, x0] for x1, x0 in test.ties)
    return np.einsum("gx,gx->g", arm_0, at_least[:, tail]) - (1 - test.weight_of_ties) * ties


def _log_choices(n: int) -> NDArray:
    x = np.arange(n + 1.0)
    return gammaln(n + 1) - gammaln(x + 1) - gammaln(n - x + 1)


def _binomial(log_choices: NDArray, p: NDArray) -> NDArray:
    """Probabilities of 0..n events, one row per p."""
    n = len(log_choices) - 1
    log_p, log_q = np.log(np.maximum(p, _NEVER_ZERO)), np.log(np.maximum(1 - p, _NEVER_ZERO))
    exponent = np.multiply.outer(log_p - log_q, np.arange(n + 1.0))
    exponent += log_choices
    exponent += n * log_q[:, None]
    return np.exp(exponent, out=exponent)


def _above_alpha(test: OneSidedTest, tail: NDArray, delta: float, angles: NDArray) -> NDArray:
    """Which of the marked nuisance angles have a tail probability above alpha, or a neighbour that has."""
    none = np.zeros_like(angles)
    if angles.all():
        coarse = _tail_probability(test, tail, test.nuisance[::4], delta)
        if coarse.max() < (1 - _COARSE_MISS) * test.alpha:
            return none
    probability = _at(test, tail, delta, angles)
    high = probability > (1 - _GRID_MISS) * test.alpha
    is_close = high.any() and probability.max() <= test.alpha
    if is_close and _refined(test, tail, delta, probability)[0] <= test.alpha:
        return none
    neighbours = np.pad(high, 1)
    return high | neighbours[:-2] | neighbours[2:]


def _at(test: OneSidedTest, tail: NDArray, delta: float, angles: NDArray) -> NDArray:
    """Tail probability on the nuisance grid, zero at the angles that are not marked."""
    probability = np.zeros(len(angles))
    probability[angles] = _tail_probability(test, tail, test.nuisance[angles], delta)
    return probability


def _refined(test: OneSidedTest, tail: NDArray, delta: float, probability: NDArray) -> tuple[float, float]:
    """Largest tail probability and its nuisance angle, searched around every high peak of the grid values."""
    padded = np.pad(probability, 1)
    is_peak = (probability >= padded[:-2]) & (probability >= padded[2:])
    peaks = test.nuisance[is_peak & (probability > (1 - _GRID_MISS) * probability.max())]
    step = test.nuisance[1]
    for _ in range(_REFINEMENTS):
        angles = np.clip(peaks[:, None] + step * _REFINED_STEPS, 0, np.pi / 2)
        values = _tail_probability(test, tail, angles.ravel(), delta).reshape(angles.shape)
        peaks = angles[np.arange(len(angles)), values.argmax(axis=1)]
        step /= 5
    return values.max(), peaks[values.max(axis=1).argmax()]


def _crossing(test: OneSidedTest, interval: _Interval, angles: NDArray) -> float:
    """Where the largest probability of an unchanging tail set, above alpha at the right end, reaches it.

    At the angle of the largest probability the crossing does not depend on the angle to first order, so
    alternating between the two converges at once.
    """
    left, tail = interval.left.delta, interval.left.tail
    delta, last = interval.right.delta, np.inf

    def excess(delta: float) -> float:
        return _tail_probability(test, tail, angle, delta)[0] - test.alpha

    while last - delta > _LIMIT_WIDTH / 10:
        angle = np.array([_refined(test, tail, delta, _at(test, tail, delta, angles))[1]])
        if excess(left) >= 0:
            return left
        last, delta = delta, brentq(excess, left, delta, xtol=1e-12) if excess(delta) > 0 else delta
    return delta
