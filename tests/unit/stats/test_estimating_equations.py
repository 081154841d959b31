"""Robust least squares: against dense algebra, collapses, invariances and refusals."""

import numpy as np
import pytest
from scipy import stats

from analysis.errors import ModelError
from analysis.stats.estimating_equations import difference_of_averages, independence, robust_contrast

L = np.array([0.0, 1.0, 0.0])


def trial(seed, *, clusters=24, largest=4):
    """Children in families with an arm, a covariate and a family effect."""
    rng = np.random.default_rng(seed)
    size = rng.integers(1, largest + 1, clusters)
    cluster = np.repeat(np.arange(clusters), size)
    X = np.column_stack([np.ones(len(cluster)), cluster % 2, rng.normal(size=len(cluster))])
    y = rng.normal(size=len(cluster)) + rng.normal(size=clusters)[cluster] + X[:, 2]
    return y, X, cluster, 1.0 / size[cluster]


def dense(y, X, cluster, weight):
    """Bread, residual maker and adjustments by cluster in n x n algebra."""
    W = np.diag(weight)
    M = np.linalg.inv(X.T @ W @ X)
    keep = np.eye(len(y)) - X @ M @ X.T @ W
    adjust = np.zeros_like(W)
    for name in np.unique(cluster):
        here = np.flatnonzero(cluster == name)
        value, vector = np.linalg.eigh(keep[here] @ keep[here].T)
        root = vector @ np.diag([v**-0.5 if v > 1e-12 else 0.0 for v in value]) @ vector.T
        adjust[np.ix_(here, here)] = root
    return M, keep, adjust, W


def dense_influence(y, X, cluster, weight):
    """Per cluster the vector q with contribution q'y to L beta, (clusters, n)."""
    M, keep, adjust, W = dense(y, X, cluster, weight)
    g = adjust.T @ W @ X @ M @ L
    return np.array([keep.T @ (g * (cluster == name)) for name in np.unique(cluster)])


def dense_test(q, y):
    gram = q @ q.T
    return np.sqrt(((q @ y) ** 2).sum()), np.trace(gram) ** 2 / (gram**2).sum()


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("weighted", [False, True])
def test_contrast_equals_dense_algebra(seed, weighted):
    y, X, cluster, share = trial(seed)
    weight = share if weighted else np.ones(len(y))
    found = robust_contrast(independence(y, X, cluster, weights=weight), L)
    W = np.diag(weight)
    beta = np.linalg.solve(X.T @ W @ X, X.T @ W @ y)
    se, df = dense_test(dense_influence(y, X, cluster, weight), y)
    assert (found.estimate, found.se, found.df) == pytest.approx((beta[1], se, df), rel=1e-9)
    low, high = stats.t.interval(0.95, df, beta[1], se)
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-9)
    assert found.p == pytest.approx(2 * stats.t.sf(abs(beta[1]) / se, df), rel=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_difference_of_averages_equals_dense_algebra(seed):
    y, X, cluster, share = trial(seed)
    ones = np.ones(len(y))
    fits = [independence(y, X, cluster, weights=weight) for weight in (ones, share)]
    q = dense_influence(y, X, cluster, ones) - dense_influence(y, X, cluster, share)
    se, df = dense_test(q, y)
    found = difference_of_averages(*fits, L)
    assert found.estimate == pytest.approx(fits[0].beta[1] - fits[1].beta[1], rel=1e-9, abs=1e-12)
    assert (found.se, found.df) == pytest.approx((se, df), rel=1e-8)


def test_singletons_give_the_variance_of_bell_and_mccaffrey_and_welch():
    """Two groups of singletons: CR2 is the unequal-variance t-test with its own variance per group."""
    rng = np.random.default_rng(1)
    arm = np.repeat([0.0, 1.0], [9, 14])
    y = rng.normal(size=23) * (1.0 + arm)
    found = robust_contrast(independence(y, np.column_stack([np.ones(23), arm]), range(23)), [0.0, 1.0])
    a, b = y[arm == 1], y[arm == 0]
    assert found.estimate == pytest.approx(a.mean() - b.mean())
    assert found.se == pytest.approx(np.sqrt(a.var(ddof=1) / 14 + b.var(ddof=1) / 9))
    # Degrees of freedom under the working covariance I, not from the sample variances as Welch's.
    v = np.array([1 / 14, 1 / 9])
    assert found.df == pytest.approx(v.sum() ** 2 / (v**2 / [13, 8]).sum())


def test_families_of_one_size_have_one_average():
    y, X, cluster, _ = trial(3, largest=1)
    cluster = np.repeat(np.arange(len(y) // 2), 2)
    fits = [independence(y, X, cluster, weights=weight) for weight in (None, np.full(len(y), 0.5))]
    assert fits[0].beta == pytest.approx(fits[1].beta, rel=1e-12)
    assert fits[0].vcov == pytest.approx(fits[1].vcov, rel=1e-10)
    with pytest.raises(ModelError, match="nothing to compare"):
        difference_of_averages(*fits, L)


def test_order_and_names_do_not_matter():
    y, X, cluster, share = trial(4)
    order = np.random.default_rng(9).permutation(len(y))
    fit = independence(y, X, cluster, weights=share)
    moved = independence(y[order], X[order], [f"F{c}" for c in -cluster[order]], weights=share[order])
    assert (fit.beta == moved.beta).all() and (fit.vcov == moved.vcov).all()
    assert robust_contrast(fit, L).df == robust_contrast(moved, L).df


def test_a_cluster_fitted_exactly_is_no_error():
    """A column that is one cluster's own leaves it without residual."""
    y, X, cluster, _ = trial(5)
    own = (cluster == 3).astype(float)
    found = robust_contrast(independence(y, np.column_stack([X, own]), cluster), [0.0, 1.0, 0.0, 0.0])
    assert np.isfinite([found.se, found.df]).all()


Y, COLUMNS, CLUSTER, _ = trial(0)
FIT = independence(Y, COLUMNS, CLUSTER)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: independence(Y, COLUMNS, CLUSTER[:-1]), "one label per row"),
        (lambda: independence(Y, COLUMNS, CLUSTER, weights=np.zeros(len(Y))), "weights must be above 0"),
        (lambda: independence(Y, COLUMNS, np.arange(len(Y)) % 3), "more clusters than columns"),
        (lambda: independence(Y, np.column_stack([COLUMNS, COLUMNS[:, 1]]), CLUSTER), "combination"),
        (lambda: robust_contrast(FIT, [1.0]), "one row of 3"),
        (lambda: robust_contrast(FIT, np.zeros(3)), "not all zero"),
        (lambda: robust_contrast(FIT, ["a", "b", "c"]), "numeric"),
        (lambda: robust_contrast(FIT, L, level=2.0), "between 0 and 1"),
        (
            lambda: difference_of_averages(FIT, independence(Y + 1.0, COLUMNS[:, :2], CLUSTER), L),
            "same rows and columns",
        ),
    ],
)
def test_refusals_say_what_is_wrong(call, sentence):
    with pytest.raises(ModelError, match=sentence):
        call()
