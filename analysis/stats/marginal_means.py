"""Rows L that make L beta an estimated marginal mean of a linear model."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analysis.errors import ModelError


def mean_row(
    X: ArrayLike, *, at: Mapping[int, float] | None = None, factors: Sequence[Sequence[int]] = ()
) -> NDArray:
    """The row L, (p,), of the expected outcome at given values of some columns, averaged over the others.

    Every column is averaged over the rows of X, so that factors keep the mix they have there; a factor in
    `factors` has all its levels at equal weight instead.

    Parameters
    ----------
    X : (n, p) columns of the model; one row per unit of the population averaged over.
    at : column -> the value it is set to in every row, as the arm. A product of a set column with another is
        a column of its own and must be set too.
    factors : for each factor of equal weight its 0/1 columns, one per level but the first.

    Returns
    -------
    L for `analysis.stats.small_sample.contrast`, which adds the standard error, the degrees of freedom and
    the interval.

    Raises
    ------
    ModelError : X is not a table with rows, a column is not one of X, a value is not finite, or a column is
        named twice.

    Source
    ------
    Searle, Speed & Milliken (1980), American Statistician 34:216-221 (population marginal means); Lane &
    Nelder (1982), Biometrics 38:613-621 (averages over a standard population). R package emmeans calls the
    second ``weights = "proportional"`` and the first ``"equal"``, its default.
    """
    X = np.asarray(X, dtype=float)
    if X.ndim != 2 or not X.size or not np.isfinite(X).all():
        raise ModelError("A marginal mean needs a table X with rows and finite values.")
    at = {} if at is None else at
    _check_columns([*at, *(j for factor in factors for j in factor)], X.shape[1])
    row = X.mean(axis=0)
    for factor in factors:
        row[list(factor)] = 1.0 / (len(factor) + 1)
    row[list(at)] = list(at.values())
    if not np.isfinite(row).all():
        raise ModelError("A marginal mean needs finite values for the columns that are set.")
    return row


def _check_columns(columns: Sequence[int], p: int) -> None:
    wrong = [j for j in columns if not 0 <= j < p]
    if wrong:
        raise ModelError(f"Column {wrong[0]} of X is to be set; X has columns 0 to {p - 1}.")
    if len(set(columns)) < len(columns):
        raise ModelError("A column of X is named twice, as set or as part of a factor.")
