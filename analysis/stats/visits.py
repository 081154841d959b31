"""States told apart by how often a history has been in one of them: home before and after re-entry."""

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from analysis.errors import ModelError
from analysis.stats.at_risk import IntArray, as_column, as_states
from analysis.stats.labels import as_labels, encode
from analysis.stats.spells import CENSORED


def split_by_visits(
    subject: ArrayLike | Sequence[Hashable],
    start: ArrayLike,
    source: ArrayLike,
    target: ArrayLike,
    n_states: int,
    *,
    of: int,
    most: int = 2,
) -> tuple[IntArray, IntArray, int]:
    """Source and target of each row with the number of visits to state `of` so far written into the state.

    With `of` the state in care, a child that began there and is at home after one visit has never re-entered:
    its occupation probability is P(home and never re-entered).

    Parameters
    ----------
    subject, start, source, target, n_states
        Rows of the histories, as in `analysis.stats.spells.read_spells`.
    of : int
        The state whose visits count. A history that begins in it is at its first visit.
    most : int
        Visits from this number on are not told apart.

    Returns
    -------
    source, target : (R,)
        In the caller's order: state s at visit number v is s + n_states * min(v, most).
    n_states : int
        Number of states after the split, n_states * (most + 1); those no one is in stay empty.

    Raises
    ------
    ModelError
        Naming the row: a value is missing or out of range; or `of` or `most` is.
    """
    starts = as_column(start, "start")
    n = len(starts)
    if not (0 <= of < n_states and most >= 1):
        raise ModelError("visits need one of the states, and at least one visit to be told apart.")
    code, _ = encode(as_labels(subject, n=n, name="subject"))
    order = np.lexsort((starts, code))
    held = as_states(source, "source", n=n, allowed=range(n_states))[order]
    onward = as_states(target, "target", n=n, allowed=range(CENSORED, n_states))[order]
    is_first = np.diff(code[order], prepend=-1) > 0
    ends = np.where(onward == CENSORED, held, onward)
    found = (held == of) & (is_first | (np.roll(ends, 1) != of))
    enters = (ends == of) & (held != of)
    visits = np.cumsum(found) + np.cumsum(enters) - enters
    visits -= (visits - found)[is_first][code[order]]
    before, after = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)
    before[order] = held + n_states * np.minimum(visits, most)
    after[order] = np.where(
        onward == CENSORED, CENSORED, onward + n_states * np.minimum(visits + enters, most)
    )
    return before, after, n_states * (most + 1)
