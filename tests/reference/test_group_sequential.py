"""Boundaries, power, information and inference after a stop, against rpact."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.stats.monitoring import conditional_power, design_information, stagewise
from analysis.stats.sequential import crossing
from analysis.stats.spending import Spending, boundaries

FOLDER = Path(__file__).parent / "group_sequential"
DESIGNS = pd.read_csv(FOLDER / "designs.csv")
STOPS = pd.read_csv(FOLDER / "stops.csv")
CASES = list(DESIGNS.groupby(["rates", "kind", "alpha", "sided"]))


def spending_of(text: str) -> Spending:
    kind, _, gamma = text.partition(" ")
    return Spending(kind, float(gamma or 0))


@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(map(str, case[0])))
def test_designs(case) -> None:
    (rates, kind, alpha, sided), rows = case
    fractions = [float(each) for each in rates.split()]
    made = boundaries(fractions, spending=spending_of(kind), alpha=alpha, sided=sided)
    # Where analyses lie close together rpact integrates to about 1e-6; our own error is below 1e-10.
    np.testing.assert_allclose(made.critical, rows["critical"], rtol=0, atol=2e-6)
    np.testing.assert_allclose(made.spent, rows["spent"], rtol=0, atol=2e-8)
    information = 100 * np.array(fractions)
    for effect in (0, 20, 35):
        found = crossing(made.critical, information, effect=effect / 100, sided=sided)
        power = found.upper.sum() + found.lower.sum()
        assert power == pytest.approx(rows[f"power_{effect}"].iloc[0], abs=2e-7)
    design = design_information(fractions, made.critical, effect=0.5, power=0.9, sided=sided)
    assert 0.25 * design.maximum_information == pytest.approx(rows["shift"].iloc[0], rel=1e-6)


@pytest.mark.parametrize(
    "row", list(STOPS.itertuples(index=False)), ids=lambda row: f"{row.kind}-{row.stage}"
)
def test_stops(row) -> None:
    information = np.array([24.0, 36.0, 48.0])
    made = boundaries(information, spending=spending_of(row.kind), alpha=0.025)
    # The program estimates the standard deviation over all stages.
    found = stagewise(row.z, critical=made.critical, information=information[: row.stage] / row.sd**2)
    if np.isfinite(row.p):
        assert found.p == pytest.approx(row.p, rel=1e-5, abs=1e-8)
        # Limits of rpact are solved to about 1e-6.
        for name in ("low", "high", "estimate"):
            assert getattr(found, name) == pytest.approx(getattr(row, name), abs=1e-5)
    if np.isfinite(row.conditional_power):
        power = conditional_power(
            row.z,
            information[row.stage - 1],
            future_critical=made.critical[row.stage :],
            future_information=information[row.stage :],
            effect=0.4,
        )
        assert power == pytest.approx(row.conditional_power, abs=1e-6)
