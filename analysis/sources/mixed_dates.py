"""Dates written in more than one way in a column: counted, and asked about where a day may be misread."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.factors import parts
from analysis.sources.date_formats import read_day
from analysis.sources.tabular import belongs, is_filled
from analysis.spec.declarations import Spec
from analysis.spec.issue import HIDDEN, Issue
from analysis.spec.mapping import Mapping, Source
from analysis.spec.rules import Severity
from analysis.spec.source_base import Dialect

RULE = "S10"


@dataclass(frozen=True, slots=True)
class _Mixed:
    """The cells of a column that are in one format beside its usual one."""

    rows: pd.Series
    severity: Severity
    message: str


def mixed_dates(
    frame: pd.DataFrame, sources: Iterable[Source], mapping: Mapping, spec: Spec, *, file: str
) -> Iterator[Issue]:
    """Findings in the columns of a file that hold dates, one for each cell, of keys not known yet.

    A note where a cell is in a declared format beside the column's usual one; a query where it can only be a
    date with the month before the day, because then the cells of which both parts are below 13 may be turned
    as well. A cell that several entries read is found once.

    Parameters
    ----------
    frame : DataFrame
        The cells of the file, trimmed.
    sources : iterable of Source
        The entries of the mapping that read it.
    """
    found: dict[str, list[_Mixed]] = {}
    told: dict[str, pd.Series] = {}
    for source in sources:
        table, rows = spec.table(source.table), belongs(frame, source) & is_filled(frame, source)
        for name, column in source.columns.items():
            if name not in table.columns or table.field(name).type != "date" or column not in frame:
                continue
            if column not in found:
                cells = frame[column][~frame[column].isin(["", *mapping.missing])]
                found[column] = list(_mixed(cells, mapping.dialects[source.dialect]))
            fresh = rows & ~told.get(column, False)
            told[column] = fresh | told.get(column, False)
            for each in found[column]:
                for row in frame.loc[fresh & each.rows.reindex(frame.index, fill_value=False), "source_row"]:
                    place = (source.table, file, int(row), HIDDEN, name)
                    yield Issue(*place, RULE, each.severity, "keep", each.message)


def _mixed(cells: pd.Series, dialect: Dialect) -> Iterator[_Mixed]:
    """Each format that is not the column's usual one."""
    turned = tuple(form for each in dialect.dates if (form := _turned(each)) not in (each, *dialect.dates))
    codes, distinct = parts(cells)
    formats = np.array([_format_of(cell, (*dialect.dates, *turned)) for cell in distinct], dtype=object)
    counts: Counter[str] = Counter()
    for form, n in zip(formats, np.bincount(codes, minlength=len(distinct)), strict=True):
        counts.update({form: int(n)} if form and n else {})
    usual = max(counts, key=counts.get, default=None)
    for form in (each for each in counts if each != usual or each in turned):
        rows = pd.Series((formats == form)[codes], index=cells.index)
        how = f"{counts[form]} of {len(cells)} dates of this column are written {form}"
        if form in turned:
            doubt = "month first: other dates may have been read with day and month turned"
            yield _Mixed(rows, "query", f"{how}, {doubt}")
        else:
            yield _Mixed(rows, "note", f"{how}, most {usual}")


def _turned(form: str) -> str:
    """The format with day and month in each other's place, where the day comes first."""
    at = [form.find(part) for part in ("%d", "%m")]
    return form if not 0 <= at[0] < at[1] else form.translate(str.maketrans("dm", "md"))


def _format_of(cell: str, formats: tuple[str, ...]) -> str | None:
    return next((form for form in formats if read_day(cell, form)), None)
