"""State histories in days from randomisation, worked out by hand from a few placement rows.

Every child is randomised on 2015-01-01 (day 0); the data cut is 2016-01-01 (day 365) unless a test says so.
"""

import pandas as pd
import pytest

from analysis.data.spells import chain, since_origin
from analysis.data.transitions import (
    derive_deaths,
    derive_events,
    derive_followup,
    derive_transitions,
    off_graph,
)
from analysis.spec.declarations import Spec
from tests.unit.data.tables import shown, values

PLACEMENTS = "child_id | start_date | end_date | placement_code | legal_status | reason_new | reason_ended\n"
ORIGIN = "randomisation_date"


@pytest.fixture
def histories(spec: Spec):
    """Transitions, events and follow-up of children C0001 to C0003 of family F0001."""

    def run(
        rows: str, *, cut: str = "2016-01-01", withdrawals: str = "", reported: str = "", **changed: object
    ):
        states = spec.states.model_copy(update=changed)
        people = pd.DataFrame(
            {
                "child_id": ["C0001", "C0002", "C0003"],
                "family_id": "F0001",
                ORIGIN: pd.Timestamp("2015-01-01"),
            }
        )
        chained = chain(values(spec, "placements", PLACEMENTS + rows), states)
        counted = since_origin(chained, people.set_index("child_id")[ORIGIN], states)
        left = values(
            spec, "withdrawals", "family_id | child_id | withdrawal_date | withdrawal_level\n" + withdrawals
        )
        deaths = derive_deaths(
            chained, values(spec, "reported_events", "child_id | event_date | category\n" + reported), states
        )
        followup = derive_followup(counted, people, left, deaths, states, data_cut=pd.Timestamp(cut))
        moves = derive_transitions(counted, people, followup, deaths, states, origin=ORIGIN)
        events = derive_events(moves, people, followup, states, origin=ORIGIN)
        return moves, events, followup, states

    return run


@pytest.fixture
def moves(histories):
    """Intervals of C0001 as (start, stop, from, to) by one basis."""

    def run(rows: str, basis: str = "legal", **more: object) -> list[tuple]:
        table = histories(rows, **more)[0]
        mine = table[(table["child_id"] == "C0001") & (table["basis"] == basis)]
        return shown(mine, "start", "stop", "source_state", "target_state")

    return run


@pytest.fixture
def event(histories):
    """The event of C0001 by one basis: days, censor code, cause, description; None when there is none."""

    def run(rows: str, basis: str = "legal", **more: object) -> tuple | None:
        table = histories(rows, **more)[1]
        mine = table[(table["child_id"] == "C0001") & (table["basis"] == basis)]
        found = shown(mine, "time_days", "censor_code", "cause", "description")
        return found[0] if found else None

    return run


# 2014-10-03 is 90 days before randomisation, 2015-04-11 is day 100 and 2015-07-20 is day 200.
IN_CARE = "C0001 | 2014-10-03 | | U6 | C1 | S |"


def test_a_child_in_care_to_the_cut(moves, event) -> None:
    """What lies before randomisation is cut off; the interval ends without a move on the day of the cut."""
    assert moves(IN_CARE) == [(0, 365, "care", "")]
    assert event(IN_CARE) == (365, 1, "", "end_of_records")


HOME = "C0001 | 2014-10-03 | 2015-04-11 | U6 | C1 | S | E4A"


def test_a_return_home(moves, event) -> None:
    assert moves(HOME) == [(0, 100, "care", "home"), (100, 365, "home", "")]
    assert event(HOME) == (100, 0, "home", "permanent")


def test_a_return_home_that_breaks_down(moves, event) -> None:
    """Re-entry on day 200 is a move of its own; the first permanence stays the event."""
    rows = HOME + "\nC0001 | 2015-07-20 | | U6 | C1 | S |"
    assert moves(rows) == [(0, 100, "care", "home"), (100, 200, "home", "care"), (200, 365, "care", "")]
    assert event(rows) == (100, 0, "home", "permanent")


def test_parents_under_a_care_order_are_home_by_physical_date_only(moves, event) -> None:
    """P1 from day 100, the order ends on day 200: legally home on day 200, physically on day 100."""
    rows = (
        "C0001 | 2014-10-03 | 2015-04-11 | U6 | C2 | S | X1\n"
        "C0001 | 2015-04-11 | 2015-07-20 | P1 | C2 | P | E4A"
    )
    assert moves(rows) == [(0, 200, "care", "home"), (200, 365, "home", "")]
    assert moves(rows, "physical") == [(0, 100, "care", "home"), (100, 365, "home", "")]
    assert event(rows) == (200, 0, "home", "permanent")
    assert event(rows, "physical") == (100, 0, "home", "permanent")


