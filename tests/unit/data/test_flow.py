"""The flow of four families, counted by hand, closes at both levels; and stops when it does not.

F0001: two children attend the last visit, one with a questionnaire. F0002: removed as ineligible.
F0003: one child withdrew, its sibling did not attend. F0004: its child did not attend, a sibling who joined
later did, with a questionnaire.
"""

from dataclasses import replace

import pandas as pd
import pytest

from analysis.data.delivery import with_delivery
from analysis.data.flow import check_conservation, derive_flow, flow_counts
from analysis.errors import DataError
from analysis.spec.declarations import Spec
from tests.unit.data.tables import shown, values

CUT = pd.Timestamp("2023-12-31")
SCREENING = """
screening_id | site | referral_date | n_children | screening_outcome | family_id
S0001        | GLA  | 2014-01-01    | 2          | randomised        | F0001
S0002        | GLA  | 2014-01-01    | 1          | randomised        | F0002
S0003        | LON  | 2017-11-01    | 2          | randomised        | F0003
S0004        | LON  | 2017-11-01    | 1          | randomised        | F0004
S0005        | GLA  | 2014-01-01    | 3          | declined          |
S0006        | GLA  | 2014-01-01    | 1          | not_eligible      |
S0007        | LON  | 2017-11-01    | 1          | declined          |
"""
PEOPLE = pd.DataFrame(
    [
        ("C0001", "F0001", "GLA", False, None),
        ("C0002", "F0001", "GLA", False, None),
        ("C0003", "F0002", "GLA", False, "2014-05-01"),
        ("C0004", "F0003", "LON", False, None),
        ("C0005", "F0003", "LON", False, None),
        ("C0006", "F0004", "LON", False, None),
        ("C0007", "F0004", "LON", True, None),
    ],
    columns=["child_id", "family_id", "site", "is_late_joiner", "removed_date"],
).assign(care_entry_date=pd.Timestamp("2014-01-01"), randomisation_date=pd.Timestamp("2014-04-01"))
VISITS = """
child_id | visit | status
C0001    | V4    | attended
C0001    | V5    | attended
C0002    | V4    | missed
C0002    | V5    | attended
C0003    | V5    | attended
C0004    | V5    | withdrawn
C0005    | V5    | missed
C0006    | V5    | missed
C0007    | V5    | attended
"""
OUTCOMES = pd.DataFrame(
    [
        ("C0001", "SDQ_TOTAL", "V5", 11.0),
        ("C0002", "SDQ_TOTAL", "V5", None),
        ("C0007", "SDQ_TOTAL", "V5", 9.0),
        ("C0002", "SDQ_TOTAL", "V4", 8.0),
        ("C0002", "PEDSQL_TOTAL", "V5", 80.0),
    ],
    columns=["child_id", "parameter", "visit", "value"],
)


@pytest.fixture
def flow(spec: Spec):
    def run(people: pd.DataFrame = PEOPLE, screening: str = SCREENING, visits: str = VISITS) -> pd.DataFrame:
        tables = {
            "screening": values(spec, "screening", screening),
            "assessments": values(spec, "assessments", visits),
        }
        return derive_flow(tables, people, OUTCOMES, spec, data_cut=CUT)

    return run


# Stage, box, families, children. A main box counts those who joined at its stage.
EXPECTED = [
    ("screening", "randomised", 4, 6),
    ("screening", "not_eligible", 1, 1),
    ("screening", "declined", 2, 4),
    ("screening", "not_approached", 0, 0),
    ("screening", "pending", 0, 0),
    ("randomised", "in", 4, 6),
    ("eligible", "in", 3, 5),
    ("eligible", "removed", 1, 1),
    ("received", "received", 0, 0),
    ("received", "not_received", 0, 0),
    ("received", "not_recorded", 0, 0),
    # Only C0001 came; a family attended when one of its children did. C0007 had not joined yet.
    ("month_15", "attended", 1, 1),
    ("month_15", "not_attended", 2, 4),
    ("month_15", "not_due", 0, 0),
    # C0001, C0002 and the joiner C0007, by whom alone F0004 is followed up; F0003 stands withdrawn.
    ("followed_up", "in", 2, 3),
    ("followed_up", "joined", 0, 1),
    ("followed_up", "not_due", 0, 0),
    ("followed_up", "withdrawn", 1, 1),
    ("followed_up", "lost", 0, 2),
    ("analysed", "in", 2, 2),
    ("analysed", "incomplete", 0, 1),
]


def test_the_counts_at_both_levels(spec: Spec, flow) -> None:
    assert shown(flow_counts(flow(), spec), "stage", "box", "families", "children") == EXPECTED


def test_what_enters_a_stage_leaves_it_or_stays(spec: Spec, flow) -> None:
    counts = flow_counts(flow(), spec).set_index(["stage", "box"])
    check_conservation(counts.reset_index(), spec)
    children, families = counts["children"], counts["families"]
    assert (
        children["eligible", "in"] + children["followed_up", "joined"]
        == children["followed_up"].drop("joined").sum()
    )
    assert families["eligible", "in"] == families["followed_up"].drop("joined").sum()


