"""REML: against a dense second implementation, its own derivatives, and the refusals."""

import numpy as np
import pytest
from scipy import stats

from analysis.errors import ModelError
from analysis.stats.covariance import (
    exchangeable,
    heterogeneous,
    nested,
    random_intercept,
    unstructured,
    unstructured_in_cluster,
)
from analysis.stats.reml import reml
from analysis.stats.small_sample import contrast
from tests.unit.stats import dense_reference


def design(seed, *, clusters=14, largest=4, columns=3):
    """Unbalanced clusters with a cluster-level and noise columns; even seeds have no cluster effect."""
    rng = np.random.default_rng(seed)
    cluster = np.repeat(np.arange(clusters), rng.integers(1, largest + 1, clusters))
    n = len(cluster)
    X = np.column_stack([np.ones(n), cluster % 2, rng.normal(size=(n, columns - 2))])
    effect = rng.normal(size=clusters)[cluster] * (seed % 2)
    return rng.normal(size=n) + effect + X @ np.arange(columns), X, cluster, rng


def assert_same_fit(fit, dense):
    size = np.abs(dense.theta).max()
    np.testing.assert_allclose(fit.beta, dense.beta, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(fit.vcov, dense.Phi, rtol=1e-8, atol=1e-8 * np.abs(dense.Phi).max())
    np.testing.assert_allclose(fit.theta, dense.theta, rtol=1e-8, atol=1e-8 * size)
    assert fit.loglik == pytest.approx(dense.loglik, rel=1e-10)


@pytest.mark.parametrize("seed", range(12))
def test_random_intercept_equals_the_dense_reference(seed):
    y, X, cluster, _ = design(seed)
    G = dense_reference.basis(cluster, np.arange(len(y)))
    assert_same_fit(reml(y, X, random_intercept(cluster)), dense_reference.fit(y, X, G, (True, False)))


@pytest.mark.parametrize("seed", range(6))
def test_exchangeable_equals_the_dense_reference(seed):
    y, X, cluster, _ = design(seed, clusters=20)
    G = dense_reference.basis(cluster, np.arange(len(y)))
    assert_same_fit(reml(y, X, exchangeable(cluster)), dense_reference.fit(y, X, G, (False, False)))


@pytest.mark.parametrize("seed", range(8))
def test_nested_equals_the_dense_reference(seed):
    y, X, cluster, rng = design(seed, largest=6)
    subject = rng.integers(0, 3, len(y))
    G = dense_reference.basis(cluster, cluster * 10 + subject, np.arange(len(y)))
    fit = reml(y, X, nested(cluster, subject))
    assert_same_fit(fit, dense_reference.fit(y, X, G, (True, True, False)))


def test_large_clusters_keep_rows_instead_of_cross_products():
    rng = np.random.default_rng(5)
    cluster, subject = np.repeat(np.arange(4), 80), np.tile(np.repeat(np.arange(20), 4), 4)
    y = rng.normal(size=320) + rng.normal(size=4)[cluster] + rng.normal(size=80)[cluster * 20 + subject]
    X = np.column_stack([np.ones(320), rng.normal(size=320)])
    G = dense_reference.basis(cluster, cluster * 20 + subject, np.arange(320))
    assert_same_fit(reml(y, X, nested(cluster, subject)), dense_reference.fit(y, X, G, (True, True, False)))


@pytest.mark.parametrize("method", ["reml", "ml"])
def test_derivatives_are_those_of_the_likelihood(method):
    y, X, cluster, rng = design(3, largest=6)
    fit = reml(y, X, nested(cluster, rng.integers(0, 3, len(y))), method=method)
    theta, at = np.array([0.4, 0.3, 0.8]), fit.likelihood.at
    steps = 1e-4 * np.eye(3)
    slope = [(at(theta + h).loglik - at(theta - h).loglik) / 2e-4 for h in steps]
    curve = [(at(theta + h).gradient - at(theta - h).gradient) / 2e-4 for h in steps]
    np.testing.assert_allclose(at(theta).gradient, slope, rtol=1e-6)
    np.testing.assert_allclose(-at(theta).observed, curve, rtol=1e-6)
    loglik, scale = fit.likelihood.profiled(theta)
    assert loglik == pytest.approx(at(scale * theta).loglik, rel=1e-12)
    assert loglik > max(at(0.999 * scale * theta).loglik, at(1.001 * scale * theta).loglik)


def test_expected_information_is_the_mean_of_the_observed():
    rng = np.random.default_rng(8)
    cluster = np.repeat(np.arange(10), [1, 1, 2, 2, 3, 3, 4, 4, 5, 5])
    X = np.column_stack([np.ones(30), rng.normal(size=30)])
    root = np.linalg.cholesky(0.5 * (cluster[:, None] == cluster) + np.eye(30))
    theta, G = np.array([0.5, 1.0]), dense_reference.basis(cluster, np.arange(30))
    observed, expected = [], []
    for _ in range(400):
        y = root @ rng.normal(size=30)
        fit = reml(y, X, random_intercept(cluster))
        observed.append(
            dense_reference.observed_information(dense_reference.DenseFit(None, None, theta, 0, y, X, G))
        )
        scale = np.sum(np.linalg.lstsq(X, y, rcond=None)[1]) / 28
        expected.append(fit.likelihood.at(theta / scale).expected / scale**2)
    np.testing.assert_allclose(expected, np.broadcast_to(expected[0], (400, 2, 2)), rtol=1e-9)
    error = np.std(observed, axis=0, ddof=1) / 20
    assert np.all(np.abs(np.mean(observed, axis=0) - expected[0]) < 4 * error)


def test_maximum_likelihood_is_the_highest_normal_density():
    y, X, cluster, _ = design(1)
    fit = reml(y, X, random_intercept(cluster), method="ml")
    family, row = dense_reference.basis(cluster, np.arange(len(y)))

    def density(beta, theta):
        return stats.multivariate_normal(X @ beta, theta[0] * family + theta[1] * row).logpdf(y)

    assert fit.loglik == pytest.approx(density(fit.beta, fit.theta), rel=1e-12)
    for step in 1e-3 * np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]):
        assert density(fit.beta, fit.theta + step) < fit.loglik
        assert density(fit.beta + np.append(step, 0.0), fit.theta) < fit.loglik


