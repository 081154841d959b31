"""Residuals, leverage and influence: against dense algebra, deletion of each cluster, and collapses."""

from dataclasses import replace

import numpy as np
import pytest

from analysis.errors import ModelError
from analysis.stats.covariance import (
    exchangeable,
    heterogeneous,
    nested,
    random_intercept,
    unstructured_in_cluster,
)
from analysis.stats.diagnostics import diagnose
from analysis.stats.reml import reml
from tests.unit.stats import dense_reference
from tests.unit.stats.test_repeated_measures import trial, visit_basis

KINDS = ("random_intercept", "exchangeable", "nested", "heterogeneous", "unstructured_in_cluster")


def made(kind, seed, clusters=20):
    """Data, structure, the dense basis matrices, and which of them are random effects."""
    y, X, cluster, subject, visit = trial(seed, clusters=clusters)
    family, child, row = dense_reference.basis(cluster, cluster * 10 + subject, np.arange(len(y)))
    if kind in ("random_intercept", "exchangeable"):
        build = random_intercept if kind == "random_intercept" else exchangeable
        return y, X, build(cluster), [family, row], [kind == "random_intercept", False]
    if kind == "nested":
        return y, X, nested(cluster, subject), [family, child, row], [True, True, False]
    if kind == "heterogeneous":
        group = cluster % 2
        G = [matrix * np.outer(group == g, group == g) for g in (0, 1) for matrix in (family, row)]
        return y, X, heterogeneous(cluster, group), G, [True, False] * 2
    G = [*visit_basis(cluster * 10 + subject, visit), family]
    return y, X, unstructured_in_cluster(cluster, subject, visit), G, [False] * 6 + [True]


def weighted_least_squares(y, X, W):
    return np.linalg.solve(X.T @ W @ X, X.T @ W @ y)


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("kind", KINDS)
def test_rows_equal_dense_algebra(kind, seed):
    y, X, structure, G, effect = made(kind, seed)
    fit = reml(y, X, structure)
    found = diagnose(fit, y, X, structure)
    V = sum(t * g for t, g in zip(fit.theta, G, strict=True))
    D = sum((t * g for t, g, e in zip(fit.theta, G, effect, strict=True) if e), np.zeros_like(V))
    W = np.linalg.inv(V)
    H = X @ np.linalg.solve(X.T @ W @ X, X.T @ W)
    both = H + D @ W @ (np.eye(len(y)) - H)
    root = np.linalg.inv(np.linalg.cholesky(V))
    residual = y - H @ y
    error = np.sqrt(np.diagonal(V - H @ V))
    np.testing.assert_allclose(found.fitted, H @ y, atol=1e-9)
    np.testing.assert_allclose(found.marginal, residual, atol=1e-9)
    np.testing.assert_allclose(found.conditional, y - both @ y, atol=1e-9)
    np.testing.assert_allclose(found.studentised, residual / error, atol=1e-9)
    np.testing.assert_allclose(found.leverage, np.diagonal(H), atol=1e-10)
    np.testing.assert_allclose(found.leverage_conditional, np.diagonal(both), atol=1e-10)
    for c in np.unique(structure.cluster):
        inside = structure.cluster == c
        # Any root of V^-1 gives residuals of this length; the symmetric one is symmetric.
        assert np.sum(found.scaled[inside] ** 2) == pytest.approx(np.sum((root @ residual)[inside] ** 2))
        value, axes = np.linalg.eigh(V[np.ix_(inside, inside)])
        np.testing.assert_allclose(
            found.scaled[inside], axes @ ((axes.T @ residual[inside]) / np.sqrt(value)), atol=1e-9
        )
        assert found.cluster_leverage[c] == pytest.approx(np.diagonal(H)[inside].sum())
    assert found.cluster_leverage.sum() == pytest.approx(X.shape[1])


@pytest.mark.parametrize("kind", KINDS)
def test_influence_equals_the_deletion_of_each_cluster(kind):
    y, X, structure, G, _ = made(kind, 3)
    fit = reml(y, X, structure)
    found = diagnose(fit, y, X, structure)
    V = sum(t * g for t, g in zip(fit.theta, G, strict=True))
    whole = weighted_least_squares(y, X, np.linalg.inv(V))
    for c in np.unique(structure.cluster):
        kept = structure.cluster != c
        without = weighted_least_squares(y[kept], X[kept], np.linalg.inv(V[np.ix_(kept, kept)]))
        np.testing.assert_allclose(found.dfbeta[c], whole - without, rtol=1e-7, atol=1e-10)
        distance = (whole - without) @ np.linalg.solve(fit.vcov, whole - without) / X.shape[1]
        assert found.cook[c] == pytest.approx(distance, rel=1e-7)


