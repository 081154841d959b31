"""A second implementation of the mixed model in plain n x n algebra, written from Kenward & Roger (1997).

It shares no code and no formula arrangement with `analysis.stats`: the whole covariance is one matrix, the
search is Fisher scoring with the projection matrix P, and a boundary is found by trying every set of zero
variances.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np


@dataclass(frozen=True)
class DenseFit:
    beta: np.ndarray
    Phi: np.ndarray
    theta: np.ndarray
    loglik: float
    y: np.ndarray
    X: np.ndarray
    G: list


def basis(*labels):
    """0/1 matrices of rows that share a label, one per label vector."""
    return [np.array([[float(a == b) for b in label] for a in label]) for label in labels]


def fit(y, X, G, may_vanish):
    """REML over theta with V = sum theta_k G_k; `may_vanish` marks variances that are bounded by zero."""
    best = None
    for held in product(*[(False, True) if bounded else (False,) for bounded in may_vanish]):
        free = [k for k in range(len(G)) if not held[k]]
        values = _scoring(y, X, [G[k] for k in free])
        theta = np.zeros(len(G))
        theta[free] = values
        if any(theta[k] < 0.0 for k in range(len(G)) if may_vanish[k]):
            continue
        value = loglik(y, X, G, theta)
        if best is None or value > best[0]:
            best = value, theta
    value, theta = best
    V_inverse = np.linalg.inv(_covariance(G, theta))
    Phi = np.linalg.inv(X.T @ V_inverse @ X)
    return DenseFit(Phi @ X.T @ V_inverse @ y, Phi, theta, value, y, X, G)


def loglik(y, X, G, theta):
    V = _covariance(G, theta)
    if np.linalg.eigvalsh(V).min() <= 0.0:
        return -np.inf
    V_inverse = np.linalg.inv(V)
    information = X.T @ V_inverse @ X
    residual = y - X @ np.linalg.solve(information, X.T @ V_inverse @ y)
    terms = (
        (len(y) - X.shape[1]) * np.log(2 * np.pi),
        np.linalg.slogdet(V)[1],
        np.linalg.slogdet(information)[1],
        residual @ V_inverse @ residual,
    )
    return -0.5 * sum(terms)


def observed_information(f):
    """Minus the second derivatives of the restricted log-likelihood."""
    P = _projection(f.X, f.G, f.theta)
    PG = [P @ G for G in f.G]
    Py = P @ f.y
    return np.array([[f.y @ PGi @ PGj @ Py - 0.5 * np.trace(PGi @ PGj) for PGj in PG] for PGi in PG])


def kenward_roger(f, L, *, observed=False):
    """Adjusted covariance of beta, F, its denominator degrees of freedom and lambda, for L beta = 0."""
    V_inverse = np.linalg.inv(_covariance(f.G, f.theta))
    q, Phi = range(len(f.G)), f.Phi
    P = [-f.X.T @ V_inverse @ G @ V_inverse @ f.X for G in f.G]
    Q = [[f.X.T @ V_inverse @ f.G[i] @ V_inverse @ f.G[j] @ V_inverse @ f.X for j in q] for i in q]
    information = np.empty((len(f.G), len(f.G)))
    for i in q:
        for j in q:
            full = np.trace(V_inverse @ f.G[i] @ V_inverse @ f.G[j])
            lost = np.trace(2 * Phi @ Q[i][j] - Phi @ P[i] @ Phi @ P[j])
            information[i, j] = 0.5 * (full - lost)
    W = np.linalg.inv(observed_information(f) if observed else information)
    Lambda = Phi @ sum(W[i, j] * (Q[i][j] - P[i] @ Phi @ P[j]) for i in q for j in q) @ Phi
    adjusted = Phi + 2 * Lambda
    Theta = L.T @ np.linalg.inv(L @ Phi @ L.T) @ L
    ell = np.linalg.matrix_rank(L)
    A1 = sum(
        W[i, j] * np.trace(Theta @ Phi @ P[i] @ Phi) * np.trace(Theta @ Phi @ P[j] @ Phi)
        for i in q
        for j in q
    )
    A2 = sum(W[i, j] * np.trace(Theta @ Phi @ P[i] @ Phi @ Theta @ Phi @ P[j] @ Phi) for i in q for j in q)
    B = (A1 + 6 * A2) / (2 * ell)
    g = ((ell + 1) * A1 - (ell + 4) * A2) / ((ell + 2) * A2)
    c1 = g / (3 * ell + 2 * (1 - g))
    c2 = (ell - g) / (3 * ell + 2 * (1 - g))
    c3 = (ell + 2 - g) / (3 * ell + 2 * (1 - g))
    E_star = 1 / (1 - A2 / ell)
    V_star = (2 / ell) * (1 + c1 * B) / ((1 - c2 * B) ** 2 * (1 - c3 * B))
    rho = V_star / (2 * E_star**2)
    m = 4 + (ell + 2) / (ell * rho - 1)
    scale = m / (E_star * (m - 2))
    Lb = L @ f.beta
    return adjusted, scale / ell * Lb @ np.linalg.inv(L @ adjusted @ L.T) @ Lb, m, scale


def satterthwaite(f, contrast):
    """Degrees of freedom of one contrast from numerical derivatives of its variance; interior fits only."""

    def variance(theta):
        V_inverse = np.linalg.inv(_covariance(f.G, theta))
        return contrast @ np.linalg.inv(f.X.T @ V_inverse @ f.X) @ contrast

    gradient = np.empty(len(f.theta))
    for k in range(len(f.theta)):
        step = np.zeros(len(f.theta))
        step[k] = 2e-4 * np.abs(f.theta).max()
        # Fourth-order central difference: the error is far below the tolerance of the comparison.
        near = variance(f.theta + step) - variance(f.theta - step)
        far = variance(f.theta + 2 * step) - variance(f.theta - 2 * step)
        gradient[k] = (8 * near - far) / (12 * step[k])
    return 2 * variance(f.theta) ** 2 / (gradient @ np.linalg.inv(observed_information(f)) @ gradient)


def _covariance(G, theta):
    return sum(value * matrix for value, matrix in zip(theta, G, strict=True))


def _projection(X, G, theta):
    V_inverse = np.linalg.inv(_covariance(G, theta))
    return V_inverse - V_inverse @ X @ np.linalg.inv(X.T @ V_inverse @ X) @ X.T @ V_inverse


def _scoring(y, X, G, steps=200):
    """Fisher scoring from the identity, halving a step that leaves the space or lowers the likelihood."""
    identity = np.eye(len(y)).ravel()
    theta = np.linalg.lstsq(np.column_stack([g.ravel() for g in G]), identity, rcond=None)[0]
    theta = theta * np.var(y)
    for _ in range(steps):
        P = _projection(X, G, theta)
        gradient = np.array([y @ P @ g @ P @ y - np.trace(P @ g) for g in G]) / 2
        information = np.array([[np.trace(P @ a @ P @ b) for b in G] for a in G]) / 2
        step = np.linalg.solve(information, gradient)
        if gradient @ step < 1e-22:
            break
        start, length = loglik(y, X, G, theta), 1.0
        while length > 1e-12 and loglik(y, X, G, theta + length * step) < start - 1e-11:
            length /= 2
        theta = theta + length * step
    return theta