def test_a_search_cut_short_is_reported_and_gives_no_test(monkeypatch):
    monkeypatch.setattr("analysis.stats.ascent.MAX_STEPS", 1)
    y, X, cluster, _ = design(1)
    fit = reml(y, X, random_intercept(cluster))
    assert not fit.converged
    assert fit.notes == ("The search for the covariance parameters did not converge.",)
    with pytest.raises(ModelError, match="no test or interval. The search"):
        contrast(fit, [0.0, 1.0, 0.0])


def test_all_singletons_are_ordinary_least_squares():
    y, X, _, _ = design(2)
    fit = reml(y, X, random_intercept(range(len(y))))
    beta, rss = np.linalg.lstsq(X, y, rcond=None)[:2]
    s2 = rss[0] / (len(y) - X.shape[1])
    np.testing.assert_allclose(fit.beta, beta, rtol=1e-10)
    np.testing.assert_allclose(fit.vcov, s2 * np.linalg.inv(X.T @ X), rtol=1e-10)
    assert fit.boundary and "cannot be told" in fit.notes[0]


@pytest.mark.parametrize(
    "build",
    [
        lambda family, child, visit: random_intercept(family),
        lambda family, child, visit: exchangeable(family),
        lambda family, child, visit: nested(family, child),
        lambda family, child, visit: unstructured(family, visit),
        lambda family, child, visit: unstructured_in_cluster(family, child, visit),
        lambda family, child, visit: heterogeneous(family, family % 2),
    ],
)
def test_every_structure_answers_thin_data_with_a_note_or_one_sentence(build):
    """One child per family, two families, one event, visits that nobody repeats; a warning is an error."""
    y, X, cluster, _ = design(1)
    n = len(y)
    visit, child = np.arange(n) % 3, np.arange(n)
    first = np.unique(cluster, return_index=True)[1]
    rare, two = (np.arange(n) == 3).astype(float), cluster < 2
    thin = [(y[first], X[first], first), (rare, X, np.arange(n)), (y[two], X[two, :1], np.flatnonzero(two))]
    for outcome, columns, rows in thin:
        try:
            fit = reml(outcome, columns, build(cluster[rows], child[rows], visit[rows]))
        except ModelError as error:
            assert str(error).endswith(".")
            continue
        assert fit.boundary == bool(fit.notes) or not fit.converged
        assert np.isfinite(fit.beta).all() and np.isfinite(fit.theta).all()
        if fit.converged:
            found = contrast(fit, np.eye(columns.shape[1])[-1])
            assert np.isfinite([found.se, found.p]).all() and found.df > 0.0


def test_a_likelihood_without_maximum_is_reported():
    cluster = np.repeat(np.arange(10), 3)
    fit = reml(np.repeat(np.sin(np.arange(10)), 3), np.ones((30, 1)), random_intercept(cluster))
    assert not fit.converged
    assert "limit of positive definiteness" in fit.notes[0]


