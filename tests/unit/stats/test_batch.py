"""Many responses at once: column by column the numbers of `reml` and `contrast`, and the refusals."""

from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.errors import ModelError
from analysis.stats import batch
from analysis.stats.batch import reml_batch
from analysis.stats.covariance import exchangeable, random_intercept
from analysis.stats.reml import reml
from analysis.stats.small_sample import contrast


def design(seed, *, responses=12, sizes=(1, 2, 3, 4), shares=(0.4, 0.3, 0.2, 0.1)):
    """Unbalanced clusters; responses without, with a weak and with a strong cluster effect, in any unit."""
    rng = np.random.default_rng(seed)
    clusters = int(rng.integers(12, 40))
    cluster = np.repeat(np.arange(clusters), rng.choice(sizes, clusters, p=shares))
    n = len(cluster)
    X = np.column_stack([np.ones(n), cluster % 2, rng.normal(size=(n, seed % 4))])
    effect = rng.normal(size=(clusters, responses)) * np.resize([0.0, 0.4, 2.0], responses)
    unit = 10.0 ** rng.integers(-3, 4, responses)
    return unit * (rng.normal(size=(n, responses)) + effect[cluster] + 20.0 * (seed % 2)), X, cluster


def assert_same_as_one_by_one(Y, X, cluster, *, negative=False):
    """Every field against reml and contrast; the numbers of converged and of boundary fits."""
    L = np.linspace(0.3, 1.0, X.shape[1])
    found = reml_batch(Y, X, cluster, kenward_roger=L, negative=negative)
    structure = exchangeable(cluster) if negative else random_intercept(cluster)
    for b, y in enumerate(Y.T):
        fit = reml(y, X, structure)
        assert found.converged[b] == fit.converged and found.boundary[b] == fit.boundary
        if not fit.converged:
            assert np.isnan([found.estimate[b], found.contrast_se[b], found.df[b], found.p[b]]).all()
            continue
        single = contrast(fit, L)
        scale = np.abs(fit.beta).max()
        np.testing.assert_allclose(found.beta[b], fit.beta, rtol=1e-9, atol=1e-9 * scale)
        np.testing.assert_allclose(found.se[b], np.sqrt(np.diagonal(fit.vcov)), rtol=1e-9)
        np.testing.assert_allclose(found.theta[b], fit.theta, rtol=1e-9, atol=1e-9 * fit.theta.sum())
        np.testing.assert_allclose(found.estimate[b], single.estimate, rtol=1e-9, atol=1e-9 * scale)
        tested = [found.contrast_se[b], found.df[b], found.p[b]]
        np.testing.assert_allclose(tested, [single.se, single.df, single.p], rtol=1e-9)
    return int(found.converged.sum()), int(found.boundary.sum())


@pytest.mark.parametrize("seed", range(10))
def test_each_column_is_the_single_fit(seed):
    _, boundary = assert_same_as_one_by_one(*design(seed))
    assert boundary  # the designs without a cluster effect must bring some


@pytest.mark.parametrize("seed", range(10))
def test_each_column_is_the_single_fit_with_a_correlation_of_either_sign(seed):
    Y, X, cluster = design(seed)
    assert_same_as_one_by_one(Y, X, cluster, negative=True)
    assert (reml_batch(Y, X, cluster, negative=True).theta[:, 0] < 0.0).any()


def test_a_boundary_fit_has_a_variance_of_exactly_zero():
    Y, X, cluster = design(3)
    found = reml_batch(Y, X, cluster)
    assert np.array_equal(found.boundary, found.theta[:, 0] == 0.0)


