"""The families on the synthetic trial: published numbers, sums that must hold, and arms swapped."""

from dataclasses import replace

import numpy as np
import pytest

from analysis.data.allocation import allocate, read_allocated, read_pooled
from analysis.data.table import read_table
from analysis.models.registry import FAMILIES, fit_all
from analysis.results import ResultFile, Stamp, read_results, select, to_json
from analysis.spec.tables import ALLOCATED_TABLES, REVEALING_TABLES


@pytest.fixture(scope="module")
def closed(trial, spec):
    return fitted(read_allocated(trial.allocated, spec, view="closed"), spec)


@pytest.fixture(scope="module")
def swapped(trial, spec):
    """The same trial with the names of the arms exchanged."""
    folders = dict.fromkeys(ALLOCATED_TABLES, trial.derived)
    folders |= dict.fromkeys(REVEALING_TABLES, trial.folder / "closed" / "derived")
    tables = {name: read_table(at / f"{name}.csv", spec.table(name)) for name, at in folders.items()}
    path = trial.folder / "closed" / "clean" / "allocation.csv"
    allocation = read_table(path, spec.table("allocation"))
    other = allocation.assign(arm=allocation["arm"].map({"NIM": "SAU", "SAU": "NIM"}))
    return fitted(allocate(tables, other, spec, view="closed"), spec)


def fitted(data, spec, names=tuple(FAMILIES)):
    return {result.analysis: result for name in names for result in fit_all(FAMILIES[name], data, spec)}


def count(result, name, **labels) -> int:
    (found,) = select(result.counts, name=name, **labels)
    return found.value


@pytest.mark.parametrize(
    ("stage", "box", "arm", "families", "children"),
    [
        ("randomised", "in", "All", 382, 488),
        ("eligible", "removed", "All", 22, 49),
        ("eligible", "in", "All", 360, 439),
        ("followed_up", "in", "All", 286, 367),
        ("followed_up", "in", "NIM", 149, None),
        ("followed_up", "in", "SAU", 137, None),
    ],
)
def test_the_flow_is_the_published_one(closed, stage, box, arm, families, children):
    flow = closed["N01"]
    assert count(flow, "families", stage=stage, box=box, arm=arm) == families
    if children is not None:
        assert count(flow, "children", stage=stage, box=box, arm=arm) == children


def test_arms_add_up_to_all(closed, spec):
    counts = closed["N01"].counts
    for each in select(counts, arm="All"):
        where = {key: each.labels[key] for key in ("stage", "box")}
        parts = [
            other.value
            for arm in ("NIM", "SAU")
            for other in select(counts, name=each.name, arm=arm, **where)
        ]
        assert not parts or sum(parts) == each.value


def test_serious_adverse_events_are_the_published_ones(closed):
    harms = closed["A50"]
    assert count(harms, "events", arm="NIM", category="any") == 21
    assert count(harms, "events", arm="SAU", category="any") == 31


def test_every_category_of_harm_has_a_row_and_they_add_up(closed, spec):
    for arm in ("NIM", "SAU"):
        parts = [
            count(closed["A50"], "events", arm=arm, category=each) for each in spec.codes["event_category"]
        ]
        assert sum(parts) == count(closed["A50"], "events", arm=arm, category="any")
        assert 0 in parts


@pytest.mark.parametrize(("family", "analysis"), [("hazard", "A30"), ("incidence", "A30K")])
def test_a_child_counts_from_its_entry_only(closed, trial, spec, family, analysis):
    """Observed from the day before its event, a child is not at risk at the events of others before."""
    data = read_allocated(trial.allocated, spec, view="closed")
    events = data.tables["events"]
    late = events.assign(
        entry_days=np.where(events["cause"].notna(), events["time_days"] - 1, events["entry_days"])
    )
    other = fitted(replace(data, tables={**data.tables, "events": late}), spec, [family])[analysis]
    values = {tuple(each.labels.items()): each.value for each in closed[analysis].estimates}
    assert [each for each in other.estimates if each.value != values[tuple(each.labels.items())]]


