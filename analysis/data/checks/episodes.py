"""Kinds of checks of care episodes, as the English return has them; the codes are in ``rules.yaml``.

A child's rows are looked at in order of their first day, short breaks apart: they may lie within anything.
"""

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
import pandas as pd

from analysis.data.ages import completed_months
from analysis.data.checks.context import Check, Context
from analysis.spec.rules import Rule

CHILD, START, END, REASON = "child_id", "start_date", "end_date", "reason_ended"
YEAR = 365  # days; a window of 12 months
APRIL, MONTHS = 4, 12


class _Held:
    """A table as a key: the same object is the same table, however equal another may be."""

    def __init__(self, frame: pd.DataFrame, apart: tuple[str, ...]) -> None:
        self.frame, self.apart = frame, apart

    def __hash__(self) -> int:
        return hash((id(self.frame), self.apart))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Held) and other.frame is self.frame and other.apart == self.apart


def _in_order(frame: pd.DataFrame, context: Context) -> pd.DataFrame:
    """Rows but short breaks, by child and first day, with the last day and reason of the row before."""
    return _ordered(_Held(frame, context.spec.states.respite_legal_status))


@lru_cache(maxsize=1)  # a dozen rules look at one table, which is sorted once
def _ordered(held: _Held) -> pd.DataFrame:
    rows = held.frame[~held.frame["legal_status"].isin(held.apart)]
    rows = rows.sort_values([CHILD, START], kind="stable")
    first = rows[CHILD].ne(rows[CHILD].shift())
    return rows.assign(
        is_first=first,
        is_last=first.shift(-1, fill_value=True),
        end_before=rows[END].shift().mask(first),
        reason_before=rows[REASON].shift().mask(first),
    )


def _code_fits(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    other = frame.loc[frame[rule.column].isin(rule.codes), rule.other].dropna()
    return ~other.isin(rule.allowed) if rule.allowed else other.isin(rule.refused)


def _lasts_longer(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    rows = frame[frame[rule.column].isin(rule.codes)]
    return (rows[END] - rows[START]).dt.days > int(rule.value)


def _same_day(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    return frame[rule.column] == frame[rule.other]


def _younger_than(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    """Rows with such a code that begin before the child is `value` years old, at the oldest it may be."""
    rows = frame[frame[rule.column].isin(rule.codes)]
    children = context.tables["children"].drop_duplicates(CHILD).set_index(CHILD)
    oldest = completed_months(rows[CHILD].map(children["birth_date"]), rows[START])
    return oldest < MONTHS * int(rule.value)


def _no_episode_overlap(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    """Rows that begin before an earlier row of the child that has ended did so."""
    rows = _in_order(frame, context)
    # The days as numbers, so that one running maximum serves all children: each begins above the one before.
    unit = rows["is_first"].cumsum().to_numpy() * np.int64(1_000_000)
    ends = rows[rule.other].fillna(pd.Timestamp.min).to_numpy().astype("datetime64[D]").astype(np.int64)
    latest = np.maximum.accumulate(np.where(rows[rule.other].isna(), 0, ends) + unit)
    starts = rows[rule.column].to_numpy().astype("datetime64[D]").astype(np.int64)
    before = np.append(0, latest[:-1])
    return pd.Series(~rows["is_first"].to_numpy() & (starts + unit < before), index=rows.index)


def _open_then_later(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    rows = _in_order(frame, context)
    return rows[rule.column].isna() & ~rows["is_last"]


def _first_is(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    rows = _in_order(frame, context)
    return rows["is_first"] & ~rows[rule.column].isin(rule.codes)


def _starts_on_last_day(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    rows = _in_order(frame, context)
    return rows[rule.column].isin(rule.codes) & (rows[START] == rows["end_before"])


def _follows_exit(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    """Rows that do not begin a period of care although the child had left it."""
    rows = _in_order(frame, context)
    left = rows["reason_before"].notna() & ~rows["reason_before"].isin(context.spec.states.continues)
    return left & rows["end_before"].notna() & ~rows[rule.column].isin(rule.codes)


def _continues_last(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    rows = _in_order(frame, context)
    apart = rows["end_before"].notna() & (rows[START] != rows["end_before"])
    return apart & ~rows[rule.column].isin(rule.codes)


def _ends_for_good(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    rows = _in_order(frame, context)
    return rows[rule.column].isin(rule.codes) & ~rows["is_last"]


def _returns_after(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    """Last rows of an absence after which the child is elsewhere than before it."""
    rows = _in_order(frame, context)
    away = rows[rule.column].isin(rule.codes)
    home = rows[rule.column].mask(away).groupby(rows[CHILD], sort=False)
    before, after = home.ffill(), home.bfill()
    ends = away & ~away.shift(-1, fill_value=False) & ~rows["is_last"]
    return ends & before.notna() & after.notna() & (before != after)


def _days_within_year(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    """Rows from which on the child has more than `value` such days within 12 months."""
    rows = frame[frame[rule.column].isin(rule.codes) & frame[END].notna()].sort_values([CHILD, START])
    unit = rows.groupby(CHILD, sort=False).ngroup().to_numpy() * np.int64(1_000_000)
    start = rows[START].to_numpy().astype("datetime64[D]").astype(np.int64) + unit
    total = np.append(0, np.cumsum((rows[END] - rows[START]).dt.days.to_numpy(np.int64)))
    until = np.searchsorted(start, start + YEAR, side="left")
    within = total[until] - total[np.arange(len(rows))]
    return pd.Series(within > int(rule.value), index=rows.index)


def _codes_within_year(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    """Rows of a child that has all of the codes in one year of the return, 1 April to 31 March."""
    rows = frame[frame[rule.column].isin(rule.codes)]
    year = rows[START].dt.year - (rows[START].dt.month < APRIL).astype(int)
    several = rows.groupby([rows[CHILD], year], sort=False)[rule.column].transform("nunique")
    return several == len(rule.codes)


def _episodes_with(rule: Rule, context: Context) -> pd.DataFrame:
    """The episodes whose field `other` has one of the rule's codes, in order."""
    name, column = rule.other.split(".", 1)
    rows = context.tables[name]
    return rows[rows[column].isin(rule.codes)].sort_values([CHILD, START], kind="stable")


def _after_episode(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    """Rows of step `value` dated after the first day of the child's first episode with such a code."""
    first = _episodes_with(rule, context).drop_duplicates(CHILD).set_index(CHILD)[START]
    return (frame["step"] == rule.value) & (frame[rule.column] > frame[CHILD].map(first))


def _on_last_day(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    """Rows of step `value` on the very day on which the child's last episode with such a code ended."""
    last = _episodes_with(rule, context).drop_duplicates(CHILD, keep="last").set_index(CHILD)[END]
    return (frame["step"] == rule.value) & (frame[rule.column] == frame[CHILD].map(last))


KINDS: Mapping[str, Check] = {
    "code_fits": _code_fits,
    "lasts_longer": _lasts_longer,
    "same_day": _same_day,
    "younger_than": _younger_than,
    "no_episode_overlap": _no_episode_overlap,
    "open_then_later": _open_then_later,
    "first_is": _first_is,
    "starts_on_last_day": _starts_on_last_day,
    "follows_exit": _follows_exit,
    "continues_last": _continues_last,
    "ends_for_good": _ends_for_good,
    "returns_after": _returns_after,
    "days_within_year": _days_within_year,
    "codes_within_year": _codes_within_year,
    "after_episode": _after_episode,
    "on_last_day": _on_last_day,
}
