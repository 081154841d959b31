"""Two programmers' numbers side by side: how far apart they are, in units of what is allowed."""

from dataclasses import dataclass

import numpy as np

from analysis.agreement import Compared
from analysis.qc.again import Again
from analysis.qc.numbers import Name, Number, numbers_of
from analysis.results import Result


@dataclass(frozen=True, slots=True)
class Allowed:
    """Relative difference of estimates and of standard errors, absolute one of degrees of freedom."""

    estimate: float
    se: float
    df: float


CLASSES = {"t1": Allowed(1e-6, 1e-5, 1e-2), "t2": Allowed(1e-4, 1e-3, 0.1)}
# Where a number is near zero a relative bound has no meaning.
NEAR_ZERO = 1e-9
# A number that rests on random draws may be so many Monte Carlo standard errors away.
DRAWN = 4.0
EXACT = ("count", "ndf", "curve time")


def compare(result: Result, again: Again) -> tuple[Compared, ...]:
    """Every number of a result beside the second programmer's, those that only one of them has among them."""
    ours, theirs = numbers_of(result), numbers_of(again)
    return tuple(
        _compare(name, ours, theirs, again)
        for name in [*ours, *(each for each in theirs if each not in ours)]
    )


def _compare(name: Name, ours: dict[Name, Number], theirs: dict[Name, Number], again: Again) -> Compared:
    one, other = ours.get(name), theirs.get(name)
    where = dict(name.where)
    if one is None or other is None or one.value.shape != other.value.shape:
        return Compared(name.quantity, name.part, where, _first(one), _first(other), None, "", 1, False)
    allowed, kind = _allowed(name, one, again)
    far = _units(one.value, other.value, allowed)
    at = int(np.argmax(far))
    agrees = bool(far[at] <= 1)
    first, second = (_plain(each.value[at]) for each in (one, other))
    units = float(far[at]) if np.isfinite(far[at]) else None
    return Compared(name.quantity, name.part, where, first, second, units, kind, len(far), agrees)


def _units(one: np.ndarray, other: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    """Distances as parts of what is allowed; 0 where both have no number, infinite where one has none."""
    absent = ~np.isfinite(one), ~np.isfinite(other)
    with np.errstate(invalid="ignore", divide="ignore"):
        far = np.abs(one - other) / allowed
        far = np.where(one == other, 0.0, far)
    return np.where(absent[0] & absent[1], 0.0, np.where(absent[0] | absent[1], np.inf, far))


def _allowed(name: Name, number: Number, again: Again) -> tuple[np.ndarray, str]:
    if (name.quantity, name.part, name.where) in again.drawn:
        error = np.asarray(again.drawn[name.quantity, name.part, name.where], dtype=float)
        return np.broadcast_to(DRAWN * error + NEAR_ZERO, number.value.shape), "t3"
    if name.part in EXACT:
        return np.zeros(number.value.shape), "exact"
    return _by_class(name.part, number, CLASSES[again.tolerance]), again.tolerance


def _by_class(part: str, number: Number, allowed: Allowed) -> np.ndarray:
    value, of = np.abs(number.value), number.of
    if part == "df":
        return np.full(value.shape, allowed.df)
    if part == "p":
        return np.full(value.shape, allowed.se)
    if part == "statistic":
        return allowed.se * np.maximum(value, 1.0)
    if part in ("low", "high"):
        centre = of.value or 0.0
        reach = np.abs(number.value - centre)
        return allowed.estimate * abs(centre) + allowed.se * reach + NEAR_ZERO
    # Limits of curves lie as far from the value as a standard error's share of their own size allows.
    scale = allowed.se if part in ("se", "curve low", "curve high") else allowed.estimate
    return scale * value + NEAR_ZERO


def _first(number: Number | None) -> float | None:
    return None if number is None else _plain(number.value[0])


def _plain(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