@pytest.mark.parametrize("name", ["A40", "A40U", "A40P"])
def test_states_sum_to_one_and_days_to_the_horizon(closed, spec, name):
    result = closed[name]
    for arm in ("NIM", "SAU"):
        curves = [np.array(curve.value) for curve in select(result.curves, arm=arm)]
        assert np.allclose(sum(curves), 1, atol=1e-12)
        days = [
            select(result.estimates, name="days_in_state", arm=arm, state=each)[0].value
            for each in spec.states.states
        ]
        assert sum(days) == pytest.approx(913, abs=1e-9)
        (home,) = select(result.estimates, name="days_in_state", arm=arm, state="family_home")
        parts = [dict(zip(spec.states.states, days, strict=True))[each] for each in spec.states.family_home]
        assert home.value == pytest.approx(sum(parts))


def test_routes_add_up_to_any_route(closed, spec):
    """At each day the four routes together are the probability of permanence when nobody has died."""
    for arm in ("NIM", "SAU"):
        for day in ("365", "913"):
            parts = [
                select(closed["A31"].estimates, name="probability", arm=arm, cause=cause, day=day)[0].value
                for cause in (*spec.states.permanent,)
            ]
            (whole,) = select(closed["A30K"].estimates, name="probability", arm=arm, cause="any", day=day)
            assert sum(parts) == pytest.approx(whole.value, abs=5e-3)


def test_limits_enclose_their_estimates(closed):
    for result in closed.values():
        for each in result.estimates:
            if each.low is not None and np.isfinite(each.low):
                assert each.low <= each.value <= each.high, (result.analysis, each.name, each.labels)


RATIOS = ("hazard_ratio", "subdistribution_hazard_ratio", "rate_ratio", "crude_rate_ratio", "risk_ratio")
# A statistic, a p-value or a standard error says as much whichever arm is called which.
UNSIGNED = ("log_hazard_ratio_model_se", "proportionality_test", "equality_test", "gray_test")


def turned(each) -> float:
    """The value with the arms exchanged."""
    if each.name in RATIOS:
        return 1 / each.value
    return each.value if each.name in UNSIGNED else -each.value


def test_swapping_the_arms_turns_every_contrast(closed, swapped):
    seen = set()
    for name, result in closed.items():
        for each in result.estimates:
            if "contrast" in each.labels:
                (other,) = [
                    e for e in swapped[name].estimates if e.name == each.name and e.labels == each.labels
                ]
                where = name, each.name, each.labels
                assert other.value == pytest.approx(turned(each), rel=1e-6, abs=1e-9), where
                if each.p is not None and each.labels.get("variance") != "family bootstrap":
                    assert other.p == pytest.approx(each.p, rel=1e-5, abs=1e-9), where
                seen.add((result.family, each.name))
    assert {
        ("routes", "subdistribution_hazard_ratio"),
        ("recurrence", "rate_ratio"),
    } <= seen
    assert {("occupation", "occupation_never_returned_difference"), ("frailty", "hazard_ratio")} <= seen


def test_pooled_counts_are_the_sum_of_the_arms(closed, trial, spec):
    pooled = fitted(read_pooled(trial.derived, spec), spec, ["harms", "baseline"])
    for each in pooled["A50"].counts:
        labels = {key: value for key, value in each.labels.items() if key != "arm"}
        parts = [item.value for item in select(closed["A50"].counts, name=each.name, **labels)]
        assert sum(parts) == each.value


def test_results_survive_their_file(closed, tmp_path):
    stamp = Stamp("closed", "2023-12-31", "1.0", "a", "b", {"subjects.csv": "c"})
    content = ResultFile(stamp, tuple(closed.values()))
    path = tmp_path / "all.json"
    path.write_text(to_json(content))
    again = read_results(path)
    assert to_json(again) == to_json(content)
    assert again.results[0] == content.results[0]
