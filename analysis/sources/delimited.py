"""Delimited text as it comes: every cell a string, every row with its line number, nothing guessed."""

import csv
import io
from pathlib import Path

import pandas as pd
import pyarrow
import pyarrow.csv as arrow

from analysis.errors import SourceError
from analysis.factors import factor
from analysis.sources.text import Text
from analysis.spec.source_base import Dialect

LONGEST_CELL = 50_000_000  # characters; REDCap exports hold cells beyond the csv module's default of 131,072
_PLAIN_DELIMITERS = ",;\t|"


def read_delimited(path: Path, dialect: Dialect, *, file: str) -> Text:
    """Read a delimited text file whole.

    Parameters
    ----------
    path : Path
        Where it is.
    dialect : Dialect
        Delimiter and encoding it must have.
    file : str
        Its name below the raw folder, for messages.

    Raises
    ------
    SourceError
        If it is empty, is not text in the declared encoding, or has a row whose number of cells differs from
        the header's. The message names file and line.
    """
    text = _decode(path, dialect, file=file)
    return _plain(text, dialect.delimiter, file=file) or _any(text, dialect.delimiter, file=file)


def _plain(text: str, delimiter: str, *, file: str) -> Text | None:
    """What `_any` gives, in a tenth of its time; nothing where the text is not as plain as most exports are.

    Plain are rows of one line each and of equal width, without a quote.
    """
    text = text.rstrip("\r\n")
    end = "\r\n" if "\r" in text else "\n"
    if not text or text[0] in "\r\n" or '"' in text or delimiter not in _PLAIN_DELIMITERS:
        return None
    if 2 * end in text or any(text.count(mark) != text.count(end) for mark in end):
        return None
    header = text.partition(end)[0].split(delimiter)
    try:
        table = arrow.read_csv(pyarrow.BufferReader(text.encode()), **_reading(len(header), delimiter))
    except (pyarrow.ArrowInvalid, UnicodeEncodeError):
        return None
    cells = tuple(map(_factor, table.columns))
    return Text(file, tuple(cell.strip() for cell in header), cells, tuple(range(2, table.num_rows + 2)))


def _reading(width: int, delimiter: str) -> dict[str, object]:
    """Every cell a string, of which the distinct ones are told as they are read; names are given twice."""
    columns = {str(at): pyarrow.dictionary(pyarrow.int32(), pyarrow.string()) for at in range(width)}
    return {
        "read_options": arrow.ReadOptions(
            use_threads=False, block_size=LONGEST_CELL, column_names=list(columns), skip_rows=1
        ),
        "parse_options": arrow.ParseOptions(delimiter=delimiter, quote_char=False, double_quote=False),
        "convert_options": arrow.ConvertOptions(column_types=columns, strings_can_be_null=False),
    }


def _factor(column: pyarrow.ChunkedArray) -> pd.Categorical:
    cells = column.unify_dictionaries().combine_chunks()
    return factor(cells.indices.to_numpy(), cells.dictionary.to_numpy(zero_copy_only=False))


def _any(text: str, delimiter: str, *, file: str) -> Text:
    csv.field_size_limit(LONGEST_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows, lines, start = [], [], 1
    try:
        for row in reader:
            if row:
                rows.append(tuple(row))
                lines.append(start)
            start = reader.line_num + 1
    except csv.Error as error:
        raise SourceError(f"{file}, row {start}: not valid delimited text ({error}).") from error
    if not rows:
        raise SourceError(f"{file}: the file is empty; expected a header and rows.")
    header = tuple(cell.strip() for cell in rows[0])
    _check_widths(rows, lines, len(header), file=file)
    return Text.of_rows(file, header, rows[1:], tuple(lines[1:]))


def read_whole(path: Path, *, file: str) -> bytes:
    """The content of a file, or a `SourceError` that names it below the raw folder only."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise SourceError(f"{file}: cannot be read ({error.strerror}).") from error


def _decode(path: Path, dialect: Dialect, *, file: str) -> str:
    raw = read_whole(path, file=file)
    try:
        text = raw.decode(dialect.encoding)
    except UnicodeError as error:
        # Without the byte-order mark that the decoder took off; some codecs do not say where they stopped.
        read = error.object[: error.start] if isinstance(error, UnicodeDecodeError) else b""
        line = read.count(b"\n") + 1
        raise SourceError(
            f"{file}, row {line}: not {dialect.encoding} text; check the encoding in its mapping."
        ) from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise SourceError(
            f"{file}, row {line}: holds a NUL character; the file is not delimited text or is damaged."
        )
    return text


def _check_widths(rows: list[tuple[str, ...]], lines: list[int], width: int, *, file: str) -> None:
    for row, line in zip(rows, lines, strict=True):
        if len(row) != width:
            raise SourceError(f"{file}, row {line}: {len(row)} cells where the header has {width}.")