def test_a_placement_with_parents_that_breaks_down_is_a_return_to_care(moves) -> None:
    rows = "C0001 | 2014-10-03 | 2015-04-11 | P1 | C2 | S | X1\nC0001 | 2015-04-11 | | U6 | C2 | P |"
    assert moves(rows) == [(0, 365, "care", "")]
    assert moves(rows, "physical") == [(0, 100, "home", "care"), (100, 365, "care", "")]


@pytest.mark.parametrize(
    ("code", "legal", "physical"),
    [
        ("U1", "kin", "kin"),
        ("U4", "foster", "foster"),
        ("U3", "care", "kin"),
        ("U2", "care", "kin"),
        ("A5", "care", "adopted"),
        ("S_FOSTER_PERMANENT", "foster", "foster"),
        ("S_KIN", "care", "kin"),
        ("S_HOME", "care", "home"),
        ("R3", "care", "care"),
    ],
)
def test_what_a_placement_means_by_each_basis(moves, code: str, legal: str, physical: str) -> None:
    """A child moves from temporary carers to this placement on day 100 and stays."""
    rows = f"C0001 | 2014-10-03 | 2015-04-11 | U6 | C2 | S | X1\nC0001 | 2015-04-11 | | {code} | C2 | P |"
    for basis, state in (("legal", legal), ("physical", physical)):
        expected = (
            [(0, 365, "care", "")] if state == "care" else [(0, 100, "care", state), (100, 365, state, "")]
        )
        assert moves(rows, basis) == expected


def test_an_adoption_ends_the_placement_that_led_to_it(moves) -> None:
    """With adopters from day 100, adopted on day 200."""
    rows = (
        "C0001 | 2014-10-03 | 2015-04-11 | U6 | C2 | S | X1\n"
        "C0001 | 2015-04-11 | 2015-07-20 | A5 | E1 | B | E12"
    )
    assert moves(rows) == [(0, 200, "care", "adopted"), (200, 365, "adopted", "")]
    assert moves(rows, "physical") == [(0, 100, "care", "adopted"), (100, 365, "adopted", "")]


def test_moves_between_placements_of_one_state_are_no_moves(moves) -> None:
    rows = "C0001 | 2014-10-03 | 2015-04-11 | U6 | C1 | S | X1\nC0001 | 2015-04-11 | | U6 | C2 | B |"
    assert moves(rows) == [(0, 365, "care", "")]


@pytest.mark.parametrize(("basis", "code", "state"), [("legal", "U4", "foster"), ("physical", "P1", "home")])
def test_a_night_in_hospital_does_not_end_a_permanent_home(
    moves, event, basis: str, code: str, state: str
) -> None:
    """T1 for a day: the child has not come back into care."""
    rows = f"""
    C0001 | 2014-10-03 | 2015-04-11 | U6     | C2 | S | X1
    C0001 | 2015-04-11 | 2015-07-20 | {code} | C2 | P | X1
    C0001 | 2015-07-20 | 2015-07-21 | T1     | C2 | P | X1
    C0001 | 2015-07-21 |            | {code} | C2 | P |
    """
    assert moves(rows, basis) == [(0, 100, "care", state), (100, 365, state, "")]
    # Unless the declarations say that an absence is a state of its own.
    parted = [
        (0, 100, "care", state),
        (100, 200, state, "care"),
        (200, 201, "care", state),
        (201, 365, state, ""),
    ]
    assert moves(rows, basis, carried_forward=()) == parted


def test_an_absence_that_begins_a_spell_is_care(moves) -> None:
    """There is no state before it to go on."""
    assert moves(
        "C0001 | 2014-10-03 | 2015-04-11 | T1 | C2 | S | X1\nC0001 | 2015-04-11 | | U4 | C2 | P |"
    ) == [
        (0, 100, "care", "foster"),
        (100, 365, "foster", ""),
    ]


def test_death_in_care(moves, event) -> None:
    """The event by cause; no time is spent in the state of the dead."""
    rows = "C0001 | 2014-10-03 | 2015-04-11 | U6 | C1 | S | E2"
    assert moves(rows) == [(0, 100, "care", "died")]
    assert event(rows) == (100, 0, "died", "died")


