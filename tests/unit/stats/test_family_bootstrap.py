"""Bootstrap of families by weights: draws beside fits of their own and beside the robust variance."""

import numpy as np
import pytest

from analysis.errors import ModelError
from analysis.stats.family_bootstrap import cox_bootstrap
from analysis.stats.hazards import CoxFit, cox
from analysis.stats.resampling import family_weights

TIES = ("efron", "breslow")


def sample(seed: int, *, n: int = 150, late: bool = True) -> dict:
    generator = np.random.default_rng(seed)
    start = generator.integers(0, 4, n).astype(float) if late else np.zeros(n)
    return {
        "start": start,
        "stop": start + generator.integers(1, 9, n),
        "event": generator.integers(0, 2, n),
        "X": np.column_stack([generator.integers(0, 2, n), generator.normal(size=n)]),
        "cluster": np.array([f"family {label}" for label in generator.integers(0, n // 2, n)]),
        "strata": generator.integers(0, 2, n),
    }


def drawn(rows: dict, fit: CoxFit, counts: np.ndarray) -> np.ndarray:
    return counts[np.searchsorted(np.unique(fit.cluster), rows["cluster"])]


class TestDraws:
    @pytest.mark.parametrize("ties", TIES)
    @pytest.mark.parametrize("late", [False, True])
    def test_a_draw_is_a_fit_with_case_weights(self, ties, late):
        rows = sample(1, late=late) | {"weights": np.random.default_rng(2).uniform(0.5, 2, 150)}
        fit = cox(**rows, ties=ties)
        counts = family_weights(rows["cluster"], 200, np.random.default_rng(3))[1]
        found = cox_bootstrap(fit, counts)
        for coef, count in zip(found[::7], counts[::7], strict=True):
            weight = drawn(rows, fit, count) * rows["weights"]
            part = {key: value[weight > 0] for key, value in rows.items()} | {"weights": weight[weight > 0]}
            np.testing.assert_allclose(coef, cox(**part, ties=ties).coef, rtol=1e-8, atol=1e-9)

    def test_under_breslow_a_draw_is_a_fit_of_copied_rows(self):
        rows = sample(4)
        fit = cox(**rows, ties="breslow")
        counts = family_weights(rows["cluster"], 5, np.random.default_rng(5))[1]
        for coef, count in zip(cox_bootstrap(fit, counts), counts, strict=True):
            copies = np.repeat(np.arange(150), drawn(rows, fit, count).astype(int))
            copied = cox(**{key: value[copies] for key, value in rows.items()}, ties="breslow")
            np.testing.assert_allclose(coef, copied.coef, rtol=1e-8)

    def test_all_families_once_is_the_estimate(self):
        rows = sample(6)
        fit = cox(**rows)
        np.testing.assert_allclose(
            cox_bootstrap(fit, np.ones((3, fit.n_clusters))), [fit.coef] * 3, rtol=1e-9
        )

    def test_rows_are_the_units_without_clusters(self):
        rows = {key: value for key, value in sample(7).items() if key != "cluster"}
        fit, counts = cox(**rows), family_weights(np.arange(150), 3, np.random.default_rng(1))[1]
        part = {key: value[counts[0] > 0] for key, value in rows.items()}
        again = cox(**part, weights=counts[0][counts[0] > 0])
        np.testing.assert_allclose(cox_bootstrap(fit, counts)[0], again.coef, rtol=1e-8)

    def test_spread_is_near_the_robust_variance(self):
        rows = sample(8, n=1200)
        fit = cox(**rows)
        found = cox_bootstrap(fit, family_weights(rows["cluster"], 1000, np.random.default_rng(9))[1])
        np.testing.assert_allclose(found.std(axis=0), np.sqrt(np.diag(fit.vcov_robust)), rtol=0.1)

    def test_slope_in_a_weight_is_the_influence(self):
        rows = sample(10)
        fit, step = cox(**rows), 1e-4
        heavier = np.ones((fit.n_clusters, fit.n_clusters)) + step * np.eye(fit.n_clusters)
        slope = (cox_bootstrap(fit, heavier) - cox_bootstrap(fit, 2 - heavier)) / (2 * step)
        sums = [fit.influence[rows["cluster"] == label].sum(axis=0) for label in np.unique(fit.cluster)]
        np.testing.assert_allclose(slope, sums, atol=0.15 * np.abs(sums).max())
        breslow = cox(**rows, ties="breslow")
        slope = (cox_bootstrap(breslow, heavier) - cox_bootstrap(breslow, 2 - heavier)) / (2 * step)
        sums = [breslow.influence[rows["cluster"] == label].sum(axis=0) for label in np.unique(fit.cluster)]
        np.testing.assert_allclose(slope, sums, atol=1e-6)

    def test_draws_do_not_depend_on_their_company(self):
        rows = sample(11)
        fit, counts = cox(**rows), family_weights(rows["cluster"], 300, np.random.default_rng(1))[1]
        np.testing.assert_allclose(
            cox_bootstrap(fit, counts)[250:], cox_bootstrap(fit, counts[250:]), rtol=1e-10
        )


class TestDegenerate:
    def test_a_draw_without_maximum_or_event(self):
        arm, family = np.arange(60) % 2, np.arange(60)
        fit = cox(None, np.arange(60) // 2 + 1.0, np.ones(60), arm, cluster=family)
        event_free = cox(None, np.arange(60) // 2 + 1.0, (arm == 0) | (family < 4), arm, cluster=family)
        counts = np.ones((3, 60))
        counts[0, arm == 1] = 0
        counts[1, 30:] = 0
        found = cox_bootstrap(fit, counts)
        assert np.isnan(found[0]).all() and np.isfinite(found[1:]).all()
        counts = np.ones((2, 60))
        counts[0, [1, 3]] = 0
        found = cox_bootstrap(event_free, counts)
        assert found[0, 0] == -np.inf and np.isfinite(found[1, 0])
        counts[0], counts[0, 5] = 0, 1
        assert np.isnan(cox_bootstrap(event_free, counts)[0, 0])

    def test_an_infinite_estimate_is_not_drawn_again(self):
        arm = np.arange(40) % 2
        fit = cox(None, np.arange(40) + 1.0, arm == 1, arm, cluster=np.arange(40))
        with pytest.raises(ModelError, match="infinite log hazard ratio"):
            cox_bootstrap(fit, np.ones((1, 40)))

    def test_counts_that_do_not_fit_are_refused(self):
        fit = cox(**sample(1))
        for counts in (np.ones(fit.n_clusters), np.ones((2, 3)), -np.ones((2, fit.n_clusters))):
            with pytest.raises(ModelError, match="one column per cluster"):
                cox_bootstrap(fit, counts)
