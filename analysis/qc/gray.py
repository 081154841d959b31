"""Gray's test of two arms a second time: his covariance as printed, and the score with every weight moved.

Gray (1988), Ann. Stat. 16:1141, rho = 0; the equations are those of docs/methods/gray-test.md.
"""

import numpy as np
import pandas as pd

from analysis.qc.nudged import STEP, Units, units_of
from analysis.qc.tables import STRATUM


def gray(rows: pd.DataFrame, cause: str, x: np.ndarray) -> tuple[float, float]:
    """Chi-square robust to families, and that of independent children."""
    kind = np.select([rows["cause"] == cause, rows["cause"].notna()], [1, 2], 0)
    if (rows["start"] > 0).any() or not (kind == 1).any():
        return np.nan, np.nan
    total, variance, sums = 0.0, 0.0, []
    frame = rows.assign(unit=rows["child_id"], kind=kind, x=x)
    for _, mine in frame.groupby(STRATUM):
        if (mine["kind"] == 1).any():
            units = units_of(mine)
            moved = _score(mine, units)
            total += float(moved[0].real)
            sums.append(pd.DataFrame({"u": moved.imag / STEP, "family": units.family}))
            variance += _gray_variance(mine)
    families = pd.concat(sums).groupby("family")["u"].sum()
    return total**2 / float((families**2).sum()), total**2 / variance


def _groups(rows: pd.DataFrame, units: Units, chosen: np.ndarray) -> list[np.ndarray]:
    """How many of the chosen rows are in the control and the intervention arm, weights moved."""
    x = rows["x"].to_numpy()
    return [units.count(np.flatnonzero(chosen & (x == arm))) for arm in (0.0, 1.0)]


def _score(rows: pd.DataFrame, units: Units) -> np.ndarray:
    """Events of the cause in the intervention arm less those expected, (units,)."""
    stop, kind = rows["stop"].to_numpy(), rows["kind"].to_numpy()
    one = np.ones(len(units.family), dtype=complex)
    S, F, score = [one, one], [0 * one, 0 * one], 0 * one
    for day in np.unique(stop[kind > 0]):
        Y = _groups(rows, units, stop >= day)
        d = _groups(rows, units, (stop == day) & (kind == 1))
        D = _groups(rows, units, (stop == day) & (kind > 0))
        there = [g for g in (0, 1) if Y[g][0].real > 0]
        R = [Y[g] * (1 - F[g]) / S[g] if g in there else 0 * one for g in (0, 1)]
        score = score + d[1] - (d[0] + d[1]) * R[1] / (R[0] + R[1])
        for g in there:
            F[g] = F[g] + S[g] * d[g] / Y[g]
            S[g] = S[g] * (1 - D[g] / Y[g])
    return score


def _gray_variance(rows: pd.DataFrame) -> float:
    """Variance of the score of the intervention arm, children independent: the terms of both arms.

    With a_k = h_1 (1{k = 1} - h_k / h), h_k = Y_k / S_k, and c_k the sum of a_k dF / (1 - F) still to come.
    """
    stop, kind, x = (rows[name].to_numpy() for name in ("stop", "kind", "x"))
    days = np.unique(stop[kind > 0])
    Y, d, D = (
        np.array([[(part & (x == arm)).sum() for arm in (0.0, 1.0)] for part in parts], dtype=float)
        for parts in (
            [stop >= day for day in days],
            [(stop == day) & (kind == 1) for day in days],
            [(stop == day) & (kind > 0) for day in days],
        )
    )
    S = np.ones((len(days) + 1, 2))
    F, a, variance = np.zeros(len(days) + 1), np.zeros((len(days), 2)), 0.0
    h = np.zeros((len(days), 2))
    for t in range(len(days)):
        seen = Y[t] > 0
        h[t, seen] = Y[t, seen] / S[t, seen]
        S[t + 1] = S[t]
        S[t + 1, seen] *= 1 - D[t, seen] / Y[t, seen]
        F[t + 1] = F[t] + d[t].sum() / h[t].sum()
        a[t] = h[t, 1] * (np.array([0.0, 1.0]) - h[t] / h[t].sum())
    c = np.cumsum(a * (np.diff(F) / (1 - F[:-1]))[:, None], axis=0)
    for t in range(len(days)):
        for k in np.flatnonzero(Y[t] > 0):
            # Where nobody is left S is 0, and nothing is still to come.
            left = (1 - F[t + 1]) / S[t + 1, k] if S[t + 1, k] > 0 else 0.0
            rest = c[-1, k] - c[t, k]
            both, other = d[t].sum(), D[t, k] - d[t, k]
            if both > 0:
                ties = 1 - (both - 1) / (S[t, k] * h[t].sum() - 1) if both > 1 else 1.0
                variance += (
                    (a[t, k] + (1 - left) * rest) ** 2 * S[t, k] * both / (Y[t, k] * h[t].sum()) * ties
                )
            if other > 0:
                ties = 1 - (other - 1) / (Y[t, k] - 1) if other > 1 else 1.0
                variance += (left * rest) ** 2 * S[t, k] ** 2 * other / Y[t, k] ** 2 * ties
    return float(variance)
