"""What every answer to an entry of the plan says of the entry, whether it could be estimated or not."""

import math
from collections.abc import Iterable, Mapping
from typing import Protocol

from analysis.models.groups import Data
from analysis.results import Count, Curve, Estimate, Failure, Points, Result
from analysis.spec.sap import Analysis

ESSENTIAL = ("primary", "safety")


def result_of(
    entry: Analysis,
    data: Data,
    *,
    method: str,
    counts: Iterable[Count] = (),
    estimates: Iterable[Estimate] = (),
    curves: Iterable[Curve] = (),
    points: Iterable[Points] = (),
    notes: Iterable[str] = (),
    details: Iterable[str] = (),
) -> Result:
    """The numbers of an entry, under its name and for the audience of its data; each note stands once."""
    return Result(
        analysis=entry.id,
        family=entry.family,
        title=entry.title,
        audience=data.audience,
        estimand=entry.estimand,
        timing=entry.timing,
        method=method,
        counts=tuple(counts),
        estimates=tuple(estimates),
        curves=tuple(curves),
        points=tuple(points),
        notes=tuple(dict.fromkeys(notes)),
        details=tuple(details),
    )


class WithLimits(Protocol):
    """An estimate with its limits, any of them not a number or infinite where there is none."""

    estimate: float
    low: float
    high: float


def interval_of(name: str, found: WithLimits, *, level: float, labels: Mapping[str, str]) -> Estimate:
    """An estimate with its limits, each left out where there is none."""
    value, low, high = (
        each if math.isfinite(each) else None for each in (found.estimate, found.low, found.high)
    )
    return Estimate(name, value, low=low, high=high, level=level, labels=labels)


def failure_of(entry: Analysis, data: Data, reason: str) -> Failure:
    """Why there are no numbers; that of a primary or safety entry stops the run."""
    return Failure(entry.id, entry.family, entry.title, data.audience, reason, entry.role in ESSENTIAL)