def test_death_after_care_comes_from_the_reported_events(moves, event) -> None:
    """Home on day 100, died on day 200: permanence was reached first."""
    died = "C0001 | 2015-07-20 | child_death"
    assert moves(HOME, reported=died) == [(0, 100, "care", "home"), (100, 200, "home", "died")]
    assert event(HOME, reported=died) == (100, 0, "home", "permanent")


def test_a_death_stated_twice_is_one(histories, moves) -> None:
    """In the records on day 100, reported for the day after: the earlier day counts."""
    rows = "C0001 | 2014-10-03 | 2015-04-11 | U6 | C1 | S | E2"
    assert moves(rows, reported="C0001 | 2015-04-12 | child_death") == [(0, 100, "care", "died")]
    assert moves(rows, reported="C0001 | 2015-04-11 | child_death\nC0001 | 2015-04-11 | injury") == [
        (0, 100, "care", "died")
    ]
    followup = histories(rows, reported="C0001 | 2015-04-12 | child_death")[2]
    assert followup.loc["C0001", "description"] == "died"


def test_the_earlier_of_two_days_of_death_counts(histories) -> None:
    """Reported for day 99, in the records on day 100; then the other way round."""
    rows = "C0001 | 2014-10-03 | 2015-04-11 | U6 | C1 | S | E2"
    for reported, last in (("2015-04-10", "2015-04-10"), ("2015-04-12", "2015-04-11")):
        table, _, followup, _ = histories(rows, reported=f"C0001 | {reported} | child_death")
        assert shown(followup.loc[["C0001"]], "end_date") == [(last,)]
        assert table["stop"].unique().tolist() == [99 if reported == "2015-04-10" else 100]


def test_death_comes_after_a_placement_of_the_same_day(moves) -> None:
    """Moved to long-term carers and died on day 100."""
    rows = "C0001 | 2014-10-03 | 2015-04-11 | U6 | C1 | S | X1\nC0001 | 2015-04-11 | | U4 | C1 | P |"
    assert moves(rows, reported="C0001 | 2015-04-11 | child_death") == [(0, 100, "care", "died")]


def test_a_placement_after_death_is_not_followed(moves) -> None:
    rows = (
        IN_CARE.replace("| | U6 | C1 | S |", "| 2015-07-20 | U6 | C1 | S | X1")
        + "\nC0001 | 2015-07-20 | | U4 | C1 | P |"
    )
    assert moves(rows, reported="C0001 | 2015-04-11 | child_death") == [(0, 100, "care", "died")]


@pytest.mark.parametrize(
    ("ended", "expected"),
    [
        ("E3", (100, 2, "", "transferred")),
        ("E8", (100, 1, "", "end_of_records")),
        ("E99", (100, 1, "", "end_of_records")),
        ("X1", (100, 1, "", "end_of_records")),
        ("", (100, 1, "", "end_of_records")),
    ],
)
def test_follow_up_ends_where_the_child_is_lost(moves, event, ended: str, expected: tuple) -> None:
    """On day 100, though a later row shows the child in care again: what happened in between is not known."""
    rows = f"C0001 | 2014-10-03 | 2015-04-11 | U6 | C1 | S | {ended}\nC0001 | 2015-07-20 | | U4 | C1 | S |"
    assert moves(rows) == [(0, 100, "care", "")]
    assert event(rows) == expected


def test_a_loss_before_randomisation_does_not_end_the_follow_up_of_a_child_seen_again(moves, event) -> None:
    """Transferred out on 2013-02-01, taken into care again 90 days before randomisation."""
    rows = "C0001 | 2013-01-01 | 2013-02-01 | U6 | C1 | S | E3\n" + HOME
    assert moves(rows) == moves(HOME)
    assert event(rows) == event(HOME)


def test_a_loss_before_randomisation_without_return_leaves_nothing_to_follow(moves, event) -> None:
    rows = "C0001 | 2013-01-01 | 2013-02-01 | U6 | C1 | S | E3"
    assert moves(rows) == []
    assert event(rows) is None


def test_a_loss_then_a_return_after_randomisation_enters_late(moves) -> None:
    """Between day 0 and day 100 nobody knows; the time before the loss does not fill the gap."""
    rows = "C0001 | 2013-01-01 | 2013-02-01 | U6 | C1 | S | E3\nC0001 | 2015-04-11 | | U6 | C1 | S |"
    assert moves(rows) == [(100, 365, "care", "")]


