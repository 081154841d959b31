"""Rates of each route to permanence: cause-specific and subdistribution hazard ratios, and Gray's test."""

import math

import pandas as pd

from analysis.data.allocation import ARM, Allocated
from analysis.models.events import select_events
from analysis.models.groups import STRATUM, add_stratum, arm_names, contrast_name, sizes
from analysis.models.hazard import fit_cox, treated
from analysis.models.ratios import ratio_estimate
from analysis.results import Count, Estimate, Result
from analysis.spec.declarations import Spec
from analysis.spec.event_entries import RoutesAnalysis
from analysis.stats.fine_gray import FineGrayFit, fine_gray
from analysis.stats.gray import gray_test
from analysis.stats.hazards import CoxFit
from analysis.stats.influence import ChiSquare


def fit(entry: RoutesAnalysis, data: Allocated, spec: Spec) -> Result:
    """Hazard ratios between arms of each cause, the other causes competing, with family-robust variance.

    Parameters
    ----------
    entry : RoutesAnalysis
        Causes, all of which compete, those reported, strata and treatment of ties of the plan.
    data : Allocated
        Tables with arms.
    spec : Spec
        The declarations.

    Returns
    -------
    Result
        Per cause `hazard_ratio` (cause-specific), `subdistribution_hazard_ratio`, `gray_test`.

    Raises
    ------
    ModelError
        If nobody is at risk, or nobody has an event of a cause.

    Source
    ------
    Prentice et al. (1978), Biometrics 34:541; Fine & Gray (1999), JASA 94:496; Zhou et al. (2012),
    Biostatistics 13:371; Gray (1988), Ann Stat 16:1141.
    """
    rows = add_stratum(select_events(data, entry.population, entry.event), entry.strata)
    code = rows["cause"].map(_positions(entry)).fillna(0).astype(int)
    return Result(
        analysis=entry.id,
        family=entry.family,
        title=entry.title,
        audience=data.audience,
        estimand=entry.estimand,
        timing=entry.timing,
        method=_method(entry),
        counts=(*sizes(rows, data), *_events(rows, entry, data)),
        estimates=tuple(
            each for cause in entry.reported for each in _of_cause(rows, code, cause, entry, data, spec)
        ),
    )


def _of_cause(
    rows: pd.DataFrame, code: pd.Series, cause: str, entry: RoutesAnalysis, data: Allocated, spec: Spec
) -> list[Estimate]:
    position, labels = _positions(entry)[cause], {"cause": cause, "contrast": contrast_name(data)}
    specific = fit_cox(rows, code == position, data, entry.ties)
    outcome = rows["time_days"].to_numpy(float), code.to_numpy()
    strata = rows[STRATUM].to_numpy()
    common = {"cluster": rows["family_id"].to_numpy(), "strata": strata, "cause_of_interest": position}
    subdistribution = fine_gray(
        *outcome,
        treated(rows, data)[:, None],
        entry=rows["entry_days"].to_numpy(float),
        censoring_strata=strata,
        **common,
    )
    gray = gray_test(*outcome, rows[ARM].to_numpy(), **common)
    return [
        _ratio("hazard_ratio", specific, spec, labels),
        _ratio("subdistribution_hazard_ratio", subdistribution, spec, labels),
        _test(gray.robust, {**labels, "variance": "family-robust"}),
        _test(gray.plain, {**labels, "variance": "independent children"}),
    ]


def _positions(entry: RoutesAnalysis) -> dict[str, int]:
    return {cause: position for position, cause in enumerate(entry.event.causes, start=1)}


def _ratio(name: str, fitted: CoxFit | FineGrayFit, spec: Spec, labels: dict[str, str]) -> Estimate:
    se = math.sqrt(fitted.vcov_robust[0, 0])
    return ratio_estimate(name, float(fitted.coef[0]), se, level=spec.trial.level, labels=labels)


def _test(found: ChiSquare, labels: dict[str, str]) -> Estimate:
    return Estimate(
        "gray_test", found.statistic, df=found.df, statistic=found.statistic, p=found.p, labels=labels
    )


def _events(rows: pd.DataFrame, entry: RoutesAnalysis, data: Allocated) -> list[Count]:
    return [
        Count(
            "events",
            int(((rows[ARM] == arm) & (rows["cause"] == cause)).sum()),
            {"arm": arm, "cause": cause},
        )
        for arm in arm_names(data)
        for cause in entry.reported
    ]


def _method(entry: RoutesAnalysis) -> str:
    strata = f"stratified by {' and '.join(entry.strata)}" if entry.strata else "not stratified"
    return (
        f"Per route, {strata}: Cox model with the other routes censored ({entry.ties.capitalize()} ties), "
        "proportional subdistribution hazards (Fine-Gray, censoring weights by stratum) and Gray's test. "
        "Wald intervals and tests from variances robust to dependence within families."
    )
