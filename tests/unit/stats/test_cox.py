"""Cox regression: agreement with R `survival`, a second implementation by loops, collapses, bad input."""

from pathlib import Path

import numpy as np
import pytest

from analysis.errors import ModelError
from analysis.stats.hazards import CoxFit, cox

REFERENCE = Path(__file__).parents[2] / "reference"
TIES = ("efron", "breslow")


def columns(data: dict, *names: str) -> np.ndarray:
    return np.column_stack([data[name] for name in names])


def flat(name: str, fit: CoxFit) -> dict:
    quantities = {
        "coef": fit.coef,
        "vcov_model": fit.vcov_model,
        "vcov_robust": fit.vcov_robust,
        "loglik": np.array(fit.loglik),
        "wald_robust": np.array(fit.wald_test().statistic),
        "score": np.array(fit.score_test(robust=False).statistic),
        "score_robust": np.array(fit.score_test().statistic),
    }
    return {f"{name}.{key}": value for key, value in quantities.items()}


def keep(expected: dict, *prefixes: str) -> dict:
    return {key: value for key, value in expected.items() if key.startswith(prefixes)}


def recurrent(data: dict, ties: str) -> dict[str, CoxFit]:
    X, zero = columns(data, "rx", "size", "number"), 0 * data["stop"]
    total = data["start"], data["stop"], data["event"], X
    gap = zero, data["stop"] - data["start"], data["event"], X
    return {
        "andersen_gill": cox(*total, cluster=data["id"], ties=ties),
        "pwp_total": cox(*total, cluster=data["id"], strata=data["enum"], ties=ties),
        "pwp_gap": cox(*gap, cluster=data["id"], strata=data["enum"], ties=ties),
    }


class TestAgainstR:
    def test_litters_strata_weights_and_single_rows(self, survival_reference, assert_agrees):
        data, expected = survival_reference("rats")
        X, none = columns(data, "rx", "female"), np.zeros(len(data["time"]))
        weights, ours = 1 + (data["litter"] % 3) / 2, {}
        for ties in TIES:
            rows = none, data["time"], data["status"], X
            fit = cox(*rows, cluster=data["litter"], ties=ties)
            ours |= flat(f"cox.{ties}", fit) | {f"cox.{ties}.dfbeta": fit.influence}
            fit = cox(*rows, cluster=data["litter"], ties=ties, weights=weights)
            ours |= flat(f"cox_weighted.{ties}", fit)
        rows = none, data["time"], data["status"]
        ours |= flat("cox_strata", cox(*rows, data["rx"], cluster=data["litter"], strata=data["female"]))
        ours |= flat("cox_rows", cox(*rows, X))
        assert_agrees(ours, keep(expected, "cox"))

    @pytest.mark.parametrize("ties", TIES)
    def test_two_eyes_of_a_patient(self, survival_reference, assert_agrees, ties):
        data, expected = survival_reference("retinopathy")
        rows = None, data["time"], data["status"]
        X = np.column_stack([data["trt"], data["adult"], data["risk"], data["trt"] * data["adult"]])
        ours = flat(f"cox.{ties}", cox(*rows, X, cluster=data["id"], ties=ties))
        fit = cox(*rows, columns(data, "trt", "risk"), cluster=data["id"], strata=data["adult"], ties=ties)
        ours |= flat(f"cox_strata.{ties}", fit)
        assert_agrees(ours, keep(expected, f"cox.{ties}", f"cox_strata.{ties}"))

    @pytest.mark.parametrize("ties", TIES)
    def test_late_entry_on_the_age_scale(self, survival_reference, assert_agrees, ties):
        data, expected = survival_reference("mgus2")
        entry = 12 * data["age"]
        fit = cox(
            entry,
            entry + data["time"],
            data["cause"] == 1,
            data["female"],
            cluster=data["id"] // 3,
            ties=ties,
        )
        assert_agrees(flat(f"late_cox.{ties}", fit), keep(expected, f"late_cox.{ties}"))

    @pytest.mark.parametrize("ties", TIES)
    def test_time_dependent_covariate(self, survival_reference, assert_agrees, ties):
        data, expected = survival_reference("heart")
        X = columns(data, "age", "year", "surgery", "transplant")
        fit = cox(data["start"], data["stop"], data["event"], X, cluster=data["id"], ties=ties)
        ours = flat(f"cox.{ties}", fit) | {f"cox.{ties}.dfbeta": fit.influence}
        assert_agrees(ours, keep(expected, f"cox.{ties}"))

    @pytest.mark.parametrize("ties", TIES)
    def test_recurrent_events(self, survival_reference, assert_agrees, ties):
        data, expected = survival_reference("bladder2")
        ours = {}
        for name, fit in recurrent(data, ties).items():
            ours |= flat(f"{name}.{ties}", fit)
        assert_agrees(ours, {key: value for key, value in expected.items() if f".{ties}." in key})

    def test_recurrent_events_published(self, survival_reference):
        fits = recurrent(survival_reference("bladder2")[0], "breslow")
        published = np.genfromtxt(
            REFERENCE / "surv_bladder2" / "published.csv", delimiter=",", skip_header=1
        )[:, 1]
        ratios = [np.exp(fit.coef[0]) for fit in fits.values()]
        standard_error = np.sqrt(fits["andersen_gill"].vcov_robust[0, 0])
        assert np.round([*ratios, standard_error], 3).tolist() == published.tolist()

    def test_children_in_hospitals(self, survival_reference, assert_agrees):
        data, expected = survival_reference("cgd")
        rows = data["start"], data["stop"], data["status"]
        fit = cox(*rows, columns(data, "treat", "age"), cluster=data["center"])
        ours = flat("cox", fit) | {"cox.dfbeta": fit.influence}
        ours |= flat("cox_strata", cox(*rows, data["treat"], cluster=data["id"], strata=data["center"]))
        assert_agrees(ours, keep(expected, "cox"))


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
    }


