"""What a child's age does not allow, and ages recorded as something else than what they are."""

from collections.abc import Mapping

import pandas as pd

from analysis.data.checks.context import Check, Context, age_limits, judged_against
from analysis.spec.rules import ANY_CODE, Rule

# A recorded age in months may have been counted in another way than by birthdays.
ONE_MONTH = 1


def _impossible_at_age(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    """Rows with a code that nobody of the child's age (completed months, ends included) can have."""
    youngest, oldest = age_limits(frame["child_id"], judged_against(frame, rule, context), context)
    codes = frame[rule.column]
    known = rule.limits.get(ANY_CODE)
    low = codes.map({code: limits[0] for code, limits in rule.limits.items()}).astype(float)
    high = codes.map({code: limits[1] for code, limits in rule.limits.items()}).astype(float)
    if known:
        low, high = low.fillna(known[0]), high.fillna(known[1])
    # An age below zero is a date out of order, which is another rule's finding.
    return codes.notna() & (oldest >= 0) & ((oldest < low) | (youngest > high))


def is_other_age(ages: pd.Series, children: pd.Series, days: pd.Series, context: Context) -> pd.Series:
    """Whether a recorded age in months is not that of a child on a day."""
    youngest, oldest = age_limits(children, days, context)
    return (ages < youngest - ONE_MONTH) | (ages > oldest + ONE_MONTH)


def _age_differs(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    days = judged_against(frame, rule, context)
    return is_other_age(frame[rule.column], frame["child_id"], days, context)


def _in_other_unit(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    """Ages that are wrong in months and right in the unit of which `value` months make one."""
    months = int(rule.value)
    youngest, oldest = age_limits(frame["child_id"], judged_against(frame, rule, context), context)
    right = (frame[rule.column] >= youngest // months) & (frame[rule.column] <= oldest // months)
    return right & _age_differs(frame, rule, context)


KINDS: Mapping[str, Check] = {
    "impossible_at_age": _impossible_at_age,
    "age_differs": _age_differs,
    "in_other_unit": _in_other_unit,
}
