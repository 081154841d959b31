"""What siblings tell of each other: births too close together, and forms filed under each other's number."""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from analysis.data.checks.ages import is_other_age
from analysis.data.checks.context import Check, Context, by_key, judged_against
from analysis.data.checks.instruments import not_for
from analysis.spec.rules import Rule

DAYS_OF_DOUBT = 30  # of a date of birth recorded as the first of its month
# Whether each row does not fit the child given for it.
Misfit = Callable[[pd.DataFrame, pd.Series], pd.Series]


def _births_too_close(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    """Both of two siblings born one after the other with fewer days between than one mother needs.

    Siblings born on the same day are twins. `between` gives the least and the most days that are impossible.
    """
    ordered = frame.sort_values([rule.other, rule.column, "child_id"], kind="stable")
    doubt = DAYS_OF_DOUBT * (ordered["birth_date_precision"] == "month").astype(int)
    siblings = ordered[rule.other].eq(ordered[rule.other].shift())
    days = ordered[rule.column].diff().dt.days
    # The dates mean at the least and the most so many days, given what is not known of either.
    least, most = days - doubt.shift(), days + doubt
    low, high = rule.between
    close = siblings & (least >= low) & (most <= high)
    return (close | close.shift(-1, fill_value=False)).reindex(frame.index)


def _swapped_forms(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    instrument = context.spec.instruments[rule.value]

    def misfit(rows: pd.DataFrame, children: pd.Series) -> pd.Series:
        return not_for(children, rows[rule.column], rows["completed_date"], instrument, context)

    return _swapped(frame, misfit, context)


def _swapped_ages(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    def misfit(rows: pd.DataFrame, children: pd.Series) -> pd.Series:
        return is_other_age(rows[rule.column], children, judged_against(rows, rule, context), context)

    return _swapped(frame, misfit, context)


def _swapped(frame: pd.DataFrame, misfit: Misfit, context: Context) -> pd.Series:
    """The first of each two siblings whose rows of a visit fit each other's age and not their own."""
    family = frame["child_id"].map(by_key(context.tables["children"], "child_id", "family_id"))
    wrong = misfit(frame, frame["child_id"]).fillna(False).astype(bool) & family.notna()
    rows = frame[["child_id", "visit"]].assign(family=family, at=np.arange(len(frame)))[wrong]
    pairs = rows.merge(rows, on=["family", "visit"], suffixes=("", "_other"))
    pairs = pairs[pairs["child_id"] < pairs["child_id_other"]].reset_index(drop=True)
    exchanged = [("at", "child_id_other"), ("at_other", "child_id")]
    fits = [~misfit(frame.iloc[pairs[at]].reset_index(drop=True), pairs[child]) for at, child in exchanged]
    found = np.zeros(len(frame), dtype=bool)
    found[pairs.loc[(fits[0] & fits[1]).fillna(False).astype(bool), "at"]] = True
    return pd.Series(found, index=frame.index)


KINDS: Mapping[str, Check] = {
    "births_too_close": _births_too_close,
    "swapped_forms": _swapped_forms,
    "swapped_ages": _swapped_ages,
}
