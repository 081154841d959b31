"""The next of several events, given the number of earlier ones: models of Prentice, Williams and Peterson."""

from collections.abc import Hashable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from analysis.errors import ModelError
from analysis.stats.at_risk import FloatArray
from analysis.stats.event_histories import EventHistories, read_histories
from analysis.stats.hazards import CoxFit, Ties, cox
from analysis.stats.labels import codes


def pwp(
    subject: ArrayLike | Sequence[Hashable],
    start: ArrayLike,
    stop: ArrayLike,
    event: ArrayLike,
    X: ArrayLike,
    *,
    clock: Literal["total", "gap"] = "total",
    most: int | None = None,
    cluster: ArrayLike | Sequence[Hashable] | None = None,
    strata: ArrayLike | Sequence[Hashable] | None = None,
    ties: Ties = "efron",
    weights: ArrayLike | None = None,
) -> CoxFit:
    """Log hazard ratios of the next event given the number of earlier ones, each number a stratum.

    Parameters
    ----------
    subject, start, stop, event, X, cluster, strata, ties, weights
        As in `analysis.stats.recurrent.lwyy`.
    clock : {"total", "gap"}
        Time since the origin, or since the subject's last event; before the first event both are the same.
    most : int, optional
        The next events from this number on share a stratum.

    Returns
    -------
    CoxFit
        Conditional on the number of earlier events, which the arm may have changed: after the first event it
        is not a comparison of randomised groups.

    Raises
    ------
    ModelError
        As `read_histories` and `cox`, naming the row or column; `clock` or `most` is not one of those.

    Source
    ------
    Prentice, Williams & Peterson (1981), Biometrika 68:373, models 2 (total time) and 3 (gap time).
    """
    if clock not in ("total", "gap"):
        raise ModelError(f"a clock {clock!r} is not known; use total or gap.")
    if most is not None and most < 1:
        raise ModelError("the number from which events share a stratum must be 1 or more.")
    rows = read_histories(subject, start, stop, event, cluster=cluster)
    earlier, since = _earlier_events(rows)
    number = rows.to_caller(earlier if most is None else np.minimum(earlier, most - 1))
    origin = rows.to_caller(since) if clock == "gap" else np.zeros(len(number))
    return cox(
        np.asarray(start) - origin,
        np.asarray(stop) - origin,
        event,
        X,
        cluster=subject if cluster is None else cluster,
        strata=codes(strata, "strata", len(number)) * (int(number.max()) + 1) + number.astype(np.int64),
        ties=ties,
        weights=weights,
    )


def _earlier_events(rows: EventHistories) -> tuple[FloatArray, FloatArray]:
    """Number of events of its subject before each row, and the time of the last of them (0 if none)."""
    total = np.cumsum(rows.events) - rows.events
    earlier = total - total[rows.first][rows.subject]
    happened = np.where(rows.events > 0, np.arange(len(total)), -1)
    last = np.concatenate(([-1], np.maximum.accumulate(happened)[:-1]))
    return earlier, np.where(earlier > 0, rows.stop[last], 0.0)
