"""Unstructured and heterogeneous covariances: against dense algebra, collapses and refusals."""

import numpy as np
import pytest

from analysis.errors import ModelError
from analysis.stats.covariance import (
    heterogeneous,
    random_intercept,
    unstructured,
    unstructured_in_cluster,
)
from analysis.stats.denominators import kenward_roger_vcov
from analysis.stats.reml import reml
from analysis.stats.small_sample import contrast
from tests.unit.stats import dense_reference

VISITS = 3
TRIANGLE = [(a, b) for a in range(VISITS) for b in range(a, VISITS)]


def trial(seed, *, clusters=20, attendance=0.8):
    """Children in families, seen at some of three visits: outcome, columns and labels."""
    rng = np.random.default_rng(seed)
    rows = [
        (family, child, visit)
        for family in range(clusters)
        for child in range(rng.integers(1, 4))
        for visit in range(VISITS)
        if visit == 1 or rng.random() < attendance
    ]
    cluster, subject, visit = np.array(rows).T
    person = np.unique(cluster * 10 + subject, return_inverse=True)[1]
    y = rng.normal(size=len(cluster)) * (1.0 + visit) + rng.normal(size=clusters)[cluster]
    y += rng.normal(size=person.max() + 1)[person]
    X = np.column_stack([np.ones(len(y)), visit == 1, visit == 2, cluster % 2])
    return y, X, cluster, subject, visit


def visit_basis(person, visit):
    (child,) = dense_reference.basis(person)
    matrices = []
    for a, b in TRIANGLE:
        pair = np.outer(visit == a, visit == b)
        matrices.append(child * (pair | pair.T))
    return matrices


def pair_of_fits(kind, seed):
    """Our fit and the dense one."""
    y, X, cluster, subject, visit = trial(seed)
    person = cluster * 10 + subject
    if kind == "unstructured":
        G, bounded = visit_basis(person, visit), (False,) * 6
        return reml(y, X, unstructured(person, visit)), dense_reference.fit(y, X, G, bounded)
    if kind == "unstructured_in_cluster":
        G = [*visit_basis(person, visit), *dense_reference.basis(cluster)]
        fit = reml(y, X, unstructured_in_cluster(cluster, subject, visit))
        return fit, dense_reference.fit(y, X, G, (False,) * 6 + (True,))
    group = np.array(["a", "b"])[cluster % 2]
    family, row = dense_reference.basis(cluster, np.arange(len(y)))
    G = [matrix * np.outer(group == name, group == name) for name in "ab" for matrix in (family, row)]
    bounded = (True, False) * 2
    return reml(y, X, heterogeneous(cluster, group)), dense_reference.fit(y, X, G, bounded)


