"""Repeated measures and unequal variances against nlme and mmrm."""

import pytest

from analysis.stats.reml import reml
from tests.reference.agreement_repeated import (
    MMRM,
    NLME,
    load,
    mmrm_expected,
    mmrm_gaps,
    mmrm_structure,
    nlme_gaps,
)

# nlme searches with numerical derivatives: tolerance class t2.
NLME_TOLERANCE = {"beta": 1e-4, "se": 1e-3, "theta": 1e-3, "loglik": 1e-8}


@pytest.mark.parametrize("folder", NLME)
def test_agrees_with_nlme(folder):
    gaps = nlme_gaps(folder)
    assert {name: gap for name, gap in gaps.items() if not gap <= NLME_TOLERANCE[name]} == {}


@pytest.mark.parametrize("name", MMRM)
def test_agrees_with_mmrm_at_the_covariance_it_found(name):
    gaps = mmrm_gaps(name, fixed=True)
    assert gaps["loglik"] < 1e-9
    for method in MMRM[name]:
        assert gaps[f"{method} estimate"] < 1e-6
        assert gaps[f"{method} se"] < 1e-5
        # mmrm's observed information is in other parameters; the two differ where the gradient is not zero.
        assert gaps[f"{method} df"] < 0.1


@pytest.mark.parametrize("name", MMRM)
def test_agrees_with_mmrm_at_the_optimum_and_goes_further_up(name):
    y, X, data = load("rm_fev")
    fit = reml(y, X, mmrm_structure(name, data))
    assert fit.loglik >= float(mmrm_expected(name)["", "loglik"][0]) - 1e-10
    gaps = mmrm_gaps(name, fixed=False)
    for method in MMRM[name]:
        assert gaps[f"{method} estimate"] < 1e-3
        assert gaps[f"{method} se"] < 1e-3
        assert gaps[f"{method} df"] < 0.1
