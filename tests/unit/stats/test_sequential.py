"""Group-sequential boundaries, power and inference: golden values, known cases, and a second way to them."""

import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import kstest, multivariate_normal, norm

from analysis.errors import ModelError
from analysis.stats import monitoring, sequential
from analysis.stats.monitoring import (
    conditional_power,
    design_information,
    haybittle_peto,
    predictive_power,
    stagewise,
)
from analysis.stats.sequential import crossing
from analysis.stats.spending import Spending, boundaries

OBF = Spending("obrien_fleming")
GOLDEN = {
    (0.5, 1): (2.9626, 1.9686),
    (0.5, 0.75, 1): (2.9626, 2.3590, 2.0141),
    (1 / 3, 2 / 3, 1): (3.7103, 2.5114, 1.9930),
    (0.25, 0.5, 0.75, 1): (4.3326, 2.9631, 2.3590, 2.0141),
}


@pytest.mark.parametrize("rates", GOLDEN, ids=str)
def test_golden_boundaries(rates: tuple[float, ...]) -> None:
    for sided, alpha in ((1, 0.025), (2, 0.05)):
        made = boundaries(rates, spending=OBF, alpha=alpha, sided=sided)
        np.testing.assert_allclose(made.critical, GOLDEN[rates], atol=5e-5)


def test_boundaries_of_a_published_trial() -> None:
    """EAST: 176 of 235 events, one-sided 0.0125."""
    made = boundaries((176, 235), spending=OBF, alpha=0.0125)
    np.testing.assert_allclose(made.critical, (2.660618, 2.279850), atol=1e-6)


@pytest.mark.parametrize("effect", [0.0, 0.7, -1.3])
@pytest.mark.parametrize("sided", [1, 2])
def test_the_same_probabilities_by_the_multivariate_normal_law(effect: float, sided: int) -> None:
    information, critical = np.array([1.0, 1.7, 4.0]), np.array([2.4, 2.1, 1.9])
    found = crossing(critical, information, effect=effect, sided=sided)
    mean = effect * np.sqrt(information)
    shared = np.minimum.outer(information, information) / np.sqrt(np.multiply.outer(information, information))
    law = multivariate_normal(mean, shared, maxpts=10**6, abseps=1e-9, releps=1e-9, seed=1)
    inside = law.cdf(critical, lower_limit=-critical) if sided == 2 else law.cdf(critical)
    assert 1 - found.upper.sum() - found.lower.sum() == pytest.approx(inside, abs=2e-6)


def test_more_nodes_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rates = (0.2, 0.45, 0.5, 0.52, 0.9, 1)
    made = boundaries(rates, spending=OBF, alpha=0.025).critical
    nodes, weights = np.polynomial.legendre.leggauss(903)
    monkeypatch.setattr(sequential, "_NODES", nodes)
    monkeypatch.setattr(sequential, "_WEIGHTS", weights)
    np.testing.assert_allclose(made, boundaries(rates, spending=OBF, alpha=0.025).critical, atol=1e-10)


@pytest.mark.parametrize("kind", ["obrien_fleming", "pocock", "hwang_shih_decani"])
def test_all_the_error_is_spent_whatever_the_information(kind: str) -> None:
    """A trial that ends short of its maximum, or beyond it, keeps its level."""
    for information in ((30.0, 55.0, 80.0), (60.0, 90.0, 130.0)):
        made = boundaries(information, spending=Spending(kind, -2), alpha=0.05, maximum=100, sided=2)
        found = crossing(made.critical, information, sided=2)
        assert found.upper.sum() + found.lower.sum() == pytest.approx(0.05, abs=1e-12)


def test_an_analysis_to_come_leaves_error_to_spend() -> None:
    made = boundaries((40.0,), spending=OBF, alpha=0.025, maximum=100, is_final=False)
    assert made.spent[0] == pytest.approx(2 * norm.sf(norm.isf(0.0125) / np.sqrt(0.4)))
    assert norm.sf(made.critical[0]) == pytest.approx(made.spent[0], rel=1e-9)


def test_one_analysis_is_the_fixed_design() -> None:
    made = boundaries((7.0,), spending=OBF, alpha=0.05, sided=2)
    assert made.critical[0] == pytest.approx(1.959964, abs=1e-6)
    design = design_information((1.0,), [norm.isf(0.025)], effect=0.3, power=0.9)
    assert design.maximum_information == pytest.approx(((norm.isf(0.025) + norm.isf(0.1)) / 0.3) ** 2)
    found = stagewise(2.5, critical=[], information=[16.0])
    expected = (0.625, 0.625 - norm.isf(0.025) / 4, 0.625 + norm.isf(0.025) / 4, norm.sf(2.5))
    assert (found.estimate, found.low, found.high, found.p) == pytest.approx(expected)


