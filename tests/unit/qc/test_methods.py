"""The second programmer's own tools against published numbers and cases with a known answer."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis.qc import dense
from analysis.qc.frailty import Frailty
from analysis.qc.frailty import _search as search
from analysis.qc.frailty import _test as limits_and_test
from analysis.qc.gray import gray
from analysis.qc.incidence import _kaplan_meier as kaplan_meier
from analysis.qc.mixed import _by_group as by_group
from analysis.qc.nudged import units_of
from analysis.qc.risk_interval import risk_limits
from analysis.qc.risk_sets import hazard, risk_sets
from analysis.qc.siblings import fit_siblings
from analysis.qc.states import walk
from analysis.qc.subdistribution import subdistribution_hazard
from analysis.stats.covariance import heterogeneous, random_intercept
from analysis.stats.frailty import gamma_frailty
from analysis.stats.proportions import risk_difference
from analysis.stats.reml import reml
from analysis.stats.small_sample import contrast


def test_a_family_variance_that_nothing_tells_leaves_least_squares() -> None:
    """One of the only two siblings has a column of its own, so that what is left is a child per family."""
    generator = np.random.default_rng(4)
    X = pd.DataFrame({"intercept": 1.0, "arm": [0.0, 1, 0, 1, 0, 1, 0], "own": [0.0, 1, 0, 0, 0, 0, 0]})
    rows = pd.DataFrame({"value": generator.normal(size=7), "family_id": [0, 0, 1, 2, 3, 4, 5]})
    fit = fit_siblings(rows, X, may_be_negative=False).adjusted
    least = np.linalg.lstsq(X, rows["value"], rcond=None)
    errors = np.sqrt(np.diag(np.linalg.inv(X.T @ X)) * least[1] / 4)
    ours = reml(rows["value"], X, random_intercept(rows["family_id"]))
    assert ours.identified.tolist() == [False, True]
    for row, value, error in zip(np.eye(3), least[0], errors, strict=True):
        theirs = dense.contrast(fit, "coefficient", row, {}, 0.95)
        assert (theirs.value, theirs.se, theirs.df) == pytest.approx((value, error, 4.0))
        found = contrast(ours, row)
        assert (found.estimate, found.se, found.df) == pytest.approx((value, error, 4.0))


def test_dense_kenward_roger_of_pairs_is_the_paired_t_test() -> None:
    """The sleep data of R: difference 1.58, standard error 0.3890, 9 degrees of freedom."""
    first = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
    second = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
    rows = pd.DataFrame({"value": [*first, *second], "family_id": [*range(10)] * 2})
    X = pd.DataFrame({"intercept": 1.0, "drug": [0.0] * 10 + [1.0] * 10})
    fit = fit_siblings(rows, X, may_be_negative=False).adjusted
    found = dense.contrast(fit, "difference", np.array([0.0, 1.0]), {}, 0.95)
    assert found.value == pytest.approx(1.58)
    assert (round(found.se, 4), round(found.df, 6)) == (0.3890, 9.0)
    t = stats.ttest_rel(second, first)
    assert found.p == pytest.approx(t.pvalue, rel=1e-6)


def test_families_of_one_child_are_least_squares() -> None:
    rng = np.random.default_rng(3)
    rows = pd.DataFrame({"value": rng.normal(size=30), "family_id": range(30)})
    X = pd.DataFrame({"intercept": 1.0, "x": rng.normal(size=30)})
    fit = fit_siblings(rows, X, may_be_negative=False).adjusted
    found = dense.contrast(fit, "x", np.array([0.0, 1.0]), {}, 0.95)
    line = stats.linregress(X["x"], rows["value"])
    assert (found.value, found.se, found.df) == pytest.approx((line.slope, line.stderr, 28))


def test_two_rows_of_a_contrast_are_the_anova_of_balanced_blocks() -> None:
    """In complete blocks the F test of treatments has (k - 1) and (k - 1)(b - 1) degrees of freedom."""
    rng = np.random.default_rng(4)
    blocks, kinds = 12, 3
    y = rng.normal(size=(blocks, kinds)) + 3 * rng.normal(size=(blocks, 1))
    rows = pd.DataFrame({"value": y.ravel(), "family_id": np.repeat(range(blocks), kinds)})
    kind = np.tile(range(kinds), blocks)
    X = pd.DataFrame({"a": 1.0, "b": kind == 1, "c": kind == 2}).astype(float)
    found = dense.joint(fit_siblings(rows, X, may_be_negative=False).adjusted, "F", np.eye(3)[1:], {})
    residual = y - y.mean(0) - y.mean(1, keepdims=True) + y.mean()
    mean_square = (residual**2).sum() / ((kinds - 1) * (blocks - 1))
    F = blocks * ((y.mean(0) - y.mean()) ** 2).sum() / (kinds - 1) / mean_square
    assert (found.value, found.df, found.ndf) == pytest.approx((F, (kinds - 1) * (blocks - 1), 2), rel=1e-5)


def trial(n: int = 60, seed: int = 5) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "child_id": [f"c{at}" for at in range(n)],
            "unit": [f"c{at}" for at in range(n)],
            "family_id": rng.integers(0, n // 2, n),
            "start": 0.0,
            "stop": rng.integers(1, 12, n).astype(float),
            "cause": rng.choice(["home", "kin", None], n),
            "stratum": rng.choice(["a", "b"], n),
        }
    )


@pytest.mark.parametrize(("may_be_negative", "low"), [(True, -1.0), (False, 0.0)])
def test_one_pair_that_tells_nothing_leaves_the_whole_space_of_the_correlation(may_be_negative, low) -> None:
    """What X leaves is one contrast, whose variance is that of a child: any correlation is as likely."""
    rows = pd.DataFrame({"family_id": ["a", "a", "b"], "value": [9.0, 14.0, 11.0]})
    X = pd.DataFrame({"(Intercept)": 1.0, "arm": [0.0, 1.0, 1.0]})
    found = fit_siblings(rows, X, may_be_negative=may_be_negative).icc(0.95)
    assert (found.value, found.low, found.high) == (0.0, low, 1.0)


def test_terms_of_a_tie_share_the_event() -> None:
    rows = trial()
    event = (rows["cause"] == "home").to_numpy()
    sets = risk_sets(rows, event)
    assert sets.E.sum() == pytest.approx(event.sum())
    np.testing.assert_allclose(sets.E.sum(axis=0), event)
    # A constant leaves the likelihood as it is.
    eta = np.linspace(-1, 1, len(rows))
    assert sets.loglik(eta + 3.0) == pytest.approx(sets.loglik(eta))


def test_the_residuals_are_derivatives_in_the_weight_of_a_row() -> None:
    """Of Efron's score with case weights, in which the dying count by their mean weight."""
    rows, x = trial(), np.random.default_rng(6).normal(size=60)
    event = (rows["cause"] == "home").to_numpy()
    fit, sets = hazard(rows, event, x), risk_sets(rows, event)

    def score(w: np.ndarray) -> float:
        r, total = w * np.exp(x * fit.coef[0]), (w * event * x).sum()
        for M, E in zip(sets.M, sets.E, strict=True):
            mean = w[E > 0].mean()
            total -= mean * (M * r * x).sum() / (M * r).sum()
        return total

    for at in (0, 7, int(np.flatnonzero(event)[0])):
        step = np.eye(60)[at] * 1e-5
        slope = (score(1 + step) - score(1 - step)) / 2e-5
        assert fit.residual[at, 0] == pytest.approx(slope, abs=1e-7)


