"""Effects in subgroups: the test of interaction first, then the difference in each group."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from analysis.data.allocation import ARM, Allocated
from analysis.errors import ModelError
from analysis.models.answer import result_of
from analysis.models.design import Design, build_design
from analysis.models.groups import arm_names, contrast_name, sizes, so_many
from analysis.models.linear import (
    STRUCTURES,
    adjusted_for,
    due_and_analysed,
    estimate_contrast,
    fit_families,
    inference,
    outcome_rows,
    raw_means,
    row_of,
)
from analysis.results import Count, Estimate, Result
from analysis.spec.declarations import Spec
from analysis.spec.sap import Moderator, SubgroupAnalysis

LEVEL = "subgroup"


def fit(entry: SubgroupAnalysis, data: Allocated, spec: Spec) -> Result:
    """Difference between arms in each group of each moderator, and the test that they are equal.

    Each moderator has a model of its own: the entry's covariates, the moderator, and its product with the
    arm. Children whose moderator is not known are left out of that model.

    Parameters
    ----------
    entry : SubgroupAnalysis
        Outcome, covariates, moderators, structure and degrees of freedom of the plan.
    data : Allocated
        Tables with arms.
    spec : Spec
        The declarations.

    Returns
    -------
    Result
        Per moderator the F test `interaction`, and per group `difference`, `mean` and `sd`; `families` and
        `children` by arm and group. A moderator that cannot be estimated is named in the notes.

    Raises
    ------
    ModelError
        If no moderator can be estimated.

    Source
    ------
    Kenward & Roger (1997), Biometrics 53:983; Rothwell (2005), Lancet 365:176 (the test of interaction, not
    the tests within groups, is evidence of a difference between groups).
    """
    rows = outcome_rows(data, entry)
    counts: list[Count] = [*due_and_analysed(entry, rows, data)]
    estimates: list[Estimate] = []
    notes: list[str] = []
    for moderator in entry.moderators:
        try:
            grouped = _grouped(rows, moderator)
            found, said = _effects(entry, moderator, grouped, data, spec)
        except ModelError as error:
            notes.append(f"{moderator.label}: not estimable, {error}")
            continue
        estimates += found
        counts += _sizes(grouped, moderator, data)
        notes += [f"{moderator.label}: {note}" for note in said]
        if left_out := len(rows) - len(grouped):
            children = so_many(left_out, "child", "children")
            notes.append(f"{moderator.label}: not known for {children}, left out.")
    if not estimates:
        raise ModelError(f"no moderator can be estimated. {' '.join(notes)}")
    return result_of(
        entry,
        data,
        method=_method(entry, spec),
        counts=counts,
        estimates=estimates,
        notes=notes,
    )


def _grouped(rows: pd.DataFrame, moderator: Moderator) -> pd.DataFrame:
    """Rows whose moderator is known, with the group of each."""
    values = rows[moderator.column]
    known = rows[values.notna()].reset_index(drop=True)
    values = known[moderator.column]
    if moderator.below is None:
        return known.assign(**{LEVEL: values.astype(str)})
    names = np.where(values.astype(float) < moderator.below, *moderator.groups)
    return known.assign(**{LEVEL: names})


def _levels(rows: pd.DataFrame, moderator: Moderator) -> list[str]:
    present = set(rows[LEVEL])
    return [name for name in moderator.groups if name in present] or sorted(present)


def _effects(
    entry: SubgroupAnalysis, moderator: Moderator, rows: pd.DataFrame, data: Allocated, spec: Spec
) -> tuple[list[Estimate], list[str]]:
    levels = _levels(rows, moderator)
    if len(levels) < 2:
        raise ModelError("all children are in one group.")
    design, products = _design(entry, moderator, rows, levels, data)
    fitted = fit_families(entry, rows, design)
    label = {"moderator": moderator.label}
    joint = np.array([row_of(design, product) for product in products])
    found = [estimate_contrast(fitted, joint, entry, spec, "interaction", **label)]
    for level, product in zip(levels, ["", *products], strict=True):
        where = {**label, "level": level}
        within = row_of(design, "arm", product)
        found.append(
            estimate_contrast(
                fitted, within, entry, spec, "difference", contrast=contrast_name(data), **where
            )
        )
        found += raw_means(rows[rows[LEVEL] == level], data, **where)
    return found, list(fitted.notes)


def _design(
    entry: SubgroupAnalysis, moderator: Moderator, rows: pd.DataFrame, levels: list[str], data: Allocated
) -> tuple[Design, list[str]]:
    """The entry's design with the groups and their products with the arm; names of the products."""
    intervention, control = arm_names(data)
    design = build_design(rows, entry.covariates, intervention=intervention, control=control)
    treated = (rows[ARM] == intervention).to_numpy()
    products = []
    # The groups of a moderator that is adjusted for as a factor are in the design already.
    is_covariate = moderator.below is None and moderator.column in {each.column for each in entry.covariates}
    for level in levels:
        inside = (rows[LEVEL] == level).to_numpy()
        for arm, there in ((intervention, treated), (control, ~treated)):
            if not (inside & there).any():
                raise ModelError(f"arm {arm} has nobody in the group {level}.")
        if level == levels[0]:
            continue
        if not is_covariate:
            design.add(f"group {level}", inside)
        products.append(f"arm x {level}")
        design.add(products[-1], inside & treated)
    return design, products


def _sizes(rows: pd.DataFrame, moderator: Moderator, data: Allocated) -> Iterator[Count]:
    for level in _levels(rows, moderator):
        yield from sizes(rows[rows[LEVEL] == level], data, moderator=moderator.label, level=level)


def _method(entry: SubgroupAnalysis, spec: Spec) -> str:
    return (
        f"Per moderator a linear mixed model by REML with {STRUCTURES[entry.structure]}, adjusted for "
        f"{adjusted_for(entry.covariates, spec)}, with the groups and their products with the arm; F test of "
        f"the products together, then the difference within each group. {inference(entry)} Tests are not "
        "adjusted for their number."
    )
