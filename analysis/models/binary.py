"""Risks of an event by arm, standardised to the covariates of all children: A22."""

import numpy as np
import pandas as pd

from analysis.data.allocation import ARM, Allocated
from analysis.errors import ModelError
from analysis.models.answer import result_of
from analysis.models.design import Design
from analysis.models.groups import arm_names, contrast_name, so_many
from analysis.models.linear import (
    adjusted_for,
    arm_design,
    due_and_analysed,
    missing_baseline,
    outcome_rows,
    removed_families,
    with_baseline,
)
from analysis.results import Count, Estimate, Result
from analysis.spec.declarations import Spec, bandings
from analysis.spec.instruments import Band
from analysis.spec.visit_outcomes import BinaryAnalysis
from analysis.stats.standardisation import RiskEstimate, Standardised, standardised_risks


def fit(entry: BinaryAnalysis, data: Allocated, spec: Spec) -> Result:
    """Standardised risk of an event by arm, their difference and their ratio.

    Parameters
    ----------
    entry : BinaryAnalysis
        Outcome, when it is an event, and covariates of the plan.
    data : Allocated
        Tables with arms.
    spec : Spec
        The declarations; the bands of scores are in the instruments.

    Returns
    -------
    Result
        `risk` by arm, `risk_difference`, `risk_ratio`; `events` (children) by arm.

    Raises
    ------
    ModelError
        If an arm has no event or only events, a child's form has no bands, or the columns separate the
        events.

    Source
    ------
    Ge et al. (2011), Drug Information Journal 45:481; FDA (2023), Adjusting for Covariates in Randomized
    Clinical Trials, section III.B (standardisation).
    """
    rows = outcome_rows(data, entry)
    event = _events(rows, entry, spec)
    intervention, control = arm_names(data)
    design = arm_design(entry, rows, data, spec)
    risks = _risks(event, design, rows, data, spec)
    return result_of(
        entry,
        data,
        method=_method(entry, spec),
        counts=(
            *due_and_analysed(entry, rows, data),
            *with_baseline(rows, entry.covariates),
            *(
                Count("events", int(event[(rows[ARM] == arm).to_numpy()].sum()), {"arm": arm})
                for arm in arm_names(data)
            ),
        ),
        estimates=(
            _estimate("risk", risks.treated, arm=intervention),
            _estimate("risk", risks.control, arm=control),
            _estimate("risk_difference", risks.difference, contrast=contrast_name(data)),
            _estimate("risk_ratio", risks.ratio, contrast=contrast_name(data)),
        ),
        notes=removed_families(entry, rows, spec),
        details=(*design.notes, *missing_baseline(rows, entry.covariates, spec)),
    )


def _events(rows: pd.DataFrame, entry: BinaryAnalysis, spec: Spec) -> np.ndarray:
    """1 where the score is an event, (n,)."""
    value, event = rows["value"].astype(float), entry.event
    if event.at_least is not None:
        return (value >= event.at_least).to_numpy(int)
    if event.at_most is not None:
        return (value <= event.at_most).to_numpy(int)
    ranges = _ranges(entry, spec)
    strange = ~rows["form"].isin({form for form, _ in ranges})
    if strange.any():
        children = so_many(int(strange.sum()), "child", "children")
        raise ModelError(f"{children} answered a form without bands of {event.version}.")
    inside = [(rows["form"] == form) & value.between(band.minimum, band.maximum) for form, band in ranges]
    return np.any(inside, axis=0).astype(int)


def _ranges(entry: BinaryAnalysis, spec: Spec) -> list[tuple[str, Band]]:
    """Form and range of every band that is an event."""
    return [
        (form, band)
        for (version, form), banding in bandings(spec, entry.outcome.parameter).items()
        for band in banding.bands
        if version == entry.event.version and band.id in entry.event.bands
    ]


def _risks(
    event: np.ndarray, design: Design, rows: pd.DataFrame, data: Allocated, spec: Spec
) -> Standardised:
    # Said in the arms' names; the estimator knows only treated and control.
    for arm in arm_names(data):
        share = event[(rows[ARM] == arm).to_numpy()].mean()
        if share in (0.0, 1.0):
            what = "no event" if share == 0.0 else "an event in every child"
            raise ModelError(f"arm {arm} has {what}; a logistic model has no maximum.")
    return standardised_risks(
        event,
        design.matrix,
        design.names.index("arm"),
        rows["family_id"].to_numpy(),
        level=spec.trial.level,
        names=design.terms,
    )


def _estimate(name: str, found: RiskEstimate, **labels: str) -> Estimate:
    return Estimate(
        name,
        found.estimate,
        se=found.se,
        low=found.low,
        high=found.high,
        level=found.level,
        df=found.df,
        p=found.p if np.isfinite(found.p) else None,
        labels=labels,
    )


def _method(entry: BinaryAnalysis, spec: Spec) -> str:
    return (
        f"Event: {_rule(entry, spec)}. Logistic model of the event by arm, adjusted for "
        f"{adjusted_for(entry.covariates, spec)}; each child's risk is predicted under either arm and "
        "averaged over all children analysed. Errors are robust to families and to a wrong model, with "
        "residuals enlarged for small samples; t intervals with families less columns degrees of freedom, of "
        "the ratio on the log scale. P is that of the difference."
    )


def _rule(entry: BinaryAnalysis, spec: Spec) -> str:
    """When a score is an event, in words."""
    event = entry.event
    if event.at_least is not None:
        return f"{event.at_least:g} or more"
    if event.at_most is not None:
        return f"{event.at_most:g} or less"
    return ", ".join(
        f"{band.minimum:g} to {band.maximum:g} of the {form} form ({band.id})"
        for form, band in _ranges(entry, spec)
    )
