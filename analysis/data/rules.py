"""Kinds of checks beyond one cell: each is a function from a table to the rows that break it.

The rules are data, the lines of ``rules.yaml``.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.data.ages import completed_months
from analysis.data.scores import score_table
from analysis.spec.declarations import Spec
from analysis.spec.rules import DATA_CUT, Rule

# Half a unit of the last place of a total printed in whole numbers, and a hair for its binary form.
AS_PRINTED = 0.5 + 1e-9


class UnsoundError(KeyError):
    """A rule reads a table of which files or keys could not be read: what it finds would mean nothing."""

    def __init__(self, table: str) -> None:
        super().__init__(table)
        self.table = table


class Sound(dict[str, pd.DataFrame]):
    """Tables that a rule may rely on."""

    def __missing__(self, name: str) -> pd.DataFrame:
        raise UnsoundError(name)


@dataclass(frozen=True, slots=True)
class Context:
    """The tables, typed, as cleaned so far."""

    spec: Spec
    data_cut: pd.Timestamp
    tables: Mapping[str, pd.DataFrame]


Check = Callable[[pd.DataFrame, Rule, Context], pd.Series]


def broken(rule: Rule, context: Context) -> np.ndarray:
    """Positions of the rows of the rule's table that break it."""
    frame = context.tables[rule.table]
    found = KINDS[rule.kind](frame, rule, context).astype("boolean")
    return np.flatnonzero(found.fillna(False).to_numpy(bool))


