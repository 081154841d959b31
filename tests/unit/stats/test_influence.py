"""The sandwich, intervals of probabilities, combination over groups: cases by hand, collapses, bad input."""

import numpy as np
import pytest
from scipy import stats

from analysis.errors import ModelError
from analysis.stats.influence import (
    Linear,
    cluster_covariance,
    combine,
    difference,
    standardise,
    wald_test,
)
from analysis.stats.intervals import interval
from analysis.stats.labels import as_labels, encode


def mean_of(values, cluster=None) -> Linear:
    """The mean as an asymptotically linear estimate: influence (x - mean) / n."""
    values = np.asarray(values, dtype=float).reshape(len(values), -1)
    labels = None if cluster is None else as_labels(cluster, n=len(values), name="cluster")
    return Linear(values.mean(axis=0), (values - values.mean(axis=0)) / len(values), labels)


class TestClusterCovariance:
    def test_single_rows_give_the_variance_of_a_mean(self):
        values = np.random.default_rng(1).normal(size=(30, 2))
        np.testing.assert_allclose(mean_of(values).vcov, np.cov(values.T, bias=True) / 30, rtol=1e-12)

    def test_copies_of_a_row_in_one_cluster_carry_no_information(self):
        values = np.random.default_rng(2).normal(size=20)
        once, twice = mean_of(values), mean_of(np.tile(values, 2), np.tile(np.arange(20), 2))
        np.testing.assert_allclose(twice.se, once.se, rtol=1e-12)
        np.testing.assert_allclose(mean_of(np.tile(values, 2)).se, once.se / np.sqrt(2), rtol=1e-12)

    def test_by_hand(self):
        influence = np.array([[1.0, 0.0], [2.0, 1.0], [-3.0, -1.0]])
        expected = np.array([[3, 1], [-3, -1]]).T @ np.array([[3, 1], [-3, -1]])
        assert cluster_covariance(influence, ["f", "f", "g"]).tolist() == expected.tolist()

    @pytest.mark.parametrize("cluster", [["only"] * 3, [7, 7, 7]])
    def test_one_cluster_says_nothing(self, cluster):
        assert np.isnan(cluster_covariance(np.ones((3, 1)), cluster)).all()
        assert np.isnan(Linear(np.zeros(1), np.ones((3, 1)), np.array(cluster)).se).all()

    def test_any_hashable_label(self):
        influence = np.random.default_rng(3).normal(size=(6, 1))
        expected = cluster_covariance(influence, [0, 0, 1, 1, 2, 2])
        for labels in (
            list("aabbcc"),
            [("s", 1), ("s", 1), ("s", 2), ("s", 2), ("t", 1), ("t", 1)],
            [1, 1, "1", "1", (1,), (1,)],
            np.array(list("xxyyzz"), dtype=object),
            [frozenset({1})] * 2 + [frozenset({2})] * 2 + [frozenset({3})] * 2,
        ):
            np.testing.assert_allclose(cluster_covariance(influence, labels), expected, rtol=1e-12)

    @pytest.mark.parametrize("missing", [None, float("nan"), np.datetime64("NaT")])
    def test_missing_label_is_refused(self, missing):
        with pytest.raises(ModelError, match="row 2 .*cluster label is missing"):
            cluster_covariance(np.ones((3, 1)), ["a", "b", missing])

    def test_missing_number_as_label_is_refused(self):
        with pytest.raises(ModelError, match="row 1 .*cluster label is missing"):
            cluster_covariance(np.ones((2, 1)), np.array([1.0, np.nan]))

    def test_wrong_number_of_labels_is_refused(self):
        with pytest.raises(ModelError, match="one label per row"):
            cluster_covariance(np.ones((3, 1)), ["a", "b"])

    def test_codes_follow_sorted_labels(self):
        code, levels = encode(as_labels(["b", "a", "b"], n=3, name="cluster"))
        assert code.tolist() == [1, 0, 1] and list(levels) == ["a", "b"]


