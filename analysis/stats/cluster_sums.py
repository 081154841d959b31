"""Weighted cross-products over clusters: all that a linear covariance needs to know of the data.

Every quantity in REML, Kenward-Roger and Satterthwaite is a weighted sum of fixed cross-products of Z = [X,
y]; only the weights depend on theta. Two classes hold the cross-products: `Strata` for theta_1 J + theta_2 I,
where the weights are scalars, and `Stacks` for any other linear covariance, where they are small matrices.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from analysis.stats.arrangement import Arrangement, Pattern, pattern_rows
from analysis.stats.structure import Structure

# A pattern whose rows times columns exceed this keeps its rows instead of their cross-products, to save
# memory.
CROSS_PRODUCT_LIMIT = 200
# V counts as singular when its smallest eigenvalue (or squared pivot) falls below this share of the largest:
# closer to singularity the information is the small difference of large numbers.
SINGULAR = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Sums over clusters at one theta, W = V^-1 and P = number of columns of Z.

    Attributes
    ----------
    logdet : log |V|.
    trace : (q,) tr(W G_k).
    trace2 : (q, q) tr(W G_k W G_l).
    cross : (P, P) Z'WZ.
    first : (q, P, P) Z'W G_k W Z.
    second : (q, q, P, P) Z'W G_k W G_l W Z.
    """

    logdet: float
    trace: NDArray
    trace2: NDArray
    cross: NDArray
    first: NDArray
    second: NDArray


class Sums(Protocol):
    """Cross-products of Z for one covariance structure."""

    def cross(self, theta: NDArray) -> tuple[float, NDArray] | None:
        """log |V| and Z'WZ; None where V is not positive definite."""

    def moments(self, theta: NDArray) -> Moments | None:
        """All sums at theta; None where V is not positive definite."""

    def spread(self, theta: NDArray) -> float:
        """Smallest over largest eigenvalue of V."""


@dataclass(frozen=True, slots=True, eq=False)
class Strata:
    """Eigenspaces of theta_1 J + theta_2 I: one within clusters, one between clusters per cluster size.

    `coefficient` (s, 2) gives the eigenvalue as a linear function of theta, `count` (s,) its multiplicity and
    `product` (s, P * P) the cross-product of Z projected on the space. Source: Searle, Casella & McCulloch
    (1992), Variance Components, section 3.
    """

    coefficient: NDArray
    count: NDArray
    product: NDArray
    width: int

    def cross(self, theta: NDArray) -> tuple[float, NDArray] | None:
        value = self._eigenvalues(theta)
        if value is None:
            return None
        cross = ((1.0 / value) @ self.product).reshape(self.width, self.width)
        return float(self.count @ np.log(value)), cross

    def moments(self, theta: NDArray) -> Moments | None:
        value = self._eigenvalues(theta)
        if value is None:
            return None
        q, ratio = len(theta), (self.coefficient / value[:, None]).T
        pairs = (ratio[:, None] * ratio).reshape(q * q, -1)
        sums = (np.vstack([np.ones_like(value), ratio, pairs]) / value) @ self.product
        trace2 = (ratio * self.count) @ ratio.T
        return _moments(float(self.count @ np.log(value)), ratio @ self.count, trace2, sums, self.width)

    def spread(self, theta: NDArray) -> float:
        value = self.coefficient @ theta
        return float(value.min() / value.max())

    def _eigenvalues(self, theta: NDArray) -> NDArray | None:
        value = self.coefficient @ theta
        return value if value.min() > SINGULAR * value.max() else None


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """Patterns of equal cluster size n_i, factored together.

    `basis` (c, q, n_i, n_i) and `count` (c,) describe c patterns. `product` (c, n_i * n_i, P * P) holds their
    cross-products; for a large pattern it is None and `rows` (m, n_i, P) holds the data of that one pattern.
    """

    basis: NDArray
    count: NDArray
    product: NDArray | None
    rows: NDArray | None

    def covariance(self, theta: NDArray) -> NDArray:
        """V of each pattern, (c, n_i, n_i)."""
        return np.einsum("k,ckij->cij", theta, self.basis)

    def factor(self, theta: NDArray) -> tuple[float, NDArray]:
        """log |V| over all clusters and W of each pattern; LinAlgError where V is not positive definite."""
        root = np.linalg.cholesky(self.covariance(theta))
        pivot = np.diagonal(root, axis1=1, axis2=2)
        if pivot.min() ** 2 <= SINGULAR * pivot.max() ** 2:
            raise np.linalg.LinAlgError("singular to working precision")
        logdet = 2.0 * np.log(pivot).sum(axis=1) @ self.count
        inverse = np.linalg.inv(root)
        return float(logdet), np.swapaxes(inverse, 1, 2) @ inverse

    def sums(self, weights: NDArray) -> NDArray:
        """Sum over clusters of Z'AZ for each weight A, (r, P * P); `weights` is (c, r, n_i, n_i)."""
        c, r, n, _ = weights.shape
        if self.product is not None:
            return (weights.reshape(c, r, n * n) @ self.product).sum(axis=0)
        flat = self.rows.reshape(-1, self.rows.shape[2])
        return np.stack([(flat.T @ (A @ self.rows).reshape(flat.shape)).ravel() for A in weights[0]])

    def moments(self, theta: NDArray) -> tuple[float, NDArray, NDArray, NDArray]:
        """log |V|, tr(W G_k), tr(W G_k W G_l) and the sums of the 1 + q + q^2 weights."""
        logdet, W = self.factor(theta)
        c, q, n, _ = self.basis.shape
        WG = W[:, None] @ self.basis
        WGW = WG @ W[:, None]
        second = (WG[:, :, None] @ WGW[:, None]).reshape(c, q * q, n, n)
        trace = np.einsum("ckii,c->k", WG, self.count)
        trace2 = np.einsum("ckij,clji,c->kl", WG, WG, self.count)
        return logdet, trace, trace2, self.sums(np.concatenate([W[:, None], WGW, second], axis=1))


