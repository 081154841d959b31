"""One field made of a group of boxes."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.spec.redcap_source import Checkboxes
from analysis.spec.tables import MISSING_MARK

TICKED, UNTICKED = "1", ("", "0")


@dataclass(frozen=True, slots=True)
class Boxes:
    """`cells`: our codes, empty where nothing is ticked. The others mark rows that cannot be read.

    `several`: more boxes are ticked than one field may hold; `contrary`: one that says that the answer is
    missing, and another; `unreadable`: a cell that is neither 0 nor 1.
    """

    cells: pd.Series
    several: np.ndarray
    contrary: np.ndarray
    unreadable: np.ndarray


def read_boxes(rows: pd.DataFrame, group: Checkboxes, missing: Mapping[str, str]) -> Boxes:
    """Our code, or the reason for which there is none, from the boxes of each row."""
    # By column, since codes that differ in signs only have one column.
    answers = {group.column(code): ours for code, ours in group.codes.items()}
    reasons = {group.column(code): MISSING_MARK + reason for code, reason in missing.items()}
    reasons = {
        column: reason for column, reason in reasons.items() if column in rows and column not in answers
    }
    columns = [*answers, *reasons]
    ticks = rows[columns].eq(TICKED).to_numpy()
    unreadable = ~rows[columns].isin([TICKED, *UNTICKED]).all(axis=1).to_numpy()
    # Distinct patterns are few, so each is read once.
    patterns, which = np.unique(ticks, axis=0, return_inverse=True)
    meant = [_meant(pattern, list(answers.values()), list(reasons.values())) for pattern in patterns]
    given, said = (np.array([len(each[part]) for each in meant], dtype=int)[which.ravel()] for part in (0, 1))
    cells = np.array([_cell(*each, group) for each in meant], dtype=object)[which.ravel()]
    return Boxes(
        cells=pd.Series(cells, index=rows.index, dtype=object),
        several=(given > 1) & (said == 0) & (group.several == "error"),
        contrary=(said > 0) & (given + said > 1),
        unreadable=unreadable,
    )


def _meant(pattern: np.ndarray, answers: list[str], reasons: list[str]) -> tuple[list[str], list[str]]:
    ticked = [name for name, is_ticked in zip([*answers, *reasons], pattern, strict=True) if is_ticked]
    n = int(pattern[: len(answers)].sum())
    # Boxes of one code are one answer.
    return list(dict.fromkeys(ticked[:n])), list(dict.fromkeys(ticked[n:]))


def _cell(answers: list[str], reasons: list[str], group: Checkboxes) -> str:
    if reasons:
        return reasons[0]
    return ";".join(answers) if group.several == "joined" else (answers[0] if answers else "")
