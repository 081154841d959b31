"""What the second programmer found for one entry of the plan, in the words of the results it is held to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from scipy import stats

from analysis.results import Count, Curve, Estimate, Points

Tolerance = Literal["t1", "t2"]


@dataclass(frozen=True, slots=True)
class Again:
    """The numbers of an analysis found a second time, and how.

    `tolerance` is the class of agreement asked for. A number that rests on random draws has its Monte Carlo
    standard error in `drawn`, by name, part and labels; it is held to four of them (class t3).
    """

    method: str
    estimates: tuple[Estimate, ...] = ()
    counts: tuple[Count, ...] = ()
    curves: tuple[Curve, ...] = ()
    points: tuple[Points, ...] = ()
    tolerance: Tolerance = "t1"
    drawn: Mapping[tuple[str, str, tuple[tuple[str, str], ...]], object] = field(default_factory=dict)


def number(value: float) -> float | None:
    """A finite number, else nothing."""
    return float(value) if np.isfinite(value) else None


def with_t(
    name: str, value: float, se: float, df: float, *, level: float, labels: Mapping[str, str]
) -> Estimate:
    """An estimate with limits and test from a t distribution."""
    half = stats.t.ppf((1 + level) / 2, df) * se
    t = value / se
    return Estimate(
        name,
        float(value),
        se=float(se),
        low=float(value - half),
        high=float(value + half),
        level=level,
        df=float(df),
        statistic=float(t),
        p=float(2 * stats.t.sf(abs(t), df)),
        labels=labels,
    )


def ratio(name: str, log_ratio: float, se: float, *, level: float, labels: Mapping[str, str]) -> Estimate:
    """A ratio with Wald limits and test from its logarithm; without a value where there is none."""
    if not (np.isfinite(log_ratio) and se > 0):
        return Estimate(name, None, labels=labels)
    half = stats.norm.ppf((1 + level) / 2) * se
    return Estimate(
        name,
        float(np.exp(log_ratio)),
        low=float(np.exp(log_ratio - half)),
        high=float(np.exp(log_ratio + half)),
        level=level,
        statistic=float(log_ratio / se),
        p=float(2 * stats.norm.sf(abs(log_ratio / se))),
        labels=labels,
    )


def chi_square(name: str, statistic: float, df: int, labels: Mapping[str, str]) -> Estimate:
    """A chi-square test."""
    p = float(stats.chi2.sf(statistic, df))
    return Estimate(name, float(statistic), df=df, statistic=float(statistic), p=p, labels=labels)