class TestInterval:
    def test_scales_by_hand(self):
        p, se, z = 0.8, 0.05, stats.norm.ppf(0.975)
        log = interval(p, se, kind="log")
        twice = interval(p, se, kind="log-log")
        np.testing.assert_allclose([log.low, log.high], p * np.exp([-z * se / p, z * se / p]), rtol=1e-12)
        spread = z * se / (p * abs(np.log(p)))
        expected = np.exp(-np.exp(np.log(-np.log(p)) + np.array([spread, -spread])))
        np.testing.assert_allclose([twice.low, twice.high], expected, rtol=1e-12)

    def test_plain_stays_between_0_and_1_and_unbounded_does_not(self):
        assert interval(0.01, 0.1, kind="plain").low == 0.0
        assert interval(0.99, 0.1, kind="plain").high == 1.0
        assert interval(0.01, 0.1).low < 0

    def test_without_spread_at_the_ends_there_is_no_interval(self):
        twice = interval([0.0, 1.0], [0.0, 0.0], kind="log-log")
        assert np.isnan([twice.low, twice.high]).all()
        assert np.isnan(interval([0.0], [0.0], kind="log").low).all()

    def test_extreme_spread_gives_the_whole_range_without_a_warning(self):
        for kind in ("log", "log-log"):
            limits = interval([1e-9, 0.5], [0.9, 500.0], kind=kind)
            np.testing.assert_array_equal([limits.low, limits.high], [[0, 0], [1, 1]])

    @pytest.mark.parametrize(("kind", "level"), [("logit", 0.95), ("plain", 1.0), ("plain", 95)])
    def test_unknown_kind_or_level_is_refused(self, kind, level):
        with pytest.raises(ModelError):
            interval(0.5, 0.1, kind=kind, level=level)


class TestWald:
    def test_one_quantity_is_a_squared_z(self):
        test = wald_test(np.array([2.0]), np.array([[0.25]]))
        assert test.df == 1
        np.testing.assert_allclose([test.statistic, test.p], [16.0, 2 * stats.norm.sf(4.0)], rtol=1e-12)

    def test_several_quantities(self):
        estimate, root = np.array([1.0, -2.0, 0.5]), np.random.default_rng(4).normal(size=(3, 9))
        vcov = root @ root.T
        test = wald_test(estimate, vcov)
        np.testing.assert_allclose(test.statistic, estimate @ np.linalg.solve(vcov, estimate), rtol=1e-9)
        np.testing.assert_allclose(test.p, stats.chi2.sf(test.statistic, 3), rtol=1e-12)

    def test_degrees_of_freedom_are_the_rank(self):
        # Two states that share all mass: their differences sum to 0.
        test = Linear(np.array([0.1, -0.1]), np.array([[0.1, -0.1], [-0.05, 0.05], [0.02, -0.02]])).test()
        assert test.df == 1
        np.testing.assert_allclose(test.statistic, 0.1**2 / (0.1**2 + 0.05**2 + 0.02**2), rtol=1e-9)

    def test_no_variance_no_test(self):
        assert np.isnan(wald_test(np.array([1.0]), np.array([[np.nan]])).p)
        assert np.isnan(wald_test(np.array([1.0]), np.array([[0.0]])).p)


