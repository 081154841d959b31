"""Standardised risks against R's glm with plain matrix algebra, on two public clustered data sets."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.stats.standardisation import standardised_risks

HERE = Path(__file__).parent


@pytest.mark.parametrize("folder", ["std_respiratory", "std_ohio"])
def test_agrees_with_r(folder):
    data = pd.read_csv(HERE / folder / "input.csv", dtype={"cluster": str})
    X = np.column_stack([np.ones(len(data)), data.drop(columns=["event", "cluster"])])
    found = standardised_risks(data["event"], X, 1, data["cluster"].to_numpy())
    theirs = pd.read_csv(HERE / folder / "expected.csv", float_precision="round_trip")
    want = theirs.set_index("quantity")
    ours = {
        "treated": found.treated,
        "control": found.control,
        "difference": found.difference,
        "log_ratio": found.ratio,
    }
    for name, each in ours.items():
        value = np.log(each.estimate) if name == "log_ratio" else each.estimate
        assert value == pytest.approx(want.loc[name, "value"], rel=1e-6)
        assert each.se == pytest.approx(want.loc[name, "se"], rel=1e-5)
        assert each.df == want.loc[name, "df"]
