"""Baseline characteristics at both levels, without tests."""

from dataclasses import replace

import pandas as pd

from analysis.data.allocation import ARM
from analysis.models.answer import result_of
from analysis.models.groups import Data, arm_names, select
from analysis.results import Count, Estimate, Result
from analysis.spec.declarations import Spec
from analysis.spec.sap import REMOVED_BEFORE, BaselineAnalysis, Variable

NOT_GIVEN = "not given"
NOT_ATTENDED, WITHDRAWN = "not_attended", "withdrawn"
STATISTICS = {
    "mean": {"mean": "mean", "sd": "std"},
    "median": {"median": "median", "q1": 0.25, "q3": 0.75},
}


def fit(entry: BaselineAnalysis, data: Data, spec: Spec) -> Result:
    """Families and children as they were at randomisation, by arm or pooled.

    Parameters
    ----------
    entry : BaselineAnalysis
        Variables of the plan, each with its level and kind of summary.
    data : Pooled or Allocated
        The derived tables.
    spec : Spec
        The declarations.

    Returns
    -------
    Result
        `n` by level of a factor; `n`, `mean` and `sd` or quartiles of a number, and for a score the same
        (`n_dated`, `mean_dated` ...) of the values dated before and after randomisation; `missing` by reason.

    Raises
    ------
    ModelError
        If the population is empty.

    Source
    ------
    Descriptive.
    """
    people = select(data, "subjects", entry.population)
    people = people.assign(days_in_care=(people["randomisation_date"] - people["care_entry_date"]).dt.days)
    counts, estimates = list(_units(people, data)), []
    for variable in entry.variables:
        frame, name = _values(variable, people, data)
        for arm in arm_names(data):
            rows = frame[frame[ARM] == arm]
            labels = {"variable": name, "arm": arm, "unit": variable.unit}
            counts += _missing(rows, labels)
            if variable.parameter:
                parts = _dated(rows, variable.summary, labels)
                counts, estimates = [*counts, *parts[0]], [*estimates, *parts[1]]
            if variable.summary == "counts":
                counts += _levels(rows["value"], sorted(frame["value"].dropna().unique()), labels)
            else:
                known = rows["value"].dropna().astype(float)
                counts.append(Count("n", len(known), labels))
                estimates += _numbers(known, variable.summary, labels)
    return result_of(
        entry,
        data,
        method="Summaries only: differences at baseline are not tested.",
        counts=counts,
        estimates=estimates,
    )


def _units(people: pd.DataFrame, data: Data) -> list[Count]:
    found = []
    for arm in arm_names(data):
        rows = people[people[ARM] == arm]
        for unit in ("family", "child"):
            found.append(Count("units", rows[f"{unit}_id"].nunique(), {"unit": unit, "arm": arm}))
    return found


def _values(variable: Variable, people: pd.DataFrame, data: Data) -> tuple[pd.DataFrame, str]:
    units = people.drop_duplicates("family_id") if variable.unit == "family" else people
    if variable.column:
        frame = units.assign(value=units[variable.column], reason=NOT_GIVEN)
        return frame[[ARM, "value", "reason"]], variable.column
    outcomes = data.tables["outcomes"]
    here = outcomes[(outcomes["parameter"] == variable.parameter) & (outcomes["visit"] == variable.visit)]
    frame = units[["child_id", ARM, "randomisation_date"]].merge(
        here[["child_id", "value", "missing_reason", "date"]], on="child_id", how="left"
    )
    reason = frame["missing_reason"].fillna(NOT_GIVEN)
    is_removed = frame["child_id"].isin(_removed_before(variable.visit, people, data))
    reason = reason.mask(is_removed & (reason == NOT_ATTENDED), REMOVED_BEFORE)
    # A value without a date cannot be told to be a baseline, as for a covariate.
    is_before = frame["date"] <= frame["randomisation_date"]
    return frame.assign(reason=reason, is_before=is_before), variable.parameter


def _removed_before(visit: str, people: pd.DataFrame, data: Data) -> pd.Series:
    """Children whose visit was called off as their family had been removed from the trial."""
    visits = data.tables["visits"]
    called_off = visits.loc[(visits["visit"] == visit) & (visits["standing"] == WITHDRAWN), "child_id"]
    removed = people.loc[people["removed_date"].notna(), "child_id"]
    return removed[removed.isin(called_off)]


def _dated(rows: pd.DataFrame, summary: str, labels: dict[str, str]) -> tuple[list[Count], list[Estimate]]:
    """The values dated on or before randomisation, and those after it or not dated."""
    counts, estimates = [], []
    for dated, here in (("before", rows["is_before"]), ("after", ~rows["is_before"])):
        where = {**labels, "dated": dated}
        known = rows.loc[here, "value"].dropna().astype(float)
        counts.append(Count("n_dated", len(known), where))
        for each in _numbers(known, summary, where):
            estimates.append(replace(each, name=f"{each.name}_dated"))
    return counts, estimates


def _missing(rows: pd.DataFrame, labels: dict[str, str]) -> list[Count]:
    reasons = rows.loc[rows["value"].isna(), "reason"].value_counts().sort_index()
    return [Count("missing", int(n), {**labels, "reason": reason}) for reason, n in reasons.items()]


def _levels(values: pd.Series, levels: list, labels: dict[str, str]) -> list[Count]:
    return [Count("n", int((values == level).sum()), {**labels, "level": str(level)}) for level in levels]


def _numbers(values: pd.Series, summary: str, labels: dict[str, str]) -> list[Estimate]:
    found = []
    for name, how in STATISTICS[summary].items():
        number = values.quantile(how) if isinstance(how, float) else getattr(values, how)()
        found.append(Estimate(name, float(number), labels=labels))
    return found
