"""Columns in which the same cells come again and again: each distinct one is looked at once."""

from collections.abc import Callable

import numpy as np
import pandas as pd


def each_distinct(cells: pd.Series, change: Callable[[str], object]) -> pd.Series:
    """What `change` makes of every cell of a column of strings."""
    codes, distinct = pd.factorize(cells)
    changed = np.empty(len(distinct), dtype=object)
    changed[:] = [change(cell) for cell in distinct]
    return pd.Series(changed[codes], index=cells.index)
