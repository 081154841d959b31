"""Columns of text as factors: each distinct cell stands once, and every row has the number of its cell.

Cells come again and again, so whatever is asked or made of the distinct ones costs little.
"""

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


def factor(codes: np.ndarray, distinct: np.ndarray) -> pd.Categorical:
    """A column from the parts of one; of equal cells among the distinct ones, the first stands for all."""
    index = pd.Index(distinct, dtype=object)
    if index.is_unique:
        return pd.Categorical.from_codes(codes, index)
    again, kept = pd.factorize(distinct)
    return pd.Categorical.from_codes(np.where(codes < 0, -1, again[codes]), kept)


def put(cells: pd.Series, rows: np.ndarray, new: str | np.ndarray) -> pd.Categorical:
    """A factor with other cells in some rows (positions)."""
    changed = cells.to_numpy(dtype=object, copy=True)
    changed[rows] = new
    return factor(*pd.factorize(changed))


def as_lines(distinct: np.ndarray) -> str:
    """All distinct cells at one look: each a line, between two line ends."""
    return "\n".join(["", *distinct, ""])
