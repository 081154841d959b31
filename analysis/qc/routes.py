"""Routes to permanence a second time: hazards of each cause, of its subdistribution, and Gray's test."""

import numpy as np

from analysis.qc.again import Again, chi_square, ratio
from analysis.qc.gray import gray
from analysis.qc.risk_sets import hazard
from analysis.qc.subdistribution import subdistribution_hazard
from analysis.qc.tables import Tables, by_arm, sizes, treated
from analysis.qc.times import event_times
from analysis.results import Count, Estimate
from analysis.spec.event_entries import RoutesAnalysis

METHOD = (
    "Cox model of statsmodels (PHReg); Fine & Gray by sums over events and children; Gray's score with each "
    "child's weight moved in turn (complex step), and his covariance as printed"
)


def again(entry: RoutesAnalysis, tables: Tables) -> Again:
    """Three comparisons of each cause."""
    rows = event_times(tables, entry.population, entry.event, entry.strata)
    x, found, counts = treated(rows, tables), [], sizes(rows, tables)
    for cause in entry.reported:
        label = {"cause": cause, "contrast": tables.contrast}
        fit = hazard(rows, (rows["cause"] == cause).to_numpy(), x, entry.ties)
        own = (np.nan, np.nan) if fit is None else (float(fit.coef[0]), float(np.sqrt(fit.robust[0, 0])))
        found.append(ratio("hazard_ratio", *own, level=tables.level, labels=label))
        sub = subdistribution_hazard(rows, cause, x)
        found.append(ratio("subdistribution_hazard_ratio", *sub, level=tables.level, labels=label))
        found += _gray(gray(rows, cause, x), label)
    for arm, mine in by_arm(rows, tables):
        counts += [
            Count("events", int((mine["cause"] == cause).sum()), {"arm": arm, "cause": cause})
            for cause in entry.reported
        ]
    return Again(METHOD, tuple(found), tuple(counts))


def _gray(tests: tuple[float, float], label: dict[str, str]) -> list[Estimate]:
    if not np.isfinite(tests[0]):
        return [Estimate("gray_test", None, labels=label)]
    names = ("family-robust", "independent children")
    return [
        chi_square("gray_test", statistic, 1, {**label, "variance": name})
        for name, statistic in zip(names, tests, strict=True)
    ]
