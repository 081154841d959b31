"""Recruitment still to come, against R's sum over the rates of the sites."""

from pathlib import Path

import pandas as pd
import pytest

from analysis.stats.accrual import chance_of_recruiting, number_recruited, posterior_rates, time_to_recruit

FOLDER = Path(__file__).parent / "accrual_prediction"
GIVEN = pd.read_csv(FOLDER / "input.csv")
EXPECTED = pd.read_csv(FOLDER / "expected.csv").set_index(["case", "quantity"])["value"]


@pytest.mark.parametrize("case", GIVEN["case"].unique())
def test_time_number_and_chance(case: str) -> None:
    sites, wanted = GIVEN[GIVEN["case"] == case], EXPECTED[case]
    at = sites.iloc[0]
    rates = posterior_rates(sites["recruited"], sites["exposure"], prior_shape=at["prior_shape"])
    time = time_to_recruit(rates, at["wanted"], level=at["level"])
    number = number_recruited(rates, at["horizon"], level=at["level"])
    for part in ("median", "low", "high"):
        assert getattr(time, part) == pytest.approx(wanted[f"time_{part}"], rel=1e-6)
        assert getattr(number, part) == wanted[f"number_{part}"]
    chance = chance_of_recruiting(rates, at["wanted"], at["horizon"])
    assert chance == pytest.approx(wanted["chance"], rel=1e-6)
