"""Canonical order of rows for sums over clusters: clusters of equal pattern stand side by side."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis.stats.structure import Codes, Structure


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """`count` clusters that share every basis matrix; subject and level of their rows, (n_i,) each."""

    count: int
    subject: Codes
    level: Codes


@dataclass(frozen=True, slots=True, eq=False)
class Arrangement:
    """Rows in canonical order, (n,), and the patterns that follow each other in it."""

    order: Codes
    patterns: tuple[Pattern, ...]


def arrange(structure: Structure, content: Codes) -> Arrangement:
    """Canonical order of the rows: by pattern, then by what the rows contain, never by where they stood.

    Parameters
    ----------
    structure : the covariance of n rows.
    content : (n,) integers that order rows by their data; equal integers for rows with equal data.

    Returns
    -------
    Arrangement whose sums over rows are the same to the last bit for every order of the rows and every naming
    of clusters and subjects.
    """
    if structure.two_level:
        return _by_size(structure.cluster, content)
    by_row = structure.level * (int(content.max()) + 1) + content
    unit = _subject_rank(structure, by_row)
    order = np.lexsort((by_row, structure.subject, unit, structure.cluster))
    shape = _local_subject(structure, order) * (int(structure.level.max()) + 1) + structure.level[order]
    blocks, patterns = [], []
    for rows in _groups(structure.cluster[order], shape, content[order]):
        blocks.append(order[rows].ravel())
        patterns += _patterns(shape[rows], int(structure.level.max()) + 1)
    return Arrangement(np.concatenate(blocks), tuple(patterns))


def pattern_rows(patterns: tuple[Pattern, ...], Z: NDArray) -> Iterator[NDArray]:
    """Rows of each pattern, (count, n_i, P), from Z, (n, P) in canonical order."""
    first = 0
    for pattern in patterns:
        size = len(pattern.level)
        yield Z[first : first + pattern.count * size].reshape(pattern.count, size, -1)
        first += pattern.count * size


def _by_size(cluster: Codes, content: Codes) -> Arrangement:
    """The arrangement of clusters whose rows differ in their data only: one pattern per size."""
    order = np.argsort(content)
    size = np.bincount(cluster)
    size_of_row, found, patterns = size[cluster[order]], [], []
    for k in np.flatnonzero(np.bincount(size)):
        rows = order[size_of_row == k][:, None]
        if k > 1:
            together = np.argsort(cluster[rows[:, 0]], kind="stable")
            rows = rows[together].reshape(-1, k)
            rows = rows[np.lexsort(content[rows].T[::-1])]
        found.append(rows.ravel())
        patterns.append(Pattern(len(rows), np.arange(k), np.zeros(k, dtype=np.intp)))
    return Arrangement(np.concatenate(found), tuple(patterns))


def _subject_rank(structure: Structure, by_row: Codes) -> Codes:
    """Rank of each row's subject among all: by the number of its rows, their levels and their data."""
    if int(structure.subject.max()) + 1 == len(by_row):
        return by_row
    order = np.lexsort((by_row, structure.subject))
    level, content = structure.level[order], by_row[order]
    rank, first = np.empty(len(order), dtype=np.intp), 0
    for rows in _groups(structure.subject[order], level, content):
        group = first + np.cumsum(_changes(content[rows]))
        rank[order[rows]] = group[:, None]
        first = int(group[-1]) + 1
    return rank


def _local_subject(structure: Structure, order: Codes) -> Codes:
    """Number of each row's subject inside its cluster, 0, 1, ..., for rows sorted by cluster and subject."""
    cluster, subject = structure.cluster[order], structure.subject[order]
    count = np.cumsum(np.diff(subject, prepend=subject[0]) != 0)
    first = np.flatnonzero(np.diff(cluster, prepend=-1))
    return count - np.repeat(count[first], np.diff(first, append=len(order)))


def _groups(group: Codes, shape: Codes, content: Codes) -> Iterator[Codes]:
    """Row numbers, (groups, size), per size of group, ordered by shape and content; `group` is sorted."""
    first = np.flatnonzero(np.diff(group, prepend=-1))
    size = np.diff(first, append=len(group))
    for k in np.unique(size):
        rows = first[size == k][:, None] + np.arange(k)
        keys = np.concatenate([shape[rows], content[rows]], axis=1)
        yield rows[np.lexsort(keys.T[::-1])]


def _changes(table: NDArray) -> NDArray[np.bool_]:
    """Whether each row of a table differs from the row above it; False for the first."""
    differs = np.any(table[1:] != table[:-1], axis=1)
    return np.concatenate([[False], differs])


def _patterns(shape: Codes, n_levels: int) -> list[Pattern]:
    """The runs of equal rows in `shape`, (groups, size)."""
    first = np.flatnonzero(np.concatenate([[True], _changes(shape)[1:]]))
    count = np.diff(first, append=len(shape))
    return [Pattern(int(m), *np.divmod(row, n_levels)) for m, row in zip(count, shape[first], strict=True)]
