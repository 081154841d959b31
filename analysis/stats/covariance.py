"""Covariances that are linear in their parameters: V_i = sum_k theta_k G_ik for every cluster i.

A `Structure` says which rows belong together; it holds labels turned into integers and a list of `Term`, one
per parameter. Clusters are independent, so nothing larger than one cluster is ever formed. `arrange` puts the
clusters of equal pattern side by side, where they share one factorisation, in an order that does not depend
on the order of the rows.
"""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from analysis.errors import ModelError
from analysis.stats.labels import as_labels, encode

Names = Sequence[Hashable] | NDArray
Codes = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Term:
    """One parameter theta_k and the rule for its basis matrix G_k.

    Attributes
    ----------
    name : what the parameter measures, as printed in notes.
    within : the pairs of rows that share it: of one cluster, of one subject, or a row with itself.
    levels : the pair of levels (visits, groups) it is confined to; None for all rows.
    lower : lower bound of theta_k; minus infinity when only a positive definite V bounds it.
    start : its value in the parameter vector that makes V the identity.
    """

    name: str
    within: Literal["cluster", "subject", "row"]
    levels: tuple[int, int] | None = None
    lower: float = 0.0
    start: float = 0.0

    def basis(self, subject: Codes, level: Codes) -> NDArray:
        """Basis matrix G_k of one cluster, (n_i, n_i), from the subject and level of its rows."""
        if self.within == "cluster":
            shared = np.ones((len(subject), len(subject)), dtype=bool)
        elif self.within == "subject":
            shared = subject[:, None] == subject
        else:
            shared = np.eye(len(subject), dtype=bool)
        if self.levels is not None:
            pair = (level == self.levels[0])[:, None] & (level == self.levels[1])
            shared = shared & (pair | pair.T)
        return shared.astype(float)


@dataclass(frozen=True, slots=True, eq=False)
class Structure:
    """Covariance of n rows, linear in q parameters, with independent clusters.

    Attributes
    ----------
    name : the builder it came from.
    cluster, subject, level : (n,) integer codes of each row; `level` orders rows inside a subject (visit,
        group).
    terms : the q parameters, in the order of theta.
    """

    name: str
    cluster: Codes
    subject: Codes
    level: Codes
    terms: tuple[Term, ...]

    @property
    def n_clusters(self) -> int:
        return int(self.cluster.max()) + 1

    @property
    def lower(self) -> NDArray:
        return np.array([term.lower for term in self.terms])

    @property
    def start(self) -> NDArray:
        return np.array([term.start for term in self.terms])

    @property
    def two_level(self) -> bool:
        """Whether V_i = theta_1 J + theta_2 I, which needs no factorisation."""
        return [(term.within, term.levels) for term in self.terms] == [("cluster", None), ("row", None)]


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


def random_intercept(cluster: Names) -> Structure:
    """Covariance of a random intercept per cluster: V_i = theta_1 J + theta_2 I with theta_1 >= 0.

    Parameters
    ----------
    cluster : (n,) hashable labels, rows in any order.

    Returns
    -------
    Structure with theta = (variance between clusters, residual variance), in squared units of the outcome.

    Raises
    ------
    ModelError : a label is missing, or there are no rows.

    Source
    ------
    Laird & Ware (1982), Biometrics 38:963-974, equation 2.1.
    """
    return _two_level("random_intercept", cluster, "variance between clusters", 0.0)


def exchangeable(cluster: Names) -> Structure:
    """Covariance of equally correlated rows: V_i = theta_1 J + theta_2 I with theta_1 of either sign.

    The correlation theta_1 / (theta_1 + theta_2) may be negative as far as V_i stays positive definite, that
    is above -1 / (largest cluster size - 1).

    Parameters
    ----------
    cluster : (n,) hashable labels, rows in any order.

    Returns
    -------
    Structure with theta = (covariance within clusters, variance minus that covariance).

    Raises
    ------
    ModelError : a label is missing, or there are no rows.

    Source
    ------
    Pinheiro & Bates (2000), Mixed-Effects Models in S and S-PLUS, section 5.3.1 (compound symmetry).
    """
    return _two_level("exchangeable", cluster, "covariance within clusters", -np.inf)


def nested(cluster: Names, subject: Names) -> Structure:
    """Covariance of rows in subjects in clusters: V_i = theta_1 J + theta_2 J(subject) + theta_3 I.

    Parameters
    ----------
    cluster, subject : (n,) hashable labels, rows in any order. A subject belongs to its cluster: the same
        subject label in two clusters means two subjects.

    Returns
    -------
    Structure with theta = (variance between clusters, variance between subjects of a cluster, residual
    variance).

    Raises
    ------
    ModelError : a label is missing, there are no rows, or the two label vectors differ in length.

    Source
    ------
    Pinheiro & Bates (2000), Mixed-Effects Models in S and S-PLUS, section 1.5 and equation 2.2.
    """
    family = _codes(cluster, "cluster")
    child = _codes(subject, "subject")
    _same_length(family, child)
    terms = (
        Term("variance between clusters", "cluster"),
        Term("variance between subjects", "subject"),
        Term("residual variance", "row", start=1.0),
    )
    pair = family * (child.max() + 1) + child
    return Structure("nested", family, _codes(pair, "subject"), np.zeros_like(family), terms)


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
    by_row = structure.level * (int(content.max()) + 1) + content
    unit = _subject_rank(structure, by_row)
    order = np.lexsort((by_row, structure.subject, unit, structure.cluster))
    shape = _local_subject(structure, order) * (int(structure.level.max()) + 1) + structure.level[order]
    blocks, patterns = [], []
    for rows in _groups(structure.cluster[order], shape, content[order]):
        blocks.append(order[rows].ravel())
        patterns += _patterns(shape[rows], int(structure.level.max()) + 1)
    return Arrangement(np.concatenate(blocks), tuple(patterns))


def _two_level(name: str, cluster: Names, first: str, lower: float) -> Structure:
    family = _codes(cluster, "cluster")
    terms = (Term(first, "cluster", lower=lower), Term("residual variance", "row", start=1.0))
    return Structure(name, family, np.arange(len(family)), np.zeros_like(family), terms)


def _codes(labels: Names, what: str) -> Codes:
    """Integers 0, 1, ... for hashable labels, none of them missing."""
    try:
        codes = encode(as_labels(labels, n=len(labels), name=what))[0]
    except TypeError as error:
        raise ModelError(f"The {what} labels must be one column of hashable values.") from error
    if not len(codes):
        raise ModelError(f"The {what} labels are empty; a covariance needs at least one row.")
    return codes


def _same_length(*codes: Codes) -> None:
    if len({len(code) for code in codes}) > 1:
        raise ModelError(f"Label vectors must be of equal length; got {[len(code) for code in codes]}.")


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
