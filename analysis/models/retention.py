"""Visits as they stood at the data cut, how timely they were, and the time until families withdrew."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.data.allocation import ALL, ARM
from analysis.models.answer import interval_of, result_of
from analysis.models.groups import Data, arm_names, contrast_name, select
from analysis.results import ALL_SITES, Count, Curve, Estimate, Result
from analysis.spec.conduct_entries import RetentionAnalysis
from analysis.spec.declarations import Spec
from analysis.stats.competing import SurvivalCurve, kaplan_meier
from analysis.stats.proportions import risk_difference

CAME = ("in_window", "early", "late", "undated")
NOT_DUE = "not_due"
# A family stands where the best placed of its children does; while one is not yet due nor is the family.
ORDER = ("in_window", "late", "early", "undated", NOT_DUE, "overdue", "missed", "withdrawn", "died")
QUARTILES = {"q1": 0.25, "median": 0.5, "q3": 0.75}


@dataclass(frozen=True, slots=True)
class Group:
    """Rows of one site, or of one arm at all sites."""

    labels: dict[str, str]
    visits: pd.DataFrame
    families: pd.DataFrame


def fit(entry: RetentionAnalysis, data: Data, spec: Spec) -> Result:
    """Children and families by how each visit stood, days of attendance, and withdrawal of families.

    Numbers are of all, of each site, and where arms are known of each arm. Attendance is shown of those whose
    window had closed by the cut: of open windows only the early would be in.

    Parameters
    ----------
    entry : RetentionAnalysis
        Population, and days at which withdrawal is read.
    data : Pooled or Allocated
        Its tables `visits` and `retention`.
    spec : Spec
        Visits, sites, and the codes of standing.

    Returns
    -------
    Result
        Counts `visit_*` by standing, `due_*` and `due_attended_*` of children and families, `siblings` by how
        many of a family came, `withdrawn`, `at_risk`; quartiles of days; `withdrawn` (1 less Kaplan-Meier) as
        curve and by day; `risk_difference` of families that came, of those due.

    Raises
    ------
    ModelError
        If nobody of the population had been randomised by the cut.

    Source
    ------
    Kaplan & Meier (1958), Greenwood's variance; interval: see `analysis.stats.proportions`.
    """
    groups = list(_groups(entry, data, spec))
    curves = {_named(each): _withdrawal(each, spec) for each in groups if each.labels["site"] == ALL_SITES}
    return result_of(
        entry,
        data,
        method=_method(data),
        counts=[count for each in groups for count in _counts(each, entry, spec)],
        estimates=[
            *(found for each in groups for found in _timeliness(each, spec)),
            *(
                found
                for labels, curve in curves.items()
                for found in _on_days(curve, dict(labels), entry, spec)
            ),
            *_differences(groups, data, spec),
        ],
        curves=[_curve(curve, dict(labels)) for labels, curve in curves.items()],
    )


def _named(group: Group) -> tuple[tuple[str, str], ...]:
    return tuple(group.labels.items())


def _groups(entry: RetentionAnalysis, data: Data, spec: Spec) -> Iterator[Group]:
    visits = select(data, "visits", entry.population)
    sites = visits.drop_duplicates("family_id").set_index("family_id")["site"]
    table = data.tables["retention"]
    families = table[table["family_id"].isin(sites.index)]
    families = families.assign(site=families["family_id"].map(sites))
    yield Group({"arm": ALL, "site": ALL_SITES}, visits, families)
    for site in spec.trial.sites:
        parts = (frame[frame["site"] == site] for frame in (visits, families))
        yield Group({"arm": ALL, "site": site}, *parts)
    for arm in arm_names(data) if data.arms else ():
        parts = (frame[frame[ARM] == arm] for frame in (visits, families))
        yield Group({"arm": arm, "site": ALL_SITES}, *parts)


def _by_family(visits: pd.DataFrame) -> pd.DataFrame:
    """One row per family and visit: the best standing of its children, and how many of them came."""
    rank = visits["standing"].map({name: at for at, name in enumerate(ORDER)})
    rows = visits.assign(rank=rank, came=visits["standing"].isin(CAME))
    by_family = rows.groupby(["visit", "family_id"], as_index=False)
    found = by_family.agg(
        rank=("rank", "min"), is_due=("is_due", "all"), n=("came", "size"), n_came=("came", "sum")
    )
    return found.assign(standing=found["rank"].map(dict(enumerate(ORDER))))


def _counts(group: Group, entry: RetentionAnalysis, spec: Spec) -> Iterator[Count]:
    families = _by_family(group.visits)
    for visit in (each.id for each in spec.trial.visits):
        units = {"children": group.visits, "families": families}
        for unit, rows in units.items():
            here = rows[rows["visit"] == visit]
            labels = {**group.labels, "visit": visit}
            for standing in spec.codes["visit_standing"]:
                n = int((here["standing"] == standing).sum())
                yield Count(f"visit_{unit}", n, {**labels, "standing": standing})
            due = here[here["is_due"].astype(bool)]
            yield Count(f"due_{unit}", len(due), labels)
            yield Count(f"due_attended_{unit}", int(due["standing"].isin(CAME).sum()), labels)
        yield from _siblings(families[families["visit"] == visit], {**group.labels, "visit": visit})
    yield from _withdrawn(group, entry, spec)


def _siblings(families: pd.DataFrame, labels: dict[str, str]) -> Iterator[Count]:
    """Families with several children that are due: whether all, some or none of them came."""
    several = families[(families["n"] > 1) & families["is_due"].astype(bool)]
    came, n = several["n_came"], several["n"]
    for how, those in (("all", came == n), ("some", (came > 0) & (came < n)), ("none", came == 0)):
        yield Count("siblings", int(those.sum()), {**labels, "came": how})


def _withdrawn(group: Group, entry: RetentionAnalysis, spec: Spec) -> Iterator[Count]:
    families, labels = group.families, group.labels
    gone = families[families["is_withdrawn"].astype(bool)]
    yield Count("group_families", len(families), labels)
    yield Count("group_children", group.visits["child_id"].nunique(), labels)
    yield Count("withdrawn", len(gone), labels)
    for column, codes in (("withdrawal_level", "withdrawal_level"), ("reason", "withdrawal_reason")):
        for code in spec.codes[codes]:
            here = int((gone[column] == code).sum())
            yield Count(f"withdrawn_{column}", here, {**labels, column: code})
    for day in (0, *entry.days):
        yield Count("at_risk", int((families["time_days"] >= day).sum()), {**labels, "day": str(day)})


def _timeliness(group: Group, spec: Spec) -> Iterator[Estimate]:
    """Quartiles of the days from the date due to the visit, and of those outside the window from its edge."""
    rows = group.visits.dropna(subset="visit_date")
    beyond = (rows["visit_date"] - rows["closes_date"]).dt.days
    before = (rows["opens_date"] - rows["visit_date"]).dt.days
    outside = pd.concat([beyond, before], axis=1).max(axis=1)
    days = {"due": (rows["visit_date"] - rows["due_date"]).dt.days, "window": outside.where(outside > 0)}
    for visit in (each.id for each in spec.trial.visits):
        for origin, values in days.items():
            here = values[rows["visit"] == visit].dropna().to_numpy(float)
            labels = {**group.labels, "visit": visit, "from": origin}
            yield Estimate("n", float(len(here)), labels=labels)
            for name, share in QUARTILES.items():
                quartile = float(np.quantile(here, share)) if len(here) else None
                yield Estimate(name, quartile, unit="days", labels=labels)


def _withdrawal(group: Group, spec: Spec) -> SurvivalCurve | None:
    rows = group.families
    if rows.empty:
        return None
    return kaplan_meier(
        rows["time_days"].to_numpy(float), rows["is_withdrawn"].to_numpy(int), level=spec.trial.level
    )


def _turned(curve: SurvivalCurve) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Shares withdrawn and their limits; none where nobody has yet or everybody has."""
    known = (curve.survival > 0) & (curve.survival < 1)
    low, high = (np.where(known, 1 - each, np.nan) for each in (curve.high, curve.low))
    return 1 - curve.survival, low, high


