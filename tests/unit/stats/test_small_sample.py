"""Contrasts and the intraclass correlation: against a dense second implementation and known collapses."""

import numpy as np
import pytest
from scipy import stats

from analysis.errors import ModelError
from analysis.stats.covariance import exchangeable, nested, random_intercept
from analysis.stats.denominators import kenward_roger_vcov
from analysis.stats.reml import reml
from analysis.stats.small_sample import contrast, icc
from tests.unit.stats import dense_reference

METHODS = ("kenward_roger", "satterthwaite", "between_within", "normal")


def design(seed, *, clusters=16, largest=4):
    """Unbalanced clusters with a cluster-level and two noise columns; odd seeds have a cluster effect."""
    rng = np.random.default_rng(seed)
    cluster = np.repeat(np.arange(clusters), rng.integers(1, largest + 1, clusters))
    n = len(cluster)
    X = np.column_stack([np.ones(n), cluster % 2, rng.normal(size=(n, 2))])
    y = rng.normal(size=n) + 1.5 * rng.normal(size=clusters)[cluster] * (seed % 2) + X[:, 2]
    return y, X, cluster, rng.integers(0, 2, n)


def two_fits(seed):
    """Our fit and the dense one; nested for every third seed."""
    y, X, cluster, subject = design(seed)
    rows = np.arange(len(y))
    if seed % 3 == 0:
        G = dense_reference.basis(cluster, cluster * 10 + subject, rows)
        return reml(y, X, nested(cluster, subject)), dense_reference.fit(y, X, G, (True, True, False))
    G = dense_reference.basis(cluster, rows)
    if seed % 3 == 1:
        return reml(y, X, random_intercept(cluster)), dense_reference.fit(y, X, G, (True, False))
    return reml(y, X, exchangeable(cluster)), dense_reference.fit(y, X, G, (False, False))


@pytest.mark.parametrize("seed", range(12))
def test_kenward_roger_equals_the_paper_in_dense_algebra(seed):
    fit, dense = two_fits(seed)
    for L in (np.eye(4)[[1]], np.array([[0.0, 1.0, -2.0, 0.5]]), np.eye(4)[1:3], np.eye(4)[1:] + 0.3):
        adjusted, F, df, scale = dense_reference.kenward_roger(dense, L)
        joint = contrast(fit, L)
        np.testing.assert_allclose(
            kenward_roger_vcov(fit), adjusted, rtol=1e-8, atol=1e-8 * np.abs(adjusted).max()
        )
        assert (joint.F, joint.df, joint.scale) == pytest.approx((F, df, scale), rel=1e-8)
        if len(L) == 1:
            single = contrast(fit, L[0])
            assert (single.F, single.df, single.scale) == pytest.approx((F, df, 1.0), rel=1e-8)
            assert single.se == pytest.approx(np.sqrt(L @ adjusted @ L.T).item(), rel=1e-8)


@pytest.mark.parametrize("seed", [1, 2, 3, 5, 7, 8, 11])
def test_satterthwaite_equals_numerical_derivatives_of_the_dense_model(seed):
    fit, dense = two_fits(seed)
    assert not fit.boundary
    np.testing.assert_allclose(fit.observed, dense_reference.observed_information(dense), rtol=1e-6)
    for row in np.eye(4):
        df = dense_reference.satterthwaite(dense, row)
        assert contrast(fit, row, df="satterthwaite").df == pytest.approx(df, rel=1e-6)


