"""A shortened outline goes through the places of the long one."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.present.svg_path import short_number, short_path

SIZES = {"m": 2, "l": 2, "q": 4, "c": 6, "h": 1, "v": 1, "z": 0}
# As a browser reads it: a sign or a second point begins a number.
NUMBER = re.compile(r"-?(?:\d+\.?\d*|\.\d+)")


def places(outline: str) -> list[tuple[float, float]]:
    """Every end and control point of a path, absolute, read by the grammar of SVG."""
    found, x, y, start = [], 0.0, 0.0, (0.0, 0.0)
    for letter, text in re.findall(r"([A-Za-z])([^A-Za-z]*)", outline):
        numbers = [float(each) for each in NUMBER.findall(text)]
        assert len(numbers) == SIZES[letter.lower()]
        if letter.lower() == "z":
            x, y = start
        elif letter in "hv":
            x, y = (x + numbers[0], y) if letter == "h" else (x, y + numbers[0])
            found.append((x, y))
        else:
            base = (x, y) if letter.islower() else (0.0, 0.0)
            pairs = list(zip(numbers[::2], numbers[1::2], strict=True))
            found += [(base[0] + across, base[1] + down) for across, down in pairs]
            x, y = found[-1]
            start = (x, y) if letter in "mM" else start
    return found


def corners(found: list[tuple[float, float]]) -> list[tuple[int, int]]:
    """Places in hundredths without those that repeat the last or lie on a straight way along an axis."""
    kept: list[tuple[int, int]] = []
    for place in [(round(x * 100), round(y * 100)) for x, y in found]:
        if kept and place == kept[-1]:
            continue
        if len(kept) > 1:
            for axis in (0, 1):
                first, second = (kept[-1][axis] - kept[-2][axis]), (place[axis] - kept[-1][axis])
                other = 1 - axis
                if kept[-2][other] == kept[-1][other] == place[other] and first * second > 0:
                    kept.pop()
                    break
        kept.append(place)
    return kept


def written(*numbers: float) -> str:
    """Numbers as Matplotlib writes them: six decimals, no exponent."""
    return " ".join(f"{each:.6f}" for each in numbers)


lengths = st.floats(-600, 600).map(lambda each: round(each, 6))
points = st.tuples(lengths, lengths)


@given(points, st.lists(st.one_of(points, st.tuples(st.just(5.0), lengths)), min_size=1, max_size=30))
def test_a_line_keeps_its_corners(first: tuple, rest: list) -> None:
    long = f"M {written(*first)} \n" + "".join(f"L {written(*each)} \n" for each in rest)
    short = short_path(long)
    assert corners(places(short)) == corners(places(long))
    assert len(short) <= len(long)


@given(points, st.lists(st.tuples(points, points, points), min_size=1, max_size=10))
def test_a_curve_keeps_its_points(first: tuple, rest: list) -> None:
    long = f"M {written(*first)} "
    for one, two, three in rest:
        long += f"C {written(*one, *two, *three)} Q {written(*one)} 5 7 "
    for short, exact in zip(places(short_path(long)), places(long), strict=True):
        assert short == pytest.approx(exact, abs=0.00501)


def test_steps_are_told_by_their_length_and_direction() -> None:
    assert short_path("M 10 20 L 10.5 20 L 10.5 20 L 11 20 L 11 19.25 z M 1 2 L 3 4 ") == (
        "M10 20h1v-.75zM1 2l2 2"
    )
    assert short_path("M 0 0 L 0 3") == "M0 0v3"
    assert short_path("M 5 0 L 9 0 L 7 0") == "M5 0h4h-2", "a way back is no shorter way there"


def test_rounding_does_not_add_up() -> None:
    long = "M 0 0 " + "".join(f"L {at * 0.004:.6f} {at * 0.004:.6f} " for at in range(1, 1001))
    assert places(short_path(long))[-1] == pytest.approx((4.0, 4.0))


@pytest.mark.parametrize(
    ("long", "short"), [("0", "0"), ("0.5", ".5"), ("-0.254", "-.25"), ("512", "512"), ("-0.001", "0")]
)
def test_a_length_has_no_more_than_it_needs(long: str, short: str) -> None:
    assert short_number(long) == short
