"""Recruitment and balance at any cut: the synthetic trial by both programmers, and thin data."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from analysis.data.allocation import Allocated, read_allocated
from analysis.models.registry import FAMILIES, fit_all
from analysis.qc.agreement import agree
from analysis.qc.kept import Kept
from analysis.qc.tables import Tables
from analysis.results import Failure, select

CUTS = ("2012-03-01", "2013-02-28", "2017-12-31", "2019-06-30", "2021-07-31")


@pytest.fixture(scope="module")
def closed(trial, spec) -> Allocated:
    return read_allocated(trial.allocated, spec, view="closed")


def at_cut(data: Allocated, day: str) -> Allocated:
    """The same trial, looked at on another day."""
    rows, cut = data.tables["recruitment"], pd.Timestamp(day)
    late = rows["randomisation_date"] > cut
    columns = ["family_id", "randomisation_date", "screening_outcome"]
    rows = rows.assign(**{name: rows[name].mask(late) for name in columns}, cut_date=cut)
    return replace(data, tables={**data.tables, "recruitment": rows[rows["referral_date"] <= cut]})


def fitted(data: Allocated, spec, family: str = "accrual"):
    (result,) = fit_all(FAMILIES[family], data, spec)
    return result


def count(result, name: str, **labels: str) -> int:
    (found,) = select(result.counts, name=name, **labels)
    return found.value


@pytest.mark.parametrize("day", CUTS)
def test_both_programmers_agree_at_every_cut(closed, spec, day: str) -> None:
    data = at_cut(closed, day)
    tables = Tables(data.tables, spec)
    results = [fitted(data, spec, name) for name in ("accrual", "balance")]
    for found in agree({each.analysis: each for each in results}, tables, Kept()):
        assert [each.name for each in found.differing] == []


def test_counts_add_up(closed, spec) -> None:
    result = fitted(at_cut(closed, "2019-06-30"), spec)
    for unit in ("families", "children"):
        referred, randomised = (
            count(result, f"{of}_{unit}", site="all") for of in ("referred", "randomised")
        )
        for name, whole in (
            ("screened", referred),
            ("in_epoch", randomised),
            ("in_year", randomised),
        ):
            parts = select(result.counts, name=f"{name}_{unit}", site="all")
            assert sum(each.value for each in parts) == whole
        assert sum(count(result, f"randomised_{unit}", site=site) for site in spec.trial.sites) == randomised
        (curve,) = select(result.curves, name="randomised", site="all", unit=unit)
        assert curve.value[-1] == randomised and list(curve.value) == sorted(curve.value)


@pytest.mark.parametrize(
    ("day", "state", "projected"),
    [("2012-03-01", "open", False), ("2019-06-30", "open", True), ("2021-07-31", "ended", False)],
)
def test_a_finish_is_projected_while_recruitment_is_open(closed, spec, day, state, projected) -> None:
    result = fitted(at_cut(closed, day), spec)
    (target,) = select(result.counts, name="target")
    assert (target.value, target.labels["state"]) == (390, state)
    assert bool(select(result.estimates, name="finish")) == projected
    assert any("no projection" in note for note in result.notes) == (day == "2012-03-01")


def test_a_target_that_is_met_is_met_whatever_the_day(closed, spec) -> None:
    recruitment = spec.trial.recruitment
    few = recruitment.model_copy(update={"target": recruitment.target.model_copy(update={"families": 256})})
    other = replace(spec, trial=spec.trial.model_copy(update={"recruitment": few}))
    result = fitted(at_cut(closed, "2019-06-30"), other)
    assert select(result.counts, name="target")[0].labels["state"] == "met"
    assert select(result.estimates, name="finish") == ()


def test_the_projection_is_that_of_the_last_year(closed, spec) -> None:
    """62 families in the 365 days before the cut and 134 to come: a Pearson VI distribution."""
    rows = at_cut(closed, "2019-06-30").tables["recruitment"]
    recent = (rows["randomisation_date"] > pd.Timestamp("2018-06-30")).sum()
    result = fitted(at_cut(closed, "2019-06-30"), spec)
    left = 390 - count(result, "randomised_families", site="all")
    draw = np.random.default_rng(7)
    rate = draw.gamma(recent + 1.0, 1 / 365, 200_000)
    time = draw.gamma(left, 1 / rate)
    (finish,) = select(result.estimates, name="finish")
    for each, share in ((finish.value, 0.5), (finish.low, 0.025), (finish.high, 0.975)):
        assert (time < each).mean() == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / len(time)))
    (chance,) = select(result.estimates, name="chance_of_target")
    assert (time < 762).mean() == pytest.approx(chance.value, abs=0.005)


def test_nobody_by_the_cut_is_a_reason_not_a_crash(closed, spec) -> None:
    data = at_cut(closed, "2010-01-01")
    for family in ("accrual", "balance"):
        result = fitted(data, spec, family)
        assert isinstance(result, Failure) and "by the data cut" in result.reason


def test_one_family_and_an_arm_without_any(closed, spec) -> None:
    rows = closed.tables["recruitment"]
    one = rows[rows["arm"] == "NIM"].head(1)
    data = replace(closed, tables={**closed.tables, "recruitment": one})
    assert count(fitted(data, spec), "randomised_families", site="all") == 1
    balance = fitted(data, spec, "balance")
    assert [count(balance, "families", arm=arm) for arm in ("NIM", "SAU")] == [1, 0]
    assert select(balance.estimates, name="imbalance", unit="families")[0].value == 1.0


def test_a_site_that_is_not_open_has_no_rate(closed, spec) -> None:
    """By neither programmer, whether London opens after the cut or, against the rules, after the last day."""
    for opened, day in (("2017-08-29", "2017-08-28"), ("2024-01-01", "2021-07-31")):
        days = {**spec.trial.recruitment.opened, "LON": opened}
        recruitment = spec.trial.recruitment.model_copy(update={"opened": days})
        other = replace(spec, trial=spec.trial.model_copy(update={"recruitment": recruitment}))
        data = at_cut(closed, day)
        result = fitted(data, other)
        rates = {(each.labels["site"], each.value is None) for each in select(result.estimates, name="rate")}
        assert rates == {("all", False), ("GLA", False), ("LON", True)}
        (found,) = agree({result.analysis: result}, Tables(data.tables, other), Kept())
        assert [each.name for each in found.differing] == []


def test_families_before_the_first_day_are_told(closed, spec) -> None:
    """None is in the trial as it is; with one of the year before, the years lack it and a note says so."""
    told = "1 family is dated as randomised before the first day of recruitment, 2011-12-01"
    assert not any("before the first day" in note for note in fitted(closed, spec).notes)
    rows = closed.tables["recruitment"].copy()
    rows.loc[rows["family_id"].first_valid_index(), "randomisation_date"] = pd.Timestamp("2010-12-31")
    result = fitted(replace(closed, tables={**closed.tables, "recruitment": rows}), spec)
    assert any(note.startswith(told) for note in result.notes)
    years = sum(each.value for each in select(result.counts, name="in_year_families", site="all"))
    assert years == count(result, "randomised_families", site="all") - 1


def test_levels_that_nobody_has_are_shown_with_zero(closed, spec) -> None:
    rows = closed.tables["recruitment"]
    data = replace(closed, tables={**closed.tables, "recruitment": rows[rows["site"] == "GLA"]})
    assert (
        count(fitted(data, spec, "balance"), "stratum_families", arm="NIM", factor="site", level="LON") == 0
    )
    assert count(fitted(data, spec), "randomised_children", site="LON") == 0


def test_the_order_of_rows_does_not_matter(closed, spec) -> None:
    rows = closed.tables["recruitment"]
    shuffled = rows.sample(frac=1, random_state=3)
    other = replace(closed, tables={**closed.tables, "recruitment": shuffled})
    for family in ("accrual", "balance"):
        assert fitted(other, spec, family) == fitted(closed, spec, family)
