"""The baseline table a second time, counted from the tables."""

import numpy as np
import pandas as pd

from analysis.qc.again import Again
from analysis.qc.tables import ARM, Tables, by_arm
from analysis.results import Count, Estimate
from analysis.spec.sap import DAYS_IN_CARE, REMOVED_BEFORE, BaselineAnalysis, Variable

METHOD = "counts, means and quantiles of NumPy"
NOT_GIVEN = "not given"


def again(entry: BaselineAnalysis, tables: Tables) -> Again:
    """Every variable by arm."""
    people = tables.people(entry.population)
    counts = [
        Count("units", mine[f"{unit}_id"].nunique(), {"unit": unit, "arm": arm})
        for arm, mine in by_arm(people, tables)
        for unit in ("family", "child")
    ]
    estimates: list[Estimate] = []
    for variable in entry.variables:
        rows = _values(variable, people, tables)
        for arm in tables.arms:
            labels = {"variable": variable.column or variable.parameter, "arm": arm, "unit": variable.unit}
            found = _summary(rows, variable, labels)
            counts, estimates = [*counts, *found[0]], [*estimates, *found[1]]
    return Again(METHOD, tuple(estimates), tuple(counts))


def _values(variable: Variable, people: pd.DataFrame, tables: Tables) -> pd.DataFrame:
    """One row per unit: its value, or why it has none, and for a score whether it is dated in time."""
    units = people.groupby("family_id").head(1) if variable.unit == "family" else people
    units = units.reset_index(drop=True)
    if variable.column == DAYS_IN_CARE:
        waited = (units["randomisation_date"] - units["care_entry_date"]) / np.timedelta64(1, "D")
        return units[[ARM]].assign(value=waited, reason=NOT_GIVEN)
    if variable.column:
        return units[[ARM]].assign(value=units[variable.column], reason=NOT_GIVEN)
    scores = tables.frames["outcomes"]
    scores = scores[(scores["parameter"] == variable.parameter) & (scores["visit"] == variable.visit)]
    scores = scores.set_index("child_id").reindex(units["child_id"])
    gone = tables.rows("visits", units, visit=variable.visit, standing="withdrawn")
    gone = set(gone.loc[~gone["removed_date"].isna(), "child_id"])
    why = [
        REMOVED_BEFORE if code == "not_attended" and child in gone else code
        for child, code in scores["missing_reason"].fillna(NOT_GIVEN).items()
    ]
    return pd.DataFrame(
        {
            ARM: units[ARM],
            "value": scores["value"].to_numpy(),
            "reason": why,
            "in_time": scores["date"].to_numpy() <= units["randomisation_date"].to_numpy(),
        }
    )


def _summary(
    rows: pd.DataFrame, variable: Variable, labels: dict[str, str]
) -> tuple[list[Count], list[Estimate]]:
    mine = rows[rows[ARM] == labels["arm"]]
    known, unknown = mine["value"].notna(), mine["value"].isna()
    counts = [
        Count("missing", int((mine.loc[unknown, "reason"] == why).sum()), {**labels, "reason": why})
        for why in sorted(set(mine.loc[unknown, "reason"]))
    ]
    if variable.summary == "counts":
        levels = sorted(set(rows["value"].dropna()))
        counts += [
            Count("n", int((mine["value"] == each).sum()), {**labels, "level": _text(each)})
            for each in levels
        ]
        return counts, []
    estimates = _numbers(mine.loc[known, "value"], variable.summary, labels)
    counts.append(Count("n", int(known.sum()), labels))
    if variable.parameter:
        for dated, here in (("before", mine["in_time"]), ("after", ~mine["in_time"])):
            where = {**labels, "dated": dated}
            counts.append(Count("n_dated", int((known & here).sum()), where))
            estimates += _numbers(mine.loc[known & here, "value"], variable.summary, where, "_dated")
    return counts, estimates


def _numbers(values: pd.Series, summary: str, labels: dict[str, str], ending: str = "") -> list[Estimate]:
    x = values.to_numpy(float)
    if summary == "mean":
        sd = float(np.sqrt(((x - x.mean()) ** 2).sum() / (len(x) - 1))) if len(x) > 1 else None
        found = {"mean": float(x.mean()) if len(x) else None, "sd": sd}
    else:
        quartiles = np.quantile(x, [0.5, 0.25, 0.75]) if len(x) else [None] * 3
        found = dict(zip(("median", "q1", "q3"), quartiles, strict=True))
    return [Estimate(f"{name}{ending}", value, labels=labels) for name, value in found.items()]


def _text(level: object) -> str:
    """A whole number without its decimal point."""
    return f"{level:g}" if isinstance(level, float) else str(level)
