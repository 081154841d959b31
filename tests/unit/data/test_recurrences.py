"""Events that can happen again, worked out by hand from a few rows.

Every family is randomised on 2015-01-01 (day 0); the records end on day 400.
"""

import pandas as pd
import pytest

from analysis.data.recurrences import counting_process, derive_recurrences
from analysis.data.spells import chain
from analysis.spec.declarations import Spec
from tests.unit.data.tables import shown, values

DAY_0 = pd.Timestamp("2015-01-01")
PLACEMENTS = "child_id | start_date | end_date | placement_code | legal_status | reason_new | reason_ended\n"
HISTORY = ["child_id", "basis", "start", "stop", "source_state", "target_state", "moved_file", "moved_row"]


def units(*rows: tuple) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["level", "unit_id", "family_id", "entry", "end", "is_death"])


def happened(*days: int) -> pd.DataFrame:
    frame = pd.DataFrame({"level": "child", "unit_id": "C0001", "day": days})
    return frame.assign(source_file="export.csv", source_row=range(2, 2 + len(days)))


def intervals(rows: pd.DataFrame) -> list[tuple]:
    return shown(rows, "start", "stop", "is_event", "is_death")


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        ((), [(0, 100, False, True)]),
        ((30, 10), [(0, 10, True, False), (10, 30, True, False), (30, 100, False, True)]),
        ((100,), [(0, 100, True, True)]),
        ((20, 20), [(0, 20, True, False), (20, 100, False, True)]),
        ((0, -5, 101), [(0, 100, False, True)]),
    ],
    ids=["none", "two in either order", "on the last day", "two on one day", "outside follow-up"],
)
def test_intervals_between_events(days, expected):
    rows = counting_process(units(("child", "C0001", "F0001", 0, 100, True)), happened(*days))
    assert intervals(rows) == expected


def test_a_unit_observed_late_begins_late_and_one_without_time_has_no_row():
    followed = units(("child", "C0001", "F0001", 40, 100, False), ("child", "C0002", "F0001", 7, 7, False))
    rows = counting_process(followed, happened(30, 50))
    assert set(rows["unit_id"]) == {"C0001"}
    assert intervals(rows) == [(40, 50, True, False), (50, 100, False, False)]


def test_where_nobody_has_any_time_there_is_no_row():
    assert not len(counting_process(units(("child", "C0001", "F0001", 7, 7, False)), happened()))


@pytest.fixture
def recurrences(spec: Spec):
    """Rows of one parameter for children C0001 and C0002 of family F0001."""

    def run(parameter: str, *, level: str = "child", placements: str = "", reported: str = "", history=()):
        everyone = pd.DataFrame(
            {
                "child_id": ["C0001", "C0002"],
                "family_id": "F0001",
                "randomisation_date": DAY_0,
                "safety_days": [365, 200],
            }
        )
        followup = pd.DataFrame({"description": "end_of_records"}, index=["C0001", "C0002"])
        moves = [(*row, "export.csv", 9) for row in history] or [
            ("C0001", basis, 0, 400, "care", None, None, None) for basis in ("legal", "physical")
        ]
        rows = derive_recurrences(
            pd.DataFrame(moves, columns=HISTORY),
            chain(values(spec, "placements", PLACEMENTS + placements), spec.states),
            values(spec, "reported_events", "family_id | child_id | event_date | category\n" + reported),
            everyone,
            followup,
            pd.Series({"C0002": DAY_0 + pd.Timedelta(days=200)}),
            spec.states,
            origin="randomisation_date",
        )
        return rows[(rows["parameter"] == parameter) & (rows["level"] == level)]

    return run


def test_a_return_to_care_is_a_move_out_of_a_family_home(recurrences):
    history = [
        ("C0001", "legal", 0, 100, "care", "home"),
        ("C0001", "legal", 100, 150, "home", "care"),
        ("C0001", "legal", 150, 200, "care", "foster"),
        ("C0001", "legal", 200, 250, "foster", "care"),
        ("C0001", "legal", 250, 300, "care", "home"),
        ("C0001", "legal", 300, 400, "home", None),
    ]
    rows = recurrences("REENTRY", history=history)
    assert intervals(rows) == [(0, 150, True, False), (150, 400, False, False)]
    assert shown(rows, "source_file", "source_row")[0] == ("export.csv", 9)


def test_a_change_of_carer_is_counted_and_an_absence_is_not(recurrences):
    placements = """
        C0001 | 2014-12-01 | 2015-02-01 | U6 | C2 | S | X1
        C0001 | 2015-02-01 | 2015-03-01 | U6 | C2 | P | X1
        C0001 | 2015-03-01 | 2015-03-05 | T1 | C2 | P | X1
        C0001 | 2015-03-05 | 2015-05-01 | U6 | C2 | P | X1
        C0001 | 2015-05-01 | 2015-06-01 | U6 | C1 | L | X1
        C0001 | 2015-06-01 |            | U4 | C1 | B |
    """
    rows = recurrences("MOVE", placements=placements)
    assert [row[:3] for row in intervals(rows)] == [(0, 31, True), (31, 151, True), (151, 400, False)]


def test_reported_events_count_for_the_child_and_for_the_family(recurrences):
    reported = """
        F0001 | C0001 | 2015-02-01 | maltreatment
        F0001 |       | 2015-03-01 | maltreatment
        F0001 | C0002 | 2015-02-01 | maltreatment
        F0001 | C0001 | 2015-04-01 | hospital
    """
    child = recurrences("MALTREATMENT", reported=reported)
    assert intervals(child[child["unit_id"] == "C0001"]) == [(0, 31, True, False), (31, 365, False, False)]
    assert intervals(child[child["unit_id"] == "C0002"]) == [(0, 31, True, False), (31, 200, False, True)]
    family = recurrences("MALTREATMENT", level="family", reported=reported)
    assert intervals(family) == [(0, 31, True, False), (31, 59, True, False), (59, 365, False, False)]
