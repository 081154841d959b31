"""Fine and Gray's model a second time, sums over events and children written out (rows x events).

Fine & Gray (1999), J. Am. Stat. Assoc. 94:496; Zhou et al. (2012), Biostatistics 13:371, for families.
"""

import numpy as np
import pandas as pd
from scipy import optimize

from analysis.qc.tables import STRATUM


def subdistribution_hazard(rows: pd.DataFrame, cause: str, x: np.ndarray) -> tuple[float, float]:
    """Log ratio of the arm and its family-robust error; baseline and censoring curve of each stratum."""
    kind = np.select([rows["cause"] == cause, rows["cause"].notna()], [1, 2], 0)
    stop, stratum = rows["stop"].to_numpy(), rows[STRATUM].to_numpy()
    at = np.flatnonzero(kind == 1)
    # Whoever enters late needs weights for that as well; without an event in both arms there is no maximum.
    if (rows["start"] > 0).any() or len(set(x[at])) < 2:
        return np.nan, np.nan
    weight = np.zeros((len(rows), len(at)))
    for each in set(stratum):
        mine, events = stratum == each, stratum[at] == each
        weight[np.ix_(mine, events)] = _weights(stop[mine], kind[mine], stop[at][events])

    def mean(beta: float) -> np.ndarray:
        r = weight * np.exp(x * beta)[:, None]
        return (x @ r) / r.sum(axis=0)

    beta = optimize.brentq(lambda each: (x[at] - mean(each)).sum(), -20, 20, xtol=1e-14)
    xbar = mean(beta)
    hazard = weight * np.exp(x * beta)[:, None]
    hazard = hazard / hazard.sum(axis=0)
    away = x[:, None] - xbar
    score = -(away * hazard).sum(axis=1)
    score[at] += x[at] - xbar
    for each in set(stratum):
        mine, events = np.flatnonzero(stratum == each), stratum[at] == each
        part = (away * hazard)[np.ix_(mine, events)]
        score[mine] += _censoring(stop[mine], kind[mine], stop[at][events], part)
    families = pd.Series(score).groupby(rows["family_id"].to_numpy()).sum()
    return float(beta), float(np.sqrt((families**2).sum()) / (xbar * (1 - xbar)).sum())


def _weights(stop: np.ndarray, kind: np.ndarray, events: np.ndarray) -> np.ndarray:
    """1 until the row ends; after a competing event, the chance still to be seen: G(t-) / G(T-)."""
    before = {day: _uncensored_before(stop, kind, day) for day in {*stop, *events}}
    at_risk = stop[:, None] >= events
    left = np.array([[before[day] for day in events]]) / np.array([before[day] for day in stop])[:, None]
    return np.where(at_risk, 1.0, np.where((kind == 2)[:, None], left, 0.0))


def _uncensored_before(stop: np.ndarray, kind: np.ndarray, day: float) -> float:
    """Kaplan-Meier of censoring just before a day; who has an event on a day is at risk of it that day."""
    when, number = np.unique(stop[(kind == 0) & (stop < day)], return_counts=True)
    return float(np.prod(1 - number / (stop[:, None] >= when).sum(axis=0)))


def _censoring(stop: np.ndarray, kind: np.ndarray, events: np.ndarray, part: np.ndarray) -> np.ndarray:
    """What each row adds by its share in the curve of censoring: integrals of q / Y over its martingale."""
    found = np.zeros(len(stop))
    for day in np.unique(stop[kind == 0]):
        at_risk, now = stop >= day, (stop == day) & (kind == 0)
        q = part[np.ix_((kind == 2) & (stop < day), events >= day)].sum()
        found += q * (now - at_risk * now.sum() / at_risk.sum()) / at_risk.sum()
    return found
