"""Rates of each route to permanence: cause-specific and subdistribution hazard ratios, and Gray's test."""

import math

import pandas as pd

from analysis.data.allocation import ARM, Allocated
from analysis.errors import ModelError
from analysis.models.answer import result_of
from analysis.models.arm_effect import fit_cox
from analysis.models.events import select_events
from analysis.models.groups import (
    STRATUM,
    add_stratum,
    arm_names,
    contrast_name,
    refuse_absent_arm,
    sizes,
    strata_phrase,
    treated,
)
from analysis.models.ratios import chi_square_estimate, ratio_estimate
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
        Per cause `hazard_ratio` (cause-specific), `subdistribution_hazard_ratio`, `gray_test`. A ratio that
        cannot be estimated, as when an arm has no event of the cause, has no value, and a note says why.

    Raises
    ------
    ModelError
        If nobody is at risk, an arm has nobody, or nobody has an event.

    Source
    ------
    Prentice et al. (1978), Biometrics 34:541; Fine & Gray (1999), JASA 94:496; Zhou et al. (2012),
    Biostatistics 13:371; Gray (1988), Ann Stat 16:1141.
    """
    rows = add_stratum(select_events(data, entry.population, entry.event), entry.strata)
    code = rows["cause"].map(_positions(entry)).fillna(0).astype(int)
    refuse_absent_arm(rows, data)
    if not code.any():
        raise ModelError("nobody has an event, so there is no route to compare.")
    found = [_of_cause(rows, code, cause, entry, data, spec) for cause in entry.reported]
    return result_of(
        entry,
        data,
        method=_method(entry),
        counts=(*sizes(rows, data), *_events(rows, entry, data)),
        estimates=(each for estimates, _ in found for each in estimates),
        notes=(note for _, notes in found for note in notes),
    )


def _of_cause(
    rows: pd.DataFrame, code: pd.Series, cause: str, entry: RoutesAnalysis, data: Allocated, spec: Spec
) -> tuple[list[Estimate], list[str]]:
    position, labels = _positions(entry)[cause], {"cause": cause, "contrast": contrast_name(data)}
    parts = {
        "hazard_ratio": lambda name: [
            _ratio(name, fit_cox(rows, code == position, data, entry.ties), spec, labels)
        ],
        "subdistribution_hazard_ratio": lambda name: [
            _ratio(name, _subdistribution(rows, code, position, data), spec, labels)
        ],
        "gray_test": lambda name: _gray(name, rows, code, position, labels),
    }
    estimates, notes = [], []
    for name, part in parts.items():
        try:
            estimates += part(name)
        except ModelError as error:
            estimates.append(Estimate(name, None, labels=labels))
            notes.append(f"{spec.codelists['state'][cause]}: {error}")
    return estimates, notes


def _subdistribution(rows: pd.DataFrame, code: pd.Series, position: int, data: Allocated) -> FineGrayFit:
    strata = rows[STRATUM].to_numpy()
    return fine_gray(
        rows["time_days"].to_numpy(float),
        code.to_numpy(),
        treated(rows, data)[:, None],
        cluster=rows["family_id"].to_numpy(),
        strata=strata,
        censoring_strata=strata,
        entry=rows["entry_days"].to_numpy(float),
        cause_of_interest=position,
    )


def _gray(
    name: str, rows: pd.DataFrame, code: pd.Series, position: int, labels: dict[str, str]
) -> list[Estimate]:
    if (rows["entry_days"] > 0).any():
        raise ModelError("Gray's test has no risk sets for children who are first observed late.")
    found = gray_test(
        rows["time_days"].to_numpy(float),
        code.to_numpy(),
        rows[ARM].to_numpy(),
        cluster=rows["family_id"].to_numpy(),
        strata=rows[STRATUM].to_numpy(),
        cause_of_interest=position,
    )
    return [
        _test(name, found.robust, {**labels, "variance": "family-robust"}),
        _test(name, found.plain, {**labels, "variance": "independent children"}),
    ]


def _positions(entry: RoutesAnalysis) -> dict[str, int]:
    return {cause: position for position, cause in enumerate(entry.event.causes, start=1)}


def _ratio(name: str, fitted: CoxFit | FineGrayFit, spec: Spec, labels: dict[str, str]) -> Estimate:
    se = math.sqrt(fitted.vcov_robust[0, 0])
    return ratio_estimate(name, float(fitted.coef[0]), se, level=spec.trial.level, labels=labels)


def _test(name: str, found: ChiSquare, labels: dict[str, str]) -> Estimate:
    if math.isnan(found.statistic):
        raise ModelError("Gray's test cannot be made, as when nobody has an event by this route.")
    return chi_square_estimate(name, found, labels)


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
    strata = strata_phrase(entry.strata)
    return (
        f"Per route, {strata}: Cox model with the other routes censored ({entry.ties.capitalize()} ties), "
        "proportional subdistribution hazards (Fine-Gray, censoring weights by stratum) and Gray's test. "
        "Wald intervals and tests from variances robust to dependence within families."
    )
