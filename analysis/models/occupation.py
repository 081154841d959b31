"""Where the children are: occupation of the reversible state graph, and days spent in each state."""

import numpy as np
import pandas as pd

from analysis.data.transitions import makes_move
from analysis.errors import ModelError
from analysis.models.answer import result_of
from analysis.models.curves import (
    Cells,
    arm_quantities,
    at_risk,
    curve_times,
    difference_curve,
    estimates_by_arm,
    step_curves,
)
from analysis.models.events import clock_sentence, from_origin
from analysis.models.groups import Data, add_stratum, cells, select, sizes, stratum_sentence
from analysis.results import Curve, Estimate, Result
from analysis.spec.declarations import Spec
from analysis.spec.event_entries import OccupationAnalysis
from analysis.spec.states import Recurrent, States
from analysis.stats.multistate import Occupation, aalen_johansen, occupation_at, time_in_state

FAMILY_HOME = "family_home"
CENSORED = -1
RETURNED = "returned"


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
        Curves `occupation` and, with a `band`, `family_home_difference`; `occupation` and
        `occupation_difference` per day, with `never_returned` the same of the family-home states before any
        return to care; `days_in_state` and `days_difference`; all also of the state ``family_home``.

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
    if entry.origin:
        zero = rows[spec.trial.clock_origin.field]
        rows = from_origin(rows, zero, entry.origin, start="start", stop="stop")
    rows = add_stratum(rows, entry.strata)
    fitted = {(cell.arm, cell.stratum): _curve(cell.rows, spec.states) for cell in cells(rows, data)}
    states = [("state", name, position) for position, name in enumerate(spec.states.states)]
    days = np.asarray(entry.days, dtype=float)
    read = np.kron(np.eye(len(days)), _with_home(spec.states))
    at_days = arm_quantities(fitted, rows, lambda curve: occupation_at(curve, days).transform(read))
    horizon = float(entry.horizon_days)
    spent = arm_quantities(fitted, rows, lambda curve: _days(curve, horizon, spec.states))
    homes = [*states, ("state", FAMILY_HOME, len(states))]
    return result_of(
        entry,
        data,
        method=_method(entry, spec),
        counts=(*sizes(rows, data), *at_risk(fitted, entry.days)),
        estimates=(
            *estimates_by_arm(
                at_days,
                homes,
                entry.days,
                data,
                spec,
                name="occupation",
                difference_name="occupation_difference",
            ),
            *_never_returned(rows, entry, data, spec),
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
        curves=(
            *step_curves(fitted, rows, states, spec, name="occupation"),
            *_home_difference(fitted, rows, entry, data, spec),
        ),
        notes=(note for curve in fitted.values() for note in curve.notes),
    )


def _curve(rows: pd.DataFrame, states: States) -> Occupation:
    code = {name: position for position, name in enumerate(states.states)}
    source = rows["source_state"].map(code).to_numpy()
    target = rows["target_state"].map(code).fillna(CENSORED).astype(int).to_numpy()
    return _occupation(rows, source, target, len(code))


def _occupation(rows: pd.DataFrame, source: np.ndarray, target: np.ndarray, n_states: int) -> Occupation:
    return aalen_johansen(
        rows["child_id"].to_numpy(),
        rows["start"].to_numpy(float),
        rows["stop"].to_numpy(float),
        source,
        target,
        n_states,
        cluster=rows["family_id"].to_numpy(),
    )


def _home_difference(
    fitted: Cells, rows: pd.DataFrame, entry: OccupationAnalysis, data: Data, spec: Spec
) -> tuple[Curve, ...]:
    """Difference between arms in the probability of a permanent family home, over time."""
    if not (entry.band and data.arms):
        return ()
    times = curve_times(fitted, spec)
    home = np.isin(spec.states.states, spec.states.family_home).astype(float)
    read = np.kron(np.eye(len(times)), home)
    quantities = arm_quantities(fitted, rows, lambda curve: occupation_at(curve, times).transform(read))
    return difference_curve(quantities, times, data, spec, entry.band, name="family_home_difference")


def _never_returned(rows: pd.DataFrame, entry: OccupationAnalysis, data: Data, spec: Spec) -> list[Estimate]:
    """Probability of being in each family-home state, and in any, without a return to care before."""
    if not entry.never_returned:
        return []
    names, size = spec.states.states, len(spec.states.states)
    rows = _with_returns(rows, spec.states.recurrent[entry.never_returned])
    fitted = {
        (cell.arm, cell.stratum): _curve_by_return(cell.rows, spec.states) for cell in cells(rows, data)
    }
    days = np.asarray(entry.days, dtype=float)
    homes = [names.index(name) for name in spec.states.family_home]
    # Per day: each family-home state before any return, then their sum.
    first = np.vstack([np.eye(2 * size)[homes], np.isin(np.arange(2 * size), homes).astype(float)])
    read = np.kron(np.eye(len(days)), first)
    quantities = arm_quantities(fitted, rows, lambda curve: occupation_at(curve, days).transform(read))
    states = [("state", name, at) for at, name in enumerate((*spec.states.family_home, FAMILY_HOME))]
    return estimates_by_arm(
        quantities,
        states,
        entry.days,
        data,
        spec,
        name="occupation_never_returned",
        difference_name="occupation_never_returned_difference",
    )


def _with_returns(rows: pd.DataFrame, declared: Recurrent) -> pd.DataFrame:
    """Rows, ordered by child and start, with whether the child had returned to care before and after each."""
    after = makes_move(rows, declared).groupby(rows["child_id"], sort=False).cummax()
    before = after.groupby(rows["child_id"], sort=False).shift(fill_value=False)
    return rows.assign(**{f"{RETURNED}_before": before, f"{RETURNED}_after": after})


def _curve_by_return(rows: pd.DataFrame, states: States) -> Occupation:
    """Occupation of the graph that has every state twice: before the first return to care, and after."""
    code, size = {name: position for position, name in enumerate(states.states)}, len(states.states)
    source = rows["source_state"].map(code) + size * rows[f"{RETURNED}_before"]
    target = rows["target_state"].map(code) + size * rows[f"{RETURNED}_after"]
    return _occupation(rows, source.to_numpy(int), target.fillna(CENSORED).to_numpy(int), 2 * size)


def _days(curve: Occupation, horizon: float, states: States):
    """Days in each state, and last the days in any permanent family home."""
    return time_in_state(curve, horizon).transform(_with_home(states))


def _with_home(states: States) -> np.ndarray:
    """Rows that read each state and, last, any permanent family home, (S + 1, S)."""
    home = np.isin(states.states, states.family_home).astype(float)
    return np.vstack([np.eye(len(states.states)), home])


def _band_sentence(entry: OccupationAnalysis) -> str:
    if not entry.band:
        return ""
    return (
        f" The band of the difference over time holds all days together: {entry.band.draws:,d} draws of "
        "normal multipliers on the influence of families (Lin, Fleming & Wei 1994)."
    )


def _method(entry: OccupationAnalysis, spec: Spec) -> str:
    home = ", ".join(spec.codelists["state"][name].lower() for name in spec.states.family_home)
    return (
        f"Aalen-Johansen occupation probabilities of the reversible state graph by {entry.basis} date, "
        f"ties exact; days to day {entry.horizon_days} are areas under the curves. "
        f"A permanent family home is {home}. "
        f"{stratum_sentence(entry.strata)} Standard errors robust to dependence within "
        "families (infinitesimal jackknife summed by family); limits of each probability on its "
        f"own log-log scale, of differences and days on their own.{_band_sentence(entry)}"
        f"{clock_sentence(entry.origin)}"
    )