@pytest.mark.parametrize(
    ("withdrawals", "last"),
    [
        ("F0001 | C0001 | 2015-04-11 | all", 100),
        ("F0001 |  | 2015-04-11 | all", 100),
        ("F0001 | C0002 | 2015-04-11 | all", 365),
        ("F0001 | C0001 | 2015-04-11 | visits", 365),
        ("F0002 |  | 2015-04-11 | all", 365),
        ("F0001 | C0001 | 2015-07-20 | all\nF0001 |  | 2015-04-11 | all", 100),
    ],
)
def test_withdrawn_records_end_follow_up(moves, event, withdrawals: str, last: int) -> None:
    """By the child or by its family; a withdrawal from visits alone leaves the records."""
    assert moves(IN_CARE, withdrawals=withdrawals) == [(0, last, "care", "")]
    expected = (100, 3, "", "withdrawn") if last == 100 else (365, 1, "", "end_of_records")
    assert event(IN_CARE, withdrawals=withdrawals) == expected


def test_follow_up_ends_at_the_first_of_its_reasons(histories) -> None:
    """Withdrawn on day 50, lost on day 100, dead on day 200; of one day's reasons, death is named."""
    rows = "C0001 | 2014-10-03 | 2015-04-11 | U6 | C1 | S | E3"
    followup = histories(
        rows, withdrawals="F0001 | C0001 | 2015-02-20 | all", reported="C0001 | 2015-07-20 | child_death"
    )[2]
    assert shown(followup.loc[["C0001", "C0002"]], "end_date", "description") == [
        ("2015-02-20", "withdrawn"),
        ("2016-01-01", "end_of_records"),
    ]
    followup = histories(
        IN_CARE, withdrawals="F0001 | | 2015-04-11 | all", reported="C0001 | 2015-04-11 | child_death"
    )[2]
    assert followup.loc["C0001", "description"] == "died"


def test_an_event_on_the_last_day_counts(moves, event) -> None:
    """The order is made on the day of the cut, and on the day the records are withdrawn."""
    assert event(HOME, cut="2015-04-11") == (100, 0, "home", "permanent")
    assert moves(HOME, cut="2015-04-11") == [(0, 100, "care", "home")]
    assert event(HOME, withdrawals="F0001 | | 2015-04-11 | all") == (100, 0, "home", "permanent")
    assert event(HOME, cut="2015-04-10") == (99, 1, "", "end_of_records")


@pytest.mark.parametrize("cut", ["2015-01-01", "2014-12-01"])
def test_no_follow_up_no_row(moves, event, cut: str) -> None:
    """A follow-up of no days, or one that ends before it begins."""
    assert moves(HOME, cut=cut) == []
    assert event(HOME, cut=cut) is None


def test_the_time_to_an_event_starts_when_the_child_is_first_seen(histories) -> None:
    """Seen from day 100, home on day 200: the days before are not time at risk."""
    late = histories("C0001 | 2015-04-11 | 2015-07-20 | U6 | C1 | S | E4A")[1]
    early = histories(HOME)[1]
    assert shown(late[late["basis"] == "legal"], "entry_days", "time_days") == [(100, 200)]
    assert shown(early[early["basis"] == "legal"], "entry_days", "time_days") == [(0, 100)]


def test_a_child_seen_first_after_randomisation_enters_late(moves) -> None:
    assert moves("C0001 | 2015-04-11 | 2015-07-20 | U6 | C1 | S | E4A") == [
        (100, 200, "care", "home"),
        (200, 365, "home", ""),
    ]


def test_a_child_home_before_randomisation_is_not_at_risk(moves, event) -> None:
    """It has a history, which begins at home, and no waiting time."""
    rows = "C0001 | 2014-10-03 | 2014-12-01 | U6 | C1 | S | E4A"
    assert moves(rows) == [(0, 365, "home", "")]
    assert event(rows) is None


def test_a_child_back_in_care_at_randomisation_is_at_risk(moves, event) -> None:
    rows = "C0001 | 2014-08-01 | 2014-09-01 | U6 | C1 | S | E4A\n" + HOME
    assert moves(rows) == moves(HOME)
    assert event(rows) == event(HOME)


