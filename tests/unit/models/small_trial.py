"""Trials small enough to be worked out by hand, and the synthetic trial with a table altered.

Children are written as (child, family, arm, site). Everybody is randomised on 2015-01-01, came into care on
that day unless the test says otherwise, and belongs to every population.
"""

from collections.abc import Callable
from dataclasses import replace

import pandas as pd

from analysis.data.allocation import Allocated, allocate
from analysis.spec.declarations import Spec

DAY_0 = pd.Timestamp("2015-01-01")
POPULATIONS = ("is_randomised", "is_eligible", "is_in_records")


def small_trial(spec: Spec, children: list[tuple], **tables: pd.DataFrame) -> Allocated:
    """A trial of these children with the tables given."""
    subjects = pd.DataFrame(children, columns=["child_id", "family_id", "arm", "site"])
    subjects = subjects.assign(randomisation_date=DAY_0, care_entry_date=DAY_0)
    subjects = subjects.assign(**dict.fromkeys(POPULATIONS, True))
    families = subjects.drop_duplicates("family_id")
    allocation = families[["family_id", "arm"]]
    return allocate({"subjects": subjects.drop(columns="arm"), **tables}, allocation, spec, view="closed")


def events(children: list[tuple], times: dict[str, tuple], *, basis: str = "legal") -> pd.DataFrame:
    """Table `events` from child -> (day, cause or None), or (first day observed, day, cause)."""
    family = {child: of for child, of, *_ in children}
    rows = [
        (child, family[child], *(found if len(found) == 3 else (0, *found))) for child, found in times.items()
    ]
    frame = pd.DataFrame(rows, columns=["child_id", "family_id", "entry_days", "time_days", "cause"])
    return frame.assign(parameter="PERMANENCE", basis=basis, start_date=DAY_0)


def transitions(children: list[tuple], paths: dict[str, list], *, basis: str = "legal") -> pd.DataFrame:
    """Table `transitions` from child -> [state, day it ended, state, ..., last day], from day 0."""
    family, rows = {child: of for child, of, *_ in children}, []
    for child, path in paths.items():
        states, days = path[::2], [0, *path[1::2]]
        for at, state in enumerate(states):
            target = states[at + 1] if at + 1 < len(states) else None
            rows.append((child, family[child], days[at], days[at + 1], state, target))
    columns = ["child_id", "family_id", "start", "stop", "source_state", "target_state"]
    return pd.DataFrame(rows, columns=columns).assign(basis=basis)


def recurrences(
    units: dict[str, str], days: dict[str, tuple], *, end: int = 1000, died: tuple = (), **constants: str
) -> pd.DataFrame:
    """Table `recurrences` from unit -> family and days of events; units `died` end at their last day."""
    rows = []
    for unit, family in units.items():
        happened = list(days.get(unit, ()))
        last = happened.pop() if unit in died else end
        bounds = [0, *happened, last]
        for at, (start, stop) in enumerate(zip(bounds, bounds[1:], strict=False)):
            is_event = at < len(happened)
            rows.append((unit, family, start, stop, is_event, unit in died and not is_event))
    columns = ["unit_id", "family_id", "start", "stop", "is_event", "is_death"]
    return pd.DataFrame(rows, columns=columns).assign(
        **{"level": "child", "parameter": "REENTRY", **constants}
    )


def altered(data: Allocated, **edits: Callable[[pd.DataFrame], pd.DataFrame]) -> Allocated:
    """The trial with tables changed by a function each."""
    changed = {name: edit(data.tables[name]) for name, edit in edits.items()}
    return replace(data, tables={**data.tables, **changed})
