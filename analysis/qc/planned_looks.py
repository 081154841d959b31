"""What the plan alone says of the looks: bounds, information and families, in the second reading."""

from functools import cache

from scipy import optimize

from analysis.qc.score_paths import chances, next_bound, spent_by, with_drift
from analysis.spec.monitoring_entries import MonitoringAnalysis


@cache
def maximum(entry: MonitoringAnalysis) -> float:
    """Information of the design: the drift with its power, searched on the planned looks."""
    shares, bounds = [each.fraction for each in entry.looks], planned_bounds(entry)
    drift = optimize.brentq(
        lambda each: chances(bounds, shares, with_drift(each)).sum() - entry.design.power, 0.5, 12, xtol=1e-11
    )
    return float((drift / entry.design.effect) ** 2)


@cache
def planned_bounds(entry: MonitoringAnalysis) -> tuple[float, ...]:
    """Bounds at the fractions of the plan."""
    bounds, shares, rule = [], [each.fraction for each in entry.looks], entry.spending
    for at, share in enumerate(shares, start=1):
        side = spent_by(rule.kind, rule.gamma, rule.alpha / 2, share)
        bounds.append(next_bound(bounds, shares[:at], side))
    return tuple(bounds)


def families_for(entry: MonitoringAnalysis, information: float) -> float:
    """Families with the outcome that bring so much information under the design's assumptions."""
    design = entry.design
    worth = sum(
        share * size / (1 + (size - 1) * design.icc)
        for size, share in enumerate(design.family_sizes, start=1)
    )
    return information * 4 * design.sd**2 / worth
