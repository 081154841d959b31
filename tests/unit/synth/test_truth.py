"""The stated truth against closed forms, another integration, and a large sample of the generator itself."""

import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp

from analysis.spec.synthetic import with_values
from analysis.synth.chain import CARE, DIED, FOSTER, HOME, NEVER, STATES, intensities, intensity, state_on
from analysis.synth.draw import draw_trial
from analysis.synth.truth import DAYS, care_law, truth_of

YEAR = 365.25
MONTE_CARLO = 4
ROUTES = ("home", "kin", "foster", "adopted")


@pytest.fixture(scope="module")
def rates(parameters):
    return intensities(parameters)


@pytest.fixture(scope="module")
def truth(draw):
    return truth_of(draw)


def value(truth, name, *, arm, site, state=None, day=913):
    (found,) = [
        record["value"]
        for record in truth["care"]
        if (record["name"], record["arm"], record["site"], record["day"]) == (name, arm, site, day)
        and record.get("state") == state
    ]
    return found


def test_published_ratio_and_invented_effects(rates):
    glasgow, london = rates
    assert london[0, CARE, 1:DIED].sum() / glasgow[0, CARE, 1:DIED].sum() == pytest.approx(4.4)
    np.testing.assert_allclose(rates[:, 1, CARE, 1:DIED], 1.2 * rates[:, 0, CARE, 1:DIED])
    np.testing.assert_allclose(rates[:, 1, HOME, CARE], 0.8 * rates[:, 0, HOME, CARE])
    assert np.exp(-2 * rates[0, 0, HOME, CARE]) == pytest.approx(0.5)
    np.testing.assert_allclose(rates.sum(axis=-1), 0, atol=1e-12)


def test_incidence_of_constant_hazards_in_closed_form(parameters):
    matrix = intensity(parameters, site="LON", is_intervention=True)
    total, law = -matrix[CARE, CARE], care_law(matrix, DAYS)
    for at, day in enumerate(DAYS):
        reached = matrix[CARE, 1:] / total * (1 - np.exp(-total * day / YEAR))
        np.testing.assert_allclose(law.incidence[at, 1:], reached, rtol=1e-10)
    assert law.days_waiting == pytest.approx((1 - np.exp(-total * 913 / YEAR)) / total * YEAR)


def test_occupation_and_days_by_solving_the_forward_equation(parameters):
    matrix = intensity(parameters, site="GLA", is_intervention=False) / YEAR
    law = care_law(matrix * YEAR, DAYS)
    start = np.eye(len(STATES))[CARE]
    path = solve_ivp(
        lambda _, p: p @ matrix, (0, 913), start, t_eval=DAYS, rtol=1e-10, atol=1e-12, dense_output=True
    )
    np.testing.assert_allclose(law.occupation, path.y.T, rtol=1e-6, atol=1e-9)
    for state in range(len(STATES)):
        integral, _ = quad(lambda day, s=state: path.sol(day)[s], 0, 913, limit=200)
        assert law.days_in_state[state] == pytest.approx(integral, rel=1e-6)
    assert law.days_in_state.sum() == pytest.approx(913)
    np.testing.assert_allclose(law.occupation.sum(axis=1), 1)


def test_without_return_home_for_good_is_home(parameters):
    matrix = intensity(parameters, site="GLA", is_intervention=False)
    for state in (HOME, STATES.index("kin")):
        matrix[state, state] += matrix[state, CARE]
        matrix[state, CARE] = 0
    law = care_law(matrix, DAYS)
    np.testing.assert_allclose(law.home_for_good, law.occupation[:, HOME], rtol=1e-10)


def test_home_for_good_in_closed_form():
    """Only care and home: one exponential wait, then a stay that must outlast the rest."""
    leave, back = 0.9, 0.5
    matrix = np.zeros((len(STATES), len(STATES)))
    matrix[CARE, [CARE, HOME]], matrix[HOME, [HOME, CARE]] = (-leave, leave), (-back, back)
    years = np.array(DAYS) / YEAR
    expected = leave / (leave - back) * (np.exp(-back * years) - np.exp(-leave * years))
    law = care_law(matrix, DAYS)
    np.testing.assert_allclose(law.home_for_good, expected, rtol=1e-10)
    assert np.all(law.occupation[:, HOME] > law.home_for_good)


def test_whole_days_keep_the_continuous_law(parameters):
    """With fast transitions a shift by a day shows: by day d a child has left care with P(wait <= d)."""
    rate = 120.0
    fast = with_values(
        parameters, {"care.permanence_rate": {"GLA": rate, "LON": rate}, "care.transfer_rate": 0.0}
    )
    drawn = draw_trial(fast, seed=3, scale=10, sdq_only=True)
    own, first = drawn.children.family, drawn.histories.day[:, 0]
    control = (drawn.families.arm[own] == 0) & ~drawn.families.is_removed[own]
    for day in (1, 2, 4, 8):
        expected = 1 - np.exp(-(rate + fast.care.death_rate.value) * day / YEAR)
        within(*_pair((first <= day)[control], own[control], expected), f"day {day}")


