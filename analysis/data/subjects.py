"""One row per child: ids, strata, dates, follow-up and population flags."""

import pandas as pd

from analysis.data.ages import DAYS_PER_MONTH
from analysis.spec.declarations import Spec
from analysis.spec.sap import Condition


def derive_people(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Children with the site, epoch and dates of their family; no follow-up or population yet."""
    families = tables["families"][
        ["family_id", "site", "local_authority", "epoch", "randomisation_date", "removed_date"]
    ]
    children = tables["children"].drop(columns=["source_file", "source_row"])
    people = children.merge(families, on="family_id", how="left", validate="many_to_one")
    age = (people["randomisation_date"] - people["birth_date"]).dt.days / DAYS_PER_MONTH
    joined = people["joined_date"].notna()
    # A baseline variable: siblings who joined later are not in it.
    sizes = (~joined).groupby(people["family_id"]).transform("sum")
    return people.assign(age_months=age, n_siblings=sizes, is_late_joiner=joined)


def derive_subjects(
    people: pd.DataFrame, followup: pd.DataFrame, tables: dict[str, pd.DataFrame], spec: Spec, *, origin: str
) -> pd.DataFrame:
    """Table `subjects`: people with their follow-up and a flag for every declared population."""
    ends = people["child_id"].map(followup["end_date"])
    days = (ends - people[origin]).dt.days.clip(lower=0)
    subjects = people.assign(followup_end_date=ends, followup_days=days)
    flags = {f"is_{each.id}": _all_hold(subjects, each.where, tables) for each in spec.populations.values()}
    return subjects.assign(**flags)


def derive_safety_days(
    people: pd.DataFrame,
    withdrawals: pd.DataFrame,
    deaths: pd.Series,
    *,
    data_cut: pd.Timestamp,
    horizon: int,
) -> pd.Series:
    """Days from randomisation in which a serious event of each child would have been reported.

    Reporting ends at the horizon of the trial, the data cut, death, the removal of the family, or the
    withdrawal of child or family from everything; unlike the care records it goes on when another authority
    takes over.
    """
    full = withdrawals[withdrawals["withdrawal_level"] == "all"]
    reasons = [withdrawal_days(people, full), people["child_id"].map(deaths), people["removed_date"]]
    ends = pd.concat(reasons, axis=1).min(axis=1).fillna(data_cut).clip(upper=data_cut)
    return (ends - people["randomisation_date"]).dt.days.clip(lower=0, upper=horizon).astype("int64")


def withdrawal_days(rows: pd.DataFrame, withdrawals: pd.DataFrame) -> pd.Series:
    """Day on which the child of each row or its family first withdrew, in the order of the rows."""
    whole = withdrawals["child_id"].isna()
    own = withdrawals[~whole].groupby("child_id")["withdrawal_date"].min()
    familys = withdrawals[whole].groupby("family_id")["withdrawal_date"].min()
    return pd.concat([rows["child_id"].map(own), rows["family_id"].map(familys)], axis=1).min(axis=1)


def _all_hold(
    subjects: pd.DataFrame, conditions: tuple[Condition, ...], tables: dict[str, pd.DataFrame]
) -> pd.Series:
    holds = pd.Series(True, index=subjects.index)
    for condition in conditions:
        holds &= _holds(subjects, condition, tables)
    return holds


def _holds(subjects: pd.DataFrame, condition: Condition, tables: dict[str, pd.DataFrame]) -> pd.Series:
    if condition.visit:
        visits = tables["assessments"]
        here = visits[(visits["visit"] == condition.visit) & (visits["status"] == condition.is_)]
        return subjects["child_id"].isin(here["child_id"])
    if condition.table:
        return subjects["child_id"].isin(tables[condition.table]["child_id"])
    values = subjects[condition.column]
    if condition.is_ == "blank":
        return values.isna()
    return values.astype(str).str.lower() == condition.is_.lower()