def test_nobody_is_at_risk_on_the_day_of_entry() -> None:
    """The half day by which entry is moved: as by the rows that are at risk."""
    rows, x = trial(), np.random.default_rng(7).normal(size=60)
    late = rows.assign(start=np.where(np.arange(60) % 3 == 0, rows["stop"] // 2, 0.0))
    event = (rows["cause"] == "home").to_numpy()
    fit, sets = hazard(late, event, x), risk_sets(late, event)
    assert ((sets.E - sets.shares(x * fit.coef[0])) @ x).sum() == pytest.approx(0, abs=1e-8)


def test_an_arm_without_an_event_has_no_ratio() -> None:
    rows = trial()
    event = (rows["cause"] == "home").to_numpy()
    assert hazard(rows, event, (~event).astype(float)) is None


def test_kaplan_meier_of_lifelines_counts_who_enters_as_the_walk_does() -> None:
    rows = trial(seed=11).assign(source=0, target=lambda each: np.where(each["cause"].isna(), -1, 1))
    rows = rows.assign(start=np.where(np.arange(60) % 3 == 0, rows["stop"] // 2, 0.0))
    days = np.unique(rows["stop"])
    survival = kaplan_meier(rows).survival_function_at_times(days).to_numpy()
    np.testing.assert_allclose(walk(rows, units_of(rows), 2).at(days)[0, :, 0].real, survival, rtol=1e-12)


@pytest.mark.parametrize("seed", range(6))
def test_the_frailty_of_independent_families_may_be_none(seed: int) -> None:
    """Both programmers find the same, at a variance of 0 and above it."""
    rng = np.random.default_rng(seed)
    n = 120
    rows = pd.DataFrame({"family_id": np.arange(n) // 2, "start": 0.0, "stratum": ""})
    rows["stop"], event = np.ceil(rng.exponential(20, n)), rng.random(n) < 0.8
    arm = (np.arange(n) // 2 % 2).astype(float)
    model = Frailty(risk_sets(rows, event), arm, rows["family_id"].to_numpy())
    theta, beta, variance, heights = search(model)
    low, high, p = limits_and_test(model, theta, heights, 0.95)
    other = gamma_frailty(
        rows["start"].to_numpy(),
        rows["stop"].to_numpy(),
        event.astype(int),
        arm[:, None],
        cluster=rows["family_id"],
    )
    assert (theta > 0) == (seed == 1)
    assert (theta, beta, variance) == pytest.approx(
        (other.theta, other.coef[0], other.vcov[0, 0]), rel=1e-4, abs=1e-6
    )
    assert (low, high, p) == pytest.approx(
        (other.theta_interval.low, other.theta_interval.high, other.frailty_p), rel=1e-4, abs=1e-6
    )


def test_a_group_without_siblings_has_one_variance() -> None:
    rng = np.random.default_rng(12)
    family = np.concatenate([np.repeat(np.arange(15), 2), np.arange(15, 45)])
    rows = pd.DataFrame({"value": rng.normal(size=60), "family_id": family, "site": ["a"] * 30 + ["b"] * 30})
    X = pd.DataFrame({"intercept": 1.0, "arm": (family % 2).astype(float)})
    fit, found = by_group(rows, X, "site")
    assert [each.labels["group"] for each in found if each.name == "icc"] == ["a"]
    other = reml(rows["value"], X.to_numpy(), heterogeneous(family, rows["site"]))
    np.testing.assert_allclose(fit.fit.theta, other.theta, rtol=1e-6, atol=1e-9)
    tested = contrast(other, [0.0, 1.0])
    mine = dense.contrast(fit, "difference", np.array([0.0, 1.0]), {}, 0.95)
    assert (mine.value, mine.se, mine.df) == pytest.approx((tested.estimate, tested.se, tested.df), rel=1e-6)


def test_without_censoring_the_walk_gives_shares_and_their_binomial_variance() -> None:
    n = 40
    rng = np.random.default_rng(8)
    rows = pd.DataFrame(
        {"unit": range(n), "family_id": range(n), "start": 0.0, "stop": rng.integers(1, 9, n), "source": 0}
    )
    rows["target"] = rng.integers(1, 3, n)
    units = units_of(rows)
    found = walk(rows, units, 3).at([4.0])[:, 0, 1]
    share = ((rows["stop"] <= 4) & (rows["target"] == 1)).mean()
    assert found[0].real == pytest.approx(share)
    assert math.sqrt((found.imag**2).sum()) / 1e-30 == pytest.approx(math.sqrt(share * (1 - share) / n))


def test_an_area_is_the_mean_time_spent() -> None:
    rows = pd.DataFrame(
        {"unit": [0, 0, 1], "family_id": 0, "start": [0.0, 4.0, 0.0], "stop": [4.0, 10.0, 10.0]}
    ).assign(source=[0, 1, 0], target=[1, -1, -1])
    area = walk(rows, units_of(rows), 2).area(10.0)[0].real
    assert area.tolist() == pytest.approx([7.0, 3.0])


def test_without_competing_events_the_subdistribution_is_the_hazard() -> None:
    """Breslow's rule in both, and no cluster."""
    rows = trial(seed=9)
    rows = rows.assign(
        cause=np.where(rows["cause"] == "kin", None, rows["cause"]), family_id=rows["child_id"]
    )
    x = (np.arange(60) % 2).astype(float)
    beta, se = subdistribution_hazard(rows, "home", x)
    fit = hazard(rows, (rows["cause"] == "home").to_numpy(), x, ties="breslow")
    assert (beta, se) == pytest.approx((fit.coef[0], math.sqrt(fit.robust[0, 0])), rel=1e-6)


def test_gray_without_competing_events_is_the_log_rank_test() -> None:
    """And its plain variance that of the log-rank test, to the order of 1/n, when nothing else happens."""
    rows = trial(n=400, seed=10)
    rows = rows.assign(
        cause=np.where(rows["cause"] == "kin", None, rows["cause"]), stratum="a", family_id=rows["child_id"]
    )
    x = (np.arange(400) % 2).astype(float)
    stop, event = rows["stop"].to_numpy(), (rows["cause"] == "home").to_numpy()
    U = V = 0.0
    for day in np.unique(stop[event]):
        seen, d = stop >= day, (event & (stop == day)).sum()
        n, n1 = seen.sum(), (seen & (x == 1)).sum()
        U += (event & (stop == day) & (x == 1)).sum() - d * n1 / n
        V += d * n1 * (n - n1) * (n - d) / (n**2 * (n - 1))
    robust, plain = gray(rows, "home", x)
    assert plain == pytest.approx(U**2 / V, rel=0.02)
    assert robust == pytest.approx(U**2 / V, rel=0.2)


@pytest.mark.parametrize("counts", [(3, 7, 0, 7), (2, 5, 0, 4), (0, 4, 0, 5)])
@pytest.mark.parametrize("method", ["exact", "mid-p"])
def test_limits_of_a_risk_difference_by_all_tables(counts, method: str) -> None:
    """Just below the lower limit the observed table is too far above for every risk; just above it is not."""
    x1, n1, x0, n0 = counts
    low, _ = risk_limits(x1, n1, x0, n0, method, 0.95)
    assert enumerated(x1, n1, x0, n0, low - 1e-4, method) <= 0.025 + 1e-7
    assert enumerated(x1, n1, x0, n0, low + 1e-4, method) > 0.025


@pytest.mark.parametrize("counts", [(3, 46, 0, 45), (11, 35, 12, 131), (10, 120, 11, 125)])
def test_the_first_of_several_limits_of_a_risk_difference_is_found(counts) -> None:
    """The probability is high enough, too small and high enough again: both programmers take the first."""
    ours = risk_difference(*counts)
    assert risk_limits(*counts, "mid-p", 0.95) == pytest.approx((ours.low, ours.high), abs=1e-6)


def enumerated(x1: int, n1: int, x0: int, n0: int, delta: float, method: str) -> float:
    """The largest tail probability over a fine grid of the other risk, table by table."""
    seen, worst = score(x1, n1, x0, n0, delta), 0.0
    tables = [(a, b, score(a, n1, b, n0, delta)) for a in range(n1 + 1) for b in range(n0 + 1)]
    for p0 in np.linspace(max(0, -delta), min(1, 1 - delta), 801):
        total = 0.0
        for a, b, t in tables:
            weight = (0.5 if method == "mid-p" else 1.0) if abs(t - seen) < 1e-6 else float(t > seen)
            if weight:
                total += weight * binomial(a, n1, min(p0 + delta, 1)) * binomial(b, n0, p0)
        worst = max(worst, total)
    return worst


def binomial(x: int, n: int, p: float) -> float:
    return math.comb(n, x) * p**x * (1 - p) ** (n - x)


def score(x1: int, n1: int, x0: int, n0: int, delta: float) -> float:
    """The restricted risks by a fine search of the likelihood."""
    low, high = max(0.0, -delta) + 1e-12, min(1.0, 1 - delta) - 1e-12
    for _ in range(200):
        third = (high - low) / 3
        a, b = low + third, high - third
        low, high = (
            (a, high)
            if likelihood(x1, n1, x0, n0, delta, a) < likelihood(x1, n1, x0, n0, delta, b)
            else (low, b)
        )
    p0 = (low + high) / 2
    p1 = p0 + delta
    return (x1 / n1 - x0 / n0 - delta) / math.sqrt(p1 * (1 - p1) / n1 + p0 * (1 - p0) / n0)


def likelihood(x1: int, n1: int, x0: int, n0: int, delta: float, p0: float) -> float:
    p1 = p0 + delta
    parts = [(x1, p1), (n1 - x1, 1 - p1), (x0, p0), (n0 - x0, 1 - p0)]
    return sum(x * math.log(p) for x, p in parts if x)
