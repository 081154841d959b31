"""Tests of proportional hazards: second implementation, size under clustering, resampling, bad input."""

import numpy as np
import pytest

from analysis.errors import ModelError
from analysis.stats.hazards import cox
from analysis.stats.proportionality import ph_test

TIES = ("efron", "breslow")


def tied_sample(seed: int, *, n: int = 60) -> dict:
    generator = np.random.default_rng(seed)
    start = generator.integers(0, 4, n).astype(float)
    return {
        "start": start,
        "stop": start + generator.integers(1, 7, n),
        "event": generator.integers(0, 2, n),
        "X": np.column_stack([generator.integers(0, 2, n), generator.normal(size=n)]),
        "strata": generator.integers(0, 2, n),
        "weights": generator.integers(1, 4, n) / 2,
        "cluster": generator.integers(0, n // 3, n),
    }


def score_in_time(sample: dict, beta: np.ndarray, slope: np.ndarray, efron: bool) -> np.ndarray:
    """Weighted score residuals (n, 2 p) of x and x log t, one death and one row at a time."""
    X, weights, p = sample["X"], sample["weights"], sample["X"].shape[1]
    residual = np.zeros((len(X), 2 * p))
    for stratum in np.unique(sample["strata"]):
        inside = sample["strata"] == stratum
        for time in np.unique(sample["stop"][inside & (sample["event"] == 1)]):
            at_risk = inside & (sample["start"] < time) & (time <= sample["stop"])
            dead = at_risk & (sample["stop"] == time) & (sample["event"] == 1)
            Z = np.column_stack([X, X * np.log(time)])
            risk, d, weight = np.exp(Z @ np.append(beta, slope)), dead.sum(), weights[dead].mean()
            for already in range(d):
                share = np.where(dead, 1 - already / d if efron else 1.0, 1.0) * at_risk
                mass = share * weights * risk
                mean = mass @ Z / mass.sum()
                residual += (dead / d)[:, None] * (Z - mean)
                residual -= (share * risk * weight / mass.sum())[:, None] * (Z - mean)
    return residual * weights[:, None]


class TestSecondImplementation:
    @pytest.mark.parametrize("ties", TIES)
    @pytest.mark.parametrize("seed", range(3))
    def test_both_variances_from_the_definition(self, ties, seed):
        sample, efron, step = tied_sample(seed), ties == "efron", 1e-5
        fit = cox(**sample, ties=ties)
        test, zero = ph_test(fit, transform="log"), np.zeros(2)

        def score(at: np.ndarray) -> np.ndarray:
            return score_in_time(sample, at[:2], at[2:], efron).sum(axis=0)

        here = np.append(fit.coef, zero)
        information = np.array(
            [(score(here - step * e) - score(here + step * e)) / (2 * step) for e in np.eye(4)]
        )
        left = information[2:, 2:] - information[2:, :2] @ np.linalg.solve(
            information[:2, :2], information[:2, 2:]
        )
        residual = score_in_time(sample, fit.coef, zero, efron)
        efficient = residual[:, 2:] - residual[:, :2] @ np.linalg.solve(
            information[:2, :2], information[:2, 2:]
        )
        family = np.array(
            [efficient[sample["cluster"] == label].sum(axis=0) for label in np.unique(sample["cluster"])]
        )
        u = family.sum(axis=0)
        np.testing.assert_allclose(test.score, u, atol=1e-6)
        np.testing.assert_allclose(test.model_global.statistic, u @ np.linalg.solve(left, u), rtol=1e-5)
        robust = u @ np.linalg.solve(family.T @ family, u)
        np.testing.assert_allclose(test.robust_global.statistic, robust, rtol=1e-5)
        np.testing.assert_allclose(test.slope.test().statistic, robust, rtol=1e-5)
        np.testing.assert_allclose(
            [each.statistic for each in test.robust], u**2 / (family**2).sum(axis=0), rtol=1e-5
        )

    def test_transforms_of_single_rows(self):
        """Ranks and the survival curve by their definitions; a linear change of g changes no test."""
        sample = tied_sample(4)
        fit = cox(**sample)
        time = fit.risk_sets.time
        rank = [((sample["stop"] < t).sum() + (sample["stop"] <= t).sum() + 1) / 2 for t in time]
        dead = []
        for t in time:
            alive = 1.0
            for earlier in np.unique(sample["stop"][(sample["event"] == 1) & (sample["stop"] < t)]):
                risk = ((sample["start"] < earlier) & (earlier <= sample["stop"])).sum()
                alive *= 1 - ((sample["stop"] == earlier) & (sample["event"] == 1)).sum() / risk
            dead.append(1 - alive)
        from analysis.stats.proportionality import _transformed

        np.testing.assert_allclose(_transformed(fit, "rank"), rank)
        np.testing.assert_allclose(_transformed(fit, "km"), dead, atol=1e-14)
        moved = cox(**sample | {"start": 30 + 7 * sample["start"], "stop": 30 + 7 * sample["stop"]})
        np.testing.assert_allclose(
            ph_test(moved).robust_global.statistic, ph_test(fit).robust_global.statistic, rtol=1e-9
        )


def families_without_effect(generator: np.random.Generator, *, families: int = 60, children: int = 5) -> dict:
    """Siblings whose times are alike, an arm of the family that does nothing."""
    family = np.repeat(np.arange(families), children)
    time = generator.exponential(size=len(family)) / generator.gamma(0.5, 2.0, families)[family]
    return {
        "start": None,
        "stop": np.ceil(20 * np.minimum(time, 3.0)) + 1,
        "event": time < 3.0,
        "X": (family % 2).astype(float),
        "cluster": family,
    }


class TestClustering:
    def test_size(self):
        """The robust test keeps its size where the usual one rejects far too often."""
        generator, trials = np.random.default_rng(11), 400
        usual, robust, wild = [], [], []
        for _ in range(trials):
            test = ph_test(cox(**families_without_effect(generator)), transform="log")
            usual.append(test.model_global.p)
            robust.append(test.robust_global.p)
            wild.append(test.resampled_p(199, generator)[-1])
        three_errors = 3 * np.sqrt(0.05 * 0.95 / trials)
        assert np.mean(np.array(usual) < 0.05) > 0.05 + three_errors
        assert abs(np.mean(np.array(robust) < 0.05) - 0.05) < three_errors
        assert abs(np.mean(np.array(wild) <= 0.05) - 0.05) < three_errors

    @pytest.mark.parametrize("method", ["wild", "family"])
    def test_resampling_is_near_the_chi_square_in_many_families(self, method):
        generator = np.random.default_rng(5)
        sample = families_without_effect(generator, families=600, children=2)
        sample["X"] = np.column_stack([sample["X"], generator.normal(size=1200)])
        test = ph_test(cox(**sample))
        p = test.resampled_p(4000, np.random.default_rng(1), method=method)
        chi_square = np.array([each.p for each in (*test.robust, test.robust_global)])
        np.testing.assert_allclose(p, chi_square, atol=0.04)
        np.testing.assert_array_equal(p, test.resampled_p(4000, np.random.default_rng(1), method=method))

    def test_a_crossing_effect_is_found(self):
        generator = np.random.default_rng(2)
        arm = np.arange(400) % 2
        stop = generator.weibull(np.where(arm == 1, 2.0, 0.7))
        test = ph_test(cox(None, stop, np.ones(400), arm, cluster=np.arange(400) // 2), transform="log")
        assert test.robust_global.p < 1e-4 and test.slope.estimate[0] > 0
        assert test.resampled_p(999, generator)[0] <= 0.01

    def test_rows_as_clusters_in_any_order(self):
        sample = tied_sample(8)
        order = np.random.default_rng(3).permutation(60)
        one = ph_test(cox(**sample))
        two = ph_test(cox(**{key: value[order] for key, value in sample.items()}))
        np.testing.assert_allclose(two.robust_global.statistic, one.robust_global.statistic, rtol=1e-12)
        np.testing.assert_allclose(two.slope.influence, one.slope.influence[order], rtol=1e-9, atol=1e-14)


class TestDegenerate:
    def test_all_deaths_at_one_time(self):
        test = ph_test(
            cox(None, np.full(20, 3.0), np.ones(20), np.arange(20) % 3, cluster=np.arange(20) // 2)
        )
        assert np.isnan(test.model_global.p) and np.isnan(test.robust[0].p)
        assert np.isnan(test.resampled_p(10, np.random.default_rng(1))).all()

    def test_one_cluster(self):
        test = ph_test(cox(**tied_sample(1) | {"cluster": np.zeros(60)}))
        assert np.isfinite(test.model_global.p) and np.isnan(test.robust_global.p)
        for method in ("wild", "family"):
            assert np.isnan(test.resampled_p(10, np.random.default_rng(1), method=method)).all()

    def test_refused(self):
        fit = cox(**tied_sample(1))
        with pytest.raises(ModelError, match="use identity, log, rank or km"):
            ph_test(fit, transform="sqrt")
        with pytest.raises(ModelError, match="wild or family"):
            ph_test(fit).resampled_p(10, np.random.default_rng(1), method="rows")
        with pytest.raises(ModelError, match="at least one draw"):
            ph_test(fit).resampled_p(0, np.random.default_rng(1))
        arm = np.repeat([0, 1], 10)
        with pytest.raises(ModelError, match="infinite"):
            ph_test(cox(None, np.arange(20) % 10 + 1.0, arm == 1, arm))
        with pytest.raises(ModelError, match="after time 0"):
            ph_test(cox(None, np.arange(20) % 5, np.ones(20), np.arange(20) % 3), transform="log")
