"""Events a child may have several times, as intervals of a counting process.

Everybody under observation is counted from the clock origin, whether or not the event can happen on that day:
a child never sent home has no return to care, and that is part of the answer.
"""

from collections.abc import Mapping

import pandas as pd

from analysis.data.spells import Chained
from analysis.data.transitions import makes_move, stack_rows
from analysis.spec.states import DIED, Recurrent, States

_PLACE = ["source_file", "source_row"]
_FOLLOWED = ["level", "unit_id", "family_id", "entry", "end", "is_death"]
_OCCURRED = ["level", "unit_id", "day", *_PLACE]


def derive_recurrences(
    transitions: pd.DataFrame,
    chained: Chained,
    reported_events: pd.DataFrame,
    subjects: pd.DataFrame,
    followup: pd.DataFrame,
    deaths: pd.Series,
    states: States,
    *,
    origin: str,
) -> pd.DataFrame:
    """Rows (start, stop] of each child and family for each recurrent event; see table `recurrences`.

    Events of care records are those of children with records, observed as long as the records are. Reported
    events are those of every child and, once more, of every family together, observed as long as serious
    events are reported. Several events of one unit on one day are one.

    Parameters
    ----------
    transitions, chained, reported_events, subjects, followup : DataFrame
        Derived histories, placements, clean events, children and the end of their records.
    deaths : Series
        Day of death by child.
    states : States
        Which events are counted.
    origin : str
        Column of `subjects` that is day 0 of the care records; reported events count from randomisation.
    """
    parts = []
    for parameter, declared in states.recurrent.items():
        if declared.category:
            followed = _reported_to(subjects, deaths)
            occurred = _reported(reported_events, subjects, declared)
        else:
            followed = _recorded_to(transitions, subjects, followup, declared.basis)
            occurred = (
                _moves(transitions, declared)
                if declared.to
                else _changes(chained, subjects, declared, states, origin)
            )
        parts.append(counting_process(followed, occurred).assign(parameter=parameter))
    return stack_rows(parts, [name for name in parts[0].columns if name not in _PLACE])


def counting_process(followed: pd.DataFrame, occurred: pd.DataFrame) -> pd.DataFrame:
    """Intervals (start, stop] between the events of each unit and to its end of follow-up.

    Parameters
    ----------
    followed : DataFrame
        One row per unit: level, unit_id, family_id, first and last day (`entry`, `end`), `is_death`.
    occurred : DataFrame
        One row per event: level, unit_id, day, row of the source. Events outside (entry, end] are left out.
    """
    events = occurred.merge(followed, on=["level", "unit_id"], how="inner")
    events = events[(events["day"] > events["entry"]) & (events["day"] <= events["end"])]
    events = events.sort_values(["level", "unit_id", "day", *_PLACE], kind="stable").assign(is_event=True)
    last = followed[followed["end"] > followed["entry"]]
    last = last.assign(day=last["end"], is_event=False)
    # Stable, with the events first: of an event and the end of follow-up on one day the event is kept.
    columns = [*_FOLLOWED, "day", "is_event"]
    rows = stack_rows([events, last], columns).sort_values(["level", "unit_id", "day"], kind="stable")
    rows = rows.drop_duplicates(["level", "unit_id", "day"])
    before = rows.groupby(["level", "unit_id"], sort=False)["day"].shift()
    return pd.DataFrame(
        {
            **{name: rows[name] for name in ("level", "unit_id", "family_id")},
            "start": before.fillna(rows["entry"]).astype("int64"),
            "stop": rows["day"].astype("int64"),
            "is_event": rows["is_event"].astype(bool),
            "is_death": rows["is_death"] & (rows["day"] == rows["end"]),
            **{name: rows[name] for name in _PLACE},
        }
    )


def _recorded_to(
    transitions: pd.DataFrame, subjects: pd.DataFrame, followup: pd.DataFrame, basis: str | None
) -> pd.DataFrame:
    """First and last day of each child's history; that of every basis where the event has none of its own."""
    rows = transitions if basis is None else transitions[transitions["basis"] == basis]
    rows = rows.groupby("child_id")
    found = pd.DataFrame({"entry": rows["start"].min(), "last": rows["stop"].max()}).reset_index()
    people = subjects.set_index("child_id")
    child = found["child_id"]
    died = child.map(followup["description"]).eq(DIED)
    return found.assign(
        level="child",
        unit_id=child,
        family_id=child.map(people["family_id"]),
        end=found["last"],
        is_death=died,
    )[_FOLLOWED]


def _reported_to(subjects: pd.DataFrame, deaths: pd.Series) -> pd.DataFrame:
    day = (subjects["child_id"].map(deaths) - subjects["randomisation_date"]).dt.days
    children = subjects.assign(
        level="child",
        unit_id=subjects["child_id"],
        entry=0,
        end=subjects["safety_days"].astype("int64"),
        is_death=(day == subjects["safety_days"]).fillna(False).astype(bool),
    )[_FOLLOWED]
    families = children.groupby("family_id").agg(end=("end", "max")).reset_index()
    # A family has no death of its own: it is followed while one of its children is.
    families = families.assign(level="family", unit_id=families["family_id"], entry=0, is_death=False)
    return pd.concat([children, families[_FOLLOWED]], ignore_index=True)


def _moves(transitions: pd.DataFrame, declared: Recurrent) -> pd.DataFrame:
    rows = transitions[(transitions["basis"] == declared.basis) & makes_move(transitions, declared)]
    return rows.assign(
        level="child",
        unit_id=rows["child_id"],
        day=rows["stop"],
        source_file=rows["moved_file"],
        source_row=rows["moved_row"],
    )[_OCCURRED]


def _changes(
    chained: Chained, subjects: pd.DataFrame, declared: Recurrent, states: States, origin: str
) -> pd.DataFrame:
    """Placements with another carer. An absence and the return from it are not changes."""
    rows = chained.rows
    absent = rows["placement_code"].isin(states.carried_forward)
    back = absent.groupby(rows["child_id"], sort=False).shift(fill_value=False)
    rows = rows[rows["reason_new"].isin(declared.reason_new) & ~absent & ~back]
    zero = rows["child_id"].map(subjects.set_index("child_id")[origin])
    return rows.assign(level="child", unit_id=rows["child_id"], day=(rows["start_date"] - zero).dt.days)[
        _OCCURRED
    ].dropna(subset=["day"])


def _reported(reported_events: pd.DataFrame, subjects: pd.DataFrame, declared: Recurrent) -> pd.DataFrame:
    events = reported_events[reported_events["category"].isin(declared.category)]
    zero: Mapping = subjects.groupby("family_id")["randomisation_date"].min()
    events = events.assign(day=(events["event_date"] - events["family_id"].map(zero)).dt.days)
    of_child = events.dropna(subset=["child_id"]).assign(level="child", unit_id=lambda rows: rows["child_id"])
    of_family = events.assign(level="family", unit_id=events["family_id"])
    return stack_rows([of_child, of_family], ["level", "unit_id", "day"]).dropna(subset=["day"])
