"""Dates written in more than one way in a column: counted, and asked about where a day may be misread."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from functools import cache, lru_cache

import pandas as pd

from analysis.spec.declarations import Spec
from analysis.spec.issue import Issue
from analysis.spec.mapping import Mapping, Source
from analysis.spec.source_base import Dialect

RULE = "S10"


def mixed_dates(
    frame: pd.DataFrame, sources: Iterable[Source], mapping: Mapping, spec: Spec, *, file: str
) -> Iterator[Issue]:
    """Findings in the columns of a file that hold dates.

    A note for each declared format beside a column's usual one; a query where a cell can only be a date with
    the month before the day, because then the cells of which both parts are below 13 may be turned as well.

    Parameters
    ----------
    frame : DataFrame
        The cells of the file, trimmed.
    sources : iterable of Source
        The entries of the mapping that read it.
    """
    seen = set()
    for source in sources:
        table, dialect = spec.table(source.table), mapping.dialects[source.dialect]
        for name, column in source.columns.items():
            is_date = name in table.columns and table.field(name).type == "date"
            if is_date and column in frame and column not in seen:
                seen.add(column)
                cells = frame[column][~frame[column].isin(["", *mapping.missing])]
                for at, severity, message in _findings(cells, dialect):
                    row = int(frame.at[at, "source_row"])
                    yield Issue(source.table, file, row, "", name, RULE, severity, "keep", message)


def _findings(cells: pd.Series, dialect: Dialect) -> Iterator[tuple[object, str, str]]:
    """First row, severity and message of each format that is not the column's usual one."""
    turned = tuple(form for each in dialect.dates if (form := _turned(each)) not in (each, *dialect.dates))
    formats = cells.map({cell: _format_of(cell, (*dialect.dates, *turned)) for cell in cells.unique()})
    counts = Counter(formats.dropna())
    usual = max(counts, key=counts.get, default=None)
    for form in (each for each in counts if each != usual or each in turned):
        first = formats.index[formats == form][0]
        how = f"{counts[form]} of {len(cells)} dates of this column are written {form}"
        if form in turned:
            yield (
                first,
                "query",
                f"{how}, month first: other dates may have been read with day and month turned",
            )
        else:
            yield first, "note", f"{how}, most {usual}"


def _turned(form: str) -> str:
    """The format with day and month in each other's place, where the day comes first."""
    at = [form.find(part) for part in ("%d", "%m")]
    return form if not 0 <= at[0] < at[1] else form.translate(str.maketrans("dm", "md"))


def _format_of(cell: str, formats: tuple[str, ...]) -> str | None:
    return next((form for form in formats if read_day(cell, form)), None)


@lru_cache(maxsize=200_000)  # the same dates come again in every column
def read_day(cell: str, form: str) -> date | None:
    """The day that a text of this form means, or `None` where it is of another."""
    if not all(mark in cell for mark in _marks(form)):
        return None
    try:
        return datetime.strptime(cell, form).date()
    except ValueError:
        return None


@cache
def _marks(form: str) -> str:
    """Punctuation that no text of the form is without: looked for first, since most other texts lack it."""
    return re.sub(r"%.|\w|\s", "", form)
