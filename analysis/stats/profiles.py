"""Profile-likelihood intervals of single covariance parameters."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import chdtri

from analysis.errors import ModelError
from analysis.stats.ascent import maximise
from analysis.stats.likelihood import State
from analysis.stats.reml import LinearFit
from analysis.stats.small_sample import Interval

# Doublings of the step away from the estimate, and steps, whole or halved, towards one value.
DOUBLINGS, TRIES = 60, 60
# A maximum over the others takes some ten steps. A search still climbing then has come so near to the edge of
# the space, where the likelihood may end in a finite height, that it climbs no more.
STEPS = 30
# The profile is cut off this far below the maximum, where it may be minus infinity.
DEPTH = -100.0


def profile_interval(
    fit: LinearFit, k: int, *, level: float = 0.95, scale: Literal["variance", "sd"] = "variance"
) -> Interval:
    """Interval of theta_k, or of its square root, from the likelihood maximised over all other parameters.

    It holds every value whose profile log-likelihood (restricted, if the fit is) lies within half the
    chi-squared quantile with one degree of freedom of the maximum. A profile that does not fall so far before
    the lower bound gives an interval that begins at the bound; an estimate on the bound always does.

    Parameters
    ----------
    fit : a fitted mixed model.
    k : number of the parameter, counted from 0, in the order of `fit.theta_names`.
    level : confidence level.
    scale : ``"variance"`` for theta_k in squared units of the outcome, or ``"sd"`` for its square root. The
        two intervals are one, because the likelihood does not depend on the scale of a parameter.

    Raises
    ------
    ModelError : the fit did not converge, there is no such parameter, the data cannot tell it from the
        others, `level` is not between 0 and 1, or the square root is asked of a covariance.

    Source
    ------
    Venzon & Moolgavkar (1988), Applied Statistics 37:87-94; Pawitan (2001), In All Likelihood, section 3.4
    (invariance); Self & Liang (1987), JASA 82:605-610 (boundary).
    """
    _check(fit, k, level, scale)
    search = _Profile(fit, k)
    cut = search.top - chdtri(1.0, 1.0 - level) / 2.0
    floor = float(fit.lower[k]) * search.unit
    low, high = (_limit(search, cut, sign, floor) for sign in (-1.0, 1.0))
    found = np.array([search.estimate, low, high]) / search.unit
    if scale == "sd":
        if found.min() < 0.0:
            raise ModelError(f"The {fit.theta_names[k]} may be negative; it has no square root.")
        found = np.sqrt(found)
    return Interval(*(float(value) for value in found), level)


def _check(fit: LinearFit, k: int, level: float, scale: str) -> None:
    if not fit.converged:
        raise ModelError(f"The model gives no test or interval. {' '.join(fit.notes)}")
    if not 0 <= k < len(fit.theta):
        raise ModelError(
            f"Parameter {k} is asked for; the covariance has parameters 0 to {len(fit.theta) - 1}."
        )
    if not fit.identified[k]:
        raise ModelError(f"The {fit.theta_names[k]} cannot be told from the other variances in these data.")
    if not 0.0 < level < 1.0:
        raise ModelError(f"level must lie between 0 and 1; got {level!r}.")
    if scale not in ("variance", "sd"):
        raise ModelError(f"scale must be 'variance' or 'sd', not {scale!r}.")


class _Profile:
    """The profile log-likelihood of theta_k, on the scale of the standardised outcome.

    Each value is sought from the nearest one known, along the ridge of the likelihood; a step that would
    leave the space of positive definite V is taken in halves.
    """

    def __init__(self, fit: LinearFit, k: int) -> None:
        self.fit, self.k = fit, k
        # At the maximum the best multiple of theta is theta itself: the multiple is the change of units.
        self.unit = fit.likelihood.profiled(fit.theta)[1]
        start = fit.likelihood.at(fit.theta * self.unit)
        self.known: dict[float, State] = {float(start.theta[k]): start}
        self.estimate, self.top = float(start.theta[k]), start.loglik
        self.free = fit.identified & (np.arange(len(fit.theta)) != k)

    def __call__(self, value: float) -> float:
        state = self._at(value)
        return -np.inf if state is None else state.loglik

    def _at(self, value: float) -> State | None:
        """The state at a value; None out of the space or too low to matter."""
        state = self.known[min(self.known, key=lambda each: abs(each - value))]
        share = 1.0
        for _ in range(TRIES):
            here = float(state.theta[self.k])
            if here == value:
                return state
            if state.loglik < self.top + DEPTH:
                return None
            target = value if share == 1.0 else here + share * (value - here)
            start = self._along(state, target)
            if start is None:
                share /= 2.0
                continue
            state, _ = maximise(self.fit.likelihood, start, self.fit.lower, self.free, steps=STEPS)
            self.known[target], share = state, 1.0
        return None

    def _along(self, state: State, value: float) -> NDArray | None:
        """A start with theta_k at the value; the others on the ridge, where they were, or in proportion."""
        moving = self.free & (state.theta > self.fit.lower)
        slope = np.zeros_like(state.theta)
        inner = state.expected[np.ix_(moving, moving)]
        slope[moving] = -np.linalg.pinv(inner, hermitian=True) @ state.expected[moving, self.k]
        slope[self.k] = 1.0
        ridge = np.maximum(state.theta + slope * (value - state.theta[self.k]), self.fit.lower)
        plain = state.theta.copy()
        ridge[self.k] = plain[self.k] = value
        starts = [ridge, plain]
        if state.theta[self.k] * value > 0.0:
            # A multiple of a covariance is one, however near the edge.
            starts.append(state.theta * (value / state.theta[self.k]))
            starts[-1][self.k] = value
        return next((each for each in starts if self.fit.likelihood.at(each) is not None), None)


def _limit(profile: _Profile, cut: float, sign: float, floor: float) -> float:
    """Where the profile crosses the cut on one side of the estimate, or the bound it meets before."""
    inside, outside = profile.estimate, _outside(profile, cut, sign, floor)
    if outside is None:
        return floor
    return float(
        brentq(lambda value: max(profile(value) - cut, DEPTH), inside, outside, xtol=1e-13, rtol=1e-12)
    )


def _outside(profile: _Profile, cut: float, sign: float, floor: float) -> float | None:
    """A value beyond the limit; None if the profile is above the cut as far as the bound."""
    information = profile.known[profile.estimate].expected[profile.k, profile.k]
    step = 1.0 / np.sqrt(information)
    for _ in range(DOUBLINGS):
        value = max(profile.estimate + sign * step, floor)
        if profile(value) < cut:
            return value
        if value == floor:
            return None
        step *= 2.0
    return None
