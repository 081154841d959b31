"""The one door for files of any format: each is read to the same text."""

from collections.abc import Mapping
from pathlib import Path

from analysis.errors import SourceError
from analysis.sources.apart import read_apart
from analysis.sources.delimited import read_delimited
from analysis.sources.excel import read_excel
from analysis.sources.text import Text
from analysis.sources.xport import read_xport
from analysis.spec.source_base import Dialect

READERS = {
    "delimited": read_delimited,
    "excel": read_excel,
    "stata": read_apart,
    "spss": read_apart,
    "sas7bdat": read_apart,
    "xport": read_xport,
    "parquet": read_apart,
}


def read_file(path: Path, dialect: Dialect, *, file: str) -> Text:
    """The cells of a file as text, by the reader of its format.

    Parameters
    ----------
    path : Path
        Where it is.
    dialect : Dialect
        Its format, and what this format needs to be told.
    file : str
        Its name below the raw folder, for messages.

    Raises
    ------
    SourceError
        In one sentence that names the file, and where it can the row; never a value.
    """
    text = READERS[dialect.format](path, dialect, file=file)
    if dialect.format != "delimited":  # which looks before it splits the text
        _check_characters(text)
    return text


def _check_characters(text: Text) -> None:
    for line, row in zip(text.lines, text.rows, strict=True):
        if "\0" in "".join(row):
            raise SourceError(f"{text.file}, row {line}: holds a NUL character; the file is damaged.")


def read_labels(path: Path, dialect: Dialect, *, file: str) -> Mapping[str, Mapping[str, str]]:
    """By column, the value label of each code that the file declares; none where its format has no labels."""
    return read_file(path, dialect, file=file).labels
