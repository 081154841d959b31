"""Cells against other cells of the record, of its parent, and of the records that point to it."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from analysis.data.checks.context import Check, Context, judged_against
from analysis.spec.rules import Rule


def _required_if(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    other = judged_against(frame, rule, context)
    asked = other.notna()
    if rule.value is not None:
        asked &= other.astype(str).str.lower() == rule.value.lower()
    return asked & frame[rule.column].isna()


def _empty_unless(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    other = judged_against(frame, rule, context)
    return frame[rule.column].notna() & other.notna() & (other.astype(str).str.lower() != rule.value.lower())


def _same_as(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    other = judged_against(frame, rule, context)
    return other.notna() & (frame[rule.column] != other)


def _constant_within(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    """Rows that differ from the most frequent value of their group."""
    sizes = frame.groupby([rule.other, rule.column]).size().rename("n").reset_index()
    # Of equally frequent values the first of the alphabet counts as usual.
    ordered = sizes.sort_values(["n", rule.column], ascending=[False, True], kind="stable")
    usual = ordered.drop_duplicates(rule.other).set_index(rule.other)[rule.column]
    expected = frame[rule.other].map(usual)
    return frame[rule.column].notna() & expected.notna() & (frame[rule.column] != expected)


def _unique(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    """All rows that share a value: which of them is wrong cannot be told."""
    return frame[rule.column].notna() & frame[rule.column].duplicated(keep=False)


def _unique_within(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    """All rows that share a value with another one of the same `other`."""
    pairs = pd.DataFrame({"value": frame[rule.column], "group": judged_against(frame, rule, context)})
    return pairs.notna().all(axis=1) & pairs.duplicated(keep=False)


def _referenced_by(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    table, column = rule.other.split(".", 1)
    return ~frame[rule.column].isin(context.tables[table][column])


def _count_equals(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    table, key = rule.other.split(".", 1)
    pointing = context.tables[table]
    counted = pointing.loc[pointing[rule.value].isna(), key].value_counts()
    return frame[key].notna() & (frame[rule.column] != frame[key].map(counted).fillna(0))


def _followed_by(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    """Rows with the code that announces a next row, where none of the same unit begins on that day."""
    unit, begins = context.spec.table(rule.table).key
    units, _ = pd.factorize(frame[unit])
    days, distinct = pd.factorize(pd.concat([frame[begins], frame[rule.other]]))
    starts, ends = np.split(np.tile(units, 2) * len(distinct) + days, 2)  # a number for each unit and day
    # A short break is no next placement: it leaves before placements are chained.
    is_break = pd.Series(False, index=frame.index)
    if "legal_status" in frame:
        is_break = frame["legal_status"].isin(context.spec.states.respite_legal_status)
    announced = (frame[rule.column] == rule.value) & frame[rule.other].notna() & ~is_break
    return announced & ~pd.Series(ends, index=frame.index).isin(starts[~is_break.to_numpy()])


def _code_valid_on(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    codes = context.spec.codes_of(context.spec.table(rule.table).field(rule.column).codelist).values()
    first = {each.code: pd.Timestamp(each.valid_from) for each in codes if each.valid_from}
    last = {each.code: pd.Timestamp(each.valid_to) for each in codes if each.valid_to}
    day = judged_against(frame, rule, context)
    begins = frame[rule.column].map(first).astype("datetime64[ns]")
    ends = frame[rule.column].map(last).astype("datetime64[ns]")
    return (day < begins) | (day > ends)


KINDS: Mapping[str, Check] = {
    "required_if": _required_if,
    "empty_unless": _empty_unless,
    "same_as": _same_as,
    "constant_within": _constant_within,
    "unique": _unique,
    "unique_within": _unique_within,
    "referenced_by": _referenced_by,
    "count_equals": _count_equals,
    "followed_by": _followed_by,
    "code_valid_on": _code_valid_on,
}
