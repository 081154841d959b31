"""Which times an entry selects: clocks that begin elsewhere, dates of decisions, and the waiting subset."""

import numpy as np
import pandas as pd
import pytest

from analysis.data.allocation import read_allocated
from analysis.errors import ModelError
from analysis.models import hazard, incidence, occupation
from analysis.models.events import from_origin, select_events
from analysis.results import select
from tests.unit.models.small_trial import DAY_0, altered, events, small_trial

CHILDREN = [
    ("C1", "F1", "NIM", "GLA"),
    ("C2", "F1", "NIM", "GLA"),
    ("C3", "F2", "SAU", "GLA"),
    ("C4", "F3", "SAU", "GLA"),
]


@pytest.fixture(scope="module")
def closed(trial, spec):
    return read_allocated(trial.allocated, spec, view="closed")


def on_day(days: int) -> pd.Timestamp:
    return DAY_0 + pd.Timedelta(days=days)


@pytest.mark.parametrize(
    ("came", "expected"),
    [
        (0, [(0, 50), (30, 80)]),
        (-20, [(20, 70), (50, 100)]),
        (40, [(0, 10), (0, 40)]),
        (50, [(0, 30)]),
        (80, []),
    ],
    ids=["the same day", "earlier", "between", "on the day that one ends", "on the day that all end"],
)
def test_a_clock_shifts_and_cuts(came, expected):
    rows = pd.DataFrame({"start": [0, 30], "stop": [50, 80], "zero": DAY_0, "came": on_day(came)})
    moved = from_origin(rows, rows["zero"], "came", start="start", stop="stop")
    assert list(zip(moved["start"], moved["stop"], strict=True)) == expected


def test_time_before_a_child_is_first_observed_is_not_time_at_risk(closed, spec):
    """From entry to care the days under observation are those since randomisation, and no others."""
    event = spec.analyses["A30E"].event
    later = select_events(closed, "in_records", event, origin="care_entry_date").set_index("child_id")
    usual = select_events(closed, "in_records", event).set_index("child_id").loc[later.index]
    waited = (usual["randomisation_date"] - usual["care_entry_date"]).dt.days
    assert (waited > 0).any()
    before = waited.clip(upper=0)  # care began after randomisation: those days are cut off
    assert (
        (later["time_days"] - later["entry_days"]) == usual["time_days"] - usual["entry_days"] + before
    ).all()
    assert (later["entry_days"] == (usual["entry_days"] + waited).clip(lower=0)).all()
    assert (later["cause"].fillna("") == usual["cause"].fillna("")).all()


@pytest.mark.parametrize("days", [0, 40])
def test_a_clock_that_runs_ahead_by_the_same_days_for_all_changes_nothing(closed, spec, days):
    """Risk sets are the same; a probability stands as many days later."""

    def came(frame):
        return frame.assign(care_entry_date=frame["randomisation_date"] - pd.Timedelta(days=days))

    data = altered(closed, subjects=came)
    usual, moved = (hazard.fit(spec.analyses[name], data, spec).estimates for name in ("A30", "A30E"))
    assert usual[:-1] == moved[:-1]
    assert (moved[-1].name, moved[-1].value - usual[-1].value) == ("last_day", days)
    for module, names in ((incidence, ("A31", "A31E")), (occupation, ("A40U", "A40E"))):
        entries = [
            spec.analyses[name].model_copy(update={"strata": ("site",), "days": at})
            for name, at in zip(names, ((182, 365), (182 + days, 365 + days)), strict=True)
        ]
        usual, moved = (module.fit(entry, data, spec).estimates for entry in entries)
        both = [each for each in zip(usual, moved, strict=True) if "day" in each[0].labels]
        assert both
        for one, other in both:
            assert (one.value, one.se) == pytest.approx((other.value, other.se), abs=1e-12)


def test_a_decision_is_never_later_than_the_legal_date(closed, spec):
    both = {
        basis: select_events(closed, "in_records", spec.analyses[name].event).set_index("child_id")
        for basis, name in (("legal", "A30"), ("decision", "A30D"))
    }
    legal, decision = both["legal"].loc[both["decision"].index], both["decision"]
    assert len(decision) <= len(both["legal"])
    assert (decision["time_days"] <= legal["time_days"]).all()
    assert (decision["time_days"] < legal["time_days"]).any()
    assert decision["happened"][legal["happened"]].all()


def test_a_decision_on_the_legal_date_is_the_legal_analysis(closed, spec):
    def at_once(table):
        legal = table[table["basis"] == "legal"]
        return pd.concat([legal, legal.assign(basis="decision")])

    data = altered(closed, events=at_once)
    assert (
        hazard.fit(spec.analyses["A30D"], data, spec).estimates
        == hazard.fit(spec.analyses["A30"], data, spec).estimates
    )


def test_only_causes_asked_for_are_events(spec):
    times = {"C1": (10, "home"), "C2": (20, "died"), "C3": (30, None), "C4": (40, "adopted")}
    data = small_trial(spec, CHILDREN, events=events(CHILDREN, times))
    rows = select_events(data, "in_records", spec.analyses["A30"].event)
    assert rows["child_id"].tolist() == ["C1", "C2", "C3", "C4"]
    assert rows["happened"].tolist() == [True, False, False, True]


def test_nobody_with_such_a_time_is_named(spec):
    data = small_trial(spec, CHILDREN, events=events(CHILDREN, {"C1": (10, "home")}))
    with pytest.raises(
        ModelError, match="nobody of population in_records has a time of PERMANENCE by physical"
    ):
        select_events(data, "in_records", spec.analyses["A30P"].event)


def test_the_waiting_subset_is_those_who_went_home(closed, spec):
    result = hazard.fit(spec.analyses["A42"], closed, spec)
    moves = closed.tables["transitions"]
    people = closed.tables["subjects"]
    moves = moves[
        (moves["basis"] == "legal")
        & (moves["target_state"] == "home")
        & moves["child_id"].isin(people.loc[people["is_in_records"], "child_id"])
    ].drop_duplicates("child_id")
    ends = closed.tables["transitions"].groupby(["basis", "child_id"])["stop"].max()["legal"]
    waiting = moves[moves["stop"] < moves["child_id"].map(ends)]
    for arm in ("NIM", "SAU"):
        (children,) = select(result.counts, name="children", arm=arm)
        assert children.value == (waiting["arm"] == arm).sum() > 0
    assert result.estimand is None


def test_probabilities_by_hand(spec):
    """Three of four children in the arm are placed by day 365, one is lost before the second of them."""
    children = [(f"C{at}", f"F{at}", arm, "GLA") for at, arm in enumerate(["NIM"] * 4 + ["SAU"] * 2)]
    times = {
        **{"C0": (100, "home"), "C1": (150, None), "C2": (200, "kin"), "C3": (300, "home")},
        **{"C4": (1000, None), "C5": (365, "home")},
    }
    data = small_trial(spec, children, events=events(children, times))
    entry = spec.analyses["A31"].model_copy(update={"days": (200, 365)})
    found = {
        (each.labels["cause"], each.labels["day"]): each.value
        for each in select(incidence.fit(entry, data, spec).estimates, name="probability", arm="NIM")
    }
    assert found["home", "200"] == pytest.approx(1 / 4)
    assert found["kin", "200"] == pytest.approx(3 / 4 * 1 / 2)
    assert found["home", "365"] == pytest.approx(1 / 4 + 3 / 8)
    assert np.isclose(found["adopted", "365"], 0)
