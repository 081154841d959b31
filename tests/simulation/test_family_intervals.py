"""Coverage of family-robust intervals and size of tests of incidence, as kept in family_intervals.csv."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.simulation.family_intervals import (
    DEPENDENCE,
    HORIZON,
    INTERVALS,
    SINGLETONS,
    TESTS,
    as_markdown,
    cell,
    histories,
    truth,
)
from tests.simulation.size_coverage import design

KEPT = pd.read_csv(Path(__file__).with_name("family_intervals.csv"))
PAGE = Path(__file__).parents[2] / "docs" / "methods" / "family-intervals.md"
KEYS = ["singletons", "dependence", "quantity", "variance"]


def check(table: pd.DataFrame) -> None:
    """What the page claims; four Monte Carlo errors for each comparison with a nominal value."""
    slack = 4 * table["monte_carlo_error"]
    family, interval = table["variance"] == "family", table["quantity"].isin(INTERVALS)
    strong = (table["dependence"] == 0.9) & (table["singletons"] == 0.0)

    def all_of(rows: pd.Series, claim: pd.Series) -> None:
        assert claim[rows].all(), table[rows & ~claim].to_string()

    all_of(family & interval, (table["coverage"] - 0.95).abs() <= slack)
    all_of(family & ~interval, (table["size"] - 0.05).abs() <= slack)
    average = table[family].groupby("quantity")["coverage"].mean()[list(INTERVALS)]
    assert average.between(0.94, 0.96).all(), average.to_string()
    all_of(~family & interval & strong, table["coverage"] < 0.88)
    all_of(~family & ~interval & strong, table["size"] > 0.14)
    all_of(~family & interval & (table["dependence"] > 0), table["coverage"] < 0.94)
    all_of(~family & ~interval & (table["dependence"] > 0), table["size"] > 0.06)


def test_the_committed_result_is_the_whole_grid():
    assert (KEPT.groupby(KEYS).size() == 1).all()
    assert len(KEPT) == len(SINGLETONS) * len(DEPENDENCE) * (len(INTERVALS) + len(TESTS)) * 2
    assert (KEPT["trials"] >= 3_000).all()


def test_the_committed_result_holds():
    check(KEPT)


def test_a_variance_that_forgets_the_family_would_be_seen():
    naive = KEPT[KEPT["variance"] == "independent"]
    with pytest.raises(AssertionError):
        check(pd.concat([naive, naive.assign(variance="family")], ignore_index=True))


@pytest.mark.parametrize(("quantities", "column"), [(INTERVALS, "coverage"), (TESTS, "size")])
def test_the_page_shows_the_committed_numbers(quantities, column):
    assert as_markdown(KEPT, quantities, column) in PAGE.read_text(encoding="utf-8")


def test_histories_have_the_true_values_aimed_at_and_siblings_depend():
    family, _ = design(20_000, 0.0)
    child = histories(family, 0.9, np.random.default_rng(3))
    home, left, back = child["home"], child["left"], child["back"]
    week = [52, HORIZON]
    shares = [(home & (left <= w)).mean() for w in week] + [
        (home & (left <= HORIZON) & (back > HORIZON)).mean()
    ]
    at_home = home * (np.minimum(back, HORIZON) - np.minimum(left, HORIZON))
    np.testing.assert_allclose(shares, truth()[:3], atol=0.015)
    np.testing.assert_allclose([np.minimum(left, HORIZON).mean(), at_home.mean()], truth()[3:5], atol=1.0)
    first = np.flatnonzero(np.diff(family, prepend=-1))
    assert np.corrcoef(np.log(left[first]), np.log(left[first + 1]))[0, 1] > 0.6


@pytest.mark.slow
@pytest.mark.parametrize("place", [(0.72, 0.5), (0.0, 0.9)])
def test_cells_simulated_anew_agree_with_the_committed_ones(place):
    again = cell(*place, trials=1_000, seed=2)
    both = again.merge(KEPT, on=KEYS, suffixes=("", "_kept"))
    assert len(both) == len(again)
    error = np.hypot(both["monte_carlo_error"], both["monte_carlo_error_kept"])
    for quantity in ("coverage", "size"):
        known = both[quantity].notna()
        assert ((both[quantity] - both[quantity + "_kept"]).abs() < 4 * error)[known].all()
