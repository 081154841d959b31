"""Harms a second time: counted from the table, with limits by enumeration of all tables."""

import numpy as np
import pandas as pd

from analysis.qc.again import Again
from analysis.qc.risk_interval import risk_limits
from analysis.qc.tables import ARM, Tables, by_arm, sizes
from analysis.results import Count, Estimate
from analysis.spec.sap import HarmsAnalysis

METHOD = "counts of the rows; limits of each difference by enumeration of every table of two arms"
ANY, NOT_RECORDED = "any", "not recorded"
DAYS_PER_YEAR = 365.25
TOLD = ("category", "relatedness", "outcome")


def again(entry: HarmsAnalysis, tables: Tables) -> Again:
    """Events, children and families by kind; years, rates, and differences in the share of families."""
    people = tables.people(entry.population)
    events = _in_time(tables, people)
    kinds = {ANY: events, **_split(events, "category", tables.spec.codes["event_category"])}
    judged = events.assign(relatedness=events["relatedness"].fillna(NOT_RECORDED))
    known = [*tables.spec.codes["relatedness"]]
    known += [NOT_RECORDED] if (judged["relatedness"] == NOT_RECORDED).any() else []
    at_risk = [Count(f"at_risk_{each.name}", each.value, each.labels) for each in sizes(people, tables)]
    counts = [each for kind, rows in kinds.items() for each in _counts(rows, tables, category=kind)]
    for kind, rows in _split(judged, "relatedness", known).items():
        counts += _counts(rows, tables, relatedness=kind)
    years = {arm: mine["safety_days"].sum() / DAYS_PER_YEAR for arm, mine in by_arm(people, tables)}
    return Again(
        METHOD,
        estimates=(
            *(Estimate("child_years", float(each), labels={"arm": arm}) for arm, each in years.items()),
            *(each for kind, rows in kinds.items() for each in _rates(rows, kind, years, tables)),
            *(_difference(rows, kind, people, entry, tables) for kind, rows in kinds.items()),
            *_told_one_by_one(events),
        ),
        counts=(*at_risk, *counts),
    )


def _in_time(tables: Tables, people: pd.DataFrame) -> pd.DataFrame:
    """Events while they count: of a child in its own days, of a family as long as any of its children has."""
    events = tables.frames["harms"]
    last: dict[str, float] = {}
    for child, family, days in people[["child_id", "family_id", "safety_days"]].itertuples(index=False):
        last[child], last[family] = days, max(days, last.get(family, 0))
    theirs = [
        whose in last and day <= last.get(whose if pd.isna(who) else who, -1)
        for who, whose, day in zip(events["child_id"], events["family_id"], events["day"], strict=True)
    ]
    return events[np.array(theirs, dtype=bool)]


def _split(rows: pd.DataFrame, column: str, kinds) -> dict[str, pd.DataFrame]:
    return {kind: rows[rows[column] == kind] for kind in kinds}


def _counts(rows: pd.DataFrame, tables: Tables, **labels: str) -> list[Count]:
    found = []
    for arm, mine in by_arm(rows, tables):
        numbers = {
            "events": len(mine),
            "children": mine["child_id"].dropna().nunique(),
            "families": mine["family_id"].nunique(),
        }
        found += [Count(name, n, {"arm": arm, **labels}) for name, n in numbers.items()]
    return found


def _rates(rows: pd.DataFrame, kind: str, years: dict[str, float], tables: Tables) -> list[Estimate]:
    return [
        Estimate(
            "rate",
            float(100 * len(mine) / years[arm]) if years[arm] else None,
            labels={"arm": arm, "category": kind},
        )
        for arm, mine in by_arm(rows, tables)
    ]


def _told_one_by_one(events: pd.DataFrame) -> list[Estimate]:
    """Each event by its month of 30.4375 days, the earliest first, alike ones in the order of the events."""
    rows = []
    for event in events.to_dict("records"):
        said = {name: NOT_RECORDED if pd.isna(event[name]) else str(event[name]) for name in TOLD}
        rows.append((int(event["day"] * 12 // DAYS_PER_YEAR), said, event))
    rows.sort(key=lambda row: (row[0], *row[1].values(), row[2]["event_id"]))
    return [
        Estimate("listed_event", float(month), labels={"arm": event[ARM], "number": str(at), **said})
        for at, (month, said, event) in enumerate(rows, start=1)
    ]


def _difference(
    rows: pd.DataFrame, kind: str, people: pd.DataFrame, entry: HarmsAnalysis, tables: Tables
) -> Estimate:
    x1, x0 = (rows.loc[rows[ARM] == arm, "family_id"].nunique() for arm in tables.arms)
    n1, n0 = (people.loc[people[ARM] == arm, "family_id"].nunique() for arm in tables.arms)
    low, high = risk_limits(x1, n1, x0, n0, entry.interval, tables.level)
    labels = {"contrast": tables.contrast, "category": kind}
    return Estimate("risk_difference", x1 / n1 - x0 / n0, low=low, high=high, labels=labels)
