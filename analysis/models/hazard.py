"""Cox models of the time to an event, with family-robust variance."""

import math

import numpy as np
import pandas as pd
from scipy.special import ndtr

from analysis.data.allocation import ARM, Allocated
from analysis.errors import ModelError
from analysis.models.events import select_events
from analysis.models.groups import STRATUM, add_stratum, arm_names, contrast_name, sizes
from analysis.results import Count, Estimate, Result
from analysis.spec.declarations import Spec
from analysis.spec.sap import HazardAnalysis
from analysis.stats.hazards import CoxFit, cox
from analysis.stats.influence import interval


def fit(entry: HazardAnalysis, data: Allocated, spec: Spec) -> Result:
    """Hazard ratio between arms of the first permanent placement, other endings censored.

    Parameters
    ----------
    entry : HazardAnalysis
        Event, strata and treatment of ties of the plan.
    data : Allocated
        Tables with arms.
    spec : Spec
        The declarations.

    Returns
    -------
    Result
        `hazard_ratio` with limits and p from the family-robust variance; `log_hazard_ratio` with its standard
        error beside the model-based one.

    Raises
    ------
    ModelError
        If nobody is at risk, or nobody has an event.

    Source
    ------
    Cox (1972); Lin & Wei (1989), JASA 84:1074; Lee, Wei & Amato (1992) for the sum within families.
    """
    rows = add_stratum(select_events(data, entry.population, entry.event), entry.strata)
    intervention, _ = arm_names(data)
    treated = (rows[ARM] == intervention).to_numpy(float)
    fitted = cox(
        rows["entry_days"].to_numpy(float),
        rows["time_days"].to_numpy(float),
        rows["happened"].to_numpy(int),
        treated[:, None],
        cluster=rows["family_id"].to_numpy(),
        strata=rows[STRATUM].to_numpy(),
        ties=entry.ties,
    )
    return Result(
        analysis=entry.id,
        family=entry.family,
        title=entry.title,
        audience=data.audience,
        estimand=entry.estimand,
        timing=entry.timing,
        method=_method(entry),
        counts=(*sizes(rows, data), *_events(rows, data)),
        estimates=_estimates(fitted, contrast_name(data), spec.trial.level),
        notes=(*fitted.notes, _span(rows)),
    )


def _span(rows: pd.DataFrame) -> str:
    return (
        "Events count to the end of the care records: the longest follow-up is "
        f"{int(rows['time_days'].max())} days. Proportional hazards are "
        "assumed; the curves show how far they hold."
    )


def _events(rows: pd.DataFrame, data: Allocated) -> list[Count]:
    return [
        Count("events", int(rows.loc[rows[ARM] == arm, "happened"].sum()), {"arm": arm})
        for arm in arm_names(data)
    ]


def _estimates(fitted: CoxFit, contrast: str, level: float) -> tuple[Estimate, ...]:
    log_ratio, se = float(fitted.coef[0]), math.sqrt(fitted.vcov_robust[0, 0])
    limits = interval(fitted.coef, np.array([se]), level=level)
    if se == 0:
        raise ModelError("the family-robust standard error of the log hazard ratio is zero.")
    z = log_ratio / se
    labels = {"contrast": contrast}
    return (
        Estimate(
            "hazard_ratio",
            math.exp(log_ratio),
            low=float(np.exp(limits.low[0])),
            high=float(np.exp(limits.high[0])),
            level=level,
            statistic=z,
            p=float(2 * ndtr(-abs(z))),
            labels=labels,
        ),
        Estimate("log_hazard_ratio", log_ratio, se=se, labels=labels),
        Estimate("log_hazard_ratio_model_se", math.sqrt(fitted.vcov_model[0, 0]), labels=labels),
    )


def _method(entry: HazardAnalysis) -> str:
    strata = f"stratified by {' and '.join(entry.strata)}" if entry.strata else "not stratified"
    return (
        f"Cox model of the arm, {strata}, {entry.ties.capitalize()} ties; Wald interval and test from "
        "the variance robust to dependence within families (sum of score residuals by family, "
        "no small-sample factor)."
    )
