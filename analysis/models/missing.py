"""Outcomes due, observed and missing: by visit and reason, by site, and over the visits of each child."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.data.allocation import ALL, ARM
from analysis.errors import ModelError
from analysis.models.answer import interval_of, result_of
from analysis.models.groups import Data, arm_names, contrast_name, select, sizes
from analysis.results import Count, Estimate, Result
from analysis.spec.conduct_entries import MissingAnalysis
from analysis.spec.declarations import Spec
from analysis.spec.visit_outcomes import WAIVED
from analysis.stats.proportions import risk_difference

UNITS = ("family", "child")
OBSERVED, MISSING, NOT_DUE = "O", "M", "-"
COURSES = ("complete", "monotone", "intermittent", "never", "not_due")
PLACE = ["parameter", "visit"]
METHOD = (
    "Counted from the derived table observations: at each visit those due are those observed and those "
    "missing for one reason each. A family stands where the best placed of its children does: due when one "
    "child is, observed when one is. Over the visits at which an outcome was due a course is complete, "
    "monotone (observed, then missing to the end), intermittent (missing, later observed) or never observed."
)
COMPARED = (
    " Difference between arms in the share of families without the outcome, of those due, with the score "
    "interval of Miettinen and Nurminen: families are independent, children of a family are not."
)


def fit(entry: MissingAnalysis, data: Data, spec: Spec) -> Result:
    """Whom each outcome was due from at each visit, who brought it, and why the others did not.

    Parameters
    ----------
    entry : MissingAnalysis
        Population, parameters and groups of reasons of the plan.
    data : Pooled or Allocated
        Its tables `subjects` and `observations`.
    spec : Spec
        Order of visits and of reasons.

    Returns
    -------
    Result
        Counts by parameter, visit, unit and arm (``All`` always): `due`, `observed`, `missing` and `not_due`
        by reason; the first two of children also by site (`due_at_site`, `observed_at_site`); by parameter
        and unit the `course` over the visits, and each `pattern` that occurs. Where arms are known
        `missing_difference` of families by parameter and visit.

    Raises
    ------
    ModelError
        If the population is empty, or at some visit those observed and missing are not those due.

    Source
    ------
    Little & Rubin (2019), Statistical Analysis with Missing Data, section 1.2: monotone and general patterns.
    """
    rows = select(data, "observations", entry.population)
    rows = rows[rows["parameter"].isin(entry.parameters)]
    people = select(data, "subjects", entry.population)
    arms = (*(arm_names(data) if data.arms else ()), ALL)
    counts = list(sizes(people, data))
    for unit in UNITS:
        units = _units(rows, unit, entry, spec)
        states = _states(units, spec)
        for arm in arms:
            mine = units if arm == ALL else units[units[ARM] == arm]
            counts += _by_visit(mine, units, {"arm": arm, "unit": unit}, entry, spec)
            counts += _by_course(states, mine, {"arm": arm, "unit": unit}, entry)
    for arm in arms:
        counts += _by_site(rows, arm, entry, spec)
    gaps = _differences(counts, data, spec) if data.arms else []
    method = METHOD + (COMPARED if data.arms else "")
    return result_of(entry, data, method=method, counts=counts, estimates=gaps)


def _differences(counts: Sequence[Count], data: Data, spec: Spec) -> list[Estimate]:
    """Differential loss: families without the outcome, of those due, between the arms."""
    of_families: dict[tuple[str, str], dict[tuple[str, str], int]] = {}
    for each in counts:
        where = each.labels
        if each.name in ("due", "observed") and where["unit"] == "family":
            place = of_families.setdefault((where["parameter"], where["visit"]), {})
            place[where["arm"], each.name] = each.value
    found = []
    for (parameter, visit), n in of_families.items():
        pairs = [(n[arm, "due"] - n[arm, "observed"], n[arm, "due"]) for arm in arm_names(data)]
        gap = risk_difference(*pairs[0], *pairs[1], method="score", level=spec.trial.level)
        labels = {"contrast": contrast_name(data), "parameter": parameter, "visit": visit}
        found.append(interval_of("missing_difference", gap, level=spec.trial.level, labels=labels))
    return found


def _units(rows: pd.DataFrame, unit: str, entry: MissingAnalysis, spec: Spec) -> pd.DataFrame:
    """One row per unit, parameter and visit; of a family the row of its best placed child."""
    rows = rows.assign(unit_id=rows[f"{unit}_id"], rank=rows["reason"].map(_ranks(entry, spec)).fillna(-1))
    # Whatever it is missing for, what was due comes before what was not.
    rows = rows.sort_values([*PLACE, "unit_id", "rank", "child_id"], kind="stable")
    return rows.drop_duplicates(["unit_id", *PLACE])


def _ranks(entry: MissingAnalysis, spec: Spec) -> dict[str, int]:
    """Place of each reason: those in no group, the groups in their order, then what was not due."""
    grouped = [reason for group in entry.groups for reason in group.reasons]
    codes = list(spec.codes["missing_reason"])
    waived = [code for code in codes if code in WAIVED]
    others = [code for code in codes if code not in (*grouped, *waived)]
    return {reason: at for at, reason in enumerate((*others, *grouped, *waived))}


def _by_visit(
    mine: pd.DataFrame, everybody: pd.DataFrame, labels: dict[str, str], entry: MissingAnalysis, spec: Spec
) -> list[Count]:
    found = []
    for parameter, visit in _places(everybody, entry, spec):
        here, all_here = (
            rows[(rows["parameter"] == parameter) & (rows["visit"] == visit)] for rows in (mine, everybody)
        )
        where = {**labels, "parameter": parameter, "visit": visit}
        found += _parts(here, all_here, where, spec)
    return found


def _places(rows: pd.DataFrame, entry: MissingAnalysis, spec: Spec) -> list[tuple[str, str]]:
    """Parameters in the plan's order, each with the visits of its schedule."""
    scheduled = set(rows[PLACE].itertuples(index=False, name=None))
    visits = [visit.id for visit in spec.trial.visits]
    return [(name, visit) for name in entry.parameters for visit in visits if (name, visit) in scheduled]


