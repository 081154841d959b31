"""The mixed family: adjusted means and the diagnostics of the primary analysis, on the synthetic trial."""

import numpy as np
import pytest

from analysis.data.allocation import ARM, read_allocated
from analysis.models import mixed
from analysis.models.design import build_design
from analysis.models.linear import fit_families, outcome_rows, structure_of
from analysis.results import select
from analysis.stats.covariance import random_intercept
from analysis.stats.reml import reml


@pytest.fixture(scope="module")
def closed(trial, spec):
    return read_allocated(trial.allocated, spec, view="closed")


@pytest.fixture(scope="module")
def primary(closed, spec):
    return mixed.fit(spec.analyses["A01"], closed, spec)


def adjusted(result):
    return {each.labels["arm"]: each for each in select(result.estimates, name="adjusted_mean")}


def model_of(entry, closed):
    rows = outcome_rows(closed, entry)
    design = build_design(rows, entry.covariates, intervention="NIM", control="SAU")
    return rows, design, fit_families(entry, rows, design)


def test_adjusted_means_are_mean_predictions_and_differ_by_the_difference(closed, spec, primary):
    rows, design, fitted = model_of(spec.analyses["A01"], closed)
    means = adjusted(primary)
    for arm, value in (("NIM", 1.0), ("SAU", 0.0)):
        everybody = design.matrix.copy()
        everybody[:, design.names.index("arm")] = value
        assert means[arm].value == pytest.approx((everybody @ fitted.beta).mean(), rel=1e-12)
        assert means[arm].low < means[arm].value < means[arm].high
    (gap,) = select(primary.estimates, name="difference")
    assert means["NIM"].value - means["SAU"].value == pytest.approx(gap.value, abs=1e-10)


def test_equal_weights_give_each_site_and_sex_the_same_say(closed, spec, primary):
    entry = spec.analyses["A01"].model_copy(update={"weights": "equal"})
    result = mixed.fit(entry, closed, spec)
    _, design, fitted = model_of(entry, closed)
    row = design.matrix.mean(axis=0)
    for name in design.names:
        if name.split(" ")[0] in ("site", "sex") and not name.endswith("missing"):
            row[design.names.index(name)] = 0.5
    row[design.names.index("arm")] = 0.0
    assert adjusted(result)["SAU"].value == pytest.approx(row @ fitted.beta, rel=1e-12)
    assert adjusted(result)["SAU"].value != pytest.approx(adjusted(primary)["SAU"].value, abs=1e-6)
    assert "equal weight" in result.method and "mix of covariates" in primary.method


def test_only_the_primary_analysis_is_diagnosed(closed, spec, primary):
    assert {each.name for each in primary.points} == {
        "residual_quantiles",
        "residual_fitted",
        "family_influence",
    }
    other = mixed.fit(spec.analyses["A02"], closed, spec)
    assert not other.points and not select(other.estimates, name="diagnostic")


def test_the_largest_influence_is_that_of_a_model_without_the_family(closed, spec, primary):
    """Refitted without the most influential family the difference moves by nearly what deletion says."""
    rows, design, fitted = model_of(spec.analyses["A01"], closed)
    (said,) = (
        each.value
        for each in select(primary.estimates, name="diagnostic")
        if each.labels["of"].startswith("largest change")
    )
    (gap,) = select(primary.estimates, name="difference")
    influence = np.array(next(each.y for each in primary.points if each.name == "family_influence"))
    assert said == pytest.approx(np.abs(influence).max())
    arm = design.names.index("arm")
    moved = []
    for family in rows["family_id"].unique()[:40]:
        kept = (rows["family_id"] != family).to_numpy()
        labels = rows["family_id"].to_numpy()[kept]
        again = reml(rows["value"].to_numpy(float)[kept], design.matrix[kept], random_intercept(labels))
        moved.append((fitted.beta[arm] - again.beta[arm]) / gap.se)
    assert np.abs(moved).max() <= said * 1.2
    nearest = np.abs(np.subtract.outer(moved, influence)).min(axis=1)
    assert np.median(nearest) < 0.01


def test_points_are_sorted_so_that_nobody_can_be_found(closed, spec, primary):
    points = {each.name: each for each in primary.points}
    rows, _, _ = model_of(spec.analyses["A01"], closed)
    assert len(points["residual_fitted"].x) == len(rows)
    assert len(points["family_influence"].x) <= rows["family_id"].nunique()
    for values in (
        points["residual_quantiles"].y,
        points["residual_fitted"].x,
        points["family_influence"].y,
    ):
        assert list(values) == sorted(values)
    assert all(not each.labels for each in primary.points)


def test_swapped_arms_swap_the_means(closed, spec, primary):
    entry = spec.analyses["A01"]
    rows, design, _ = model_of(entry, closed)
    assert set(rows[ARM]) == {"NIM", "SAU"}
    arm = design.names.index("arm")
    turned = design.matrix.copy()
    turned[:, arm] = 1.0 - turned[:, arm]
    again = reml(rows["value"].to_numpy(float), turned, structure_of(entry, rows))
    everybody = turned.copy()
    everybody[:, arm] = 0.0
    assert (everybody @ again.beta).mean() == pytest.approx(adjusted(primary)["NIM"].value, rel=1e-8)
