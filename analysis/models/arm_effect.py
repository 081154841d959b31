"""The Cox model of the arm that several families of analyses fit."""

import pandas as pd

from analysis.data.allocation import Allocated
from analysis.models.groups import STRATUM, treated
from analysis.stats.hazards import CoxFit, Ties, cox


def fit_cox(rows: pd.DataFrame, event: pd.Series, data: Allocated, ties: Ties) -> CoxFit:
    """Cox model of the arm, intervention against control, within strata and robust to families."""
    return cox(
        rows["entry_days"].to_numpy(float),
        rows["time_days"].to_numpy(float),
        event.to_numpy(int),
        treated(rows, data)[:, None],
        cluster=rows["family_id"].to_numpy(),
        strata=rows[STRATUM].to_numpy(),
        ties=ties,
    )
