"""Deviations from the protocol in analysis form."""

import pandas as pd


def derive_deviations(deviations: pd.DataFrame, families: pd.DataFrame) -> pd.DataFrame:
    """Every recorded deviation with its day from randomisation; see table `protocol_deviations`."""
    zero = families.set_index("family_id")["randomisation_date"]
    rows = deviations.rename(columns={"deviation_date": "date"})
    return rows.assign(day=(rows["date"] - rows["family_id"].map(zero)).dt.days)