def _curve(curve: SurvivalCurve | None, labels: dict[str, str]) -> Curve:
    """The shares with their band, to the last day on which a family was followed."""
    if curve is None:
        return Curve("withdrawn", (), (), labels=labels)
    value, low, high = _turned(curve)
    # Without a band before the first withdrawal.
    low, high = (np.where(np.isfinite(each), each, value) for each in (low, high))
    steps = np.array([curve.time, value, low, high])
    if curve.occupation.last > curve.time[-1]:
        steps = np.column_stack([steps, [curve.occupation.last, *steps[1:, -1]]])
    return Curve("withdrawn", *map(tuple, steps.tolist()), labels=labels)


def _on_days(
    curve: SurvivalCurve | None, labels: dict[str, str], entry: RetentionAnalysis, spec: Spec
) -> Iterator[Estimate]:
    """Share of families withdrawn by each day; none after the last day on which a family was followed."""
    for day in entry.days:
        where = {**labels, "day": str(day)}
        if curve is None or day > curve.occupation.last:
            yield Estimate("withdrawn", None, labels=where)
            continue
        at = int(np.searchsorted(curve.time, day, side="right")) - 1
        value, low, high = (float(each[at]) for each in _turned(curve))
        limits = {"low": low, "high": high} if np.isfinite(low) else {}
        yield Estimate("withdrawn", value, level=spec.trial.level, labels=where, **limits)


def _differences(groups: list[Group], data: Data, spec: Spec) -> Iterator[Estimate]:
    """Differential loss: the share of families that came, of those due, between the arms."""
    if not data.arms:
        return
    by_arm = {each.labels["arm"]: _by_family(each.visits) for each in groups if each.labels["arm"] != ALL}
    for visit in (each.id for each in spec.trial.visits):
        sizes = []
        for arm in arm_names(data):
            rows = by_arm[arm]
            due = rows[(rows["visit"] == visit) & rows["is_due"].astype(bool)]
            sizes += [int(due["standing"].isin(CAME).sum()), len(due)]
        gap = risk_difference(*sizes, method="score", level=spec.trial.level)
        labels = {"contrast": contrast_name(data), "visit": visit}
        yield interval_of("risk_difference", gap, level=spec.trial.level, labels=labels)


def _method(data: Data) -> str:
    said = (
        "A visit not attended is not yet due until its window has closed. Attendance is of those due; a "
        "family attends when one of its children does, and is due when all are. Time to withdrawal of "
        "families runs from randomisation to the data cut, the last visit or the close of its window, "
        "removal, or the death of all children; 1 less Kaplan-Meier, limits on the log-log scale of the "
        "share that stayed."
    )
    if not data.arms:
        return said
    return (
        f"{said} Difference between arms in the share of families that came, of those due, with the score "
        "interval of Miettinen and Nurminen."
    )
