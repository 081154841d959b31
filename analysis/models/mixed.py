"""Linear mixed models of one outcome at one visit: A01, A02 and their like."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.data.allocation import ARM, Allocated
from analysis.models.design import Design, build_design
from analysis.models.groups import arm_names, contrast_name, select, sizes
from analysis.results import Estimate, Result
from analysis.spec.declarations import Spec
from analysis.spec.sap import MixedAnalysis
from analysis.stats.covariance import random_intercept
from analysis.stats.reml import LinearFit, reml
from analysis.stats.small_sample import Contrast, contrast, icc

DF_NAMES = {"kenward_roger": "Kenward-Roger", "satterthwaite": "Satterthwaite"}


@dataclass(frozen=True, slots=True)
class _Fitted:
    rows: pd.DataFrame
    design: Design
    fit: LinearFit
    level: float


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
        `difference` in units of the outcome; `mean`, `sd` by arm; `icc`, `variance`, `coefficient`.

    Raises
    ------
    ModelError
        If the model is not defined on these data.

    Source
    ------
    statistics of the plan's entry; Kenward & Roger (1997), Biometrics 53:983; White & Thompson (2005), Stat
    Med 24:993.
    """
    population = select(data, "subjects", entry.population)
    rows = select(data, "outcomes", entry.population)
    here = (rows["parameter"] == entry.outcome.parameter) & (rows["visit"] == entry.outcome.visit)
    rows = rows[here & rows["value"].notna()].sort_values("child_id", kind="stable").reset_index(drop=True)
    intervention, control = arm_names(data)
    design = build_design(rows, entry.covariates, intervention=intervention, control=control)
    structure = random_intercept(rows["family_id"].to_numpy())
    fitted = reml(rows["value"].to_numpy(float), design.matrix, structure, names=design.names)
    model = _Fitted(rows, design, fitted, spec.trial.level)
    return Result(
        analysis=entry.id,
        family=entry.family,
        title=entry.title,
        audience=data.audience,
        estimand=entry.estimand,
        timing=entry.timing,
        method=_method(entry, spec),
        counts=(*sizes(population, data, set="available"), *sizes(rows, data, set="analysed")),
        estimates=(
            *_means(rows, data),
            _difference(model, data, entry),
            *_components(model),
            *_coefficients(model, entry),
        ),
        notes=(*design.notes, *_reasons(rows, entry, spec), *fitted.notes),
    )


def _means(rows: pd.DataFrame, data: Allocated) -> list[Estimate]:
    found = []
    for arm in arm_names(data):
        values = rows.loc[rows[ARM] == arm, "value"]
        found.append(Estimate("mean", float(values.mean()), labels={"arm": arm}))
        found.append(Estimate("sd", float(values.std()), labels={"arm": arm}))
    return found


def _difference(model: _Fitted, data: Allocated, entry: MixedAnalysis) -> Estimate:
    chosen = contrast(model.fit, _unit(model, "arm"), df=entry.df, level=model.level)
    return _as_estimate("difference", chosen, contrast=contrast_name(data))


def _components(model: _Fitted) -> list[Estimate]:
    family, residual = (float(each) for each in model.fit.theta)
    found = [
        Estimate("variance", family, labels={"component": "family"}),
        Estimate("variance", residual, labels={"component": "residual"}),
    ]
    if model.fit.n_clusters == model.fit.n_rows:
        return found
    interval = icc(model.fit, level=model.level)
    return [
        *found,
        Estimate("icc", interval.estimate, low=interval.low, high=interval.high, level=model.level),
    ]


def _coefficients(model: _Fitted, entry: MixedAnalysis) -> list[Estimate]:
    return [
        _as_estimate(
            "coefficient", contrast(model.fit, _unit(model, name), df=entry.df, level=model.level), term=name
        )
        for name in model.design.names
    ]


def _unit(model: _Fitted, name: str) -> np.ndarray:
    return (np.asarray(model.design.names) == name).astype(float)


def _as_estimate(name: str, chosen: Contrast, **labels: str) -> Estimate:
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


def _method(entry: MixedAnalysis, spec: Spec) -> str:
    adjusted = ", ".join(_named(covariate.column, spec) for covariate in entry.covariates)
    return (
        f"Linear mixed model by REML with a random family effect, adjusted for {adjusted}; "
        f"{DF_NAMES[entry.df]} standard errors and degrees of freedom from the expected "
        "information; two-sided t test."
    )


def _reasons(rows: pd.DataFrame, entry: MixedAnalysis, spec: Spec) -> list[str]:
    """Why a baseline covariate is missing."""
    if not any(covariate.column == "base" for covariate in entry.covariates):
        return []
    labels = spec.codelists["missing_reason"]
    counts = rows.loc[rows["base"].isna(), "base_missing_reason"].value_counts().sort_index()
    reasons = ", ".join(f"{labels[reason].lower()} {n}" for reason, n in counts.items())
    return [f"No baseline before randomisation: {reasons}."] if reasons else []


def _named(column: str, spec: Spec) -> str:
    table = spec.table("outcomes" if column == "base" else "subjects")
    title = table.field(column).title
    return title[0].lower() + title[1:]
