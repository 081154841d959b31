"""Who is under observation when: rows (start, stop] and their place among the event times.

A row is at risk at a time t when start < t <= stop, so a child who leaves at t is still counted at t and a
child who enters at t is not. Cox models and multi-state curves share this one definition.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.errors import ModelError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


def refuse_rows(bad: BoolArray, sentence: str, *, row: IntArray | None = None) -> None:
    """Stop at the first bad row.

    Parameters
    ----------
    bad : (n,)
        Rows that break the rule.
    sentence : str
        The rule, as it follows "row 3: ".
    row : (n,), optional
        The caller's number of each row when `bad` is in another order.

    Raises
    ------
    ModelError
        If any row is bad; it names the smallest row number, counted from 0.
    """
    if bad.any():
        where = np.flatnonzero(bad)
        first = where[0] if row is None else row[where].min()
        raise ModelError(f"row {first} (counted from 0): {sentence}")


def as_column(values: ArrayLike, name: str, *, n: int | None = None) -> FloatArray:
    """One finite number per row, shape (n,).

    Raises
    ------
    ModelError
        If the column has another length, is not numeric or holds a missing or infinite value.
    """
    try:
        column = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ModelError(f"{name} must be numeric.") from error
    if column.ndim != 1 or (n is not None and len(column) != n):
        raise ModelError(f"{name} must be one column with one value per row.")
    refuse_rows(~np.isfinite(column), f"{name} is missing or not finite.")
    return column


def as_states(values: ArrayLike, name: str, *, n: int, allowed: Sequence[int] | range) -> IntArray:
    """One whole number of `allowed` per row, shape (n,).

    Raises
    ------
    ModelError
        If a value is missing or is not one of the allowed numbers.
    """
    column = as_column(values, name, n=n)
    low, high = allowed[0], allowed[-1]
    bad = (column != np.rint(column)) | (column < low) | (column > high)
    refuse_rows(bad, f"{name} must be a whole number from {low} to {high}.")
    return column.astype(np.int64)


def as_weights(values: ArrayLike | None, *, n: int) -> FloatArray:
    """Case weights, shape (n,), all positive; ones when none are given."""
    if values is None:
        return np.ones(n)
    weight = as_column(values, "weights", n=n)
    refuse_rows(weight <= 0, "weights must be above 0; leave the row out instead.")
    return weight


def as_intervals(start: ArrayLike, stop: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Starts and stops of the rows, each (n,), with start < stop.

    Raises
    ------
    ModelError
        If there is no row, a time is missing, or an interval is empty or runs backwards.
    """
    stops = as_column(stop, "stop")
    starts = as_column(start, "start", n=len(stops))
    if not len(stops):
        raise ModelError("there is no row to analyse.")
    refuse_rows(starts >= stops, "start must be before stop.")
    return starts, stops


def risk_window(start: FloatArray, stop: FloatArray, time: FloatArray) -> tuple[IntArray, IntArray]:
    """Positions [lo, hi) in the sorted times `time` at which each row is at risk, two arrays (n,)."""
    # Without delayed entry one search serves all rows.
    same = len(start) > 0 and bool((start == start[0]).all())
    lo = np.searchsorted(time, start[:1] if same else start, side="right")
    return np.repeat(lo, len(start)) if same else lo, np.searchsorted(time, stop, side="right")


def running_sums(values: FloatArray) -> FloatArray:
    """Sums of the first 0, 1, ..., m values over the first axis, (m + 1, ...)."""
    total = np.zeros((len(values) + 1, *values.shape[1:]))
    np.cumsum(values, axis=0, out=total[1:])
    return total


def numbers_at_risk(stop: ArrayLike, at: ArrayLike, *, start: ArrayLike | None = None) -> IntArray:
    """Number of rows under observation just before each time, shape (len(at),).

    Parameters
    ----------
    stop, start : (n,)
        Ends and, with delayed entry, beginnings of the rows, in one unit of time.
    at : (k,)
        Times of the table under a curve. At the earliest start the rows that begin there count, so that the
        table opens with everyone enrolled.
    """
    stops, times = as_column(stop, "stop"), as_column(at, "at")
    under = stops[None, :] >= times[:, None]
    if start is not None:
        starts = as_column(start, "start", n=len(stops))
        under &= (starts[None, :] < times[:, None]) | (starts[None, :] == starts.min(initial=np.inf))
    return under.sum(axis=1)
