"""Rows of marginal means: averages of predictions, equal weights over a reference grid, and the refusals."""

from itertools import product

import numpy as np
import pytest

from analysis.errors import ModelError
from analysis.stats.covariance import random_intercept
from analysis.stats.marginal_means import mean_row
from analysis.stats.reml import reml
from analysis.stats.small_sample import contrast

RNG = np.random.default_rng(6)
N = 60
ARM, SITE, SEX, AGE = RNG.integers(0, 2, N), RNG.integers(0, 3, N), RNG.integers(0, 2, N), RNG.normal(size=N)
CLUSTER = RNG.integers(0, 30, N)


def columns(arm, site, sex, age):
    one = np.ones_like(np.asarray(age, dtype=float))
    return np.column_stack([one, one * arm, site == 1, site == 2, one * sex, age]).astype(float)


X = columns(ARM, SITE, SEX, AGE)
FIT = reml(RNG.normal(size=N) + X @ [10.0, 1.0, 2.0, -1.0, 0.5, 1.5], X, random_intercept(CLUSTER))
FACTORS = [(2, 3), (4,)]


@pytest.mark.parametrize("arm", [0, 1])
def test_as_observed_it_is_the_mean_prediction_with_everybody_in_the_arm(arm):
    predicted = columns(arm, SITE, SEX, AGE) @ FIT.beta
    found = contrast(FIT, mean_row(X, at={1: arm}))
    assert found.estimate == pytest.approx(predicted.mean(), rel=1e-12)


@pytest.mark.parametrize("arm", [0, 1])
def test_with_equal_weights_it_is_the_mean_over_the_grid_of_levels(arm):
    grid = [columns(arm, np.array([s]), x, np.array([AGE.mean()]))[0] for s, x in product(range(3), range(2))]
    found = mean_row(X, at={1: arm}, factors=FACTORS)
    np.testing.assert_allclose(found, np.mean(grid, axis=0), atol=1e-14)


def test_the_difference_of_two_means_is_the_coefficient_whatever_the_weights():
    for factors in ((), FACTORS):
        gap = mean_row(X, at={1: 1.0}, factors=factors) - mean_row(X, at={1: 0.0}, factors=factors)
        np.testing.assert_allclose(gap, np.eye(6)[1], atol=1e-15)


def test_balanced_factors_make_the_weights_agree():
    site, sex = np.tile(np.arange(3), 20), np.repeat([0, 1], 30)
    balanced = columns(ARM, site, sex, AGE)
    np.testing.assert_allclose(mean_row(balanced), mean_row(balanced, factors=FACTORS), atol=1e-14)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"X": np.empty((0, 2))}, "rows and finite"),
        ({"X": X[:, 0]}, "needs a table"),
        ({"at": {6: 1.0}}, "Column 6 of X is to be set; X has columns 0 to 5"),
        ({"at": {1: np.nan}}, "finite values for the columns"),
        ({"at": {4: 1.0}, "factors": FACTORS}, "named twice"),
        ({"factors": [(2, 3), (3,)]}, "named twice"),
    ],
)
def test_refusals_say_what_is_wrong(arguments, sentence):
    with pytest.raises(ModelError, match=sentence):
        mean_row(**({"X": X} | arguments))
