"""Questionnaires and scores: printed totals, items, ranges and the ages that a form is for."""

from collections.abc import Mapping
from itertools import combinations

import pandas as pd

from analysis.data.checks.context import Check, Context, age_limits
from analysis.data.scores import score_table
from analysis.spec.instruments import Instrument
from analysis.spec.rules import Rule

# Half a unit of the last place of a total printed in whole numbers, and a hair for its binary form.
AS_PRINTED = 0.5 + 1e-9


def scored(frame: pd.DataFrame, parameter: str, context: Context) -> pd.Series:
    """Our score of every answered form, by position; missing when too few items were answered."""
    instrument = instrument_of(parameter, context)
    scores = score_table(frame, instrument)
    mine = scores[scores["parameter"] == parameter].set_index("position")["value"]
    return pd.Series(mine.reindex(range(len(frame))).to_numpy(float), index=frame.index)


def instrument_of(parameter: str, context: Context) -> Instrument:
    """The questionnaire that has a score."""
    return next(each for each in context.spec.instruments.values() if parameter in each.parameters)


def _differs(printed: pd.Series, ours: pd.Series) -> pd.Series:
    # A printed total is rounded as the source rounds: half a unit of its last place is agreement.
    return (printed.astype(float) - ours).abs() > AS_PRINTED


def _sum_equals(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    return _differs(frame[rule.column], scored(frame, rule.value, context))


def _exchanged(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    """Rows whose printed scores are ours only once the columns of two of them change places."""
    ours = {name: scored(frame, parameter, context) for name, parameter in rule.printed.items()}
    wrong = pd.DataFrame({name: _differs(frame[name], score) for name, score in ours.items()}).any(axis=1)
    found = pd.Series(False, index=frame.index)
    for one, other in combinations(rule.printed, 2):
        turned = {**dict(zip(ours, ours, strict=True)), one: other, other: one}
        given = frame[[one, other]].notna().all(axis=1)
        differs = pd.DataFrame({name: _differs(frame[turned[name]], ours[name]) for name in ours})
        found |= given & wrong & ~differs.any(axis=1)
    return found


def not_for(
    children: pd.Series, forms: pd.Series, days: pd.Series, instrument: Instrument, context: Context
) -> pd.Series:
    """Whether a form is not meant for the age of a child on a day."""
    youngest, oldest = age_limits(children, days, context)
    low = forms.map({form.id: form.from_months for form in instrument.forms}).astype(float)
    high = forms.map({form.id: form.to_months for form in instrument.forms}).astype(float)
    return (oldest < low) | (youngest > high)


def _not_at_age(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    instrument = context.spec.instruments[rule.value]
    return not_for(frame["child_id"], frame[rule.column], frame["completed_date"], instrument, context)


def _score_range(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    scales = context.spec.scores.values()
    low = frame[rule.other].map({each.parameter: each.minimum for each in scales}).astype(float)
    high = frame[rule.other].map({each.parameter: each.maximum for each in scales}).astype(float)
    return (frame[rule.column] < low) | (frame[rule.column] > high)


def _items_of_form(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    instrument = context.spec.instruments[rule.value]
    longest = max(form.n_items for form in instrument.forms)
    lengths = frame[rule.column].map({form.id: form.n_items for form in instrument.forms})
    beyond = pd.Series(False, index=frame.index)
    for item in range(1, longest + 1):
        beyond |= (lengths < item) & frame[f"{instrument.item_prefix}{item:02d}"].notna()
    return beyond


KINDS: Mapping[str, Check] = {
    "sum_equals": _sum_equals,
    "exchanged": _exchanged,
    "not_at_age": _not_at_age,
    "score_range": _score_range,
    "items_of_form": _items_of_form,
}
