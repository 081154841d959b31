"""The course of an outcome over visits: repeated measures of a child, with the family beside them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.data.allocation import ARM, Allocated
from analysis.errors import ModelError
from analysis.models.answer import result_of
from analysis.models.design import Design
from analysis.models.groups import arm_names, contrast_name, select, sizes
from analysis.models.linear import (
    AVERAGED,
    adjusted_for,
    arm_design,
    estimate_contrast,
    inference,
    mean_of,
    missing_baseline,
    raw_means,
    row_of,
    those_due,
    with_baseline,
)
from analysis.results import Count, Estimate, Result
from analysis.spec.declarations import Spec
from analysis.spec.sap import CourseAnalysis
from analysis.stats.covariance import unstructured, unstructured_in_cluster
from analysis.stats.reml import LinearFit, reml
from analysis.stats.structure import Structure

STRUCTURES = {
    "unstructured_in_cluster": "an unstructured covariance of a child's visits and a random family effect",
    "unstructured": "an unstructured covariance of a child's visits and no family effect",
}


@dataclass(frozen=True, slots=True)
class _Columns:
    """The design; visit -> name of its effect; visit -> row of a control child with mean covariates."""

    design: Design
    effects: dict[str, str]
    control: dict[str, list[float]]

    def add(self, name: str, column: np.ndarray, mean: float, visit: str | None = None) -> None:
        """Append a column that counts at one visit, or at all."""
        self.design.add(name, column)
        for each, row in self.control.items():
            row.append(mean if visit in (None, each) else 0.0)


def fit(entry: CourseAnalysis, data: Allocated, spec: Spec) -> Result:
    """Adjusted mean by arm and difference between arms at every visit.

    Every child of the population with a value at any of the visits takes part, so that a child seen once
    lends its value to the estimate of the other visit.

    Parameters
    ----------
    entry : CourseAnalysis
        Parameter, visits, covariates, covariance and degrees of freedom of the plan.
    data : Allocated
        Tables with arms.
    spec : Spec
        The declarations.

    Returns
    -------
    Result
        Per visit `difference`, `adjusted_mean` by arm, raw `mean` and `sd`, and numbers analysed;
        `interaction`, the F test that the difference is the same at all visits;
        `covariance` of the visits and of the family.

    Raises
    ------
    ModelError
        If an arm has nobody at a visit, or the model is not defined on these data.

    Source
    ------
    Mallinckrodt et al. (2008), Drug Information Journal 42:303 (repeated measures); Kenward & Roger (1997),
    Biometrics 53:983.
    """
    population = select(data, "subjects", entry.population)
    due = those_due(population, data, entry.parameter, entry.visits)
    rows = _rows(entry, data)
    columns = _columns(entry, rows, data, spec)
    design = columns.design
    structure = _structure(entry, rows)
    fitted = reml(rows["value"].to_numpy(float), design.matrix, structure, names=design.terms)
    return result_of(
        entry,
        data,
        method=_method(entry, spec),
        counts=(
            *sizes(due, data, set="due"),
            *sizes(rows, data, set="analysed"),
            *_at_visits(entry, rows, data),
            *with_baseline(rows, entry.covariates),
        ),
        estimates=(
            *_by_visit(entry, rows, fitted, columns, data, spec),
            *_interaction(entry, fitted, columns, spec),
            *_covariance(fitted),
        ),
        notes=fitted.notes,
        details=(*design.notes, *missing_baseline(rows, entry.covariates, spec)),
    )


def _rows(entry: CourseAnalysis, data: Allocated) -> pd.DataFrame:
    rows = select(data, "outcomes", entry.population)
    here = (rows["parameter"] == entry.parameter) & rows["visit"].isin(entry.visits)
    rows = rows[here & rows["value"].notna()].sort_values(["child_id", "visit"], kind="stable")
    for visit in entry.visits:
        for arm in arm_names(data):
            if not ((rows["visit"] == visit) & (rows[ARM] == arm)).any():
                raise ModelError(f"arm {arm} has nobody with a value at visit {visit}.")
    return rows.reset_index(drop=True)


def _columns(entry: CourseAnalysis, rows: pd.DataFrame, data: Allocated, spec: Spec) -> _Columns:
    """A mean and an effect of the arm per visit, then the covariates, at each visit or for all."""
    intervention, _ = arm_names(data)
    adjusted = arm_design(entry, rows, data, spec)
    treated, child = (rows[ARM] == intervention).to_numpy(), ~rows.duplicated("child_id").to_numpy()
    made = _Columns(Design(notes=adjusted.notes), {}, {visit: [] for visit in entry.visits})
    means = mean_of(adjusted, entry.weights, rows=child)
    covariates = list(zip(adjusted.names, adjusted.columns, means, strict=True))[2:]
    for visit in entry.visits:
        here = (rows["visit"] == visit).to_numpy()
        made.effects[visit] = f"arm at {visit}"
        made.add(f"visit {visit}", here, 1.0, visit)
        made.add(made.effects[visit], here & treated, 0.0)
        for name, column, mean in covariates:
            if _varies_by_visit(name, entry):
                made.add(f"{name} at {visit}", column * here, mean, visit)
    for name, column, mean in covariates:
        if not _varies_by_visit(name, entry):
            made.add(name, column, mean)
    return made


def _varies_by_visit(name: str, entry: CourseAnalysis) -> bool:
    """Whether a column belongs to a covariate whose effect the plan lets differ between visits."""
    return name.split(" ")[0] in entry.by_visit


def _structure(entry: CourseAnalysis, rows: pd.DataFrame) -> Structure:
    child, visit = rows["child_id"].to_numpy(), rows["visit"].to_numpy()
    if entry.structure == "unstructured":
        return unstructured(child, visit)
    return unstructured_in_cluster(rows["family_id"].to_numpy(), child, visit)


def _by_visit(
    entry: CourseAnalysis,
    rows: pd.DataFrame,
    fitted: LinearFit,
    columns: _Columns,
    data: Allocated,
    spec: Spec,
) -> list[Estimate]:
    intervention, control = arm_names(data)
    found = []
    for visit, arm in columns.effects.items():
        effect, untreated = row_of(columns.design, arm), np.array(columns.control[visit])
        label = {"visit": visit}
        found.append(
            estimate_contrast(
                fitted, effect, entry, spec, "difference", contrast=contrast_name(data), **label
            )
        )
        for name, L in ((intervention, untreated + effect), (control, untreated)):
            found.append(estimate_contrast(fitted, L, entry, spec, "adjusted_mean", arm=name, **label))
        found += raw_means(rows[rows["visit"] == visit], data, **label)
    return found


def _interaction(entry: CourseAnalysis, fitted: LinearFit, columns: _Columns, spec: Spec) -> list[Estimate]:
    first, *others = [row_of(columns.design, arm) for arm in columns.effects.values()]
    if not others:
        return []
    joint = np.array([other - first for other in others])
    return [estimate_contrast(fitted, joint, entry, spec, "interaction", of="arm and visit")]


def _covariance(fitted: LinearFit) -> list[Estimate]:
    return [
        Estimate("covariance", float(value), labels={"component": name})
        for name, value in zip(fitted.theta_names, fitted.theta, strict=True)
    ]


def _at_visits(entry: CourseAnalysis, rows: pd.DataFrame, data: Allocated) -> list[Count]:
    return [each for visit in entry.visits for each in sizes(rows[rows["visit"] == visit], data, visit=visit)]


def _method(entry: CourseAnalysis, spec: Spec) -> str:
    differing = adjusted_for([each for each in entry.covariates if each.column in entry.by_visit], spec)
    return (
        f"Linear model of repeated measures by REML with {STRUCTURES[entry.structure]}, with a mean and an "
        f"effect of the arm at each visit, adjusted for {adjusted_for(entry.covariates, spec)}"
        f"{f' (with an effect of its own at each visit: {differing})' if differing else ''}; "
        f"{inference(entry)} Adjusted means are averaged {AVERAGED[entry.weights]}."
    )
