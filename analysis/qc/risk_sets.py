"""Partial likelihoods as two matrices, event terms x rows: who is at risk in a term, and whose event it is.

A tie of d events makes d terms, in the l-th of which those with the event count as 1 - l/d (Efron 1977).
With eta the linear predictor, row i has the share P = M exp(eta) / S in a term, S being the sum over rows; E
is 1/d for those with the event of that time. Then log L = sum(E eta) - sum(log S), its derivative in eta is
the sum of E - P, and the residual of a row is the sum over terms of (E - P)(x - xbar) (Therneau & Grambsch
2000, Modeling Survival Data, ch. 3, 4).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from statsmodels.duration.hazard_regression import PHReg

from analysis.qc.tables import STRATUM

STEPS, FARTHEST = 6, 15.0


@dataclass(frozen=True, eq=False)
class RiskSets:
    """Shares at risk M and events E, (terms, rows), and the day of each term."""

    M: np.ndarray
    E: np.ndarray
    day: np.ndarray

    def shares(self, eta: np.ndarray) -> np.ndarray:
        """How likely the event of each term was each row's."""
        weighted = self.M * np.exp(eta)
        return weighted / weighted.sum(axis=1, keepdims=True)

    def loglik(self, eta: np.ndarray) -> float:
        return float((self.E @ eta).sum() - np.log(self.M @ np.exp(eta)).sum())


@dataclass(frozen=True, eq=False)
class Hazard:
    """Log hazard ratios with both covariances, the residuals of rows, and each term's share and mean."""

    coef: np.ndarray
    model: np.ndarray
    robust: np.ndarray
    residual: np.ndarray


def risk_sets(rows: pd.DataFrame, event: np.ndarray, ties: str = "efron") -> RiskSets:
    """A term for every event; a row is at risk in (start, stop] within its stratum."""
    start, stop, stratum = (rows[name].to_numpy() for name in ("start", "stop", STRATUM))
    M, E, days = [], [], []
    for each, day in sorted(set(zip(stratum[event], stop[event], strict=True))):
        at_risk = (stratum == each) & (start < day) & (day <= stop)
        theirs = at_risk & event & (stop == day)
        d = int(theirs.sum())
        for term in range(d):
            M.append(at_risk - theirs * (term / d if ties == "efron" else 0.0))
            E.append(theirs / d)
            days.append(day)
    shape = (len(days), len(rows))
    return RiskSets(np.reshape(M, shape), np.reshape(E, shape), np.array(days, dtype=float))


def hazard(rows: pd.DataFrame, event: np.ndarray, x: np.ndarray, ties: str = "efron") -> Hazard | None:
    """statsmodels' Cox model with the residuals of rows, whose sums in families make the robust covariance.

    `None` where an arm has no event, for there the likelihood has no maximum.
    """
    X = np.reshape(x, (len(rows), -1)).astype(float)
    if any(set(column) == {0.0, 1.0} and len(set(column[event])) < 2 for column in X.T):
        return None
    # statsmodels has who enters on the day of an event at risk in it: entry half a day later is in time for
    # the next day and not for that one.
    late = np.where(rows["start"] > 0, rows["start"] + 0.5, 0.0)
    stop, stratum, sets = rows["stop"].to_numpy(float), rows[STRATUM].to_numpy(), risk_sets(rows, event, ties)
    peer = PHReg(stop, X, event.astype(int), entry=late, strata=stratum, ties=ties)
    # It loops over rows, so that each of its steps is dear; from near its top it needs two.
    fit = peer.fit(start_params=_near_top(sets, X), disp=0)
    coef, model = fit.params, fit.cov_params()
    P = sets.shares(X @ coef)
    residual = ((sets.E - P).T @ np.ones(len(P)))[:, None] * X - (sets.E - P).T @ (P @ X)
    sums = pd.DataFrame(residual).groupby(rows["family_id"].to_numpy()).sum().to_numpy() @ model
    return Hazard(coef, model, sums.T @ sums, residual)


def _near_top(sets: RiskSets, X: np.ndarray) -> np.ndarray:
    """Some Newton steps on the terms; 0 where they lead nowhere."""
    b = np.zeros(X.shape[1])
    for _ in range(STEPS):
        P = sets.shares(X @ b)
        mean = P @ X
        step = np.linalg.solve(
            X.T @ (P.sum(axis=0)[:, None] * X) - mean.T @ mean, X.T @ (sets.E - P).sum(axis=0)
        )
        b = b + step
        if not (np.abs(b) < FARTHEST).all():
            return np.zeros(X.shape[1])
    return b
