"""What a check is given beside its table, and what several kinds of checks look up."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import pandas as pd

from analysis.data.ages import completed_months
from analysis.spec.declarations import Spec
from analysis.spec.rules import Rule


class UnsoundError(KeyError):
    """A rule reads a table of which files or keys could not be read: what it finds would mean nothing."""

    def __init__(self, table: str) -> None:
        super().__init__(table)
        self.table = table


class Sound(dict[str, pd.DataFrame]):
    """Tables that a rule may rely on. One that it may not is there, and refuses to be read."""

    def __init__(self, tables: Mapping[str, pd.DataFrame], unsound: Collection[str]) -> None:
        super().__init__({name: each for name, each in tables.items() if name not in unsound})
        self.unsound = frozenset(unsound)

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or name in self.unsound

    def __missing__(self, name: str) -> pd.DataFrame:
        raise UnsoundError(name)


@dataclass(frozen=True, slots=True)
class Context:
    """The tables, typed, as cleaned so far."""

    spec: Spec
    data_cut: pd.Timestamp
    tables: Mapping[str, pd.DataFrame]


# Rows of the rule's table that break it; a missing truth value is no finding.
Check = Callable[[pd.DataFrame, Rule, Context], pd.Series]


def judged_against(frame: pd.DataFrame, rule: Rule, context: Context) -> pd.Series:
    """The rule's `other`, row by row: of the table itself, or of the parent that its key points to."""
    if "." not in rule.other:
        return frame[rule.other]
    name, column = rule.other.split(".", 1)
    key = context.spec.table(name).key[0]
    return frame[key].map(by_key(context.tables[name], key, column))


def by_key(table: pd.DataFrame, key: str, column: str | list[str]) -> pd.Series | pd.DataFrame:
    """A column of a table, or several, by its key; of rows with one key, the first."""
    return table.drop_duplicates(key).set_index(key)[column]


def age_limits(children: pd.Series, days: pd.Series, context: Context) -> tuple[pd.Series, pd.Series]:
    """Youngest and oldest age in completed months that a child may have on a day.

    They differ where only the month of birth is kept, which is recorded as its first day.
    """
    people = by_key(context.tables["children"], "child_id", ["birth_date", "birth_date_precision"])
    births = people.reindex(children).set_axis(children.index)
    oldest = completed_months(births["birth_date"], days)
    return oldest - (births["birth_date_precision"] == "month").astype(int), oldest
