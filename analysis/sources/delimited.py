"""Delimited text as it comes: every cell a string, every row with its line number, nothing guessed."""

import csv
import io
from pathlib import Path

from analysis.errors import SourceError
from analysis.sources.text import Text
from analysis.spec.source_base import Dialect

LONGEST_CELL = 50_000_000  # characters; REDCap exports hold cells beyond the csv module's default of 131,072


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
    csv.field_size_limit(LONGEST_CELL)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=dialect.delimiter, strict=True)
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
    return Text(file, header, tuple(rows[1:]), tuple(lines[1:]))


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