def test_any_hashable_label_serves():
    y, X, cluster, _ = design(1)
    fit = reml(y, X, random_intercept(cluster))
    for labels in (
        [("family", int(c)) for c in cluster],
        [f"F{c}" for c in cluster],
        [c if c % 2 else str(c) for c in cluster],
        cluster.astype(float),
    ):
        assert reml(y, X, random_intercept(labels)).loglik == fit.loglik


def test_a_subject_label_means_a_subject_of_its_cluster():
    y, X, cluster, rng = design(5, largest=6)
    subject = rng.integers(0, 3, len(y))
    everywhere = reml(y, X, nested(cluster, list(zip(cluster, subject, strict=True))))
    assert reml(y, X, nested(cluster, subject)).loglik == everywhere.loglik


def test_equal_rows_in_different_families_leave_no_trace_of_the_row_order():
    rng = np.random.default_rng(0)
    cluster = np.repeat(np.arange(40), rng.integers(1, 5, 40))
    n = len(cluster)
    y, X = rng.integers(0, 4, n) / 3.0, np.column_stack([np.ones(n), cluster % 2])
    first = reml(y, X, nested(cluster, np.arange(n) % 2))
    for _ in range(20):
        rows = rng.permutation(n)
        fit = reml(y[rows], X[rows], nested(cluster[rows], rows % 2))
        assert np.array_equal(fit.theta, first.theta) and np.array_equal(fit.vcov, first.vcov)
        assert fit.loglik == first.loglik


Y, X, CLUSTER, _ = design(1)
ROWS = len(Y)


def changed(array, row, value):
    copy = array.copy()
    copy[row] = value
    return copy


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"y": changed(Y, 3, np.nan)}, "row 3 .*outcome is missing"),
        ({"y": Y[1:]}, "outcome must be one column"),
        ({"y": ["a"] * ROWS}, "outcome must be numeric"),
        ({"X": X[1:]}, f"one row for each of {ROWS}"),
        ({"X": X[:, 1]}, "must be a table"),
        ({"X": [["a"]] * ROWS}, "must be a numeric table"),
        (
            {"X": changed(X, (2, 1), np.inf), "names": ["mean", "arm", "age"]},
            "The term “arm” of the model has missing",
        ),
        ({"X": np.column_stack([X, X[:, 1] - 2.0])}, "Column 3 of X is a combination"),
        ({"X": np.column_stack([X, 0.0 * Y])}, "Column 3 of X is zero"),
        ({"X": np.column_stack([X[:, 0], X[:, 0]])}, "Column 1 of X is a combination"),
        ({"X": X * [1.0, 1e200, 1.0]}, "Column 1 of X is beyond 1e150"),
        ({"y": 1e200 * Y}, "outcome is beyond 1e150 or all below"),
        ({"y": 1e-200 * Y}, "outcome is beyond 1e150 or all below"),
        ({"y": 0.0 * Y + 5.0}, "fit the outcome exactly"),
        ({"y": 0.0 * Y}, "fit the outcome exactly"),
        ({"y": Y[:1], "X": X[:1, :1], "structure": random_intercept([1])}, "1 rows and 1 columns"),
        ({"y": Y[:3], "X": X[:3], "structure": random_intercept([1, 2, 3])}, "3 rows and 3 columns"),
        ({"X": np.ones((ROWS, 0))}, "needs a column"),
        ({"X": np.eye(ROWS)}, "more rows than columns"),
        ({"names": ["a"]}, "1 names are given for 3 columns"),
        ({"y": X @ [1.0, 2.0, 3.0]}, "fit the outcome exactly"),
        ({"structure": random_intercept([1] * ROWS)}, "one cluster"),
        ({"structure": random_intercept(X[:, 1])}, "variance between clusters"),
        ({"X": (CLUSTER[:, None] == np.unique(CLUSTER)).astype(float)}, "variance between clusters"),
        ({"method": "mle"}, "'reml' or 'ml'"),
    ],
)
def test_refusals_say_what_is_wrong(arguments, sentence):
    arguments = {"y": Y, "X": X, "structure": random_intercept(CLUSTER)} | arguments
    with pytest.raises(ModelError, match=sentence):
        reml(**arguments)


@pytest.mark.parametrize(
    ("build", "sentence"),
    [
        (lambda: random_intercept([]), "empty"),
        (lambda: random_intercept([None, 1]), "row 0 .*missing"),
        (lambda: random_intercept([1.0, float("nan")]), "row 1 .*missing"),
        (lambda: random_intercept([[1], [2]]), "hashable"),
        (lambda: random_intercept(7), "hashable"),
        (lambda: nested([1, 2], [1]), "equal length"),
    ],
)
def test_labels_are_checked(build, sentence):
    with pytest.raises(ModelError, match=sentence):
        build()
