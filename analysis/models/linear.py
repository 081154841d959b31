"""What the linear mixed models of the plan share: rows, covariance, and how a contrast is reported."""

from collections.abc import Collection, Iterable, Mapping

import numpy as np
import pandas as pd

from analysis.data.allocation import ARM, Allocated
from analysis.models.design import Design, build_design
from analysis.models.groups import arm_names, select, sizes, so_many
from analysis.results import Count, Estimate
from analysis.spec.declarations import Spec
from analysis.spec.sap import CourseAnalysis
from analysis.spec.visit_outcomes import (
    BASELINE,
    NOT_DUE,
    Covariate,
    LinearAnalysis,
    MixedAnalysis,
    OutcomeAnalysis,
)
from analysis.stats.covariance import exchangeable, heterogeneous, random_intercept
from analysis.stats.marginal_means import mean_row
from analysis.stats.reml import LinearFit, reml
from analysis.stats.small_sample import Contrast, contrast
from analysis.stats.structure import Structure

BUILDERS = {"random_intercept": random_intercept, "exchangeable": exchangeable}
STRUCTURES = {
    "random_intercept": "a random family effect",
    "exchangeable": "a correlation within families that may be negative",
    "heterogeneous": "a random family effect and variances of both levels",
}
AVERAGED = {
    "observed": "over the mix of covariates of the children analysed",
    "equal": "with equal weight on the levels of each factor, and other covariates at their mean",
}
FILLED = (
    " (where missing: the mean of the values observed or, of a factor, the shares of its levels, with an "
    "indicator)"
)
REMOVED = "removed_date"
DF_NAMES = {"kenward_roger": "Kenward-Roger", "satterthwaite": "Satterthwaite"}


def outcome_rows(data: Allocated, entry: OutcomeAnalysis) -> pd.DataFrame:
    """Children of the entry's population whose outcome is known at its visit, ordered by child."""
    rows = select(data, "outcomes", entry.population, entry.within)
    here = (rows["parameter"] == entry.outcome.parameter) & (rows["visit"] == entry.outcome.visit)
    return rows[here & rows["value"].notna()].sort_values("child_id", kind="stable").reset_index(drop=True)


def due_and_analysed(entry: OutcomeAnalysis, rows: pd.DataFrame, data: Allocated) -> tuple[Count, ...]:
    """Families and children by arm: those whose outcome was due, and those of them with the outcome."""
    population = select(data, "subjects", entry.population, entry.within)
    due = those_due(population, data, entry.outcome.parameter, [entry.outcome.visit])
    return (*sizes(due, data, set="due"), *sizes(rows, data, set="analysed"))


def those_due(
    population: pd.DataFrame, data: Allocated, parameter: str, visits: Collection[str]
) -> pd.DataFrame:
    """Children whose outcome was due at one of the visits, by age, schedule and data cut."""
    outcomes = data.tables["outcomes"]
    here = outcomes[(outcomes["parameter"] == parameter) & outcomes["visit"].isin(visits)]
    waived = here[here["missing_reason"].isin(NOT_DUE)].groupby("child_id")["visit"].nunique()
    return population[~population["child_id"].isin(waived.index[waived == len(visits)])]


def removed_families(entry: OutcomeAnalysis, rows: pd.DataFrame, spec: Spec) -> list[str]:
    """How many analysed are of families removed after randomisation, where the population has them."""
    if any(each.column == REMOVED for each in spec.populations[entry.population].where):
        return []
    gone = rows[rows[REMOVED].notna()]
    return [
        "Analysed of families removed after randomisation: "
        f"{so_many(gone['family_id'].nunique(), 'family', 'families')}, "
        f"{so_many(len(gone), 'child', 'children')}."
    ]


def arm_design(
    entry: OutcomeAnalysis | CourseAnalysis, rows: pd.DataFrame, data: Allocated, spec: Spec
) -> Design:
    """The arm and the covariates of the entry as columns; notes call a covariate by its title."""
    intervention, control = arm_names(data)
    titles = {each.column: column_name(each.column, spec) for each in entry.covariates}
    return build_design(rows, entry.covariates, intervention=intervention, control=control, titles=titles)


def fit_families(entry: LinearAnalysis, rows: pd.DataFrame, design: Design) -> LinearFit:
    """The model of the entry with the family as the independent unit."""
    structure = structure_of(entry, rows)
    return reml(rows["value"].to_numpy(float), design.matrix, structure, names=design.terms)


