"""The SDQ's law: mean linear with the stated effects, spread and siblings' correlation as stated."""

import numpy as np
import pytest

from analysis.errors import SpecError
from analysis.spec.synthetic import with_values
from analysis.synth.draw import draw_trial
from analysis.synth.questionnaires import NO_ANSWER, is_old_enough, sdq_total
from analysis.synth.truth import truth_of

MONTE_CARLO = 4
MONTHS_PER_YEAR, MONTH = 12, 30.4375


def regression(y, X, family):
    """Least squares with family-robust standard errors."""
    bread = np.linalg.inv(X.T @ X)
    beta = bread @ X.T @ y
    scores = X * (y - X @ beta)[:, None]
    sums = np.zeros((family.max() + 1, X.shape[1]))
    np.add.at(sums, family, scores)
    return beta, np.sqrt(np.diag(bread @ (sums.T @ sums) @ bread))


@pytest.fixture(scope="module")
def large(parameters):
    """Larger effects than the default's, so that a wrong one shows."""
    effects = {"sdq.difference": 3.0, "sdq.difference_15_months": 2.0}
    return draw_trial(with_values(parameters, effects), seed=31, scale=60, sdq_only=True)


def analysed(drawn, visit):
    """Complete forms: the scoring rule's rounding plays no part."""
    form = drawn.sdq[visit]
    return form.is_returned & (form.items != NO_ANSWER).all(axis=1)


def design(drawn):
    children, families = drawn.children, drawn.families
    own = children.family
    age_years = (families.randomised[own] - children.birth) / MONTH / MONTHS_PER_YEAR
    due = is_old_enough(children, drawn.visits["V3"].due)
    columns = [
        np.ones(children.n),
        families.arm[own],
        families.site[own] == 1,
        ~children.is_girl,
        age_years,
        due,
    ]
    return np.stack(columns, axis=1).astype(float)


@pytest.mark.parametrize("visit", ["V4", "V5"])
def test_mean_is_linear_with_the_stated_effects(large, visit):
    here, sdq = analysed(large, visit), large.parameters.sdq
    beta, error = regression(
        large.sdq[visit].printed[here].astype(float), design(large)[here], large.children.family[here]
    )
    difference = sdq.difference if visit == "V5" else sdq.difference_15_months
    stated = [each.value for each in (difference, sdq.london, sdq.boy, sdq.year_of_age, sdq.baseline_due)]
    assert np.all(np.abs(beta[1:] - stated) < MONTE_CARLO * error[1:])
    assert np.all(error[1:5] < 0.15)


def test_unadjusted_difference_and_spread(large, truth_large):
    here = analysed(large, "V5")
    arm = large.families.arm[large.children.family][here].astype(float)
    total = large.sdq["V5"].printed[here].astype(float)
    X = np.stack([np.ones(arm.size), arm], axis=1)
    beta, error = regression(total, X, large.children.family[here])
    assert abs(beta[1] - truth_large["mean_difference"]) < MONTE_CARLO * error[1]
    assert abs(beta[0] - truth_large["control_mean_at_centre"]) < MONTE_CARLO * error[0] + 0.05
    # The covariates add a little to the spread at fixed covariates.
    assert (
        truth_large["control_sd_at_centre"]
        < total[arm == 0].std()
        < truth_large["control_sd_at_centre"] + 0.15
    )


def test_served_families_carry_the_effect(large, truth_large):
    here = analysed(large, "V5")
    own = large.children.family[here]
    served = large.families.is_served[own] & (large.families.arm[own] == 1)
    control, passed_by = large.families.arm[own] == 0, ~served & (large.families.arm[own] == 1)
    total = large.sdq["V5"].printed[here]
    gain, spill = (
        total[served].mean() - total[control].mean(),
        total[passed_by].mean() - total[control].mean(),
    )
    assert gain == pytest.approx(truth_large["mean_difference_in_the_served"], abs=0.35)
    assert spill == pytest.approx(0, abs=0.35)


@pytest.fixture(scope="module")
def truth_large(large):
    return truth_of(large)["outcome"]


def test_siblings_correlate_as_stated(large, truth_large):
    here = (
        analysed(large, "V5") & (large.families.size[large.children.family] == 2) & ~large.children.is_joiner
    )
    X, total = design(large)[here], large.sdq["V5"].printed[here].astype(float)
    rest = total - X @ np.linalg.lstsq(X, total, rcond=None)[0]
    own = large.children.family[here]
    order = np.argsort(own, kind="stable")
    own, rest = own[order], rest[order]
    both = np.flatnonzero(own[1:] == own[:-1])
    found = np.corrcoef(rest[both], rest[both + 1])[0, 1]
    assert abs(found - truth_large["sibling_correlation_of_totals"]) < MONTE_CARLO / np.sqrt(both.size)


def test_baseline_predicts_the_outcome_without_an_effect_of_its_own(large):
    here = analysed(large, "V3") & analysed(large, "V5")
    baseline, outcome = large.sdq["V3"].printed[here], large.sdq["V5"].printed[here]
    assert 0.4 < np.corrcoef(baseline, outcome)[0, 1] < 0.6
    arm = large.families.arm[large.children.family][here]
    gap = baseline[arm == 1].mean() - baseline[arm == 0].mean()
    assert abs(gap) < MONTE_CARLO * np.sqrt(2) * baseline.std() / np.sqrt(baseline.size / 2)


def test_scoring_by_hand():
    items = np.zeros((4, 25), dtype=np.int8)
    items[:, [6, 10, 13, 20, 24]] = 2  # the reversed items: no difficulty
    items[1, 2] = 2  # one point of two on the emotional scale, five answers
    items[2, [2, 7, 12]] = (2, 1, 1)
    items[2, [15, 23]] = NO_ANSWER  # 4 points from 3 items: 6.67, printed 7
    items[3, [2, 7, 12]] = NO_ANSWER  # two answers are too few
    assert sdq_total(items).tolist() == [0, 2, 7, -1]


def test_impossible_effects_are_refused(parameters):
    with pytest.raises(SpecError, match="outside 0 to 40"):
        draw_trial(with_values(parameters, {"sdq.difference": 30.0}), seed=1)
