"""Fixed limits of a time to an event: its z at a look beside the Haybittle-Peto limit."""

import math
from dataclasses import dataclass

from analysis.data.allocation import Allocated
from analysis.errors import ModelError
from analysis.models.arm_effect import fit_cox
from analysis.models.events import count_events, select_events
from analysis.models.groups import add_stratum, arm_names, contrast_name
from analysis.models.looks import TWO_SIDED
from analysis.models.ratios import ratio_estimate
from analysis.results import Count, Estimate
from analysis.spec.declarations import Spec
from analysis.spec.monitoring_entries import MonitoringAnalysis
from analysis.stats.monitoring import haybittle_peto


@dataclass(frozen=True, slots=True)
class Limited:
    """Hazard ratio, z and limit at this look, children with the event by arm, or why there is no ratio."""

    estimates: tuple[Estimate, ...]
    counts: tuple[Count, ...]
    reason: str = ""


def at_limit(entry: MonitoringAnalysis, data: Allocated, spec: Spec, where: dict[str, str]) -> Limited:
    """The time to an event at this look."""
    watched = spec.analyses[entry.fixed.analysis]
    limit = Estimate("event_critical", limit_at(entry, where["cut"]), labels=where)
    nothing = Estimate("event_z", None, labels=where), limit
    none_yet = tuple(Count("events", 0, {"arm": arm, **where}) for arm in arm_names(data))
    try:
        chosen = select_events(
            data, watched.population, watched.event, origin=watched.origin, until=watched.until
        )
    except ModelError as error:
        return Limited(nothing, none_yet, str(error))
    rows = add_stratum(chosen, watched.strata)
    counts = tuple(Count("events", each.value, {**each.labels, **where}) for each in count_events(rows, data))
    try:
        fitted = fit_cox(rows, rows["happened"], data, watched.ties)
        log_ratio, se = float(fitted.coef[0]), math.sqrt(fitted.vcov_robust[0, 0])
    except ModelError as error:
        return Limited(nothing, counts, str(error))
    if not se > 0:
        return Limited(nothing, counts, "the log hazard ratio has no standard error.")
    labels = {**where, "contrast": contrast_name(data)}
    ratio = ratio_estimate("hazard_ratio", log_ratio, se, level=spec.trial.level, labels=labels)
    return Limited((ratio, Estimate("event_z", log_ratio / se, labels=where), limit), counts)


def limit_at(entry: MonitoringAnalysis, cut: str) -> float:
    """The limit of z at the look of that cut: that of the plan, and at the last look the unadjusted one."""
    interim = haybittle_peto(1, alpha=entry.fixed.interim_alpha, interim=0.0, sided=TWO_SIDED)[-1]
    limits = haybittle_peto(2, alpha=entry.fixed.alpha, interim=float(interim), sided=TWO_SIDED)
    return float(limits[int(cut >= entry.looks[-1].cut)])