KINDS = ("unstructured", "unstructured_in_cluster", "heterogeneous")


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", KINDS)
def test_fit_and_inference_equal_the_dense_reference(kind, seed):
    fit, dense = pair_of_fits(kind, seed)
    assert fit.converged
    size = np.abs(dense.theta).max()
    np.testing.assert_allclose(fit.beta, dense.beta, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(fit.vcov, dense.Phi, rtol=1e-8, atol=1e-8 * np.abs(dense.Phi).max())
    np.testing.assert_allclose(fit.theta, dense.theta, rtol=1e-8, atol=1e-8 * size)
    assert fit.loglik == pytest.approx(dense.loglik, rel=1e-10)
    for L in (np.eye(4)[[3]], np.eye(4)[1:3], np.eye(4)[1:] + 0.3):
        adjusted, F, df, scale = dense_reference.kenward_roger(dense, L)
        joint = contrast(fit, L)
        np.testing.assert_allclose(
            kenward_roger_vcov(fit), adjusted, rtol=1e-8, atol=1e-8 * np.abs(adjusted).max()
        )
        assert (joint.F, joint.df, joint.scale) == pytest.approx((F, df, scale), rel=1e-8)
    if not fit.boundary:
        for row in np.eye(4):
            df = dense_reference.satterthwaite(dense, row)
            assert contrast(fit, row, df="satterthwaite").df == pytest.approx(df, rel=1e-6)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", KINDS)
def test_the_observed_information_gives_the_other_kenward_roger(kind, seed):
    fit, dense = pair_of_fits(kind, seed)
    if fit.boundary:
        pytest.skip("the two conventions treat a boundary differently")
    for L in (np.eye(4)[[3]], np.eye(4)[1:]):
        _, F, df, scale = dense_reference.kenward_roger(dense, L, observed=True)
        joint = contrast(fit, L, df="kenward_roger_observed")
        assert (joint.F, joint.df, joint.scale) == pytest.approx((F, df, scale), rel=1e-7)


def test_complete_visits_and_a_mean_each_give_the_sample_covariance():
    """The saturated model in closed form: means, and the covariance with n - 1."""
    rng = np.random.default_rng(3)
    values = rng.normal(size=(30, VISITS)) @ np.array([[1.0, 0.5, 0.2], [0.0, 1.0, 0.4], [0.0, 0.0, 2.0]])
    subject, visit = np.repeat(np.arange(30), VISITS), np.tile(np.arange(VISITS), 30)
    fit = reml(values.ravel(), np.eye(VISITS)[visit], unstructured(subject, visit))
    covariance = np.cov(values.T)
    assert fit.beta == pytest.approx(values.mean(axis=0), rel=1e-10)
    assert fit.theta == pytest.approx(covariance[np.triu_indices(VISITS)], rel=1e-9)
    assert fit.vcov == pytest.approx(covariance / 30, rel=1e-9)
    # One visit against another is the paired t-test.
    found = contrast(fit, [1.0, -1.0, 0.0])
    gain = values[:, 0] - values[:, 1]
    assert (found.se, found.df) == pytest.approx((gain.std(ddof=1) / np.sqrt(30), 29), rel=1e-8)


def test_groups_of_equal_variances_do_not_change_what_each_group_estimates():
    """Two groups with their own means and variances are two separate models."""
    y, X, cluster, _, _ = trial(7, clusters=40)
    group = cluster % 2
    both = np.column_stack([X[:, :1] * (group == 0)[:, None], X[:, :1] * (group == 1)[:, None]])
    fit = reml(y, both, heterogeneous(cluster, group))
    for g in (0, 1):
        here = group == g
        alone = reml(y[here], np.ones((here.sum(), 1)), random_intercept(cluster[here]))
        assert fit.theta[2 * g : 2 * g + 2] == pytest.approx(alone.theta, rel=1e-7, abs=1e-12)
        assert fit.beta[g] == pytest.approx(alone.beta[0], rel=1e-8)


def test_without_siblings_the_family_cannot_be_told_and_the_model_is_the_one_without_it():
    y, X, cluster, subject, visit = trial(11)
    person = cluster * 10 + subject
    alone = reml(y, X, unstructured(person, visit))
    fit = reml(y, X, unstructured_in_cluster(person, person, visit))
    assert fit.theta == pytest.approx([*alone.theta, 0.0], rel=1e-9)
    assert fit.loglik == pytest.approx(alone.loglik, rel=1e-12)
    assert any("variance between clusters cannot be told" in note for note in fit.notes)


def test_visits_never_seen_together_have_no_covariance_and_say_so():
    """Every child has one visit only."""
    rng = np.random.default_rng(5)
    subject, visit = np.arange(60), np.arange(60) % 3
    y, X = rng.normal(size=60), np.eye(3)[visit]
    fit = reml(y, X, unstructured(subject, visit))
    assert fit.theta[[0, 3, 5]] == pytest.approx([y[visit == v].var(ddof=1) for v in range(3)])
    assert sum("covariance of" in note and "cannot be told" in note for note in fit.notes) == 3
    assert contrast(fit, [1.0, 0.0, 0.0]).df == pytest.approx(19)


def test_a_visit_of_one_row_is_refused_when_it_has_a_mean_of_its_own():
    y, X, cluster, subject, visit = trial(2)
    person = cluster * 10 + subject
    keep = (visit != 2) | (np.cumsum(visit == 2) == 1)
    with pytest.raises(ModelError, match="leave nothing from which to estimate the covariance of 0 and 2"):
        reml(y[keep], X[keep], unstructured(person[keep], visit[keep]))


def test_visits_by_any_label_and_in_any_order():
    y, X, cluster, subject, visit = trial(1)
    names = np.array(["12 m", "24 m", "36 m"])[visit]
    order = np.random.default_rng(0).permutation(len(y))
    fit = reml(y, X, unstructured_in_cluster(cluster, subject, names))
    moved = reml(
        y[order],
        X[order],
        unstructured_in_cluster(-cluster[order], subject[order].astype(str), names[order]),
    )
    assert (fit.theta == moved.theta).all() and (fit.beta == moved.beta).all()
    assert fit.theta_names[:2] == ("variance at 12 m", "covariance of 12 m and 24 m")


@pytest.mark.parametrize(
    ("build", "sentence"),
    [
        (lambda: unstructured([1, 1], ["a", "a"]), "two rows for one visit"),
        (lambda: unstructured_in_cluster([1, 1], [1, 1], [2, 2]), "two rows for one visit"),
        (lambda: unstructured([1, 2], ["a"]), "one label per row"),
        (lambda: unstructured_in_cluster([1, 2], [1], [1, 2]), "equal length"),
        (lambda: unstructured([1, None], [1, 2]), "label is missing"),
        (lambda: heterogeneous([1, 1], ["a", "b"]), "rows of two groups"),
        (lambda: heterogeneous([], []), "empty"),
    ],
)
def test_refusals_say_what_is_wrong(build, sentence):
    with pytest.raises(ModelError, match=sentence):
        build()
