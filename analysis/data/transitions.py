"""State history of every child in days from the clock origin: what all survival estimates are made of."""

from functools import reduce
from operator import or_

import numpy as np
import pandas as pd

from analysis.data.spells import Chained, stated_exits
from analysis.spec.states import DIED, Recurrent, States

CENSOR_CODES = {"permanent": 0, DIED: 0, "end_of_records": 1, "transferred": 2, "withdrawn": 3}
_MOVED = ("moved_file", "moved_row")
_PLACE = ("source_file", "source_row")
# On one day an exit comes before a new placement, and a death after both.
_EXIT, _PLACEMENT, _DEATH = 0, 1, 2


def derive_followup(
    chained: Chained,
    subjects: pd.DataFrame,
    withdrawals: pd.DataFrame,
    deaths: pd.Series,
    states: States,
    *,
    data_cut: pd.Timestamp,
) -> pd.DataFrame:
    """Last day of care-record follow-up of each child, and why it is the last.

    Follow-up ends at the earliest of the data cut, death, transfer to another authority, an exit whose
    destination is unknown, and the withdrawal of the records by child or family.

    Returns
    -------
    DataFrame
        Indexed by child; `end_date`, `description` (end_of_records, transferred, withdrawn, died) and the row
        of the source that says so, if there is one.
    """
    exits = stated_exits(chained, states)
    lost = exits[exits["state"].isna()]
    lost = lost.drop(columns="state").rename(columns={"censoring": "description"})
    ends = [
        pd.DataFrame(
            {"child_id": subjects["child_id"], "end_date": data_cut, "description": "end_of_records"}
        ),
        lost,
        _withdrawn(subjects, withdrawals),
        pd.DataFrame({"child_id": deaths.index, "end_date": deaths.to_numpy(), "description": DIED}),
    ]
    stacked = stack_rows(ends, ["child_id", "end_date", "description"])
    stacked = stacked[stacked["child_id"].isin(subjects["child_id"])]
    ordered = stacked.sort_values(["child_id", "end_date", "description"], kind="stable")
    return ordered.drop_duplicates("child_id").set_index("child_id")


def derive_deaths(chained: Chained, reported_events: pd.DataFrame, states: States) -> pd.Series:
    """Day of death by child, from the care records and the reported events; the earlier when both have it."""
    exits = stated_exits(chained, states)
    in_care = exits[exits["state"] == DIED].set_index("child_id")["end_date"]
    reported = reported_events[reported_events["category"] == "child_death"].dropna(subset=["child_id"])
    return pd.concat([in_care, reported.set_index("child_id")["event_date"]]).groupby("child_id").min()


def derive_transitions(
    chained: Chained,
    subjects: pd.DataFrame,
    followup: pd.DataFrame,
    deaths: pd.Series,
    states: States,
    *,
    origin: str,
) -> pd.DataFrame:
    """State intervals of every child with placements, for each basis; see table `transitions`.

    A child seen first after the clock origin enters late (`start` > 0). Intervals of no length are dropped:
    of several states on one day the last one holds. The row that says where a child moved is kept beside the
    interval it ended (`moved_file`, `moved_row`).
    """
    # Children by number, in the order of their ids: numbers are soon looked up, sorted and compared.
    children = subjects.set_index("child_id").sort_index()
    followed = Chained(_numbered(chained.rows, children), chained.respite, chained.lost)
    died = _numbered(pd.DataFrame({"child_id": deaths.index, "date": deaths.to_numpy()}), children)
    died = died[died["child"].isin(followed.rows["child"])].assign(state=DIED, order=_DEATH)
    zero = children[origin].reset_index(drop=True)
    last_day = (followup["end_date"].reindex(children.index).reset_index(drop=True) - zero).dt.days
    tables, exits = [], stated_exits(followed, states)
    for basis in states.placement:
        points = _points(followed, exits, died, states, basis)
        points["day"] = (points["date"] - points["child"].map(zero)).dt.days.clip(lower=0)
        points["last_day"] = points["child"].map(last_day)
        tables.append(_intervals(points.dropna(subset=["day", "last_day"])).assign(basis=basis))
    table = pd.concat(tables, ignore_index=True)
    child = table.pop("child")
    return table.assign(child_id=children.index[child], family_id=children["family_id"].to_numpy()[child])


def derive_events(
    transitions: pd.DataFrame, subjects: pd.DataFrame, followup: pd.DataFrame, states: States, *, origin: str
) -> pd.DataFrame:
    """Time to the first permanent placement or death, per child and basis; see table `events`.

    A child already in a permanent home at the clock origin is not at risk and has no row.
    """
    ending = {*states.permanent, DIED}
    rows = transitions.sort_values(["basis", "child_id", "start"], kind="stable")
    at_origin = rows.drop_duplicates(["basis", "child_id"])
    at_risk = at_origin.loc[~at_origin["source_state"].isin(ending), ["basis", "child_id", "start"]]
    reached = rows[rows["target_state"].isin(ending)].drop_duplicates(["basis", "child_id"])
    last = rows.drop_duplicates(["basis", "child_id"], keep="last")[["basis", "child_id", "stop"]]
    events = at_risk.merge(last, on=["basis", "child_id"]).merge(
        reached[["basis", "child_id", "stop", "target_state", *_MOVED]],
        on=["basis", "child_id"],
        how="left",
        suffixes=("", "_event"),
    )
    return _describe(events, subjects.set_index("child_id"), followup, origin)


