"""What must not change a mixed model, and designs where it must collapse to a test everyone knows."""

import numpy as np
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from analysis.stats.covariance import (
    exchangeable,
    heterogeneous,
    nested,
    random_intercept,
    unstructured,
    unstructured_in_cluster,
)
from analysis.stats.diagnostics import diagnose
from analysis.stats.profiles import profile_interval
from analysis.stats.reml import reml
from analysis.stats.small_sample import contrast, icc

BUILDERS = {
    "random_intercept": lambda cluster, subject: random_intercept(cluster),
    "exchangeable": lambda cluster, subject: exchangeable(cluster),
    "nested": nested,
}
# Of family, child and visit, for the children of a trial seen up to three times; the group is the arm.
REPEATED = {
    "unstructured": lambda family, child, visit, group: unstructured(list(zip(family, child)), visit),  # noqa: B905
    "unstructured_in_cluster": lambda family, child, visit, group: unstructured_in_cluster(
        family, child, visit
    ),
    "heterogeneous": lambda family, child, visit, group: heterogeneous(family, group),
}
ARM = np.array([0.0, 1.0, 0.0])


@st.composite
def trials(draw, largest=4):
    """A small trial: outcome, columns (mean, arm, covariate), family and child-group labels, generator."""
    sizes = draw(st.lists(st.integers(1, largest), min_size=8, max_size=20))
    assume(max(sizes) > 1)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    cluster = np.repeat(np.arange(len(sizes)), sizes)
    arm = rng.permutation(np.arange(len(sizes)) % 2)[cluster]
    n = len(cluster)
    # Rounded covariates and outcomes give rows and whole families that are equal.
    X = np.column_stack([np.ones(n), arm, np.round(rng.normal(size=n), draw(st.sampled_from([1, 12])))])
    y = rng.normal(size=n) + draw(st.sampled_from([0.0, 0.5, 2.0])) * rng.normal(size=len(sizes))[cluster]
    return np.round(y, draw(st.sampled_from([0, 12]))), X, cluster, rng.integers(0, 2, n), rng


@settings(max_examples=60, deadline=None)
@given(trials(), st.sampled_from(sorted(BUILDERS)))
def test_row_order_and_names_of_families_change_no_bit(trial, name):
    y, X, cluster, subject, rng = trial
    first = reml(y, X, BUILDERS[name](cluster, subject))
    rows, names = rng.permutation(len(y)), rng.permutation(cluster.max() + 1)
    labels = [f"family {names[c]}" for c in cluster[rows]]
    second = reml(y[rows], X[rows], BUILDERS[name](labels, [("child", 1 - s) for s in subject[rows]]))
    for attribute in ("beta", "vcov", "theta", "loglik", "expected", "observed", "notes"):
        assert np.array_equal(getattr(first, attribute), getattr(second, attribute))
    if first.converged:
        assert contrast(first, ARM).p == contrast(second, ARM).p


@settings(max_examples=60, deadline=None)
@given(trials(), st.sampled_from(sorted(BUILDERS)), st.floats(1e-3, 1e3), st.floats(-1e3, 1e3))
def test_units_and_origins_do_not_matter(trial, name, unit, origin):
    y, X, cluster, subject, _ = trial
    structure = BUILDERS[name](cluster, subject)
    first = reml(y, X, structure)
    assume(first.converged)
    moved = np.column_stack([X[:, 0], X[:, 1], unit * X[:, 2] + origin])
    second = reml(unit * y + origin, moved, structure)
    before, after = contrast(first, ARM), contrast(second, ARM)
    found = [after.estimate / unit, after.se / unit, after.df, after.p, *(second.theta / unit**2)]
    np.testing.assert_allclose(
        found, [before.estimate, before.se, before.df, before.p, *first.theta], rtol=1e-6, atol=1e-7
    )


@settings(max_examples=40, deadline=None)
@given(trials(), st.sampled_from(sorted(BUILDERS)), st.sampled_from(["kenward_roger", "satterthwaite"]))
def test_swapped_arms_mirror_the_effect(trial, name, df):
    y, X, cluster, subject, _ = trial
    structure = BUILDERS[name](cluster, subject)
    first = reml(y, X, structure)
    assume(first.converged)
    swapped = np.column_stack([X[:, 0], 1.0 - X[:, 1], X[:, 2]])
    one, other = contrast(first, ARM, df=df), contrast(reml(y, swapped, structure), ARM, df=df)
    found = [-other.high, -other.estimate, -other.low, other.se, other.df, other.p]
    np.testing.assert_allclose(
        found, [one.low, one.estimate, one.high, one.se, one.df, one.p], rtol=1e-7, atol=1e-9
    )


