"""Times to events that stand on another clock or date than the first permanent placement by order or move."""

from collections.abc import Mapping

import pandas as pd

from analysis.data.transitions import CENSOR_CODES, makes_move
from analysis.spec.states import DECISION, DIED, States

_PLACE = ["source_file", "source_row"]
_TYPES = {"cause": "object", "source_file": "object", "source_row": "Int64"}


def derive_decisions(
    events: pd.DataFrame, proceedings: pd.DataFrame, adoption_decisions: pd.DataFrame, states: States
) -> pd.DataFrame:
    """Time to the decision about permanence: the earliest of order, authority's decision and legal date.

    A child about whom it was decided by the clock origin is not at risk and has no row.

    Parameters
    ----------
    events : DataFrame
        Rows of `events` with the legal date.
    proceedings : DataFrame
        Clean court cases; several of one family count by their first final order for a route.
    adoption_decisions : DataFrame
        Clean decisions of the authority about single children; one reversed later was made all the same.
    states : States
        Which final orders and decisions decide for which route.
    """
    orders = proceedings.assign(cause=proceedings["order_type"].map(states.decided_state()))
    steps = adoption_decisions.assign(cause=adoption_decisions["step"].map(states.step_state()))
    rows = events[events["basis"] == "legal"].assign(basis=DECISION)
    ordered = _first(orders, "final_order_date", "family_id").reindex(rows["family_id"]).set_axis(rows.index)
    stepped = _first(steps, "step_date", "child_id").reindex(rows["child_id"]).set_axis(rows.index)
    own = ordered["date"].isna() | (stepped["date"] < ordered["date"])
    made = ordered.where(~own, stepped)
    day = (made["date"] - rows["start_date"]).dt.days
    at_risk = ~(day <= rows["entry_days"])
    rows, made, day = rows[at_risk], made[at_risk], day[at_risk]
    decided = (day < rows["time_days"]) | ((day == rows["time_days"]) & rows["cause"].isna())
    judged = rows.assign(
        date=made["date"].where(decided, rows["date"]),
        time_days=day.where(decided, rows["time_days"]).astype("int64"),
        censor_code=rows["censor_code"].where(~decided, 0),
        cause=made["cause"].where(decided, rows["cause"]),
        description=rows["description"].where(~decided, "decided"),
        **{name: made[name].where(decided, rows[name]) for name in _PLACE},
    )
    return judged.astype(_TYPES)


def _first(decisions: pd.DataFrame, day: str, unit: str) -> pd.DataFrame:
    """The first decision for a route of each unit: its `date`, `cause` and row of the source."""
    known = decisions.dropna(subset=["cause", day]).rename(columns={day: "date"})
    ordered = known.sort_values([unit, "date", *_PLACE], kind="stable").drop_duplicates(unit)
    return ordered.set_index(unit)[["date", "cause", *_PLACE]]


def derive_waits(
    transitions: pd.DataFrame, subjects: pd.DataFrame, followup: pd.DataFrame, states: States, *, origin: str
) -> pd.DataFrame:
    """Time from first entering a state to the declared return, in the form of `events`.

    The children who got there are a subset that randomisation did not make.
    """
    people = subjects.set_index("child_id")
    parts = [
        _wait(parameter, transitions, people, followup, each.state, states, origin=origin)
        for parameter, each in states.after.items()
    ]
    return pd.concat(parts, ignore_index=True)


def _wait(
    parameter: str,
    transitions: pd.DataFrame,
    people: pd.DataFrame,
    followup: pd.DataFrame,
    state: str,
    states: States,
    *,
    origin: str,
) -> pd.DataFrame:
    returns = states.recurrent[states.after[parameter].until]
    rows = transitions[transitions["basis"] == returns.basis]
    rows = rows.sort_values(["child_id", "start"], kind="stable")
    entered = rows[rows["target_state"] == state].drop_duplicates("child_id")
    zero = entered.set_index("child_id")["stop"]
    later = rows[rows["start"] >= rows["child_id"].map(zero)]
    ends = makes_move(later, returns) | (later["target_state"] == DIED)
    ended = later[ends].drop_duplicates("child_id").set_index("child_id")
    last = later.drop_duplicates("child_id", keep="last").set_index("child_id")
    child = last.index.to_series()
    happened = child.isin(ended.index)
    stop = child.map(ended["stop"]).where(happened, last["stop"])
    cause = child.map(ended["target_state"]).where(happened, None)
    description = child.map(followup["description"]).where(~happened, "returned").where(cause != DIED, DIED)
    start = child.map(people[origin]) + pd.to_timedelta(child.map(zero), unit="D")
    days = (stop - child.map(zero)).astype("int64")
    source: Mapping[str, pd.Series] = {
        name: child.map(ended[moved]).where(happened, child.map(followup[name]))
        for name, moved in zip(_PLACE, ("moved_file", "moved_row"), strict=True)
    }
    table = pd.DataFrame(
        {
            "child_id": child,
            "family_id": child.map(people["family_id"]),
            "parameter": parameter,
            "basis": returns.basis,
            "start_date": start,
            "date": start + pd.to_timedelta(days, unit="D"),
            "entry_days": 0,
            "time_days": days,
            "censor_code": description.map({**CENSOR_CODES, "returned": 0}),
            "cause": cause,
            "description": description,
            **source,
        }
    )
    # Columns without a value have no type of their own.
    return table.reset_index(drop=True).astype(_TYPES)
