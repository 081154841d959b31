"""Serious adverse events in analysis form."""

import pandas as pd


def derive_harms(reported_events: pd.DataFrame, people: pd.DataFrame, *, origin: str) -> pd.DataFrame:
    """Serious events on or after `origin`, a date of the whole family, with their day; see table `harms`."""
    zero = people.groupby("family_id")[origin].min()
    events = reported_events[reported_events["is_serious"].eq(True).fillna(False).astype(bool)]
    events = events.rename(columns={"event_date": "date"})
    events = events.assign(day=(events["date"] - events["family_id"].map(zero)).dt.days)
    return events[events["day"] >= 0]
