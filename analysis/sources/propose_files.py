"""What lies in a folder that nobody has described: exports, and the files that explain them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from analysis.errors import BlindingError, SourceError
from analysis.factors import plain
from analysis.sources.excel import sheets_of
from analysis.sources.formats import read_file
from analysis.sources.places import check_place
from analysis.sources.propose_columns import NUMBER
from analysis.sources.propose_dialect import DATE_LIKE, guess_text
from analysis.sources.redcap_dictionary import HEADINGS, Dictionary, read_dictionary
from analysis.sources.redcap_project import read_project
from analysis.sources.ssda903_xml import read_return
from analysis.sources.tabular import as_frame
from analysis.sources.text import Text
from analysis.spec.source_base import Dialect

DELIMITED = (".csv", ".tsv", ".txt", ".tab")
COMMA = Dialect(delimiter=",", encoding="utf-8-sig", decimal=".", dates=())
# What a format must be told, as it is told until somebody decides otherwise.
TYPED = {
    ".dta": Dialect(format="stata", cells="codes", dates=()),
    ".sav": Dialect(format="spss", cells="codes", dates=()),
    ".zsav": Dialect(format="spss", cells="codes", dates=()),
    ".sas7bdat": Dialect(format="sas7bdat", dates=()),
    ".xpt": Dialect(format="xport", encoding="cp1252", dates=()),
    ".parquet": Dialect(format="parquet", dates=()),
}
WORKBOOKS = (".xlsx", ".xlsm")
EVENT_MAP_COLUMN = "unique_event_name"


@dataclass(frozen=True, slots=True)
class Read:
    """One file, or one sheet of it: how it is written but for its dates, and the labels it has for codes."""

    file: str
    dialect: Dialect
    frame: pd.DataFrame
    columns: tuple[str, ...]
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Found:
    """What lies in the folder: exports, the files that explain them, and why others were not read."""

    exports: list[Read]
    dictionaries: dict[str, Dictionary]
    event_maps: dict[str, pd.DataFrame]
    projects: dict[str, dict[str, str]]
    unread: dict[str, str]


def look(folder: Path, files: Sequence[Path]) -> Found:
    """Every file read and told for what it is.

    Raises
    ------
    SourceError
        If a delimited file is not text in equal columns below a header, or a link leads out of the folder.
    """
    found = Found([], {}, {}, {}, {})
    for path in files:
        file, ending = path.relative_to(folder).as_posix(), path.suffix.lower()
        check_place(path, folder)
        if ending in DELIMITED:
            _sort_in(_delimited(path, file), found)
        elif ending == ".xml":
            _look_at_xml(path, file, found)
        elif ending in (*TYPED, *WORKBOOKS):
            try:
                for read in _typed(path, ending, file):
                    _sort_in(read, found)
            except SourceError as error:
                found.unread[file] = str(error).removeprefix(f"{file}: ")
        else:
            found.unread[file] = ""
    return found


def _look_at_xml(path: Path, file: str, found: Found) -> None:
    """A return of looked-after children, a project of REDCap, or another program's."""
    try:
        found.exports.append(_read(read_return(path, file=file), COMMA))
        return
    except BlindingError as error:
        found.unread[file] = str(error).removeprefix(f"{file}: ")
        return
    except SourceError:
        pass  # no return; it may be a project
    try:
        codes = read_project(path, file=file)
    except SourceError:
        found.unread[file] = ""
    else:
        found.projects[file] = dict(codes[["code", "label"]].itertuples(index=False, name=None))


def _sort_in(read: Read, found: Found) -> None:
    headings = set(read.columns)
    if all(set(each) & headings for each in HEADINGS.values()):
        found.dictionaries[read.file] = read_dictionary(read.frame, file=read.file)
    elif EVENT_MAP_COLUMN in headings:
        found.event_maps[read.file] = read.frame
    elif headings >= {"arm_num", "name"}:
        found.unread[read.file] = ""  # REDCap's list of arms: names, nobody's data
    else:
        found.exports.append(read)


def _delimited(path: Path, file: str) -> Read:
    encoding, delimiter = guess_text(path, file=file)
    dialect = COMMA.model_copy(update={"delimiter": delimiter, "encoding": encoding})
    return _read(read_file(path, dialect, file=file), dialect)


def _typed(path: Path, ending: str, file: str) -> Iterator[Read]:
    if ending in TYPED:
        yield _read(read_file(path, TYPED[ending], file=file), TYPED[ending])
        return
    refused: list[SourceError] = []
    sheets = sheets_of(path, file=file)
    for sheet in sheets:
        others = {"ignore_sheets": tuple(each for each in sheets if each != sheet)} if sheets[1:] else {}
        dialect = Dialect(format="excel", sheet=sheet, **others, dates=())
        try:
            yield _read(read_file(path, dialect, file=file), dialect)
        except SourceError as error:  # a sheet of notes beside the data
            refused.append(error)
    if len(refused) == len(sheets):
        raise refused[0]


def _read(text: Text, dialect: Dialect) -> Read:
    _check_header(text.columns, text.file)
    return Read(text.file, dialect, plain(as_frame(text)), text.columns, text.labels)


def _check_header(columns: Sequence[str], file: str) -> None:
    """A first row of data would be taken for names of columns, and shown."""
    blank = any(not name for name in columns)
    if blank or len(set(columns)) < len(columns) or any(map(_is_value, columns)):
        raise SourceError(f"{file}, row 1: not a header: names are blank, given twice, numbers or dates.")


def _is_value(name: str) -> bool:
    return NUMBER.fullmatch(name) is not None or DATE_LIKE.fullmatch(name) is not None
