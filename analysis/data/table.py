"""A table on disk: its file and its declared schema."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow
from pyarrow import compute, csv

from analysis.data.cells import are_missing, cell_problems
from analysis.data.writing import write_whole
from analysis.errors import DataError, place_of
from analysis.factors import factor, parts
from analysis.spec.declarations import Spec
from analysis.spec.tables import FieldType, Table

_LONGEST_ROW = 2**28  # bytes; a reader of exports takes no cell so long
_BOOLEAN = {"true": True, "false": False}
_QUOTE = '"'
_MARKS = f"{_QUOTE},\r\n"  # a cell with one of them is quoted


def read_text(path: Path, table: Table) -> pd.DataFrame:
    """Cells of a table as strings, missing ones as a mark and their reason.

    Raises
    ------
    DataError
        If the file is absent or its columns are not the declared ones.
    """
    columns = _read(path, table)
    return pd.DataFrame({name: distinct[codes] for name, (codes, distinct) in columns.items()}, copy=False)


def read_coded(path: Path, table: Table) -> pd.DataFrame:
    """The same, every column a factor."""
    return pd.DataFrame({name: factor(*column) for name, column in _read(path, table).items()})


def read_table(path: Path, table: Table) -> pd.DataFrame:
    """A table with typed columns; a missing cell is missing whatever its reason."""
    columns = _read(path, table)
    return pd.DataFrame({field.name: _parse(*columns[field.name], field.type) for field in table.fields})


def typed(text: pd.DataFrame, table: Table) -> pd.DataFrame:
    """Typed columns from cells that have passed their checks."""
    columns = {field.name: _parse(*parts(text[field.name]), field.type) for field in table.fields}
    return pd.DataFrame(columns).set_axis(text.index)


def _read(path: Path, table: Table) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Of each column its distinct cells, and for every row which of them it has."""
    # Distinct cells are told as they are read: in half the time of doing so afterwards.
    factors = dict.fromkeys(table.columns, pyarrow.dictionary(pyarrow.int32(), pyarrow.string()))
    try:
        cells = csv.read_csv(
            path,
            csv.ReadOptions(use_threads=False, block_size=_LONGEST_ROW),
            csv.ParseOptions(newlines_in_values=True),
            csv.ConvertOptions(column_types=factors, strings_can_be_null=False),
        )
    except FileNotFoundError as error:
        raise DataError(f"{place_of(path)}: no such table; run the step that writes it.") from error
    except pyarrow.ArrowInvalid as error:
        raise DataError(f"{place_of(path)}: not a table written by this workflow.") from error
    if tuple(cells.column_names) != table.columns:
        raise DataError(f"{place_of(path)}: its columns are not those declared for table {table.name}.")
    encoded = {name: cells[name].unify_dictionaries().combine_chunks() for name in table.columns}
    return {
        name: (column.indices.to_numpy(), column.dictionary.to_numpy(zero_copy_only=False))
        for name, column in encoded.items()
    }


def _parse(codes: np.ndarray, distinct: np.ndarray, kind: FieldType) -> pd.Series:
    # Distinct cells are few, so each is parsed once.
    cells = pd.Series(np.where(are_missing(distinct), None, distinct), dtype=object)
    return pd.Series(_PARSE[kind](cells).array.take(codes))


def as_text(frame: pd.DataFrame, table: Table) -> pd.DataFrame:
    """Cells as written: ISO dates, shortest exact numbers, ``true`` or ``false``, missing ones empty.

    Every column is a factor.
    """
    absent = [name for name in table.columns if name not in frame]
    if absent:
        raise DataError(f"table {table.name}: no column {', '.join(absent)}.")
    columns = {field.name: _text(frame[field.name], field.type) for field in table.fields}
    return pd.DataFrame(columns, index=frame.index)


def write_table(frame: pd.DataFrame, path: Path, table: Table, spec: Spec) -> None:
    """Write typed columns through the schema, in the order of the key."""
    write_whole(path, table_csv(frame, table, spec))


