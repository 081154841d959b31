"""What of a raw table was so on the day of a data cut: declared per table, judged in `analysis.data.cut`."""

from collections.abc import Iterable
from typing import Literal

from pydantic import Field, model_validator

from analysis.spec.base import Declaration

# A date kept by month says so in a field of this name behind its own.
PRECISION, MONTH = "_precision", "month"


class Later(Declaration):
    """A date that may come after the row was first written, and the cells that are empty until it has."""

    date: str
    with_: tuple[str, ...] = Field(default=(), alias="with")


class Orphan(Declaration):
    """A row that stays when the parent of its `key` is not there yet, and the cells it is then without."""

    key: str
    with_: tuple[str, ...] = Field(default=(), alias="with")


class TableCut(Declaration):
    """How a raw table is cut.

    A row is there from its `date` on; one without goes with its parent. `later` dates are empty until they
    come. `always` are dates that say nothing about the cut: known long before, or a plan. `visit_status` is
    the field that holds whether a visit took place; it follows from the visit's window.
    """

    date: str | None = None
    later: tuple[Later, ...] = ()
    always: tuple[str, ...] = ()
    orphan: Orphan | None = None
    visit_status: str | None = None

    @property
    def dates(self) -> tuple[str, ...]:
        return (*([self.date] if self.date else []), *(each.date for each in self.later), *self.always)

    @property
    def emptied(self) -> tuple[str, ...]:
        """Fields that the cut may empty."""
        cells = [name for each in self.later for name in (each.date, *each.with_)]
        return (*cells, *((self.orphan.key, *self.orphan.with_) if self.orphan else ()))

    @property
    def fields(self) -> tuple[str, ...]:
        """Every field it names."""
        return (*self.dates, *self.emptied, *([self.visit_status] if self.visit_status else []))

    @model_validator(mode="after")
    def _each_date_once(self) -> "TableCut":
        if len(set(self.dates)) != len(self.dates):
            raise ValueError("a date is given twice")
        return self


class CutRules(Declaration):
    """What holds for every table.

    `partial_dates` is the day that a date kept by month counts as; `open_windows` what a visit is that has
    not taken place while its window is open.
    """

    partial_dates: Literal["first_day", "last_day"]
    open_windows: Literal["not_due"]
    partial_dates_text: str
    open_windows_text: str
    undated_text: str


def cut_problems(cut: TableCut, dates: Iterable[str], required: Iterable[str], columns: Iterable[str]) -> str:
    """What is wrong with the declaration of a table with these fields, in words; empty if nothing is."""
    if absent := sorted(set(cut.fields) - set(columns)):
        return f"no such field: {', '.join(absent)}"
    if missing := [name for name in dates if name not in cut.dates]:
        return f"say what a data cut makes of the date {', '.join(missing)}"
    if extra := [name for name in cut.dates if name not in set(dates)]:
        return f"not a date: {', '.join(extra)}"
    if fixed := sorted(set(cut.emptied) & set(required)):
        return f"a required field cannot be emptied: {', '.join(fixed)}"
    return ""
