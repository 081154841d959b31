"""Times to an event, as the plan's entries select them."""

import pandas as pd

from analysis.errors import ModelError
from analysis.models.groups import Data, select
from analysis.spec.sap import EventSelection


def select_events(data: Data, population: str, event: EventSelection) -> pd.DataFrame:
    """Times of one parameter and basis, ordered by child.

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
    return rows.assign(happened=rows["cause"].isin(event.causes)).sort_values("child_id", kind="stable")