def test_records_are_complete_and_standardised(truth, parameters, draw):
    weights = truth["site_weights"]
    eligible = ~draw.families.is_removed[draw.children.family] & ~draw.children.is_joiner
    assert weights["GLA"] == pytest.approx((draw.families.site[draw.children.family][eligible] == 0).mean())
    for day in DAYS:
        by_arm = {}
        for arm in ("NIM", "SAU"):
            probabilities = [
                value(truth, "occupation", arm=arm, site="GLA", state=state, day=day) for state in STATES
            ]
            assert sum(probabilities) == pytest.approx(1)
            site = {
                name: value(truth, "occupation", arm=arm, site=name, state="home", day=day)
                for name in weights
            }
            mixed = sum(weights[name] * site[name] for name in weights)
            by_arm[arm] = value(truth, "occupation", arm=arm, site="standardised", state="home", day=day)
            assert by_arm[arm] == pytest.approx(mixed)
        difference = value(truth, "occupation", arm="difference", site="standardised", state="home", day=day)
        assert difference == pytest.approx(by_arm["NIM"] - by_arm["SAU"])
        routes = [
            value(truth, "cumulative_incidence", arm="SAU", site="LON", state=route, day=day)
            for route in ROUTES
        ]
        reached = value(truth, "cumulative_incidence", arm="SAU", site="LON", state="any", day=day)
        assert sum(routes) == pytest.approx(reached)


def test_effect_of_the_service_on_those_it_served(truth):
    outcome = truth["outcome"]
    assert outcome["mean_difference"] == outcome["mean_difference_adjusted"] == 0.4
    product = outcome["mean_difference_in_the_served"] * outcome["share_served_intervention"]
    assert product == pytest.approx(outcome["mean_difference"])


def within(estimate, stated, standard_error, what):
    assert abs(estimate - stated) <= MONTE_CARLO * standard_error, f"{what}: {estimate} against {stated}"


def family_mean(indicator, family):
    """Mean over children and its standard error with families as clusters."""
    labels, inverse = np.unique(family, return_inverse=True)
    deviation = np.bincount(inverse, weights=indicator - indicator.mean(), minlength=labels.size)
    return indicator.mean(), np.sqrt((deviation**2).sum()) / indicator.size


def sample_check(parameters, *, scale):
    """Every stated quantity about care in a large sample without transfers."""
    parameters = with_values(parameters, {"care.transfer_rate": 0.0})
    drawn = draw_trial(parameters, seed=99, scale=scale, sdq_only=True)
    truth, families, histories = truth_of(drawn), drawn.families, drawn.histories
    own = drawn.children.family
    eligible = ~families.is_removed[own] & ~drawn.children.is_joiner
    entered = np.where(histories.day != NEVER, histories.state[:, 1:], -1)
    first_day, first_state = histories.day[:, 0], histories.state[:, 1]
    returns = (entered == CARE) & (histories.state[:, :-1] != FOSTER)
    return_day = np.where(returns, histories.day, NEVER).min(axis=1)
    for site, site_name in enumerate(parameters.trial.sites):
        for arm, arm_name in enumerate(("SAU", "NIM")):
            here = eligible & (families.site[own] == site) & (families.arm[own] == arm)
            label = {"arm": arm_name, "site": site_name}
            for day in DAYS:
                state = state_on(histories, day)
                for number, name in enumerate(STATES):
                    stated = value(truth, "occupation", state=name, day=day, **label)
                    within(*_pair((state == number)[here], own[here], stated), f"{name} {day} {label}")
                for name in ROUTES:
                    stated = value(truth, "cumulative_incidence", state=name, day=day, **label)
                    reached = (first_day <= day) & (first_state == STATES.index(name))
                    within(*_pair(reached[here], own[here], stated), f"first {name} {day} {label}")
                good = (state == HOME) & (return_day > day)
                stated = value(truth, "home_without_return", state="home", day=day, **label)
                within(*_pair(good[here], own[here], stated), f"home for good {day} {label}")
            stated = value(truth, "days_in_family_home", **label)
            within(*_pair(days_at_home(histories)[here], own[here], stated), f"days {label}")


def _pair(indicator, family, stated):
    """Estimate, truth and standard error; for a probability at least the binomial one."""
    estimate, error = family_mean(indicator.astype(float), family)
    return estimate, stated, max(error, np.sqrt(max(stated * (1 - stated), 0) / family.size))


def days_at_home(histories):
    """Days to 913 in home, kin and adopted; a transition on day d is taken to fall half a day before."""
    day = np.minimum(np.where(histories.day == NEVER, 913.5, histories.day), 913.5) - 0.5
    begin = np.concatenate([np.zeros((len(day), 1)), day], axis=1)
    end = np.concatenate([day, np.full((len(day), 1), 913.0)], axis=1)
    at_home = np.isin(histories.state, [STATES.index(name) for name in ("home", "kin", "adopted")])
    return ((end - begin) * at_home).sum(axis=1)


def test_the_sample_agrees_with_the_truth(parameters):
    sample_check(parameters, scale=40)


@pytest.mark.slow
def test_a_very_large_sample_agrees_with_the_truth(parameters):
    sample_check(parameters, scale=1500)


def test_siblings_are_alike_but_each_keeps_its_own_law(parameters):
    drawn = draw_trial(parameters, seed=7, scale=40, sdq_only=True)
    first = np.minimum(drawn.histories.day[:, 0], 913)
    size = drawn.families.size[drawn.children.family]
    own, pairs = drawn.children.family, (size == 2) & ~drawn.children.is_joiner
    order = np.argsort(own[pairs], kind="stable")
    both = first[pairs][order].reshape(-1, 2)
    assert np.corrcoef(both.T)[0, 1] > 0.4
    glasgow = (drawn.families.site[own] == 0) & ~drawn.children.is_joiner & (drawn.families.arm[own] == 0)
    single, siblings = glasgow & (size == 1), glasgow & (size > 1)
    estimates = [family_mean((first < 913)[here].astype(float), own[here]) for here in (single, siblings)]
    gap = estimates[0][0] - estimates[1][0]
    assert abs(gap) < MONTE_CARLO * np.hypot(estimates[0][1], estimates[1][1])