def test_one_column_and_columns_in_several_chunks(monkeypatch):
    Y, X, cluster = design(2)
    whole = reml_batch(Y, X, cluster, kenward_roger=[0.0, 1.0, 0.0, 0.0])
    monkeypatch.setattr(batch, "TOGETHER", 5)
    parts = reml_batch(Y, X, cluster, kenward_roger=[0.0, 1.0, 0.0, 0.0])
    one = reml_batch(Y[:, [7]], X, cluster, kenward_roger=[0.0, 1.0, 0.0, 0.0])
    for name, values in asdict(whole).items():
        np.testing.assert_allclose(getattr(parts, name), values, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(getattr(one, name), values[[7]], rtol=1e-9, atol=1e-12)


def test_without_a_contrast_there_is_no_test():
    Y, X, cluster = design(1)
    found = reml_batch(Y, X, cluster)
    assert found.estimate is None and found.contrast_se is None and found.p is None
    assert np.isinf(found.df).all()


@pytest.mark.parametrize("negative", [False, True])
def test_all_singletons_are_ordinary_least_squares(negative):
    Y, X, _ = design(2)
    assert_same_as_one_by_one(Y, X, np.arange(len(Y)), negative=negative)
    found = reml_batch(Y, X, np.arange(len(Y)), kenward_roger=[0.0, 1.0, 0.0, 0.0], negative=negative)
    np.testing.assert_allclose(found.beta, np.linalg.lstsq(X, Y, rcond=None)[0].T, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(found.df, len(Y) - 4, rtol=1e-12)
    assert found.boundary.all() and not found.theta[:, 0].any()


@pytest.mark.parametrize("size", [2, 7])
def test_equal_clusters_and_columns_of_every_kind(size):
    rng = np.random.default_rng(size)
    cluster, within = np.repeat(np.arange(9), size), np.tile(np.arange(size), 9)
    X = np.column_stack([np.ones(9 * size), cluster % 2, within == 0])
    Y = rng.normal(size=(9 * size, 8)) + rng.normal(size=(9, 8))[cluster]
    for columns in (X[:, :1], X[:, :2], X):
        assert_same_as_one_by_one(Y, columns, cluster)


def test_the_highest_of_all_likelihoods_is_found():
    Y, X, cluster = design(4, responses=40)
    found = reml_batch(Y, X, cluster)
    grid = np.linspace(0.0, 0.999, 400)
    for b, y in enumerate(Y.T):
        profiled = reml(y, X, random_intercept(cluster)).likelihood.profiled
        top = max(profiled(np.array([rho, 1.0 - rho]))[0] for rho in grid)
        assert profiled(found.theta[b] / found.theta[b].sum())[0] >= top - 1e-9


def test_a_likelihood_without_maximum_is_reported():
    cluster = np.repeat(np.arange(10), 3)
    Y = np.repeat(np.sin(np.arange(10)), 3)[:, None] + np.array([0.0, 1.0]) * np.cos(np.arange(30))[:, None]
    found = reml_batch(Y, np.ones((30, 1)), cluster, kenward_roger=[1.0])
    assert found.converged.tolist() == [False, True] and found.boundary[0]
    assert np.isnan(found.p[0]) and np.isfinite(found.p[1])


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0, 12]), st.booleans())
def test_row_order_and_names_of_families_change_no_bit(seed, decimals, negative):
    rng = np.random.default_rng(seed)
    cluster = np.repeat(np.arange(15), rng.integers(1, 4, 15))
    # Whole numbers make rows and families with equal data.
    Y = np.round(2.0 * rng.normal(size=(len(cluster), 5)), decimals)
    X = np.column_stack([np.ones(len(cluster)), cluster % 2])
    first = reml_batch(Y, X, cluster, kenward_roger=[0.0, 1.0], negative=negative)
    rows, names = rng.permutation(len(Y)), rng.permutation(15)
    labels = [f"family {names[c]}" for c in cluster[rows]]
    second = reml_batch(Y[rows], X[rows], labels, kenward_roger=[0.0, 1.0], negative=negative)
    for name, values in asdict(first).items():
        assert np.array_equal(getattr(second, name), values, equal_nan=True)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 999), st.randoms(use_true_random=False))
def test_the_order_of_the_responses_does_not_matter(seed, random):
    Y, X, cluster = design(seed)
    order = list(range(Y.shape[1]))
    random.shuffle(order)
    L = np.ones(X.shape[1])
    first, second = (reml_batch(each, X, cluster, kenward_roger=L) for each in (Y, Y[:, order]))
    for name, values in asdict(first).items():
        np.testing.assert_allclose(getattr(second, name), values[order], rtol=1e-9, atol=1e-12)


Y, X, CLUSTER = design(5)
ROWS = len(Y)


def changed(array, place, value):
    copy = array.copy()
    copy[place] = value
    return copy


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"Y": changed(Y, (3, 1), np.nan)}, "row 3 .*response is missing"),
        ({"Y": Y[:, 0]}, "one column per response"),
        ({"Y": Y[:, :0]}, "one column per response"),
        ({"Y": [["a"]] * ROWS}, "Y must be a numeric table"),
        ({"Y": Y[1:]}, f"one row for each of {ROWS - 1}"),
        ({"X": changed(X, (2, 1), np.inf)}, "Column 1 of X has missing"),
        ({"X": np.column_stack([X, X[:, 1] - 2.0])}, "is a combination"),
        ({"X": np.eye(ROWS)}, "more rows than columns"),
        ({"cluster": CLUSTER[1:]}, f"{ROWS - 1} cluster labels for {ROWS} rows"),
        ({"cluster": [1] * ROWS}, "one cluster"),
        ({"cluster": X[:, 1]}, "variance between clusters"),
        ({"X": (CLUSTER[:, None] == np.unique(CLUSTER)).astype(float)}, "variance between clusters"),
        ({"Y": np.column_stack([Y[:, 0], X @ [1.0, 2.0, 3.0]])}, "fit column 1 of Y exactly"),
        ({"Y": np.column_stack([Y[:, 0], 1e200 * Y[:, 0]])}, "Column 1 of Y is beyond 1e150"),
        ({"kenward_roger": [1.0]}, r"has shape \(1,\)"),
        ({"kenward_roger": [0.0] * 3}, "finite and not zero"),
        ({"kenward_roger": [np.nan] * 3}, "finite and not zero"),
        ({"kenward_roger": ["a"] * 3}, "must be numeric"),
    ],
)
def test_refusals_say_what_is_wrong(arguments, sentence):
    with pytest.raises(ModelError, match=sentence):
        reml_batch(**{"Y": Y, "X": X, "cluster": CLUSTER} | arguments)
