"""The SD of an outcome with its limits: what mean squares give, and what independence gives exactly."""

import numpy as np
import pytest
from scipy import stats

from analysis.errors import ModelError
from analysis.stats.covariance import heterogeneous, random_intercept
from analysis.stats.reml import reml
from analysis.stats.total_variance import total_sd

LEVEL = 0.9


def limits(variance: float, df: float) -> list[float]:
    return [float(np.sqrt(df * variance / stats.chi2.ppf(tail, df))) for tail in (0.95, 0.05)]


def test_of_independent_rows_the_limits_are_the_exact_ones():
    rng = np.random.default_rng(5)
    X = np.column_stack([np.ones(30), rng.normal(size=30)])
    y = X @ [1.0, 2.0] + rng.normal(0, 3, 30)
    found = total_sd(reml(y, X, random_intercept(range(30))), level=LEVEL)
    left = y - X @ np.linalg.lstsq(X, y, rcond=None)[0]
    variance = float(left @ left) / 28
    assert found.estimate == pytest.approx(np.sqrt(variance), rel=1e-9)
    assert [found.low, found.high] == pytest.approx(limits(variance, 28), rel=1e-7)


@pytest.mark.parametrize("size", [2, 5])
def test_of_families_of_one_size_they_are_those_of_the_mean_squares(size: int):
    """One-way layout: total = (MSB + (m - 1) MSE) / m; Satterthwaite (1946), equation 17."""
    rng = np.random.default_rng(size)
    k = 14
    y = np.repeat(rng.normal(0, 2, k), size) + rng.normal(0, 1, k * size)
    cluster = np.repeat(np.arange(k), size)
    found = total_sd(reml(y, np.ones((k * size, 1)), random_intercept(cluster)), level=LEVEL)
    table = y.reshape(k, size)
    means = table.mean(axis=1)
    between = size * float(means.var(ddof=1))
    within = float(((table - means[:, None]) ** 2).sum()) / (k * (size - 1))
    parts = between / size, (size - 1) * within / size
    variance = sum(parts)
    df = variance**2 / (parts[0] ** 2 / (k - 1) + parts[1] ** 2 / (k * (size - 1)))
    assert found.estimate == pytest.approx(np.sqrt(variance), rel=1e-7)
    assert [found.low, found.high] == pytest.approx(limits(variance, df), rel=1e-6)


def test_a_covariance_without_one_variance_is_refused():
    y, group = np.array([1.0, 2.0, 4.0, 3.0, 6.0, 1.0, 2.0, 2.5]), np.repeat(["a", "b"], 4)
    cluster = [0, 0, 1, 1, 2, 2, 3, 3]
    with pytest.raises(ModelError, match="no single variance"):
        total_sd(reml(y, np.ones((8, 1)), heterogeneous(cluster, group)))