class TestCombine:
    def test_independent_groups_add_variances(self):
        generator = np.random.default_rng(5)
        one, other = (mean_of(generator.normal(size=(n, 2))) for n in (20, 30))
        contrast = difference(one, other)
        np.testing.assert_allclose(contrast.estimate, one.estimate - other.estimate, rtol=1e-12)
        np.testing.assert_allclose(contrast.vcov, one.vcov + other.vcov, rtol=1e-12)

    def test_families_that_span_groups_are_paired(self):
        generator = np.random.default_rng(6)
        before, after = generator.normal(size=(2, 25)) + generator.normal(size=25)
        families = np.array([f"f{i}" for i in range(25)])
        contrast = difference(mean_of(after, families), mean_of(before, families))
        np.testing.assert_allclose(contrast.se, np.std(after - before) / 5, rtol=1e-12)

    def test_order_of_groups_and_of_weights_does_not_matter(self):
        generator = np.random.default_rng(7)
        cells = [mean_of(generator.normal(size=10), generator.integers(0, 6, 10)) for _ in range(3)]
        one, other = combine([0.5, 0.3, 0.2], cells), combine([0.2, 0.3, 0.5], cells[::-1])
        np.testing.assert_allclose(one.estimate, other.estimate, rtol=1e-12)
        np.testing.assert_allclose(one.se, other.se, rtol=1e-12)

    def test_standardised_arms_and_their_difference(self):
        generator = np.random.default_rng(8)
        values = {(arm, site): generator.normal(size=12) for arm in "AB" for site in ("glasgow", "london")}
        cells = {key: mean_of(each, [(key, i // 2) for i in range(12)]) for key, each in values.items()}
        shares = {"glasgow": 0.6, "london": 0.4}
        arms = standardise(cells, shares)
        contrast = difference(arms["B"], arms["A"])
        mean = {key: each.mean() for key, each in values.items()}
        expected = sum(share * (mean["B", site] - mean["A", site]) for site, share in shares.items())
        np.testing.assert_allclose(contrast.estimate, expected, rtol=1e-12)
        variance = sum(shares[site] ** 2 * each.se**2 for (_, site), each in cells.items())
        np.testing.assert_allclose(contrast.se, np.sqrt(variance), rtol=1e-12)
        assert contrast.n_clusters == 24

    def test_all_weight_on_one_site_is_that_site(self):
        cells = {("A", site): mean_of(np.arange(5.0) * k) for k, site in enumerate(("x", "y"), start=1)}
        only = standardise(cells, {"x": 1.0, "y": 0.0})["A"]
        np.testing.assert_allclose(only.se, cells["A", "x"].se)

    def test_group_of_one_cluster_spoils_the_standard_error_and_says_so(self):
        lonely, rest = mean_of([1.0, 2.0], ["f", "f"]), mean_of([1.0, 2.0, 4.0], ["g", "h", "i"])
        whole = combine([0.5, 0.5], [lonely, rest])
        assert np.isnan(whole.se).all() and "single cluster" in whole.notes[0]
        assert np.isfinite(combine([0.0, 1.0], [lonely, rest]).se).all()

    def test_labels_of_several_types_are_kept_apart(self):
        one, other = (
            mean_of([1.0, 2.0, 3.0], np.array([1, 2, 3])),
            mean_of([1.0, 5.0, 3.0], np.array(list("123"))),
        )
        assert difference(one, other).n_clusters == 6

    def test_select_and_transform(self):
        three = mean_of(np.random.default_rng(9).normal(size=(15, 3)), np.arange(15) // 3)
        picked = three.transform([[0, 1, 0], [1, 0, -1]])
        np.testing.assert_allclose(picked.select(0).se, three.select([1]).se, rtol=1e-12)
        L = np.array([[1, 0, -1]])
        np.testing.assert_allclose(picked.select(1).vcov, L @ three.vcov @ L.T, rtol=1e-10)

    def test_notes_are_carried_once(self):
        noted = Linear(np.zeros(1), np.array([[1.0], [-1.0]]), None, ("late",))
        assert combine([1, 1], [noted, noted]).notes == ("late",)

    @pytest.mark.parametrize(
        ("call", "message"),
        [
            (lambda one, two: combine([1.0], [one, one]), "one finite weight per group"),
            (lambda one, two: combine([], []), "one finite weight per group"),
            (lambda one, two: combine([0.0], [one]), "one finite weight per group"),
            (lambda one, two: combine([np.nan], [one]), "one finite weight per group"),
            (lambda one, two: difference(one, two), "same quantities"),
            (lambda one, two: difference(one, mean_of([1.0, 2.0], [1, 2])), "all or none"),
            (lambda one, two: two.transform([1.0]), "as many columns"),
            (lambda one, two: standardise({("A", "x"): one}, {"x": 0.5}), "sum to 1"),
            (lambda one, two: standardise({("A", "x"): one}, {"x": np.nan}), "sum to 1"),
            (lambda one, two: standardise({("A", "x"): one}, {}), "sum to 1"),
            (
                lambda one, two: standardise({("A", "x"): one}, {"x": 0.5, "y": 0.5}),
                "every site|at every site",
            ),
        ],
    )
    def test_refused(self, call, message):
        with pytest.raises(ModelError, match=message):
            call(mean_of([1.0, 2.0]), mean_of(np.eye(2)))
