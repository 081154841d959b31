"""Size of the group-sequential test in the trial's own design, as kept in sequential_size.csv."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.special import ndtri

from analysis.stats.spending import Spending, boundaries
from tests.simulation.sequential_size import (
    ALPHA,
    CORRELATIONS,
    KEYS,
    REFERENCES,
    SCHEDULES,
    SPENDING,
    THIRDS,
    Looks,
    as_markdown,
    cell,
    critical_values,
    stops,
)

KEPT = pd.read_csv(Path(__file__).with_name("sequential_size.csv"))
PAGE = Path(__file__).parents[2] / "docs" / "methods" / "sequential-size.md"


def check(table: pd.DataFrame) -> None:
    """What the page claims, each comparison with three Monte Carlo errors."""
    slack = 3 * table["monte_carlo_error"]
    adjusted, trial = table["reference"] == "kenward_roger", table["families"] == 286
    correlated, small = table["icc"] >= 0.3, table["families"] == 60

    def all_of(rows: pd.Series, claim: pd.Series) -> None:
        assert claim[rows].all(), table[rows & ~claim].to_string()

    all_of(adjusted, table["size"] <= ALPHA + slack)
    all_of(adjusted & trial & correlated, (table["size"] - ALPHA).abs() <= slack)
    all_of(adjusted, table["size"] >= 0.035 - slack)
    all_of(~adjusted & small & correlated, table["size"] > ALPHA + slack)


def test_the_committed_result_is_the_whole_grid():
    cells = KEPT.groupby(KEYS).size()
    assert (cells == 1).all()
    assert len(cells) == len(SCHEDULES) * len(CORRELATIONS) * len(SPENDING) * len(REFERENCES)
    assert (KEPT["trials"] >= 20_000).all()


def test_the_committed_result_holds():
    check(KEPT)


def test_a_test_that_does_not_keep_its_size_would_be_seen():
    with pytest.raises(AssertionError):
        check(KEPT.assign(size=KEPT["size"].where(KEPT["reference"] == "normal", 0.057)))


def test_the_looks_spend_what_the_function_says():
    """Pocock's function is nearly straight: the mean of what trials spend is what their mean spends."""
    trial = (KEPT["families"] == 286) & (KEPT["icc"] == 0.3)
    of = trial & (KEPT["reference"] == "kenward_roger") & (KEPT["spending"] == "pocock")
    assert of.any()
    for row in KEPT[of].itertuples():
        spent = 2 * Spending(row.spending).spent(ALPHA / 2, row.fraction_2)
        error = np.sqrt(spent * (1 - spent) / row.trials)
        assert abs(row.stopped_1 + row.stopped_2 - spent) < 4 * error


def test_the_page_shows_the_committed_numbers():
    assert as_markdown(KEPT) in PAGE.read_text(encoding="utf-8")


def test_trials_stop_once_and_at_their_first_crossing():
    bound = float(-ndtri(ALPHA / 2))
    z = np.array([[9.0, 9.0], [0.0, bound + 0.5], [0.0, 0.0]])
    looks = Looks(np.tile([1.0, 2.0], (3, 1)), {"normal": z})
    found = stops(looks, "obrien_fleming", 2.0)["normal"]
    assert found == pytest.approx([1 / 3, 1 / 3])


def test_a_look_whose_information_does_not_rise_tests_nothing_and_the_last_spends_what_is_left():
    first, second, last = critical_values(np.array([1.0, 1.005, 2.0]), "pocock", 2.0)
    assert np.isinf(second)
    whole = boundaries([1.0, 2.0], spending=Spending("pocock"), alpha=ALPHA, sided=2).critical
    assert [first, last] == pytest.approx(whole)
    first, fallen = critical_values(np.array([1.0, 0.9]), "pocock", 2.0)
    spent = 2 * Spending("pocock").spent(ALPHA / 2, 0.5)
    assert fallen == pytest.approx(-ndtri((ALPHA - spent) / 2)) and first > -ndtri(ALPHA / 2)


@pytest.mark.slow
def test_a_cell_simulated_anew_agrees_with_the_committed_one():
    again = cell(286, THIRDS, 0.3, trials=5_000, seed=2)
    both = again.merge(KEPT, on=KEYS, suffixes=("", "_kept"))
    error = np.hypot(both["monte_carlo_error"], both["monte_carlo_error_kept"])
    assert len(both) == len(again)
    assert ((both["size"] - both["size_kept"]).abs() < 4 * error).all()
