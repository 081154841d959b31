"""Columns of text as factors: each distinct cell stands once, and every row has the number of its cell.

Cells come again and again, so whatever is asked or made of the distinct ones costs little.
"""

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd


def parts(cells: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """For every row the number of its cell, and the distinct cells; some may stand in no row."""
    values = cells.array
    if isinstance(values, pd.Categorical):
        return values.codes, values.categories.to_numpy()
    codes, distinct = pd.factorize(cells.to_numpy(dtype=object))
    return codes, distinct


def coded(text: pd.DataFrame) -> pd.DataFrame:
    """The same cells, every column a factor."""
    plain = [name for name in text if not isinstance(text[name].dtype, pd.CategoricalDtype)]
    return text.assign(**{name: factor(*parts(text[name])) for name in plain})


def plain(frame: pd.DataFrame) -> pd.DataFrame:
    """The same cells, no column a factor, so that columns can be compared and joined with any others."""
    return frame.astype(object)


def stacked(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Rows of frames of text, one below the other; what is a factor in all stays one.

    Columns are joined by name. One that a frame does not have is blank in its rows.
    """
    if len(frames) == 1:
        return frames[0].reset_index(drop=True)
    names = dict.fromkeys(name for frame in frames for name in frame)
    return pd.DataFrame({name: _stacked([_column(frame, name) for frame in frames]) for name in names})


def _column(frame: pd.DataFrame, name: str) -> pd.Series:
    return frame[name] if name in frame else pd.Series(repeated("", len(frame)))


def _stacked(columns: Sequence[pd.Series]) -> pd.Series | pd.Categorical:
    if not all(isinstance(each.dtype, pd.CategoricalDtype) for each in columns):
        return pd.concat([each.astype(object) for each in columns], ignore_index=True)
    codes, distinct = zip(*(parts(each) for each in columns), strict=True)
    before = np.cumsum([0, *map(len, distinct[:-1])])
    moved = [np.where(each < 0, -1, each + start) for each, start in zip(codes, before, strict=True)]
    return factor(np.concatenate(moved), np.concatenate(distinct))


def each_distinct(cells: pd.Series, change: Callable[[str], object]) -> pd.Series:
    """What `change` makes of every cell of a column of strings; what is no cell at all stays so."""
    codes, distinct = parts(cells)
    changed = np.full(len(distinct) + 1, np.nan, dtype=object)  # the last, at -1, for no cell
    changed[:-1] = [change(cell) for cell in distinct]
    return pd.Series(changed[codes], index=cells.index)


def factor(codes: np.ndarray, distinct: np.ndarray) -> pd.Categorical:
    """A column from the parts of one; of equal cells among the distinct ones, the first stands for all."""
    index = pd.Index(distinct, dtype=object)
    if index.is_unique:
        return pd.Categorical.from_codes(codes, index)
    again, kept = pd.factorize(distinct)
    return pd.Categorical.from_codes(np.where(codes < 0, -1, again[codes]), kept)


def repeated(cell: str, n: int) -> pd.Categorical:
    """A column of one cell in every row."""
    return pd.Categorical.from_codes(np.zeros(n, dtype=np.int8), [cell])


def put(cells: pd.Series, rows: np.ndarray, new: str | np.ndarray) -> pd.Categorical:
    """A factor with other cells in some rows (positions)."""
    changed = cells.to_numpy(dtype=object, copy=True)
    changed[rows] = new
    return factor(*pd.factorize(changed))


def as_lines(distinct: np.ndarray) -> str:
    """All distinct cells at one look: each a line, between two line ends."""
    return "\n".join(["", *distinct, ""])
