"""Times to an event as an entry selects them, in the second programmer's reading of the plan."""

import numpy as np
import pandas as pd

from analysis.qc.tables import Tables, by_arm, with_stratum
from analysis.results import Count
from analysis.spec.event_entries import EventSelection


def event_times(
    tables: Tables,
    population: str,
    event: EventSelection,
    strata: tuple[str, ...],
    *,
    origin: str | None = None,
    until: int | None = None,
) -> pd.DataFrame:
    """One row per child: start, stop and the cause, blank unless it is one of those asked for."""
    rows = tables.rows("events", tables.people(population), parameter=event.parameter, basis=event.basis)
    rows = rows.rename(columns={"entry_days": "start", "time_days": "stop"})
    rows = rows.assign(cause=rows["cause"].where(rows["cause"].isin(event.causes)))
    if origin:
        rows = from_day(rows, rows["start_date"], origin)
    if until is not None:
        rows = rows[rows["start"] < until]
        rows = rows.assign(
            cause=rows["cause"].where(rows["stop"] <= until), stop=rows["stop"].clip(upper=until)
        )
    return with_stratum(rows.reset_index(drop=True), strata)


def from_day(rows: pd.DataFrame, zero: pd.Series, origin: str) -> pd.DataFrame:
    """The same intervals counted from another day; what lies before that day is not seen."""
    later = (zero - rows[origin]) / np.timedelta64(1, "D")
    moved = rows.assign(start=np.maximum(rows["start"] + later, 0), stop=rows["stop"] + later)
    return moved[moved["stop"] > moved["start"]].reset_index(drop=True)


def events_by_arm(rows: pd.DataFrame, tables: Tables) -> list[Count]:
    """Children with the event."""
    return [
        Count("events", int(mine["cause"].notna().sum()), {"arm": arm}) for arm, mine in by_arm(rows, tables)
    ]
