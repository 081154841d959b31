"""Gray's test: agreement with R, a second implementation by loops, collapses to log-rank, bad input."""

import numpy as np
import pytest

from analysis.errors import ModelError
from analysis.stats.gray import gray_test
from tests.unit.stats import subdistribution_reference

COMPETING = ("mgus2", "pbc", "melanoma", "transplant", "colon", "cmprsk")


def rows_of(data: dict) -> tuple:
    return data["time"], data["cause"], data["group"]


def drawn(seed: int, n: int = 60, groups: int = 3) -> tuple:
    """Small samples full of ties: time, kind, group, stratum, family."""
    rng = np.random.default_rng(seed)
    highs = (9, 3, groups, 2, n // 3)
    return tuple(rng.integers(low, high, n) for low, high in zip((1, 0, 0, 0, 0), highs, strict=True))


def complete(data: dict) -> tuple[dict, np.ndarray]:
    """Rows with an event, all ended at one time near the end: nobody is censored before."""
    rows = data["cause"] > 0
    kept = {key: column[rows] for key, column in data.items()}
    end = np.sort(kept["time"])[int(np.ceil(0.8 * rows.sum())) - 1]
    kept["cause"] = np.where(kept["time"] > end, 0, kept["cause"])
    kept["time"] = np.minimum(kept["time"], end)
    return kept, rows


class TestAgainstR:
    @pytest.mark.parametrize("name", [*COMPETING, "retinopathy"])
    def test_plain_test(self, competing_reference, assert_agrees, name):
        data, expected = competing_reference(name)
        ours = {}
        for key, options in {
            "gray": {},
            "gray_strata": {"strata": data["stratum"]},
            "gray_rho": {"strata": data["stratum"], "rho": 1.0},
        }.items():
            every = np.unique(data["cause"][data["cause"] > 0])
            tests = [gray_test(*rows_of(data), cause_of_interest=int(c), **options).plain for c in every]
            ours[f"{key}.statistic"] = [test.statistic for test in tests]
            ours[f"{key}.df"] = [test.df for test in tests]
        wanted = {key: value for key, value in expected.items() if key.startswith("gray")}
        assert_agrees({key: ours[key] for key in wanted}, wanted)

    @pytest.mark.parametrize("name", COMPETING)
    def test_by_family_without_censoring_is_the_robust_log_rank_test(
        self, competing_reference, assert_agrees, name
    ):
        data, expected = competing_reference(name)
        kept, _ = complete(data)
        test = gray_test(*rows_of(kept), cluster=kept["family"])
        key = "complete.gray_robust"
        assert_agrees({key: test.robust.statistic}, {key: expected[key]})

    def test_without_competing_events_is_the_robust_log_rank_test(self, competing_reference, assert_agrees):
        data, expected = competing_reference("retinopathy")
        ours = {
            "coxph.gray_robust": gray_test(*rows_of(data), cluster=data["family"]),
            "coxph_strata.gray_robust": gray_test(
                *rows_of(data), cluster=data["family"], strata=data["stratum"]
            ),
        }
        assert_agrees(
            {key: test.robust.statistic for key, test in ours.items()}, {key: expected[key] for key in ours}
        )


class TestSecondImplementation:
    @pytest.mark.parametrize("seed", range(4))
    @pytest.mark.parametrize("rho", [0.0, 1.0, 0.5])
    def test_influence_is_the_derivative_in_the_case_weights(self, seed, rho):
        time, kind, group, stratum, _ = drawn(seed)
        test = gray_test(time, kind, group, strata=stratum, rho=rho)

        def score(weight):
            return subdistribution_reference.gray_score(
                time, kind, group, weight=weight, stratum=stratum, rho=rho
            )

        np.testing.assert_allclose(test.score, score(np.ones(len(time))), rtol=1e-10, atol=1e-12)
        numerical = subdistribution_reference.derivative(score, len(time))
        np.testing.assert_allclose(test.influence, numerical, atol=1e-8)

    def test_an_influence_without_the_estimated_weights_would_be_seen(self):
        time, kind, group, _, _ = drawn(1)
        test = gray_test(time, kind, group)
        fixed = np.zeros_like(test.influence)
        for t in np.unique(time[kind == 1]):
            dying, there = (time == t) & (kind == 1), time >= t
            share = np.array([(there & (group == g)).mean() for g in range(3)])
            fixed[dying] += np.eye(3)[group[dying]] - share / share.sum()
        assert np.abs(fixed - test.influence).max() > 0.01

    def test_scores_and_influences_of_all_groups_sum_to_nothing(self):
        time, kind, group, stratum, _ = drawn(2)
        test = gray_test(time, kind, group, strata=stratum)
        np.testing.assert_allclose(test.score.sum(), 0.0, atol=1e-12)
        np.testing.assert_allclose(test.influence.sum(axis=1), 0.0, atol=1e-12)
        np.testing.assert_allclose(test.vcov_model.sum(axis=1), 0.0, atol=1e-10)

    def test_sum_of_the_influence_is_the_score(self):
        """The score is homogeneous in the case weights (Euler)."""
        time, kind, group, stratum, _ = drawn(3)
        for rho in (0.0, 1.0):
            test = gray_test(time, kind, group, strata=stratum, rho=rho)
            np.testing.assert_allclose(test.influence.sum(axis=0), test.score, atol=1e-12)

    def test_single_subjects_have_the_covariance_of_gray_in_large_samples(self):
        rng = np.random.default_rng(5)
        n = 100_000
        event, censored = rng.exponential(size=n), rng.exponential(1.5, size=n)
        kind = np.where(event <= censored, rng.integers(1, 3, n), 0)
        test = gray_test(np.minimum(event, censored), kind, rng.integers(0, 3, n))
        scale = np.diag(test.vcov_model).mean()
        np.testing.assert_allclose(test.vcov_robust / scale, test.vcov_model / scale, atol=0.02)


class TestInvariants:
    def test_order_of_rows_labels_and_copies(self):
        time, kind, group, stratum, family = drawn(7)
        test = gray_test(time, kind, group, strata=stratum, cluster=family)
        order = np.random.default_rng(1).permutation(len(time))
        names = np.array(["b", "a", "c"], dtype=object)
        other = gray_test(
            time[order], kind[order], names[group[order]], strata=stratum[order], cluster=family[order]
        )
        np.testing.assert_allclose(other.score[[1, 0, 2]], test.score, rtol=1e-12)
        np.testing.assert_allclose(other.robust.statistic, test.robust.statistic, rtol=1e-10)
        np.testing.assert_allclose(other.plain.statistic, test.plain.statistic, rtol=1e-10)
        np.testing.assert_allclose(other.influence[:, [1, 0, 2]], test.influence[order], atol=1e-12)

    def test_copies_within_a_family_carry_no_information(self):
        time, kind, group, _, _ = drawn(8)
        once = gray_test(time, kind, group)
        twice = gray_test(
            *(np.tile(each, 2) for each in (time, kind, group)), cluster=np.tile(np.arange(60), 2)
        )
        np.testing.assert_allclose(twice.robust.statistic, once.robust.statistic, rtol=1e-10)
        assert twice.plain.statistic > 1.5 * once.plain.statistic


class TestDegenerate:
    def test_nobody_has_the_cause(self):
        for cause in ([2, 0, 2, 2], [0, 0, 0, 0]):
            test = gray_test([1, 2, 3, 4], cause, [0, 0, 1, 1])
            assert (
                np.isnan(test.plain.p) and np.isnan(test.robust.p) and "nobody has an event" in test.notes[0]
            )

    def test_all_events_at_one_time_are_a_comparison_of_shares(self):
        cause = np.repeat([1, 0, 1, 0], [6, 14, 12, 8])
        test = gray_test(np.full(40, 5), cause, np.repeat([0, 1], 20))
        np.testing.assert_allclose(test.score, [-3, 3])
        # By hand: the influence is half the distance of the outcome from the pooled share 0.45.
        np.testing.assert_allclose(test.vcov_robust[0, 0], 40 * 0.45 * 0.55 / 4)

    def test_one_family(self):
        test = gray_test([1, 2, 3, 4], [1, 1, 0, 1], [0, 1, 0, 1], cluster=["f"] * 4)
        assert np.isnan(test.robust.p) and not np.isnan(test.plain.p) and "single cluster" in test.notes[0]

    def test_a_group_without_the_cause(self):
        time, kind, group, _, _ = drawn(9)
        test = gray_test(time, np.where((group == 2) & (kind == 1), 2, kind), group)
        assert test.plain.df == 2 and test.plain.p < 0.05 and test.robust.p < 0.05 and not test.notes

    def test_a_group_that_leaves_before_the_first_event(self):
        test = gray_test([1, 1, 2, 3, 4, 5, 6], [0, 0, 1, 1, 2, 1, 1], list("ccababa"))
        assert test.plain.df == 1 and test.notes == (
            "left out, as nobody is at risk at an event of the cause: group(s) c.",
        )
        other = gray_test([2, 3, 4, 5, 6], [1, 1, 2, 1, 1], list("ababa"))
        np.testing.assert_allclose(test.plain.statistic, other.plain.statistic)
        np.testing.assert_allclose(test.robust.statistic, other.robust.statistic)

    def test_groups_that_never_meet(self):
        test = gray_test([1, 2, 5, 6], [1, 1, 1, 1], [0, 0, 1, 1], strata=[0, 0, 1, 1])
        assert np.isnan(test.plain.p) and "fewer than two groups" in test.notes[0]

    def test_no_censoring_and_a_pooled_incidence_that_reaches_1(self):
        for rho in (0.0, 1.0):
            test = gray_test([1, 2, 3, 4, 4, 5], [1] * 6, [0, 0, 0, 1, 1, 1], rho=rho)
            assert test.plain.df == 1

    @pytest.mark.parametrize(
        ("call", "message"),
        [
            (lambda: gray_test([1, 2], [1, 1], ["a", "a"]), "fewer than two"),
            (lambda: gray_test([], [], []), "no row to analyse"),
            (lambda: gray_test([1, -2], [1, 1], [0, 1]), "row 1 .*must not be negative"),
            (lambda: gray_test([1, np.nan], [1, 1], [0, 1]), "row 1 .*time is missing"),
            (lambda: gray_test([1, 2], [1, 0.5], [0, 1]), "row 1 .*whole number from 0"),
            (lambda: gray_test([1, 2], [1, 1], [0, None]), "row 1 .*group label is missing"),
            (lambda: gray_test([1, 2], [1, 1], [0, 1], cause_of_interest=0), "numbered from 1"),
            (lambda: gray_test([1, 2], [1, 1], [0, 1], cluster=[1, None]), "row 1 .*cluster label"),
            (lambda: gray_test([1, 2], [1, 1], [0, 1], strata=[1]), "one label per row"),
        ],
    )
    def test_refused(self, call, message):
        with pytest.raises(ModelError, match=message):
            call()