def test_golden_conditional_and_predictive_power() -> None:
    last = boundaries((0.5, 1), spending=OBF, alpha=0.025).critical[1:]
    future = {"future_critical": last, "future_information": [1.0]}
    drifts = {"trend": 1 / np.sqrt(0.5), "design": norm.isf(0.025) + norm.isf(0.1), "null": 0.0}
    golden = {"trend": 0.2165, "design": 0.6943, "null": 0.0372}
    for name, drift in drifts.items():
        assert conditional_power(1.0, 0.5, effect=drift, **future) == pytest.approx(golden[name], abs=5e-5)
    assert predictive_power(1.0, 0.5, **future) == pytest.approx(0.2897, abs=5e-5)


def test_predictive_power_of_one_analysis_to_come_is_known_in_closed_form() -> None:
    z, now, last, critical = 1.3, 30.0, 70.0, 2.0
    found = predictive_power(z, now, future_critical=[critical], future_information=[last])
    spread = np.sqrt((last - now) / now * last / now)
    closed = norm.sf((critical * np.sqrt(last) / now - z / np.sqrt(now) * last / now) / spread * np.sqrt(now))
    assert found == pytest.approx(closed, abs=1e-9)


def test_stopping_early_pulls_the_estimate_back_and_widens_the_interval() -> None:
    made = boundaries((0.5, 0.75, 1), spending=OBF, alpha=0.025)
    found = stagewise(2.5, critical=made.critical, information=[50.0, 75.0])
    naive = 2.5 / np.sqrt(75)
    assert found.low < found.estimate < naive < found.high
    mirrored = stagewise(-2.5, critical=made.critical, information=[50.0, 75.0], sided=2)
    direct = stagewise(2.5, critical=made.critical, information=[50.0, 75.0], sided=2)
    assert (mirrored.estimate, mirrored.low, mirrored.high) == pytest.approx(
        (-direct.estimate, -direct.high, -direct.low), abs=1e-9
    )


@pytest.mark.parametrize("effect", [0.0, 0.25])
def test_the_stagewise_p_is_uniform(effect: float) -> None:
    """Trials that stop when they cross: the P of the true effect has no preference."""
    information = np.array([40.0, 70.0, 100.0])
    critical = boundaries(information, spending=Spending("pocock"), alpha=0.05, sided=2).critical
    generator = np.random.default_rng(1)
    gains = np.diff(information, prepend=0)
    scores = (effect * gains + np.sqrt(gains) * generator.standard_normal((1000, 3))).cumsum(axis=1)
    p = []
    for z in scores / np.sqrt(information):
        at = next((at for at in range(3) if abs(z[at]) >= critical[at]), 2)
        p.append(monitoring._more_extreme(effect, z[at], critical[:at], information[: at + 1], 2))
    assert kstest(p, "uniform").pvalue > 0.01


def test_haybittle_peto() -> None:
    expected = [3, 3, norm.isf(0.025)]
    np.testing.assert_allclose(haybittle_peto(3, alpha=0.05, interim=3.0, sided=2), expected)
    assert haybittle_peto(1, alpha=0.025, interim=3.0)[0] == pytest.approx(1.959964, abs=1e-6)


@pytest.mark.parametrize("information", [(), (1.0, 1.0), (2.0, 1.0), (0.0, 1.0), (1.0, float("nan"))])
def test_information_that_does_not_rise_is_refused(information: tuple[float, ...]) -> None:
    with pytest.raises(ModelError, match="positive and rise"):
        boundaries(information, spending=OBF, alpha=0.025)


def test_what_has_no_answer_is_refused() -> None:
    with pytest.raises(ModelError, match="alpha"):
        boundaries((1.0,), spending=OBF, alpha=0.0)
    with pytest.raises(ModelError, match="one critical value"):
        crossing([2.0], [1.0, 2.0])
    with pytest.raises(ModelError, match="every analysis before"):
        stagewise(2.0, critical=[], information=[1.0, 2.0])
    with pytest.raises(ModelError, match="not 0"):
        design_information((1.0,), [1.96], effect=0.0, power=0.9)
    with pytest.raises(ModelError, match="without any effect"):
        design_information((1.0,), [1.96], effect=1.0, power=0.02)
    with pytest.raises(ModelError, match="at least one"):
        haybittle_peto(0, alpha=0.05, interim=3.0)


@pytest.mark.parametrize("information", [1e-4, 0.01, 0.5, 0.99])
def test_predictive_power_of_one_look_is_that_of_a_normal_estimate(information: float) -> None:
    """Also where next to nothing is known and the difference may be nearly anything."""
    found = predictive_power(0.8, information, future_critical=[1.96], future_information=[1.0])
    spread = np.sqrt(1 / information - 1)
    assert found == pytest.approx(ndtr((0.8 / np.sqrt(information) - 1.96) / spread), abs=1e-12)
