"""A delimited export as rows of one raw table, in our field names, codes and date format."""

import re
from collections.abc import Collection, Sequence
from collections.abc import Mapping as MappingType
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from analysis.errors import SourceError
from analysis.factors import each_distinct, factor, parts, repeated, stacked
from analysis.sources.date_formats import read_day
from analysis.sources.request import Fields, Request
from analysis.sources.text import Text
from analysis.spec.characters import fold_id, whole_number
from analysis.spec.mapping import Mapping, Source
from analysis.spec.source_base import Dialect
from analysis.spec.tables import MISSING_MARK, Field, Table

SOURCE_COLUMNS = ("source_file", "source_row")
# Before a code that the file itself says is a missing value: no code of a value can be taken for it.
USER_MISSING = 2 * MISSING_MARK
_ASCII_SPACES = "\t\n\v\f\r\x1c\x1d\x1e\x1f "  # what `str.strip` takes off
_SWAPPED_MARKS = str.maketrans(",.", ".,")


@dataclass(frozen=True, slots=True)
class RowCount:
    """What became of the rows of one file for one table.

    In = kept + elsewhere + blank + superseded + set aside.

    `cells_trimmed` counts the cells of the file that had spaces around their value.
    """

    table: str
    file: str
    rows_in: int
    rows_kept: int
    rows_elsewhere: int
    rows_blank: int
    rows_superseded: int
    rows_set_aside: int
    cells_trimmed: int


def as_frame(text: Text) -> pd.DataFrame:
    """The cells of a file as factors, spaces around them trimmed, with file name and line of each row.

    Raises
    ------
    SourceError
        If the file has a column of a name that marks where a row came from.
    """
    if reserved := sorted(set(SOURCE_COLUMNS) & set(text.columns)):
        raise SourceError(
            f"{text.file}, row 1: column '{reserved[0]}' has a name kept for the workflow; rename it."
        )
    named = zip(text.columns, text.cells, strict=True)
    trimmed = [_trimmed(cells, text.missing.get(name, ())) for name, cells in named]
    lines = np.array([str(line) for line in text.lines], dtype=object)
    places = [repeated(text.file, len(lines)), lines]
    columns = dict(enumerate([*(cells for cells, _ in trimmed), *places]))  # a name may be given twice
    frame = pd.DataFrame(columns, copy=False).set_axis([*text.columns, *SOURCE_COLUMNS], axis=1)
    frame.attrs["cells_trimmed"] = sum(n for _, n in trimmed)
    return frame


def _trimmed(cells: Sequence[str], missing: Collection[str]) -> tuple[pd.Categorical, int]:
    """Cells without spaces around them, and how many had some; codes of missing values are marked."""
    whole = cells if isinstance(cells, pd.Categorical) else np.array(cells, dtype=object)
    codes, distinct = parts(pd.Series(whole, copy=False))
    # One look at all cells: most columns have no space anywhere.
    text = "".join(distinct)
    if text.isascii() and not missing and not any(space in text for space in _ASCII_SPACES):
        return factor(codes, distinct), 0
    trimmed = np.array([cell.strip() for cell in distinct], dtype=object)
    n_trimmed = int((trimmed != distinct)[codes].sum())
    marked = [USER_MISSING + cell if cell in missing else cell for cell in trimmed]
    return factor(codes, np.array(marked, dtype=object)), n_trimmed


def belongs(frame: pd.DataFrame, source: Source) -> pd.Series:
    """Which rows of a file are rows of the entry's table."""
    here = pd.Series(True, index=frame.index)
    for column, values in source.selection.items():
        if column in frame:  # those that must be there have been asked for
            here &= frame[column].isin(values)
    return here


def is_filled(frame: pd.DataFrame, source: Source) -> pd.Series:
    """Which rows of a file hold the part of the form that the entry's table is made of."""
    filled = pd.Series(True, index=frame.index)
    for column in source.unless_blank:
        filled &= frame[column] != ""
    return filled


def select_rows(frame: pd.DataFrame, source: Source, *, file: str) -> tuple[pd.DataFrame, RowCount]:
    """Rows of one file that belong to the table, with their columns as the file names them.

    Rows are left out for two declared reasons: another table takes them (`where`), or the part of the form
    this table holds was never filled in (`unless_blank`).
    """
    here, filled = belongs(frame, source), is_filled(frame, source)
    kept = frame if (here & filled).all() else frame[here & filled]
    count = RowCount(
        source.table, file, len(frame), len(kept), int((~here).sum()), int((here & ~filled).sum()), 0, 0, 0
    )
    return kept, count


