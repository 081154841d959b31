"""Monitoring of the primary analysis: information, boundaries, power from here on, and after a stop."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from scipy.special import ndtri

from analysis.data.allocation import Allocated
from analysis.errors import ModelError
from analysis.models.answer import result_of
from analysis.models.fixed_limits import at_limit, limit_at
from analysis.models.groups import arm_names, contrast_name, sizes
from analysis.models.linear import arm_design, estimate_contrast, fit_families, outcome_rows, row_of
from analysis.models.looks import (
    NOW,
    PLANNED,
    TWO_SIDED,
    Look,
    Stand,
    Taken,
    design_of,
    gains,
    looks_taken,
    stand_of,
)
from analysis.models.monitoring_words import method_of, notes_of
from analysis.models.sample_size import families_needed
from analysis.results import Count, Estimate, Failure, Result, select
from analysis.spec.coded_arms import is_coded
from analysis.spec.declarations import Spec
from analysis.spec.monitoring_entries import MonitoringAnalysis
from analysis.stats.monitoring import conditional_crossing, predictive_crossing, stagewise


@dataclass(frozen=True, slots=True)
class Seen:
    """What the data say at this look; a reason where there is no estimate."""

    sizes: tuple[Count, ...]
    difference: Estimate | None = None
    reason: str = ""

    def total(self, name: str) -> int:
        """Families or children analysed, both arms together."""
        return sum(each.value for each in self.sizes if each.name == name)

    @property
    def information(self) -> float | None:
        return None if self.difference is None else 1 / self.difference.se**2

    @property
    def z(self) -> float | None:
        """The z whose two-sided normal tail is the P of the difference."""
        found = self.difference
        return None if found is None else math.copysign(-float(ndtri(found.p / 2)), found.value)


def fit(
    entry: MonitoringAnalysis, data: Allocated, spec: Spec, *, earlier: Sequence[Result | Failure] = ()
) -> Result:
    """Where the trial stands against its boundaries at this data cut.

    Parameters
    ----------
    entry : MonitoringAnalysis
        Analyses watched, planned looks, spending function, design and fixed limits.
    data : Allocated
        Tables with arms.
    spec : Spec
        The declarations.
    earlier : sequence of Result or Failure
        The family's results of the run at the last meeting's cut, which hold the looks already taken.

    Returns
    -------
    Result
        By look (labels `look`, `cut`, `state`): `information`, `fraction` of three maxima, `difference`, `z`,
        `critical` (absent where none is within reach), `spent`, `event_z`, `event_critical`, `hazard_ratio`;
        `maximum` of each; `conditional_power` by drift and side, `predictive_power`; after the last test
        `adjusted_difference`. Looks to come have what is planned.

    Raises
    ------
    ModelError
        If nobody had been referred by the cut, or the results of the last meeting are not of an earlier one.

    Source
    ------
    See `analysis.stats.spending` and `analysis.stats.monitoring`.
    """
    cut, taken, design = _cut_of(data), looks_taken(entry, earlier), design_of(entry)
    if taken.looks and taken.looks[-1].cut >= cut:
        raise ModelError("the looks already taken are not of earlier data cuts.")
    seen, maximum = _seen(entry, data, spec), design.maximum_information
    stand = stand_of(entry, taken, cut=cut, information=seen.information, z=seen.z, maximum=maximum)
    where = {"look": str(stand.look.number), "cut": cut, "state": NOW}
    limited = at_limit(entry, data, spec, where)
    return result_of(
        entry,
        data,
        method=method_of(entry),
        counts=(*taken.counts, *_sizes(seen, where), *limited.counts),
        estimates=(
            *_maxima(entry, maximum),
            *taken.estimates,
            *_at_look(seen, stand.look, where, entry, maximum),
            *limited.estimates,
            *(each for look in stand.to_come for each in _planned(entry, look, maximum)),
            *_power(stand, seen, drifts_of(design.effect, is_coded=is_coded(spec))),
            *_adjusted(entry, taken, stand, seen, spec.trial.level),
        ),
        notes=notes_of(entry, taken, stand, maximum, reasons=(seen.reason, limited.reason)),
    )


def _cut_of(data: Allocated) -> str:
    days = data.tables["recruitment"]["cut_date"].dropna()
    if days.empty:
        raise ModelError("nobody had been referred or randomised by the data cut.")
    return days.max().date().isoformat()


def _seen(entry: MonitoringAnalysis, data: Allocated, spec: Spec) -> Seen:
    watched, sizes_now = spec.analyses[entry.watches], _nobody(data)
    try:
        rows = outcome_rows(data, watched)
        sizes_now = sizes(rows, data, set="analysed")
        if rows.empty:
            return Seen(sizes_now, reason="nobody has the outcome yet.")
        design = arm_design(watched, rows, data, spec)
        fitted = fit_families(watched, rows, design)
        found = estimate_contrast(
            fitted, row_of(design, "arm"), watched, spec, "difference", contrast=contrast_name(data)
        )
    except ModelError as error:
        return Seen(sizes_now, reason=str(error))
    if not (math.isfinite(found.se) and found.se > 0):
        return Seen(sizes_now, reason="the difference has no standard error.")
    return Seen(sizes_now, difference=found)


def _nobody(data: Allocated) -> tuple[Count, ...]:
    return tuple(
        Count(name, 0, {"arm": arm, "set": "analysed"})
        for arm in arm_names(data)
        for name in ("families", "children")
    )


def _sizes(seen: Seen, where: dict[str, str]) -> list[Count]:
    """Those analysed by arm, and both arms together as numbers of this look."""
    return [*seen.sizes, *(Count(name, seen.total(name), where) for name in ("families", "children"))]


def _maxima(entry: MonitoringAnalysis, maximum: float) -> list[Estimate]:
    """The most there can be, by each definition of the fraction."""
    families = families_needed(entry, maximum)
    values = {"model": maximum, "children": families * entry.design.children_per_family, "families": families}
    return [Estimate("maximum", value, labels={"of": of}) for of, value in values.items()]


def _at_look(
    seen: Seen, look: Look, where: dict[str, str], entry: MonitoringAnalysis, maximum: float
) -> Iterator[Estimate]:
    maxima = {each.labels["of"]: each.value for each in _maxima(entry, maximum)}
    there = {
        "model": seen.information,
        "children": seen.total("children"),
        "families": seen.total("families"),
    }
    yield Estimate("information", seen.information, labels=where)
    for of, value in there.items():
        share = None if value is None else value / maxima[of]
        yield Estimate("fraction", share, labels={**where, "of": of})
    if found := seen.difference:
        parts = {name: getattr(found, name) for name in ("se", "low", "high", "level", "df", "p")}
        yield Estimate("difference", found.value, **parts, labels={**where, **found.labels})
    yield Estimate("z", look.z, labels=where)
    yield from _bound(look, where)


def _planned(entry: MonitoringAnalysis, look: Look, maximum: float) -> Iterator[Estimate]:
    where = {"look": str(look.number), "cut": look.cut, "state": PLANNED}
    yield Estimate("information", look.information, labels=where)
    yield Estimate("fraction", look.information / maximum, labels={**where, "of": "model"})
    yield from _bound(look, where)
    yield Estimate("event_critical", limit_at(entry, look.cut), labels=where)


def _bound(look: Look, where: dict[str, str]) -> Iterator[Estimate]:
    # No number is infinite in a file of results: a critical value that is absent cannot be reached.
    yield Estimate("critical", look.critical if math.isfinite(look.critical) else None, labels=where)
    yield Estimate("spent", look.spent, labels=where)


def drifts_of(effect: float, *, is_coded: bool) -> dict[str, float]:
    """Differences from here on beside the estimate. Of coded arms nobody knows which way the design meant."""
    opposite = {"design, the other way": -effect} if is_coded else {}
    return {"design": effect, **opposite, "none": 0.0}


def _power(stand: Stand, seen: Seen, others: Mapping[str, float]) -> Iterator[Estimate]:
    """Chance of crossing above and below at a look to come, while there are any."""
    if seen.difference is None or not stand.to_come:
        return
    look = stand.look
    future = {
        "future_critical": [each.critical for each in stand.to_come],
        "future_information": [each.information for each in stand.to_come],
        "sided": TWO_SIDED,
    }
    drifts = {"current trend": seen.difference.value, **others}
    for drift, effect in drifts.items():
        found = conditional_crossing(look.z, look.information, effect=effect, **future)
        yield Estimate("drift", effect, labels={"drift": drift})
        yield from _sides("conditional_power", found, {"drift": drift})
    yield from _sides("predictive_power", predictive_crossing(look.z, look.information, **future), {})


def _sides(name: str, found: tuple[float, float], labels: dict[str, str]) -> Iterator[Estimate]:
    for side, value in zip(("above", "below", "either"), (*found, sum(found)), strict=True):
        yield Estimate(name, value, labels={**labels, "side": side})


def _adjusted(
    entry: MonitoringAnalysis, taken: Taken, stand: Stand, seen: Seen, level: float
) -> Iterator[Estimate]:
    """The stagewise estimate of a trial that has stopped; with data since the stop, a second one of them."""
    closed, now = taken.closed(entry.spending.alpha), stand.look
    stops = []
    if stand.standing == "tested" and stand.is_over:
        stops.append(("the look that stopped", now, seen.difference))
    elif closed is not None and closed in stand.used:
        (then,) = select(taken.estimates, name="difference", look=str(closed.number))
        stops.append(("the look that stopped", closed, then))
        if gains(now.information, [closed], entry.least_gain):
            stops.append(("the data since", now, seen.difference))
    before = [each for each in stand.used if closed is None or each.number < closed.number]
    for of, look, naive in stops:
        found = stagewise(
            look.z,
            critical=[each.critical for each in before],
            information=[*(each.information for each in before), look.information],
            level=level,
            sided=TWO_SIDED,
        )
        # z is that of P, so that z over the root of the information falls short of the difference itself.
        scale = naive.value * math.sqrt(look.information) / look.z if look.z else 1.0
        yield Estimate(
            "adjusted_difference",
            scale * found.estimate,
            low=scale * found.low,
            high=scale * found.high,
            level=level,
            p=2 * min(found.p, 1 - found.p),
            labels={"contrast": naive.labels["contrast"], "of": of},
        )
