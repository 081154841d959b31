"""Episodes that cannot be open, and years that do not join: repaired by declared rules, each with a query.

An episode that an old return left open and no later one restated cannot be read as lasting to this day, nor
can one after which another begins. The rules and their names are those of the London tools (LIIA); where
theirs would act on an episode that contradicts nothing, ours asks for more, as their docstrings say.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.sources.findings import findings_at
from analysis.sources.request import Request
from analysis.sources.ssda903_years import days, folded, is_blank
from analysis.spec.issue import Issue

CONTINUES, STARTS, PSEUDO = "X1", "S", "E99"
DAY = pd.Timedelta(days=1)
# What a rule may ask of a neighbour on either side.
BESIDE = ("start", "end", "_rank")


@dataclass(frozen=True, slots=True)
class _Episodes:
    """Episodes in order of authority, child and start, and the columns that tell carers apart."""

    rows: pd.DataFrame
    carers: pd.DataFrame


def repair(
    rows: pd.DataFrame, made: pd.DataFrame, request: Request, *, carers: pd.DataFrame
) -> tuple[pd.DataFrame, list[Issue]]:
    """Rows with closed, cut, extended or removed episodes, and what was done to each.

    Parameters
    ----------
    rows : DataFrame
        The latest version of every episode, as text, with `_authority` and `_rank`.
    made : DataFrame
        The submissions they came in.
    request : Request
        Its source declares the repairs and their order.
    carers : DataFrame
        Columns that tell one carer from another, blank where not known; same index as `rows`.

    Short breaks are neighbours of short breaks only. An open episode of an old return that no declared rule
    closes is set aside.
    """
    state = _Episodes(_with_neighbours(_dated(rows, made, request)), carers.reindex(rows.index))
    rows, issues = rows.copy(), []
    for name in request.source.repairs:
        rule, act, message = RULES[name]
        done = act(state)
        if done.empty:
            continue
        at = pd.Series(rows.index.isin(done.index), index=rows.index)
        removed = done["end"].isna()
        # A key as it stands in the file: before the row is changed.
        issues += findings_at(
            rows, request, at, field="end_date", rule=rule, severity="query",
            action="set_aside" if name in ("3", "3A") else "repaired", message=message,
        )  # fmt: skip
        gone = done.index[removed]
        rows, changed = rows.drop(index=gone), done[~removed]
        rows.loc[changed.index, "end_date"] = changed["end"].dt.strftime("%Y-%m-%d")
        rows.loc[changed.index, "reason_ended"] = changed["reason"]
        state = _apply(state, done)
    # A first day that cannot be read is found by the checks of cells.
    stale = (state.rows["_open"] & state.rows["_is_old"]).reindex(rows.index, fill_value=False)
    issues += findings_at(
        rows, request, stale, field="end_date", rule="R47", severity="query", action="set_aside",
        message="open in an old return and never restated (rule 502); no declared repair closes it",
    )  # fmt: skip
    return rows[~stale], issues


def _dated(rows: pd.DataFrame, made: pd.DataFrame, request: Request) -> pd.DataFrame:
    """What the rules look at, in order of child and start."""
    submission = made.set_index(["_authority", "_rank"])
    at = pd.MultiIndex.from_frame(rows[["_authority", "_rank"]])
    closes = pd.to_datetime(
        submission["_year"].map("{:.0f}-03-31".format), format="%Y-%m-%d", errors="coerce"
    )
    legal = folded(rows["legal_status"])
    out = pd.DataFrame(
        {
            "_unit": rows.groupby(["_authority", folded(rows["child_id"])], sort=False).ngroup() * 2
            + legal.isin(request.spec.states.respite_legal_status),
            "_rank": rows["_rank"],
            "_is_old": rows["_rank"].to_numpy() < submission["_last_rank"].reindex(at).to_numpy(),
            "start": days(rows["start_date"]),
            "end": days(rows["end_date"]),
            "_open": is_blank(rows["end_date"]),
            "reason": rows["reason_ended"],
            "new": folded(rows["reason_new"]),
            "same": folded(rows["placement_code"]) + "/" + legal,
            "closes": closes.reindex(at).to_numpy(),
        },
        index=rows.index,
    )
    return out[out["start"].notna()].sort_values(["_unit", "start"], kind="stable")


def _with_neighbours(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with columns of the child's next row (`next...`) and of the one before (`before...`).

    A row of the same first day is no neighbour: it is the same episode once more, or a contradiction, and
    both must come out of a repair alike to be told as one.
    """
    own = rows[[name for name in rows if not name.startswith(("next", "before"))]].assign(_at=rows.index)
    begins = (own[["_unit", "start"]] != own[["_unit", "start"]].shift()).any(axis=1).to_numpy()
    day, first = np.cumsum(begins) - 1, np.flatnonzero(begins)
    after, before = np.append(first, len(own))[day + 1], first[day] - 1
    return own.assign(
        **_beside("next", own, after, (*BESIDE, "new", "same", "_at")),
        **_beside("before", own, before, BESIDE),
    )


def _beside(side: str, own: pd.DataFrame, at: np.ndarray, names: tuple[str, ...]) -> dict[str, pd.Series]:
    """Columns of the rows at these positions, missing where that is none of the same child."""
    units = own["_unit"].to_numpy()
    there = (at >= 0) & (at < len(own))
    there[there] = units[at[there]] == units[there]
    position = np.where(there, at, 0)
    return {
        f"{side}{name}": own[name].iloc[position].set_axis(own.index).where(there) if len(own) else own[name]
        for name in names
    }


