"""What only shows once care histories are put together, as issues for the data manager."""

from collections.abc import Iterator, Mapping

import pandas as pd

from analysis.data.spells import Chained, stated_exits
from analysis.data.transitions import off_graph
from analysis.spec.issue import Issue
from analysis.spec.states import DIED, States

TABLE = "transitions"
# What a child must be alive for, beside a placement: the day on which it happened.
DATED = {"assessments": "visit_date", "reported_events": "event_date"}


def check_histories(
    transitions: pd.DataFrame,
    chained: Chained,
    deaths: pd.Series,
    states: States,
    tables: Mapping[str, pd.DataFrame],
) -> tuple[Issue, ...]:
    """Findings in the histories.

    TR01 a move that the state graph does not have, TR02 a child not yet seen at the clock origin, TR03 a
    placement after the child's death, TR04 a visit or an event after it, TR09 two days of one death. What is
    left out or cannot be seen is noted: TR06 short breaks, TR07 rows before a child was lost and seen again,
    TR08 gaps within a spell, TR10 children who may come back under another number. Nothing is changed.

    Parameters
    ----------
    transitions : DataFrame
        Rows of `derive_transitions`.
    chained : Chained
        The placements they were made of.
    deaths : Series
        Day of death by child.
    states : States
        The state graph.
    tables : mapping of str to DataFrame
        Clean typed tables, among them those of visits and events.
    """
    found = [*_moves(transitions, states), *_late(transitions, chained)]
    found += _after(chained.rows, "start_date", deaths, "TR03", "a placement after the child's death")
    for name, day in DATED.items():
        found += _after(tables[name], day, deaths, "TR04", "a visit or an event after the child's death")
    left_out = (
        (chained.respite, "TR06", "a short break, set aside before rows are put together"),
        (chained.lost, "TR07", "left out: the child was lost before the clock origin and seen again later"),
        (_after_gaps(chained.rows), "TR08", "begins days after the row before it ended, which is tolerated"),
        (_hidden(chained, states), "TR10", "a return to care under another number would not be seen"),
    )
    for rows, rule, message in left_out:
        found += _at_start(rows, rule, "note", message)
    found += _two_deaths(chained, tables["reported_events"], states)
    return tuple(sorted(found))


def _moves(transitions: pd.DataFrame, states: States) -> Iterator[Issue]:
    for move in off_graph(transitions, states).itertuples(index=False):
        key = f"{move.child_id}/{move.basis}/{move.start}"
        yield _issue(
            move.moved_file, move.moved_row, key, "TR01", "query", "a move along no edge of states.yaml"
        )


def _late(transitions: pd.DataFrame, chained: Chained) -> Iterator[Issue]:
    ordered = transitions.sort_values(["child_id", "basis", "start"], kind="stable")
    first = ordered.drop_duplicates("child_id")
    rows = chained.rows.drop_duplicates("child_id").set_index("child_id")
    for entry in first[first["start"] > 0].itertuples(index=False):
        row, key = rows.loc[entry.child_id], f"{entry.child_id}/{entry.basis}/{entry.start}"
        message = "no placement on the day of the clock origin, the child enters late"
        yield _issue(row["source_file"], row["source_row"], key, "TR02", "note", message)


def _after(rows: pd.DataFrame, day: str, deaths: pd.Series, rule: str, message: str) -> Iterator[Issue]:
    later = rows[rows[day] > rows["child_id"].map(deaths)]
    for file, row, child, date in later[["source_file", "source_row", "child_id", day]].itertuples(
        index=False
    ):
        yield _issue(file, row, f"{child}/{date:%Y-%m-%d}", rule, "query", message)


def _at_start(rows: pd.DataFrame, rule: str, severity: str, message: str) -> Iterator[Issue]:
    """One finding for each row, its key the child and its first day."""
    wanted = rows[["source_file", "source_row", "child_id", "start_date"]]
    for file, row, child, date in wanted.itertuples(index=False):
        yield _issue(file, row, f"{child}/{date:%Y-%m-%d}", rule, severity, message)


def _after_gaps(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows that go on with a spell although the row before had ended days ago."""
    return rows[~rows["is_first"] & (rows["start_date"] > rows["end_date"].shift())]


def _hidden(chained: Chained, states: States) -> pd.DataFrame:
    """Last rows of children who left for a state from which they may come back under another number."""
    exits = stated_exits(chained, states)
    return exits[exits["state"].isin(states.new_number_after)].drop_duplicates("child_id", keep="last")


def _two_deaths(chained: Chained, reported: pd.DataFrame, states: States) -> Iterator[Issue]:
    """Deaths in care that are reported for another day; the earlier one counts."""
    exits = stated_exits(chained, states)
    exits = exits[exits["state"] == DIED]
    told = reported[reported["category"] == "child_death"].dropna(subset=["child_id"])
    days = told.groupby("child_id")["event_date"].min()
    other = exits["child_id"].map(days)
    differing = exits[other.notna() & (other != exits["end_date"])]
    return _at_start(differing, "TR09", "query", "died on another day than reported; the earlier one counts")


def _issue(file: str | None, row: int, key: str, rule: str, severity: str, message: str) -> Issue:
    # A death known from a report only has no row among the placements.
    place = ("", 0) if pd.isna(row) else (file, int(row))
    return Issue(TABLE, *place, key, "source_state", rule, severity, "keep", message)
