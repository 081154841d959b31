"""Ages, in the two ways a trial counts them."""

import pandas as pd

DAYS_PER_MONTH = 30.4375  # a covariate's unit: the mean length of a month
DAYS_PER_YEAR = 365.25  # of rates per person-year


def completed_months(births: pd.Series, days: pd.Series) -> pd.Series:
    """Whole months of age as a birthday counts them; missing where a date is."""
    between = 12 * (days.dt.year - births.dt.year) + (days.dt.month - births.dt.month)
    return (between - (days.dt.day < births.dt.day)).where(births.notna() & days.notna())
