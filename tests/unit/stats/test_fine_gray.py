"""Fine-Gray model: agreement with R, a second implementation by loops, collapses to Cox, bad input."""

import numpy as np
import pytest

from analysis.errors import ModelError
from analysis.stats.fine_gray import FineGrayFit, fine_gray
from analysis.stats.hazards import cox
from tests.unit.stats.subdistribution_reference import FineGray, derivative
from tests.unit.stats.test_gray import COMPETING, complete

FIXED = ("time", "cause", "group", "stratum", "family")


def covariates(data: dict) -> np.ndarray:
    return np.column_stack([column for name, column in data.items() if name not in FIXED])


def flat(name: str, fit: FineGrayFit, *parts: str) -> dict:
    return {f"{name}.{part}": np.array(getattr(fit, part)) for part in parts}


def drawn(seed: int, n: int = 45) -> dict:
    """Small samples full of ties, of events with censorings too."""
    rng = np.random.default_rng(seed)
    return {
        "time": rng.integers(1, 10, n),
        "kind": rng.permutation(np.arange(n) % 3),
        "X": rng.normal(size=(n, 2)) + np.column_stack([np.zeros(n), 2 * (np.arange(n) % 2)]),
        "stratum": rng.integers(0, 2, n),
        "group": rng.integers(0, 2, n),
        "family": rng.integers(0, n // 3, n),
    }


def rows_of(data: dict) -> tuple:
    return data["time"], data["kind"], data["X"]


def strata_of(data: dict) -> dict:
    return {"strata": data["stratum"], "censoring_strata": data["group"]}


class TestAgainstR:
    @pytest.mark.parametrize("name", [*COMPETING, "retinopathy"])
    def test_crr(self, competing_reference, assert_agrees, name):
        data, expected = competing_reference(name)
        rows, parts = (data["time"], data["cause"], covariates(data)), ("coef", "vcov_model", "loglik")
        ours = flat("crr", fine_gray(*rows), *parts, "vcov_independent")
        ours |= flat("crr_groups", fine_gray(*rows, censoring_strata=data["stratum"]), *parts)
        if (data["cause"] > 1).any():
            other = fine_gray(*rows, cause_of_interest=2)
            ours |= flat("crr_other", other, *parts, "vcov_independent")
        wanted = {key: value for key, value in expected.items() if key.startswith("crr")}
        assert_agrees({key: ours[key] for key in wanted}, wanted)

    @pytest.mark.parametrize("name", COMPETING)
    def test_finegray_and_coxph_where_nobody_is_censored_at_an_event(
        self, competing_reference, assert_agrees, name
    ):
        data, expected = competing_reference(name)
        rows = data["time"] + 0.5 * (data["cause"] == 0), data["cause"], covariates(data)
        stratum = data["stratum"]
        ours = {}
        for key, options in {
            "finegray": {},
            "finegray_strata": {"strata": stratum, "censoring_strata": stratum},
        }.items():
            ours |= flat(key, fine_gray(*rows, **options), "coef", "vcov_model")
        assert_agrees(ours, {key: expected[key] for key in ours})

    @pytest.mark.parametrize("name", COMPETING)
    def test_family_robust_variance_of_mets(self, competing_reference, assert_agrees, name):
        data, expected = competing_reference(name)
        n = len(data["time"])
        rows = data["time"] + np.arange(1, n + 1) / (n + 1) / 2, data["cause"], covariates(data)
        family, stratum = data["family"], data["stratum"]
        fit = fine_gray(*rows, cluster=family, strata=stratum, censoring_strata=stratum)
        ours = flat("mets_strata", fit, "coef", "vcov_robust")
        ours |= flat("mets", fine_gray(*rows, cluster=family), "coef", "vcov_robust")
        assert_agrees(ours, {key: expected[key] for key in ours})

    @pytest.mark.parametrize("name", COMPETING)
    def test_without_censoring_it_is_coxph_by_family(self, competing_reference, assert_agrees, name):
        data, expected = competing_reference(name)
        kept, _ = complete(data)
        # Events and censorings share the last day, which the published influence does not tell apart.
        rows = kept["time"], kept["cause"], covariates(kept)
        fit = fine_gray(*rows, cluster=kept["family"], weight_influence="jackknife")
        ours = flat("complete", fit, "coef", "vcov_model", "vcov_robust")
        assert_agrees(ours, {key: expected[key] for key in ours})

    def test_without_competing_events_it_is_coxph_by_patient(self, competing_reference, assert_agrees):
        data, expected = competing_reference("retinopathy")
        rows, parts = (data["time"], data["cause"], covariates(data)), ("coef", "vcov_model", "vcov_robust")
        ours = flat("coxph", fine_gray(*rows, cluster=data["family"]), *parts)
        strata = fine_gray(*rows, cluster=data["family"], strata=data["stratum"])
        ours |= flat("coxph_strata", strata, *parts)
        assert_agrees(ours, {key: expected[key] for key in ours})


class TestSecondImplementation:
    @pytest.mark.parametrize("seed", range(4))
    def test_estimate_and_variance_of_zhou_by_loops(self, seed):
        data = drawn(seed)
        reference = FineGray(*rows_of(data), stratum=data["stratum"], group=data["group"])
        fit = fine_gray(*rows_of(data), cluster=data["family"], **strata_of(data))
        np.testing.assert_allclose(fit.coef, reference.fit(), rtol=1e-9)
        single = np.arange(len(data["time"]))
        for vcov, units in ((fit.vcov_robust, data["family"]), (fit.vcov_independent, single)):
            np.testing.assert_allclose(vcov, reference.variance(fit.coef, units), rtol=1e-9)

    @pytest.mark.parametrize("seed", range(2))
    @pytest.mark.parametrize("stratified", [False, True])
    def test_jackknife_influence_is_the_derivative_in_the_case_weights(self, seed, stratified):
        data = drawn(seed)
        strata = {"stratum": data["stratum"], "group": data["group"]} if stratified else {}
        options = strata_of(data) if stratified else {}
        fit = fine_gray(*rows_of(data), weight_influence="jackknife", **options)

        def score(weight):
            return FineGray(*rows_of(data), weight=weight, **strata).score(fit.coef)[0]

        # The derivative of a root of the score is that of the score times the inverse slope.
        numerical = derivative(score, len(data["time"])) @ fit.vcov_model
        np.testing.assert_allclose(fit.influence, numerical, atol=1e-8)

    def test_both_influences_of_the_weights_agree_in_large_samples(self):
        rng = np.random.default_rng(4)
        for n, apart in ((200, 3e-2), (20_000, 3e-4)):
            event, censored, X = rng.exponential(size=n), rng.exponential(size=n), rng.normal(size=n)
            kind = np.where(event <= censored, rng.integers(1, 3, n), 0)
            rows = np.minimum(event, censored), kind, X
            one, other = (fine_gray(*rows, weight_influence=each) for each in ("martingale", "jackknife"))
            np.testing.assert_allclose(one.vcov_robust, other.vcov_robust, rtol=apart)

    def test_a_variance_that_takes_the_weights_as_known_would_be_seen(self, competing_reference):
        data, expected = competing_reference("transplant")
        fit = fine_gray(data["time"], data["cause"], covariates(data), cause_of_interest=2)
        known = np.abs(expected["crr_other.vcov_independent"].reshape(2, 2) - fit.vcov_model)
        assert (np.diag(known) > 1e-3 * np.diag(fit.vcov_model)).all()


class TestInvariants:
    def test_order_of_rows_does_not_matter(self):
        data = drawn(5)
        order = np.random.default_rng(2).permutation(len(data["time"]))
        other = {key: column[order] for key, column in data.items()}
        one = fine_gray(*rows_of(data), cluster=data["family"], **strata_of(data))
        two = fine_gray(*rows_of(other), cluster=other["family"], **strata_of(other))
        np.testing.assert_array_equal(one.coef, two.coef)
        np.testing.assert_allclose(one.influence[order], two.influence, rtol=1e-9, atol=1e-15)
        np.testing.assert_allclose(one.vcov_robust, two.vcov_robust, rtol=1e-12)

    def test_influence_sums_to_nothing(self):
        data = drawn(6)
        for kind in ("martingale", "jackknife"):
            fit = fine_gray(*rows_of(data), **strata_of(data), weight_influence=kind)
            np.testing.assert_allclose(fit.influence.sum(axis=0), 0.0, atol=1e-9)

    def test_scale_of_a_covariate(self):
        data = drawn(7)
        one = fine_gray(*rows_of(data), cluster=data["family"])
        two = fine_gray(data["time"], data["kind"], 1000 * data["X"] + 5, cluster=data["family"])
        np.testing.assert_allclose(two.coef * 1000, one.coef, rtol=1e-9)
        np.testing.assert_allclose(two.vcov_robust * 1e6, one.vcov_robust, rtol=1e-9)
        np.testing.assert_allclose(two.wald_test().statistic, one.wald_test().statistic, rtol=1e-9)

    def test_tests(self):
        fit = fine_gray(*rows_of(drawn(8)))
        assert fit.wald_test().statistic == pytest.approx(fit.wald_test(robust=False).statistic)
        assert fit.likelihood_ratio.statistic == 2 * (fit.loglik[1] - fit.loglik[0])
        np.testing.assert_allclose(fit.linear.vcov, fit.vcov_robust)

    def test_one_cause_is_cox(self):
        data = drawn(9)
        kind = np.minimum(data["kind"], 1)
        fit = fine_gray(data["time"], kind, data["X"], cluster=data["family"])
        other = cox(None, data["time"], kind, data["X"], cluster=data["family"], ties="breslow")
        np.testing.assert_allclose(fit.coef, other.coef, rtol=1e-10)
        np.testing.assert_allclose(fit.influence, other.influence, rtol=1e-9, atol=1e-14)


class TestDegenerate:
    def test_an_arm_without_the_cause(self):
        data = drawn(10)
        arm = (np.arange(45) % 2).astype(float)
        kind = np.where((arm == 1) & (data["kind"] == 1), 2, data["kind"])
        fit = fine_gray(data["time"], kind, np.column_stack([arm, data["X"][:, 0]]), cluster=data["family"])
        assert fit.coef[0] == -np.inf and np.isfinite(fit.coef[1])
        assert np.isnan(fit.vcov_robust[0]).all() and fit.vcov_robust[1, 1] > 0
        assert np.isnan(fit.wald_test().p) and "no maximum in column(s) 0" in fit.notes[0]
        reference = FineGray(data["time"], kind, np.column_stack([arm, data["X"][:, 0]]))
        far = reference.score(np.array([-40.0, fit.coef[1]]))
        np.testing.assert_allclose(far[0], 0.0, atol=1e-9)
        np.testing.assert_allclose(fit.vcov_model[1, 1], 1 / far[1][1, 1], rtol=1e-8)

    def test_all_events_at_one_time(self):
        time, kind = np.full(40, 3), np.arange(40) % 3
        fit = fine_gray(time, kind, np.arange(40) % 2)
        assert np.isfinite(fit.coef).all() and np.isfinite(fit.vcov_robust).all()

    def test_no_censoring(self):
        data = drawn(11)
        fit = fine_gray(data["time"], np.maximum(data["kind"], 1), data["X"], cluster=data["family"])
        assert np.isfinite(fit.vcov_robust).all() and fit.n_competing == (data["kind"] == 2).sum()

    def test_one_family(self):
        data = drawn(12)
        fit = fine_gray(*rows_of(data), cluster=np.zeros(45))
        assert np.isnan(fit.vcov_robust).all() and np.isfinite(fit.vcov_independent).all()
        assert fit.notes == ("no robust variance: there is a single cluster.",)

    def test_a_censoring_group_that_leaves_early(self):
        """A competing event of a group that is no longer observed has weight 0 from then on, as in R."""
        data = drawn(13)
        group = (data["time"] <= 3).astype(int)
        reference = FineGray(*rows_of(data), group=group)
        fit = fine_gray(*rows_of(data), censoring_strata=group)
        np.testing.assert_allclose(fit.coef, reference.fit(), rtol=1e-9)
        np.testing.assert_allclose(fit.vcov_robust, reference.variance(fit.coef, np.arange(45)), rtol=1e-9)

    def test_late_entry_is_refused_and_entry_at_the_origin_is_none(self):
        data = drawn(14)
        with pytest.raises(ModelError, match="row 2 .*enters late"):
            fine_gray(*rows_of(data), entry=[0, 0, 0.5] + [0] * 42)
        one, other = fine_gray(*rows_of(data)), fine_gray(*rows_of(data), entry=np.zeros(45))
        np.testing.assert_array_equal(one.coef, other.coef)

    @pytest.mark.parametrize(
        ("call", "message"),
        [
            (lambda: fine_gray([1, 2, 3], [0, 0, 0], [1, 2, 4]), "no row has an event of cause 1"),
            (lambda: fine_gray([1, 2, 3], [2, 2, 0], [1, 2, 4]), "no row has an event of cause 1"),
            (lambda: fine_gray([], [], []), "no row to analyse"),
            (lambda: fine_gray([1, -1, 3], [1, 1, 0], [1, 2, 4]), "row 1 .*must not be negative"),
            (lambda: fine_gray([1, 2, 3], [1, 1.5, 0], [1, 2, 4]), "row 1 .*whole number from 0"),
            (lambda: fine_gray([1, 2, 3], [1, 1, 0], [1, 2]), "X must have one row"),
            (lambda: fine_gray([1, 2, 3], [1, 1, 0], [1, np.nan, 2]), "row 1 .*column 0 of X is missing"),
            (lambda: fine_gray([1, 2, 3], [1, 1, 0], [1, 1, 1]), "column 0 of X .*does not vary"),
            (lambda: fine_gray([1, 2, 3], [1, 1, 0], [1, 2, 4], weight_influence="none"), "not known"),
            (lambda: fine_gray([1, 2, 3], [1, 1, 0], [1, 2, 4], cluster=[1, 2]), "one label per row"),
        ],
    )
    def test_refused(self, call, message):
        with pytest.raises(ModelError, match=message):
            call()
