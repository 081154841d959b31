"""Hazard ratios that change with time: collapses to fits by period, brute force, bad input."""

import numpy as np
import pytest

from analysis.errors import ModelError
from analysis.stats.hazards import cox
from analysis.stats.time_varying import effect_by_period, effect_over_time, split_rows

TIES = ("efron", "breslow")


def sample(seed: int, *, n: int = 120) -> dict:
    generator = np.random.default_rng(seed)
    start = generator.integers(0, 4, n).astype(float)
    return {
        "start": start,
        "stop": start + generator.integers(1, 10, n),
        "event": generator.integers(0, 2, n),
        "x": generator.integers(0, 2, n),
        "cluster": generator.integers(0, n // 2, n),
        "strata": generator.integers(0, 2, n),
        "weights": generator.integers(1, 4, n) / 2,
    }


class TestSplit:
    def test_pieces_of_a_row(self):
        pieces = split_rows([0, 2, 5], [10, 4, 6], [1, 1, 0], [2, 4, 5.5])
        assert pieces.row.tolist() == [0, 0, 0, 0, 1, 2, 2]
        assert pieces.start.tolist() == [0, 2, 4, 5.5, 2, 5, 5.5]
        assert pieces.stop.tolist() == [2, 4, 5.5, 10, 4, 5.5, 6]
        assert pieces.event.tolist() == [0, 0, 0, 1, 1, 0, 0]
        assert pieces.period.tolist() == [0, 1, 2, 3, 1, 2, 3]

    def test_a_child_whose_only_row_ends_on_day_0(self):
        pieces = split_rows(None, [0, 3], [1, 1], [1])
        assert pieces.row.tolist() == [0, 1, 1] and pieces.event.tolist() == [1, 0, 1]
        assert (pieces.start < pieces.stop).all()
        with pytest.raises(ModelError, match="row 0 .*start must be before stop"):
            split_rows([0, 0], [0, 3], [1, 1], [1])

    @pytest.mark.parametrize("seed", range(3))
    def test_nothing_is_lost(self, seed):
        rows = sample(seed)
        pieces = split_rows(rows["start"], rows["stop"], rows["event"], np.unique(rows["stop"]))
        length = np.bincount(pieces.row, weights=pieces.stop - pieces.start)
        np.testing.assert_allclose(length, rows["stop"] - rows["start"])
        np.testing.assert_array_equal(np.bincount(pieces.row, weights=pieces.event), rows["event"])

    @pytest.mark.parametrize("cuts", [[3, 3], [4, 2]])
    def test_cut_points_must_increase(self, cuts):
        with pytest.raises(ModelError, match="must increase"):
            split_rows([0], [9], [1], cuts)


class TestPeriods:
    @pytest.mark.parametrize("ties", TIES)
    @pytest.mark.parametrize("seed", range(3))
    def test_without_covariates_each_period_is_a_fit_of_its_own(self, ties, seed):
        rows = sample(seed)
        fit = effect_by_period(**rows, cuts=[3, 7], ties=ties)
        for k, (low, high) in enumerate(((-1, 3), (3, 7), (7, 99))):
            inside = (rows["stop"] > low) & (rows["start"] < high)
            part = {key: value[inside] for key, value in rows.items()}
            part["event"] = part["event"] * (part["stop"] <= high)
            part["start"], part["stop"] = np.maximum(part["start"], low), np.minimum(part["stop"], high)
            alone = cox(
                part.pop("start"), part.pop("stop"), part.pop("event"), part.pop("x"), **part, ties=ties
            )
            np.testing.assert_allclose(fit.effect.estimate[k], alone.coef[0], rtol=1e-8)
            np.testing.assert_allclose(fit.effect.se[k], np.sqrt(alone.vcov_robust[0, 0]), rtol=1e-8)

    def test_effect_at_a_time(self):
        fit = effect_by_period(**sample(4), cuts=[3, 7])
        np.testing.assert_allclose(fit.at([1, 3, 3.5, 50]).estimate, fit.effect.estimate[[0, 0, 1, 2]])

    def test_tests_of_equality(self):
        rows = sample(5, n=2000)
        fit = effect_by_period(**rows, cuts=[5])
        difference = fit.effect.transform([[-1, 1]])
        np.testing.assert_allclose(fit.equality.statistic, (difference.estimate / difference.se)[0] ** 2)
        single = {key: value for key, value in rows.items() if key not in ("cluster", "weights")}
        plain = effect_by_period(**single, cuts=[5])
        np.testing.assert_allclose(plain.likelihood_ratio.statistic, plain.equality.statistic, atol=0.05)

    def test_influence_belongs_to_the_rows_of_the_caller(self):
        rows = sample(6)
        order = np.random.default_rng(1).permutation(120)
        one, two = (
            effect_by_period(**each, cuts=[4])
            for each in (rows, {key: value[order] for key, value in rows.items()})
        )
        np.testing.assert_allclose(two.effect.influence, one.effect.influence[order], rtol=1e-9, atol=1e-14)
        np.testing.assert_allclose(one.effect.vcov, one.split.vcov_robust, rtol=1e-9)

    def test_an_arm_without_events_in_one_period(self):
        rows = sample(7)
        rows["event"] = rows["event"] * ~((rows["x"] == 1) & (rows["stop"] > 7))
        fit = effect_by_period(**rows, cuts=[7])
        assert np.isfinite(fit.effect.estimate[0]) and fit.effect.estimate[1] == -np.inf and fit.effect.notes
        assert np.isnan(fit.equality.p) and np.isfinite(fit.likelihood_ratio.p)

    @pytest.mark.parametrize("cuts", [[], [50], [0.5, 6]])
    def test_a_period_without_events_is_refused(self, cuts):
        with pytest.raises(ModelError, match="every period"):
            effect_by_period(**sample(8), cuts=cuts)


class TestOverTime:
    @pytest.mark.parametrize("transform", ["identity", "log"])
    def test_score_vanishes_at_the_estimate(self, transform):
        """Breslow score of x and x g(t) by loops over the deaths."""
        rows = sample(9)
        fit = effect_over_time(**rows, transform=transform, ties="breslow")
        g = np.log if transform == "log" else np.asarray
        score = np.zeros(2)
        for i in np.flatnonzero(rows["event"]):
            time = rows["stop"][i]
            at_risk = (rows["start"] < time) & (time <= rows["stop"]) & (rows["strata"] == rows["strata"][i])
            effect = fit.effect.estimate @ [1, g(time)]
            mass = rows["weights"] * np.exp(effect * rows["x"]) * at_risk
            score += (
                rows["weights"][i] * (rows["x"][i] - mass @ rows["x"] / mass.sum()) * np.array([1, g(time)])
            )
        np.testing.assert_allclose(score, 0, atol=1e-7)
        np.testing.assert_allclose(fit.at([3.0]).estimate[0], fit.effect.estimate @ [1, g(3.0)])

    def test_refused(self):
        with pytest.raises(ModelError, match="identity or log"):
            effect_over_time(**sample(1), transform="rank")
        rows = sample(1) | {"start": None, "stop": np.arange(120) // 2.0, "event": np.ones(120)}
        with pytest.raises(ModelError, match="after time 0"):
            effect_over_time(**rows)
        with pytest.raises(ModelError, match="x must be one column"):
            effect_over_time(**sample(1) | {"x": np.zeros(3)})
