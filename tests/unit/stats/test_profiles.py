"""Profile intervals of covariance parameters: against dense maximisation, known pivots and the boundary."""

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import brentq, minimize

from analysis.errors import ModelError
from analysis.stats.covariance import (
    exchangeable,
    heterogeneous,
    nested,
    random_intercept,
    unstructured,
)
from analysis.stats.profiles import profile_interval
from analysis.stats.reml import reml
from tests.unit.stats import dense_reference
from tests.unit.stats.test_diagnostics import made
from tests.unit.stats.test_reml import design


def dense_profile(y, X, G, lower, theta, k, value):
    """The highest restricted log-likelihood with theta_k at the value, by a simplex from two starts."""
    others = [j for j in range(len(G)) if j != k]

    def height(free):
        full = np.empty(len(G))
        full[others], full[k] = free, value
        if np.any(full < lower):
            return 1e10
        return -max(dense_reference.loglik(y, X, G, full), -1e9)

    found = [
        minimize(
            height, start, method="Nelder-Mead", options={"xatol": 1e-10, "fatol": 1e-11, "maxiter": 4000}
        )
        for start in (theta[others], theta[others] * 1.3 + 0.05 * theta.max())
    ]
    return -min(each.fun for each in found)


@pytest.mark.parametrize("kind", ["random_intercept", "exchangeable", "nested"])
@pytest.mark.parametrize("seed", [1, 4])
def test_limits_lie_where_the_dense_profile_falls_by_half_a_chi_squared(kind, seed):
    y, X, structure, G, _ = made(kind, seed, clusters=7)
    fit = reml(y, X, structure)
    cut = fit.loglik - stats.chi2.ppf(0.9, 1) / 2
    for k in range(len(G)):
        found = profile_interval(fit, k, level=0.9)
        assert found.estimate == pytest.approx(fit.theta[k], rel=1e-8)
        assert found.low <= found.estimate <= found.high
        for limit in (found.low, found.high):
            height = dense_profile(y, X, G, fit.lower, fit.theta, k, limit)
            if limit == fit.lower[k]:
                assert height >= cut - 1e-7
            else:
                assert height == pytest.approx(cut, abs=1e-6)


def test_every_parameter_of_an_unstructured_covariance_has_an_interval():
    """With complete visits the interval of a variance is that of the variance at its visit alone."""
    rng = np.random.default_rng(3)
    values = rng.normal(size=(30, 3)) @ np.array([[1.0, 0.5, 0.2], [0.0, 1.0, 0.4], [0.0, 0.0, 2.0]])
    subject, visit = np.repeat(np.arange(30), 3), np.tile(np.arange(3), 30)
    fit = reml(values.ravel(), np.eye(3)[visit], unstructured(subject, visit))
    for k, at in ((0, 0), (3, 1), (5, 2)):
        alone = variance_interval(fit.theta[k], 29)
        found = profile_interval(fit, k)
        assert (found.low, found.high) == pytest.approx(alone, rel=1e-7)
        assert fit.theta[k] == pytest.approx(values[:, at].var(ddof=1), rel=1e-8)
    covariance = profile_interval(fit, 1)
    assert covariance.low < fit.theta[1] < covariance.high


def variance_interval(s2, df):
    """Likelihood interval of a normal variance from its own likelihood, chi-squared with df."""
    cut = stats.chi2.ppf(0.95, 1)

    def fall(v):
        return df * (np.log(v / s2) + s2 / v - 1.0) - cut

    return brentq(fall, s2 / 50, s2, xtol=1e-13), brentq(fall, s2, 50 * s2, xtol=1e-13)


def test_equal_variances_of_two_groups_profile_independently():
    """Groups that share no coefficient are two models: each interval is that of its group's own fit."""
    y, _, cluster, _ = design(3, clusters=24)
    group = cluster % 2
    X = np.column_stack([group == 0, group == 1]).astype(float)
    both = reml(y, X, heterogeneous(cluster, group))
    for g in (0, 1):
        own = group == g
        alone = reml(y[own], np.ones((own.sum(), 1)), random_intercept(cluster[own]))
        for k in (0, 1):
            one, other = profile_interval(both, 2 * g + k), profile_interval(alone, k)
            assert (one.low, one.high) == pytest.approx((other.low, other.high), rel=1e-6, abs=1e-9)


