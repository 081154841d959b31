"""Gamma frailty: the marginal likelihood maximised by brute force, collapses, boundary, bad input."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import gammaln
from scipy.stats import chi2

from analysis.errors import ModelError
from analysis.stats.frailty import gamma_frailty
from analysis.stats.hazards import cox

TIES = ("efron", "breslow")


def families(seed: int, *, number: int = 40, theta: float = 1.0, whole: bool = False) -> dict:
    generator = np.random.default_rng(seed)
    family = np.repeat(np.arange(number), generator.integers(1, 5, number))
    n = len(family)
    x = np.column_stack([family % 2, generator.normal(size=n)])
    frailty = generator.gamma(1 / theta, theta, number)[family] if theta else 1.0
    time = generator.exponential(1 / (frailty * np.exp(x @ [0.7, -0.5])))
    censored = generator.exponential(2.0, n)
    stop = np.minimum(time, censored)
    return {
        "start": None,
        "stop": np.ceil(10 * stop) if whole else stop,
        "event": (time <= censored).astype(int),
        "X": x,
        "cluster": family,
    }


def marginal(parameters: np.ndarray, sample: dict) -> float:
    """Minus the log likelihood of beta, log theta and the log hazards, frailties integrated out."""
    beta, nu, jump = parameters[:2], np.exp(-parameters[2]), np.exp(parameters[3:])
    times = np.unique(sample["stop"][sample["event"] == 1])
    hazard = (times[None, :] <= sample["stop"][:, None]) @ jump * np.exp(sample["X"] @ beta)
    dead = sample["event"] == 1
    loglik = (np.log(jump)[np.searchsorted(times, sample["stop"][dead])] + sample["X"][dead] @ beta).sum()
    expected, deaths = (np.bincount(sample["cluster"], each) for each in (hazard, sample["event"]))
    if np.isinf(nu):
        return expected.sum() - loglik
    loglik += (
        gammaln(nu + deaths) - gammaln(nu) + nu * np.log(nu) - (nu + deaths) * np.log(nu + expected)
    ).sum()
    return -loglik


def hessian(function, at: np.ndarray, step: float = 1e-4) -> np.ndarray:
    axes = np.eye(len(at)) * step
    value = [
        [
            function(at + a + b) - function(at + a - b) - function(at - a + b) + function(at - a - b)
            for b in axes
        ]
        for a in axes
    ]
    return np.array(value) / (4 * step**2)


class TestSecondImplementation:
    @pytest.mark.parametrize("seed", range(2))
    def test_marginal_likelihood_by_brute_force(self, seed):
        """Estimates, the gain of the frailty and both covariances, theta known and theta estimated."""
        sample = families(seed, number=20, whole=True)
        fit = gamma_frailty(**sample, ties="breslow")
        first = np.concatenate(
            [fit.coef, [0.0], np.full(len(np.unique(sample["stop"][sample["event"] == 1])), -3)]
        )
        found = minimize(
            marginal, first, args=(sample,), method="BFGS", options={"gtol": 1e-7, "maxiter": 5000}
        )
        best = minimize(
            marginal, found.x, args=(sample,), method="BFGS", options={"gtol": 1e-9, "maxiter": 500}
        )
        np.testing.assert_allclose(fit.coef, best.x[:2], atol=2e-5)
        np.testing.assert_allclose(np.log(fit.theta), best.x[2], atol=1e-4)

        curvature = hessian(lambda at: marginal(at, sample), best.x)
        np.testing.assert_allclose(fit.vcov, np.linalg.inv(curvature)[:2, :2], rtol=2e-3, atol=1e-4)
        known = np.delete(np.delete(curvature, 2, axis=0), 2, axis=1)
        np.testing.assert_allclose(fit.vcov_given_theta, np.linalg.inv(known)[:2, :2], rtol=2e-3, atol=1e-4)

        def without_frailty(at: np.ndarray) -> float:
            return marginal(np.concatenate([at[:2], [-np.inf], at[2:]]), sample)

        null = minimize(without_frailty, np.delete(best.x, 2), method="BFGS", options={"gtol": 1e-7})
        np.testing.assert_allclose(fit.likelihood_ratio, 2 * (null.fun - best.fun), atol=1e-6)

    @pytest.mark.parametrize("ties", TIES)
    def test_frailties_are_posterior_means(self, ties):
        sample = families(3, whole=True)
        fit = gamma_frailty(**sample, ties=ties)
        np.testing.assert_allclose(fit.frailty.mean(), 1, rtol=1e-8)
        if ties == "breslow":
            risk = fit.frailty[sample["cluster"]] * np.exp(sample["X"] @ fit.coef)
            hazard = np.zeros(len(risk))
            for time in sample["stop"][sample["event"] == 1]:
                at_risk = sample["stop"] >= time
                hazard += at_risk * np.exp(sample["X"] @ fit.coef) / risk[at_risk].sum()
            deaths, expected = (np.bincount(sample["cluster"], each) for each in (sample["event"], hazard))
            np.testing.assert_allclose(
                fit.frailty, (1 / fit.theta + deaths) / (1 / fit.theta + expected), rtol=1e-6
            )

    def test_limits_lie_half_a_quantile_below_the_maximum(self):
        fit = gamma_frailty(**families(4, number=150, theta=2.0))
        assert 0 < fit.theta_interval.low < fit.theta < fit.theta_interval.high
        assert fit.frailty_p < 0.01
        np.testing.assert_allclose(fit.frailty_p, chi2.sf(fit.likelihood_ratio, 1) / 2, rtol=1e-9)
        wide = gamma_frailty(**families(4, number=150, theta=2.0), level=0.99)
        assert (
            wide.theta_interval.low < fit.theta_interval.low
            and wide.theta_interval.high > fit.theta_interval.high
        )
        assert fit.kendall_tau_interval.low < fit.kendall_tau == fit.theta / (fit.theta + 2)


class TestProperties:
    def test_truth_is_recovered(self):
        fit = gamma_frailty(**families(5, number=1500, theta=1.0))
        np.testing.assert_allclose(fit.coef, [0.7, -0.5], atol=4 * np.sqrt(fit.vcov[0, 0]))
        assert fit.theta_interval.low < 1.0 < fit.theta_interval.high

    def test_order_and_names_do_not_matter(self):
        sample = families(6)
        order = np.random.default_rng(1).permutation(len(sample["stop"]))
        moved = {key: None if value is None else value[order] for key, value in sample.items()}
        moved["cluster"] = [f"family {label:03d}" for label in moved["cluster"]]
        one, two = gamma_frailty(**sample), gamma_frailty(**moved)
        np.testing.assert_allclose(two.coef, one.coef, rtol=1e-10)
        np.testing.assert_allclose(two.theta, one.theta, rtol=1e-8)
        np.testing.assert_allclose(two.frailty, one.frailty, rtol=1e-8)

    def test_late_entry_and_strata(self):
        sample = families(7, number=200, whole=True)
        sample["start"] = np.minimum(np.arange(len(sample["stop"])) % 3, sample["stop"] - 1)
        strata = sample["cluster"] % 2
        sample["X"] = sample["X"][:, 1]
        fit = gamma_frailty(**sample, strata=strata)
        assert fit.theta > 0 and fit.vcov[0, 0] >= fit.vcov_given_theta[0, 0]

    def test_no_frailty_is_the_ordinary_model(self):
        """Families whose deaths are spread more evenly than chance leave nothing to a frailty."""
        family = np.arange(200) // 2
        stop, x = np.arange(200) % 2 * 100.0 + family + 1, np.random.default_rng(2).normal(size=200)
        fit = gamma_frailty(None, stop, np.ones(200), x, cluster=family)
        plain = cox(None, stop, np.ones(200), x, cluster=family)
        assert fit.theta == 0 and fit.theta_interval.low == 0 < fit.theta_interval.high
        assert fit.frailty_p == 1 and fit.likelihood_ratio == 0 and fit.kendall_tau == 0
        assert "edge of its range" in fit.notes[0] and (fit.frailty == 1).all()
        np.testing.assert_array_equal(fit.coef, plain.coef)
        np.testing.assert_allclose(fit.vcov, plain.vcov_model, rtol=1e-12)


class TestDegenerate:
    def test_refused(self):
        sample = families(8)
        with pytest.raises(ModelError, match="at least two clusters"):
            gamma_frailty(**sample | {"cluster": np.zeros(len(sample["stop"]))})
        with pytest.raises(ModelError, match="no row has an event"):
            gamma_frailty(**sample | {"event": 0 * sample["event"]})
        with pytest.raises(ModelError, match="level"):
            gamma_frailty(**sample, level=1.0)
        with pytest.raises(ModelError, match="finite log hazard ratios"):
            gamma_frailty(**sample | {"event": sample["event"] * (sample["X"][:, 0] == 0)})

    def test_all_events_at_one_time(self):
        sample = families(9)
        fit = gamma_frailty(**sample | {"stop": np.ones(len(sample["stop"]))})
        assert np.isfinite(fit.coef).all() and fit.theta >= 0
