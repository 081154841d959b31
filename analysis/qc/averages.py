"""Averages over children and families a second time: least squares of statsmodels, CR2 by n x n matrices."""

import numpy as np
import pandas as pd
from statsmodels.regression.linear_model import WLS

from analysis.qc.again import Again, with_t
from analysis.qc.design import columns, counted, raw_means, with_outcome
from analysis.qc.tables import ARM, Tables, members
from analysis.results import Estimate
from analysis.spec.visit_outcomes import AveragesAnalysis

METHOD = (
    "weighted least squares of statsmodels; Bell & McCaffrey (2002) with the residual matrix and one square "
    "root per family written out"
)


def again(entry: AveragesAnalysis, tables: Tables) -> Again:
    """The difference by average, and their difference with its test."""
    rows = with_outcome(tables, entry)
    X = columns(rows, tables, entry.covariates)
    size = rows.groupby("family_id")["child_id"].transform("nunique").to_numpy(float)
    parts = {"child": _influence(rows, X, np.ones(len(rows))), "family": _influence(rows, X, 1 / size)}
    label = {"contrast": tables.contrast}
    found = [
        _tested("difference", value, A, rows, tables.level, {"average": average, **label})
        for average, (value, A) in parts.items()
    ]
    if size.max() > 1:
        value, A = (of_child - of_family for of_child, of_family in zip(*parts.values(), strict=True))
        found.append(_tested("informative_size", value, A, rows, tables.level, label))
    families = rows.groupby(["family_id", ARM])["value"].mean().reset_index()
    means = (*raw_means(rows, tables, average="child"), *raw_means(families, tables, average="family"))
    return Again(METHOD, (*means, *found), tuple(counted(tables, entry, rows)))


def _influence(rows: pd.DataFrame, X: pd.DataFrame, weights: np.ndarray) -> tuple[float, np.ndarray]:
    """The effect of the arm, and the families x children matrix whose product with y is their influence."""
    D, W = X.to_numpy(float), np.diag(weights)
    M = np.linalg.inv(D.T @ W @ D)
    R = np.eye(len(D)) - D @ M @ D.T @ W
    on_arm = W @ D @ M[:, list(X).index("arm")]
    families = members(rows["family_id"])
    A = np.array([_root(R[mine] @ R[mine].T) @ on_arm[mine] @ R[mine] for mine in families])
    return float(WLS(rows["value"].to_numpy(float), X, weights=weights).fit().params["arm"]), A


def _root(B: np.ndarray) -> np.ndarray:
    """Inverse square root; directions that the columns fit exactly stay 0."""
    values, vectors = np.linalg.eigh(B)
    inverse = [1 / np.sqrt(value) if value > 1e-12 else 0.0 for value in values]
    return vectors @ np.diag(inverse) @ vectors.T


def _tested(
    name: str, value: float, A: np.ndarray, rows: pd.DataFrame, level: float, labels: dict[str, str]
) -> Estimate:
    """With the errors of A y, and the degrees of freedom of its variance were children independent."""
    se, P = np.linalg.norm(A @ rows["value"].to_numpy(float)), A @ A.T
    return with_t(name, value, se, np.trace(P) ** 2 / np.trace(P @ P), level=level, labels=labels)
