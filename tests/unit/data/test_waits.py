"""Decision dates and waits that begin after randomisation, worked out by hand. Day 0 is 2015-01-01."""

import pandas as pd
import pytest

from analysis.data.waits import derive_decisions, derive_waits
from analysis.spec.declarations import Spec
from tests.unit.data.tables import shown, values

DAY_0 = pd.Timestamp("2015-01-01")
CASES = "family_id | application_date | final_order_date | order_type\n"
STEPS = "child_id | step | step_date | reversed_date\n"
HISTORY = ["child_id", "basis", "start", "stop", "source_state", "target_state", "moved_file", "moved_row"]


@pytest.fixture
def decided(spec: Spec):
    """Time, code, cause and description of a child who is adopted on day 300, or whose records end there."""

    def run(orders: str, *, cause: str | None = "adopted", steps: str = "") -> list[tuple]:
        legal = pd.DataFrame(
            {
                "child_id": ["C0001"],
                "family_id": ["F0001"],
                "parameter": "PERMANENCE",
                "basis": "legal",
                "start_date": DAY_0,
                "date": DAY_0 + pd.Timedelta(days=300),
                "entry_days": 0,
                "time_days": 300,
                "censor_code": 0 if cause else 1,
                "cause": [cause],
                "description": "permanent" if cause else "end_of_records",
                "source_file": "care.csv",
                "source_row": 5,
            }
        )
        cases = values(spec, "proceedings", CASES + orders)
        rows = derive_decisions(legal, cases, values(spec, "adoption_decisions", STEPS + steps), spec.states)
        assert (rows["date"] == DAY_0 + pd.to_timedelta(rows["time_days"], unit="D")).all()
        return shown(rows, "basis", "time_days", "censor_code", "cause", "description", "source_file")

    return run


def test_the_first_order_for_a_route_is_the_decision(decided):
    orders = """
        F0001 | 2014-12-01 | 2015-02-01 | care_order
        F0001 | 2015-02-02 | 2015-06-01 | placement_order
        F0001 | 2015-06-02 | 2015-09-01 | supervision
    """
    assert decided(orders) == [("decision", 151, 0, "adopted", "decided", "export.csv")]
    assert decided(orders, cause=None) == [("decision", 151, 0, "adopted", "decided", "export.csv")]


@pytest.mark.parametrize(
    "orders",
    ["", "F0001 | 2014-12-01 | 2015-02-01 | care_order", "F0001 | 2014-12-01 | 2015-12-01 | placement_order"],
    ids=["none", "for no route", "after the legal date"],
)
def test_without_an_earlier_order_the_legal_date_stands(decided, orders):
    assert decided(orders) == [("decision", 300, 0, "adopted", "permanent", "care.csv")]


def test_an_order_on_the_last_day_of_the_records_counts(decided):
    order = "F0001 | 2014-12-01 | 2015-10-28 | placement_order"
    assert decided(order, cause=None) == [("decision", 300, 0, "adopted", "decided", "export.csv")]


def test_a_decision_made_by_randomisation_leaves_nobody_at_risk(decided):
    assert decided("F0001 | 2014-10-01 | 2015-01-01 | placement_order") == []


ORDER = "F0001 | 2014-12-01 | 2015-06-01 | special_guardianship"  # day 151


@pytest.mark.parametrize(
    ("steps", "day", "cause"),
    [
        ("C0001 | decision | 2015-04-11 |", 100, "adopted"),
        ("C0001 | decision | 2015-04-11 | 2015-05-01", 100, "adopted"),  # made, and reversed later
        ("C0001 | decision | 2015-05-01 |\nC0001 | decision | 2015-04-11 | 2015-04-20", 100, "adopted"),
        ("C0001 | decision | 2015-06-01 |", 151, "kin"),  # on the day of the order, the order counts
        ("C0001 | decision | 2015-07-01 |", 151, "kin"),
        ("C0001 | match    | 2015-04-11 |", 151, "kin"),  # states.yaml names no match
        ("C0002 | decision | 2015-04-11 |", 151, "kin"),  # of a sibling
    ],
)
def test_the_authoritys_own_decision_counts_where_it_comes_before_the_order(decided, steps, day, cause):
    assert decided(ORDER, steps=steps) == [("decision", day, 0, cause, "decided", "export.csv")]


def test_the_authoritys_decision_needs_no_order(decided):
    step = "C0001 | decision | 2015-04-11 |"
    assert decided("", steps=step) == [("decision", 100, 0, "adopted", "decided", "export.csv")]
    assert decided("", steps=step.replace("2015-04-11", "2014-12-11")) == []


@pytest.fixture
def waits(spec: Spec):
    """Start, days, code, cause and description of the waits of C0001 from first going home."""

    def run(*history: tuple, why: str = "end_of_records") -> list[tuple]:
        moves = [("C0001", "legal", *row, *(("care.csv", 7) if row[3] else (None, None))) for row in history]
        followup = pd.DataFrame(
            {"description": [why], "source_file": [None], "source_row": pd.array([None], "Int64")},
            index=["C0001"],
        )
        people = pd.DataFrame({"child_id": ["C0001"], "family_id": "F0001", "randomisation_date": DAY_0})
        rows = derive_waits(
            pd.DataFrame(moves, columns=HISTORY), people, followup, spec.states, origin="randomisation_date"
        )
        return shown(rows, "start_date", "time_days", "censor_code", "cause", "description")

    return run


def test_a_wait_runs_from_first_going_home_to_the_first_return(waits):
    history = [(0, 100, "care", "home"), (100, 150, "home", "care"), (150, 400, "care", None)]
    assert waits(*history) == [("2015-04-11", 50, 0, "care", "returned")]


def test_a_child_who_stays_home_is_censored_and_one_who_never_went_is_absent(waits):
    assert waits((0, 100, "care", "home"), (100, 400, "home", None)) == [
        ("2015-04-11", 300, 1, "", "end_of_records")
    ]
    assert waits((0, 400, "care", None)) == []


def test_a_death_at_home_ends_the_wait(waits):
    history = [(0, 100, "care", "home"), (100, 150, "home", "died")]
    assert waits(*history, why="died") == [("2015-04-11", 50, 0, "died", "died")]


def test_a_move_to_kin_is_no_return(waits):
    history = [(0, 100, "care", "home"), (100, 150, "home", "kin"), (150, 180, "kin", "care")]
    assert waits(*history, (180, 400, "care", None)) == [("2015-04-11", 80, 0, "care", "returned")]