def loops(sample: dict, beta: np.ndarray, efron: bool) -> tuple[float, np.ndarray]:
    """Log partial likelihood and score residuals from the definition, one death and one row at a time."""
    X, weights = sample["X"], sample["weights"]
    risk, residual, loglik = np.exp(X @ beta), np.zeros_like(X), 0.0
    for stratum in np.unique(sample["strata"]):
        inside = sample["strata"] == stratum
        for time in np.unique(sample["stop"][inside & (sample["event"] == 1)]):
            at_risk = inside & (sample["start"] < time) & (time <= sample["stop"])
            dead = at_risk & (sample["stop"] == time) & (sample["event"] == 1)
            d, weight = dead.sum(), weights[dead].mean()
            for already in range(d):
                share = np.where(dead, 1 - already / d if efron else 1.0, 1.0) * at_risk
                mass = share * weights * risk
                mean = mass @ X / mass.sum()
                loglik -= weight * np.log(mass.sum())
                for i in np.flatnonzero(at_risk):
                    residual[i] -= share[i] * risk[i] * weight / mass.sum() * (X[i] - mean)
                    residual[i] += dead[i] / d * (X[i] - mean)
            loglik += (weights * (X @ beta))[dead].sum()
    return loglik, residual


class TestSecondImplementation:
    @pytest.mark.parametrize("ties", TIES)
    @pytest.mark.parametrize("seed", range(3))
    def test_likelihood_and_dfbeta(self, ties, seed):
        sample = tied_sample(seed)
        fit = cox(**sample, ties=ties)
        loglik, residual = loops(sample, fit.coef, ties == "efron")
        np.testing.assert_allclose(fit.loglik[1], loglik, rtol=1e-12)
        np.testing.assert_allclose((residual * sample["weights"][:, None]).sum(axis=0), 0, atol=1e-7)
        dfbeta = residual * sample["weights"][:, None] @ fit.vcov_model
        np.testing.assert_allclose(fit.influence, dfbeta, rtol=1e-10, atol=1e-12)

    @pytest.mark.parametrize("ties", TIES)
    def test_information_is_the_slope_of_the_score(self, ties):
        sample, step = tied_sample(5), 1e-5
        fit = cox(**sample, ties=ties)

        def score(beta):
            return sample["weights"] @ loops(sample, beta, ties == "efron")[1]

        slope = [
            (score(fit.coef + step * axis) - score(fit.coef - step * axis)) / (2 * step) for axis in np.eye(2)
        ]
        np.testing.assert_allclose(fit.vcov_model, np.linalg.inv(-np.array(slope)), rtol=1e-6)