def structure_of(entry: LinearAnalysis, rows: pd.DataFrame) -> Structure:
    """The covariance of the entry, with the family as the independent unit."""
    family = rows["family_id"].to_numpy()
    if isinstance(entry, MixedAnalysis) and entry.by:
        return heterogeneous(family, rows[entry.by].to_numpy())
    return BUILDERS[entry.structure](family)


def row_of(design: Design, *names: str) -> np.ndarray:
    """Contrast that adds the coefficients of these columns, (p,)."""
    return np.isin(design.names, names).astype(float)


def mean_of(
    design: Design, weights: str, *, at: Mapping[str, float] | None = None, rows: np.ndarray | None = None
) -> np.ndarray:
    """Contrast that gives the mean with these columns set, averaged over rows as the plan weighs them."""
    matrix = design.matrix if rows is None else design.matrix[rows]
    chosen = {design.names.index(name): value for name, value in (at or {}).items()}
    return mean_row(matrix, at=chosen, factors=design.factors if weights == "equal" else ())


def estimate_contrast(
    fit: LinearFit,
    L: np.ndarray,
    entry: LinearAnalysis | CourseAnalysis,
    spec: Spec,
    name: str,
    **labels: str,
) -> Estimate:
    """A contrast of the fit as an estimate of the plan, with the entry's degrees of freedom."""
    return as_estimate(name, contrast(fit, L, df=entry.df, level=spec.trial.level), **labels)


def as_estimate(name: str, chosen: Contrast, **labels: str) -> Estimate:
    """A contrast as an estimate; for a joint test the F statistic with its degrees of freedom and P."""
    if isinstance(chosen.estimate, np.ndarray):
        return Estimate(
            name, chosen.F, df=chosen.df, ndf=chosen.ndf, statistic=chosen.F, p=chosen.p, labels=labels
        )
    return Estimate(
        name,
        chosen.estimate,
        se=chosen.se,
        low=chosen.low,
        high=chosen.high,
        level=chosen.level,
        df=chosen.df,
        statistic=chosen.estimate / chosen.se,
        p=chosen.p,
        labels=labels,
    )


def raw_means(rows: pd.DataFrame, data: Allocated, **labels: str) -> list[Estimate]:
    """Mean and standard deviation of the values by arm, not adjusted."""
    found = []
    for arm in arm_names(data):
        values = rows.loc[rows[ARM] == arm, "value"]
        found.append(Estimate("mean", float(values.mean()), labels={"arm": arm, **labels}))
        found.append(Estimate("sd", float(values.std()), labels={"arm": arm, **labels}))
    return found


def adjusted_for(covariates: Collection[Covariate], spec: Spec) -> str:
    """Covariates in words, and what is put where one is missing."""
    named = ", ".join(column_name(each.column, spec) for each in covariates)
    return f"{named}{FILLED if any(each.missing != 'complete' for each in covariates) else ''}"


def column_name(column: str, spec: Spec) -> str:
    """Title of a column of `subjects`, or of the baseline, in the middle of a sentence."""
    table = spec.table("outcomes" if column == "base" else "subjects")
    title = table.field(column).title
    return title[0].lower() + title[1:]


def with_baseline(rows: pd.DataFrame, covariates: Iterable[Covariate]) -> list[Count]:
    """Children who have the baseline covariate, and of how many, where the model has it."""
    if not any(each.column == BASELINE for each in covariates):
        return []
    children = rows.groupby("child_id")["base"].first()
    known = {"yes": int(children.notna().sum()), "no": int(children.isna().sum())}
    return [Count("baseline_known", n, {"is": answer}) for answer, n in known.items()]


def missing_baseline(rows: pd.DataFrame, covariates: Iterable[Covariate], spec: Spec) -> list[str]:
    """Why a baseline covariate is missing, by reason."""
    if not any(covariate.column == BASELINE for covariate in covariates):
        return []
    labels = spec.codelists["missing_reason"]
    counts = rows.loc[rows["base"].isna(), "base_missing_reason"].value_counts().sort_index()
    reasons = ", ".join(f"{labels[reason].lower()} {n}" for reason, n in counts.items())
    return [f"No baseline before randomisation: {reasons}."] if reasons else []


def inference(entry: LinearAnalysis | CourseAnalysis) -> str:
    """How errors and degrees of freedom were found."""
    return (
        f"{DF_NAMES[entry.df]} standard errors and degrees of freedom from the expected information; "
        "two-sided t test."
    )
