"""Placement rows chained into spells: short breaks first, continuous on the same day only, ends as stated."""

import pandas as pd
import pytest

from analysis.data.spells import chain, derive_spells, since_origin, stated_exits
from analysis.spec.declarations import Spec
from tests.unit.data.tables import shown, values

HEADER = "child_id | start_date | end_date | placement_code | legal_status | reason_new | reason_ended\n"


@pytest.fixture
def chained(spec: Spec):
    def run(rows: str, **changed: object):
        states = spec.states.model_copy(update=changed)
        return chain(values(spec, "placements", HEADER + rows), states)

    return run


@pytest.fixture
def spells(spec: Spec, chained):
    def run(rows: str, **changed: object) -> pd.DataFrame:
        families = pd.Series({"C0001": "F0001", "C0002": "F0002"})
        return derive_spells(chained(rows, **changed), families, spec.states)

    return run


TWO_PLACEMENTS = """
C0001 | 2015-01-10 | 2015-02-10 | U6 | C1 | S | X1
C0001 | 2015-02-10 | 2015-06-30 | U3 | C2 | B | E45
"""


def test_rows_that_meet_are_one_spell(spells) -> None:
    """From the first day of the first row to the last day of the last one, whose reason is the exit."""
    out = spells(TWO_PLACEMENTS)
    assert shown(out, "child_id", "family_id", "spell", "start_date", "end_date", "days", "n_placements") == [
        ("C0001", "F0001", 1, "2015-01-10", "2015-06-30", 171, 2)
    ]
    assert shown(out, "exit_state", "exit_code", "is_left_truncated", "source_row") == [
        ("kin", "E45", False, 3)
    ]


def test_rows_are_chained_in_order_of_date_whatever_their_order(spells) -> None:
    lines = TWO_PLACEMENTS.strip().splitlines()
    assert shown(spells("\n".join(reversed(lines))), "start_date", "end_date", "n_placements") == [
        ("2015-01-10", "2015-06-30", 2)
    ]


def test_a_gap_of_a_day_is_a_new_spell(spells) -> None:
    """Half-open days: a row to the 10th and one from the 11th leave a day between them."""
    out = spells(TWO_PLACEMENTS.replace("2015-02-10 | 2015-06-30", "2015-02-11 | 2015-06-30"))
    assert shown(out, "spell", "start_date", "end_date", "exit_state") == [
        (1, "2015-01-10", "2015-02-10", ""),
        (2, "2015-02-11", "2015-06-30", "kin"),
    ]


def test_the_tolerance_is_declared(spells) -> None:
    rows = TWO_PLACEMENTS.replace("2015-02-10 | 2015-06-30", "2015-02-13 | 2015-06-30")
    assert len(spells(rows, gap_tolerance_days=2)) == 2
    assert len(spells(rows, gap_tolerance_days=3)) == 1


def test_short_breaks_leave_before_rows_are_chained(spec: Spec, chained) -> None:
    """A V4 row between two spells neither joins them nor is one; left in, the first would seem to go on."""
    rows = """
    C0001 | 2015-01-10 | 2015-02-10 | U6 | C1 | S | E4A
    C0001 | 2015-02-10 | 2015-02-12 | U6 | V4 | S | E4A
    C0001 | 2015-02-12 | 2015-06-30 | U6 | C2 | S | E4A
    C0002 | 2015-02-12 | 2015-02-14 | U6 | V3 | S | E4A
    """
    out = chained(rows)
    assert shown(out.rows, "child_id", "start_date", "spell") == [
        ("C0001", "2015-01-10", 1),
        ("C0001", "2015-02-12", 2),
    ]
    assert shown(out.respite, "child_id", "legal_status") == [("C0001", "V4"), ("C0002", "V3")]


def test_children_do_not_run_into_each_other(spells) -> None:
    """C0002 begins on the day C0001 ends."""
    out = spells(
        "C0001 | 2015-01-10 | 2015-02-10 | U6 | C1 | S | E4A\n"
        "C0002 | 2015-02-10 | 2015-03-10 | U6 | C1 | S | E4A"
    )
    assert shown(out, "child_id", "spell", "n_placements") == [("C0001", 1, 1), ("C0002", 1, 1)]


def test_an_open_spell_has_no_end_no_length_and_no_exit(spells) -> None:
    out = spells("C0001 | 2015-01-10 | | U6 | C1 | S |")
    assert shown(out, "end_date", "days", "exit_state", "exit_code") == [("", "", "", "")]


