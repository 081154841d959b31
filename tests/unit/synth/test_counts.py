"""The published counts hold exactly in every trial of the published size, read from its files."""

from collections import Counter
from datetime import date

import pytest

from analysis.synth.trial import generate

# Published: Nature Medicine 2025;31:1617 and Research Square rs-4872730, abstracts.
FAMILIES, CHILDREN = 382, 488
ELIGIBLE_FAMILIES, ELIGIBLE_CHILDREN = 360, 439
SEEN = {"NIM": 149, "SAU": 137}
SEEN_CHILDREN = 367
SERIOUS = {"NIM": 21, "SAU": 31}


@pytest.fixture(scope="module", params=[1, 3, 20, 777, 90210])
def files(request, parameters, tables):
    return tables(generate(parameters, seed=request.param, dirt=False))


@pytest.fixture(scope="module")
def families(files):
    return {row["record_id"]: row for row in files["trial/redcap_families.csv"]}


@pytest.fixture(scope="module")
def children(files):
    rows = files["trial/redcap_children.csv"]
    return {row["record_id"]: row for row in rows if row["redcap_event_name"] == "enrolment"}


@pytest.fixture(scope="module")
def arm(files):
    return {row["family_id"]: row["arm"] for row in files["allocation.csv"]}


@pytest.fixture(scope="module")
def seen(files):
    rows = files["trial/redcap_children.csv"]
    return [
        row["record_id"]
        for row in rows
        if row["redcap_event_name"] == "year_2_5" and row["visit_status"] == "attended"
    ]


def test_randomised(families, children, arm):
    first = [row for row in children.values() if not row["joined_dt"]]
    assert (len(families), len(first)) == (FAMILIES, CHILDREN)
    assert Counter(arm.values()) == {"NIM": FAMILIES // 2, "SAU": FAMILIES // 2}
    assert set(arm) == set(families)


def test_arms_are_level_within_each_site(families, arm):
    by_site = Counter((families[family]["redcap_data_access_group"], value) for family, value in arm.items())
    assert by_site == {
        ("glasgow", "NIM"): 125,
        ("glasgow", "SAU"): 125,
        ("london", "NIM"): 66,
        ("london", "SAU"): 66,
    }


def test_eligible(families, children):
    kept = {name for name, row in families.items() if not row["removed_dt"]}
    first = [row for row in children.values() if row["family"] in kept and not row["joined_dt"]]
    assert (len(kept), len(first)) == (ELIGIBLE_FAMILIES, ELIGIBLE_CHILDREN)
    assert Counter(row["sex"] for row in first) == {"2": 206, "1": 232, "": 1}
    assert all((row["removed_dt"] == "") == (row["removed_reason"] == "") for row in families.values())


def test_seen_at_two_and_a_half_years(seen, children, arm, families):
    of_family = Counter(children[child]["family"] for child in seen)
    assert len(seen) == SEEN_CHILDREN
    assert Counter(arm[family] for family in of_family) == SEEN
    assert not any(families[family]["removed_dt"] for family in of_family)
    single = sum(n == 1 for n in of_family.values()) / len(of_family)
    assert 0.72 <= single <= 0.78


def test_late_joiners_are_seen_siblings_of_first_children(children, families, seen):
    joiners = {name: row for name, row in children.items() if row["joined_dt"]}
    assert len(joiners) == 7
    assert set(joiners) <= set(seen)
    first = {row["family"] for row in children.values() if not row["joined_dt"]}
    for row in joiners.values():
        assert row["family"] in first
        assert families[row["family"]]["rand_dt"] < row["joined_dt"] == row["care_entry_dt"]
        assert row["dob"] < row["care_entry_dt"]


def test_serious_events(files, arm):
    rows = files["trial/redcap_events.csv"]
    assert Counter(arm[row["family"]] for row in rows if row["serious"] == "1") == SERIOUS
    assert all(row["serious"] == "1" for row in rows if row["category"] == "child_death")


def test_served(files, families):
    rows = [row for row in files["service/delivery.csv"] if not families[row["family"]]["removed_dt"]]
    received = sum(row["received"] == "1" for row in rows)
    assert (received, len(rows)) == (239, ELIGIBLE_FAMILIES)
    assert f"{received / len(rows):.1%}" == "66.4%"


def test_screening_closes_on_the_randomised(files, families, children):
    rows = files["trial/screening_log.csv"]
    randomised = [row for row in rows if row["outcome"] == "randomised"]
    assert len(rows) == 640
    assert {row["family"] for row in randomised} == set(families)
    assert sum(int(row["children"]) for row in randomised) == CHILDREN
    assert all((row["family"] == "") == (row["outcome"] != "randomised") for row in rows)
    assert all((row["reason"] == "") == (row["outcome"] == "randomised") for row in rows)


def test_families_follow_their_epoch(files, families, children):
    order = {"1": ("C", "B", "R"), "2": ("R", "C", "B"), "3": ("C", "R", "B")}
    baseline = {
        children[row["record_id"]]["family"]: row["visit_dt"]
        for row in files["trial/redcap_children.csv"]
        if row["redcap_event_name"] == "baseline" and row["visit_dt"]
        if not children[row["record_id"]]["joined_dt"]
    }
    for name, row in families.items():
        dates = {"C": row["consent_dt"], "R": row["rand_dt"], "B": baseline.get(name)}
        given = [dates[step] for step in order[row["epoch"]] if dates[step]]
        assert given == sorted(given)
        assert len(set(given)) == len(given)


def test_baseline_visits_are_4_to_14_weeks_after_entry(files, children):
    for row in files["trial/redcap_children.csv"]:
        if row["redcap_event_name"] == "baseline" and row["visit_dt"]:
            entry = date.fromisoformat(children[row["record_id"]]["care_entry_dt"])
            assert 28 <= (date.fromisoformat(row["visit_dt"]) - entry).days <= 98


def test_no_visit_after_the_cut_or_after_death(files, parameters):
    died = {
        row["record_id"]: row["event_dt"]
        for row in files["trial/redcap_events.csv"]
        if row["category"] == "child_death"
    }
    for row in files["trial/redcap_children.csv"]:
        assert row["visit_dt"] <= parameters.trial.data_cut
        assert row["visit_dt"] < died.get(row["record_id"], "9999")
        assert (row["visit_dt"] != "") == (row["visit_status"] == "attended")
