"""Histories of events that recur: rows (subject, start, stop, events, end), checked and sorted."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from analysis.stats.at_risk import (
    BoolArray,
    FloatArray,
    IntArray,
    as_column,
    as_intervals,
    as_states,
    as_weights,
    refuse_rows,
)
from analysis.stats.labels import Labels, as_labels, encode
from analysis.stats.spells import cluster_of_subjects, refuse_overlap


@dataclass(frozen=True, slots=True, eq=False)
class EventHistories:
    """R rows of n subjects, sorted by subject and time.

    Attributes
    ----------
    order : (R,)
        Caller's row number of each row.
    subject : (R,)
        Position of the row's subject among `subjects`.
    start, stop : (R,)
        The row is observed in (start, stop].
    events : (R,)
        Number of events at `stop`.
    ended : (R,)
        Whether the subject's history ends at `stop` by the terminal event.
    weight : (R,)
        Case weights.
    subjects : (n,)
        Labels of the subjects, sorted.
    cluster : (n,) or None
        Label of each subject's independent unit.
    """

    order: IntArray
    subject: IntArray
    start: FloatArray
    stop: FloatArray
    events: FloatArray
    ended: BoolArray
    weight: FloatArray
    subjects: Labels
    cluster: Labels | None

    @property
    def first(self) -> IntArray:
        """First row of each subject, (n,)."""
        return np.flatnonzero(np.diff(self.subject, prepend=-1))

    def to_caller(self, values: FloatArray) -> FloatArray:
        """Values of the rows, in the caller's order."""
        placed = np.empty_like(values)
        placed[self.order] = values
        return placed


def read_histories(
    subject: ArrayLike | Sequence[Hashable],
    start: ArrayLike,
    stop: ArrayLike,
    event: ArrayLike,
    *,
    terminal: ArrayLike | None = None,
    cluster: ArrayLike | Sequence[Hashable] | None = None,
    weights: ArrayLike | None = None,
) -> EventHistories:
    """Rows of recurrent events as `analysis.stats.recurrent` needs them.

    Parameters
    ----------
    subject : (R,)
        Hashable labels.
    start, stop : (R,)
        Interval of each row, in one unit of time. Gaps between rows of a subject mean time not observed.
    event : (R,)
        Number of events at `stop`, usually 0 or 1.
    terminal : (R,), optional
        1 where no further event is possible after `stop` (death), else 0.
    cluster, weights : (R,), optional
        Cluster labels, constant within subject; positive case weights.

    Raises
    ------
    ModelError
        Naming the row: a value is missing or out of range, start >= stop, intervals of a subject overlap, a
        row follows the terminal event of its subject, or the cluster changes within a subject.
    """
    starts, stops = as_intervals(start, stop)
    n = len(stops)
    code, subjects = encode(as_labels(subject, n=n, name="subject"))
    order = np.lexsort((starts, code))
    code, starts, stops = code[order], starts[order], stops[order]
    refuse_overlap(code, starts, stops, order)
    ended = np.zeros(n) if terminal is None else as_states(terminal, "terminal", n=n, allowed=range(2))
    ended = ended[order] == 1
    after_end = ended[:-1] & (code[1:] == code[:-1])
    refuse_rows(after_end, "it follows the terminal event of its subject.", row=order[1:])
    labels = None if cluster is None else as_labels(cluster, n=n, name="cluster")[order]
    return EventHistories(
        order=order,
        subject=code,
        start=starts,
        stop=stops,
        events=_as_numbers(event, n)[order],
        ended=ended,
        weight=as_weights(weights, n=n)[order],
        subjects=subjects,
        cluster=None if labels is None else cluster_of_subjects(labels, code, order),
    )


def _as_numbers(event: ArrayLike, n: int) -> FloatArray:
    numbers = as_column(event, "event", n=n)
    refuse_rows((numbers < 0) | (numbers != np.rint(numbers)), "event must be a whole number, 0 or more.")
    return numbers
