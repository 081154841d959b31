"""The cautions of the published figures are arithmetic on printed numbers; here it is done again."""

from math import sqrt

import pytest
from pydantic import ValidationError
from scipy.stats import norm

from analysis.spec.reported import Reported

SHOWN = {"id": "R99", "quantity": "A figure", "value": "1.4", "source": "A paper"}
FOUND = {"analysis": "A01", "find": {"estimate": "difference"}}


def printed(spec, name: str) -> float:
    return float(spec.reported[name].number)


def error_of(low: float, high: float) -> float:
    return (high - low) / (2 * norm.ppf(0.975))


def two_sided(z: float) -> float:
    return 2 * norm.sf(abs(z))


def test_the_interval_of_the_primary_result(spec) -> None:
    low, high = printed(spec, "R15"), printed(spec, "R16")
    se, middle = error_of(low, high), (low + high) / 2
    assert round(se, 2) == 1.06 and round(middle, 2) == 1.45
    assert round(two_sided(middle / se), 2) == printed(spec, "R17")
    assert round(two_sided(printed(spec, "R14") / se), 2) == 0.19
    assert round(printed(spec, "R10") - printed(spec, "R12"), 1) == 0.4
    alone = sqrt(printed(spec, "R11") ** 2 / 149 + printed(spec, "R13") ** 2 / 137)
    assert round(alone, 2) == 0.88


def test_the_interaction_and_the_intervals_of_girls_and_boys(spec) -> None:
    girls, boys = error_of(0.12, 5.82), error_of(-2.82, 3.09)
    gap = printed(spec, "R27") - printed(spec, "R31")
    assert round(two_sided(gap / sqrt(girls**2 + boys**2)), 2) == 0.18
    needed = gap / norm.isf(printed(spec, "R26") / 2)
    correlation = (girls**2 + boys**2 - needed**2) / (2 * girls * boys)
    assert 0.6 < correlation < 0.7


def test_counts_that_do_not_fit_each_other(spec) -> None:
    lost = printed(spec, "R02") - printed(spec, "R05")
    assert lost == 49 and round(lost / printed(spec, "R03"), 1) == 2.2
    assert round(printed(spec, "R02") / printed(spec, "R01"), 2) == 1.28
    families = printed(spec, "R04") - printed(spec, "R06")
    assert (families, printed(spec, "R05") - printed(spec, "R07")) == (74, 72)
    shares = [round(100 * girls / total, 1) for girls, total in ((206, 439), (207, 439), (206, 438))]
    assert shares == [46.9, 47.2, 47.0]


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {**FOUND, "absent": "no"},
        {"analysis": "A01"},
        {**FOUND, "value": "about 1"},
        {**FOUND, "find": {"estimate": "mean", "count": "families"}},
        {**FOUND, "find": {"count": "families", "part": "p"}},
        {"absent": "no", "per": {"count": "families"}},
    ],
)
def test_an_entry_that_says_too_little_or_too_much_is_refused(wrong: dict) -> None:
    Reported(**SHOWN, **FOUND)
    with pytest.raises(ValidationError):
        Reported(**{**SHOWN, **wrong})
