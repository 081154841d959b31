"""Covariances that are linear in their parameters: V_i = sum_k theta_k G_ik for every cluster i.

A `Structure` says which rows belong together; it holds labels turned into integers and a list of `Term`, one
per parameter. Clusters are independent, so nothing larger than one cluster is ever formed.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Names = Sequence[Hashable] | NDArray
Codes = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Term:
    """One parameter theta_k and the rule for its basis matrix G_k.

    Attributes
    ----------
    name : what the parameter measures, as printed in notes.
    within : the pairs of rows that share it: of one cluster, of one subject, or a row with itself.
    levels : the pairs of levels (visits, groups) it is confined to; None for all rows.
    lower : lower bound of theta_k; minus infinity when only a positive definite V bounds it.
    start : its value in the parameter vector that makes V the identity.
    """

    name: str
    within: Literal["cluster", "subject", "row"]
    levels: tuple[tuple[int, int], ...] | None = None
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
            chosen = np.zeros_like(shared)
            for a, b in self.levels:
                pair = (level == a)[:, None] & (level == b)
                chosen |= pair | pair.T
            shared = shared & chosen
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
