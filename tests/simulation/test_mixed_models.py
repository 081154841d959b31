"""Operating characteristics of the mixed model in a small trial of mostly single children, against truth."""

import numpy as np
import pytest

from analysis.stats.covariance import random_intercept
from analysis.stats.reml import reml
from analysis.stats.small_sample import contrast, icc

TRIALS = 4000
SIZES = np.array([1] * 10 + [2] * 4 + [3] * 4 + [4] * 2)

pytestmark = pytest.mark.slow


def simulated(true_icc, df):
    """Rejections of a true null at 5 % and coverage of the 95 % interval of the ICC, one value per trial."""
    cluster = np.repeat(np.arange(len(SIZES)), SIZES)
    X = np.column_stack([np.ones(len(cluster)), cluster % 2])
    structure, rng = random_intercept(cluster), np.random.default_rng(20241)
    rejected, covered = np.zeros((2, TRIALS), dtype=bool)
    for trial in range(TRIALS):
        between = np.sqrt(true_icc) * rng.normal(size=len(SIZES))[cluster]
        fit = reml(between + np.sqrt(1.0 - true_icc) * rng.normal(size=len(cluster)), X, structure)
        interval = icc(fit)
        rejected[trial] = contrast(fit, [0.0, 1.0], df=df).p < 0.05
        covered[trial] = interval.low <= true_icc <= interval.high
    return rejected, covered


def test_kenward_roger_keeps_its_level_and_the_icc_interval_its_coverage():
    rejected, covered = simulated(0.4, "kenward_roger")
    assert abs(rejected.mean() - 0.05) < 4 * np.sqrt(0.05 * 0.95 / TRIALS)
    # A profile interval is first-order correct; twenty families leave it within two points of its level.
    assert abs(covered.mean() - 0.95) < 0.02 + 4 * np.sqrt(0.05 * 0.95 / TRIALS)


def test_the_normal_reference_does_not_keep_its_level():
    rejected, _ = simulated(0.4, "normal")
    assert rejected.mean() > 0.05 + 4 * np.sqrt(0.05 * 0.95 / TRIALS)


def test_at_no_correlation_nothing_is_anticonservative():
    rejected, covered = simulated(0.0, "kenward_roger")
    assert rejected.mean() < 0.05 + 4 * np.sqrt(0.05 * 0.95 / TRIALS)
    assert covered.mean() > 0.95