@settings(max_examples=30, deadline=None)
@given(trials(), st.sampled_from(["kenward_roger", "satterthwaite", "between_within"]))
def test_families_of_one_child_give_the_t_test(trial, df):
    y, X, _, _, _ = trial
    arm = X[:, 1] == 1
    assume(1 < arm.sum() < len(y) - 1)
    found = contrast(reml(y, X[:, :2], random_intercept(range(len(y)))), ARM[:2], df=df)
    expected = stats.ttest_ind(y[arm], y[~arm])
    assert found.df == np.float64(len(y) - 2) or np.isclose(found.df, len(y) - 2, rtol=1e-10)
    np.testing.assert_allclose(found.estimate / found.se, expected.statistic, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.p, expected.pvalue, rtol=1e-8)


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 5), st.integers(3, 9), st.integers(3, 9), st.integers(0, 2**32 - 1))
def test_equal_families_give_the_t_test_on_family_means(size, treated, control, seed):
    rng = np.random.default_rng(seed)
    families = treated + control
    cluster = np.repeat(np.arange(families), size)
    arm = (cluster < treated).astype(float)
    y = rng.normal(size=len(cluster)) + rng.normal(size=families)[cluster]
    X = np.column_stack([np.ones(len(y)), arm])
    means = y.reshape(families, size).mean(axis=1)
    expected = stats.ttest_ind(means[:treated], means[treated:])
    fits = [reml(y, X, exchangeable(cluster)), reml(y, X, random_intercept(cluster))]
    for fit in [fit for fit in fits if not fit.boundary]:
        for df in ("kenward_roger", "satterthwaite", "between_within"):
            found = contrast(fit, [0.0, 1.0], df=df)
            np.testing.assert_allclose(found.df, families - 2, rtol=1e-7)
            np.testing.assert_allclose(found.estimate / found.se, expected.statistic, rtol=1e-7, atol=1e-9)
            np.testing.assert_allclose(found.p, expected.pvalue, rtol=1e-6)


@settings(max_examples=40, deadline=None)
@given(trials())
def test_a_bounded_covariance_is_the_free_one_or_lies_on_its_bound(trial):
    y, X, cluster, _, _ = trial
    free, bounded = reml(y, X, exchangeable(cluster)), reml(y, X, random_intercept(cluster))
    assume(free.converged)
    assert bounded.loglik <= free.loglik + 1e-9
    if free.theta[0] > 0.0:
        np.testing.assert_allclose(bounded.loglik, free.loglik, rtol=1e-10)
    assert bounded.boundary == any("zero" in note for note in bounded.notes)


@settings(max_examples=40, deadline=None)
@given(trials())
def test_adjusted_variance_is_not_smaller_and_the_icc_lies_in_its_interval(trial):
    y, X, cluster, _, _ = trial
    fit = reml(y, X, random_intercept(cluster))
    assume(fit.converged)
    assert contrast(fit, ARM).se >= contrast(fit, ARM, df="normal").se * (1.0 - 1e-9)
    narrow, wide = icc(fit, level=0.8), icc(fit, level=0.95)
    assert 0.0 <= wide.low <= narrow.low <= narrow.estimate <= narrow.high <= wide.high <= 1.0


