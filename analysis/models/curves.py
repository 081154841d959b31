"""From curves within arm and stratum to estimates by arm: one path for incidence and occupation."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.special import ndtr

from analysis.models.groups import Data, contrast_name, share_of_strata
from analysis.results import Count, Curve, Estimate
from analysis.spec.declarations import Spec
from analysis.spec.event_entries import Band
from analysis.stats.bands import simultaneous_band
from analysis.stats.influence import Linear, difference, standardise
from analysis.stats.intervals import Interval, IntervalKind
from analysis.stats.multistate import Occupation, occupation_at
from analysis.stats.recurrent import MeanCumulative

Cells = Mapping[tuple[str, str], Occupation]
# What a quantity is called (label, value) and its position among the states of the curve.
Named = tuple[str, str, int]


def arm_quantities(fitted: Mapping, rows: pd.DataFrame, read: Callable[..., Linear]) -> dict[str, Linear]:
    """A quantity by arm, strata weighted by their share of all children.

    Raises
    ------
    ModelError
        If an arm has nobody in a stratum.
    """
    return standardise({cell: read(curve) for cell, curve in fitted.items()}, share_of_strata(rows))


def estimates_by_arm(
    quantities: Mapping[str, Linear],
    states: Sequence[Named],
    days: Sequence[int] | None,
    data: Data,
    spec: Spec,
    *,
    name: str,
    difference_name: str,
    unit: str = "",
    kind: IntervalKind | None = None,
) -> list[Estimate]:
    """Estimates by arm and, when there are arms, their difference, for each named state and day.

    Limits by arm are of the given `kind`; without one, those of a probability, or of a quantity with a unit.
    """
    kind = kind or ("unbounded" if unit else "log-log")
    found = []
    for arm, quantity in quantities.items():
        found += _estimates(
            quantity, states, days, spec, name=name, kind=kind, unit=unit, labels={"arm": arm}
        )
    if data.arms:
        control, intervention = (quantities[arm] for arm in data.arms)
        gap, labels = difference(intervention, control), {"contrast": contrast_name(data)}
        found += _estimates(
            gap, states, days, spec, name=difference_name, kind="unbounded", unit=unit, labels=labels
        )
    return found


def step_curves(
    fitted: Cells, rows: pd.DataFrame, states: Sequence[Named], spec: Spec, *, name: str
) -> tuple[Curve, ...]:
    """Curves by arm at every day on which anybody of any arm moved, so that all arms share one axis."""
    times = curve_times(fitted, spec)
    quantities = arm_quantities(fitted, rows, lambda curve: occupation_at(curve, times))
    n_states = next(iter(fitted.values())).n_states
    curves = []
    for arm, quantity in quantities.items():
        for label, value, position in states:
            chosen = quantity.select(slice(position, None, n_states))
            limits = chosen.interval(kind="log-log", level=spec.trial.level)
            curves.append(_curve(name, times, chosen, limits, {"arm": arm, label: value}))
    return tuple(curves)


def mean_curves(
    fitted: Mapping[tuple[str, str], MeanCumulative],
    rows: pd.DataFrame,
    label: tuple[str, str],
    last: float,
    spec: Spec,
) -> tuple[Curve, ...]:
    """Mean numbers of events by arm, on every day on which anybody of any arm had one, up to the last day."""
    times = np.unique(np.concatenate([[0.0, last], *(curve.time for curve in fitted.values())]))
    times = times[times <= last]
    curves = []
    for arm, quantity in arm_quantities(fitted, rows, lambda curve: curve.at(times)).items():
        limits = quantity.interval(kind="positive", level=spec.trial.level)
        curves.append(_curve("mean_count", times, quantity, limits, {"arm": arm, label[0]: label[1]}))
    return tuple(curves)


def difference_curve(
    quantities: Mapping[str, Linear], times: np.ndarray, data: Data, spec: Spec, band: Band, *, name: str
) -> tuple[Curve, ...]:
    """One quantity over time as difference between arms: with limits for each time, and a band for all."""
    control, intervention = (quantities[arm] for arm in data.arms)
    gap = difference(intervention, control)
    generator = np.random.Generator(np.random.Philox(key=band.seed))
    limits = {
        "pointwise": gap.interval(level=spec.trial.level),
        "simultaneous": simultaneous_band(gap, draws=band.draws, generator=generator, level=spec.trial.level),
    }
    return tuple(
        _curve(name, times, gap, each, {"contrast": contrast_name(data), "limits": kind})
        for kind, each in limits.items()
    )


def curve_times(fitted: Cells, spec: Spec) -> np.ndarray:
    """The origin, every day to the horizon on which anybody of any arm moved, and the horizon or last day."""
    horizon = min(max(curve.last for curve in fitted.values()), spec.trial.horizon_days)
    times = np.unique(np.concatenate([[0.0, horizon], *(curve.time for curve in fitted.values())]))
    return times[times <= horizon]


def at_risk(fitted: Cells, days: Sequence[int]) -> list[Count]:
    """Children under observation just before each day, by arm; the first state of an incidence curve is
    event-free.
    """
    times = np.asarray([0, *days], dtype=float)
    totals: dict[str, np.ndarray] = {}
    for (arm, _), curve in fitted.items():
        totals[arm] = totals.get(arm, 0) + curve.at_risk(np.maximum(times, 1e-9)).sum(axis=1)
    return [
        Count("at_risk", int(n), {"arm": arm, "day": str(int(day))})
        for arm, counts in totals.items()
        for day, n in zip(times, counts, strict=True)
    ]


def _estimates(
    quantity: Linear,
    states: Sequence[Named],
    days: Sequence[int] | None,
    spec: Spec,
    *,
    name: str,
    kind: IntervalKind,
    unit: str,
    labels: dict[str, str],
) -> list[Estimate]:
    limits = quantity.interval(kind=kind, level=spec.trial.level)
    per_day = len(quantity.estimate) // len(days) if days else 0
    found = []
    for step, day in enumerate(days or [None]):
        for label, value, position in states:
            at = step * per_day + position
            where = {**labels, label: value, **({"day": str(day)} if day is not None else {})}
            found.append(_estimate(quantity, limits, at, spec, name=name, unit=unit, labels=where))
    return found


def _estimate(
    quantity: Linear, limits: Interval, at: int, spec: Spec, *, name: str, unit: str, labels: dict[str, str]
) -> Estimate:
    value, se = float(quantity.estimate[at]), float(quantity.se[at])
    z = value / se if se > 0 and "contrast" in labels else None
    return Estimate(
        name,
        value,
        se=se,
        low=float(limits.low[at]),
        high=float(limits.high[at]),
        level=spec.trial.level,
        statistic=z,
        p=None if z is None else float(2 * ndtr(-abs(z))),
        unit=unit,
        labels=labels,
    )


def _curve(name: str, times: np.ndarray, quantity: Linear, limits: Interval, labels: dict[str, str]) -> Curve:
    """A quantity over time; at probability 0 or 1 the log-log scale has no limits and the curve is drawn."""
    value = quantity.estimate
    low, high = (np.where(np.isfinite(each), each, value) for each in (limits.low, limits.high))
    return Curve(name, *(tuple(each.tolist()) for each in (times, value, low, high)), labels=labels)
