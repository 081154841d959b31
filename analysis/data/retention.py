"""Visits and withdrawals as they stood on the day of the data cut."""

from collections.abc import Mapping, Sequence

import pandas as pd

from analysis.data.due import ATTENDED, MISSED, WITHDRAWN
from analysis.data.subjects import withdrawal_days
from analysis.spec.trial import Trial, Visit

VISIT_COLUMNS = [
    *("child_id", "family_id", "visit", "opens_date", "closes_date", "due_date", "visit_date"),
    *("is_due", "standing"),
]
FAMILY_COLUMNS = [
    *("family_id", "start_date", "time_days", "is_withdrawn", "ended_by", "withdrawal_level", "reason"),
]


def derive_visits(
    people: pd.DataFrame,
    tables: Mapping[str, pd.DataFrame],
    deaths: pd.Series,
    trial: Trial,
    *,
    data_cut: pd.Timestamp,
) -> pd.DataFrame:
    """Table `visits`: every visit of every child randomised by the cut, and how it stood then.

    A visit that was attended by the cut stands by the day of attendance. Any other is not yet due while its
    window is open, and every window closes with the trial's own last cut. After that death explains it, then
    what was recorded, then a withdrawal before the window closed.
    """
    there = people[people["randomisation_date"] <= data_cut]
    windows = pd.concat([_windows(there, visit) for visit in trial.visits], ignore_index=True)
    windows["closes_date"] = windows["closes_date"].clip(upper=pd.Timestamp(trial.data_cut))
    recorded = tables["assessments"][["child_id", "visit", "due_date", "visit_date", "status"]]
    rows = windows.merge(recorded, on=["child_id", "visit"], how="left")
    rows["visit_date"] = rows["visit_date"].where(rows["visit_date"] <= data_cut)
    rows = rows.assign(is_due=rows["closes_date"] <= data_cut)
    left = withdrawal_days(rows, tables["withdrawals"])
    rows["standing"] = _standing(rows, left, rows["child_id"].map(deaths))
    return rows[VISIT_COLUMNS]


def derive_retention(
    people: pd.DataFrame,
    visits: pd.DataFrame,
    withdrawals: pd.DataFrame,
    deaths: pd.Series,
    schedule: Sequence[Visit],
    *,
    data_cut: pd.Timestamp,
) -> pd.DataFrame:
    """Table `retention`: every family randomised by the cut, until it withdrew or could no more.

    A family withdraws with its own withdrawal or the last of those of all its children. It is followed to the
    data cut, its removal, the death of all its children, and to its last visit: the day on which the last of
    the children who came did, or else the day on which the window closed.
    """
    there = people[people["randomisation_date"] <= data_cut]
    families = there.groupby("family_id").agg(
        start_date=("randomisation_date", "first"), removed=("removed_date", "first")
    )
    last = visits[visits["visit"] == schedule[-1].id].groupby("family_id")
    completed = last["visit_date"].max().fillna(last["closes_date"].max()).reindex(families.index)
    ends = pd.DataFrame(
        {
            "completed": completed,
            "removed": families["removed"],
            "died": _when_all(there, there["child_id"].map(deaths)),
            "data_cut": data_cut,
        }
    )
    first = _family_withdrawals(there, withdrawals).reindex(families.index)
    end = ends.min(axis=1)
    gone = first["withdrawal_date"] <= end
    last_day = first["withdrawal_date"].where(gone, end)
    # A family seen on its first day only counts as seen for a day.
    days = (last_day - families["start_date"]).dt.days.clip(lower=1)
    return families.assign(
        time_days=days.astype("int64"),
        is_withdrawn=gone,
        ended_by=ends.eq(end, axis=0).idxmax(axis=1).mask(gone, "withdrew"),
        withdrawal_level=first["withdrawal_level"].where(gone),
        reason=first["reason"].where(gone),
    ).reset_index()[FAMILY_COLUMNS]


def _windows(people: pd.DataFrame, visit: Visit) -> pd.DataFrame:
    origin = people[visit.origin]
    return people[["child_id", "family_id"]].assign(
        visit=visit.id,
        opens_date=origin + pd.Timedelta(days=visit.from_days),
        closes_date=origin + pd.Timedelta(days=visit.to_days),
    )


def _standing(rows: pd.DataFrame, left: pd.Series, died: pd.Series) -> pd.Series:
    """The first that holds, from the end: what is put in later goes before."""
    came, status = rows["visit_date"].notna(), rows["status"]
    standing = pd.Series("overdue", index=rows.index, dtype=object)
    standing = standing.mask(left <= rows["closes_date"], "withdrawn")
    standing = standing.mask(status == MISSED, "missed").mask(status == WITHDRAWN, "withdrawn")
    standing = standing.mask(died <= rows["closes_date"], "died")
    standing = standing.mask(status == ATTENDED, "undated")
    standing = standing.mask(~rows["is_due"], "not_due")
    standing = standing.mask(came, "in_window")
    standing = standing.mask(came & (rows["visit_date"] < rows["opens_date"]), "early")
    return standing.mask(came & (rows["visit_date"] > rows["closes_date"]), "late")


def _when_all(people: pd.DataFrame, days: pd.Series) -> pd.Series:
    """Day by which something had happened to all children of each family."""
    by_family = days.groupby(people["family_id"])
    return by_family.max().where(by_family.count() == by_family.size())


def _family_withdrawals(people: pd.DataFrame, withdrawals: pd.DataFrame) -> pd.DataFrame:
    """The first withdrawal of each family as a whole, with its level and reason."""
    columns = ["family_id", "withdrawal_date", "withdrawal_level", "reason"]
    whole = withdrawals["child_id"].isna()
    own = withdrawals[~whole].sort_values(["withdrawal_date", "withdrawal_id"], kind="stable")
    own = own.drop_duplicates("child_id").set_index("child_id")
    by_child = people["child_id"].map(own["withdrawal_date"])
    together = _when_all(people, by_child).dropna()
    last = own.sort_values(["withdrawal_date", "withdrawal_id"], kind="stable").drop_duplicates(
        "family_id", keep="last"
    )
    parts = [withdrawals.loc[whole, columns], last.loc[last["family_id"].isin(together.index), columns]]
    stacked = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    ordered = stacked.sort_values(["family_id", "withdrawal_date", "withdrawal_level"], kind="stable")
    return ordered.drop_duplicates("family_id").set_index("family_id")