@dataclass(frozen=True, slots=True, eq=False)
class Stacks:
    """Any linear covariance: one `Stack` per cluster size."""

    stacks: tuple[Stack, ...]
    width: int

    def cross(self, theta: NDArray) -> tuple[float, NDArray] | None:
        logdet, cross = 0.0, 0.0
        try:
            for stack in self.stacks:
                part, W = stack.factor(theta)
                logdet, cross = logdet + part, cross + stack.sums(W[:, None])
        except np.linalg.LinAlgError:
            return None
        return logdet, cross.reshape(self.width, self.width)

    def moments(self, theta: NDArray) -> Moments | None:
        try:
            parts = [stack.moments(theta) for stack in self.stacks]
        except np.linalg.LinAlgError:
            return None
        return _moments(*(sum(part) for part in zip(*parts, strict=True)), self.width)

    def spread(self, theta: NDArray) -> float:
        values = [np.linalg.eigvalsh(stack.covariance(theta)) for stack in self.stacks]
        return float(min(v.min() for v in values) / max(v.max() for v in values))


def summarise(structure: Structure, arrangement: Arrangement, Z: NDArray) -> Sums:
    """Cross-products of Z, (n, P) in the order of the arrangement."""
    blocks = list(pattern_rows(arrangement.patterns, Z))
    if structure.two_level:
        return _strata(blocks, Z.shape[1])
    stacks: list[Stack] = []
    sizes = np.array([rows.shape[1] for rows in blocks])
    for size in np.unique(sizes):
        chosen = np.flatnonzero(sizes == size)
        stacks += _stack(structure, [arrangement.patterns[j] for j in chosen], [blocks[j] for j in chosen])
    return Stacks(tuple(stacks), Z.shape[1])


def _strata(blocks: list[NDArray], width: int) -> Strata:
    within, between = np.zeros((width, width)), []
    coefficient, count = [(0.0, 1.0)], [0.0]
    for rows in blocks:
        m, n, _ = rows.shape
        mean = rows.mean(axis=1) if n > 1 else rows[:, 0]
        if n > 1:
            centred = (rows - mean[:, None]).reshape(m * n, width)
            within += centred.T @ centred
        between.append(n * (mean.T @ mean))
        coefficient.append((float(n), 1.0))
        count[0] += m * (n - 1)
        count.append(float(m))
    product = np.stack([within, *between]).reshape(-1, width * width)
    return Strata(np.array(coefficient), np.array(count), product, width)


def _stack(structure: Structure, patterns: list[Pattern], blocks: list[NDArray]) -> list[Stack]:
    basis = np.stack([[term.basis(p.subject, p.level) for term in structure.terms] for p in patterns])
    count = np.array([float(p.count) for p in patterns])
    if blocks[0].shape[1] * blocks[0].shape[2] <= CROSS_PRODUCT_LIMIT:
        return [Stack(basis, count, np.stack([_cross_products(rows) for rows in blocks]), None)]
    return [Stack(basis[j : j + 1], count[j : j + 1], None, rows) for j, rows in enumerate(blocks)]


def _cross_products(rows: NDArray) -> NDArray:
    """Sum over clusters of the products of all pairs of entries of Z_i, (n_i * n_i, P * P)."""
    m, n, width = rows.shape
    flat = rows.reshape(m, n * width)
    return (flat.T @ flat).reshape(n, width, n, width).transpose(0, 2, 1, 3).reshape(n * n, width * width)


def _moments(logdet: float, trace: NDArray, trace2: NDArray, sums: NDArray, width: int) -> Moments:
    q = len(trace)
    tables = sums.reshape(-1, width, width)
    second = tables[1 + q :].reshape(q, q, width, width)
    return Moments(logdet, trace, trace2, tables[0], tables[1 : 1 + q], second)