def keep_latest(
    frames: list[pd.DataFrame], source: Source, dialect: Dialect
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Rows of several files stacked; of rows with equal `latest_by`, those of the last file stay.

    Files are in order of name. Keys are compared as they are meant: ids in capitals without look-alikes,
    dates whatever their format.

    Returns
    -------
    tuple
        The rows, and per file the number superseded. Equal rows within one file all stay: they are a data
        query.
    """
    rows = stacked(frames)
    if not source.latest_by:
        return rows, {}
    order = pd.Series(np.repeat(np.arange(len(frames)), [len(frame) for frame in frames]))
    keys = [each_distinct(rows[column], partial(_meant, dialect=dialect)) for column in source.latest_by]
    last = order.groupby(keys).transform("max")
    superseded = rows["source_file"].astype(object)[order < last].value_counts().to_dict()
    return rows[order == last].reset_index(drop=True), superseded


def _meant(cell: str, dialect: Dialect) -> str:
    return fold_id(iso_day(cell, dialect.dates))


def read_fields(frame: pd.DataFrame, request: Request) -> Fields:
    """Every row of the file as a row of the table."""
    return Fields(to_fields(frame, request.source, request.mapping, request.table))


def to_fields(frame: pd.DataFrame, source: Source, mapping: Mapping, table: Table) -> pd.DataFrame:
    """The table's fields from the file's columns: renamed, recoded, ISO dates, missing codes as reasons."""
    dialect = mapping.dialects[source.dialect]
    out = pd.DataFrame(index=frame.index)
    for name in [field.name for field in table.fields if field.name not in SOURCE_COLUMNS]:
        if name in source.constants:
            out[name] = source.constants[name]
        else:
            codes = source.values.get(name, {})
            missing = mapping.missing | source.missing.get(name, {})
            out[name] = _convert(frame[source.columns[name]], table.field(name), codes, missing, dialect)
    out["source_file"], out["source_row"] = frame["source_file"], frame["source_row"]
    return out


def _convert(
    cells: pd.Series,
    field: Field,
    codes: MappingType[str, str],
    missing: MappingType[str, str],
    dialect: Dialect,
) -> pd.Series:
    if field.type == "string" and not codes and not _has_reasons(cells.unique(), missing):
        return cells
    return each_distinct(cells, lambda cell: _one(cell, field, codes, missing, dialect))


def _has_reasons(distinct: np.ndarray, missing: MappingType[str, str]) -> bool:
    """Whether one look at all cells finds any that may be a missing code or begins with our mark."""
    lines = "\n".join(["", *distinct])
    return f"\n{MISSING_MARK}" in lines or ".0" in lines or not missing.keys().isdisjoint(distinct)


def _one(
    cell: str, field: Field, codes: MappingType[str, str], missing: MappingType[str, str], dialect: Dialect
) -> str:
    if not cell:
        return ""
    code = cell.removeprefix(USER_MISSING)
    if reason := missing.get(code) or missing.get(whole_number(code)):
        return MISSING_MARK + reason
    if cell[0] == MISSING_MARK and not cell[1:2].isdecimal():
        # Our mark in their file is no reason that anybody declared: marked twice, it meets the checks.
        return MISSING_MARK + cell
    if codes:
        return recode(cell, codes)
    if field.type == "date":
        return iso_day(cell, dialect.dates)
    if field.type in ("number", "integer"):
        # Both marks change places: a point that groups thousands must not pass for a decimal one.
        number = cell.translate(_SWAPPED_MARKS) if dialect.decimal == "," else cell
        # `.5` would look like a reason for a missing value.
        return f"0{number}" if re.match(r"\.\d", number) else number
    if field.type == "boolean":
        folded = whole_number(cell).lower()
        return {"1": "true", "0": "false", "yes": "true", "no": "false"}.get(folded, folded)
    return cell


def recode(cell: str, codes: MappingType[str, str]) -> str:
    """Our code of theirs, whatever its case and even as a decimal; any other text as it is."""
    if cell in codes:
        return codes[cell]
    folded = {key.casefold(): code for key, code in codes.items()}
    return folded.get(whole_number(cell).casefold(), cell)


def iso_day(cell: str, formats: tuple[str, ...]) -> str:
    """A date in ISO 8601; any other text as it is."""
    return next((day.isoformat() for form in formats if (day := read_day(cell, form))), cell)
