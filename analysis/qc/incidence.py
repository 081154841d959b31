"""Cumulative incidence a second time: day by day, weights moved; Kaplan-Meier curves are lifelines'."""

import numpy as np
import pandas as pd
from lifelines import KaplanMeierFitter

from analysis.qc.again import Again
from analysis.qc.nudged import Units, estimates, standardised
from analysis.qc.states import NOWHERE, at_risk, curves, days_of_curves, walk
from analysis.qc.tables import Tables, by_arm, sizes
from analysis.qc.times import event_times
from analysis.results import Count
from analysis.spec.event_entries import IncidenceAnalysis

METHOD = "day by day, each child's weight moved in turn (complex step), sums within families"
KAPLAN_MEIER = f"Kaplan-Meier of lifelines; its influence {METHOD}"
ANY = "any"


def again(entry: IncidenceAnalysis, tables: Tables) -> Again:
    """Probabilities on the days asked for and over time; of any cause also days free of it."""
    rows = event_times(tables, entry.population, entry.event, entry.strata, origin=entry.origin)
    causes = (ANY,) if entry.combine else entry.event.causes
    rows = _coded(rows, entry, causes)
    size, days = len(causes) + 1, np.asarray(entry.days, float)

    def on(days: np.ndarray):
        def moved(mine: pd.DataFrame, units: Units) -> np.ndarray:
            found = walk(mine, units, size).at(days)[:, :, 1:]
            if entry.combine:
                found = (
                    found.imag * 1j
                    + (1 - _kaplan_meier(mine).survival_function_at_times(days).to_numpy())[:, None]
                )
            return found.reshape(len(found), -1)

        return moved

    label = [{"cause": cause} for cause in causes]
    long = days_of_curves(rows, tables)
    both = standardised(rows, on(np.concatenate([days, long])), tables)
    asked = len(days) * len(causes)
    found = estimates(
        {arm: each.columns(slice(asked)) for arm, each in both.items()},
        [{**each, "day": str(day)} for day in entry.days for each in label],
        tables,
        names=("probability", "risk_difference"),
        kind="log-log",
    )
    if entry.combine:
        found += _restricted_mean(rows, tables)
    over_time = {arm: each.columns(slice(asked, None)) for arm, each in both.items()}
    drawn = curves(over_time, long, label, tables, "cumulative_incidence", "log-log")
    events = [
        Count("events", int((mine["target"] == at).sum()), {"arm": arm, "cause": cause})
        for arm, mine in by_arm(rows, tables)
        for at, cause in enumerate(causes, start=1)
    ]
    return Again(
        KAPLAN_MEIER if entry.combine else METHOD,
        estimates=tuple(found),
        counts=(*sizes(rows, tables), *events, *at_risk(rows, entry.days, tables)),
        curves=tuple(drawn),
    )


def _coded(rows: pd.DataFrame, entry: IncidenceAnalysis, causes: tuple[str, ...]) -> pd.DataFrame:
    """State 0 until the event, then the state of its cause."""
    code = {cause: 1 if entry.combine else causes.index(cause) + 1 for cause in entry.event.causes}
    target = rows["cause"].map(code).fillna(NOWHERE).astype(int)
    return rows.assign(unit=rows["child_id"], source=0, target=target)


def _kaplan_meier(rows: pd.DataFrame) -> KaplanMeierFitter:
    late = rows["start"] if (rows["start"] > 0).any() else None
    return KaplanMeierFitter().fit(rows["stop"], rows["target"] != NOWHERE, entry=late)


def _restricted_mean(rows: pd.DataFrame, tables: Tables):
    horizon = tables.spec.trial.horizon_days

    def moved(mine: pd.DataFrame, units: Units) -> np.ndarray:
        curve = _kaplan_meier(mine).survival_function_.iloc[:, 0]
        curve = curve[curve.index < horizon]
        area = float(np.diff([*curve.index, horizon]) @ curve.to_numpy())
        return (walk(mine, units, 2).area(float(horizon))[:, :1].imag * 1j) + area

    return estimates(
        standardised(rows, moved, tables),
        [{"horizon": str(horizon)}],
        tables,
        names=("restricted_mean", "restricted_mean_difference"),
        kind="own",
    )
