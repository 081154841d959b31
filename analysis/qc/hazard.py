"""Hazard ratios a second time: statsmodels' Cox model, and the residuals of every term written out."""

import numpy as np

from analysis.qc.again import Again, ratio
from analysis.qc.risk_sets import hazard
from analysis.qc.tables import Tables, sizes, treated
from analysis.qc.times import event_times, events_by_arm
from analysis.results import Estimate
from analysis.spec.event_entries import HazardAnalysis

METHOD = "Cox model of statsmodels (PHReg); residuals of all Efron terms as matrices, summed within families"


def again(entry: HazardAnalysis, tables: Tables) -> Again:
    """The hazard ratio with its family-robust and its model-based error."""
    rows = event_times(
        tables, entry.population, entry.event, entry.strata, origin=entry.origin, until=entry.until
    )
    fit = hazard(rows, rows["cause"].notna().to_numpy(), treated(rows, tables), entry.ties)
    log_ratio, se, plain = (
        (np.nan,) * 3 if fit is None else (fit.coef[0], np.sqrt(fit.robust[0, 0]), np.sqrt(fit.model[0, 0]))
    )
    label = {"contrast": tables.contrast}
    last = float(entry.until or rows["stop"].max())
    return Again(
        METHOD,
        estimates=(
            ratio("hazard_ratio", log_ratio, se, level=tables.level, labels=label),
            Estimate("log_hazard_ratio", float(log_ratio), se=float(se), labels=label),
            Estimate("log_hazard_ratio_model_se", float(plain), labels=label),
            Estimate("last_day", last),
        ),
        counts=(*sizes(rows, tables), *events_by_arm(rows, tables)),
    )