def _other(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    if "." not in rule.other:
        return frame[rule.other]
    name, column = rule.other.split(".", 1)
    key = context.spec.table(name).key[0]
    lookup = context.tables[name].drop_duplicates(key).set_index(key)[column]
    return frame[key].map(lookup)


def _date_order(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    return frame[rule.column] < _other(frame, rule, context)


def _limit(rule: Rule, context: Context) -> pd.Timestamp:
    return context.data_cut if rule.value == DATA_CUT else pd.Timestamp(rule.value)


def _not_after(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    return frame[rule.column] > _limit(rule, context)


def _not_before(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    return frame[rule.column] < _limit(rule, context)


def _required_if(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    other = _other(frame, rule, context)
    asked = other.notna()
    if rule.value is not None:
        asked &= other.astype(str).str.lower() == rule.value.lower()
    return asked & frame[rule.column].isna()


def _sum_equals(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    instrument = next(each for each in context.spec.instruments.values() if each.table == rule.table)
    scores = score_table(frame, instrument)
    ours = scores[scores["parameter"] == rule.value].set_index("position")["value"].reindex(range(len(frame)))
    # A printed total is rounded as the source rounds: half a unit of its last place is agreement.
    return (frame[rule.column].astype(float) - ours.to_numpy(float)).abs() > AS_PRINTED


def _no_overlap(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    key = context.spec.table(rule.table).key[0]
    ordered = frame.sort_values([key, rule.column], kind="stable")
    ends = ordered[rule.other].fillna(pd.Timestamp.max)
    latest_end = ends.groupby(ordered[key]).cummax().groupby(ordered[key]).shift()
    return (ordered[rule.column] < latest_end).reindex(frame.index)


def _constant_within(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    """Rows that differ from the most frequent value of their group."""
    sizes = frame.groupby([rule.other, rule.column]).size().rename("n").reset_index()
    # Of equally frequent values the first of the alphabet counts as usual.
    ordered = sizes.sort_values(["n", rule.column], ascending=[False, True], kind="stable")
    usual = ordered.drop_duplicates(rule.other).set_index(rule.other)[rule.column]
    expected = frame[rule.other].map(usual)
    return frame[rule.column].notna() & expected.notna() & (frame[rule.column] != expected)


def _not_at_age(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    children = context.tables["children"].set_index("child_id")
    births = frame["child_id"].map(children["birth_date"])
    # A date of birth kept by month is its first day: the child may be up to a month younger.
    doubt = (frame["child_id"].map(children["birth_date_precision"]) == "month").astype(int)
    oldest = completed_months(births, frame["completed_date"])
    forms = {form.id: form for form in context.spec.instruments[rule.value].forms}
    low = frame[rule.column].map({name: form.from_months for name, form in forms.items()}).astype(float)
    high = frame[rule.column].map({name: form.to_months for name, form in forms.items()}).astype(float)
    return (oldest < low) | (oldest - doubt > high)


def _within_window(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    children = context.tables["children"].set_index("child_id")
    families = context.tables["families"].set_index("family_id")
    origins = {
        "care_entry_date": frame["child_id"].map(children["care_entry_date"]),
        "randomisation_date": frame["child_id"]
        .map(children["family_id"])
        .map(families["randomisation_date"]),
    }
    outside = pd.Series(False, index=frame.index)
    for visit in context.spec.trial.visits:
        day = (frame[rule.column] - origins[visit.origin]).dt.days
        outside |= (frame["visit"] == visit.id) & day.notna() & ~day.between(visit.from_days, visit.to_days)
    return outside


def _same_as(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    other = _other(frame, rule, context)
    return other.notna() & (frame[rule.column] != other)


def _followed_by(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    """Rows with the code that announces a next row, where none of the same unit begins on that day."""
    unit, begins = context.spec.table(rule.table).key
    starts = pd.MultiIndex.from_frame(frame[[unit, begins]])
    ends = pd.MultiIndex.from_frame(frame[[unit, rule.other]])
    announced = (frame[rule.column] == rule.value) & frame[rule.other].notna()
    return announced & ~ends.isin(starts)


def _code_valid_on(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    codes = context.spec.codes_of(context.spec.table(rule.table).field(rule.column).codelist).values()
    first = {each.code: pd.Timestamp(each.valid_from) for each in codes if each.valid_from}
    last = {each.code: pd.Timestamp(each.valid_to) for each in codes if each.valid_to}
    day = _other(frame, rule, context)
    begins = frame[rule.column].map(first).astype("datetime64[ns]")
    ends = frame[rule.column].map(last).astype("datetime64[ns]")
    return (day < begins) | (day > ends)


def _score_range(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    scales = context.spec.scores.values()
    low = frame[rule.other].map({each.parameter: each.minimum for each in scales}).astype(float)
    high = frame[rule.other].map({each.parameter: each.maximum for each in scales}).astype(float)
    return (frame[rule.column] < low) | (frame[rule.column] > high)


def _no_later_than(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    return frame[rule.column] > _other(frame, rule, context)


def _empty_unless(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    other = _other(frame, rule, context)
    return frame[rule.column].notna() & other.notna() & (other.astype(str).str.lower() != rule.value.lower())


def _unique(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    """All rows that share a value: which of them is wrong cannot be told."""
    return frame[rule.column].notna() & frame[rule.column].duplicated(keep=False)


def _referenced_by(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    table, column = rule.other.split(".", 1)
    return ~frame[rule.column].isin(context.tables[table][column])


def _count_equals(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    table, key = rule.other.split(".", 1)
    pointing = context.tables[table]
    counted = pointing.loc[pointing[rule.value].isna(), key].value_counts()
    return frame[key].notna() & (frame[rule.column] != frame[key].map(counted).fillna(0))


def _items_of_form(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    instrument = context.spec.instruments[rule.value]
    longest = max(form.n_items for form in instrument.forms)
    lengths = frame[rule.column].map({form.id: form.n_items for form in instrument.forms})
    beyond = pd.Series(False, index=frame.index)
    for item in range(1, longest + 1):
        beyond |= (lengths < item) & frame[f"{instrument.item_prefix}{item:02d}"].notna()
    return beyond


KINDS: Mapping[str, Check] = {
    "date_order": _date_order,
    "not_after": _not_after,
    "not_before": _not_before,
    "required_if": _required_if,
    "sum_equals": _sum_equals,
    "no_overlap": _no_overlap,
    "constant_within": _constant_within,
    "not_at_age": _not_at_age,
    "within_window": _within_window,
    "same_as": _same_as,
    "followed_by": _followed_by,
    "code_valid_on": _code_valid_on,
    "score_range": _score_range,
    "no_later_than": _no_later_than,
    "empty_unless": _empty_unless,
    "unique": _unique,
    "referenced_by": _referenced_by,
    "count_equals": _count_equals,
    "items_of_form": _items_of_form,
}