def _apply(state: _Episodes, done: pd.DataFrame) -> _Episodes:
    gone = done.index[done["end"].isna()]
    rows = state.rows.drop(index=gone)
    kept = done.drop(index=gone)
    rows.loc[kept.index, "end"], rows.loc[kept.index, "reason"] = kept["end"], kept["reason"]
    rows.loc[kept.index, "_open"] = False
    return _Episodes(_with_neighbours(rows), state.carers)


def _impossible(rows: pd.DataFrame) -> pd.Series:
    """Open, although the return is not the authority's last or a later episode began (rule 142)."""
    return rows["_open"] & (rows["_is_old"] | (rows["nextstart"] > rows["start"]))


def _removed(rows: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"end": pd.NaT, "reason": ""}, index=rows.index).astype({"end": "datetime64[ns]"})


def _closed(rows: pd.DataFrame, end: pd.Series, reason: str) -> pd.DataFrame:
    return pd.DataFrame({"end": end, "reason": reason}, index=rows.index).astype({"end": "datetime64[ns]"})


def _duplicate(state: _Episodes) -> pd.DataFrame:
    """RULE_3: a later return has the episode from another day, and the carer is known to be the same."""
    rows, carers = state.rows, state.carers.reindex(state.rows.index)
    other = carers.reindex(rows["next_at"].fillna(-1).astype("int64")).set_axis(rows.index)
    same = ((carers == other) & (carers != "")).any(axis=1) & ((carers == other) | (carers == "")).all(axis=1)
    alike = same & (rows["same"] == rows["nextsame"]) & (rows["new"] == rows["nextnew"])
    return _removed(rows[_impossible(rows) & alike & (rows["next_rank"] > rows["_rank"])])


def _covered(state: _Episodes) -> pd.DataFrame:
    """RULE_3A: a later return has an episode that began before this one and still ran on its first day."""
    rows = state.rows
    runs = rows["beforestart"].notna() & ~(rows["beforeend"] <= rows["start"])
    return _removed(rows[_impossible(rows) & runs & (rows["before_rank"] > rows["_rank"])])


def _never_followed(state: _Episodes) -> pd.DataFrame:
    """RULE_2: no later episode; the child was last known to be there on the last day of the return's year."""
    rows = state.rows[_impossible(state.rows) & state.rows["nextstart"].isna()]
    return _closed(rows, rows["closes"].where(rows["closes"] >= rows["start"], rows["start"]), PSEUDO)


def _new_start(state: _Episodes) -> pd.DataFrame:
    """RULE_1A: the next episode is a new start; nobody knows when this one ended before it."""
    rows = state.rows[_impossible(state.rows) & (state.rows["nextnew"] == STARTS)]
    end = rows["closes"].where(rows["closes"] < rows["nextstart"], rows["nextstart"] - DAY)
    return _closed(rows, end.where(end >= rows["start"], rows["start"]), PSEUDO)


def _next_placement(state: _Episodes) -> pd.DataFrame:
    """RULE_1: the next episode goes on; this one ended when it began."""
    goes_on = state.rows["nextstart"].notna() & (state.rows["nextnew"] != STARTS)
    rows = state.rows[_impossible(state.rows) & goes_on]
    return _closed(rows, rows["nextstart"], CONTINUES)


def _across(rows: pd.DataFrame) -> pd.Series:
    return rows["nextstart"].notna() & ~rows["_open"] & (rows["_rank"] != rows["next_rank"])


def _overlap(state: _Episodes) -> pd.DataFrame:
    """RULE_4: in another return the next episode begins before this one ends."""
    late = (state.rows["end"] > state.rows["nextstart"]) & (state.rows["nextstart"] > state.rows["start"])
    rows = state.rows[_across(state.rows) & late]
    return pd.DataFrame(
        {"end": rows["nextstart"], "reason": rows["reason"].where(rows["nextnew"] == STARTS, CONTINUES)}
    )


def _gap(state: _Episodes) -> pd.DataFrame:
    """RULE_5: another episode was to follow; in another return it begins later, and not as a start."""
    announced = (folded(state.rows["reason"]) == CONTINUES) & (state.rows["nextnew"] != STARTS)
    rows = state.rows[_across(state.rows) & announced & (state.rows["end"] < state.rows["nextstart"])]
    return _closed(rows, rows["nextstart"], CONTINUES)


RULES: dict[str, tuple[str, Callable[[_Episodes], pd.DataFrame], str]] = {
    "3": (
        "R40",
        _duplicate,
        "open, and the same episode with another first day is in a later return (RULE_3)",
    ),
    "3A": ("R41", _covered, "open, and an episode of a later return began before it and still ran (RULE_3A)"),
    "2": (
        "R42",
        _never_followed,
        "open in an old return and never restated (rule 502): closed with its year (RULE_2)",
    ),
    "1A": (
        "R43",
        _new_start,
        "open, and a new period of care follows (rule 142): closed before it (RULE_1A)",
    ),
    "1": (
        "R44",
        _next_placement,
        "open, and another episode follows (rule 142): closed when it begins (RULE_1)",
    ),
    "4": (
        "R45",
        _overlap,
        "overlaps the next episode, of another return (rule 501): cut to its first day (RULE_4)",
    ),
    "5": (
        "R46",
        _gap,
        "the next episode, of another return, begins later (rule 388): extended to it (RULE_5)",
    ),
}
