"""The pipeline recovers the truth file's effects (slow; the committed recovery.csv is its result)."""

from pathlib import Path

import pandas as pd
import pytest

from tests.simulation.recovery import recover

KEPT = Path(__file__).with_name("recovery.csv")


def check(table: pd.DataFrame) -> None:
    """Bias within Monte Carlo error and coverage of the 95 % intervals between 93 and 97 %."""
    assert (table["bias"].abs() <= 4 * table["monte_carlo_error"]).all()
    assert table["coverage"].between(0.93, 0.97).all()


def test_the_committed_result_holds():
    table = pd.read_csv(KEPT)
    assert (table["trials"] >= 1000).all()
    assert len(table) > 20
    check(table)


def test_a_biased_estimate_or_a_narrow_interval_would_be_seen():
    table = pd.read_csv(KEPT)
    with pytest.raises(AssertionError):
        check(table.assign(bias=table["bias"] + 5 * table["monte_carlo_error"]))
    with pytest.raises(AssertionError):
        check(table.assign(coverage=0.92))


@pytest.mark.slow
def test_a_thousand_trials_from_raw_exports_to_results():
    check(recover(1000))