def test_an_estimate_on_its_bound_begins_there():
    y, X, cluster, _ = design(2)
    fit = reml(y, X, random_intercept(cluster))
    assert fit.theta[0] == 0.0
    found = profile_interval(fit, 0)
    assert found.low == found.estimate == 0.0 < found.high
    assert profile_interval(fit, 0, scale="sd").high == pytest.approx(np.sqrt(found.high))


def test_a_covariance_may_be_negative_as_far_as_the_likelihood_allows():
    y, X, cluster, _ = design(2)
    free = profile_interval(reml(y, X, exchangeable(cluster)), 0)
    bounded = profile_interval(reml(y, X, random_intercept(cluster)), 0)
    assert free.low < free.estimate < 0.0 < free.high
    assert bounded.low == 0.0


def test_a_profile_goes_on_along_the_edge_of_the_space():
    """Two largest families whose means the columns fit exactly: V may all but lose the space between them."""
    rng = np.random.default_rng(1)
    cluster = np.repeat(np.arange(9), [4, 4, 1, 2, 2, 3, 3, 2, 1])
    X = np.column_stack([np.ones(22), cluster == 0, cluster == 1])
    fit = reml(np.round(rng.normal(size=22), 1), X, exchangeable(cluster))
    found = profile_interval(fit, 0)
    unit = fit.likelihood.profiled(fit.theta)[1]
    top = fit.likelihood.at(fit.theta * unit).loglik

    def height(value):
        """The supremum over the remainder, on a grid from the edge of positive definiteness outwards."""
        edge = max(-4.0 * value, 0.0)
        grid = [edge * (1.0 + share) + 1e-12 for share in np.geomspace(1e-8, 20.0, 3000)]
        states = [fit.likelihood.at(np.array([value, each]) * unit) for each in grid]
        return max(state.loglik for state in states if state is not None) - top

    assert found.low < -0.25 * fit.theta[1]
    assert height(found.low) == pytest.approx(-stats.chi2.ppf(0.95, 1) / 2, abs=1e-4)


def test_units_and_method_carry_through():
    y, X, cluster, _ = design(1)
    structure = random_intercept(cluster)
    one, other = reml(y, X, structure), reml(10.0 * y, X, structure)
    first, second = profile_interval(one, 0), profile_interval(other, 0, scale="sd")
    assert (second.low, second.high) == pytest.approx((10 * first.low**0.5, 10 * first.high**0.5), rel=1e-7)
    narrow = profile_interval(one, 0, level=0.5)
    assert first.low < narrow.low < narrow.high < first.high
    ml = profile_interval(reml(y, X, structure, method="ml"), 0)
    assert ml.high < first.high


FIT = reml(*design(1)[:2], random_intercept(design(1)[2]))


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: profile_interval(FIT, 2), "parameters 0 to 1"),
        (lambda: profile_interval(FIT, 0, level=1.0), "between 0 and 1"),
        (lambda: profile_interval(FIT, 0, scale="log"), "'variance' or 'sd'"),
        (
            lambda: profile_interval(reml(*design(1)[:2], random_intercept(range(len(design(1)[0])))), 0),
            "cannot be told",
        ),
        (
            lambda: profile_interval(reml(*design(2)[:2], exchangeable(design(2)[2])), 0, scale="sd"),
            "may be negative",
        ),
    ],
)
def test_refusals_say_what_is_wrong(call, sentence):
    with pytest.raises(ModelError, match=sentence):
        call()


def test_a_fit_without_maximum_has_no_interval():
    cluster = np.repeat(np.arange(10), 3)
    fit = reml(np.repeat(np.sin(np.arange(10)), 3), np.ones((30, 1)), random_intercept(cluster))
    with pytest.raises(ModelError, match="no test or interval"):
        profile_interval(fit, 0)


def test_a_subject_variance_held_at_zero_stays_there():
    y, X, cluster, _ = design(1)
    two_level = profile_interval(reml(y, X, random_intercept(cluster)), 0)
    three_level = profile_interval(reml(y, X, nested(cluster, np.arange(len(y)))), 0)
    assert (three_level.low, three_level.high) == pytest.approx((two_level.low, two_level.high), rel=1e-8)
