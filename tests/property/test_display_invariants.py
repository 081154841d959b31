"""What every displayed number obeys: exact half-up rounding, true minus, no false zero or one, order kept."""

import re
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.errors import ReportError
from analysis.present import format as fmt
from analysis.present.canvas import spread

COMMON = settings(max_examples=300, deadline=None, derandomize=True)
finite = st.floats(allow_nan=False, allow_infinity=False, width=64)
usual = st.floats(-1e6, 1e6)
decimals = st.integers(0, 4)
shares = st.floats(0, 1)
SHOWN = re.compile(r"^\u2212?\d{1,3}(,\d{3})*(\.\d+)?$")


def half_up(value: float, places: int) -> Fraction:
    """Rounding by whole numbers only: the float's decimal text, scaled, plus a half, floored."""
    exact = Fraction(repr(value)) * 10**places
    whole = (abs(exact) + Fraction(1, 2)).__floor__()
    return Fraction(whole if exact >= 0 else -whole, 10**places)


def read(text: str) -> Fraction:
    return Fraction(text.replace(fmt.MINUS, "-").replace(",", "").removesuffix("%"))


@COMMON
@given(finite, decimals)
def test_rounding_is_exact_half_up(value: float, places: int) -> None:
    assert read(fmt.number(value, places)) == half_up(value, places)


@COMMON
@given(st.integers(-(10**6), 10**6), st.integers(0, 3))
def test_exact_halves_go_away_from_zero(whole: int, places: int) -> None:
    value = float(f"{whole}5e-{places + 1}")
    up = abs(whole) + 1
    assert abs(read(fmt.number(value, places))) * 10**places == up


@COMMON
@given(finite, decimals)
def test_a_number_has_a_true_minus_commas_and_no_negative_zero(value: float, places: int) -> None:
    text = fmt.number(value, places)
    assert SHOWN.match(text)
    assert "-" not in text
    if read(text) == 0:
        assert not text.startswith(fmt.MINUS)


@COMMON
@given(usual, usual, decimals)
def test_order_is_kept(one: float, other: float, places: int) -> None:
    low, high = sorted((one, other))
    assert read(fmt.number(low, places)) <= read(fmt.number(high, places))


@COMMON
@given(shares)
def test_p_is_never_zero_or_one(p: float) -> None:
    text = fmt.p_value(p)
    assert not re.fullmatch(r"0\.0+|1(\.0+)?", text)
    if text[0] == "<":
        assert p < float(text[1:])
    elif text[0] == ">":
        assert p > float(text[1:])
    else:
        assert len(text.partition(".")[2]) == (3 if p < 0.1 else 2)
        assert read(text) == half_up(p, 3 if p < 0.1 else 2)


@given(st.one_of(st.floats(max_value=-1e-9), st.floats(min_value=1.000001, allow_infinity=False)))
def test_a_p_outside_its_range_is_refused(p: float) -> None:
    if fmt.is_number(p):
        with pytest.raises(ReportError, match="between 0 and 1"):
            fmt.p_value(p)


@COMMON
@given(shares)
def test_a_percentage_is_a_hundredfold_of_the_exact_share(share: float) -> None:
    exact = Fraction(repr(share)) * 1000
    assert read(fmt.percentage(share)) * 10 == (exact + Fraction(1, 2)).__floor__()


@COMMON
@given(st.integers(0, 999))
def test_half_of_a_decimal_of_a_percentage_goes_up(tenths: int) -> None:
    share = float(f"{tenths}5e-4")
    assert read(fmt.percentage(share)) * 10 == tenths + 1


@COMMON
@given(shares)
def test_a_short_percentage_claims_zero_and_all_only_when_true(share: float) -> None:
    text = fmt.short_percentage(share)
    assert (text == "0%") == (share == 0)
    assert (text == "100%") == (share == 1)


@COMMON
@given(st.integers(0, 10**7), st.integers(1, 10**7))
def test_the_percentage_of_a_part_is_exact(n: int, total: int) -> None:
    text = fmt.part(n, total)
    count, percent = re.fullmatch(r"([\d,]+) \(([\d,.]+)%\)", text).groups()
    places = 0 if total < 100 else 1
    assert read(count) == n
    assert read(percent) * 10**places == (Fraction(100 * n, total) * 10**places + Fraction(1, 2)).__floor__()


@COMMON
@given(usual, st.floats(0, 1e3), st.floats(0, 1e3), decimals)
def test_an_interval_reads_back(value: float, below: float, above: float, places: int) -> None:
    text = fmt.estimate(value, value - below, value + above, places)
    if value - below == value + above:
        assert text.endswith("(no interval)")
        return
    middle, low, high = re.fullmatch(r"(\S+) \((\S+) to (\S+)\)", text).groups()
    assert read(low) <= read(middle) <= read(high)


@pytest.mark.parametrize("absent", [None, float("nan"), float("inf"), -float("inf")])
def test_what_is_absent_is_said_in_words(absent: float | None) -> None:
    assert fmt.number(absent, 2) == "not estimable"
    assert fmt.estimate(absent, 1.0, 2.0, 2) == "not estimable"
    assert fmt.p_value(absent) == "not estimable"
    assert fmt.percentage(absent) == "not estimable"
    assert fmt.mean_sd(absent, 1.0) == "no data"
    assert fmt.interval(absent, absent, 1) == "(no interval)"
    assert fmt.interval(absent, 1.0, 1) == "(not estimable to 1.0)"


@COMMON
@given(st.lists(st.floats(0, 100), min_size=1, max_size=8), st.floats(0.5, 10))
def test_labels_are_apart_in_order_and_inside(places: list[float], gap: float) -> None:
    moved = spread(places, gap=gap, low=0.0, high=100.0)
    order = sorted(range(len(places)), key=lambda at: (places[at], at))
    steps = [moved[b] - moved[a] for a, b in zip(order, order[1:], strict=False)]
    assert all(step >= gap - 1e-9 for step in steps)
    assert min(moved) >= -1e-9 and max(moved) <= 100 + 1e-9
