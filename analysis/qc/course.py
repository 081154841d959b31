"""The course of an outcome a second time: dense restricted likelihood over all visits of all children."""

import numpy as np
import pandas as pd
from scipy import sparse

from analysis.qc import dense
from analysis.qc.again import Again
from analysis.qc.design import average_row, columns, raw_means, those_due, with_baseline
from analysis.qc.tables import Tables, sizes, treated
from analysis.results import Estimate
from analysis.spec.sap import CourseAnalysis

METHOD = "dense matrices of all visits of all children; Kenward & Roger (1997) as printed"


def again(entry: CourseAnalysis, tables: Tables) -> Again:
    """The difference and the means at each visit, the test that differences are equal, the covariance."""
    people = tables.people(entry.population)
    rows = tables.rows("outcomes", people)
    asked = (rows["parameter"] == entry.parameter) & rows["visit"].isin(entry.visits) & rows["value"].notna()
    rows = rows[asked].reset_index(drop=True)
    X = _design(entry, rows, tables)
    bases = _bases(entry, rows)
    top = _top(rows, X, bases)
    fit = dense.adjust(top, [True] * len(bases))
    due = those_due(tables, people, entry.parameter, entry.visits)
    return Again(
        METHOD,
        estimates=(*_effects(entry, fit, X, rows, tables), *_covariance(bases, top)),
        counts=(
            *sizes(due, tables, set="due"),
            *sizes(rows, tables, set="analysed"),
            *(
                each
                for visit in entry.visits
                for each in sizes(rows[rows["visit"] == visit], tables, visit=visit)
            ),
            *with_baseline(rows, entry.covariates),
        ),
    )


def _design(entry: CourseAnalysis, rows: pd.DataFrame, tables: Tables) -> pd.DataFrame:
    """A mean and an effect of the arm per visit; covariates for all visits or each by itself.

    The row of a control child with the average covariates, by visit, stands in its attributes.
    """
    plain = columns(rows, tables, entry.covariates)
    children = plain[~rows["child_id"].duplicated()]
    children.attrs = plain.attrs
    mean, arm = average_row(children, entry.weights), treated(rows, tables)
    made, control = {}, {visit: {} for visit in entry.visits}
    for visit in entry.visits:
        here = (rows["visit"] == visit).to_numpy(float)
        made |= {f"visit {visit}": here, f"arm at {visit}": here * arm}
        control[visit][f"visit {visit}"] = 1.0
    for name in plain.columns[2:]:
        is_own = name.split(" ")[0] in entry.by_visit
        for visit in entry.visits:
            column = f"{name} at {visit}" if is_own else name
            here = (rows["visit"] == visit).to_numpy(float) if is_own else 1.0
            made[column] = plain[name].to_numpy() * here
            control[visit][column] = mean[name]
    X = pd.DataFrame(made)
    X.attrs["control"] = pd.DataFrame(control).reindex(X.columns).fillna(0.0)
    return X


def _bases(entry: CourseAnalysis, rows: pd.DataFrame) -> dict[str, sparse.csr_array]:
    visits, child = sorted(entry.visits), dense.same((rows["family_id"] + "/" + rows["child_id"]).to_numpy())
    at = {visit: dense.identity((rows["visit"] == visit).to_numpy()) for visit in visits}
    made = {}
    for i, first in enumerate(visits):
        for second in visits[i:]:
            block = (at[first] @ child @ at[second]).tocsr()
            if first == second:
                made[f"variance at {first}"] = block
            else:
                made[f"covariance of {first} and {second}"] = (block + block.T).tocsr()
    if entry.structure == "unstructured_in_cluster":
        made["variance between clusters"] = dense.same(rows["family_id"].to_numpy())
    return made


def _top(rows: pd.DataFrame, X: pd.DataFrame, bases: dict) -> dense.DenseFit:
    total = float(np.var(rows["value"].to_numpy(float), ddof=1))
    start = [total if "variance at" in name else 0.2 * total for name in bases]
    floor = [0.0 if name == "variance between clusters" else -np.inf for name in bases]
    y = rows["value"].to_numpy(float)
    return dense.maximise(y, X.to_numpy(float), list(bases.values()), np.array(start), np.array(floor))


def _effects(
    entry: CourseAnalysis, fit: dense.Adjusted, X: pd.DataFrame, rows: pd.DataFrame, tables: Tables
) -> list[Estimate]:
    unit = pd.DataFrame(np.eye(X.shape[1]), X.columns, X.columns)
    effects = [unit.loc[f"arm at {visit}"] for visit in entry.visits]
    found = []
    for visit, effect in zip(entry.visits, effects, strict=True):
        where, control = {"visit": visit}, X.attrs["control"][visit]
        labels = {"contrast": tables.contrast, **where}
        found.append(dense.contrast(fit, "difference", effect, labels, tables.level))
        for arm, row in zip(tables.arms, (control + effect, control), strict=True):
            found.append(dense.contrast(fit, "adjusted_mean", row, {"arm": arm, **where}, tables.level))
        found += raw_means(rows[rows["visit"] == visit], tables, **where)
    if len(effects) > 1:
        apart = np.array([effect - effects[0] for effect in effects[1:]])
        found.append(dense.joint(fit, "interaction", apart, {"of": "arm and visit"}))
    return found


def _covariance(bases: dict, top: dense.DenseFit) -> list[Estimate]:
    return [
        Estimate("covariance", float(value), labels={"component": name})
        for name, value in zip(bases, top.theta, strict=True)
    ]
