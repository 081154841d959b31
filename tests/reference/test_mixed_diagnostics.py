"""Adjusted means, diagnostics and profile intervals of mixed models against emmeans, lme4 and nlme."""

import pytest

from tests.reference.agreement_diagnostics import (
    DIAGNOSED,
    MEANS,
    PROFILED,
    diagnostic_gaps,
    mean_gaps,
    profile_gaps,
)

# Of another quantity: lme4's distance refits the covariance without the cluster.
NOT_OURS = "cook_refitted"


@pytest.mark.parametrize(("name", "mean"), MEANS)
def test_adjusted_means_agree_with_emmeans(name, mean):
    gaps = mean_gaps(name, mean)
    assert gaps["estimate"] < 1e-6 and gaps["df"] < 1e-2
    assert max(gaps["se"], gaps["low"], gaps["high"]) < 1e-5


@pytest.mark.parametrize("name", DIAGNOSED)
def test_residuals_leverage_and_deletion_agree_with_r(name):
    gaps = diagnostic_gaps(name)
    assert len(gaps) >= 6 and NOT_OURS in gaps
    assert {each: gap for each, gap in gaps.items() if each != NOT_OURS and not gap < 1e-6} == {}


@pytest.mark.parametrize("name", PROFILED)
def test_profile_limits_agree_with_the_solved_profile_and_with_confint(name):
    gaps = profile_gaps(name)
    assert gaps["estimate"] < 1e-6 and gaps["limits"] < 1e-6
    # confint interpolates the profile: class t2.
    assert gaps["confint"] < 1e-4
