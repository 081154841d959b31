"""What a sample size rests on, all arms together: variation of the outcome, family sizes, retention."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import pandas as pd

from analysis.data.allocation import ALL, ARM
from analysis.errors import ModelError
from analysis.models.accrual import families_by_end
from analysis.models.answer import interval_of, result_of
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
        `children_per_family`, `kept` (share of the families randomised), `retention` of families kept,
        `families_at_end`, `information_at_end`, `power`, `families_needed`, `families_to_randomise`; counts
        of families randomised and kept, of families and children due, known of those due, and analysed.

    Source
    ------
    Friede & Kieser (2006), Biometrical Journal 48:537 (blinded sample size review).
    """
    monitored = spec.analyses[entry.monitors]
    watched = spec.analyses[monitored.watches]
    pooled = _outcomes(watched, data)
    recruitment = spec.analyses[entry.recruitment]
    seen = _variation(entry, watched, pooled, spec)
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
        notes=list(_notes(pooled, seen)),
    )


def _notes(rows: pd.DataFrame, seen: Variation) -> Iterator[str]:
    if seen.reason:
        yield f"No variance of the outcome yet: {seen.reason}"
    if seen.raw is None:
        return
    families = rows["family_id"].nunique()
    yield (
        f"SDs, ICC and children per family are of {so_many(len(rows), 'child', 'children')} in "
        f"{so_many(families, 'family', 'families')} with the outcome, whether or not their window had closed."
    )


def _outcomes(watched: MixedAnalysis, data: Data) -> pd.DataFrame:
    """Children with the outcome; no arm is among their columns."""
    try:
        rows = outcome_rows(data, watched)
    except ModelError:
        rows = data.tables["outcomes"].iloc[:0]
    return rows.drop(columns=ARM, errors="ignore")


def _variation(entry: NuisanceAnalysis, watched: MixedAnalysis, rows: pd.DataFrame, spec: Spec) -> Variation:
    if rows["family_id"].nunique() < entry.least_families:
        return Variation(
            reason=f"fewer than {entry.least_families} families have the outcome; nothing is projected."
        )
    raw = float(rows["value"].std())
    titles = {each.column: column_name(each.column, spec) for each in watched.covariates}
    try:
        fitted = fit_families(watched, rows, build_pooled_design(rows, watched.covariates, titles=titles))
        interval = icc(fitted, level=spec.trial.level)
    except ModelError as error:
        return Variation(raw, reason=str(error))
    found = interval_of("icc", interval, level=interval.level, labels=OBSERVED)
    return Variation(raw, total_sd(fitted, level=spec.trial.level), found)


def _counts(
    entry: NuisanceAnalysis, watched: MixedAnalysis, data: Data, rows: pd.DataFrame
) -> tuple[Count, ...]:
    """Families randomised and kept; those due whose window had closed, and known of them; those analysed."""
    randomised = data.tables["recruitment"]["family_id"].dropna()
    population = select(data, "subjects", entry.population)
    due = those_due(population, data, watched.outcome.parameter, [watched.outcome.visit])
    visits = data.tables["visits"]
    # Who came early, or withdrew early, is not counted before those who may still come.
    closed = visits[(visits["visit"] == watched.outcome.visit) & visits["is_due"]]
    due = due[due["child_id"].isin(closed["child_id"])]
    known = due[due["child_id"].isin(rows["child_id"])]
    kept = randomised[randomised.isin(population["family_id"])]
    return (
        *(
            Count("families", families.nunique(), {"arm": ALL, "set": which})
            for which, families in (("randomised", randomised), ("kept", kept))
        ),
        *(
            Count(name, frame[column].nunique(), {"arm": ALL, "set": which})
            for which, frame in (("due", due), ("known", known), ("analysed", rows))
            for name, column in (("families", "family_id"), ("children", "child_id"))
        ),
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
    kept, retention = (
        size[part, "families"] / size[whole, "families"] if size[whole, "families"] else None
        for part, whole in (("kept", "randomised"), ("known", "due"))
    )
    sizes = rows["family_id"].value_counts()
    is_enough = len(sizes) >= entry.least_families
    yield Estimate("sd", seen.raw, labels={**OBSERVED, "of": "raw"})
    left = {**OBSERVED, "of": "residual"}
    if seen.residual is None:
        yield Estimate("sd", None, labels=left)
    else:
        yield interval_of("sd", seen.residual, level=seen.residual.level, labels=left)
    yield seen.correlation or Estimate("icc", None, labels=OBSERVED)
    yield Estimate("children_per_family", float(sizes.mean()) if is_enough else None, labels=OBSERVED)
    yield Estimate("kept", kept, labels=OBSERVED)
    yield Estimate("retention", retention, labels=OBSERVED)
    # Retention is of families kept; the numbers it is multiplied with below are of families randomised.
    followed = None if kept is None or retention is None or not is_enough else kept * retention
    per_family = None
    if seen.correlation and seen.residual:
        shares = sizes.value_counts(normalize=True).reindex(range(1, sizes.max() + 1), fill_value=0.0)
        per_family = information_per_family(seen.residual.estimate, seen.correlation.value, shares.to_list())
    yield from _at_end(monitored, per_family, followed, OBSERVED)
    if to_come is not None:
        yield replace(to_come, labels={**to_come.labels, **PROJECTED})
        yield from _at_end(monitored, per_family, followed, PROJECTED, randomised=to_come.value)
    maximum = design_of(monitored).maximum_information
    yield from _needed(maximum / per_family if per_family else None, followed, OBSERVED)


def _needed(families: float | None, followed: float | None, labels: Mapping[str, str]) -> Iterator[Estimate]:
    """Families with the outcome that have the information of the design, and how many to randomise."""
    randomised = families / followed if families and followed else None
    yield Estimate("families_needed", families, labels=labels)
    yield Estimate("families_to_randomise", randomised, labels=labels)


def _at_end(
    monitored: MonitoringAnalysis,
    per_family: float | None,
    followed: float | None,
    labels: Mapping[str, str],
    *,
    randomised: float | None = None,
) -> Iterator[Estimate]:
    """Families with the outcome, their information and the power, of so many randomised or those planned.

    `followed` is the share of the families randomised that has the outcome.
    """
    planned = monitored.design.families
    families = None if followed is None else (planned if randomised is None else randomised) * followed
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
        "ICC with its profile-likelihood interval. Retention: families with the outcome of those kept from "
        "whom it was due by age and schedule and whose window had closed by the data cut. Information at the "
        f"end: that of the planned {design.families} families, and of those projected to be there by the "
        f"last day of recruitment, each at the share kept so far, this retention, SD, ICC and mix of family "
        "sizes, for two arms of one size and before any gain from covariates but what the SD has; power: "
        f"that of the planned looks against a difference of {abs(design.effect):g} in either direction"
    )