class TestCollapses:
    def test_no_ties_makes_efron_and_breslow_one(self):
        generator = np.random.default_rng(1)
        stop, X = generator.permutation(40) + 1.0, generator.normal(size=(40, 2))
        one, other = (cox(None, stop, stop > 9, X, ties=ties) for ties in TIES)
        np.testing.assert_allclose(one.influence, other.influence, rtol=1e-9, atol=1e-14)

    def test_weight_two_is_the_row_twice_under_breslow(self):
        sample = tied_sample(2) | {"weights": np.where(np.arange(60) % 3 == 0, 2.0, 1.0)}
        twice = np.repeat(np.arange(60), sample["weights"].astype(int))
        weighted = cox(**sample, cluster=np.arange(60), ties="breslow")
        doubled = {key: value[twice] for key, value in sample.items() if key != "weights"}
        repeated = cox(**doubled, cluster=twice, ties="breslow")
        np.testing.assert_allclose(weighted.coef, repeated.coef, rtol=1e-9)
        np.testing.assert_allclose(weighted.vcov_robust, repeated.vcov_robust, rtol=1e-8)

    def test_splitting_rows_changes_nothing(self):
        sample = tied_sample(3)
        whole = cox(**sample, cluster=np.arange(60))
        middle = (sample["start"] + sample["stop"]) / 2
        parts = {key: np.concatenate([value, value]) for key, value in sample.items()}
        parts["start"] = np.concatenate([sample["start"], middle])
        parts["stop"] = np.concatenate([middle, sample["stop"]])
        parts["event"] = np.concatenate([0 * sample["event"], sample["event"]])
        split = cox(**parts, cluster=np.tile(np.arange(60), 2))
        np.testing.assert_allclose(split.coef, whole.coef, rtol=1e-9)
        np.testing.assert_allclose(split.vcov_robust, whole.vcov_robust, rtol=1e-9)

    def test_linear_carries_the_robust_variance(self):
        fit = cox(**tied_sample(4), cluster=np.arange(60) // 2)
        np.testing.assert_allclose(fit.linear.vcov, fit.vcov_robust, rtol=1e-12)
        assert fit.linear.n_clusters == fit.n_clusters == 30

    def test_column_scale_and_origin_do_not_matter(self):
        sample = tied_sample(6)
        moved = cox(**sample | {"X": sample["X"] * 1e6 + 1e7})
        np.testing.assert_allclose(moved.coef * 1e6, cox(**sample).coef, rtol=1e-6)


class TestDegenerate:
    def test_arm_without_events(self):
        arm = np.repeat([0.0, 1.0], 30)
        other = np.tile([0.0, 1.0, 1.0], 20)
        stop = np.arange(60) % 30 + 1.0
        fit = cox(None, stop, arm == 0, np.column_stack([arm, other]), cluster=np.arange(60) // 2)
        alone = cox(None, stop[:30], np.ones(30), other[:30])
        assert fit.coef[0] == -np.inf and np.isnan(fit.vcov_robust[0]).all()
        assert "no maximum in column(s) 0" in fit.notes[0]
        # At the limit the arm without events leaves the risk sets, so the other column is fitted without it.
        np.testing.assert_allclose(fit.coef[1], alone.coef[0], rtol=1e-6)
        np.testing.assert_allclose(fit.vcov_model[1, 1], alone.vcov_model[0, 0], rtol=1e-6)
        np.testing.assert_allclose(fit.loglik[1], alone.loglik[1], rtol=1e-8)
        assert np.isnan(fit.wald_test().p) and fit.likelihood_ratio.p < 0.05

    def test_arm_without_events_and_late_entry(self):
        arm, start = np.repeat([1.0, 0.0], 30), np.arange(60) % 7.0
        fit = cox(start, start + 1 + np.arange(60) % 5, arm == 1, arm, strata=np.arange(60) % 2)
        assert fit.coef[0] == np.inf and fit.notes

    def test_steep_but_finite_effect_is_not_called_infinite(self):
        arm = np.repeat([0.0, 1.0], 200)
        stop = np.where(arm == 1, 500.0, 1.0) + np.arange(400) % 200
        assert np.isinf(cox(None, stop, np.ones(400), arm).coef[0])
        stop[-1] = 0.5
        fit = cox(None, stop, np.ones(400), arm)
        assert np.isfinite(fit.coef[0]) and fit.coef[0] < -4 and not fit.notes

    def test_one_cluster_has_no_robust_variance(self):
        sample = tied_sample(7)
        fit = cox(**sample, cluster=np.zeros(60))
        assert np.isfinite(fit.vcov_model).all() and np.isnan(fit.vcov_robust).all()
        assert "single cluster" in fit.notes[0]

    @pytest.mark.parametrize("ties", TIES)
    def test_all_events_at_one_time(self, ties):
        sample = tied_sample(12) | {"stop": np.full(60, 9.0)}
        fit = cox(**sample, cluster=np.arange(60) // 2, ties=ties)
        loglik, residual = loops(sample, fit.coef, ties == "efron")
        np.testing.assert_allclose(fit.loglik[1], loglik, rtol=1e-12)
        assert np.isfinite(fit.vcov_robust).all() and np.isfinite(residual).all()

    def test_children_whose_only_row_ends_on_day_0(self):
        """Without starts they are at risk on day 0 and at no later event; with a start the row is empty."""
        stop, event, arm = np.arange(40) // 4 * 1.0, np.arange(40) % 3 > 0, np.arange(40) % 2
        day_0 = stop == 0
        fit = cox(None, stop, event, arm)
        moved = cox(None, np.where(day_0, 0.5, stop), event, arm)
        np.testing.assert_array_equal(fit.influence, moved.influence)
        without = cox(None, stop, event & ~day_0, arm)
        np.testing.assert_allclose(without.coef, cox(None, stop[~day_0], event[~day_0], arm[~day_0]).coef)
        with pytest.raises(ModelError, match="row 0 .*start must be before stop"):
            cox(0 * stop, stop, event, arm)

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"event": np.zeros(60)}, "no row has an event"),
            ({"event": np.full(60, 2)}, "row 0 .*event must be a whole number from 0 to 1"),
            ({"ties": "exact"}, "use efron or breslow"),
            ({"X": np.ones(60)}, "column 0 of X"),
            ({"X": np.full(60, 0.1)}, "column 0 of X"),
            ({"X": np.zeros((60, 0))}, "at least one column"),
            ({"X": np.array(["a"] * 60)}, "column 0 of X must be numeric"),
            ({"weights": np.zeros(60)}, "row 0 .*weights must be above 0"),
            ({"cluster": [None] * 60}, "row 0 .*cluster label is missing"),
            ({"strata": np.zeros(3)}, "strata must be one column"),
        ],
    )
    def test_refused(self, change, message):
        with pytest.raises(ModelError, match=message):
            cox(**tied_sample(8) | change)

    def test_backward_interval_and_missing_value_name_the_row(self):
        sample = tied_sample(9)
        sample["stop"][17] = sample["start"][17]
        with pytest.raises(ModelError, match="row 17 .*start must be before stop"):
            cox(**sample)
        sample = tied_sample(9)
        sample["X"][23, 1] = np.nan
        with pytest.raises(ModelError, match="row 23 .*column 1 of X is missing"):
            cox(**sample)

    @pytest.mark.parametrize("seed", range(5))
    def test_collinear_columns_name_the_later_one(self, seed):
        sample, generator = tied_sample(seed), np.random.default_rng(seed)
        X = np.column_stack([sample["X"], generator.normal(size=60)])
        with pytest.raises(ModelError, match="column 3 of X"):
            cox(**sample | {"X": np.column_stack([X, X @ generator.normal(size=3) + 1e3])})

    @pytest.mark.parametrize("seed", range(5))
    def test_column_without_variation_under_uneven_weights(self, seed):
        weights = np.random.default_rng(seed).uniform(0.5, 3, 60)
        with pytest.raises(ModelError, match="column 0 of X"):
            cox(**tied_sample(seed) | {"X": np.full(60, 0.1), "weights": weights})

    def test_site_dummy_within_site_strata_is_collinear(self):
        sample = tied_sample(11)
        with pytest.raises(ModelError, match="column 1 of X"):
            cox(**sample | {"X": np.column_stack([sample["X"][:, 0], sample["strata"]])})
