"""Size and coverage of the mixed model in the trial's own design, as kept in size_coverage.csv."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.simulation.size_coverage import (
    CORRELATIONS,
    FAMILIES,
    MODELS,
    SHOWN,
    SINGLETONS,
    as_markdown,
    cell,
    design,
    outcomes,
)

KEPT = pd.read_csv(Path(__file__).with_name("size_coverage.csv"))
PAGE = Path(__file__).parents[2] / "docs" / "methods" / "size-and-coverage.md"


def check(table: pd.DataFrame) -> None:
    """What the page claims; four Monte Carlo errors for each comparison with a nominal value."""
    slack = 4 * table["monte_carlo_error"]
    bounded, adjusted = table["model"] == "random_intercept", table["reference"] == "kenward_roger"
    large, correlated = table["families"] >= 60, table["icc"] >= 0.3

    def all_of(rows: pd.Series, claim: pd.Series) -> None:
        assert claim[rows].all(), table[rows & ~claim].to_string()

    all_of(bounded & adjusted, table["size"] <= 0.05 + slack)
    all_of(bounded & adjusted, table["coverage"] >= 0.95 - slack)
    all_of(bounded & adjusted & large & correlated, table["size"] >= 0.048 - slack)
    all_of(bounded & adjusted, table["size"] >= 0.025)
    all_of(adjusted & (table["families"] >= 100), table["size"] <= 0.053 + slack)
    all_of(~adjusted & (table["families"] <= 60) & correlated, table["size"] > 0.05 + slack)
    all_of(bounded, table["without_maximum"] == 0.0)
    all_of(table["families"] >= 200, table["without_maximum"] < 0.001)


def test_the_committed_result_is_the_whole_grid():
    cells = KEPT.groupby(["families", "singletons", "icc", "model", "reference"]).size()
    assert (cells == 1).all()
    assert len(cells) == len(FAMILIES) * len(SINGLETONS) * len(CORRELATIONS) * len(MODELS) * 2
    assert (KEPT["trials"] >= 10_000).all()


def test_the_committed_result_holds():
    check(KEPT)


def test_a_test_that_does_not_keep_its_size_would_be_seen():
    adjusted = KEPT["reference"] == "kenward_roger"
    with pytest.raises(AssertionError):
        check(KEPT.assign(size=KEPT["size"].where(~adjusted, 0.055)))
    with pytest.raises(AssertionError):
        check(KEPT.assign(coverage=KEPT["coverage"].where(~adjusted, 0.945)))


@pytest.mark.parametrize("quantity", SHOWN)
def test_the_page_shows_the_committed_numbers(quantity):
    assert as_markdown(KEPT, *quantity) in PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("correlation", [-0.1, 0.3])
def test_outcomes_have_the_correlation_asked_for(correlation):
    family, X = design(60, 0.72)
    drawn = outcomes(family, correlation, 20_000, np.random.default_rng(3))
    expected = np.where(family[:, None] == family, correlation, 0.0) + (1.0 - correlation) * np.eye(
        len(family)
    )
    assert np.abs(np.cov(drawn) - expected).max() < 6 / np.sqrt(20_000)
    assert np.mean(np.bincount(family) == 1) == pytest.approx(0.72, abs=0.01)
    assert (np.ptp(X[family == family[-1]][:, :3], axis=0) == 0.0).all()


@pytest.mark.slow
@pytest.mark.parametrize("place", [(30, 0.8, 0.0), (60, 0.72, -0.1), (100, 0.72, 0.3), (400, 0.8, 0.6)])
def test_cells_simulated_anew_agree_with_the_committed_ones(place):
    again = cell(*place, trials=20_000, seed=2)
    keys = ["families", "singletons", "icc", "model", "reference"]
    both = again.merge(KEPT, on=keys, suffixes=("", "_kept"))
    assert len(both) == len(again) == 4
    error = np.hypot(both["monte_carlo_error"], both["monte_carlo_error_kept"])
    for quantity in ("size", "coverage"):
        assert ((both[quantity] - both[quantity + "_kept"]).abs() < 4 * error).all()
