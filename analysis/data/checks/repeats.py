"""One record under two keys: all of its content, or all answers of a questionnaire."""

from collections.abc import Mapping

import pandas as pd

from analysis.data.checks.context import Check, Context
from analysis.spec.rules import Rule

PROVENANCE = ("source_file", "source_row")


def _repeated_content(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    """All rows that agree in every field but `column`, the key that tells them apart."""
    content = [name for name in context.spec.table(rule.table).columns if name not in PROVENANCE]
    content.remove(rule.column)
    return frame[rule.column].notna() & frame.duplicated(content, keep=False)


def _repeated_answers(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    """All forms that agree in date, version and every item with that of another `column`.

    Forms of which less than half is answered are not compared: they agree in what is absent.
    """
    instrument = context.spec.instruments[rule.value]
    lengths = {form.id: form.n_items for form in instrument.forms}
    items = [f"{instrument.item_prefix}{item:02d}" for item in range(1, max(lengths.values()) + 1)]
    answered = 2 * frame[items].notna().sum(axis=1) >= frame["form"].map(lengths)
    content = frame.loc[answered, [rule.column, "form", rule.other, *items]]
    others = content.drop_duplicates().duplicated(["form", rule.other, *items], keep=False)
    return others.reindex(frame.index, fill_value=False)


KINDS: Mapping[str, Check] = {
    "repeated_content": _repeated_content,
    "repeated_answers": _repeated_answers,
}