@pytest.mark.parametrize("residual_df", [1, 2, 3, 4, 5, 40])
@pytest.mark.parametrize("method", ["kenward_roger", "satterthwaite", "between_within"])
def test_singletons_give_the_classical_t_and_f_tests(method, residual_df):
    y, X, _, _ = design(4, clusters=4 + residual_df, largest=1)
    n, p = X.shape
    fit = reml(y, X, random_intercept(range(n)))
    L = np.eye(p)[1:3]
    beta, rss = np.linalg.lstsq(X, y, rcond=None)[:2]
    smaller = np.linalg.lstsq(X[:, [0, 3]], y, rcond=None)[1]
    F = (smaller[0] - rss[0]) / 2 / (rss[0] / (n - p))
    joint, single = contrast(fit, L, df=method), contrast(fit, L[0], df=method)
    assert (joint.F, joint.ndf, joint.df) == pytest.approx((F, 2, n - p), rel=1e-8)
    assert joint.p == pytest.approx(stats.f.sf(F, 2, n - p), rel=1e-8)
    se = np.sqrt(rss[0] / (n - p) * np.linalg.inv(X.T @ X)[1, 1])
    low, high = stats.t.interval(0.95, n - p, beta[1], se)
    assert (single.estimate, single.se, single.df) == pytest.approx((beta[1], se, n - p), rel=1e-8)
    assert (single.low, single.high) == pytest.approx((low, high), rel=1e-8)
    assert single.p == pytest.approx(2 * stats.t.sf(abs(beta[1] / se), n - p), rel=1e-8)


def test_normal_is_z_and_chi_squared():
    fit, _ = two_fits(1)
    single, joint = contrast(fit, np.eye(4)[2], df="normal"), contrast(fit, np.eye(4)[2:], df="normal")
    low, high = stats.norm.interval(0.95, fit.beta[2], np.sqrt(fit.vcov[2, 2]))
    assert (single.low, single.high, single.df) == pytest.approx((low, high, np.inf))
    assert single.p == pytest.approx(2 * stats.norm.sf(abs(fit.beta[2]) / np.sqrt(fit.vcov[2, 2])))
    wald = fit.beta[2:] @ np.linalg.inv(fit.vcov[2:, 2:]) @ fit.beta[2:]
    assert (joint.F, joint.p) == pytest.approx((wald / 2, stats.chi2.sf(wald, 2)))


def test_satterthwaite_joint_test_pools_as_fai_and_cornelius():
    """The expected F of independent t_nu is sum nu / (nu - 2) / q; the pooled F has the same mean."""
    fit, _ = two_fits(1)
    L = np.eye(4)[1:3]
    joint = contrast(fit, L, df="satterthwaite")
    axes = np.linalg.svd(L @ fit.vcov @ L.T)[0]
    each = np.array([contrast(fit, row, df="satterthwaite").df for row in axes.T @ L])
    mean = np.mean([stats.f.mean(1, nu) for nu in each])
    assert joint.df == pytest.approx(2 * mean / (mean - 1), rel=1e-8)


def test_between_within_counts_clusters_and_rows():
    y, X, cluster, _ = design(1)
    fit = reml(y, X, random_intercept(cluster))
    n, m = len(y), len(np.unique(cluster))
    found = [contrast(fit, row, df="between_within").df for row in np.eye(4)]
    assert found == [m - 2, m - 2, n - m - 2, n - m - 2]
    assert n - m - 2 != m - 2
    assert contrast(fit, [0.0, 1.0, 0.0, 1.0], df="between_within").df == min(m, n - m) - 2


@pytest.mark.parametrize("method", METHODS)
def test_interval_and_test_tell_the_same_story(method):
    y, X, cluster, _ = design(1)
    fit = reml(y, X, random_intercept(cluster))
    wide = contrast(fit, np.eye(4)[2], df=method)
    edge = contrast(fit, np.eye(4)[2], df=method, level=1.0 - wide.p)
    assert min(abs(edge.low), abs(edge.high)) < 1e-8
    assert wide.low < wide.estimate < wide.high
    assert contrast(fit, 5.0 * np.eye(4)[2], df=method).p == pytest.approx(wide.p, rel=1e-10)


@pytest.mark.parametrize("method", METHODS)
def test_joint_test_does_not_depend_on_the_choice_of_rows(method):
    y, X, cluster, _ = design(1)
    fit = reml(y, X, random_intercept(cluster))
    L, mix = np.eye(4)[1:3], np.array([[2.0, 1.0], [-1.0, 3.0]])
    one, other = contrast(fit, L, df=method), contrast(fit, mix @ L, df=method)
    assert pytest.approx(other.F, rel=1e-10) == one.F
    # Fai & Cornelius rotate the rows to principal axes, which do depend on their choice.
    assert one.df == pytest.approx(other.df, rel=0.05 if method == "satterthwaite" else 1e-10)


