"""Times to events that stand on another clock or date than the first permanent placement by order or move."""

from collections.abc import Mapping

import pandas as pd

from analysis.data.transitions import CENSOR_CODES, makes_move
from analysis.spec.states import DECISION, DIED, States

_PLACE = ["source_file", "source_row"]


def derive_decisions(events: pd.DataFrame, proceedings: pd.DataFrame, states: States) -> pd.DataFrame:
    """Time to the decision about permanence: the final order for a route, or the legal date if earlier.

    A child whose family's order was made by the clock origin is not at risk and has no row.

    Parameters
    ----------
    events : DataFrame
        Rows of `events` with the legal date.
    proceedings : DataFrame
        Clean court cases; several of one family count by their first final order for a route.
    states : States
        Which final orders decide for which route.
    """
    orders = proceedings.assign(cause=proceedings["order_type"].map(states.decided_state()))
    orders = orders.dropna(subset=["cause", "final_order_date"])
    orders = orders.sort_values(["family_id", "final_order_date", *_PLACE], kind="stable")
    first = orders.drop_duplicates("family_id").set_index("family_id")
    rows = events[events["basis"] == "legal"].assign(basis=DECISION)
    ordered = rows["family_id"].map(first["final_order_date"])
    day = (ordered - rows["start_date"]).dt.days
    at_risk = ~(day <= rows["entry_days"])
    rows, ordered, day = rows[at_risk], ordered[at_risk], day[at_risk]
    decided = (day < rows["time_days"]) | ((day == rows["time_days"]) & rows["cause"].isna())
    return rows.assign(
        date=ordered.where(decided, rows["date"]),
        time_days=day.where(decided, rows["time_days"]).astype("int64"),
        censor_code=rows["censor_code"].where(~decided, 0),
        cause=rows["family_id"].map(first["cause"]).where(decided, rows["cause"]),
        description=rows["description"].where(~decided, "decided"),
        **{name: rows["family_id"].map(first[name]).where(decided, rows[name]) for name in _PLACE},
    )


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
    return table.reset_index(drop=True)
