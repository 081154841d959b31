"""Placement rows -> spells in care.

Days are half-open: a placement holds on [start, end). Rows of short breaks leave before rows are chained,
because they would otherwise look like exits. A row continues the spell when it starts on the day the last one
ended.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.spec.states import States


@dataclass(frozen=True, slots=True)
class Chained:
    """Placement rows in order of child and start, each with its spell; and the rows that are none of them.

    `respite` are the rows of short breaks, `lost` those before a child was lost and seen again.
    """

    rows: pd.DataFrame
    respite: pd.DataFrame
    lost: pd.DataFrame


def chain(placements: pd.DataFrame, states: States) -> Chained:
    """Placement rows chained into spells.

    Parameters
    ----------
    placements : DataFrame
        Clean typed rows of `placements`.
    states : States
        Which legal statuses are short breaks, and how many days may lie between two rows of one spell.

    Returns
    -------
    Chained
        Rows with the added columns `spell` (1, 2, ... per child), `is_first` and `is_last` of the spell.
    """
    breaks = placements["legal_status"].isin(states.respite_legal_status)
    rows = placements[~breaks].sort_values(["child_id", "start_date"], kind="stable").reset_index(drop=True)
    by_child = rows.groupby("child_id", sort=False)
    gap = (rows["start_date"] - by_child["end_date"].shift()).dt.days
    rows["is_first"] = ~(gap <= states.gap_tolerance_days)
    rows["spell"] = rows["is_first"].groupby(rows["child_id"], sort=False).cumsum()
    rows["is_last"] = rows["is_first"].shift(-1, fill_value=True)
    return Chained(rows, placements[breaks], rows[:0])


def since_origin(chained: Chained, origins: pd.Series, states: States) -> Chained:
    """Rows that count from each child's clock origin on.

    A child lost before the origin (transferred, destination unknown) and placed again later was under
    observation again: what came before the loss is left out. It neither ends follow-up nor fills the gap.

    Parameters
    ----------
    chained : Chained
        Rows of `chain`.
    origins : Series
        Child -> clock origin.
    states : States
        Exit code -> state, or reason for censoring.
    """
    rows = chained.rows
    exits = stated_exits(chained, states)
    lost = exits[exits["state"].isna() & (exits["end_date"] < exits["child_id"].map(origins))]
    lost = lost[lost["spell"] < lost["child_id"].map(rows.groupby("child_id")["spell"].max())]
    last_lost = rows["child_id"].map(lost.groupby("child_id")["spell"].max())
    before = rows["spell"] <= last_lost
    return Chained(rows[~before].reset_index(drop=True), chained.respite, rows[before])


def derive_spells(chained: Chained, families: pd.Series, states: States) -> pd.DataFrame:
    """One row per spell in care; see table `spells`.

    Parameters
    ----------
    chained : Chained
        Rows of `chain`.
    families : Series
        Child -> family.
    states : States
        Exit code -> state.
    """
    rows = chained.rows
    # The rows of a spell lie together, so that the k-th first and the k-th last one are of one spell.
    first, last = (rows[rows[end]].reset_index() for end in ("is_first", "is_last"))
    return pd.DataFrame(
        {
            "child_id": first["child_id"],
            "spell": first["spell"],
            "start_date": first["start_date"],
            "end_date": last["end_date"],
            "days": (last["end_date"] - first["start_date"]).dt.days.astype("Int64"),
            "n_placements": last["index"] - first["index"] + 1,
            "exit_state": last["reason_ended"].map(states.exit_state()),
            "exit_code": last["reason_ended"],
            "is_left_truncated": first["reason_new"] != "S",
            "source_file": last["source_file"],
            "source_row": last["source_row"],
            "family_id": first["child_id"].map(families),
        }
    )


def stated_exits(chained: Chained, states: States) -> pd.DataFrame:
    """Last rows of closed spells with `state` (the state entered) or, when follow-up ends there, `censoring`.

    A spell whose last row says that another placement follows, when none does, ends follow-up: where the
    child went is not known.
    """
    rows = chained.rows
    closed = rows[rows["is_last"] & rows["end_date"].notna()].copy()
    closed["state"] = closed["reason_ended"].map(states.exit_state())
    reasons = closed["reason_ended"].map(states.censoring_reason()).fillna("end_of_records")
    closed["censoring"] = np.where(closed["state"].isna(), reasons, None)
    return closed
