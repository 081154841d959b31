"""Exact ratio of two rates against R's ``poisson.test(c(x1, x0), c(t1, t0))``, R 4.2.2."""

import math

import pytest

from analysis.errors import ModelError
from analysis.stats.rate_ratio import exact_rate_ratio

R = {
    (4, 180.1, 8, 189.4): (0.5258189895, 0.1158706698, 1.962726628),
    (0, 100.0, 3, 120.0): (0.0, 0.0, 2.903942272),
    (3, 100.0, 0, 120.0): (math.inf, 0.495877626, math.inf),
    (12, 300.0, 18, 290.0): (0.6444444444, 0.283157144, 1.414080888),
}


@pytest.mark.parametrize("given", R)
def test_ratio_and_limits_are_those_of_r(given) -> None:
    found = exact_rate_ratio(*given)
    assert (found.estimate, found.low, found.high) == pytest.approx(R[given], rel=1e-9)


def test_exchanged_arms_invert_the_ratio() -> None:
    one, other = exact_rate_ratio(4, 180.0, 8, 190.0), exact_rate_ratio(8, 190.0, 4, 180.0)
    assert (1 / other.high, 1 / other.low) == pytest.approx((one.low, one.high), rel=1e-12)


def test_without_an_event_nothing_is_excluded() -> None:
    found = exact_rate_ratio(0, 10.0, 0, 12.0)
    assert math.isnan(found.estimate) and (found.low, found.high) == (0.0, math.inf)


@pytest.mark.parametrize("given", [(1, 0.0, 1, 5.0), (-1, 2.0, 1, 5.0)])
def test_no_time_and_no_number_are_refused(given) -> None:
    with pytest.raises(ModelError, match="time under observation"):
        exact_rate_ratio(*given)
