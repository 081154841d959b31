"""When the window of a research visit closes, and so which visits are not due yet."""

import pandas as pd

from analysis.spec.trial import Trial

ATTENDED, MISSED, WITHDRAWN, NOT_DUE = "attended", "missed", "withdrawn", "not_due"


def are_open(
    children: pd.Series, visits: pd.Series, people: pd.DataFrame, trial: Trial, *, data_cut: pd.Timestamp
) -> pd.Series:
    """Which visits have a window that does not close by the cut.

    Follow-up ends with the trial's own last data cut, and every window with it. A visit without a declared
    window, or of a child whose dates are not known, is not open.

    Parameters
    ----------
    children, visits : Series
        Child and visit of each row.
    people : DataFrame
        By child, the dates that windows are counted from.
    trial : Trial
        The windows and the last data cut.
    """
    children = children.astype(object)  # a factor mapped to dates would be a factor of dates
    last = pd.Series(pd.NaT, index=children.index, dtype="datetime64[ns]")
    for visit in trial.visits:
        here = children[(visits == visit.id).to_numpy(bool)]
        last[here.index] = here.map(people[visit.origin]) + pd.Timedelta(visit.to_days, "D")
    return last.clip(upper=pd.Timestamp(trial.data_cut)) > data_cut
