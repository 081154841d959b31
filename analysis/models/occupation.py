"""Where the children are: occupation of the reversible state graph, and days spent in each state."""

import numpy as np
import pandas as pd

from analysis.errors import ModelError
from analysis.models.curves import arm_quantities, at_risk, estimates_by_arm, step_curves
from analysis.models.groups import Data, add_stratum, cells, select, sizes, stratum_sentence
from analysis.results import Result
from analysis.spec.declarations import Spec
from analysis.spec.sap import OccupationAnalysis
from analysis.spec.states import States
from analysis.stats.multistate import Occupation, aalen_johansen, occupation_at, time_in_state

FAMILY_HOME = "family_home"
CENSORED = -1


def fit(entry: OccupationAnalysis, data: Data, spec: Spec) -> Result:
    """Probability of each state by each day and mean days in it up to the horizon, by arm and as difference.

    Every randomised and eligible child with care records counts, returns to care included, so the comparison
    is by intention to treat.

    Parameters
    ----------
    entry : OccupationAnalysis
        Basis of the dates, strata, days and horizon of the plan.
    data : Pooled or Allocated
        Without arms the pooled curves, and no difference.
    spec : Spec
        The declarations, among them the states and which of them are a permanent family home.

    Returns
    -------
    Result
        Curves `occupation`; `occupation` and `occupation_difference` per day; `days_in_state` and
        `days_difference`, also of the state ``family_home``.

    Raises
    ------
    ModelError
        If nobody has a history, or an arm is absent from a stratum.

    Source
    ------
    Aalen & Johansen (1978); Datta & Satten (2001), Stat Probab Lett 55:403; family-robust variance from the
    infinitesimal jackknife.
    """
    rows = select(data, "transitions", entry.population)
    rows = rows[rows["basis"] == entry.basis].sort_values(["child_id", "start"], kind="stable")
    if rows.empty:
        raise ModelError(f"nobody of population {entry.population} has a history by {entry.basis} date.")
    rows = add_stratum(rows, entry.strata)
    fitted = {(cell.arm, cell.stratum): _curve(cell.rows, spec.states) for cell in cells(rows, data)}
    states = [("state", name, position) for position, name in enumerate(spec.states.states)]
    days = np.asarray(entry.days, dtype=float)
    at_days = arm_quantities(fitted, rows, lambda curve: occupation_at(curve, days))
    horizon = float(entry.horizon_days)
    spent = arm_quantities(fitted, rows, lambda curve: _days(curve, horizon, spec.states))
    homes = [*states, ("state", FAMILY_HOME, len(states))]
    return Result(
        analysis=entry.id,
        family=entry.family,
        title=entry.title,
        audience=data.audience,
        estimand=entry.estimand,
        timing=entry.timing,
        method=_method(entry, spec),
        counts=(*sizes(rows, data), *at_risk(fitted, entry.days)),
        estimates=(
            *estimates_by_arm(
                at_days,
                states,
                entry.days,
                data,
                spec,
                name="occupation",
                difference_name="occupation_difference",
            ),
            *estimates_by_arm(
                spent,
                homes,
                None,
                data,
                spec,
                name="days_in_state",
                difference_name="days_difference",
                unit="days",
            ),
        ),
        curves=step_curves(fitted, rows, states, spec, name="occupation"),
        notes=tuple(dict.fromkeys(note for curve in fitted.values() for note in curve.notes)),
    )


def _curve(rows: pd.DataFrame, states: States) -> Occupation:
    code = {name: position for position, name in enumerate(states.states)}
    return aalen_johansen(
        rows["child_id"].to_numpy(),
        rows["start"].to_numpy(float),
        rows["stop"].to_numpy(float),
        rows["source_state"].map(code).to_numpy(),
        rows["target_state"].map(code).fillna(CENSORED).astype(int).to_numpy(),
        len(states.states),
        cluster=rows["family_id"].to_numpy(),
    )


def _days(curve: Occupation, horizon: float, states: States):
    """Days in each state, and last the days in any permanent family home."""
    size = len(states.states)
    home = np.isin(states.states, states.family_home).astype(float)
    return time_in_state(curve, horizon).transform(np.vstack([np.eye(size), home]))


def _method(entry: OccupationAnalysis, spec: Spec) -> str:
    home = ", ".join(spec.codelists["state"][name].lower() for name in spec.states.family_home)
    return (
        f"Aalen-Johansen occupation probabilities of the reversible state graph by {entry.basis} date, "
        f"ties exact; days to day {entry.horizon_days} are areas under the curves. "
        f"A permanent family home is {home}. "
        f"{stratum_sentence(entry.strata, spec)} Standard errors robust to dependence within "
        "families (infinitesimal jackknife summed by family); limits of each probability on its "
        "own log-log scale, of differences and days on their own."
    )