def test_a_coefficient_that_one_cluster_decides_is_lost_without_it_and_no_other():
    y, X, cluster, _, _ = trial(1)
    only = (cluster == 4).astype(float)
    X = np.column_stack([X, only])
    structure = random_intercept(cluster)
    fit = reml(y, X, structure)
    found = diagnose(fit, y, X, structure)
    assert np.isnan(found.dfbeta[4]).tolist() == [False] * 4 + [True]
    assert np.isnan(found.cook).sum() == 1 and np.isnan(found.cook[4])
    V = fit.theta[0] * (cluster[:, None] == cluster) + fit.theta[1] * np.eye(len(y))
    kept = cluster != 4
    without = weighted_least_squares(y[kept], X[kept, :4], np.linalg.inv(V[np.ix_(kept, kept)]))
    np.testing.assert_allclose(found.dfbeta[4, :4], fit.beta[:4] - without, atol=1e-9)


def test_a_row_that_the_fit_passes_through_has_no_studentised_residual():
    y, X, cluster, _, _ = trial(1)
    X = np.column_stack([X, np.arange(len(y)) == 7])
    labels = np.where(np.arange(len(y)) == 7, 99, cluster)
    found = diagnose(reml(y, X, random_intercept(labels)), y, X, random_intercept(labels))
    assert np.flatnonzero(np.isnan(found.studentised)).tolist() == [7]
    assert found.leverage[7] == pytest.approx(1.0)


def test_singletons_give_the_diagnostics_of_least_squares():
    """The hat matrix, internally studentised residuals and Cook's distance of ordinary regression."""
    rng = np.random.default_rng(4)
    X = np.column_stack([np.ones(25), rng.normal(size=(25, 2))])
    y = rng.normal(size=25)
    structure = random_intercept(range(25))
    fit = reml(y, X, structure)
    found = diagnose(fit, y, X, structure)
    h = np.diagonal(X @ np.linalg.inv(X.T @ X) @ X.T)
    residual = y - X @ np.linalg.lstsq(X, y, rcond=None)[0]
    s = np.sqrt(residual @ residual / 22)
    studentised = residual / (s * np.sqrt(1.0 - h))
    np.testing.assert_allclose(found.leverage, h, atol=1e-12)
    np.testing.assert_allclose(found.scaled, residual / s, atol=1e-10)
    np.testing.assert_allclose(found.studentised, studentised, atol=1e-10)
    np.testing.assert_allclose(found.cook[structure.cluster], studentised**2 * h / (1.0 - h) / 3, atol=1e-10)


@pytest.mark.parametrize("kind", KINDS)
def test_order_of_rows_and_units_do_not_matter(kind):
    y, X, structure, _, _ = made(kind, 5)
    fit = reml(y, X, structure)
    first = diagnose(fit, y, X, structure)
    order = np.random.default_rng(0).permutation(len(y))
    moved = replace(
        structure,
        cluster=structure.cluster[order],
        subject=structure.subject[order],
        level=structure.level[order],
    )
    second = diagnose(reml(y[order], X[order], moved), y[order], X[order], moved)
    for name in ("fitted", "conditional", "studentised", "scaled", "leverage", "leverage_conditional"):
        assert np.array_equal(getattr(first, name)[order], getattr(second, name))
    for name in ("cluster_leverage", "dfbeta", "cook"):
        assert np.array_equal(getattr(first, name), getattr(second, name))
    scaled = X * [1.0, 100.0, 1.0, 1e-3]
    third = diagnose(reml(1e3 * y, scaled, structure), 1e3 * y, scaled, structure)
    np.testing.assert_allclose(third.scaled, first.scaled, atol=1e-6)
    np.testing.assert_allclose(third.dfbeta / 1e3 * [1.0, 100.0, 1.0, 1e-3], first.dfbeta, atol=1e-6)
    np.testing.assert_allclose(third.cook, first.cook, atol=1e-6)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"y": [1.0, 2.0]}, "one column"),
        ({"structure": random_intercept(range(len(trial(1)[0])))}, "not the one"),
        ({"structure": nested(trial(1)[2], trial(1)[3])}, "not the one"),
        ({"X": trial(1)[1][:, :2]}, "fitted with 4"),
        ({"y": trial(1)[0][::-1]}, "not those the model was fitted to"),
    ],
)
def test_refusals_say_what_is_wrong(change, sentence):
    y, X, cluster, _, _ = trial(1)
    given = {"y": y, "X": X, "structure": random_intercept(cluster)}
    fit = reml(**given)
    with pytest.raises(ModelError, match=sentence):
        diagnose(fit, **(given | change))


def test_a_fit_without_maximum_gives_none():
    cluster = np.repeat(np.arange(10), 3)
    y, X, structure = np.repeat(np.sin(np.arange(10)), 3), np.ones((30, 1)), random_intercept(cluster)
    with pytest.raises(ModelError, match="no diagnostics"):
        diagnose(reml(y, X, structure), y, X, structure)
