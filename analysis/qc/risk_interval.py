"""Unconditional limits of a risk difference from the probabilities of all tables of two arms.

Chan & Zhang (1999), Biometrics 55:1202: two one-sided tests that order tables by the score statistic of
Miettinen & Nurminen (1985), Stat. Med. 4:213, the probability maximised over the other risk; mid-P counts
ties by half.
"""

from functools import cache

import numpy as np
from scipy import optimize, special

GRID, ROUNDS = 121, 3
NEARLY = 0.98  # of the highest value on the grid: another peak may be higher between its points
SAME = 1e-9
LEAST = np.finfo(float).tiny


@cache
def risk_limits(x1: int, n1: int, x0: int, n0: int, method: str, level: float) -> tuple[float, float]:
    """Limits of the risk of arm 1 less that of arm 0."""
    tail = (1 - level) / 2
    return _lowest(x1, n1, x0, n0, method, tail), -_lowest(x0, n0, x1, n1, method, tail)


def score_limits(x1: int, n1: int, x0: int, n0: int, level: float) -> tuple[float, float]:
    """Asymptotic limits: differences whose score statistic, with N / (N - 1), is a normal quantile away."""
    wanted = special.ndtri((1 + level) / 2) * np.sqrt((n1 + n0) / (n1 + n0 - 1))

    def lowest(x1: int, n1: int, x0: int, n0: int) -> float:
        def over(delta: float) -> float:
            found = _statistic(np.array([x1]), n1, np.array([x0]), n0, delta)[0]
            return float(np.clip(found, -1e6, 1e6)) - wanted

        top = x1 / n1 - x0 / n0
        return -1.0 if over(-1 + 1e-12) <= 0 else optimize.brentq(over, -1 + 1e-12, top, xtol=1e-14)

    return lowest(x1, n1, x0, n0), -lowest(x0, n0, x1, n1)


def _lowest(x1: int, n1: int, x0: int, n0: int, method: str, tail: float) -> float:
    """The first difference at which the observed table is not too far above.

    The probability falls where the order of tables changes, so that it may be not too small, then too small,
    and not again: intervals are halved unless even all tables that are as far at one of their ends, taken at
    the upper end, are too improbable.
    """
    order = cache(lambda delta: _order(x1, n1, x0, n0, delta))

    def first(low: float, high: float) -> float | None:
        ends = [np.minimum(*each) for each in zip(order(low), order(high), strict=True)]
        if _probability(n1, n0, high, *ends, method) <= tail:
            return None
        if high - low < SAME:
            return high
        middle = (low + high) / 2
        below = first(low, middle)
        return first(middle, high) if below is None else below

    top = x1 / n1 - x0 / n0
    found = first(-1.0, top)
    return top if found is None else found


def _order(x1: int, n1: int, x0: int, n0: int, delta: float) -> tuple[np.ndarray, np.ndarray]:
    """By the events of arm 0, the fewest of arm 1 that are as far above delta as those seen, and farther."""
    seen = float(_statistic(np.array([x1]), n1, np.array([x0]), n0, delta)[0])
    near = SAME * max(1.0, abs(seen))
    as_far = _first(n1, n0, delta, seen - near)
    return as_far, _next(as_far, n1, n0, delta, seen + near)


def _probability(
    n1: int, n0: int, delta: float, as_far: np.ndarray, farther: np.ndarray, method: str
) -> float:
    """Of a table as far above delta, ties counted by half, at the worst risk of arm 0."""
    bottom, top = max(0.0, -delta), min(1.0, 1.0 - delta)

    def at(phi: np.ndarray) -> np.ndarray:
        p0 = bottom + (top - bottom) * np.sin(phi) ** 2
        reached = np.cumsum(_pmf(n1, np.clip(p0 + delta, 0, 1))[:, ::-1], axis=1)[:, ::-1]
        reached = np.column_stack([reached, np.zeros(len(phi))])
        tied = 0.5 if method == "mid-p" else 1.0
        return ((tied * reached[:, as_far] + (1 - tied) * reached[:, farther]) * _pmf(n0, p0)).sum(axis=1)

    phi = np.linspace(0, np.pi / 2, GRID)
    step, value = phi[1], at(phi)
    high = np.flatnonzero(value >= NEARLY * value.max())
    peaks = phi[[each for each in high if value[each] == value[max(each - 1, 0) : each + 2].max()]]
    for _ in range(ROUNDS):
        around = np.clip(peaks[:, None] + step * np.linspace(-1, 1, 21), 0, np.pi / 2)
        value = at(around.ravel()).reshape(around.shape)
        peaks, step = around[np.arange(len(peaks)), value.argmax(axis=1)], step / 10
    return float(value.max())


def _first(n1: int, n0: int, delta: float, height: float) -> np.ndarray:
    """For each number of events in arm 0, the fewest in arm 1 whose statistic is above a height, by halving.

    The statistic rises with the events of arm 1; n1 + 1 where even all are too few.
    """
    x0 = np.arange(n0 + 1)
    low, high = np.full(n0 + 1, -1), np.full(n0 + 1, n1 + 1)
    while (high - low).max() > 1:
        middle = (low + high) // 2
        above = (middle >= 0) & (_statistic(np.clip(middle, 0, n1), n1, x0, n0, delta) > height)
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return high


def _next(first: np.ndarray, n1: int, n0: int, delta: float, height: float) -> np.ndarray:
    """The same for a height hardly above, from the counts that the lower one gave: on past those tied."""
    x0, found = np.arange(n0 + 1), first.copy()
    while True:
        tied = (found <= n1) & (_statistic(np.minimum(found, n1), n1, x0, n0, delta) <= height)
        if not tied.any():
            return found
        found[tied] += 1


def _pmf(n: int, p: np.ndarray) -> np.ndarray:
    """Binomial probabilities, (p, n + 1); for the logarithm of 0 stands that of the smallest number."""
    x = np.arange(n + 1)
    ways = special.gammaln(n + 1) - special.gammaln(x + 1) - special.gammaln(n - x + 1)
    event, none = (np.log(np.maximum(each, LEAST)) for each in (p, 1 - p))
    return np.exp(ways + np.outer(event, x) + np.outer(none, n - x))


def _statistic(x1: np.ndarray, n1: int, x0: np.ndarray, n0: int, delta: float) -> np.ndarray:
    """The score statistic; the risk of arm 0 under p1 = p0 + delta is a root of a cubic (appendix I)."""
    N, C = n1 + n0, x1 + x0
    L2 = (n1 + 2 * n0) * delta - N - C
    L1 = (n0 * delta - N - 2 * x0) * delta + C
    L0 = x0 * delta * (1 - delta)
    q = L2**3 / (27 * N**3) - L1 * L2 / (6 * N**2) + L0 / (2 * N)
    r = np.where(q >= 0, 1.0, -1.0) * np.sqrt(np.maximum(L2**2 / (9 * N**2) - L1 / (3 * N), 0.0))
    with np.errstate(invalid="ignore", divide="ignore"):
        angle = (np.pi + np.arccos(np.clip(np.where(r == 0, 1.0, q / r**3), -1, 1))) / 3
    p0 = np.clip(2 * r * np.cos(angle) - L2 / (3 * N), max(0.0, -delta), min(1.0, 1 - delta))
    p1 = np.clip(p0 + delta, 0, 1)
    spread = np.sqrt(p1 * (1 - p1) / n1 + p0 * (1 - p0) / n0)
    gap = x1 / n1 - x0 / n0 - delta
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(spread > 0, gap / spread, np.where(np.abs(gap) < 1e-12, 0.0, np.sign(gap) * np.inf))
