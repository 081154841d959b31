"""Maximisation of the Gaussian likelihood over covariance parameters that have lower bounds."""

import numpy as np
from numpy.typing import NDArray
from scipy.linalg.lapack import dposv

from analysis.stats.likelihood import Likelihood, State

# Newton decrement, in units of log-likelihood, below which one last step ends the search.
CONVERGED = 1e-12
MAX_STEPS = 200


def maximise(
    likelihood: Likelihood, start: NDArray, lower: NDArray, free: NDArray, *, steps: int | None = None
) -> tuple[State, bool]:
    """The maximum over the free parameters, and whether the search ended at one.

    Newton steps on the observed information where it is positive definite, else Fisher scoring.

    Parameters
    ----------
    likelihood : the likelihood of theta.
    start : (q,) where the search begins; V is positive definite there.
    lower : (q,) lower bounds.
    free : (q,) whether a parameter moves; the others stay where they start.
    steps : the most steps to take; `MAX_STEPS` if absent.
    """
    state = likelihood.at(start)
    for _ in range(steps or MAX_STEPS):
        step = _step(state, lower, free)
        gain = float(step @ state.gradient)
        state, moved = _climb(likelihood, state, step, lower)
        if gain < CONVERGED or not moved:
            return state, 0.0 <= gain < 1e-8
    return state, False


def _step(state: State, lower: NDArray, free: NDArray) -> NDArray:
    """Ascent direction that holds parameters on their bound when the gradient or the step points outside."""
    active = free & ((state.theta > lower) | (state.gradient > 0.0))
    while active.any():
        step = np.zeros_like(state.theta)
        step[active] = _solve(state, active)
        outside = active & (state.theta <= lower) & (step < 0.0)
        if not outside.any():
            return step
        active = active & ~outside
    return np.zeros_like(state.theta)


def _solve(state: State, active: NDArray) -> NDArray:
    chosen = np.ix_(active, active)
    for information in (state.observed, state.expected):
        _, step, failed = dposv(information[chosen], state.gradient[active])
        if not failed:
            return step
    return np.linalg.pinv(state.expected[chosen], hermitian=True) @ state.gradient[active]


def _climb(likelihood: Likelihood, state: State, step: NDArray, lower: NDArray) -> tuple[State, bool]:
    """The longest halving of the step that does not lower the likelihood; a bound met is kept exactly."""
    room = np.full_like(step, np.inf)
    np.divide(lower - state.theta, step, out=room, where=step < 0.0)
    length = min(1.0, float(room.min()))
    slack = 1e-12 * (1.0 + abs(state.loglik))
    for _ in range(50):
        theta = np.where(room <= length, lower, state.theta + length * step)
        found = likelihood.at(theta)
        if found is not None and found.loglik >= state.loglik - slack:
            return found, True
        length /= 2.0
    return state, False
