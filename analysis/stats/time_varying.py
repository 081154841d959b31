"""A hazard ratio that changes with follow-up: constant within periods, or linear in time or its logarithm.

Rows are split where the covariate x times a function of time changes its value, and an ordinary Cox model is
fitted to the pieces. The pieces of a row keep its cluster, and their influences are added again.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from analysis.errors import ModelError
from analysis.stats.at_risk import FloatArray, IntArray, as_column, as_states, as_weights
from analysis.stats.hazards import CoxFit, Ties, as_rows, cox, design
from analysis.stats.influence import ChiSquare, Linear, cluster_sums
from analysis.stats.labels import as_labels

OfTime = Literal["identity", "log"]
Basis = Callable[[FloatArray], FloatArray]
# Pieces beyond this number would not fit in memory; periods need far fewer.
MOST_PIECES = 50_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """Rows cut at fixed times.

    Attributes
    ----------
    row : (k,)
        Row that each piece is part of; the pieces of a row are consecutive.
    start, stop : (k,)
        Interval of each piece.
    event : (k,)
        Whether the piece ends in the event of its row.
    period : (k,)
        Number of cut points before the end of the piece: it lies in (cuts[period - 1], cuts[period]].
    """

    row: IntArray
    start: FloatArray
    stop: FloatArray
    event: IntArray
    period: IntArray

    def where(self, kept: Any) -> "Pieces":
        """The pieces chosen by a numpy index."""
        fields = (self.row, self.start, self.stop, self.event, self.period)
        return Pieces(*(each[kept] for each in fields))


@dataclass(frozen=True, slots=True, eq=False)
class TimeVaryingEffect:
    """A Cox model in which the log hazard ratio of one covariate x changes with time.

    Attributes
    ----------
    effect : Linear
        Coefficients of x in each period, or of x and x g(t), with the influence of the caller's rows.
    split : CoxFit
        The model on the pieces of rows; its first coefficients are `effect`, then those of the covariates.
    constant : CoxFit
        The same model with one log hazard ratio of x for all times.
    basis : function
        Multipliers of x, (k, q), at k times.
    null : (r, q)
        Contrasts of `effect` that are 0 under proportional hazards.
    """

    effect: Linear
    split: CoxFit
    constant: CoxFit
    basis: Basis
    null: FloatArray

    def at(self, times: ArrayLike) -> Linear:
        """Log hazard ratio of x at each time, (k,)."""
        return self.effect.transform(self.basis(as_column(times, "times")))

    @property
    def equality(self) -> ChiSquare:
        """Wald test, robust to clusters, that the log hazard ratio is the same at all times."""
        return self.effect.transform(self.null).test()

    @property
    def likelihood_ratio(self) -> ChiSquare:
        """Likelihood-ratio test of the same, taking rows as independent."""
        return ChiSquare.of(2 * (self.split.loglik[1] - self.constant.loglik[1]), len(self.null))


def split_rows(start: ArrayLike | None, stop: ArrayLike, event: ArrayLike, cuts: ArrayLike) -> Pieces:
    """Rows (start, stop] cut at each of the times `cuts` that lies inside them, as R's ``survSplit``.

    Parameters
    ----------
    start, stop : (n,)
        Interval of each row; without `start` every row begins before all events and cut points.
    event : (n,)
        1 when the row ends in the event, else 0.
    cuts : (c,)
        Increasing times.

    Raises
    ------
    ModelError
        If the cut points do not increase, a row is not valid, or the pieces are too many.
    """
    begin, end = as_rows(start, stop)
    happened = as_states(event, "event", n=len(end), allowed=range(2))
    edges = as_column(cuts, "cuts")
    if (np.diff(edges) <= 0).any():
        raise ModelError("cut points must increase.")
    if begin is None:
        begin = np.full(len(end), min(0.0, end.min(), edges.min(initial=0.0)) - 1)
    first, last = np.searchsorted(edges, begin, side="right"), np.searchsorted(edges, end, side="left")
    number = last - first + 1
    if number.sum() > MOST_PIECES:
        raise ModelError(f"rows would be split into more than {MOST_PIECES} pieces; use fewer cut points.")
    row = np.repeat(np.arange(len(end)), number)
    period = np.arange(len(row)) - np.repeat(np.cumsum(number) - number - first, number)
    bounds = np.concatenate(([-np.inf], edges, [np.inf]))
    return Pieces(
        row=row,
        start=np.maximum(begin[row], bounds[period]),
        stop=np.minimum(end[row], bounds[period + 1]),
        event=happened[row] * (period == last[row]),
        period=period,
    )


def effect_by_period(
    start: ArrayLike | None,
    stop: ArrayLike,
    event: ArrayLike,
    x: ArrayLike,
    cuts: ArrayLike,
    *,
    covariates: ArrayLike | None = None,
    cluster: ArrayLike | Sequence[Hashable] | None = None,
    strata: ArrayLike | Sequence[Hashable] | None = None,
    ties: Ties = "efron",
    weights: ArrayLike | None = None,
) -> TimeVaryingEffect:
    """Log hazard ratio of x in each period of follow-up between declared cut points.

    Parameters
    ----------
    start, stop, event, cluster, strata, ties, weights
        As in `cox`.
    x : (n,)
        The covariate, such as the arm.
    cuts : (c,)
        Increasing times; the periods are (-inf, cuts[0]], (cuts[0], cuts[1]], ..., (cuts[c - 1], inf).
    covariates : (n, k), optional
        Other covariates, whose hazard ratios do not change.

    Returns
    -------
    TimeVaryingEffect
        A period in which one arm has no event has an infinite coefficient with a note, as in `cox`.

    Raises
    ------
    ModelError
        As in `cox` and `split_rows`, and if no event falls in some period.

    Source
    ------
    Therneau & Grambsch (2000), Modeling Survival Data, ch. 6.5; R ``survSplit``.
    """
    edges = as_column(cuts, "cuts")
    pieces = split_rows(start, stop, event, edges)
    events = np.bincount(pieces.period, weights=pieces.event, minlength=len(edges) + 1)
    if len(edges) == 0 or not events.all():
        raise ModelError("every period between cut points needs an event, and there must be a cut point.")

    def basis(times: FloatArray) -> FloatArray:
        return np.eye(len(edges) + 1)[np.searchsorted(edges, times, side="left")]

    null = np.eye(len(edges) + 1)[1:] - np.eye(len(edges) + 1)[:1]
    model = _Model(start, stop, event, x, covariates, cluster, strata, ties, weights)
    return _fitted(model, pieces, basis, null)


def effect_over_time(
    start: ArrayLike | None,
    stop: ArrayLike,
    event: ArrayLike,
    x: ArrayLike,
    *,
    transform: OfTime = "log",
    covariates: ArrayLike | None = None,
    cluster: ArrayLike | Sequence[Hashable] | None = None,
    strata: ArrayLike | Sequence[Hashable] | None = None,
    ties: Ties = "efron",
    weights: ArrayLike | None = None,
) -> TimeVaryingEffect:
    """Log hazard ratio of x as a + b g(t), with g(t) = t or log t; `effect` is (a, b).

    Parameters
    ----------
    start, stop, event, x, covariates, cluster, strata, ties, weights
        As in `effect_by_period`.
    transform : {"log", "identity"}
        The function g.

    Returns
    -------
    TimeVaryingEffect
        Rows are split at every death time; time and memory grow as rows x death times.

    Raises
    ------
    ModelError
        As in `cox` and `split_rows`, if the transform is not known, or ``log`` meets an event at a time that
        is not above 0.

    Source
    ------
    Cox (1972), section 6; Therneau & Grambsch (2000), Modeling Survival Data, ch. 6.5.
    """
    if transform not in ("identity", "log"):
        raise ModelError(f"transform {transform!r} is not known; use identity or log.")
    times = np.unique(as_column(stop, "stop")[as_column(event, "event") == 1])
    if transform == "log" and times.min(initial=1.0) <= 0:
        raise ModelError("the logarithm of time needs every event after time 0; use identity.")
    pieces = split_rows(start, stop, event, times)
    # What lies between the last death and the end of a row is in no risk set.
    pieces = pieces.where(np.isin(pieces.stop, times))

    def basis(at: FloatArray) -> FloatArray:
        return np.column_stack([np.ones(len(at)), np.log(at) if transform == "log" else at])

    model = _Model(start, stop, event, x, covariates, cluster, strata, ties, weights)
    return _fitted(model, pieces, basis, np.array([[0.0, 1.0]]))


@dataclass(frozen=True, slots=True, eq=False)
class _Model:
    """What the caller gave."""

    start: ArrayLike | None
    stop: ArrayLike
    event: ArrayLike
    x: ArrayLike
    covariates: ArrayLike | None
    cluster: ArrayLike | Sequence[Hashable] | None
    strata: ArrayLike | Sequence[Hashable] | None
    ties: Ties
    weights: ArrayLike | None


def _fitted(model: _Model, pieces: Pieces, basis: Basis, null: FloatArray) -> TimeVaryingEffect:
    n, row, q = len(np.asarray(model.stop)), pieces.row, null.shape[1]
    x = as_column(model.x, "x", n=n)
    other = np.empty((n, 0)) if model.covariates is None else design(model.covariates, n)
    cluster = None if model.cluster is None else as_labels(model.cluster, n=n, name="cluster")
    strata = None if model.strata is None else as_labels(model.strata, n=n, name="strata")
    weights, ties = as_weights(model.weights, n=n), model.ties
    split = cox(
        pieces.start,
        pieces.stop,
        pieces.event,
        np.column_stack([x[row, None] * basis(pieces.stop), other[row]]),
        cluster=(np.arange(n) if cluster is None else cluster)[row],
        strata=None if strata is None else strata[row],
        ties=ties,
        weights=weights[row],
    )
    influence = np.zeros((n, q))
    influence[np.unique(row)] = cluster_sums(split.influence[:, :q], row)
    constant = cox(
        model.start,
        model.stop,
        model.event,
        np.column_stack([x, other]),
        cluster=cluster,
        strata=strata,
        ties=ties,
        weights=weights,
    )
    return TimeVaryingEffect(
        Linear(split.coef[:q], influence, cluster, split.notes), split, constant, basis, null
    )
