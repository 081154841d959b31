"""Whether every row and cell of a file is taken by an entry of the mapping: what is not would be lost."""

import numpy as np
import pandas as pd

from analysis.errors import SourceError
from analysis.sources import tabular
from analysis.sources.opening import Found, tables_of
from analysis.sources.places import Refuse, Refused
from analysis.spec.mapping import Mapping, Source


def check_claimed(
    frames: dict[str, pd.DataFrame], found: Found, mapping: Mapping, refuse: Refuse
) -> dict[str, pd.DataFrame]:
    """The files of which every row and cell is taken by an entry; the others are refused."""
    claimed = {}
    for file, frame in frames.items():
        here = [other for source, files in found if file in files for other in mapping.read_with(source)]
        try:
            _check_rows(frame, [each for each in mapping.sources if each in here], file=file)
        except SourceError as error:
            refuse(Refused(file, tables_of(file, found), error))
        else:
            claimed[file] = frame
    return claimed


def _check_rows(frame: pd.DataFrame, sources: list[Source], *, file: str) -> None:
    """A row or cell that no entry takes would be lost without a word, whichever tables are asked for."""
    left = _is_left(frame, sources)
    taken = [tabular.belongs(frame, source) for source in sources]
    claimed = pd.concat([left, *taken], axis=1).any(axis=1)
    if unclaimed := frame.loc[~claimed, "source_row"].tolist():
        named = {column for source in sources for column in source.selection if column in frame}
        raise SourceError(
            f"{file}, row {unclaimed[0]}: no table takes this row; its {', '.join(sorted(named))} is none of "
            f"the values in the mapping (such rows: {len(unclaimed)})."
        )
    _check_cells(frame[~left] if left.any() else frame, sources, file=file)


def _is_left(frame: pd.DataFrame, sources: list[Source]) -> pd.Series:
    """Rows of which the mapping says that no table needs them."""
    left = pd.Series(False, index=frame.index)
    for source in sources:
        for column, values in source.leaves.items():
            left |= frame[column].isin(values)
    return left


def _check_cells(frame: pd.DataFrame, sources: list[Source], *, file: str) -> None:
    taken = [
        ((tabular.belongs(frame, each) & tabular.is_filled(frame, each)).to_numpy(), each.read_columns)
        for each in sources
    ]
    known = frame.columns.intersection(frame.attrs["known_columns"].split("\n"))
    for column in frame.columns.drop([*tabular.SOURCE_COLUMNS, *known]):
        left = np.ones(len(frame), dtype=bool)
        for rows, columns in taken:
            if column in columns:
                left &= ~rows
        # Most columns are taken from every row, and their cells need no look.
        lost = left.any() and frame.loc[left & (frame[column] != ""), "source_row"].tolist()
        if lost:
            raise SourceError(
                f"{file}, row {lost[0]}: column '{column}' is filled in, but by `where` or `unless_blank` no "
                f"entry of the mapping takes it from this row (such rows: {len(lost)})."
            )
