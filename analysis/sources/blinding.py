"""The first wall: an open raw file tells no arm, by a name or in a cell, and has no undeclared column."""

import re
from collections.abc import Iterable, Sequence

import pandas as pd

from analysis.errors import BlindingError, SourceError
from analysis.sources.redcap_dictionary import EVENT
from analysis.spec.arm_words import arm_word, arms_of, is_arm_like

REMEDY = "Remove it from the export, or map the file to a closed table."
# What can only be meant as the name of a column: a header may hold a name of somebody, an id or a date by
# mistake.
NAME = re.compile(r"(?!.*\d{3})[A-Za-z]\w{,63}(?:[ .-][a-z]\w{,63}){,8}", re.ASCII)


def check_columns(
    columns: Sequence[str],
    declared: Iterable[str],
    *,
    file: str,
    audience: str,
    known: frozenset[str] = frozenset(),
) -> None:
    """Refuse a column that the mapping neither reads nor ignores, or misses.

    Columns that the kind of export adds by itself (`known`) may be there and need no mention.

    Raises
    ------
    BlindingError
        If an open file has an undeclared or declared column named like an arm.
    SourceError
        If a column is undeclared or given twice, or a declared one is absent.
    """
    wanted = set(declared)
    if 2 * len(wanted & set(columns)) < len(wanted):
        raise SourceError(
            f"{file}, row 1: not the header that the mapping declares; most of its columns are absent."
        )
    if audience == "open" and (revealing := [column for column in columns if is_arm_like(column)]):
        raise BlindingError(
            f"{file}, row 1: {called(revealing[0], columns)} looks like the arm; an open file may not hold "
            f"it. {REMEDY}"
        )
    # Only now that the row is known for a header: another one may hold a participant's values.
    if twice := sorted({name for name in columns if columns.count(name) > 1}):
        raise SourceError(f"{file}, row 1: {called(twice[0], columns)} is given twice.")
    if unknown := [column for column in columns if column not in wanted | known]:
        raise SourceError(
            f"{file}, row 1: {called(unknown[0], columns)} is not in the mapping; map it or list it under "
            "`ignore`."
        )
    if absent := sorted(wanted - set(columns)):
        raise SourceError(f"{file}, row 1: no column '{absent[0]}', which the mapping reads.")


def called(name: str, columns: Sequence[str]) -> str:
    """A column by its name, or by its place where the name may be a value."""
    return f"column '{name}'" if NAME.fullmatch(name) else f"column {columns.index(name) + 1}"


def check_cells(frame: pd.DataFrame, names: Iterable[str], *, file: str) -> None:
    """Refuse an open file in which a cell holds the code or label of an arm as a word of its own.

    Codes too short to be a word (A, 1) are not looked for: they mean other things elsewhere.

    Raises
    ------
    BlindingError
        Naming file, row and column.
    """
    word = arm_word(names)
    if word is None:
        return
    for column in frame.columns.drop(["source_file", "source_row"]):
        # Distinct cells are few, so each is looked at once, one by one only where they tell together.
        cells = frame[column].unique()
        if word.search("\n".join(cells)):
            telling = [cell for cell in cells if word.search(cell)]
            row = frame.loc[frame[column].isin(telling), "source_row"].iloc[0]
            where = f"{file}, row {row}: a cell of {called(column, list(frame))}"
            raise BlindingError(f"{where} names an arm; an open file may not tell it. {REMEDY}")


def check_events(frames: Iterable[pd.DataFrame], *, file: str) -> None:
    """Refuse open files of one project of which the events, one file with another, are of several arms.

    Every row keeps the name of its file, so a file for each arm tells as much. No row is named: beside the
    first it would tell who is in another arm.

    Raises
    ------
    BlindingError
        Naming file and column.
    """
    events = {cell for frame in frames if EVENT in frame for cell in frame[EVENT].unique()}
    if len(arms_of(events)) > 1:
        raise BlindingError(several_arms(file, "their names tell the arm"))


def several_arms(file: str, why: str) -> str:
    """That the events of an open file are of several arms, and how that shows."""
    return f"{file}, row 1: column '{EVENT}' holds events of several arms; {why}. {REMEDY}"


def check_name(file: str, names: Iterable[str]) -> None:
    """Refuse an open file whose name or folder tells an arm: it stands beside every row that came from it.

    Raises
    ------
    BlindingError
        With the name as far as it tells nothing.
    """
    word = arm_word(names)
    if word is not None and word.search(file):
        raise BlindingError(
            f"{word.sub('?', file)}: its name tells an arm; rename it, or map it to a closed table."
        )
