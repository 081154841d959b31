"""What must hold for the interval of every two-by-two table: symmetries, order, nesting."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.stats.proportions import RiskDifference, risk_difference

COMMON = settings(max_examples=40, deadline=None, derandomize=True)
METHODS = ("exact", "mid-p", "score")
# Both limits are rounded outwards by less than this.
ROUNDING = 3e-8


@st.composite
def tables(draw, largest: int = 60) -> tuple[int, int, int, int]:
    n1 = draw(st.integers(1, largest))
    n0 = draw(st.one_of(st.just(n1), st.integers(1, largest)))
    return draw(st.integers(0, n1)), n1, draw(st.integers(0, n0)), n0


def limits(table: tuple[int, int, int, int], **options) -> tuple[float, float]:
    found: RiskDifference = risk_difference(*table, **options)
    return found.low, found.high


@COMMON
@given(tables(), st.sampled_from(METHODS))
def test_swapping_the_arms_flips_the_signs_exactly(table, method) -> None:
    x1, n1, x0, n0 = table
    found, swapped = (risk_difference(*each, method=method) for each in (table, (x0, n0, x1, n1)))
    assert (found.estimate, found.low, found.high) == (-swapped.estimate, -swapped.high, -swapped.low)


@COMMON
@given(tables(), st.sampled_from(METHODS))
def test_counting_those_without_event_flips_the_signs(table, method) -> None:
    x1, n1, x0, n0 = table
    low, high = limits((n1 - x1, n1, n0 - x0, n0), method=method)
    assert limits(table, method=method) == pytest.approx((-high, -low), abs=ROUNDING)


@COMMON
@given(tables(), st.sampled_from(METHODS), st.sampled_from([0.5, 0.8, 0.95, 0.999]))
def test_the_interval_holds_the_estimate_and_differences_that_exist(table, method, level) -> None:
    found = risk_difference(*table, method=method, level=level)
    assert -1 <= found.low <= found.estimate <= found.high <= 1


@COMMON
@given(tables())
def test_exact_contains_mid_p(table) -> None:
    (exact_low, exact_high), (low, high) = (limits(table, method=method) for method in METHODS[:2])
    assert exact_low <= low + ROUNDING
    assert high <= exact_high + ROUNDING


@COMMON
@given(tables(), st.sampled_from(METHODS))
def test_a_higher_level_gives_a_wider_interval(table, method) -> None:
    (wide_low, wide_high), (low, high) = (limits(table, method=method, level=level) for level in (0.99, 0.9))
    assert wide_low <= low + ROUNDING
    assert high <= wide_high + ROUNDING


@COMMON
@given(tables(), st.sampled_from(METHODS))
def test_one_more_event_in_arm_1_moves_no_limit_down(table, method) -> None:
    x1, n1, x0, n0 = table
    before, after = (limits((min(x1, n1 - 1) + more, n1, x0, n0), method=method) for more in (0, 1))
    assert all(a <= b + ROUNDING for a, b in zip(before, after, strict=True))