@pytest.mark.parametrize("stage", ["randomised", "eligible", "followed_up", "analysed"])
@pytest.mark.parametrize("unit", ["families", "children"])
def test_a_flow_that_does_not_close_stops(spec: Spec, flow, stage: str, unit: str) -> None:
    """One unit too many in the first box of a stage."""
    counts = flow_counts(flow(), spec)
    at = counts.index[counts["stage"] == stage][0]
    counts.loc[at, unit] += 1
    with pytest.raises(DataError, match="flow.yaml, stage .*: families or children entering"):
        check_conservation(counts, spec)


def test_children_whom_the_screening_log_does_not_know_break_the_flow(spec: Spec, flow) -> None:
    fewer = SCREENING.replace(
        "| 2          | randomised        | F0001", "| 1          | randomised        | F0001"
    )
    with pytest.raises(DataError, match="stage randomised"):
        check_conservation(flow_counts(flow(screening=fewer), spec), spec)


def test_one_row_per_unit_and_stage(spec: Spec, flow) -> None:
    """A child keeps its row in the box where it leaves, and none after it."""
    rows = flow()
    assert not rows.duplicated(["level", "unit_id", "stage"]).any()
    assert shown(rows[rows["unit_id"] == "C0005"], "stage", "box", "family_id", "site") == [
        ("randomised", "in", "F0003", "LON"),
        ("eligible", "in", "F0003", "LON"),
        ("month_15", "not_attended", "F0003", "LON"),
        ("followed_up", "lost", "F0003", "LON"),
    ]
    assert shown(rows[rows["unit_id"] == "C0003"], "stage", "box") == [
        ("randomised", "in"),
        ("eligible", "removed"),
    ]
    assert shown(rows[rows["unit_id"] == "C0007"], "stage", "box") == [
        ("followed_up", "joined"),
        ("analysed", "in"),
    ]


def test_a_late_joiner_who_does_not_attend_never_enters(flow) -> None:
    rows = flow(visits=VISITS.replace("C0007    | V5    | attended", "C0007    | V5    | missed"))
    assert "C0007" not in set(rows["unit_id"])
    assert shown(rows[(rows["unit_id"] == "F0004") & (rows["stage"] == "followed_up")], "box") == [("lost",)]


def test_a_family_without_followed_up_children_stands_where_its_best_child_does(flow) -> None:
    """In the order of the boxes in flow.yaml: withdrawn before lost, whatever the order of the children."""
    for people in (PEOPLE, PEOPLE.iloc[::-1].reset_index(drop=True)):
        rows = flow(people=people)
        assert shown(rows[(rows["unit_id"] == "F0003") & (rows["stage"] == "followed_up")], "box") == [
            ("withdrawn",)
        ]


def test_a_sibling_who_joined_outranks_one_who_was_lost_wherever_its_box_stands(spec: Spec) -> None:
    """The plan may list the box of those who joined last; F0004 is followed up all the same."""
    stages = dict(spec.stages)
    last = stages["followed_up"]
    boxes = sorted(last.boxes, key=lambda box: box.kind == "joins")
    stages["followed_up"] = last.model_copy(update={"boxes": tuple(boxes)})
    tables = {
        "screening": values(spec, "screening", SCREENING),
        "assessments": values(spec, "assessments", VISITS),
    }
    rows = derive_flow(tables, PEOPLE, OUTCOMES, replace(spec, stages=stages), data_cut=CUT)
    assert shown(rows[(rows["unit_id"] == "F0004") & (rows["stage"] == "followed_up")], "box") == [("in",)]


def test_a_removed_child_that_attends_is_not_followed_up(flow) -> None:
    rows = flow()
    assert rows[(rows["unit_id"] == "C0003") & (rows["stage"] == "followed_up")].empty


def test_a_box_that_the_plan_lacks_is_named(spec: Spec, flow) -> None:
    stages = dict(spec.stages)
    last = stages["followed_up"]
    stages["followed_up"] = last.model_copy(
        update={"boxes": tuple(box for box in last.boxes if box.id != "lost")}
    )
    tables = {
        "screening": values(spec, "screening", SCREENING),
        "assessments": values(spec, "assessments", VISITS),
    }
    with pytest.raises(DataError, match="flow.yaml, stage followed_up: no box 'lost'"):
        derive_flow(tables, PEOPLE, OUTCOMES, replace(spec, stages=stages), data_cut=CUT)


def test_the_service_joins_the_flow_where_arms_are_known(spec: Spec, flow) -> None:
    """F0001 was served, F0003 was not, of F0004 nothing is known; the removed F0002 is not asked."""
    delivery = values(spec, "delivery", "family_id | is_received\nF0001 | true\nF0002 | true\nF0003 | false")
    counts = flow_counts(with_delivery(flow(), delivery, spec), spec).set_index(["stage", "box"])
    assert counts.loc[("received", "received")].tolist() == [1, 2]
    assert counts.loc[("received", "not_received")].tolist() == [1, 2]
    assert counts.loc[("received", "not_recorded")].tolist() == [1, 1]
    check_conservation(counts.reset_index(), spec)


def test_without_the_stage_nothing_joins(spec: Spec, flow) -> None:
    stages = {name: stage for name, stage in spec.stages.items() if name != "received"}
    rows = flow()
    delivery = values(spec, "delivery", "family_id | is_received\nF0001 | true")
    assert with_delivery(rows, delivery, replace(spec, stages=stages)) is rows
