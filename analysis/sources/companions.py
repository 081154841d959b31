"""Files read beside an export: they explain it, and fill no table."""

from pathlib import Path

import pandas as pd

from analysis.errors import SourceError
from analysis.factors import plain
from analysis.sources.blinding import check_cells, check_columns, check_name
from analysis.sources.formats import read_file
from analysis.sources.redcap_project import read_project
from analysis.sources.tabular import RowCount, as_frame
from analysis.spec.declarations import Spec
from analysis.spec.mapping import Mapping, Source
from analysis.spec.source_base import Dialect

# As REDCap writes its dictionary and its list of events, whatever the delimiter of the export.
WRITTEN = Dialect(delimiter=",", encoding="utf-8-sig", decimal=".", dates=("%Y-%m-%d",))


def read_companion(
    purpose: str, path: Path, source: Source, mapping: Mapping, spec: Spec, *, file: str
) -> pd.DataFrame:
    """The rows of a file that an entry is read with, all cells as text, with file and line of each.

    A list of data passes the same wall as an export; what describes an export holds none.

    Raises
    ------
    SourceError
        If it is absent or not what its purpose needs.
    BlindingError
        If its name or its data tell the arm beside an open export.
    """
    if not path.is_file():
        raise SourceError(f"{file}: no such file below the raw folder; the mapping names it as {purpose}.")
    is_open = spec.table(source.table).audience == "open"
    if is_open:
        check_name(file, spec.arm_names)
    if purpose in source.companion_columns:
        return _read_list(path, source.companion_columns[purpose], source, mapping, spec, file=file)
    if purpose != "project":
        return _read_description(path, file=file)
    return read_project(path, file=file, arms=spec.arm_names if is_open else None)


def _read_list(
    path: Path, declared: frozenset[str], source: Source, mapping: Mapping, spec: Spec, *, file: str
) -> pd.DataFrame:
    text = read_file(path, mapping.dialects[source.dialect], file=file)
    audience = spec.table(source.table).audience
    check_columns(text.columns, declared, file=file, audience=audience)
    frame = as_frame(text)
    if audience == "open":
        check_cells(frame, spec.arm_names, file=file)
    return frame


def _read_description(path: Path, *, file: str) -> pd.DataFrame:
    text = read_file(path, WRITTEN, file=file)
    if len(set(text.columns)) < len(text.columns):
        raise SourceError(f"{file}, row 1: a column is given twice.")
    return plain(as_frame(text))


def count_companion(purpose: str, frame: pd.DataFrame, *, file: str) -> RowCount:
    """Its rows, all kept: each was read for what it says of the export."""
    trimmed = frame.attrs.get("cells_trimmed", 0)
    return RowCount(purpose, file, len(frame), len(frame), 0, 0, 0, 0, trimmed)
