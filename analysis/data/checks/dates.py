"""Dates in order, within limits, and on the side of randomisation that they belong to."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from analysis.data.checks.context import Check, Context, by_key, judged_against
from analysis.spec.rules import DATA_CUT, Rule


def _date_order(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    return frame[rule.column] < judged_against(frame, rule, context)


def _no_later_than(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    return frame[rule.column] > judged_against(frame, rule, context)


def _limit(rule: Rule, context: Context) -> pd.Timestamp:
    return context.data_cut if rule.value == DATA_CUT else pd.Timestamp(rule.value)


def _not_after(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    return frame[rule.column] > _limit(rule, context)


def _not_before(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    return frame[rule.column] < _limit(rule, context)


def _no_overlap(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    key = context.spec.table(rule.table).key[0]
    units, _ = pd.factorize(frame[key])
    order = np.lexsort((frame[rule.column], units))
    ordered, units = frame[[rule.column, rule.other]].iloc[order], units[order]
    ends = ordered[rule.other].fillna(pd.Timestamp.max)
    latest_end = ends.groupby(units).cummax().groupby(units).shift()
    return (ordered[rule.column] < latest_end).reindex(frame.index)


def _within_window(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    children, families = context.tables["children"], context.tables["families"]
    family = frame["child_id"].map(by_key(children, "child_id", "family_id"))
    origins = {
        "care_entry_date": frame["child_id"].map(by_key(children, "child_id", "care_entry_date")),
        "randomisation_date": family.map(by_key(families, "family_id", "randomisation_date")),
    }
    outside = pd.Series(False, index=frame.index)
    for visit in context.spec.trial.visits:
        day = (frame[rule.column] - origins[visit.origin]).dt.days
        outside |= (frame["visit"] == visit.id) & day.notna() & ~day.between(visit.from_days, visit.to_days)
    return outside


def _wrong_side(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    """Visits on the other side of randomisation than the family's epoch lets them be.

    The rule's `value` names the baseline. Siblings who joined later have theirs after randomisation, whatever
    the epoch; every other visit of anybody comes after it.
    """
    families = frame["child_id"].map(by_key(context.tables["children"], "child_id", "family_id"))
    randomised = families.map(by_key(context.tables["families"], "family_id", "randomisation_date"))
    epoch = families.map(by_key(context.tables["families"], "family_id", "epoch"))
    first = {each.id for each in context.spec.trial.epochs if each.baseline_precedes_randomisation}
    joined = frame["child_id"].map(by_key(context.tables["children"], "child_id", "joined_date")).notna()
    precedes = (frame["visit"] == rule.value) & epoch.isin(first) & ~joined
    day = frame[rule.column]
    return (precedes & (day > randomised)) | (~precedes & epoch.notna() & (day < randomised))


KINDS: Mapping[str, Check] = {
    "date_order": _date_order,
    "no_later_than": _no_later_than,
    "not_after": _not_after,
    "not_before": _not_before,
    "no_overlap": _no_overlap,
    "within_window": _within_window,
    "wrong_side": _wrong_side,
}
