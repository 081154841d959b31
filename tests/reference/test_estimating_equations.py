"""Independence estimating equations against clubSandwich and geepack, for both averages."""

import numpy as np
import pytest

from tests.reference.agreement_averages import averages, averages_by_r

TOLERANCE = {"beta": 1e-6, "se_plain": 1e-5, "se": 1e-5, "p": 1e-5}
DF = 1e-2


@pytest.mark.parametrize(
    ("name", "weights", "theirs"),
    list(averages_by_r()),
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_agrees_with_clubsandwich(name, weights, theirs):
    ours = averages(name, weights)
    assert set(theirs) == set(ours)
    for quantity, want in theirs.items():
        if quantity == "df":
            assert np.abs(ours["df"] - want).max() < DF
        else:
            assert ours[quantity] == pytest.approx(want, rel=TOLERANCE[quantity], abs=1e-14), quantity


def test_the_reference_holds_both_averages_of_four_data_sets():
    assert len({(name, weights) for name, weights, _ in averages_by_r()}) == 8
