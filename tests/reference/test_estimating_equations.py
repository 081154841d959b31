"""Independence estimating equations against clubSandwich and geepack, for both averages."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.stats.estimating_equations import independence, robust_contrast
from tests.reference.agreement_mixed import load

TOLERANCE = {"beta": 1e-6, "se_plain": 1e-5, "se": 1e-5, "p": 1e-5}
DF = 1e-2


def expected() -> pd.DataFrame:
    return pd.read_csv(
        Path(__file__).parent / "gee_independence" / "expected.csv", float_precision="round_trip"
    )


@pytest.mark.parametrize("weights", ["child", "family"])
@pytest.mark.parametrize("name", ["mathachieve", "orthodont", "chickweight", "sleepstudy"])
def test_agrees_with_clubsandwich(name, weights):
    y, X, data = load(f"lmm_{name}")
    cluster = data["cluster"]
    size = cluster.map(cluster.value_counts()).to_numpy()
    fit = independence(y, X, cluster.to_numpy(), weights=None if weights == "child" else 1.0 / size)
    tests = [robust_contrast(fit, row) for row in np.eye(X.shape[1])]
    ours = {
        "beta": fit.beta,
        "se_plain": np.sqrt(np.diagonal(fit.vcov_plain)),
        "se": np.array([each.se for each in tests]),
        "df": np.array([each.df for each in tests]),
        "p": np.array([each.p for each in tests]),
    }
    table = expected()
    table = table[(table["name"] == name) & (table["weights"] == weights)]
    assert set(table["quantity"]) == set(ours)
    for quantity, rows in table.groupby("quantity"):
        want = rows["value"].to_numpy()
        if quantity == "df":
            assert np.abs(ours["df"] - want).max() < DF
        else:
            assert ours[quantity] == pytest.approx(want, rel=TOLERANCE[quantity], abs=1e-14), quantity
