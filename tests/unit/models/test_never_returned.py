"""Family-home states of children who never came back into care: by hand, and beside the plain states."""

import pytest

from analysis.data.allocation import read_allocated
from analysis.models import occupation
from analysis.results import select
from tests.unit.models.small_trial import altered, small_trial, transitions

CHILDREN = [
    *(("C1", "F1", "NIM", "GLA"), ("C2", "F2", "NIM", "GLA"), ("C3", "F3", "NIM", "GLA")),
    *(("C4", "F4", "SAU", "GLA"), ("C5", "F5", "SAU", "GLA")),
]
PATHS = {
    "C1": ["care", 100, "home", 200, "care", 300, "home", 1000],
    "C2": ["care", 150, "home", 400, "kin", 1000],
    "C3": ["care", 120, "foster", 250, "care", 350, "adopted", 1000],
    "C4": ["care", 50, "kin", 600, "foster", 700, "home", 1000],
    "C5": ["care", 1000],
}


@pytest.fixture(scope="module")
def closed(trial, spec):
    return read_allocated(trial.allocated, spec, view="closed")


@pytest.fixture(scope="module")
def by_hand(spec):
    data = small_trial(spec, CHILDREN, transitions=transitions(CHILDREN, PATHS))
    return occupation.fit(spec.analyses["A40"], data, spec)


def value(result, name, **labels):
    (found,) = select(result.estimates, name=name, **labels)
    return found.value


@pytest.mark.parametrize(
    ("arm", "day", "home", "kin", "adopted"),
    [
        ("NIM", "182", 2 / 3, 0, 0),
        ("NIM", "365", 1 / 3, 0, 1 / 3),
        ("NIM", "548", 0, 1 / 3, 1 / 3),
        ("SAU", "548", 0, 1 / 2, 0),
        ("SAU", "730", 0, 0, 0),
    ],
)
def test_who_is_at_home_and_never_came_back_by_hand(by_hand, arm, day, home, kin, adopted):
    """C1 comes back on day 200, and its second time at home does not count; C3 was in no family home."""
    found = [
        value(by_hand, "occupation_never_returned", arm=arm, day=day, state=state)
        for state in ("home", "kin", "adopted", "family_home")
    ]
    assert found == pytest.approx([home, kin, adopted, home + kin + adopted], abs=1e-12)


def test_who_came_back_is_still_counted_where_it_is(by_hand):
    assert value(by_hand, "occupation", arm="NIM", day="365", state="home") == pytest.approx(2 / 3)
    assert value(by_hand, "occupation", arm="SAU", day="730", state="home") == pytest.approx(1 / 2)


def pairs(result):
    """Estimates of the states without a return, each with that of the state."""
    for name in ("occupation", "occupation_difference"):
        never = name.replace("occupation", "occupation_never_returned")
        for each in select(result.estimates, name=never):
            if each.labels["state"] != "family_home":
                (plain,) = select(result.estimates, name=name, **each.labels)
                yield each, plain


def by_arm(result):
    found = [(each, plain) for each, plain in pairs(result) if "arm" in each.labels]
    assert len(found) == 2 * 5 * 3
    return found


def test_where_nobody_is_lost_never_returned_is_at_most_being_there(closed, spec):
    def complete(rows):
        return rows[rows.groupby(["basis", "child_id"])["stop"].transform("max") > 913]

    found = by_arm(occupation.fit(spec.analyses["A40"], altered(closed, transitions=complete), spec))
    assert all(-1e-12 <= each.value <= plain.value + 1e-12 for each, plain in found)
    assert any(each.value < plain.value - 0.01 for each, plain in found)


def test_children_lost_part_the_two_graphs_by_little(closed, spec):
    """Who is lost is replaced by those in the same state, in the second graph with the same past."""
    found = by_arm(occupation.fit(spec.analyses["A40"], closed, spec))
    assert all(each.value <= plain.value + 1e-3 for each, plain in found)


def test_where_nobody_came_back_it_is_the_plain_graph(closed, spec):
    """Estimates, differences and family-robust standard errors, of the children who never returned."""
    declared = spec.states.recurrent["REENTRY"]

    def without_returns(rows):
        back = rows["source_state"].isin(declared.from_) & rows["target_state"].isin(declared.to)
        return rows[~rows["child_id"].isin(rows.loc[back, "child_id"])]

    result = occupation.fit(spec.analyses["A40"], altered(closed, transitions=without_returns), spec)
    found = list(pairs(result))
    assert len(found) == 3 * 5 * 3
    for each, plain in found:
        assert (each.value, each.se) == pytest.approx((plain.value, plain.se), abs=1e-12)


def test_the_family_home_is_the_sum_of_its_states(closed, spec):
    result = occupation.fit(spec.analyses["A40"], closed, spec)
    for arm in ("NIM", "SAU"):
        for day in ("182", "913"):
            parts = [
                value(result, "occupation_never_returned", arm=arm, day=day, state=state)
                for state in spec.states.family_home
            ]
            whole = value(result, "occupation_never_returned", arm=arm, day=day, state="family_home")
            assert whole == pytest.approx(sum(parts), abs=1e-12)


def test_without_the_declaration_nothing_is_said_of_returns(closed, spec):
    result = occupation.fit(spec.analyses["A40P"], closed, spec)
    assert not [each for each in result.estimates if "never_returned" in each.name]


def test_from_entry_to_care_days_sum_to_the_horizon(closed, spec):
    result = occupation.fit(spec.analyses["A40E"], closed, spec)
    for arm in ("NIM", "SAU"):
        days = [value(result, "days_in_state", arm=arm, state=state) for state in spec.states.states]
        assert sum(days) == pytest.approx(913, abs=1e-9)
