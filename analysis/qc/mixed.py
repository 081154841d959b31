"""A01 and its like a second time: dense restricted maximum likelihood with Kenward-Roger."""

import numpy as np
import pandas as pd

from analysis.qc import dense
from analysis.qc.again import Again
from analysis.qc.dense import Adjusted
from analysis.qc.design import average_row, columns, counted, raw_means, with_outcome
from analysis.qc.fitting import diagnostics
from analysis.qc.siblings import Siblings, fit_siblings
from analysis.qc.tables import ARM, Tables
from analysis.results import Estimate
from analysis.spec.visit_outcomes import MixedAnalysis

PARTS = {
    "random_intercept": ("family", "residual"),
    "exchangeable": ("covariance within families", "remainder"),
}
METHOD = (
    "dense matrices of all children: restricted likelihood by Newton steps, Kenward & Roger (1997) as "
    "printed, profile of the correlation in closed form; leave-one-family-out by leaving it out"
)


def again(entry: MixedAnalysis, tables: Tables) -> Again:
    """Difference, adjusted means, coefficients, variances; for the primary analysis its diagnostics."""
    rows = with_outcome(tables, entry)
    X = columns(rows, tables, entry.covariates)
    fit, components = _fit(entry, rows, X, tables.level)
    unit = pd.DataFrame(np.eye(X.shape[1]), X.columns, X.columns)
    labels = {"contrast": tables.contrast}
    difference = dense.contrast(fit, "difference", unit.loc["arm"], labels, tables.level)
    means = [
        dense.contrast(
            fit, "adjusted_mean", average_row(X, entry.weights, arm=at), {"arm": arm}, tables.level
        )
        for arm, at in zip(tables.arms, (1.0, 0.0), strict=True)
    ]
    coefficients = [
        dense.contrast(fit, "coefficient", unit.loc[name], {"term": name}, tables.level) for name in X
    ]
    checked, points = ((), ())
    if entry.role == "primary":
        checked, points = diagnostics(fit.fit, rows["family_id"], list(X).index("arm"), difference.se)
    return Again(
        METHOD,
        estimates=(
            *raw_means(rows, tables),
            difference,
            *means,
            *components,
            *coefficients,
            *checked,
        ),
        counts=tuple(counted(tables, entry, rows)),
        points=points,
    )


def difference(entry: MixedAnalysis, rows: pd.DataFrame, tables: Tables) -> Estimate | None:
    """The difference of these rows alone; none where they cannot tell it."""
    if rows.empty or rows[ARM].nunique() < 2:
        return None
    X = columns(rows, tables, entry.covariates)
    scaled = X / np.abs(X).max()
    if len(X) <= X.shape[1] or np.linalg.matrix_rank(scaled.to_numpy(float)) < X.shape[1]:
        return None
    fit, _ = _fit(entry, rows, X, tables.level)
    row = (X.columns == "arm").astype(float)
    return dense.contrast(fit, "difference", row, {"contrast": tables.contrast}, tables.level)


def _fit(
    entry: MixedAnalysis, rows: pd.DataFrame, X: pd.DataFrame, level: float
) -> tuple[Adjusted, list[Estimate]]:
    if entry.by:
        return _by_group(rows, X, entry.by)
    fit = fit_siblings(rows, X, may_be_negative=entry.structure == "exchangeable")
    return fit.adjusted, _components(entry, fit, rows, level)


def _components(entry: MixedAnalysis, fit: Siblings, rows: pd.DataFrame, level: float) -> list[Estimate]:
    found = [
        Estimate("variance", float(value), labels={"component": name})
        for name, value in zip(PARTS[entry.structure], fit.theta, strict=True)
    ]
    return [*found, fit.icc(level)] if rows["family_id"].duplicated().any() else found


def _by_group(rows: pd.DataFrame, X: pd.DataFrame, by: str) -> tuple[Adjusted, list[Estimate]]:
    """Both variances of each group of families."""
    y, family, group = (rows[name].to_numpy() for name in ("value", "family_id", by))
    inside = [group == each for each in sorted(set(group))]
    bases = [basis for mine in inside for basis in (_within(dense.same(family), mine), dense.identity(mine))]
    start = np.tile([0.25, 0.75], len(inside)) * np.var(y, ddof=1)
    # Without siblings nothing tells both variances of a group apart, and the first is 0.
    has_siblings = [bool(pd.Series(family[mine]).duplicated().any()) for mine in inside]
    told = [each for has in has_siblings for each in (has, True)]
    start[~np.array(told)] = 0.0
    top = dense.maximise(y.astype(float), X.to_numpy(float), bases, start, np.zeros(len(start)), told)
    found = []
    for name, has, pair in zip(sorted(set(group)), has_siblings, top.theta.reshape(-1, 2), strict=True):
        found += [
            Estimate("variance", float(value), labels={"component": part, "group": name, "by": by})
            for part, value in zip(PARTS["random_intercept"], pair, strict=True)
        ]
        if has:
            found.append(Estimate("icc", float(pair[0] / pair.sum()), labels={"group": name, "by": by}))
    return dense.adjust(top, told), found


def _within(basis, mine: np.ndarray):
    chosen = dense.identity(mine)
    return (chosen @ basis @ chosen).tocsr()
