"""Standardised risks a second time: the logistic model of statsmodels, its influence child by child."""

import numpy as np
import pandas as pd
from scipy import stats
from statsmodels.genmod.families import Binomial
from statsmodels.genmod.generalized_linear_model import GLM

from analysis.qc.again import Again
from analysis.qc.design import columns, counted, with_outcome
from analysis.qc.tables import Tables, by_arm, members
from analysis.results import Count, Estimate
from analysis.spec.declarations import bandings
from analysis.spec.visit_outcomes import BinaryAnalysis

METHOD = "logistic regression of statsmodels; influence of each child as printed, residuals family by family"


def again(entry: BinaryAnalysis, tables: Tables) -> Again:
    """Risks, their difference and ratio; children with the event."""
    rows = with_outcome(tables, entry)
    rows = rows.assign(event=_event(entry, rows, tables))
    X = columns(rows, tables, entry.covariates)
    risk, phi = _risks(rows, X)
    families = members(rows["family_id"])
    sums = np.array([phi[mine].sum(axis=0) for mine in families])
    V, df = sums.T @ sums, len(families) - X.shape[1]
    where = [{"arm": arm} for arm in tables.arms]
    estimates = [
        _estimate("risk", r, np.sqrt(V[at, at]), df, tables.level, where[at], has_p=False)
        for at, r in enumerate(risk)
    ]
    contrast = {"contrast": tables.contrast}
    apart, relative = np.array([1, -1]), np.array([1 / risk[0], -1 / risk[1]])
    se = np.sqrt(apart @ V @ apart)
    estimates.append(_estimate("risk_difference", risk[0] - risk[1], se, df, tables.level, contrast))
    estimates.append(
        _ratio(np.log(risk[0] / risk[1]), np.sqrt(relative @ V @ relative), df, tables.level, contrast)
    )
    events = [Count("events", int(mine["event"].sum()), {"arm": arm}) for arm, mine in by_arm(rows, tables)]
    return Again(METHOD, tuple(estimates), (*counted(tables, entry, rows), *events))


def _event(entry: BinaryAnalysis, rows: pd.DataFrame, tables: Tables) -> np.ndarray:
    value, rule = rows["value"].to_numpy(float), entry.event
    if rule.at_least is not None:
        return (value >= rule.at_least).astype(float)
    if rule.at_most is not None:
        return (value <= rule.at_most).astype(float)
    event = np.zeros(len(rows))
    for (version, form), banding in bandings(tables.spec, entry.outcome.parameter).items():
        for band in banding.bands:
            if version == rule.version and band.id in rule.bands:
                inside = (rows["form"] == form) & (value >= band.minimum) & (value <= band.maximum)
                event[inside.to_numpy()] = 1
    return event


def _risks(rows: pd.DataFrame, X: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Risk under each arm and the influence of each child on both, (n, 2)."""
    y, D = rows["event"].to_numpy(float), X.to_numpy(float)
    fit = GLM(y, D, family=Binomial()).fit(tol=1e-14, tol_criterion="params", maxiter=100)
    p = fit.predict(D)
    inverse = np.linalg.inv(D.T @ np.diag(p * (1 - p)) @ D)
    residual = _enlarged(y - p, D, p * (1 - p), inverse, rows["family_id"].to_numpy())
    risk, phi = [], []
    for at in (1.0, 0.0):
        forced = D.copy()
        forced[:, list(X).index("arm")] = at
        q = fit.predict(forced)
        slope = (q * (1 - q)) @ forced / len(q)
        risk.append(q.mean())
        phi.append((q - q.mean()) / len(q) + residual * (D @ inverse @ slope))
    return np.array(risk), np.column_stack(phi)


def _enlarged(
    e: np.ndarray, D: np.ndarray, w: np.ndarray, inverse: np.ndarray, family: np.ndarray
) -> np.ndarray:
    """Residuals times (I - H) to the power -1/2 of their family, on the scale of unit variance."""
    made = np.zeros(len(e))
    for each in set(family):
        mine = np.flatnonzero(family == each)
        root = np.sqrt(w[mine])
        H = root[:, None] * (D[mine] @ inverse @ D[mine].T) * root
        values, vectors = np.linalg.eigh(np.eye(len(mine)) - H)
        made[mine] = root * (vectors @ ((vectors.T @ (e[mine] / root)) / np.sqrt(values)))
    return made


def _estimate(
    name: str, value: float, se: float, df: int, level: float, labels: dict[str, str], has_p: bool = True
) -> Estimate:
    half = stats.t.ppf((1 + level) / 2, df) * se
    p = float(2 * stats.t.sf(abs(value / se), df)) if has_p else None
    limits = {"low": float(value - half), "high": float(value + half), "level": level}
    return Estimate(name, float(value), se=float(se), df=float(df), p=p, labels=labels, **limits)


def _ratio(log_ratio: float, se: float, df: int, level: float, labels: dict[str, str]) -> Estimate:
    """Limits and test on the scale of the logarithm, whose standard error it gives."""
    low, high = np.exp(log_ratio + np.array([-1, 1]) * stats.t.ppf((1 + level) / 2, df) * se)
    return Estimate(
        "risk_ratio",
        float(np.exp(log_ratio)),
        se=float(se),
        low=float(low),
        high=float(high),
        level=level,
        df=float(df),
        p=float(2 * stats.t.sf(abs(log_ratio / se), df)),
        labels=labels,
    )
