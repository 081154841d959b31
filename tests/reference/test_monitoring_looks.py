"""Looks at unequal information: boundaries, chances of crossing and inference after a stop, against R."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.stats.monitoring import conditional_crossing, design_information, predictive_crossing, stagewise
from analysis.stats.sequential import crossing
from analysis.stats.spending import Spending, boundaries

FOLDER = Path(__file__).parent / "monitoring_looks"
BOUNDS, AFTER, CHANCES, STOPS, PLAN = (
    pd.read_csv(FOLDER / f"{name}.csv") for name in ("bounds", "after", "chances", "stops", "plan")
)
PATHS = list(BOUNDS.groupby(["kind", "path"], sort=False))
MAXIMUM, ALPHA = 1.7, 0.05


def critical_of(kind: str, path: str) -> tuple[np.ndarray, np.ndarray]:
    rows = BOUNDS[(BOUNDS["kind"] == kind) & (BOUNDS["path"] == path)]
    return rows["information"].to_numpy(), rows["critical"].to_numpy()


@pytest.mark.parametrize("case", PATHS, ids=lambda case: "-".join(case[0]))
def test_boundaries_and_power(case) -> None:
    (kind, _), rows = case
    info = rows["information"].to_numpy()
    plan = {"spending": Spending(kind), "alpha": ALPHA, "maximum": MAXIMUM, "sided": 2}
    made = boundaries(info, **plan)
    np.testing.assert_allclose(made.critical, rows["critical"], rtol=0, atol=1e-5)
    np.testing.assert_allclose(made.spent, rows["spent"], rtol=0, atol=1e-8)
    # Look by look, as at meetings: each boundary from those that stand.
    taken: list[float] = []
    for at in range(len(info)):
        here = boundaries(info[: at + 1], **plan, is_final=at == len(info) - 1, taken=taken)
        taken.append(float(here.critical[-1]))
    np.testing.assert_allclose(taken, made.critical, rtol=0, atol=1e-9)
    for name, effect in (("power_0", 0.0), ("power_1", 1.0), ("power_2.5", 2.5)):
        found = crossing(made.critical, info, effect=effect, sided=2)
        assert found.upper.sum() + found.lower.sum() == pytest.approx(rows[name].iloc[0], abs=1e-6)


def test_the_design_of_the_plan(spec) -> None:
    entry = spec.analyses["A70"]
    fractions = [each.fraction for each in entry.looks]
    made = boundaries(fractions, spending=Spending(entry.spending.kind), alpha=ALPHA, sided=2)
    np.testing.assert_allclose(made.critical[1:], PLAN["critical"][1:], rtol=0, atol=1e-5)
    found = design_information(fractions, made.critical, effect=entry.design.effect, power=0.9, sided=2)
    drift = found.maximum_information * entry.design.effect**2
    assert drift == pytest.approx(PLAN["shift"].iloc[0], rel=1e-6)


@pytest.mark.parametrize(
    "row", list(CHANCES.itertuples(index=False)), ids=lambda row: "-".join(row[:2] + row[3:4])
)
def test_chances_of_crossing(row) -> None:
    info, critical = critical_of(row.kind, row.path)
    future = {"future_critical": critical[1:], "future_information": info[1:], "sided": 2}
    if row.drift == "predictive":
        found = predictive_crossing(row.z, info[0], **future)
    else:
        effect = {"trend": row.z / np.sqrt(info[0]), "design": -2.5, "none": 0.0}[row.drift]
        found = conditional_crossing(row.z, info[0], effect=effect, **future)
    np.testing.assert_allclose(found, (row.above, row.below), rtol=0, atol=1e-6)


# A stop at the first look is a fixed test; of the others every third is enough.
LATER = AFTER[AFTER["look"] > 1].iloc[::3]


@pytest.mark.parametrize(
    "row", list(LATER.itertuples(index=False)), ids=lambda row: f"{row.kind}-{row.path}-{row.look}"
)
def test_inference_after_a_stop(row) -> None:
    info, critical = critical_of(row.kind, row.path)
    found = stagewise(row.z, critical=critical, information=info[: row.look], sided=2)
    assert found.p == pytest.approx(row.p, abs=1e-7)
    for name in ("estimate", "low", "high"):
        assert getattr(found, name) == pytest.approx(getattr(row, name), abs=1e-5)


@pytest.mark.parametrize("row", list(STOPS.itertuples(index=False)), ids=lambda row: f"{row.kind}-{row.look}")
def test_stops_of_rpact(row) -> None:
    kind = {"asOF": "obrien_fleming", "asP": "pocock"}[row.kind]
    information = np.array([21.0, 40.0, 64.0])
    made = boundaries(information, spending=Spending(kind), alpha=0.025)
    found = stagewise(row.z, critical=made.critical, information=information[: row.look] / row.sd**2)
    assert found.p == pytest.approx(row.p, rel=1e-5, abs=1e-8)
    for name in ("estimate", "low", "high"):
        assert getattr(found, name) == pytest.approx(getattr(row, name), abs=1e-5)