def table_csv(frame: pd.DataFrame, table: Table, spec: Spec) -> bytes:
    """Typed columns as the content of their file, in the order of the key and checked as `text_csv` does."""
    keys = frame[list(table.key)].reset_index(drop=True)
    order = keys.sort_values(list(table.key), kind="stable").index
    return text_csv(as_text(frame, table).take(order), table, spec)


def text_csv(text: pd.DataFrame, table: Table, spec: Spec) -> bytes:
    """Cells as the content of their file, every one checked against the schema.

    Raises
    ------
    DataError
        Naming table, row and rule of the first cell that the schema refuses.
    """
    text = text[list(table.columns)].reset_index(drop=True)
    check_table(text, table, spec)
    return to_csv(text)


def to_csv(text: pd.DataFrame) -> bytes:
    """Cells of strings as comma-separated text that `read_text` reads back as they are."""
    if text.columns.empty:
        return b""
    # By distinct cells: a fifth of the time of the csv module, which before Python 3.13 leaves a lone
    # carriage return unquoted besides.
    *columns, last = [_strings(*parts(text[name])) for name in text]
    comma, end, nothing = (pyarrow.scalar(mark, pyarrow.large_string()) for mark in (",", "\n", ""))
    last = compute.binary_join_element_wise(last, end, nothing)
    rows = compute.binary_join_element_wise(*columns, last, comma)
    header = ",".join(_quoted(text.columns.tolist())) + "\n"
    size = compute.sum(compute.binary_length(rows)).as_py() or 0
    return header.encode() + rows.buffers()[2][:size].to_pybytes()


def _strings(codes: np.ndarray, distinct: np.ndarray) -> pyarrow.Array:
    cells = pyarrow.array(_quoted(distinct.tolist()), pyarrow.large_string())
    return cells.take(pyarrow.array(codes))


def _quoted(cells: list[str]) -> list[str]:
    if not _has_mark("".join(cells)):
        return cells
    return [f'"{cell.replace(_QUOTE, _QUOTE * 2)}"' if _has_mark(cell) else cell for cell in cells]


def _has_mark(text: str) -> bool:
    return any(mark in text for mark in _MARKS)


def check_table(text: pd.DataFrame, table: Table, spec: Spec) -> None:
    """Raise `DataError` unless every cell is of its type, code list and range, and the key is unique."""
    for problem in cell_problems(text, table, spec):
        row = int(problem.rows[0]) + 2
        raise DataError(
            f"table {table.name}, row {row}, rule {problem.rule} ({problem.field}): {problem.message}."
        )
    twice = text.duplicated(list(table.key))
    if twice.any():
        row = int(twice.to_numpy().nonzero()[0][0]) + 2
        raise DataError(
            f"table {table.name}, row {row}, rule S08: the key {', '.join(table.key)} is given twice."
        )


def _text(values: pd.Series, kind: FieldType) -> pd.Categorical:
    if kind == "number":  # one by one, since 0.0 and -0.0 are equal
        return factor(*parts(values.astype(float).map(repr).where(values.notna(), "")))
    codes, distinct = pd.factorize(values)
    cells = [*_format(pd.Series(distinct), kind), ""]  # for missing values, whose code is -1
    return factor(np.where(codes < 0, len(distinct), codes), np.array(cells, dtype=object))


def _format(values: pd.Series, kind: FieldType) -> Iterable[str]:
    if kind == "date":
        return pd.to_datetime(values).dt.strftime("%Y-%m-%d")
    if kind == "boolean":
        return values.map({True: "true", False: "false"})
    if kind == "integer":
        return values.astype("Int64").astype(str)
    return values.astype(str)


_PARSE = {
    "string": lambda cells: cells.astype(object),
    "integer": lambda cells: cells.astype("Int64"),
    # Not pd.to_numeric, whose last digit is not always that of the number written.
    "number": lambda cells: cells.astype(float),
    "date": lambda cells: pd.to_datetime(cells, format="%Y-%m-%d"),
    "boolean": lambda cells: cells.map(_BOOLEAN).astype("boolean"),
}
