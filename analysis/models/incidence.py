"""Cumulative incidence of the first permanent placement, by route or by any route."""

import numpy as np
import pandas as pd

from analysis.data.allocation import ARM
from analysis.models.answer import result_of
from analysis.models.curves import arm_quantities, at_risk, estimates_by_arm, step_curves
from analysis.models.events import clock_sentence, select_events
from analysis.models.groups import Data, add_stratum, arm_names, cells, sizes, stratum_sentence
from analysis.results import Count, Estimate, Result
from analysis.spec.declarations import Spec
from analysis.spec.event_entries import IncidenceAnalysis
from analysis.stats.competing import cumulative_incidence
from analysis.stats.multistate import Occupation, occupation_at, time_in_state

ANY = "any"


def fit(entry: IncidenceAnalysis, data: Data, spec: Spec) -> Result:
    """Probability of each route by each day, by arm, and its difference between arms.

    Parameters
    ----------
    entry : IncidenceAnalysis
        Causes, strata and days of the plan. With `combine` all causes are one, and the curve is 1 less
        Kaplan-Meier.
    data : Pooled or Allocated
        Without arms the pooled curves, and no difference.
    spec : Spec
        The declarations.

    Returns
    -------
    Result
        Curves `cumulative_incidence`; `probability`, `risk_difference` per day; with `combine` also
        `restricted_mean` (days free of the event up to the horizon) and its difference.

    Raises
    ------
    ModelError
        If nobody is at risk, or an arm is absent from a stratum.

    Source
    ------
    Aalen & Johansen (1978); family-robust variance from the infinitesimal jackknife.
    """
    rows = add_stratum(select_events(data, entry.population, entry.event, origin=entry.origin), entry.strata)
    causes = (ANY,) if entry.combine else entry.event.causes
    rows = rows.assign(code=_codes(rows, entry))
    fitted = {(cell.arm, cell.stratum): _curve(cell.rows, len(causes)) for cell in cells(rows, data)}
    states = [("cause", name, position + 1) for position, name in enumerate(causes)]
    days = np.asarray(entry.days, dtype=float)
    probability = arm_quantities(fitted, rows, lambda curve: occupation_at(curve, days))
    estimates = estimates_by_arm(
        probability, states, entry.days, data, spec, name="probability", difference_name="risk_difference"
    )
    if entry.combine:
        estimates += _restricted_mean(fitted, rows, data, spec)
    return result_of(
        entry,
        data,
        method=_method(entry),
        counts=(*sizes(rows, data), *_events(rows, causes, data), *at_risk(fitted, entry.days)),
        estimates=estimates,
        curves=step_curves(fitted, rows, states, spec, name="cumulative_incidence"),
        notes=(note for curve in fitted.values() for note in curve.notes),
    )


def _codes(rows: pd.DataFrame, entry: IncidenceAnalysis) -> np.ndarray:
    order = {cause: 1 if entry.combine else position + 1 for position, cause in enumerate(entry.event.causes)}
    return rows["cause"].map(order).fillna(0).astype(int).to_numpy()


def _curve(rows: pd.DataFrame, n_causes: int) -> Occupation:
    return cumulative_incidence(
        rows["time_days"].to_numpy(float),
        rows["code"].to_numpy(),
        entry=rows["entry_days"].to_numpy(float),
        cluster=rows["family_id"].to_numpy(),
        n_causes=n_causes,
    )


def _events(rows: pd.DataFrame, causes: tuple[str, ...], data: Data) -> list[Count]:
    return [
        Count(
            "events",
            int(((rows[ARM] == arm) & (rows["code"] == position + 1)).sum()),
            {"arm": arm, "cause": cause},
        )
        for arm in arm_names(data)
        for position, cause in enumerate(causes)
    ]


def _restricted_mean(fitted: dict, rows: pd.DataFrame, data: Data, spec: Spec) -> list[Estimate]:
    horizon = spec.trial.horizon_days
    free = arm_quantities(fitted, rows, lambda curve: time_in_state(curve, float(horizon)))
    return estimates_by_arm(
        free,
        [("horizon", str(horizon), 0)],
        None,
        data,
        spec,
        name="restricted_mean",
        difference_name="restricted_mean_difference",
        unit="days",
    )


def _method(entry: IncidenceAnalysis) -> str:
    kind = (
        "1 less the Kaplan-Meier estimate, other endings censored"
        if entry.combine
        else "Aalen-Johansen estimate, routes competing"
    )
    return (
        f"{kind}; ties exact. {stratum_sentence(entry.strata)} Standard errors robust to dependence "
        "within families (infinitesimal jackknife summed by family); limits of each probability on "
        f"its own log-log scale, of differences on their own.{clock_sentence(entry.origin)}"
    )
