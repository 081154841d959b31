"""Averages over children and over families: what they collapse to, and what a lack of siblings leaves."""

from dataclasses import replace

import numpy as np
import pytest

from analysis.data.allocation import ARM, read_allocated
from analysis.models import averages
from analysis.models.linear import outcome_rows
from analysis.results import select


@pytest.fixture(scope="module")
def closed(trial, spec):
    return read_allocated(trial.allocated, spec, view="closed")


@pytest.fixture(scope="module")
def bare(spec):
    """The entry without covariates: a comparison of means."""
    return spec.analyses["A03"].model_copy(update={"covariates": ()})


def difference(result, average):
    return select(result.estimates, name="difference", average=average)[0]


def gap(rows, column="value"):
    means = rows.groupby(ARM)[column].mean()
    return means["NIM"] - means["SAU"]


def with_values(data, values):
    return replace(data, tables={**data.tables, "outcomes": data.tables["outcomes"].assign(value=values)})


def test_without_covariates_they_are_the_differences_of_means_of_children_and_of_family_means(
    closed, bare, spec
):
    rows = outcome_rows(closed, bare)
    result = averages.fit(bare, closed, spec)
    families = rows.groupby(["family_id", ARM], as_index=False)["value"].mean()
    assert difference(result, "child").value == pytest.approx(gap(rows))
    assert difference(result, "family").value == pytest.approx(gap(families))
    (test,) = select(result.estimates, name="informative_size")
    assert test.value == pytest.approx(gap(rows) - gap(families))
    assert test.statistic == pytest.approx(test.value / test.se)


def test_an_effect_on_siblings_only_is_found_by_the_test(closed, bare, spec):
    """Twenty points more for the treated with siblings: the average over families moves less."""
    rows = outcome_rows(closed, bare)
    size = rows.groupby("family_id")["child_id"].transform("size")
    chosen = set(rows.loc[(size > 1) & (rows[ARM] == "NIM"), "child_id"])
    outcomes = closed.tables["outcomes"]
    moved = outcomes["value"].mask(outcomes["child_id"].isin(chosen), outcomes["value"] + 20)
    result = averages.fit(bare, with_values(closed, moved), spec)
    (test,) = select(result.estimates, name="informative_size")
    assert test.value > 0 and test.p < 0.001
    before = averages.fit(bare, closed, spec)
    assert select(before.estimates, name="informative_size")[0].p > 0.05


def unpooled(rows):
    """Standard error of a difference of two means."""
    return np.sqrt((rows.groupby(ARM)["value"].var() / rows.groupby(ARM)["value"].size()).sum())


def test_the_error_of_the_average_over_families_is_near_that_of_their_means(closed, bare, spec):
    """Not the same: the working covariance of CR2 is of children, and a mean of two of them varies less."""
    rows = outcome_rows(closed, bare)
    means = rows.groupby(["family_id", ARM], as_index=False)["value"].mean()
    found = difference(averages.fit(bare, closed, spec), "family")
    assert found.se == pytest.approx(unpooled(means), rel=1e-3)


def test_without_siblings_both_averages_are_one_and_nothing_is_tested(closed, bare, spec):
    outcomes = closed.tables["outcomes"]
    here = (outcomes["parameter"] == "SDQ_TOTAL") & (outcomes["visit"] == "V5") & outcomes["value"].notna()
    seen = outcomes[here].merge(closed.tables["subjects"][["child_id", "is_followed_up"]], on="child_id")
    first = seen[seen["is_followed_up"]].drop_duplicates("family_id")["child_id"]
    alone = with_values(closed, outcomes["value"].where(outcomes["child_id"].isin(first)))
    result = averages.fit(spec.analyses["A03"], alone, spec)
    child, family = (difference(result, each) for each in ("child", "family"))
    assert (child.value, child.se, child.df) == pytest.approx((family.value, family.se, family.df))
    assert not select(result.estimates, name="informative_size")
    assert averages.NO_SIBLINGS in result.notes
    two_means = difference(averages.fit(bare, alone, spec), "family")
    assert two_means.se == pytest.approx(unpooled(outcome_rows(alone, bare)), rel=1e-9)


def test_the_weights_are_of_the_children_analysed(closed, bare, spec):
    """A child without the outcome is not among its family's children."""
    outcomes = closed.tables["outcomes"]
    rows = outcome_rows(closed, bare)
    pairs = rows[rows.duplicated("family_id", keep=False)].drop_duplicates("family_id")["child_id"]
    fewer = with_values(closed, outcomes["value"].mask(outcomes["child_id"].isin(pairs)))
    left = outcome_rows(fewer, bare).groupby(["family_id", ARM], as_index=False)["value"].mean()
    assert difference(averages.fit(bare, fewer, spec), "family").value == pytest.approx(gap(left))
    assert len(pairs) > 20 and not np.isclose(gap(left), gap(rows))
