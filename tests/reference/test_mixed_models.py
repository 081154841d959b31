"""Mixed models against lme4, lmerTest, pbkrtest and nlme on public data sets."""

import numpy as np
import pytest

from analysis.stats.covariance import nested, random_intercept
from analysis.stats.reml import reml
from tests.reference.agreement_mixed import FOLDERS, TOLERANCE, difference, expected, kind, load, ours


@pytest.mark.parametrize("folder", FOLDERS)
def test_agrees_with_r(folder):
    reference, mine = expected(folder), ours(folder)
    worse = {name: difference(name, mine[name], value) for name, value in reference.items()}
    assert {name: gap for name, gap in worse.items() if not gap <= TOLERANCE[kind(name)]} == {}


def test_the_data_sets_cover_the_hard_cases():
    shapes = {
        folder: np.bincount(np.unique(load(folder)[2]["cluster"], return_counts=True)[1])
        for folder in FOLDERS
    }
    assert shapes["lmm_mathachieve"][1] / shapes["lmm_mathachieve"].sum() > 0.72
    assert expected("lmm_dyestuff2")["theta"][0] == 0.0
    assert expected("lmm_dyestuff2")["cs_correlation"] < 0.0


def test_paired_data_give_the_standard_error_of_the_paired_t_test():
    y, X, data = load("lmm_sleep")
    gain = y[X[:, 1] == 1] - y[X[:, 1] == 0]
    fit = reml(y, X, random_intercept(data["cluster"]))
    assert np.sqrt(fit.vcov[1, 1]) == pytest.approx(gain.std(ddof=1) / np.sqrt(len(gain)), rel=1e-9)


def test_the_boundary_is_reported():
    y, X, data = load("lmm_dyestuff2")
    fit = reml(y, X, random_intercept(data["cluster"]))
    assert fit.boundary and fit.converged
    assert fit.theta[0] == 0.0
    assert "estimated as zero" in fit.notes[0]


def test_a_subject_per_row_leaves_the_two_level_model():
    y, X, data = load("lmm_mathachieve")
    two_level = reml(y, X, random_intercept(data["cluster"]))
    fit = reml(y, X, nested(data["cluster"], np.arange(len(y))))
    assert fit.theta[[0, 2]] == pytest.approx(two_level.theta, rel=1e-8)
    assert fit.loglik == pytest.approx(two_level.loglik, rel=1e-12)
    assert "cannot be told" in fit.notes[0]
