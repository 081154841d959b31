"""What only shows once care histories are put together, as issues for the data manager."""

from collections.abc import Iterator, Mapping

import pandas as pd

from analysis.data.spells import Chained
from analysis.data.transitions import off_graph
from analysis.spec.issue import Issue
from analysis.spec.states import States

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
    placement after the child's death, TR04 a visit or an event after it. Nothing is changed.

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


def _issue(file: str | None, row: int, key: str, rule: str, severity: str, message: str) -> Issue:
    # A death known from a report only has no row among the placements.
    place = ("", 0) if pd.isna(row) else (file, int(row))
    return Issue(TABLE, *place, key, "source_state", rule, severity, "keep", message)
