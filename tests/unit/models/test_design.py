"""Covariates to columns: coding, the missing-indicator method, and the guard on baselines."""

import numpy as np
import pandas as pd
import pytest

from analysis.errors import ModelError
from analysis.models.design import build_design
from analysis.spec.visit_outcomes import Covariate

RANDOMISED = pd.Timestamp("2015-06-10")


def people(**columns) -> pd.DataFrame:
    frame = pd.DataFrame({"arm": ["NIM", "SAU", "NIM", "SAU"], **columns})
    return frame.assign(randomisation_date=RANDOMISED)


def build(frame: pd.DataFrame, *covariates: Covariate):
    return build_design(frame, covariates, intervention="NIM", control="SAU")


def test_arm_is_one_for_the_intervention():
    design = build(people())
    assert design.names == ["intercept", "arm"]
    assert design.matrix.tolist() == [[1, 1], [1, 0], [1, 1], [1, 0]]


def test_a_factor_is_coded_against_its_first_level():
    design = build(people(site=["LON", "GLA", "GLA", "LON"]), Covariate(column="site", kind="factor"))
    assert design.names[-1] == "site LON"
    assert design.matrix[:, -1].tolist() == [1, 0, 0, 1]


def test_a_missing_number_takes_the_mean_of_the_others_and_a_column_says_where():
    covariate = Covariate(column="age", kind="linear", missing="indicator")
    design = build(people(age=[10.0, np.nan, 20.0, 30.0]), covariate)
    assert design.names[2:] == ["age", "age missing"]
    assert design.matrix[:, 2].tolist() == [10, 20, 20, 30]
    assert design.matrix[:, 3].tolist() == [0, 1, 0, 0]


def test_the_imputed_mean_knows_neither_arm_nor_outcome():
    """The same mean whichever arm the child with the missing value is in, and whatever the outcomes are."""
    covariate = Covariate(column="age", kind="linear", missing="indicator")
    ages = [10.0, np.nan, 20.0, 60.0]
    one = build(people(age=ages, value=[1, 2, 3, 4]), covariate).matrix[1, 2]
    swapped = people(age=ages, value=[9, 9, 0, 0]).assign(arm=["SAU", "NIM", "SAU", "NIM"])
    assert build(swapped, covariate).matrix[1, 2] == one == 30


def test_a_missing_factor_takes_the_share_of_the_others():
    covariate = Covariate(column="sex", kind="factor", missing="indicator")
    design = build(people(sex=["F", "M", None, "M"]), covariate)
    assert design.names[2:] == ["sex M", "sex missing"]
    assert design.matrix[2, 2] == pytest.approx(2 / 3)


def test_missing_without_a_declared_method_is_refused():
    with pytest.raises(ModelError, match="declares no method"):
        build(people(age=[1.0, None, 2.0, 3.0]), Covariate(column="age", kind="linear"))


def with_reasons(base, reasons):
    frame = people(base=base, base_date=[RANDOMISED] * 4, base_missing_reason=reasons)
    return frame.assign(base_date=frame["base_date"].where(frame["base"].notna()))


BY_REASON = Covariate(
    column="base", kind="linear", missing="by_reason", reasons=("not_due_age", "after_randomisation")
)


def test_every_reason_that_somebody_has_gets_a_column_and_the_others_share_one():
    frame = with_reasons([np.nan, np.nan, np.nan, 8.0], ["not_due_age", "not_attended", "lost", None])
    design = build(frame, BY_REASON)
    # The baseline itself does not vary here, and nobody's was dated after randomisation.
    assert design.names[2:] == ["base missing not_due_age", "base missing other"]
    assert design.matrix[:, 2:].tolist() == [[1, 0], [0, 1], [0, 1], [0, 0]]
    assert "Base: missing for 3 of 4, 2 indicators by reason added." in design.notes


def test_columns_by_reason_add_up_to_the_one_of_the_indicator_method():
    frame = with_reasons([np.nan, np.nan, 5.0, 8.0], ["not_due_age", "after_randomisation", None, None])
    split = build(frame, BY_REASON)
    whole = build(frame, Covariate(column="base", kind="linear", missing="indicator"))
    assert whole.names[2:] == ["base", "base missing"]
    assert (split.matrix[:, 3:].sum(axis=1) == whole.matrix[:, 3]).all()
    assert (split.matrix[:, 2] == whole.matrix[:, 2]).all()


def test_a_covariate_without_variation_is_left_out_with_a_note():
    design = build(people(site=["GLA"] * 4), Covariate(column="site", kind="factor"))
    assert design.names == ["intercept", "arm"]
    assert "single level" in design.notes[0]


def test_a_baseline_after_randomisation_is_refused():
    frame = people(
        base=[12.0, 9.0, np.nan, 8.0],
        base_date=[RANDOMISED, RANDOMISED + pd.Timedelta(days=1), None, RANDOMISED],
    )
    covariate = Covariate(column="base", kind="linear", missing="indicator")
    with pytest.raises(ModelError, match="1 baseline value is dated after randomisation"):
        build(frame, covariate)


def test_the_guard_is_overridden_by_name_only():
    frame = people(base=[12.0, 9.0, 7.0, 8.0], base_date=[RANDOMISED + pd.Timedelta(days=1)] * 4)
    covariate = Covariate(column="base", kind="linear", admits_after_randomisation=True)
    assert build(frame, covariate).names[-1] == "base"


def test_an_empty_arm_is_refused():
    with pytest.raises(ModelError, match="arm SAU has nobody"):
        build(people().assign(arm="NIM"))
