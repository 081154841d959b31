"""Display of single numbers, by example."""

import pytest

from analysis.present import format as fmt


@pytest.mark.parametrize(
    ("value", "decimals", "shown"),
    [
        (2.675, 2, "2.68"),
        (0.125, 2, "0.13"),
        (-0.5, 0, "\u22121"),
        (-0.04, 1, "0.0"),
        (1234567.0, 0, "1,234,567"),
        (-1234.5, 1, "\u22121,234.5"),
        (1e-300, 2, "0.00"),
    ],
)
def test_numbers(value: float, decimals: int, shown: str) -> None:
    assert fmt.number(value, decimals) == shown


def test_an_interval_has_a_true_minus_and_the_word_to() -> None:
    assert fmt.interval(-0.63, 3.53, 2) == "(\u22120.63 to 3.53)"


@pytest.mark.parametrize(
    ("p", "shown"),
    [
        (0.0, "<0.001"),
        (0.00099, "<0.001"),
        (0.001, "0.001"),
        (0.0499, "0.050"),
        (0.1, "0.10"),
        (0.17, "0.17"),
    ],
)
def test_p_values(p: float, shown: str) -> None:
    assert fmt.p_value(p) == shown


@pytest.mark.parametrize(
    ("n", "total", "shown"),
    [
        (3, 7, "3 (43%)"),
        (1, 8, "1 (13%)"),
        (43, 200, "43 (21.5%)"),
        (0, 0, "0 (none in group)"),
        (None, 5, "no data"),
    ],
)
def test_parts(n: int | None, total: int, shown: str) -> None:
    assert fmt.part(n, total) == shown


def test_days_months_dates_and_levels() -> None:
    assert fmt.day_name(182) == "6 months (day 182)"
    assert [fmt.months(day) for day in (0, 365, 548, 730, 913)] == [0, 12, 18, 24, 30]
    assert fmt.date_name("2023-12-31") == "31 December 2023"
    assert fmt.date_name("autumn") == "autumn"
    assert fmt.level_name(0.95) == "95% CI"
    assert fmt.level_name(0.975) == "97.5% CI"


def test_singular_and_plural() -> None:
    assert (fmt.families(1), fmt.children(1)) == ("1 family", "1 child")
    assert (fmt.families(0), fmt.children(1012)) == ("0 families", "1,012 children")