def test_the_last_of_several_states_on_a_day_holds(moves) -> None:
    """Day 100: left care for home, and placed again with long-term carers the same day.

    The two rows are chained, so the return home was none; on day 200 a spell ends and on the same day the
    child dies: death comes last.
    """
    rows = HOME + "\nC0001 | 2015-04-11 | | U4 | C1 | S |"
    assert moves(rows) == [(0, 100, "care", "foster"), (100, 365, "foster", "")]
    died = HOME.replace("2015-04-11", "2015-07-20")
    assert moves(died, reported="C0001 | 2015-07-20 | child_death") == [(0, 200, "care", "died")]


def test_states_of_one_day_before_the_origin_do_not_mix(moves) -> None:
    """Everything before day 0 falls on it; the latest date holds, not the latest kind."""
    rows = "C0001 | 2014-10-03 | 2014-11-01 | U6 | C1 | S | E4A\nC0001 | 2014-12-01 | | U6 | C1 | S |"
    assert moves(rows) == [(0, 365, "care", "")]


def test_the_rows_that_decide_are_kept(histories) -> None:
    """The exit is on line 3, the withdrawal on line 2 of its table; no row decides an administrative end."""
    rows = (
        "C0001 | 2014-10-03 | 2015-02-01 | U6 | C1 | S | X1\n"
        "C0001 | 2015-02-01 | 2015-04-11 | U6 | C1 | P | E4A\n"
    )
    events = histories(
        rows + "C0002 | 2014-10-03 | | U6 | C1 | S |\nC0003 | 2014-10-03 | | U6 | C1 | S |",
        withdrawals="F0001 | C0002 | 2015-03-01 | all",
    )[1]
    legal = events[events["basis"] == "legal"]
    assert shown(legal, "child_id", "description", "source_file", "source_row") == [
        ("C0001", "permanent", "export.csv", 3),
        ("C0002", "withdrawn", "export.csv", 2),
        ("C0003", "end_of_records", "", ""),
    ]


def test_both_bases_hold_every_child_once(histories) -> None:
    rows = "\n".join(HOME.replace("C0001", child) for child in ("C0001", "C0002", "C0003"))
    events = histories(rows)[1]
    assert events.groupby("basis")["child_id"].nunique().to_dict() == {"legal": 3, "physical": 3}
    assert shown(events, "family_id", "start_date", "date", "parameter")[0] == (
        "F0001",
        "2015-01-01",
        "2015-04-11",
        "PERMANENCE",
    )


def test_intervals_of_a_child_follow_each_other(histories) -> None:
    rows = HOME + "\nC0001 | 2015-07-20 | 2015-08-20 | U1 | C1 | S | X1\nC0001 | 2015-08-20 | | U4 | C1 | P |"
    table = histories(rows)[0]
    for _, mine in table.groupby(["child_id", "basis"]):
        assert mine["stop"].iloc[:-1].tolist() == mine["start"].iloc[1:].tolist()
        assert mine["target_state"].iloc[:-1].tolist() == mine["source_state"].iloc[1:].tolist()
        assert mine["target_state"].isna().tolist()[-1]


def test_moves_off_the_graph_are_found(histories) -> None:
    """Home to long-term foster care without coming into care first is no edge of the graph."""
    rows = HOME + "\nC0001 | 2015-07-20 | | U4 | C1 | S |"
    table, _, _, states = histories(rows)
    assert shown(
        off_graph(table[table["basis"] == "legal"], states), "start", "source_state", "target_state"
    ) == [(100, "home", "foster")]
    assert len(off_graph(histories(HOME)[0], states)) == 0


def test_rows_may_come_in_any_order(histories) -> None:
    lines = (
        HOME + "\nC0001 | 2015-07-20 | | U6 | C1 | S |\nC0002 | 2014-10-03 | | U6 | C1 | S |"
    ).splitlines()
    first, second = histories("\n".join(lines)), histories("\n".join(reversed(lines)))
    for one, other in zip(first[:2], second[:2], strict=True):
        assert shown(one, "child_id", "basis", "family_id") == shown(other, "child_id", "basis", "family_id")
    assert shown(first[0], "start", "stop", "target_state") == shown(
        second[0], "start", "stop", "target_state"
    )


def test_children_without_placements_have_no_history(histories) -> None:
    table, events, followup, _ = histories("", reported="C0002 | 2015-03-01 | child_death")
    assert len(table) == len(events) == 0
    assert followup["description"].to_dict() == {
        "C0001": "end_of_records",
        "C0002": "died",
        "C0003": "end_of_records",
    }
