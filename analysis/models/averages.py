"""The effect averaged over children and over families, and the test that both are the same: A03."""

import numpy as np
import pandas as pd

from analysis.data.allocation import ARM, Allocated
from analysis.models.answer import result_of
from analysis.models.groups import contrast_name
from analysis.models.linear import (
    adjusted_for,
    arm_design,
    as_estimate,
    due_and_analysed,
    missing_baseline,
    outcome_rows,
    raw_means,
    removed_families,
    row_of,
    with_baseline,
)
from analysis.results import Result
from analysis.spec.declarations import Spec
from analysis.spec.visit_outcomes import AveragesAnalysis
from analysis.stats.estimating_equations import difference_of_averages, independence, robust_contrast

CHILD, FAMILY = "child", "family"
NO_SIBLINGS = "Every family has one child analysed: both averages are the same and there is nothing to test."


def fit(entry: AveragesAnalysis, data: Allocated, spec: Spec) -> Result:
    """Adjusted difference between arms in the mean over children and in the mean over families.

    Parameters
    ----------
    entry : AveragesAnalysis
        Outcome and covariates of the plan, and the estimands of both averages.
    data : Allocated
        Tables with arms.
    spec : Spec
        The declarations.

    Returns
    -------
    Result
        `difference` by average (child, family), and `informative_size`, the first less the second with its
        test, in units of the outcome; `mean` and `sd` by arm, over children and over the families' means.
        Without a family of two children analysed there is nothing to test, and a note says so.

    Raises
    ------
    ModelError
        If the model is not defined on these data.

    Source
    ------
    Kahan et al. (2023), International Journal of Epidemiology 52:107 (the two averages); Bell & McCaffrey
    (2002), Survey Methodology 28:169, and Pustejovsky & Tipton (2018), Journal of Business & Economic
    Statistics 36:672 (errors and degrees of freedom).
    """
    rows = outcome_rows(data, entry)
    size = rows.groupby("family_id")["child_id"].transform("size").to_numpy(float)
    no_siblings = () if (size > 1).any() else (NO_SIBLINGS,)
    design = arm_design(entry, rows, data, spec)
    by_child, by_family = (
        independence(
            rows["value"].to_numpy(float),
            design.matrix,
            rows["family_id"].to_numpy(),
            weights=weights,
            names=design.terms,
        )
        for weights in (np.ones_like(size), 1.0 / size)
    )
    arm, level, label = row_of(design, "arm"), spec.trial.level, {"contrast": contrast_name(data)}
    found = [
        as_estimate("difference", robust_contrast(fitted, arm, level=level), average=average, **label)
        for average, fitted in ((CHILD, by_child), (FAMILY, by_family))
    ]
    if not no_siblings:
        test = difference_of_averages(by_child, by_family, arm, level=level)
        found.append(as_estimate("informative_size", test, **label))
    return result_of(
        entry,
        data,
        method=_method(entry, spec),
        counts=(*due_and_analysed(entry, rows, data), *with_baseline(rows, entry.covariates)),
        estimates=(
            *raw_means(rows, data, average=CHILD),
            *raw_means(_families(rows), data, average=FAMILY),
            *found,
        ),
        notes=(
            *removed_families(entry, rows, spec),
            *no_siblings,
        ),
        details=(*design.notes, *missing_baseline(rows, entry.covariates, spec)),
    )


def _families(rows: pd.DataFrame) -> pd.DataFrame:
    """One row per family with the mean of its children."""
    return rows.groupby(["family_id", ARM], as_index=False)["value"].mean()


def _method(entry: AveragesAnalysis, spec: Spec) -> str:
    return (
        "Independence estimating equations for the mean, each child with weight one (average over children) "
        "or one over the number of children analysed of its family (average over families), adjusted for "
        f"{adjusted_for(entry.covariates, spec)}; errors robust to families with bias reduction (CR2), t "
        "tests with Satterthwaite degrees of freedom. The last line tests whether the two averages of the "
        "effect differ, which they do only if it varies with the number of siblings."
    )
