"""Occupation probabilities and time in state of any multi-state history (Aalen-Johansen), family-robust."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from analysis.errors import ModelError
from analysis.stats.at_risk import FloatArray, IntArray, as_column
from analysis.stats.influence import Linear
from analysis.stats.intervals import IntervalKind, interval
from analysis.stats.labels import Labels
from analysis.stats.product_integral import ProductIntegral, influence, product_integral, standard_errors
from analysis.stats.spells import Spells, read_spells


@dataclass(frozen=True, slots=True, eq=False)
class Occupation:
    """Aalen-Johansen estimate over S states of n subjects with m distinct event times.

    Attributes
    ----------
    time : (m + 1,)
        Origin, then the times at which someone changes state.
    last : float
        Time of the last observation; later the curve is carried forward.
    integral : ProductIntegral
        Numbers at risk, transition matrices, probabilities and spells behind the curve.
    notes : tuple of str
        What a reader of the curve must know.
    """

    time: FloatArray
    last: float
    integral: ProductIntegral
    notes: tuple[str, ...] = ()

    @property
    def prob(self) -> FloatArray:
        """Probability of each state from each time until the next, (m + 1, S)."""
        return self.integral.prob

    @property
    def n_risk(self) -> FloatArray:
        """Weighted number at risk in each state just before each event time, (m, S)."""
        return self.integral.n_risk

    @property
    def spells(self) -> Spells:
        """The rows, sorted by subject and time."""
        return self.integral.spells

    @property
    def n_states(self) -> int:
        """Number of states S."""
        return self.prob.shape[1]

    @property
    def subject(self) -> Labels:
        """Subject labels in the order of the rows of every influence matrix, (n,)."""
        return self.spells.subjects

    @property
    def cluster(self) -> Labels | None:
        """Cluster labels in the same order, (n,)."""
        return self.spells.cluster

    def at(self, times: ArrayLike) -> FloatArray:
        """Occupation probabilities at given times, shape (len(times), S)."""
        return self.prob[_position(self, as_column(times, "times"))]

    def influence(self, times: ArrayLike) -> FloatArray:
        """Influence on the occupation probabilities at given times, (n, len(times) * S), time by time."""
        return influence(self.integral, coefficients_at(self, times))

    def at_risk(self, times: ArrayLike) -> IntArray:
        """Number of subjects observed in each state just before each time, (len(times), S).

        At the time at which observation begins, those are counted with whom it begins.
        """
        at = as_column(times, "times")[:, None]
        spells, first = self.spells, self.spells.start.min()
        under = (spells.stop >= at) & ((spells.start < at) | ((spells.start == first) & (at == first)))
        return np.column_stack([(under & (spells.source == s)).sum(axis=1) for s in range(self.n_states)])


@dataclass(frozen=True, slots=True, eq=False)
class OccupationCurve:
    """Step curves of all states: time (m + 1,); probability, robust standard error, limits (m + 1, S)."""

    time: FloatArray
    prob: FloatArray
    se: FloatArray
    low: FloatArray
    high: FloatArray


def aalen_johansen(
    subject: ArrayLike | Sequence[Hashable],
    start: ArrayLike,
    stop: ArrayLike,
    source: ArrayLike,
    target: ArrayLike,
    n_states: int,
    *,
    initial: ArrayLike | None = None,
    cluster: ArrayLike | Sequence[Hashable] | None = None,
    weights: ArrayLike | None = None,
) -> Occupation:
    """Occupation probabilities over time for any state graph, returns to a state and delayed entry included.

    Parameters
    ----------
    subject, start, stop, source, target, n_states, cluster, weights
        Rows of the histories, as in `analysis.stats.spells.read_spells`; `target` is -1 when the row is
        censored.
    initial : (S,), optional
        Fixed initial probabilities. Without them they are the shares of the states among those at risk at
        the first event time, as in R ``survfit``, and their uncertainty is part of the influence.

    Returns
    -------
    Occupation
        Consistent without the Markov property when censoring and entry are independent of the history.

    Raises
    ------
    ModelError
        As `read_spells`; or `initial` is not a probability over the states.

    Source
    ------
    Aalen & Johansen (1978), Scand. J. Stat. 5:141; Andersen et al. (1993), ch. IV.4; Datta & Satten (2001),
    Stat. Probab. Lett. 55:403; influence: R ``survival`` residuals of type ``pstate``.
    """
    spells = read_spells(subject, start, stop, source, target, n_states, cluster=cluster, weights=weights)
    return occupation_of(spells, n_states, initial=initial)


def occupation_of(spells: Spells, n_states: int, *, initial: ArrayLike | None = None) -> Occupation:
    """Aalen-Johansen estimate of checked spells; see `aalen_johansen`."""
    integral = product_integral(spells, n_states, initial=initial)
    starts = spells.start[np.isfinite(spells.start)]
    return Occupation(
        time=np.concatenate(([starts.min(initial=0.0)], integral.events)),
        last=float(spells.stop.max()),
        integral=integral,
        notes=() if len(integral.events) else ("nobody changes state, so the curves are flat.",),
    )


def occupation_at(occupation: Occupation, times: ArrayLike) -> Linear:
    """Occupation probabilities at given times with their influence.

    Returns
    -------
    Linear
        Quantities (len(times) * S,), time by time and state by state within a time.

    Raises
    ------
    ModelError
        If a time lies before the origin of the curve or is missing.
    """
    at = as_column(times, "times")
    return _linear(occupation, coefficients_at(occupation, at), at.max(initial=0.0))


def time_in_state(occupation: Occupation, tau: ArrayLike) -> Linear:
    """Mean time spent in each state from the origin to `tau`, with its influence.

    Parameters
    ----------
    occupation : Occupation
        The curve to integrate.
    tau : float or (k,)
        Horizon or horizons, in the unit of time. The curve is carried forward after the last observation.

    Returns
    -------
    Linear
        Quantities (k * S,), horizon by horizon; the S times of one horizon sum to tau less the origin.

    Raises
    ------
    ModelError
        If a horizon lies before the origin of the curve or is missing.

    Source
    ------
    Area under the Aalen-Johansen curve; R ``survival`` residuals of type ``auc``.
    """
    horizons = as_column(np.atleast_1d(np.asarray(tau)), "tau")
    return _linear(occupation, coefficients_area(occupation, horizons), horizons.max(initial=0.0))


def occupation_curve(
    occupation: Occupation, *, kind: IntervalKind = "log-log", level: float = 0.95
) -> OccupationCurve:
    """Probability of each state at every event time, with pointwise cluster-robust limits.

    Parameters
    ----------
    occupation : Occupation
        The curve.
    kind, level : str, float
        Scale and coverage of the limits, as in `analysis.stats.influence.interval`.

    Raises
    ------
    ModelError
        If the scale or the coverage is not known.
    """
    se = standard_errors(occupation.integral)
    limits = interval(occupation.prob, se, kind=kind, level=level)
    return OccupationCurve(occupation.time, occupation.prob, se, limits.low, limits.high)


def _position(occupation: Occupation, times: FloatArray) -> IntArray:
    if (times < occupation.time[0]).any():
        raise ModelError("a time before the origin of the curve was asked for.")
    return np.searchsorted(occupation.time, times, side="right") - 1


def coefficients_at(occupation: Occupation, times: ArrayLike) -> FloatArray:
    """Coefficient of P(t_k) in each occupation probability, (m + 1, F).

    Raises
    ------
    ModelError
        If a time lies before the origin of the curve or is missing.
    """
    at = as_column(times, "times")
    coefficients = np.zeros((len(occupation.time), len(at)))
    coefficients[_position(occupation, at), np.arange(len(at))] = 1.0
    return coefficients


def coefficients_area(occupation: Occupation, tau: ArrayLike) -> FloatArray:
    """Coefficient of P(t_k) in each time in state: the length for which it holds before tau, (m + 1, F).

    Raises
    ------
    ModelError
        If a horizon lies before the origin of the curve or is missing.
    """
    horizons = as_column(np.atleast_1d(np.asarray(tau)), "tau")
    _position(occupation, horizons)
    until = np.concatenate((occupation.time[1:], [np.inf]))[:, None]
    return np.maximum(np.minimum(until, horizons) - occupation.time[:, None], 0.0)


def _linear(occupation: Occupation, coefficients: FloatArray, latest: float) -> Linear:
    notes = occupation.notes
    if latest > occupation.last:
        notes += ("a time asked for is after the last observation; the curves are carried forward to it.",)
    return Linear(
        (coefficients.T @ occupation.prob).reshape(-1),
        influence(occupation.integral, coefficients),
        occupation.cluster,
        notes,
    )