def _parts(here: pd.DataFrame, everybody: pd.DataFrame, where: dict[str, str], spec: Spec) -> list[Count]:
    """Those due and observed, and each reason that anybody of any arm has."""
    due, observed = here["is_due"].astype(bool), here["is_observed"].astype(bool)
    found = [Count("due", int(due.sum()), where), Count("observed", int(observed.sum()), where)]
    present = [code for code in spec.codes["missing_reason"] if (everybody["reason"] == code).any()]
    n_missing = 0
    for reason in present:
        n = int((here["reason"] == reason).sum())
        n_missing += 0 if reason in WAIVED else n
        found.append(Count("not_due" if reason in WAIVED else "missing", n, {**where, "reason": reason}))
    if int(due.sum()) != int(observed.sum()) + n_missing:
        raise ModelError(
            f"table observations, {where['parameter']} at {where['visit']}: those observed and missing are "
            "not those due."
        )
    return found


def _by_site(rows: pd.DataFrame, arm: str, entry: MissingAnalysis, spec: Spec) -> list[Count]:
    found = []
    for parameter, visit in _places(rows, entry, spec):
        here = rows[(rows["parameter"] == parameter) & (rows["visit"] == visit)]
        here = here[here[ARM].isin([arm]) | (arm == ALL)]
        for site in spec.trial.sites:
            there = here[here["site"] == site]
            where = {"arm": arm, "unit": "child", "parameter": parameter, "visit": visit, "site": site}
            found.append(Count("due_at_site", int(there["is_due"].sum()), where))
            found.append(Count("observed_at_site", int(there["is_observed"].sum()), where))
    return found


def _states(units: pd.DataFrame, spec: Spec) -> pd.DataFrame:
    """By parameter and unit: a letter per visit of its schedule, and the course they make."""
    order = {visit.id: at for at, visit in enumerate(spec.trial.visits)}
    letter = np.select(
        [units["is_observed"].astype(bool), units["is_due"].astype(bool)], [OBSERVED, MISSING], NOT_DUE
    )
    rows = units.assign(letter=letter, at=units["visit"].map(order)).sort_values("at", kind="stable")
    pattern = rows.groupby(["parameter", "unit_id"])["letter"].agg("".join).rename("pattern").reset_index()
    return pattern.assign(course=pattern["pattern"].map(course_of))


def course_of(pattern: str) -> str:
    """What became of an outcome over its visits, those at which it was not due left out."""
    due = pattern.replace(NOT_DUE, "")
    if not due:
        return "not_due"
    if MISSING not in due:
        return "complete"
    if OBSERVED not in due:
        return "never"
    return "intermittent" if f"{MISSING}{OBSERVED}" in due else "monotone"


def _by_course(
    states: pd.DataFrame, mine: pd.DataFrame, labels: dict[str, str], entry: MissingAnalysis
) -> list[Count]:
    found = []
    for parameter in entry.parameters:
        everybody = states[states["parameter"] == parameter]
        here = everybody[everybody["unit_id"].isin(mine["unit_id"])]
        where = {**labels, "parameter": parameter}
        found += _tally("course", here["course"], COURSES, where)
        found += _tally("pattern", here["pattern"], sorted(everybody["pattern"].unique()), where)
    return found


def _tally(name: str, values: pd.Series, kinds: Sequence[str], where: dict[str, str]) -> list[Count]:
    n = values.value_counts()
    return [Count(name, int(n.get(kind, 0)), {**where, name: kind}) for kind in kinds]