@st.composite
def courses(draw):
    """Children of families seen at some of three visits: outcome, columns (mean, arm, visits), labels."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    families = draw(st.integers(14, 24))
    rows = [
        (family, child, visit)
        for family in range(families)
        for child in range(rng.integers(1, 4))
        for visit in range(3)
        if rng.random() < draw(st.sampled_from([0.75, 0.9]))
    ]
    family, child, visit = np.array(rows).T
    arm = rng.permutation(np.arange(families) % 2)[family]
    X = np.column_stack([np.ones(len(arm)), arm, visit == 1, visit == 2]).astype(float)
    person = np.unique(family * 10 + child, return_inverse=True)[1]
    y = (1.0 + visit) * rng.normal(size=len(arm)) + rng.normal(size=families)[family]
    return y + rng.normal(size=person.max() + 1)[person], X, family, child, visit, rng


@settings(max_examples=25, deadline=None)
@given(courses(), st.sampled_from(sorted(REPEATED)), st.floats(1e-2, 1e2))
def test_repeated_measures_do_not_depend_on_order_names_units_or_side(course, name, unit):
    y, X, family, child, visit, rng = course
    group = X[:, 1]
    first = reml(y, X, REPEATED[name](family, child, visit, group))
    assume(first.converged and not first.boundary)
    rows, names = rng.permutation(len(y)), rng.permutation(family.max() + 1)
    labels = [f"family {each}" for each in names[family[rows]]]
    moved = REPEATED[name](labels, 9 - child[rows], visit[rows], group[rows])
    second = reml(y[rows], X[rows], moved)
    assert np.array_equal(first.beta, second.beta) and np.array_equal(first.theta, second.theta)
    swapped = X * [1.0, -1.0, 1.0, 1.0] + [0.0, 1.0, 0.0, 0.0]
    third = reml(unit * y + 7.0, swapped, REPEATED[name](family, child, visit, group))
    row = np.eye(4)[1]
    one, other = contrast(first, row), contrast(third, row)
    np.testing.assert_allclose(
        [-other.estimate / unit, other.se / unit, other.df, other.p],
        [one.estimate, one.se, one.df, one.p],
        rtol=1e-6,
        atol=1e-8,
    )


@settings(max_examples=60, deadline=None)
@given(trials())
def test_a_variance_between_families_of_zero_is_least_squares(trial):
    y, X, cluster, _, _ = trial
    fit = reml(y, X, random_intercept(cluster))
    assume(fit.theta[0] == 0.0)
    n, p = X.shape
    beta, rss = np.linalg.lstsq(X, y, rcond=None)[:2]
    np.testing.assert_allclose(fit.beta, beta, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(fit.vcov, rss[0] / (n - p) * np.linalg.inv(X.T @ X), rtol=1e-9, atol=1e-12)
    found = contrast(fit, ARM, df="satterthwaite")
    assert np.isclose(found.df, n - p, rtol=1e-9)
    assert np.isclose(found.p, 2.0 * stats.t.sf(abs(beta[1]) / np.sqrt(fit.vcov[1, 1]), n - p), rtol=1e-8)


@settings(max_examples=30, deadline=None)
@given(trials(), st.integers(2, 4))
def test_a_trial_and_its_copies_under_other_names_have_one_estimate(trial, copies):
    """Twice the families and nothing new: the same coefficients and, by ML, variances; half the variance."""
    y, X, cluster, _, _ = trial
    once = reml(y, X, random_intercept(cluster), method="ml")
    assume(once.converged)
    labels = np.concatenate([cluster + 1000 * k for k in range(copies)])
    more = reml(np.tile(y, copies), np.tile(X, (copies, 1)), random_intercept(labels), method="ml")
    np.testing.assert_allclose(more.beta, once.beta, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(more.theta, once.theta, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(copies * more.vcov, once.vcov, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(more.loglik, copies * once.loglik, rtol=1e-9)


@settings(max_examples=30, deadline=None)
@given(trials(), st.sampled_from(sorted(BUILDERS)))
def test_influence_adds_up_and_profiles_hold_the_estimate(trial, name):
    y, X, cluster, subject, _ = trial
    structure = BUILDERS[name](cluster, subject)
    fit = reml(y, X, structure)
    assume(fit.converged)
    found = diagnose(fit, y, X, structure)
    np.testing.assert_allclose(found.cluster_leverage.sum(), X.shape[1], rtol=1e-8)
    assert (found.cluster_leverage > -1e-9).all()
    # The scaled residuals are n - p numbers of mean square one at the REML estimate.
    np.testing.assert_allclose(np.sum(found.scaled**2), len(y) - X.shape[1], rtol=1e-6)
    for k in np.flatnonzero(fit.identified):
        interval = profile_interval(fit, int(k))
        assert interval.low <= interval.estimate * (1 + 1e-9) + 1e-12 and interval.estimate <= interval.high
