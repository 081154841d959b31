"""What lies in a folder that nobody has described: exports, and the files that explain them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from analysis.errors import SourceError
from analysis.sources.delimited import read_delimited
from analysis.sources.propose_columns import NUMBER
from analysis.sources.propose_dialect import DATE_LIKE, guess_text
from analysis.sources.redcap_dictionary import HEADINGS, Dictionary, read_dictionary
from analysis.sources.redcap_project import read_project
from analysis.sources.tabular import as_frame
from analysis.spec.source_base import Dialect

DELIMITED = (".csv", ".tsv", ".txt", ".tab")
EVENT_MAP_COLUMN = "unique_event_name"


@dataclass(frozen=True, slots=True)
class Read:
    """One file, its encoding and its delimiter."""

    file: str
    encoding: str
    delimiter: str
    frame: pd.DataFrame


@dataclass(frozen=True, slots=True)
class Found:
    """What lies in the folder: exports, and the files that explain them."""

    exports: list[Read]
    dictionaries: dict[str, Dictionary]
    event_maps: dict[str, pd.DataFrame]
    projects: dict[str, dict[str, str]]
    unread: list[str]


def look(folder: Path, files: Sequence[Path]) -> Found:
    """Every file read and told for what it is.

    Raises
    ------
    SourceError
        If a file is not text in equal columns below a header.
    """
    found = Found([], {}, {}, {}, [])
    for path in files:
        file = path.relative_to(folder).as_posix()
        if path.suffix.lower() == ".xml":
            _look_at_xml(path, file, found)
        elif path.suffix.lower() not in DELIMITED:
            found.unread.append(file)
        else:
            _sort_in(_read(path, file), found)
    return found


def _look_at_xml(path: Path, file: str, found: Found) -> None:
    try:
        codes = read_project(path, file=file)
    except SourceError:  # a return of looked-after children, or another program's
        found.unread.append(file)
    else:
        found.projects[file] = dict(codes[["code", "label"]].itertuples(index=False, name=None))


def _sort_in(read: Read, found: Found) -> None:
    headings = set(read.frame.columns)
    if all(set(each) & headings for each in HEADINGS.values()):
        found.dictionaries[read.file] = read_dictionary(read.frame, file=read.file)
    elif EVENT_MAP_COLUMN in headings:
        found.event_maps[read.file] = read.frame
    elif headings >= {"arm_num", "name"}:
        found.unread.append(read.file)  # REDCap's list of arms: names, nobody's data
    else:
        found.exports.append(read)


def _read(path: Path, file: str) -> Read:
    encoding, delimiter = guess_text(path, file=file)
    first = Dialect(delimiter=delimiter, encoding=encoding, decimal=".", dates=("%Y-%m-%d",))
    text = read_delimited(path, first, file=file)
    _check_header(text.columns, file)
    return Read(file, encoding, delimiter, as_frame(text))


def _check_header(columns: Sequence[str], file: str) -> None:
    """A first row of data would be taken for names of columns, and shown."""
    blank = any(not name for name in columns)
    if blank or len(set(columns)) < len(columns) or any(map(_is_value, columns)):
        raise SourceError(f"{file}, row 1: not a header: names are blank, given twice, numbers or dates.")


def _is_value(name: str) -> bool:
    return NUMBER.fullmatch(name) is not None or DATE_LIKE.fullmatch(name) is not None
