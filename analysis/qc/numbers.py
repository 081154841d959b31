"""The numbers of a result one by one, each under a name that both programmers give it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from analysis.results import Estimate

PARTS = ("value", "se", "low", "high", "df", "ndf", "statistic", "p")


@dataclass(frozen=True, slots=True)
class Number:
    """One number, or the numbers of a curve in a row; for an estimate, with the estimate it is of."""

    value: np.ndarray
    of: Estimate | None = None


@dataclass(frozen=True, slots=True, order=True)
class Name:
    """What a number is: the quantity, where it stands, and which part of it."""

    quantity: str
    where: tuple[tuple[str, str], ...]
    part: str


def numbers_of(result) -> dict[Name, Number]:
    """Every number of a result, or of what the second programmer found."""
    found = dict(_all(result))
    return {name: number for name, number in found.items() if number.value.size}


def _all(result) -> Iterator[tuple[Name, Number]]:
    for each in result.estimates:
        for part in PARTS:
            value = _array(getattr(each, part))
            # A quantity that could not be estimated keeps its name: it must be absent on both sides.
            if np.isfinite(value[0]) or part == "value":
                yield _name(each, part), Number(value, each)
    for each in result.counts:
        yield _name(each, "count"), Number(_array(each.value))
    for each in result.curves:
        for part in ("time", "value", "low", "high"):
            yield _name(each, f"curve {part}"), Number(_array(getattr(each, part)))
    for each in result.points:
        for part in ("x", "y"):
            yield _name(each, f"points {part}"), Number(_array(getattr(each, part)))


def _name(item, part: str) -> Name:
    return Name(item.name, _sorted(item.labels), part)


def _sorted(labels: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(labels.items()))


def _array(value: object) -> np.ndarray:
    return np.atleast_1d(np.array(value, dtype=float))
