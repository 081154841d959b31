"""What a sample size rests on, all arms together: variation of the outcome, family sizes, retention."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import pandas as pd

from analysis.data.allocation import ALL, ARM
from analysis.errors import ModelError
from analysis.models.accrual import families_by_end
from analysis.models.answer import result_of
from analysis.models.design import build_pooled_design
from analysis.models.groups import Data, select, so_many
from analysis.models.linear import adjusted_for, column_name, fit_families, outcome_rows, those_due
from analysis.models.looks import design_of
from analysis.models.sample_size import families_needed, information_per_family, power_with
from analysis.results import Count, Estimate, Result
from analysis.spec.declarations import Spec
from analysis.spec.monitoring_entries import MonitoringAnalysis, NuisanceAnalysis
from analysis.spec.visit_outcomes import MixedAnalysis
from analysis.stats.small_sample import Interval, icc
from analysis.stats.total_variance import total_sd

ASSUMED, OBSERVED, PROJECTED = ({"set": each} for each in ("assumed", "observed", "projected"))


@dataclass(frozen=True, slots=True)
class Variation:
    """Standard deviations, raw and left after the covariates, with the correlation within families."""

    raw: float | None = None
    residual: Interval | None = None
    correlation: Estimate | None = None
    reason: str = ""


def fit(entry: NuisanceAnalysis, data: Data, spec: Spec) -> Result:
    """Nuisance parameters of the primary analysis against those its sample size was planned from.

    No arm is looked at: the mean model has the covariates of the primary analysis without it, so that the
    variance holds the effect, by a quarter of its square where the arms are of one size.

    Parameters
    ----------
    entry : NuisanceAnalysis
        Population in whom retention is counted, and the monitoring whose design is held to them.
    data : Pooled or Allocated
        Its outcomes and subjects.
    spec : Spec
        The declarations.

    Returns
    -------
    Result
        By `set` (assumed, observed): `sd` (raw and residual, observed) and `icc` with limits,
        `children_per_family`, `retention` of families, `families_at_end`, `information_at_end`, `power`,
        `families_needed`, `families_to_randomise`; counts of families and children due and with the outcome.

    Source
    ------
    Friede & Kieser (2006), Biometrical Journal 48:537 (blinded sample size review).
    """
    monitored = spec.analyses[entry.monitors]
    watched = spec.analyses[monitored.watches]
    pooled = _outcomes(watched, data)
    recruitment = spec.analyses[entry.recruitment]
    seen = _variation(watched, pooled, spec)
    counts = _counts(entry, watched, data, pooled)
    return result_of(
        entry,
        data,
        method=_method(monitored, watched, spec),
        counts=counts,
        estimates=(
            *_assumed(monitored),
            *_observed(entry, monitored, pooled, seen, counts, families_by_end(recruitment, data, spec)),
        ),
        notes=list(_notes(entry, pooled, seen)),
    )


def _notes(entry: NuisanceAnalysis, rows: pd.DataFrame, seen: Variation) -> Iterator[str]:
    if seen.reason:
        yield f"No variance of the outcome yet: {seen.reason}"
    families = rows["family_id"].nunique()
    yield (
        f"SDs, ICC and children per family are of {so_many(len(rows), 'child', 'children')} in "
        f"{so_many(families, 'family', 'families')} with the outcome, whether or not their window had closed."
    )
    if families < entry.least_families:
        yield f"Nothing is projected from fewer than {entry.least_families} families with the outcome."


def _outcomes(watched: MixedAnalysis, data: Data) -> pd.DataFrame:
    """Children with the outcome; no arm is among their columns."""
    try:
        rows = outcome_rows(data, watched)
    except ModelError:
        rows = data.tables["outcomes"].iloc[:0]
    return rows.drop(columns=ARM, errors="ignore")


def _variation(watched: MixedAnalysis, rows: pd.DataFrame, spec: Spec) -> Variation:
    if len(rows) < 2:
        return Variation(reason="fewer than two children have the outcome.")
    raw = float(rows["value"].std())
    titles = {each.column: column_name(each.column, spec) for each in watched.covariates}
    try:
        fitted = fit_families(watched, rows, build_pooled_design(rows, watched.covariates, titles=titles))
        interval = icc(fitted, level=spec.trial.level)
    except ModelError as error:
        return Variation(raw, reason=str(error))
    found = _interval("icc", interval, OBSERVED)
    return Variation(raw, total_sd(fitted, level=spec.trial.level), found)


def _interval(name: str, found: Interval | None, labels: Mapping[str, str]) -> Estimate:
    if found is None:
        return Estimate(name, None, labels=labels)
    return Estimate(name, found.estimate, low=found.low, high=found.high, level=found.level, labels=labels)


def _counts(
    entry: NuisanceAnalysis, watched: MixedAnalysis, data: Data, rows: pd.DataFrame
) -> tuple[Count, ...]:
    """Families and children whose window had closed by the cut, and those of them with the outcome."""
    population = select(data, "subjects", entry.population)
    due = those_due(population, data, watched.outcome.parameter, [watched.outcome.visit])
    visits = data.tables["visits"]
    # Who came early, or withdrew early, is not counted before those who may still come.
    closed = visits[(visits["visit"] == watched.outcome.visit) & visits["is_due"]]
    due = due[due["child_id"].isin(closed["child_id"])]
    known = due[due["child_id"].isin(rows["child_id"])]
    return tuple(
        Count(name, frame[column].nunique(), {"arm": ALL, "set": which})
        for which, frame in (("due", due), ("analysed", known))
        for name, column in (("families", "family_id"), ("children", "child_id"))
    )


def _assumed(monitored: MonitoringAnalysis) -> Iterator[Estimate]:
    design, maximum = monitored.design, design_of(monitored).maximum_information
    yield Estimate("sd", design.sd, labels={**ASSUMED, "of": "residual"})
    yield Estimate("icc", design.icc, labels=ASSUMED)
    yield Estimate("children_per_family", design.children_per_family, labels=ASSUMED)
    yield Estimate("retention", design.retention, labels=ASSUMED)
    per_family = information_per_family(design.sd, design.icc, design.family_sizes)
    yield from _at_end(monitored, per_family, design.retention, ASSUMED)
    yield Estimate("maximum", maximum)
    yield from _needed(families_needed(monitored, maximum), design.retention, ASSUMED)


def _observed(
    entry: NuisanceAnalysis,
    monitored: MonitoringAnalysis,
    rows: pd.DataFrame,
    seen: Variation,
    counts: tuple[Count, ...],
    to_come: Estimate | None,
) -> Iterator[Estimate]:
    size = {(each.labels["set"], each.name): each.value for each in counts}
    due, known = size["due", "families"], size["analysed", "families"]
    retention = known / due if due else None
    sizes = rows["family_id"].value_counts()
    yield Estimate("sd", seen.raw, labels={**OBSERVED, "of": "raw"})
    yield _interval("sd", seen.residual, {**OBSERVED, "of": "residual"})
    yield seen.correlation or Estimate("icc", None, labels=OBSERVED)
    yield Estimate("children_per_family", float(sizes.mean()) if len(sizes) else None, labels=OBSERVED)
    yield Estimate("retention", retention, labels=OBSERVED)
    per_family = None
    if seen.correlation and seen.residual and len(sizes) >= entry.least_families:
        shares = sizes.value_counts(normalize=True).reindex(range(1, sizes.max() + 1), fill_value=0.0)
        per_family = information_per_family(seen.residual.estimate, seen.correlation.value, shares.to_list())
    yield from _at_end(monitored, per_family, retention, OBSERVED)
    if to_come is not None:
        yield replace(to_come, labels={**to_come.labels, **PROJECTED})
        yield from _at_end(monitored, per_family, retention, PROJECTED, randomised=to_come.value)
    maximum = design_of(monitored).maximum_information
    yield from _needed(maximum / per_family if per_family else None, retention, OBSERVED)


def _needed(families: float | None, retention: float | None, labels: Mapping[str, str]) -> Iterator[Estimate]:
    """Families with the outcome that have the information of the design, and how many to randomise."""
    randomised = families / retention if families and retention else None
    yield Estimate("families_needed", families, labels=labels)
    yield Estimate("families_to_randomise", randomised, labels=labels)


def _at_end(
    monitored: MonitoringAnalysis,
    per_family: float | None,
    retention: float | None,
    labels: Mapping[str, str],
    *,
    randomised: float | None = None,
) -> Iterator[Estimate]:
    """Families with the outcome, their information and the power, of so many randomised or those planned."""
    planned = monitored.design.families
    families = None if retention is None else (planned if randomised is None else randomised) * retention
    information = None if families is None or per_family is None else families * per_family
    power = power_with(monitored, information) if information else None
    yield Estimate("families_at_end", families, labels=labels)
    yield Estimate("information_at_end", information, labels=labels)
    yield Estimate("power", power, labels=labels)


def _method(monitored: MonitoringAnalysis, watched: MixedAnalysis, spec: Spec) -> str:
    design = monitored.design
    return (
        "All arms together. Linear mixed model by REML with a random family effect, adjusted for "
        f"{adjusted_for(watched.covariates, spec)}, without the arm; SD: root of the sum of both variances, "
        "with limits by Satterthwaite; "
        "ICC with its profile-likelihood interval. Retention: families with the outcome of those from whom "
        "it was due by age and schedule and whose window had closed by the data cut. Information at the "
        f"end: that of the planned {design.families} families, and of those projected to be there by the "
        f"last day of recruitment, each at this retention, SD, ICC and mix of family "
        "sizes, for two arms of one size and before any gain from covariates but what the SD has; power: "
        f"that of the planned looks against a difference of {abs(design.effect):g} in either direction"
    )