def test_satterthwaite_leaves_out_a_variance_at_zero():
    y, X, cluster, _ = design(2)
    fit = reml(y, X, random_intercept(cluster))
    assert fit.theta[0] == 0.0
    assert contrast(fit, np.eye(4)[1], df="satterthwaite").df == pytest.approx(len(y) - 4)
    assert contrast(fit, np.eye(4)[1]).df < len(y) - 4


@pytest.mark.parametrize("seed", [1, 2, 3, 6])
@pytest.mark.parametrize("build", [random_intercept, exchangeable])
def test_icc_limits_lie_where_the_dense_profile_falls_by_half_a_chi_squared(seed, build):
    y, X, cluster, _ = design(seed)
    fit = reml(y, X, build(cluster))
    G = dense_reference.basis(cluster, np.arange(len(y)))

    def profile(rho):
        P = dense_reference._projection(X, G, np.array([rho, 1.0 - rho]))
        scale = y @ P @ y / (len(y) - X.shape[1])
        return dense_reference.loglik(y, X, G, scale * np.array([rho, 1.0 - rho]))

    interval = icc(fit, level=0.9)
    cut = fit.loglik - stats.chi2.ppf(0.9, 1) / 2
    assert profile(interval.high) == pytest.approx(cut, abs=1e-6)
    if interval.low != 0.0:
        assert profile(interval.low) == pytest.approx(cut, abs=1e-6)
    assert interval.low <= interval.estimate <= interval.high


def test_icc_at_the_boundary_begins_at_zero_and_stays_informative():
    y, X, cluster, _ = design(2)
    interval = icc(reml(y, X, random_intercept(cluster)))
    assert interval.estimate == interval.low == 0.0
    assert 0.0 < interval.high < 0.9


FIT, _ = two_fits(1)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: contrast(FIT, [1.0]), r"L must be \(4,\) or \(rows, 4\)"),
        (lambda: contrast(FIT, []), "L must be"),
        (lambda: contrast(FIT, np.zeros(4)), "non-zero"),
        (lambda: contrast(FIT, np.ones((2, 4))), "combination of the others"),
        (lambda: contrast(FIT, [1.0, np.nan, 0.0, 0.0]), "infinite"),
        (lambda: contrast(FIT, ["a", "b", "c", "d"]), "numeric"),
        (lambda: contrast(FIT, np.eye(4)[0], df="residual"), "df must be one of"),
        (lambda: contrast(FIT, np.eye(4)[0], level=95), "between 0 and 1"),
        (lambda: icc(FIT, level=0.0), "between 0 and 1"),
        (lambda: icc(two_fits(3)[0]), "no single intraclass correlation"),
        (lambda: icc(reml(*design(1)[:2], random_intercept(range(len(design(1)[0]))))), "one row"),
        (
            lambda: contrast(reml(*design(1)[:2], random_intercept(design(1)[2]), method="ml"), np.eye(4)[1]),
            "defined for a fit by REML",
        ),
    ],
)
def test_refusals_say_what_is_wrong(call, sentence):
    with pytest.raises(ModelError, match=sentence):
        call()


def test_between_within_refuses_a_design_without_degrees_of_freedom():
    cluster = [0, 0, 1, 1, 2, 2]
    X = np.column_stack([np.ones(6), [0, 1, 0, 1, 0, 1], [0, 1, 0, 0, 0, 0], [0, 0, 0, 1, 0, 2]])
    fit = reml([1.0, 2.0, 4.0, 3.0, 5.0, 9.0], X, exchangeable(cluster))
    with pytest.raises(ModelError, match="no degrees of freedom"):
        contrast(fit, np.eye(4)[1], df="between_within")
