"""Columns of a linear model: checked, in an order of their own, and on a scale where nothing is large."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.errors import ModelError
from analysis.stats.at_risk import FloatArray

# A column whose part not explained by the columns before it is a smaller share of its length is collinear.
COLLINEAR = 1e-10
# Outcome whose part not explained by the columns is a smaller share of its length is fitted exactly.
EXACT = 1e-12
# Squares of larger values, and of smaller ones than its inverse, are no numbers of double precision.
LARGEST = 1e150
# Odd multiplier that spreads the bits of a value over a row's key: 2^64 divided by the golden ratio.
MIX = np.uint64(0x9E3779B97F4A7C15)
# Rows reduced to a triangle at a time.
BLOCK = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Standardised:
    """y and X on a scale where nothing is large: X = Q T^-1 with orthonormal Q, y = Q b + s r."""

    Q: NDArray
    T: NDArray
    b: NDArray
    r: NDArray
    s: float


def as_matrix(X: ArrayLike, *, n: int, names: Sequence[str] | None) -> tuple[FloatArray, tuple[str, ...]]:
    """Columns of a model, (n, p), all finite and fewer than rows, and their names for messages.

    Raises
    ------
    ModelError : the shape is wrong, a column is not numeric, not finite or too large or small to be squared,
        or there are not more rows than columns.
    """
    try:
        X = np.asarray(X, dtype=float)
    except (TypeError, ValueError) as error:
        raise ModelError("X must be a numeric table with one row per outcome.") from error
    if X.ndim != 2 or len(X) != n:
        raise ModelError(f"X has shape {X.shape}; it must be a table with one row for each of {n} outcomes.")
    p = X.shape[1]
    names = tuple(str(j) for j in range(p)) if names is None else tuple(str(name) for name in names)
    if len(names) != p:
        raise ModelError(f"{len(names)} names are given for {p} columns of X.")
    bad = np.flatnonzero(~np.isfinite(X).all(axis=0))
    if len(bad):
        raise ModelError(f"{_column(bad[0], names)} has missing or infinite values; rows must be complete.")
    for j, size in enumerate(np.abs(X).max(axis=0, initial=0.0)):
        refuse_unit(size, _column(j, names))
    if not 0 < p < n:
        raise ModelError(
            f"The model has {n} rows and {p} columns; it needs a column and more rows than columns."
        )
    return X, names


def refuse_unit(size: float, what: str) -> None:
    """Refuse a column whose largest absolute value has no square in double precision.

    Raises
    ------
    ModelError : `size` is beyond 1e150, or below 1e-150 and not zero.
    """
    if size > LARGEST or 0.0 < size < 1.0 / LARGEST:
        raise ModelError(f"{what} is beyond 1e150 or all below 1e-150; give it in another unit.")


def _column(j: int, names: tuple[str, ...]) -> str:
    return f"Column {j} of X" if names[j] == str(j) else f"The term \u201c{names[j]}\u201d of the model"


def content_rank(table: NDArray) -> NDArray:
    """Dense rank of the rows of a table in an order of their content alone, (n,); equal for equal rows.

    Rows are sorted by a 64-bit mix of their values, which is one sort whatever the number of columns. Should
    two different rows share it, they are sorted by the values themselves.
    """
    table = table + 0.0  # one bit pattern for zero
    key = _mixed(table)
    order = np.argsort(key)
    differs = np.diff(key[order]) != 0
    equal = np.flatnonzero(~differs)
    if (table[order[equal]] != table[order[equal + 1]]).any():
        order = np.lexsort(table.T)
        differs = (np.diff(table[order], axis=0) != 0.0).any(axis=1)
    rank = np.empty(len(order), dtype=np.intp)
    rank[order] = np.append(0, np.cumsum(differs))
    return rank


def _mixed(table: NDArray) -> NDArray[np.uint64]:
    """A 64-bit number for each row from the bits of its values."""
    key = np.zeros(len(table), dtype=np.uint64)
    for column in table.T:
        key ^= np.ascontiguousarray(column).view(np.uint64)
        key *= MIX
        key ^= key >> np.uint64(32)
    return key


def orthonormal(X: NDArray, names: tuple[str, ...]) -> tuple[NDArray, NDArray]:
    """Orthonormal columns Q, (n, p), and T with Q = X T.

    Raises
    ------
    ModelError : a column is zero or depends on the columns before it.
    """
    length = np.sqrt(np.einsum("ij,ij->j", X, X))
    if not length.all():
        raise ModelError(f"{_column(int(np.argmin(length)), names)} is zero in every row.")
    R = _triangle(X) / length
    dependent = np.flatnonzero(np.abs(np.diagonal(R)) < COLLINEAR)
    if len(dependent):
        raise ModelError(f"{_column(int(dependent[0]), names)} is a combination of those before it.")
    first = np.linalg.inv(R) / length[:, None]
    Q = X @ first
    # A second time, because near collinearity the first leaves columns short of orthogonal.
    second = np.linalg.inv(_triangle(Q))
    return Q @ second, first @ second


def _triangle(X: NDArray) -> NDArray:
    """Upper triangle R of X = QR, from the triangles of blocks of rows that fit in the cache."""
    size = max(BLOCK, 2 * X.shape[1])
    if len(X) <= size:
        return np.linalg.qr(X, mode="r")
    blocks = [np.linalg.qr(X[first : first + size], mode="r") for first in range(0, len(X), size)]
    return _triangle(np.concatenate(blocks))


def standardise(y: NDArray, X: NDArray, names: tuple[str, ...]) -> Standardised:
    """y and X on a scale where nothing is large, with the collinear columns refused.

    Raises
    ------
    ModelError : a column is zero or depends on the columns before it, or the columns fit the outcome exactly.
    """
    refuse_unit(float(np.abs(y).max()), "The outcome")
    Q, T = orthonormal(X, names)
    b = Q.T @ y
    # What rounding leaves of a large mean in the residual, generalised least squares takes out again.
    residual = y - Q @ b
    s = float(np.sqrt(residual @ residual / (len(y) - X.shape[1])))
    if s <= EXACT * np.sqrt(y @ y):
        raise ModelError("The columns of X fit the outcome exactly; there is no variation left to model.")
    return Standardised(Q, T, b, residual / s, s)


def constant_within(X: NDArray, cluster: NDArray) -> NDArray:
    """Whether each column is constant within every cluster, (p,); rows of a cluster stand together."""
    same = cluster[1:] == cluster[:-1]
    return ~(X[1:] != X[:-1])[same].any(axis=0)