def off_graph(transitions: pd.DataFrame, states: States) -> pd.DataFrame:
    """Rows that move along no declared edge of the state graph."""
    moves = transitions.dropna(subset=["target_state"])
    allowed = {(source, target) for source, targets in states.edges.items() for target in targets}
    pairs = pd.Series(
        list(zip(moves["source_state"], moves["target_state"], strict=True)), index=moves.index, dtype=object
    )
    return moves[~pairs.isin(allowed)]


def makes_move(rows: pd.DataFrame, declared: Recurrent) -> pd.Series:
    """Which rows end in one of the declared moves of the state graph."""
    return rows["source_state"].isin(declared.from_) & rows["target_state"].isin(declared.to)


def _withdrawn(subjects: pd.DataFrame, withdrawals: pd.DataFrame) -> pd.DataFrame:
    """Last days of the children whose records were withdrawn, by themselves or with their family."""
    full = withdrawals[withdrawals["withdrawal_level"] == "all"]
    full = full.rename(columns={"withdrawal_date": "end_date"}).assign(description="withdrawn")
    whole = full[full["child_id"].isna()].drop(columns="child_id")
    of_family = subjects[["child_id", "family_id"]].merge(whole, on="family_id")
    return stack_rows([full.dropna(subset=["child_id"]), of_family], ["child_id", "end_date", "description"])


def _numbered(rows: pd.DataFrame, children: pd.DataFrame) -> pd.DataFrame:
    """Rows of known children, with their number."""
    child = children.index.get_indexer(rows["child_id"])
    return rows.assign(child=child)[child >= 0]


def _points(
    chained: Chained, exits: pd.DataFrame, died: pd.DataFrame, states: States, basis: str
) -> pd.DataFrame:
    """Days on which a child's state is stated, with the rows that state it."""
    rows = chained.rows
    absent = rows["placement_code"].isin(states.carried_forward) & ~rows["is_first"]
    placed = rows.loc[~absent, ["child", "placement_code", "start_date", *_PLACE]]
    state = placed["placement_code"].map(states.placement_state(basis))
    placed = placed.assign(date=placed["start_date"], state=state, order=_PLACEMENT)
    left = exits.loc[exits["state"].notna(), ["child", "state", "end_date", *_PLACE]]
    left = left.assign(date=left["end_date"], order=left["state"].eq(DIED).map({True: _DEATH, False: _EXIT}))
    points = stack_rows([placed, left, died], ["child", "date", "state", "order"])
    # A death in care is stated twice; the row of the records is kept.
    return points.drop_duplicates(["child", "date", "state", "order"])


def stack_rows(parts: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    """Rows of several origins with the row of the source each came from; none where there is none."""
    typed = {"source_file": "object", "source_row": "Int64"}
    wanted = [*columns, *typed]
    filled = [part.filter(wanted) for part in parts if len(part)] or [parts[0].filter(wanted)]
    return pd.concat(filled, ignore_index=True).reindex(columns=wanted).astype(typed)


def _intervals(points: pd.DataFrame) -> pd.DataFrame:
    points = points[points["day"] <= points["last_day"]]
    child, day, state = (points[name].to_numpy() for name in ("child", "day", "state"))
    at = np.lexsort((points["order"], points["date"], child))
    at = at[_differ(child[at], day[at])[1:]]
    at = at[_differ(child[at], state[at])[:-1]]
    points, is_last = points.iloc[at], _differ(child[at])[1:]
    after = points[["day", "state", *_PLACE]].shift(-1).mask(pd.Series(is_last, index=points.index))
    table = pd.DataFrame(
        {
            "child": points["child"],
            "start": points["day"].astype("int64"),
            "stop": after["day"].fillna(points["last_day"]).astype("int64"),
            "source_state": points["state"],
            "target_state": after["state"],
            "moved_file": after["source_file"],
            "moved_row": after["source_row"],
        }
    )
    return table[(table["stop"] > table["start"]) & (table["source_state"] != DIED)]


def _differ(*columns: np.ndarray) -> np.ndarray:
    """Between which rows a column differs: before the first, between each two, after the last."""
    inside = reduce(or_, (each[1:] != each[:-1] for each in columns))
    return np.concatenate([[True], inside, [True]])[: len(columns[0]) + 1]


def _describe(
    events: pd.DataFrame, subjects: pd.DataFrame, followup: pd.DataFrame, origin: str
) -> pd.DataFrame:
    happened, child = events["target_state"].notna(), events["child_id"]
    days = events["stop_event"].where(happened, events["stop"]).astype("int64")
    why = child.map(followup["description"])
    description = why.where(~happened, "permanent").where(events["target_state"] != DIED, DIED)
    start = child.map(subjects[origin])
    return pd.DataFrame(
        {
            "child_id": child,
            "family_id": child.map(subjects["family_id"]),
            "parameter": "PERMANENCE",
            "basis": events["basis"],
            "start_date": start,
            "date": start + pd.to_timedelta(days, unit="D"),
            "entry_days": events["start"],
            "time_days": days,
            "censor_code": description.map(CENSOR_CODES),
            "cause": events["target_state"],
            "description": description,
            "source_file": events["moved_file"].where(happened, child.map(followup["source_file"])),
            "source_row": events["moved_row"].where(happened, child.map(followup["source_row"])),
        }
    )
