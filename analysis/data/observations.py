"""Whether each outcome of each child was due, observed or missing, and why."""

from collections.abc import Mapping

import pandas as pd

from analysis.data.ages import completed_months
from analysis.data.outcomes import schedule
from analysis.spec.declarations import Spec
from analysis.spec.visit_outcomes import WAIVED

KEY = ["child_id", "parameter", "visit"]
NOT_ATTENDED, BEFORE = "not_attended", "collected_before"


def derive_observations(
    outcomes: pd.DataFrame,
    subjects: pd.DataFrame,
    tables: Mapping[str, pd.DataFrame],
    deaths: pd.Series,
    spec: Spec,
    *,
    data_cut: pd.Timestamp,
) -> pd.DataFrame:
    """Table `observations`: every child of the trial at every visit of every scheduled outcome.

    A visit that was not attended is told apart: the child had died, or it or its family had withdrawn. A
    visit without any row is not due while its window is open at the data cut, else it has no record.

    Parameters
    ----------
    outcomes, subjects : DataFrame
        Derived tables of these names.
    tables : mapping of str to DataFrame
        Clean typed raw tables, of which `assessments` and `withdrawals` are read.
    deaths : Series
        Day of death by child.
    spec : Spec
        Schedule of the instruments, windows of the visits.
    data_cut : Timestamp
        Day on which the data end.
    """
    rows = subjects.merge(schedule(spec), how="cross")
    rows = rows.merge(outcomes[[*KEY, "value", "missing_reason"]], on=KEY, how="left")
    visits = tables["assessments"][["child_id", "visit", "status", "due_date"]]
    rows = rows.merge(visits, on=["child_id", "visit"], how="left")
    observed = rows["value"].notna()
    reason = rows["missing_reason"].fillna(_of_no_row(rows, spec, data_cut))
    reason = reason.mask(reason == NOT_ATTENDED, _why_not_attended(rows, tables["withdrawals"], deaths))
    reason = reason.mask(_collected_before(rows, observed, spec), BEFORE).mask(observed)
    rows = rows.assign(is_observed=observed, reason=reason, is_due=~reason.isin(WAIVED))
    return rows[["child_id", "family_id", "parameter", "visit", "is_due", "is_observed", "reason"]]


def _of_no_row(rows: pd.DataFrame, spec: Spec, data_cut: pd.Timestamp) -> pd.Series:
    """Why there is no row of outcomes: the visit's window is open, the child's age, or no record."""
    windows = {visit.id: visit for visit in spec.trial.visits}
    reason = pd.Series("no_record", index=rows.index, dtype=object)
    for name, window in windows.items():
        here = rows["visit"] == name
        origin = rows.loc[here, window.origin]
        opens, closes = (origin + pd.Timedelta(days=days) for days in (window.from_days, window.to_days))
        age = completed_months(rows.loc[here, "birth_date"], opens)
        wrong_age = (age < rows.loc[here, "from_months"]) | (age > rows.loc[here, "to_months"])
        reason[here] = reason[here].mask(closes > data_cut, "not_due_yet").mask(wrong_age, "not_due_age")
    return reason


def _why_not_attended(rows: pd.DataFrame, withdrawals: pd.DataFrame, deaths: pd.Series) -> pd.Series:
    whole = withdrawals["child_id"].isna()
    by_child = withdrawals[~whole].groupby("child_id")["withdrawal_date"].min()
    by_family = withdrawals[whole].groupby("family_id")["withdrawal_date"].min()
    left = [rows["child_id"].map(by_child), rows["family_id"].map(by_family)]
    withdrawn = (rows["status"] == "withdrawn") | (pd.concat(left, axis=1).min(axis=1) <= rows["due_date"])
    died = rows["child_id"].map(deaths) <= rows["due_date"]
    reason = pd.Series(NOT_ATTENDED, index=rows.index, dtype=object)
    return reason.mask(withdrawn, "withdrawn").mask(died, "died")


def _collected_before(rows: pd.DataFrame, observed: pd.Series, spec: Spec) -> pd.Series:
    """Whether an outcome that is collected once was observed at an earlier visit of its schedule."""
    once = {name for name, score in spec.scores.items() if score.once}
    order = {visit.id: at for at, visit in enumerate(spec.trial.visits)}
    at = rows["visit"].map(order)
    seen = at.where(observed).groupby([rows["child_id"], rows["parameter"]]).transform("min")
    return rows["parameter"].isin(once) & (seen < at)
