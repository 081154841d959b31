"""Linear mixed models of one outcome at one visit: A01, A02 and their like."""

import pandas as pd

from analysis.data.allocation import Allocated
from analysis.models.answer import result_of
from analysis.models.design import Design
from analysis.models.diagnostics import Checks, check_fit
from analysis.models.groups import arm_names, contrast_name, so_many
from analysis.models.linear import (
    AVERAGED,
    STRUCTURES,
    adjusted_for,
    arm_design,
    due_and_analysed,
    estimate_contrast,
    fit_families,
    inference,
    mean_of,
    missing_baseline,
    outcome_rows,
    raw_means,
    removed_families,
    row_of,
    with_baseline,
)
from analysis.results import Estimate, Result
from analysis.spec.declarations import Spec
from analysis.spec.visit_outcomes import MixedAnalysis
from analysis.stats.reml import LinearFit
from analysis.stats.small_sample import icc

# Below this many pairs of siblings an intraclass correlation is a guess.
FEW_PAIRS = 10
COMPONENTS = {
    "random_intercept": ("family", "residual"),
    "exchangeable": ("covariance within families", "remainder"),
}


def fit(entry: MixedAnalysis, data: Allocated, spec: Spec) -> Result:
    """Adjusted difference between arms in the mean of an outcome, with a family effect.

    Parameters
    ----------
    entry : MixedAnalysis
        Outcome, covariates, structure and degrees of freedom of the plan.
    data : Allocated
        Tables with arms.
    spec : Spec
        The declarations; level of confidence and labels of the arms.

    Returns
    -------
    Result
        `difference` in units of the outcome; `mean`, `sd` and `adjusted_mean` by arm; `icc`, `variance`,
        `coefficient`; for the primary analysis `diagnostic` and the points of its figure.

    Raises
    ------
    ModelError
        If the model is not defined on these data.

    Source
    ------
    statistics of the plan's entry; Kenward & Roger (1997), Biometrics 53:983; White & Thompson (2005), Stat
    Med 24:993.
    """
    rows = outcome_rows(data, entry)
    design = arm_design(entry, rows, data, spec)
    fitted = fit_families(entry, rows, design)
    difference = estimate_contrast(
        fitted, row_of(design, "arm"), entry, spec, "difference", contrast=contrast_name(data)
    )
    checks = check_fit(entry, rows, design, fitted, difference) if entry.role == "primary" else Checks()
    return result_of(
        entry,
        data,
        method=_method(entry, spec),
        counts=(*due_and_analysed(entry, rows, data), *with_baseline(rows, entry.covariates)),
        estimates=(
            *raw_means(rows, data),
            difference,
            *_adjusted_means(fitted, design, entry, data, spec),
            *(_by_group(fitted, rows, entry.by) if entry.by else _components(fitted, spec)),
            *_coefficients(fitted, design, entry, spec),
            *checks.estimates,
        ),
        points=checks.points,
        notes=(
            *removed_families(entry, rows, spec),
            *_few_siblings(rows),
            *fitted.notes,
            *checks.notes,
        ),
        details=(*design.notes, *missing_baseline(rows, entry.covariates, spec)),
    )


def _few_siblings(rows: pd.DataFrame) -> list[str]:
    """A warning where the correlation within families rests on next to no siblings."""
    sizes = rows["family_id"].value_counts()
    pairs = int((sizes * (sizes - 1) // 2).sum())
    if pairs >= FEW_PAIRS:
        return []
    found = so_many(pairs, "pair of siblings was", "pairs of siblings were")
    return [f"Only {found} analysed, too few to say how alike children of one family are."]


def _adjusted_means(
    fitted: LinearFit, design: Design, entry: MixedAnalysis, data: Allocated, spec: Spec
) -> list[Estimate]:
    return [
        estimate_contrast(
            fitted, mean_of(design, entry.weights, at={"arm": value}), entry, spec, "adjusted_mean", arm=arm
        )
        for arm, value in zip(arm_names(data), (1.0, 0.0), strict=True)
    ]


def _components(fitted: LinearFit, spec: Spec) -> list[Estimate]:
    names = COMPONENTS[fitted.structure]
    found = [
        Estimate("variance", float(value), labels={"component": name})
        for name, value in zip(names, fitted.theta, strict=True)
    ]
    if fitted.n_clusters == fitted.n_rows:
        return found
    interval = icc(fitted, level=spec.trial.level)
    return [
        *found,
        Estimate("icc", interval.estimate, low=interval.low, high=interval.high, level=interval.level),
    ]


def _by_group(fitted: LinearFit, rows: pd.DataFrame, by: str) -> list[Estimate]:
    """Variances of each group; their share as a point, as an interval would need a profile of its own."""
    found = []
    for group, pair in zip(sorted(rows[by].unique()), fitted.theta.reshape(-1, 2), strict=True):
        found += [
            Estimate("variance", float(value), labels={"component": name, "group": group, "by": by})
            for name, value in zip(COMPONENTS["random_intercept"], pair, strict=True)
        ]
        if rows.loc[rows[by] == group, "family_id"].duplicated().any():
            found.append(Estimate("icc", float(pair[0] / pair.sum()), labels={"group": group, "by": by}))
    return found


def _coefficients(fitted: LinearFit, design: Design, entry: MixedAnalysis, spec: Spec) -> list[Estimate]:
    return [
        estimate_contrast(fitted, row_of(design, name), entry, spec, "coefficient", term=name)
        for name in design.names
    ]


def _method(entry: MixedAnalysis, spec: Spec) -> str:
    own = f" of their own for each {entry.by}" if entry.by else ""
    return (
        f"Linear mixed model by REML with {STRUCTURES[entry.structure]}{own}, adjusted for "
        f"{adjusted_for(entry.covariates, spec)}; {inference(entry)} "
        f"Adjusted means are averaged {AVERAGED[entry.weights]}."
    )
