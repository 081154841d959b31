"""Baseline characteristics at both levels, without tests."""

import pandas as pd

from analysis.data.allocation import ARM
from analysis.models.groups import Data, arm_names, select
from analysis.results import Count, Estimate, Result
from analysis.spec.declarations import Spec
from analysis.spec.sap import BaselineAnalysis, Variable

NOT_GIVEN = "not given"
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
        `n` by level of a factor; `n`, `mean` and `sd` or quartiles of a number; `missing` by reason.

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
            if variable.summary == "counts":
                counts += _levels(rows["value"], sorted(frame["value"].dropna().unique()), labels)
            else:
                known = rows["value"].dropna().astype(float)
                counts.append(Count("n", len(known), labels))
                estimates += _numbers(known, variable.summary, labels)
    return Result(
        analysis=entry.id,
        family=entry.family,
        title=entry.title,
        audience=data.audience,
        estimand=None,
        timing=entry.timing,
        method="Summaries only: differences at baseline are not tested.",
        counts=tuple(counts),
        estimates=tuple(estimates),
        notes=tuple(_after_randomisation(entry, people, data, spec)),
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
    frame = units[["child_id", ARM]].merge(
        here[["child_id", "value", "missing_reason"]], on="child_id", how="left"
    )
    reason = frame["missing_reason"].fillna(NOT_GIVEN)
    return frame.assign(reason=reason)[[ARM, "value", "reason"]], variable.parameter


def _after_randomisation(entry: BaselineAnalysis, people: pd.DataFrame, data: Data, spec: Spec) -> list[str]:
    """How many values of the baseline visit were measured after randomisation."""
    notes = []
    for variable in entry.variables:
        if variable.parameter:
            outcomes = data.tables["outcomes"]
            here = (outcomes["parameter"] == variable.parameter) & (outcomes["visit"] == variable.visit)
            rows = outcomes[here & outcomes["value"].notna() & outcomes["child_id"].isin(people["child_id"])]
            late = int((rows["day"] > 0).sum())
            name = spec.codelists["parameter"][variable.parameter]
            notes.append(
                f"{name}: {late} of {len(rows)} values of the baseline visit are dated after randomisation."
            )
    return notes


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
