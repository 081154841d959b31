"""Files read beside an export: they explain it, and fill no table."""

from pathlib import Path

import pandas as pd

from analysis.errors import BlindingError, SourceError
from analysis.sources.blinding import called, check_cells
from analysis.sources.formats import read_file
from analysis.sources.redcap_project import Project, read_project
from analysis.sources.tabular import RowCount, as_frame
from analysis.spec.arm_words import is_arm_like
from analysis.spec.check_mapping import arms_of
from analysis.spec.source_base import Dialect

# What describes an export and holds no data.
DESCRIPTIONS = ("dictionary", "event_map")
# As REDCap writes its dictionary and its list of events, whatever the delimiter of the export.
WRITTEN = Dialect(delimiter=",", encoding="utf-8-sig", decimal=".", dates=("%Y-%m-%d",))


def read_companion(
    purpose: str, path: Path, dialect: Dialect, *, file: str, arm_names: list[str], audience: str
) -> pd.DataFrame:
    """The rows of one such file, all cells as text, with file and line of each.

    Raises
    ------
    SourceError
        If it is absent or not what its purpose needs.
    BlindingError
        If it holds data that tell the arm beside an open export.
    """
    if not path.is_file():
        raise SourceError(f"{file}: no such file below the raw folder; the mapping names it as {purpose}.")
    if purpose != "project":
        is_list = purpose not in DESCRIPTIONS
        text = read_file(path, dialect if is_list else WRITTEN, file=file)
        if len(set(text.columns)) < len(text.columns):
            raise SourceError(f"{file}, row 1: a column is given twice.")
        frame = as_frame(text)
        if is_list and audience == "open":
            _check_list(frame, arm_names, file=file)
        return frame
    project = read_project(path, file=file)
    if audience == "open":
        _check_project(project, arm_names, file=file)
    return project.codes


def _check_list(frame: pd.DataFrame, arm_names: list[str], *, file: str) -> None:
    """A list that rows are read with holds data, and must not tell the arm either."""
    if revealing := [column for column in frame.columns if is_arm_like(column)]:
        raise BlindingError(f"{file}, row 1: {called(revealing[0], list(frame))} looks like the arm.")
    check_cells(frame, arm_names, file=file)


def _check_project(project: Project, arm_names: list[str], *, file: str) -> None:
    if len(arms_of(project.events)) > 1:
        raise BlindingError(
            f"{file}: holds data of events of several arms beside an open export; save "
            "the project without its data."
        )
    if revealing := sorted(filter(is_arm_like, project.items["field"].unique())):
        raise BlindingError(
            f"{file}: item '{revealing[0]}' looks like the arm; save the project without its data."
        )
    check_cells(project.items, arm_names, file=file)


def count_companion(purpose: str, frame: pd.DataFrame, *, file: str) -> RowCount:
    """Its rows, all kept: each was read for what it says of the export."""
    trimmed = frame.attrs.get("cells_trimmed", 0)
    return RowCount(purpose, file, len(frame), len(frame), 0, 0, 0, 0, trimmed)
