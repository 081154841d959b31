"""Apache Parquet: typed columns, written as the text they stand for."""

from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

from analysis.errors import SourceError
from analysis.sources import moments
from analysis.sources.text import Text, check_size, from_columns
from analysis.spec.source_base import Dialect

MOST_BYTES = 2_000_000_000  # of all columns unpacked, as declared; a trial's export has megabytes


def read_parquet(path: Path, dialect: Dialect, *, file: str) -> Text:
    """Read a Parquet file whole.

    Raises
    ------
    SourceError
        If it declares an absurd size or a column twice, or a column is a list, a structure or bytes.
    """
    from pyarrow import parquet

    opened = parquet.ParquetFile(path)
    about = opened.metadata
    check_size(about.num_rows, about.num_columns, file=file)
    if sum(about.row_group(k).total_byte_size for k in range(about.num_row_groups)) > MOST_BYTES:
        raise SourceError(f"{file}: declares more than {MOST_BYTES:,} bytes; not an export of a trial.")
    _check_types(opened.schema_arrow, file=file)
    table = opened.read(use_threads=False)
    if len(set(table.column_names)) < len(table.column_names):
        raise SourceError(f"{file}: a column is given twice.")
    cells = (_texts(column.to_pylist(), _is_single(column.type)) for column in table.columns)
    return from_columns(file, dict(zip(table.column_names, cells, strict=True)))


def _check_types(schema: Any, *, file: str) -> None:
    from pyarrow import types

    for column in schema:
        kind = column.type.value_type if types.is_dictionary(column.type) else column.type
        bytes_like = types.is_binary(kind) or types.is_large_binary(kind) or types.is_fixed_size_binary(kind)
        if types.is_nested(kind) or types.is_duration(kind) or bytes_like:
            raise SourceError(f"{file}: column '{column.name}' is of type {kind}, which has no one text.")


def _is_single(kind: Any) -> bool:
    from pyarrow import types

    return types.is_float32(kind) or types.is_float16(kind)


def _texts(cells: list[Any], is_single: bool) -> list[str]:
    return [moments.single(cell) if is_single and cell is not None else _text(cell) for cell in cells]


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, str):
        return cell
    if isinstance(cell, datetime):
        return moments.moment(cell)
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, Decimal):
        return str(int(cell)) if cell == cell.to_integral_value() else format(cell, "f")
    return str(cell) if isinstance(cell, int) else moments.number(cell)
