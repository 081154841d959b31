"""Cox models of the time to an event, with family-robust variance."""

import math

import pandas as pd

from analysis.data.allocation import Allocated
from analysis.models.answer import result_of
from analysis.models.arm_effect import fit_cox
from analysis.models.events import clock_sentence, count_events, select_events
from analysis.models.groups import add_stratum, contrast_name, sizes, strata_phrase
from analysis.models.ratios import ratio_estimate
from analysis.results import Estimate, Result
from analysis.spec.declarations import Spec
from analysis.spec.event_entries import HazardAnalysis
from analysis.stats.hazards import CoxFit


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
        error beside the model-based one; `last_day` to which events count.

    Raises
    ------
    ModelError
        If nobody is at risk, or an arm has no event.

    Source
    ------
    Cox (1972); Lin & Wei (1989), JASA 84:1074; Lee, Wei & Amato (1992) for the sum within families.
    """
    chosen = select_events(data, entry.population, entry.event, origin=entry.origin, until=entry.until)
    rows = add_stratum(chosen, entry.strata)
    fitted = fit_cox(rows, rows["happened"], data, entry.ties)
    return result_of(
        entry,
        data,
        method=_method(entry),
        counts=(*sizes(rows, data), *count_events(rows, data)),
        estimates=(*_estimates(fitted, contrast_name(data), spec.trial.level), _last_day(rows, entry)),
        notes=(*fitted.notes, _span(entry)),
    )


def _last_day(rows: pd.DataFrame, entry: HazardAnalysis) -> Estimate:
    """The day to which events count: the plan's, or that of the longest follow-up."""
    return Estimate("last_day", float(entry.until or rows["time_days"].max()), unit="days")


def _span(entry: HazardAnalysis) -> str:
    counted = "to the day the plan names" if entry.until else "to the end of the care records"
    return (
        f"Events count {counted}. Where hazards are not proportional the ratio is an average over the times "
        "at which events were seen."
    )


def _estimates(fitted: CoxFit, contrast: str, level: float) -> tuple[Estimate, ...]:
    log_ratio, se, labels = float(fitted.coef[0]), math.sqrt(fitted.vcov_robust[0, 0]), {"contrast": contrast}
    return (
        ratio_estimate("hazard_ratio", log_ratio, se, level=level, labels=labels),
        Estimate("log_hazard_ratio", log_ratio, se=se, labels=labels),
        Estimate("log_hazard_ratio_model_se", math.sqrt(fitted.vcov_model[0, 0]), labels=labels),
    )


def _method(entry: HazardAnalysis) -> str:
    strata = strata_phrase(entry.strata)
    return (
        f"Cox model of the arm, {strata}, {entry.ties.capitalize()} ties; Wald interval and test from "
        "the variance robust to dependence within families (sum of score residuals by family, "
        f"no small-sample factor).{clock_sentence(entry.origin)}"
    )
