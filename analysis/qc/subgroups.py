"""Subgroups a second time: a cell-means model of arm by group, where the plan's has products."""

import numpy as np
import pandas as pd

from analysis.qc import dense
from analysis.qc.again import Again
from analysis.qc.design import columns, counted, raw_means, with_outcome
from analysis.qc.siblings import fit_siblings
from analysis.qc.tables import Tables, sizes, treated
from analysis.results import Count, Estimate
from analysis.spec.sap import Moderator, SubgroupAnalysis

METHOD = (
    "dense matrices; one effect of the arm per group instead of products with a first group, and the F test "
    "that all are the same"
)


def again(entry: SubgroupAnalysis, tables: Tables) -> Again:
    """The difference within each group and the test that they are equal, per moderator."""
    rows = with_outcome(tables, entry)
    estimates, counts = [], counted(tables, entry, rows)
    # This family does not say who has a baseline.
    counts = [each for each in counts if each.name != "baseline_known"]
    for moderator in entry.moderators:
        found, sized = _moderated(entry, moderator, rows, tables)
        estimates, counts = [*estimates, *found], [*counts, *sized]
    return Again(METHOD, tuple(estimates), tuple(counts))


def _moderated(
    entry: SubgroupAnalysis, moderator: Moderator, rows: pd.DataFrame, tables: Tables
) -> tuple[list[Estimate], list[Count]]:
    rows = rows[rows[moderator.column].notna()].reset_index(drop=True)
    group = _groups(rows, moderator)
    names = [each for each in moderator.groups or sorted(set(group)) if (group == each).any()]
    if not _can_be_compared(group, names, treated(rows, tables)):
        return [], []
    X = _design(entry, moderator, rows, group, names, tables)
    if np.linalg.matrix_rank(X.to_numpy()) < X.shape[1]:
        return [], []
    fit = fit_siblings(rows, X, may_be_negative=entry.structure == "exchangeable").adjusted
    row = pd.DataFrame(np.eye(X.shape[1]), X.columns, X.columns)
    label, effects = {"moderator": moderator.label}, [row.loc[f"arm in {each}"] for each in names]
    found = [dense.joint(fit, "interaction", np.array([each - effects[0] for each in effects[1:]]), label)]
    counts: list[Count] = []
    for name, effect in zip(names, effects, strict=True):
        where, mine = {**label, "level": name}, rows[group == name]
        labels = {"contrast": tables.contrast, **where}
        found.append(dense.contrast(fit, "difference", effect, labels, tables.level))
        found += raw_means(mine, tables, **where)
        counts += sizes(mine, tables, **where)
    return found, counts


def _groups(rows: pd.DataFrame, moderator: Moderator) -> np.ndarray:
    values = rows[moderator.column]
    if moderator.below is None:
        return values.astype(str).to_numpy()
    below, above = moderator.groups
    return np.where(values.to_numpy(float) < moderator.below, below, above)


def _can_be_compared(group: np.ndarray, names: list[str], arm: np.ndarray) -> bool:
    return len(names) > 1 and all(set(arm[group == each]) == {0.0, 1.0} for each in names)


def _design(
    entry: SubgroupAnalysis,
    moderator: Moderator,
    rows: pd.DataFrame,
    group: np.ndarray,
    names: list[str],
    tables: Tables,
) -> pd.DataFrame:
    """A mean and an effect of the arm in each group, and the covariates that the groups are not."""
    X = columns(rows, tables, entry.covariates)
    own = [each for each in X if each.split(" ")[0] == moderator.column and moderator.below is None]
    X = X.drop(columns=["intercept", "arm", *own])
    arm = treated(rows, tables)
    for each in names:
        X[f"group {each}"] = (group == each).astype(float)
        X[f"arm in {each}"] = (group == each) * arm
    return X
