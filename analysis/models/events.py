"""Times to an event and state histories, as the plan's entries select them."""

import pandas as pd

from analysis.data.allocation import ARM, Allocated
from analysis.errors import ModelError
from analysis.models.groups import Data, arm_names, select
from analysis.results import Count
from analysis.spec.event_entries import EventSelection, Origin

CLOCKS = {"care_entry_date": "entry to care", "randomisation_date": "randomisation"}


def select_events(
    data: Data,
    population: str,
    event: EventSelection,
    *,
    origin: Origin | None = None,
    until: int | None = None,
) -> pd.DataFrame:
    """Times of one parameter and basis, from another day than the table's if asked for, ordered by child.

    What happens after day `until` is censored on it; who is first observed later is left out.

    Returns
    -------
    DataFrame
        Rows of `events` with the columns of `subjects` and `happened`: an event of one of the causes asked
        for.

    Raises
    ------
    ModelError
        If nobody of the population has such a time.

    Source
    ------
    Table `events` of the data package.
    """
    rows = select(data, "events", population)
    rows = rows[(rows["parameter"] == event.parameter) & (rows["basis"] == event.basis)]
    if rows.empty:
        raise ModelError(
            f"nobody of population {population} has a time of {event.parameter} by {event.basis} date."
        )
    if origin:
        rows = from_origin(rows, rows["start_date"], origin, start="entry_days", stop="time_days")
    if until is not None:
        rows = _ended(rows, until)
    return rows.assign(happened=rows["cause"].isin(event.causes)).sort_values("child_id", kind="stable")


def from_origin(
    rows: pd.DataFrame, zero: pd.Series, origin: Origin, *, start: str, stop: str
) -> pd.DataFrame:
    """Intervals (start, stop] counted from `origin` instead of the day `zero`.

    A child counts from the day it was first observed on the old clock, so it enters late on the new one when
    `origin` is earlier; what lies before a later `origin` is cut off.
    """
    shift = (zero - rows[origin]).dt.days
    moved = rows.assign(**{start: (rows[start] + shift).clip(lower=0), stop: rows[stop] + shift})
    return moved[moved[stop] > moved[start]]


def _ended(rows: pd.DataFrame, until: int) -> pd.DataFrame:
    rows = rows[rows["entry_days"] < until]
    late = rows["time_days"] > until
    return rows.assign(cause=rows["cause"].mask(late), time_days=rows["time_days"].clip(upper=until))


def clock_sentence(origin: Origin | None) -> str:
    """How the method footer says that time runs from another day than the plan's clock origin."""
    if not origin:
        return ""
    return f" Time runs from {CLOCKS[origin]}; a child is at risk from the day it is first observed."


def count_events(rows: pd.DataFrame, data: Allocated) -> list[Count]:
    """Children with the event, by arm."""
    return [
        Count("events", int(rows.loc[rows[ARM] == arm, "happened"].sum()), {"arm": arm})
        for arm in arm_names(data)
    ]