def test_a_spell_that_does_not_begin_with_a_start_of_care_is_left_truncated(spells) -> None:
    """Cut off by the extract: its first row is a change of placement."""
    out = spells("C0001 | 2015-01-10 | 2015-02-10 | U6 | C1 | P | E4A\nC0001 | 2016-01-10 | | U6 | C1 | S |")
    assert shown(out, "spell", "is_left_truncated") == [(1, True), (2, False)]


@pytest.mark.parametrize(
    ("ended", "state", "censoring"),
    [
        ("E4A", "home", ""),
        ("E4B", "home", ""),
        ("E13", "kin", ""),
        ("E41", "kin", ""),
        ("E43", "kin", ""),
        ("E46", "kin", ""),
        ("E11", "adopted", ""),
        ("E12", "adopted", ""),
        ("E2", "died", ""),
        ("D_HOME", "home", ""),
        ("D_KIN", "kin", ""),
        ("D_ADOPTED", "adopted", ""),
        ("D_DIED", "died", ""),
        ("E3", "", "transferred"),
        ("D_TRANSFER", "", "transferred"),
        ("E8", "", "end_of_records"),
        ("D_OTHER", "", "end_of_records"),
        # Closed by the extract and not by an event: a censoring, never an exit.
        ("E99", "", "end_of_records"),
        # Another placement should follow and does not, or no reason is given: nobody knows where.
        ("X1", "", "end_of_records"),
        ("", "", "end_of_records"),
    ],
)
def test_what_a_reason_for_ending_means(spec: Spec, chained, ended: str, state: str, censoring: str) -> None:
    out = stated_exits(chained(f"C0001 | 2015-01-10 | 2015-02-10 | U6 | C1 | S | {ended}"), spec.states)
    assert shown(out, "state", "censoring") == [(state, censoring)]


def test_every_reason_is_an_exit_a_censoring_or_goes_on(spec: Spec, chained) -> None:
    for code in spec.codes["reason_ended"]:
        (found,) = shown(
            stated_exits(chained(f"C0001|2015-01-10|2015-02-10|U6|C1|S|{code}"), spec.states),
            "state",
            "censoring",
        )
        assert sum(part != "" for part in found) == 1, code


def test_the_reason_within_a_spell_is_no_exit(spec: Spec, chained) -> None:
    """Only the last row of a spell leaves care, whatever the code of an earlier one."""
    out = stated_exits(chained(TWO_PLACEMENTS.replace("X1", "E4A")), spec.states)
    assert shown(out, "start_date", "state") == [("2015-02-10", "kin")]


LOST_AND_FOUND = """
C0001 | 2015-01-10 | 2015-02-10 | U6 | C1 | S | E3
C0001 | 2016-03-01 | 2016-04-01 | U6 | C1 | S | E8
C0001 | 2017-05-01 |            | U6 | C1 | S |
C0002 | 2015-01-10 | 2015-02-10 | U6 | C1 | S | E3
"""


@pytest.mark.parametrize(
    ("origin", "first_days"),
    [
        (
            "2014-06-01",
            ["2015-01-10", "2016-03-01", "2017-05-01", "2015-01-10"],
        ),  # before everything: all counts
        (
            "2015-02-10",
            ["2015-01-10", "2016-03-01", "2017-05-01", "2015-01-10"],
        ),  # lost on the day of the origin
        ("2015-06-01", ["2016-03-01", "2017-05-01", "2015-01-10"]),  # C0001 was lost and seen again
        ("2018-01-01", ["2017-05-01", "2015-01-10"]),  # lost twice
    ],
)
def test_what_came_before_a_loss_is_left_out_when_the_child_was_seen_again(
    spec: Spec, chained, origin: str, first_days: list[str]
) -> None:
    """A transfer years before randomisation may not end the follow-up of a child who came back into care.

    C0002 was not seen again: there the loss stands, and nothing is left out.
    """
    origins = pd.Series({"C0001": pd.Timestamp(origin), "C0002": pd.Timestamp(origin)})
    counted = since_origin(chained(LOST_AND_FOUND), origins, spec.states)
    assert [day for (day,) in shown(counted.rows, "start_date")] == first_days


def test_an_exit_before_the_origin_is_no_loss(spec: Spec, chained) -> None:
    counted = since_origin(
        chained(LOST_AND_FOUND.replace("E3", "E4A").replace("E8", "E4B")),
        pd.Series({"C0001": pd.Timestamp("2018-01-01"), "C0002": pd.Timestamp("2018-01-01")}),
        spec.states,
    )
    assert len(counted.rows) == 4


def test_no_placements_at_all(spec: Spec, spells, chained) -> None:
    assert len(spells("")) == 0
    assert len(stated_exits(chained(""), spec.states)) == 0
    assert len(since_origin(chained(""), pd.Series(dtype="datetime64[ns]"), spec.states).rows) == 0
